//! Credentials and trusted certificates for both servers.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{OktaAccess, OktaSettings, ServiceAppSettings, Settings};
use crate::error::{Error, Kind, Result, Topic};
use crate::files::{self, Trusted};
use crate::http::{self, Authorization, Mask, Server, Waits, Which};
use crate::okta;
use crate::okta::oauth::{AccessTokens, Asked, SCHEMAS, ServiceApp, SigningKey, least_scopes, scope_of, scopes_by_key};
use crate::sync::environment::{TIMEOUT, proxy, timeout};

/// More than the certificates of all public authorities take, in bytes.
const LARGEST_CA: u64 = 4 << 20;

/// The transport to the org. It reads the token or the key; nothing is sent yet.
pub fn okta(settings: &Settings) -> Result<http::Settings> {
    let OktaSettings { org_url, access, ca_file, rate_limit_share, .. } = &settings.okta;
    let authorities = authorities(ca_file.as_deref())?;
    let base = okta::settings(org_url.as_str(), Authorization::None);
    let proxy = proxy(org_url.scheme());
    let transport = http::Settings { authorities, share: *rate_limit_share, proxy, ..base }.within(timeout()?);
    match access {
        OktaAccess::ApiToken(source) => {
            let token = source.read()?;
            let server = Arc::new(Server { remark: odd_token(&token), ..okta_server(settings) });
            Ok(http::Settings { authorization: okta::api_token(&token), server, ..transport })
        }
        OktaAccess::ServiceApp(app) => {
            let transport = http::Settings { server: Arc::new(okta_server(settings)), ..transport };
            let authorization = AccessTokens::authorization(service_app(app, settings, &transport.mask)?, &transport)?;
            Ok(http::Settings { authorization, ..transport })
        }
    }
}

/// The transport to the platform. It reads the API key; nothing is sent yet.
pub fn activepieces(settings: &Settings) -> Result<http::Settings> {
    let key = settings.activepieces.api_key.read()?;
    let transport = http::Settings {
        authorization: Authorization::Fixed(format!("Bearer {}", key.expose_secret()).into()),
        authorities: authorities(settings.activepieces.ca_file.as_deref())?,
        proxy: proxy(settings.activepieces.url.scheme()),
        server: Arc::new(Server { remark: odd_key(&key), ..activepieces_server(settings) }),
        waits: Waits::of("Activepieces"),
        ..http::Settings::new(settings.activepieces.url.as_str().trim_end_matches('/'))
    };
    Ok(transport.within(timeout()?))
}

/// What messages about the org name.
fn okta_server(settings: &Settings) -> Server {
    let (credentials, is_service_app) = match &settings.okta.access {
        OktaAccess::ApiToken(source) => (format!("the token in {source}"), false),
        OktaAccess::ServiceApp(app) => (format!("the service app {}", app.client_id), true),
    };
    Server {
        which: Which::Okta,
        address: okta_address(settings),
        other_address: activepieces_address(settings),
        credentials,
        is_service_app,
        scopes: needed_scopes(settings),
        scope_of,
        ..server()
    }
}

/// What messages about the platform name.
fn activepieces_server(settings: &Settings) -> Server {
    Server {
        which: Which::Activepieces,
        address: activepieces_address(settings),
        other_address: okta_address(settings),
        credentials: format!("the API key in {}", settings.activepieces.api_key),
        ..server()
    }
}

fn server() -> Server {
    Server {
        wait_variable: TIMEOUT,
        wait_is_limited: timeout().is_ok_and(|most| most < Duration::MAX),
        ..Server::default()
    }
}

fn okta_address(settings: &Settings) -> String {
    format!("okta.org_url ({})", settings.okta.org_url_at)
}

fn activepieces_address(settings: &Settings) -> String {
    format!("activepieces.url ({})", settings.activepieces.url_at)
}

/// The scopes of the config, or else those that it needs, each with the keys that ask for it.
fn needed_scopes(settings: &Settings) -> Vec<(String, String)> {
    if let OktaAccess::ServiceApp(ServiceAppSettings { scopes: Some(named), .. }) = &settings.okta.access {
        return named.iter().map(|scope| (scope.clone(), "okta.scopes".to_owned())).collect();
    }
    let asked = scopes_by_key(&settings.scope, &settings.mapping.needs(), settings.from_okta).into_iter();
    asked.map(|(scope, _, keys)| (scope.to_owned(), keys.join(" and "))).collect()
}

/// The length of Okta's API tokens.
const TOKEN_LENGTH: usize = 42;

/// What shows that a text isn't a whole API token of Okta.
fn odd_token(token: &SecretString) -> Option<String> {
    let length = token.expose_secret().trim().chars().count();
    let is_odd = length != TOKEN_LENGTH;
    is_odd.then(|| format!("it has {length} characters, and an API token of Okta has {TOKEN_LENGTH}"))
}

/// What shows that a text isn't an API key of a platform.
fn odd_key(key: &SecretString) -> Option<String> {
    let is_key = key.expose_secret().starts_with("sk-");
    (!is_key).then(|| "it doesn't begin with sk-, as the API keys of a platform do".to_owned())
}

/// The name of the credentials for Okta.
pub fn name(settings: &Settings) -> &'static str {
    match settings.okta.access {
        OktaAccess::ApiToken(_) => "Okta token",
        OktaAccess::ServiceApp(_) => "Okta service app",
    }
}

/// Reads the token or the key, and nothing else.
pub fn okta_secret(settings: &Settings) -> Result<()> {
    match &settings.okta.access {
        OktaAccess::ApiToken(source) => source.read().map(drop),
        OktaAccess::ServiceApp(app) => service_app(app, settings, &Mask::default()).map(drop),
    }
}

/// The credentials for Okta in words: their source, and the scopes that are asked for.
pub fn described(settings: &Settings) -> String {
    match &settings.okta.access {
        OktaAccess::ApiToken(source) => source.to_string(),
        OktaAccess::ServiceApp(app) => {
            format!("service app {} with {}, for {}", app.client_id, app.key, scopes(app, settings).join(" "))
        }
    }
}

fn service_app(app: &ServiceAppSettings, settings: &Settings, mask: &Mask) -> Result<ServiceApp> {
    let pem = app.key.read_text()?;
    mask.keep(&pem);
    let key = SigningKey::from_pem(&pem)
        .map_err(|why| Error::new(Kind::Config, format!("{}: {why}", app.key)).about(Topic::Secret))?;
    let (client_id, key_id) = (app.client_id.clone(), app.key_id.clone());
    // Scopes that the config names are asked for exactly as they are.
    let optional_scope = app.scopes.is_none().then_some(SCHEMAS);
    let user_types_apart = asked_when(settings, Asked::WhenNeeded).is_some();
    Ok(ServiceApp { client_id, key_id, key, scopes: scopes(app, settings), optional_scope, user_types_apart })
}

fn scopes(app: &ServiceAppSettings, settings: &Settings) -> Vec<String> {
    app.scopes.clone().unwrap_or_else(|| least_scopes(&settings.scope, &settings.mapping.needs(), settings.from_okta))
}

/// Which keys of the config ask for each scope of the token that every run asks for; none where the config names the scopes,
/// or where an API token authorizes the requests.
pub fn asked_scopes(settings: &Settings) -> Option<String> {
    asked_when(settings, Asked::Always)
}

/// The same for the scopes that a run asks for once it needs them.
pub fn scopes_when_needed(settings: &Settings) -> Option<String> {
    asked_when(settings, Asked::WhenNeeded)
}

fn asked_when(settings: &Settings, wanted: Asked) -> Option<String> {
    let OktaAccess::ServiceApp(ServiceAppSettings { scopes: None, .. }) = &settings.okta.access else { return None };
    let asked = scopes_by_key(&settings.scope, &settings.mapping.needs(), settings.from_okta);
    let asked = asked.into_iter().filter(|(_, when, _)| *when == wanted);
    let asked: Vec<_> = asked.map(|(scope, _, keys)| format!("{scope} for {}", keys.join(" and "))).collect();
    (!asked.is_empty()).then(|| asked.join(", "))
}

/// The certificates of a file, which are trusted in addition to those of the system.
pub fn authorities(file: Option<&Path>) -> Result<Vec<Certificate>> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let wrong = |why: String| {
        let error = Error::new(Kind::Config, format!("the CA file `{}` {why}", path.display())).about(Topic::CaFile);
        error.hint("use PEM certificates, each with a line -----BEGIN CERTIFICATE-----")
    };
    // The writer of this file decides which server is trusted as Okta or Activepieces.
    let Trusted { bytes, .. } = files::read_trusted(path, LARGEST_CA).map_err(|refusal| {
        let error = Error::new(Kind::Config, format!("the CA file `{}` {refusal}", path.display()));
        error.about(Topic::CaFile).hint("correct `ca_file`: a relative path begins at the folder of the config")
    })?;
    let certificates = Certificate::from_pem_bundle(&bytes).map_err(|_| wrong("isn't valid PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(wrong("holds no certificate".to_owned()));
    }
    Ok(certificates)
}
