{{- define "oktapieces.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "oktapieces.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "oktapieces.configMap" -}}
{{- if and .Values.config .Values.existingConfigMap }}{{ fail "set config or existingConfigMap, not both" }}{{ end }}
{{- if .Values.existingConfigMap }}{{ .Values.existingConfigMap }}
{{- else if .Values.config }}{{ include "oktapieces.name" . }}
{{- else }}{{ fail "set config (helm install --set-file config=config.toml) or existingConfigMap" }}{{ end }}
{{- end }}

{{- define "oktapieces.claim" -}}
{{- .Values.persistence.existingClaim | default (include "oktapieces.name" .) }}
{{- end }}
