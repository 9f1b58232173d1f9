//! From the values of the keys to the settings: the checks that need several keys at once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::draft::{Attributes, Draft, Monitoring, Scope, Secret, ServerKeys};
use super::expressions::mapped;
use super::monitoring::MonitoringSettings;
use super::picture::{Fault, Faults};
use super::secret::{SecretCommand, SecretSource};
use super::settings::{ActivepiecesSettings, OktaAccess, OktaSettings, Settings};
use super::source::Source;
use super::types::{Create, Text, file, is_variable_name};
use super::url::{self, UrlFault};
use super::{accepted, access, mask, rules};
use crate::mapping::attributes::{Mapped, Mapping};
use crate::model::org;

/// The variables that hold the secrets if the config names no source.
const OKTA_API_TOKEN: &str = "OKTA_API_TOKEN";
const ACTIVEPIECES_API_KEY: &str = "ACTIVEPIECES_API_KEY";

/// Makes settings of the values, or none, with at least one fault noted.
pub(super) fn resolve(
    mut draft: Draft,
    source: Source<'_>,
    faults: &mut Faults,
    warnings: Vec<String>,
) -> Option<Settings> {
    let mut resolver = Resolver { source, faults, warnings };
    // One after the other, and not one statement: every fault of every section is wanted.
    let okta = resolver.okta(&draft);
    let activepieces = resolver.activepieces(&draft.activepieces);
    draft.monitoring.share();
    let monitoring = resolver.monitoring(&draft.monitoring, draft.target.as_ref().map(Spanned::get_ref));
    resolver.one_secret_each(&[
        (&draft.okta.secret, Some(OKTA_API_TOKEN)),
        (&draft.activepieces.secret, Some(ACTIVEPIECES_API_KEY)),
        (&draft.monitoring.webhook, None),
        (&draft.monitoring.heartbeat, None),
    ]);
    let scope = resolver.scope(&draft.scope);
    let mapping = resolver.mapping(&draft.attributes);
    resolver.mapping_in_okta_needs_an_app(&draft.attributes, &scope);
    let order = draft.role_order.as_ref();
    let has_app = scope.app.is_some();
    let projects = rules::resolve(&draft.projects, order, has_app, source, resolver.faults, &mut resolver.warnings);
    let project_roles = projects.iter().map(|rule| rule.roles.clone()).collect();
    let mut policy = draft.policy;
    policy.accepted = accepted::resolve(draft.accepted, source);
    Some(Settings {
        target: draft.target.map(Spanned::into_inner),
        okta: okta?,
        activepieces: activepieces?,
        scope,
        mapping: Mapping {
            project_roles,
            closing: draft.statuses.closing(),
            prepares: draft.prepares == Create::Inactive,
            ..mapping?
        },
        from_okta: draft.attributes.from_okta,
        projects,
        policy,
        monitoring,
        text: source.config.clone(),
        warnings: resolver.warnings,
    })
}

struct Resolver<'a> {
    source: Source<'a>,
    faults: &'a mut Faults,
    warnings: Vec<String>,
}

impl Resolver<'_> {
    fn okta(&mut self, draft: &Draft) -> Option<OktaSettings> {
        let access = self.access(draft);
        let text = draft.okta.url.as_ref()?;
        let (org_url, warning) = self.url(text, url::okta(text.get_ref(), draft.okta.allow_insecure))?;
        let location = self.source.config.location(&text.span());
        self.warnings.extend(warning.iter().map(|warning| format!("{location}: {warning}")));
        let (ca_file, rate_limit_share) = (draft.okta.ca_file.clone(), draft.rate_limit_share);
        Some(OktaSettings { org_url, org_url_at: location, access: access?, ca_file, rate_limit_share })
    }

    /// A service app if any of its keys is there, else an API token; never both.
    fn access(&mut self, draft: &Draft) -> Option<OktaAccess> {
        let secret = &draft.okta.secret;
        let Some(first) = access::first_key(&draft.app) else {
            return self.secret(secret, "token", OKTA_API_TOKEN).map(OktaAccess::ApiToken);
        };
        if let Some(fault) = access::both(&first, secret) {
            self.faults.push(fault);
        }
        let app = access::complete(&draft.app, &first, self.faults)?;
        let key = self.faults.or_push(self.file_source(app.key_file, secret.allow_shared))?;
        Some(OktaAccess::ServiceApp(app.settings(key)))
    }

    fn activepieces(&mut self, server: &ServerKeys) -> Option<ActivepiecesSettings> {
        let api_key = self.secret(&server.secret, "api_key", ACTIVEPIECES_API_KEY);
        let text = server.url.as_ref()?;
        let url = self.url(text, url::activepieces(text.get_ref(), server.allow_insecure))?;
        let url_at = self.source.config.location(&text.span());
        Some(ActivepiecesSettings { url, url_at, api_key: api_key?, ca_file: server.ca_file.clone() })
    }

    fn url<T>(&mut self, text: &Text, result: Result<T, UrlFault>) -> Option<T> {
        if text.get_ref().contains('@') {
            self.faults.hide(text.span());
        }
        result.map_err(|fault| self.faults.push(Fault::at(text.span(), fault.message).help(fault.help))).ok()
    }

    /// `prefix` is how the names of the keys start.
    fn secret(&mut self, typed: &Secret, prefix: &str, default: &str) -> Option<SecretSource> {
        let spans = [
            typed.env.as_ref().map(Spanned::span),
            typed.file.as_ref().map(Spanned::span),
            typed.command.as_ref().map(Spanned::span),
        ];
        let mut spans = spans.into_iter().flatten().collect::<Vec<_>>();
        spans.sort_by_key(|span| span.start);
        if let [first, second, ..] = spans.as_slice() {
            self.faults.push(
                Fault::at(second.clone(), "a secret has one source")
                    .label("this is another one")
                    .context(first.clone(), "this is one")
                    .help(format!("keep one of `{prefix}_env`, `{prefix}_file` and `{prefix}_command`")),
            );
        }
        let source = match (&typed.env, &typed.file, &typed.command) {
            (Some(name), ..) => env_source(name, default),
            (_, Some(path), _) => self.file_source(path, typed.allow_shared),
            (.., Some(words)) => command_source(words, typed.command_env.as_ref()),
            _ => Ok(SecretSource::Env(default.to_owned())),
        };
        self.faults.or_push(source)
    }

    /// What hears of runs. The addresses are secrets without a default.
    fn monitoring(&mut self, typed: &Monitoring, target: Option<&String>) -> MonitoringSettings {
        let metrics_file = typed.metrics_file.as_deref();
        MonitoringSettings {
            metrics_file: metrics_file.map(|path| target.map_or(path.to_owned(), |name| of_target(path, name))),
            webhook: self.address(&typed.webhook, "webhook_url"),
            webhook_format: typed.webhook_format,
            webhook_on: typed.webhook_on.clone(),
            heartbeat: self.address(&typed.heartbeat, "heartbeat_url"),
            ca_file: typed.ca_file.clone(),
        }
    }

    fn address(&mut self, typed: &Secret, prefix: &str) -> Option<SecretSource> {
        if typed.env.is_none() && typed.file.is_none() && typed.command.is_none() {
            return None;
        }
        if let Some(fault) = address_as_source(typed) {
            self.faults.hide(typed.file.as_ref()?.span());
            self.faults.push(fault);
            return None;
        }
        self.secret(typed, prefix, "ALERTS_URL")
    }

    /// No command gets a secret of another place. Each secret comes with the variable that holds it by default.
    fn one_secret_each(&mut self, secrets: &[(&Secret, Option<&str>)]) {
        for (at, (given, _)) in secrets.iter().enumerate() {
            let others = secrets.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            let variables = others.filter_map(|(other, default)| match &other.env {
                Some(name) => Some(name.get_ref().as_str()),
                None => *default,
            });
            let own = given.env.as_ref().map(|name| name.get_ref().as_str());
            let variables: Vec<&str> = variables.filter(|name| Some(*name) != own).collect();
            let names = given.command_env.iter().flat_map(Spanned::get_ref);
            for name in names.filter(|name| variables.contains(&name.get_ref().as_str())) {
                let secret = name.get_ref();
                let fault = Fault::at(name.span(), format!("`{secret}` holds another secret"));
                self.faults.push(fault.help("leave it out: a command only gets what it needs for its own secret"));
            }
        }
    }

    fn file_source(&self, path: &Text, allow_shared: bool) -> Result<SecretSource, Fault> {
        Ok(SecretSource::File { path: file(path, self.source, "a file that holds the secret")?, allow_shared })
    }

    fn scope(&mut self, typed: &Scope) -> org::Scope {
        if !typed.names_users {
            let message = "no users are in scope";
            let fault = typed.header.clone().map_or_else(|| Fault::new(message), |span| Fault::at(span, message));
            let help = "name users in [scope] by at least one of `app`, `groups`, `search`, or `everyone = true`";
            self.faults.push(fault.help(help));
        }
        let groups = typed.groups.as_ref();
        if let Some(empty) = groups.filter(|groups| groups.get_ref().is_empty()) {
            self.faults.push(
                Fault::at(empty.span(), "`groups` names no group").help("name at least one, or leave `groups` out"),
            );
        }
        let groups_at = groups.map(|groups| self.source.config.location(&groups.span()));
        let groups = groups.map(|groups| groups.get_ref().as_slice()).unwrap_or_default();
        org::Scope {
            app: typed.app.as_ref().map(|app| app.get_ref().clone()),
            app_at: typed.app.as_ref().map(|app| self.source.config.location(&app.span())),
            groups: groups.iter().map(|group| group.get_ref().clone()).collect(),
            groups_at,
            search: typed.search.as_ref().map(|search| search.get_ref().clone()),
            everyone: typed.everyone.unwrap_or_default(),
        }
    }

    /// A profile mapping belongs to an app.
    fn mapping_in_okta_needs_an_app(&mut self, typed: &Attributes, scope: &org::Scope) {
        if typed.from_okta && scope.app.is_none() {
            let message = "`from_okta` needs an app, whose profile mapping is read";
            let fault = typed.header.clone().map_or_else(|| Fault::new(message), |span| Fault::at(span, message));
            self.faults.push(fault.help("name the Okta app of Activepieces under [scope] as `app`"));
        }
    }

    fn mapping(&mut self, typed: &Attributes) -> Option<Mapping> {
        let user_name = self.mapped("userName", typed.user_name.as_ref());
        let given_name = self.mapped("givenName", typed.given_name.as_ref());
        let family_name = self.mapped("familyName", typed.family_name.as_ref());
        let email = self.mapped("email", typed.email.as_ref());
        let display_name = self.mapped("displayName", typed.display_name.as_ref());
        let platform_role = match typed.platform_role.as_ref().map(|text| (text, bare_role(text))) {
            Some((_, Some(fault))) => {
                self.faults.push(fault);
                None
            }
            Some((text, None)) => self.mapped("platformRole", Some(text)),
            None => None,
        };
        let aliases = typed.aliases.as_ref().map(|text| self.mapped("aliases", Some(text)));
        Some(Mapping {
            user_name: user_name?,
            given_name: given_name?,
            family_name: family_name?,
            email: email?,
            display_name: display_name?,
            platform_role,
            aliases: aliases.flatten(),
            project_roles: Vec::new(),
            closing: BTreeSet::new(),
            prepares: false,
        })
    }

    fn mapped(&mut self, attribute: &str, text: Option<&Text>) -> Option<Mapped> {
        mapped(attribute, text?, None, self.source, self.faults)
    }
}

/// A file for each target, since none may replace that of another: `oktapieces-production.prom`.
fn of_target(path: &Path, target: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    path.with_file_name(format!("{stem}-{target}{}", extension.unwrap_or_default()))
}

/// The fault of an address in the place of its source.
fn address_as_source(secret: &Secret) -> Option<Fault> {
    let file = secret.file.as_ref().filter(|path| path.get_ref().contains("://"))?;
    Some(
        Fault::at(file.span(), "this is an address, and not the path of a file")
            .label("its value isn't shown here")
            .help("who knows the address can use it: write it into a file for its owner alone, and name that file"),
    )
}

fn env_source(name: &Text, example: &str) -> Result<SecretSource, Fault> {
    if is_variable_name(name.get_ref()) && !mask::holds_secret(name.get_ref()) {
        return Ok(SecretSource::Env(name.get_ref().clone()));
    }
    Err(Fault::at(name.span(), "this is not the name of an environment variable")
        .label("its value isn't shown here")
        .help(format!("write the name of the variable that holds the secret, such as \"{example}\", not the secret")))
}

fn command_source(words: &Spanned<Vec<Text>>, env: Option<&Spanned<Vec<Text>>>) -> Result<SecretSource, Fault> {
    let texts = |texts: &Spanned<Vec<Text>>| texts.get_ref().iter().map(|text| text.get_ref().clone()).collect();
    if let Some(wrong) = env.iter().flat_map(|env| env.get_ref()).find(|name| !is_variable_name(name.get_ref())) {
        return Err(Fault::at(wrong.span(), "this is not the name of an environment variable")
            .help("write the names alone, such as [\"VAULT_ADDR\"]; their values stay in the environment"));
    }
    match words.get_ref().first() {
        Some(program) if !program.get_ref().trim().is_empty() => {
            Ok(SecretSource::Command(SecretCommand { words: texts(words), env: env.map(texts).unwrap_or_default() }))
        }
        _ => Err(Fault::at(words.span(), "this names no command")
            .help("write a program and its arguments: [\"op\", \"read\", \"op://vault/item/field\"]")),
    }
}

/// A role's name without quotes of its own, which the expression language doesn't take for text.
fn bare_role(text: &Text) -> Option<Fault> {
    let role = text.get_ref().trim();
    ["ADMIN", "MEMBER", "OPERATOR"].contains(&role).then(|| {
        Fault::at(text.span(), format!("`{role}` is not an expression"))
            .help(format!("text inside an expression needs its own quotes: '\"{role}\"'"))
    })
}
