//! Reads request bodies, by content type (docs/activepieces.md#request-bodies).

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use super::errors::Failure;

/// The largest body: 54 MiB.
pub(super) const MAX_BODY: usize = 54 * 1024 * 1024;

/// The body as the handlers see it; `None` is JavaScript's `undefined`.
pub(super) async fn read(method: &Method, headers: &HeaderMap, body: Body) -> Result<Option<Value>, Failure> {
    if ![Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method) {
        return Ok(None);
    }
    let length = header(headers, CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
    let Some(content_type) = header(headers, CONTENT_TYPE.as_str()) else {
        let empty = length.unwrap_or(0) == 0 && !headers.contains_key(TRANSFER_ENCODING);
        return if empty { Ok(None) } else { Err(unsupported_type()) };
    };
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !["application/json", "application/scim+json", "text/plain", "application/x-www-form-urlencoded"]
        .contains(&kind.as_str())
    {
        return Err(unsupported_type());
    }
    if length.is_some_and(|length| length > MAX_BODY) {
        return Err(too_large());
    }
    let bytes = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| too_large())?;
    match kind.as_str() {
        "application/json" => json(&bytes).map(Some),
        "application/scim+json" => scim_json(&bytes).map(Some),
        "text/plain" => Ok(Some(Value::String(String::from_utf8_lossy(&bytes).into_owned()))),
        _ => Ok(Some(form(&bytes))),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn unsupported_type() -> Failure {
    Failure::coded(415, "FST_ERR_CTP_INVALID_MEDIA_TYPE", "Unsupported Media Type")
}

fn too_large() -> Failure {
    Failure::coded(413, "FST_ERR_CTP_BODY_TOO_LARGE", "Request body is too large")
}

fn json(bytes: &Bytes) -> Result<Value, Failure> {
    if bytes.is_empty() {
        let message = "Body cannot be empty when content-type is set to 'application/json'";
        return Err(Failure::coded(400, "FST_ERR_CTP_EMPTY_JSON_BODY", message));
    }
    match serde_json::from_slice(bytes) {
        Ok(value) if !has_proto_key(&value) => Ok(value),
        _ => {
            let message = "Body is not valid JSON but content-type is set to 'application/json'";
            Err(Failure::coded(400, "FST_ERR_CTP_INVALID_JSON_BODY", message))
        }
    }
}

/// An empty or blank body is taken for `{}`.
fn scim_json(bytes: &Bytes) -> Result<Value, Failure> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let text = String::from_utf8_lossy(bytes);
        let message = if error.is_eof() {
            "Unexpected end of JSON input".to_owned()
        } else {
            let token = text.chars().nth(error.column().saturating_sub(1)).unwrap_or(' ');
            let start: String = text.chars().take(10).collect();
            format!("Unexpected token '{token}', \"{start}\"... is not valid JSON")
        };
        Failure::http(400, message)
    })
}

fn has_proto_key(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| key == "__proto__" || has_proto_key(value)),
        Value::Array(items) => items.iter().any(has_proto_key),
        _ => false,
    }
}

/// A form's fields as an object of texts.
fn form(bytes: &Bytes) -> Value {
    let uri = format!("/?{}", String::from_utf8_lossy(bytes));
    let fields = uri.parse::<Uri>().ok().and_then(|uri| pairs(&uri)).unwrap_or_default();
    fields.into_iter().map(|(key, value)| (key, Value::String(value))).collect()
}

/// The query's names and values, in order; `+` is a space (docs/activepieces.md#listing-users).
pub(super) fn pairs(uri: &Uri) -> Option<Vec<(String, String)>> {
    Query::<Vec<(String, String)>>::try_from_uri(uri).ok().map(|Query(pairs)| pairs)
}
