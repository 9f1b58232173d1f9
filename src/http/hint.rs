//! What to do about a failed request, and the name of its error: by the cause, and by the server that it is about.

use super::cause::Cause;
use super::certificate::Flaw;
use super::error_body::ErrorBody;
use super::server::{ProxyName, Server, Which};
use crate::error::Topic;

/// The codes of Activepieces (docs/activepieces.md#error-bodies) by which an answer is known to be one of its.
const ACTIVEPIECES_CODES: [&str; 5] =
    ["AUTHENTICATION", "AUTHORIZATION", "INVALID_BEARER_TOKEN", "FEATURE_DISABLED", "ENTITY_NOT_FOUND"];

/// A failed request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed<'a> {
    pub server: &'a Server,
    /// Without the query.
    pub url: &'a str,
    pub cause: &'a Cause,
    /// It was given up since the whole run has met too much trouble.
    pub in_trouble: bool,
}

/// The name of the error, and its hints.
pub(super) type Advice = (Topic, Vec<String>);

fn advice(topic: Topic, hint: impl Into<String>) -> Advice {
    (topic, vec![hint.into()])
}

impl Failed<'_> {
    pub fn advice(self) -> Advice {
        let Server { which, address, .. } = self.server;
        if self.in_trouble {
            let hint = "the server, or the network before it, is in trouble: run it again once that is over";
            return advice(Topic::ServerTrouble, hint);
        }
        match self.cause {
            Cause::Connect(_) => {
                let hint = format!("check that {which} runs, the port in {address}, and proxies and firewalls between");
                advice(Topic::NoConnection, hint)
            }
            Cause::Dns(_) => {
                advice(Topic::Dns, format!("correct the host name in {address}, or check the network of this machine"))
            }
            Cause::Proxy { proxy, is_login, .. } => self.of_proxy(proxy.as_ref(), *is_login),
            Cause::Tls(insecure) => self.of_tls(insecure.flaw),
            Cause::Redirect { moved, .. } => self.of_redirect(moved.as_deref()),
            Cause::Status { status, body } => self.of_status(status.as_u16(), body),
            Cause::NotJson { html, snippet, .. } => self.of_text(*html, snippet),
            other => self.of_answer(other),
        }
    }

    fn of_proxy(self, proxy: Option<&ProxyName>, is_login: bool) -> Advice {
        let Some(ProxyName { variable, address, has_login }) = proxy else {
            return advice(Topic::Proxy, "check the proxy");
        };
        match (is_login, has_login) {
            (true, true) => advice(Topic::ProxyLogin, format!("correct the user name or the password in {variable}")),
            (true, false) => {
                advice(Topic::ProxyLogin, format!("write the login into {variable}: http://USER:PASSWORD@{address}"))
            }
            (false, _) => advice(
                Topic::Proxy,
                format!("correct {variable}, or add {} to NO_PROXY to connect without a proxy", self.host()),
            ),
        }
    }

    fn of_tls(self, flaw: Flaw) -> Advice {
        let (address, host, ca_file) = (&self.server.address, self.host(), self.server.ca_file());
        match flaw {
            Flaw::NoTls => advice(
                Topic::NoTls,
                format!(
                    "correct the port in {address}; if the server is plain http there, the URL begins with http://"
                ),
            ),
            Flaw::Expired { today } => advice(
                Topic::CertificateExpired,
                format!("renew the server's certificate, or correct this machine's clock, which says {today}"),
            ),
            Flaw::Name => advice(
                Topic::CertificateName,
                format!(
                    "write a name of the certificate into {address}, or get a certificate for {host}; a CA file doesn't help"
                ),
            ),
            Flaw::Authority => advice(
                Topic::CertificateAuthority,
                format!(
                    "if the CA is your own, or that of a proxy that opens TLS, save its certificate as PEM and name the file as `{ca_file}`"
                ),
            ),
            Flaw::SelfSigned => advice(
                Topic::CertificateAuthority,
                format!("use a certificate of a CA, or save this one as PEM and name the file as `{ca_file}`"),
            ),
            Flaw::IsAuthority => advice(
                Topic::CertificateAuthority,
                format!("give the server a certificate for {host} that this CA issued; a CA file alone doesn't help"),
            ),
            Flaw::Other => {
                advice(Topic::Tls, "check the server's certificate and its versions of TLS, and proxies between")
            }
        }
    }

    /// Only an address of the same server is proposed: at any other one a sign-in page may wait for the key.
    fn of_redirect(self, moved: Option<&str>) -> Advice {
        let Server { which, address, .. } = self.server;
        let hint = match moved {
            Some(moved) => format!("write {moved} into {address}"),
            None => format!(
                "a sign-in page or another site answers in place of {which}: check {address}, and let this program's requests pass without a sign-in"
            ),
        };
        advice(Topic::Redirect, hint)
    }

    /// An answer that isn't JSON.
    fn of_text(self, html: bool, shown: &str) -> Advice {
        let address = &self.server.address;
        match html {
            true if self.server.which == Which::Okta && shown.contains("Activepieces") => self.of_wrong_server(),
            true => advice(
                Topic::WebPage,
                format!(
                    "check {address}: mostly it is a wrong base URL; a proxy's or a single sign-on's page is the other cause"
                ),
            ),
            false => advice(
                Topic::UnexpectedAnswer,
                format!("check {address}, and look for a proxy before the server that changes its answers"),
            ),
        }
    }

    fn of_answer(self, cause: &Cause) -> Advice {
        let Server { wait_variable, wait_is_limited, .. } = self.server;
        match cause {
            Cause::Timeout(_) if *wait_is_limited => {
                advice(Topic::Timeout, format!("raise or unset {wait_variable}, which shortened this wait"))
            }
            Cause::Timeout(_) => advice(
                Topic::Timeout,
                format!(
                    "look for a firewall or a proxy that holds the connection, or try again later; {wait_variable} can shorten this wait, and nothing lengthens it"
                ),
            ),
            Cause::Stalled(_) | Cause::Endless(_) if *wait_is_limited => {
                advice(Topic::ConnectionLost, format!("raise or unset {wait_variable}, which shortened this wait"))
            }
            Cause::Cut(text) if self.url.starts_with("http://") && text.contains("invalid HTTP") => advice(
                Topic::ConnectionLost,
                format!(
                    "what answers there isn't http: check the port in {}, and whether it begins with https://",
                    self.server.address
                ),
            ),
            Cause::Cut(_) if self.url.starts_with("http://") => advice(
                Topic::ConnectionLost,
                format!(
                    "look for a proxy or a firewall between that ends connections; if the server speaks TLS on this port, {} begins with https://",
                    self.server.address
                ),
            ),
            Cause::Cut(_) | Cause::Truncated(_) | Cause::Stalled(_) | Cause::Endless(_) => advice(
                Topic::ConnectionLost,
                "look for a proxy or a firewall between that ends connections, or try again later",
            ),
            Cause::Incomplete(_) | Cause::Oversized(_) | Cause::Slow(_) => {
                advice(Topic::UnexpectedAnswer, "look for a proxy before the server that changes its answers")
            }
            Cause::Unreadable(_) => advice(
                Topic::UnexpectedAnswer,
                "look for a proxy that changes answers; if there is none, this version does not know the server's version",
            ),
            Cause::NotRecorded => advice(
                Topic::NotInSnapshot,
                "the config asks for what the snapshot doesn't hold: export a new one with this config",
            ),
            Cause::OtherHost { .. } | Cause::Unaskable | Cause::Invalid(_) => (Topic::BadRequest, Vec::new()),
            _ => advice(
                Topic::UnexpectedAnswer,
                "run it again; if this happens again, look for a proxy before the server that changes its answers",
            ),
        }
    }

    fn of_status(self, status: u16, body: &ErrorBody) -> Advice {
        let code = body.code.as_deref().unwrap_or_default();
        match self.server.which {
            Which::Activepieces if is_oktas(code) => return self.of_wrong_server(),
            Which::Okta if ACTIVEPIECES_CODES.contains(&code) => return self.of_wrong_server(),
            _ => {}
        }
        self.of_okta(status, body).or_else(|| self.of_activepieces(status, code)).unwrap_or_else(|| self.of_any(status))
    }

    fn of_wrong_server(self) -> Advice {
        let Server { which, address, other_address, .. } = self.server;
        let found = if *which == Which::Okta { "an Activepieces platform" } else { "an Okta org" };
        let hint = format!(
            "what answers there is {found}: correct {address}, and check that it isn't swapped with {other_address}"
        );
        advice(Topic::WrongServer, hint)
    }

    /// What a code of Okta or of OAuth means.
    fn of_okta(self, status: u16, body: &ErrorBody) -> Option<Advice> {
        Some(match (status, body.code.as_deref()?) {
            (_, "E0000011" | "E0000004") if self.server.is_service_app => advice(
                Topic::OktaServiceApp,
                format!(
                    "the org refused a token that it has just granted: check that {} is the org itself, that the app is active, and that no proxy changes headers",
                    self.server.address
                ),
            ),
            (_, "E0000011" | "E0000004") => {
                let why =
                    "is mistyped, expired or revoked; a token expires after 30 days without use, and with its user";
                (Topic::OktaToken, self.of_credentials(why))
            }
            (_, "E0000006") => advice(Topic::OktaRights, self.right()),
            (_, "insufficient_scope") => advice(Topic::OktaScopes, self.missing_scope()),
            (_, "invalid_scope") => advice(Topic::OktaScopes, self.all_scopes()),
            (_, "invalid_client" | "unauthorized_client" | "access_denied") => {
                let hint = "client_id, key_id and the key file must be those of one service app, which has the public key and is active";
                let is_of_time =
                    ["expire", "issued", "in the future", "clock"].iter().any(|word| body.message.contains(word));
                let clock =
                    is_of_time.then(|| "Okta's message is about the time: check this machine's clock".to_owned());
                (Topic::OktaServiceApp, clock.into_iter().chain([hint.to_owned()]).collect())
            }
            (_, "invalid_dpop_proof" | "use_dpop_nonce") => advice(
                Topic::OktaProof,
                "the org refused the proof of the token's key; check this machine's clock, and that no proxy changes headers",
            ),
            (401, "E0000015") => {
                advice(Topic::OktaFeature, "the org doesn't have this feature; the token is not the cause")
            }
            (_, "E0000015") => {
                advice(Topic::OktaFeature, format!("{}, or the org doesn't have this feature", self.right()))
            }
            (404, "E0000007") => advice(Topic::NotFound, "it was deleted in Okta meanwhile; run it again"),
            _ => return None,
        })
    }

    fn of_activepieces(self, status: u16, code: &str) -> Option<Advice> {
        let Server { credentials, remark, .. } = self.server;
        Some(match (status, code) {
            (_, "AUTHENTICATION") => (Topic::ApiKey, self.of_credentials("is unknown or was deleted")),
            (_, "AUTHORIZATION" | "INVALID_BEARER_TOKEN") => match remark {
                Some(remark) => {
                    advice(Topic::ApiKeyRights, format!("{remark}: use an API key of the platform, not a user's token"))
                }
                None => advice(
                    Topic::ApiKeyRights,
                    format!(
                        "{credentials} has the form of a platform's API key, and this route is refused to it: make a new key under Platform admin → Security → API keys, and look for a proxy that guards this path"
                    ),
                ),
            },
            (402, _) => advice(
                Topic::PlatformPlan,
                "the platform's plan doesn't include this feature: see Platform admin → Billing, or ask the operator of the platform",
            ),
            _ => return None,
        })
    }

    /// What a status means without a code that says more.
    fn of_any(self, status: u16) -> Advice {
        let Server { which, address, .. } = self.server;
        match status {
            401 => (Topic::AccessDenied, self.of_credentials("was refused by the server, or by a proxy before it")),
            403 if *which == Which::Okta => advice(Topic::AccessDenied, self.right()),
            403 => advice(
                Topic::AccessDenied,
                "the server, or a proxy before it, refused the credentials or this machine's address",
            ),
            404 => advice(
                Topic::NotFound,
                format!("check {address}: the server doesn't know this path, or this org or platform doesn't exist"),
            ),
            407 => advice(Topic::ProxyLogin, "write the login into HTTP_PROXY: http://USER:PASSWORD@HOST:PORT"),
            429 => advice(
                Topic::RateLimit,
                "others use up the rate limit; try again later, or give this program a larger share (`okta.rate_limit_share`)",
            ),
            502..=504 => advice(
                Topic::ServerTrouble,
                format!("{which}, or a proxy before it, is overloaded or in maintenance: try again later"),
            ),
            408 | 500..=599 => advice(
                Topic::ServerTrouble,
                format!(
                    "{which} failed over this request: try again later, and then look at its log or ask its support"
                ),
            ),
            _ => (Topic::UnexpectedAnswer, Vec::new()),
        }
    }

    /// What is wrong with the credentials, and what is odd about them.
    fn of_credentials(self, why: &str) -> Vec<String> {
        let Server { credentials, remark, .. } = self.server;
        std::iter::once(format!("{credentials} {why}")).chain(remark.clone()).collect()
    }

    /// The right that this request needs, and which key of the config is why.
    fn right(self) -> String {
        let zone = "; a network zone of the org that refuses this machine is the other cause";
        let Some((scope, keys)) = self.scope() else {
            return format!("the token's user, or the service app, lacks an admin role or a scope for this{zone}");
        };
        let what = scope.trim_start_matches("okta.").trim_end_matches(".read");
        let right = if self.server.is_service_app {
            format!("give the service app the scope {scope} and the role Read-only Administrator")
        } else {
            format!("give the token's user a role that reads {what}, such as Read-only Administrator")
        };
        format!("{right}, as {keys} needs it{zone}")
    }

    fn missing_scope(self) -> String {
        match self.scope() {
            Some((scope, keys)) => format!(
                "grant the service app {scope} under Okta API Scopes in its settings, as {keys} needs it; `okta.scopes`, if it is set, has to name it too"
            ),
            None => "grant the service app the scope under Okta API Scopes in its settings; `okta.scopes`, if it is set, has to name it too".to_owned(),
        }
    }

    fn all_scopes(self) -> String {
        let asked: Vec<String> = self.server.scopes.iter().map(|(scope, keys)| format!("{scope} for {keys}")).collect();
        format!(
            "grant the service app each of these scopes under Okta API Scopes in its settings (Okta doesn't say which one is missing): {}",
            asked.join(", ")
        )
    }

    /// The scope that the route needs, and the keys of the config that ask for it.
    fn scope(self) -> Option<(&'static str, String)> {
        let path = self.url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))?;
        let scope = (self.server.scope_of)(path)?;
        let keys = self.server.scopes.iter().find(|(name, _)| name == scope).map(|(_, keys)| keys.clone());
        Some((scope, keys.unwrap_or_else(|| "this config".to_owned())))
    }

    fn host(self) -> String {
        host_in(self.url).rsplit_once(':').map_or_else(|| host_in(self.url), |(host, _)| host).to_owned()
    }
}

/// Whether a code is one of Okta's: `E0000011`.
fn is_oktas(code: &str) -> bool {
    code.strip_prefix('E').is_some_and(|digits| digits.len() == 7 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The host in a URL, with its port.
pub(super) fn host_in(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn server(which: Which) -> Server {
        let [okta, activepieces] = ["okta.org_url (config.toml:2)", "activepieces.url (config.toml:5)"];
        let (address, other) = if which == Which::Okta { (okta, activepieces) } else { (activepieces, okta) };
        Server { which, address: address.to_owned(), other_address: other.to_owned(), ..Server::default() }
    }

    fn told(server: &Server, path: &str, cause: &Cause) -> (Topic, String) {
        let url = format!("https://host.example.com:8443{path}");
        let (topic, hints) = Failed { server, url: &url, cause, in_trouble: false }.advice();
        (topic, hints.join("; "))
    }

    fn status(status: u16, body: &str) -> Cause {
        Cause::Status { status: StatusCode::from_u16(status).unwrap(), body: Box::new(ErrorBody::parse(body)) }
    }

    #[test]
    fn an_answer_of_the_other_server_is_a_wrong_address_and_no_wrong_secret() {
        let (okta, activepieces) = (server(Which::Okta), server(Which::Activepieces));
        let invalid_token = status(401, r#"{"errorCode":"E0000011","errorSummary":"Invalid token provided"}"#);
        let (topic, hint) = told(&activepieces, "/api/v1/scim", &invalid_token);
        assert_eq!(topic, Topic::WrongServer);
        assert!(hint.contains("is an Okta org: correct activepieces.url (config.toml:5)"), "{hint}");
        assert!(hint.contains("swapped with okta.org_url (config.toml:2)"), "{hint}");
        assert_eq!(told(&okta, "/api/v1/users", &invalid_token).0, Topic::OktaToken);
        let invalid_key = status(401, r#"{"code":"AUTHENTICATION","params":{"message":"invalid api key"}}"#);
        assert_eq!(told(&activepieces, "/api/v1/scim", &invalid_key).0, Topic::ApiKey);
        let (topic, hint) = told(&okta, "/api/v1/users", &invalid_key);
        assert!(
            topic == Topic::WrongServer && hint.contains("an Activepieces platform: correct okta.org_url"),
            "{hint}"
        );
        let page = |title: &str| Cause::not_json(StatusCode::OK, &format!("<!doctype html><title>{title}</title>"));
        assert_eq!(told(&okta, "/", &page("Activepieces")).0, Topic::WrongServer);
        assert_eq!(told(&okta, "/", &page("Sign in")).0, Topic::WebPage);
    }

    #[test]
    fn a_refused_request_names_the_right_and_the_key_that_needs_it() {
        let scopes = vec![("okta.apps.read".to_owned(), "[scope] app".to_owned())];
        let scope_of: fn(&str) -> Option<&'static str> =
            |path| path.starts_with("/api/v1/apps").then_some("okta.apps.read");
        let token = Server { scopes, scope_of, ..server(Which::Okta) };
        let app = Server { is_service_app: true, ..token.clone() };
        let refused = status(403, r#"{"errorCode":"E0000006"}"#);
        let (topic, hint) = told(&token, "/api/v1/apps", &refused);
        assert_eq!(topic, Topic::OktaRights);
        assert!(hint.contains("a role that reads apps") && hint.contains("as [scope] app needs it"), "{hint}");
        assert!(told(&app, "/api/v1/apps", &refused).1.contains("the scope okta.apps.read"));
        assert!(told(&app, "/api/v1/other", &refused).1.contains("lacks an admin role"));
        let (topic, hint) = told(&app, "/api/v1/apps", &status(401, r#"{"errorCode":"E0000011"}"#));
        assert!(topic == Topic::OktaServiceApp && !hint.contains("mistyped"), "{hint}");
        let unscoped = status(400, r#"{"error":"invalid_scope","error_description":"x"}"#);
        assert!(told(&app, "/oauth2/v1/token", &unscoped).1.contains("okta.apps.read for [scope] app"));
    }

    #[test]
    fn only_an_address_of_the_same_server_is_proposed() {
        let redirect = |moved: Option<&str>| Cause::Redirect {
            status: StatusCode::FOUND,
            location: "https://login.example.com/sso".to_owned(),
            moved: moved.map(str::to_owned),
        };
        let okta = server(Which::Okta);
        let (_, hint) = told(&okta, "/", &redirect(None));
        assert!(hint.contains("a sign-in page") && !hint.contains("login.example.com"), "{hint}");
        let (_, hint) = told(&okta, "/", &redirect(Some("https://host.example.com")));
        assert_eq!(hint, "write https://host.example.com into okta.org_url (config.toml:2)");
    }

    #[test]
    fn a_connection_that_ends_before_the_answer_may_be_one_that_wants_tls() {
        let cut = Cause::Cut("connection closed".to_owned());
        let okta = server(Which::Okta);
        let hint = |url| Failed { server: &okta, url, cause: &cut, in_trouble: false }.advice().1.join("; ");
        assert!(hint("http://127.0.0.1:443/x").contains("okta.org_url (config.toml:2) begins with https://"));
        assert!(!hint("https://127.0.0.1/x").contains("begins with"));
    }

    #[test]
    fn an_odd_secret_is_remarked_and_not_shown() {
        let remark = Some("it has 12 characters, and Okta's API tokens have 42".to_owned());
        let credentials = "the token in environment variable `OKTA_API_TOKEN`".to_owned();
        let okta = Server { credentials, remark, ..server(Which::Okta) };
        let (_, hint) = told(&okta, "/api/v1/users", &status(401, r#"{"errorCode":"E0000011"}"#));
        assert!(hint.starts_with("the token in environment variable `OKTA_API_TOKEN` is mistyped"), "{hint}");
        assert!(hint.ends_with("it has 12 characters, and Okta's API tokens have 42"), "{hint}");
    }

    #[test]
    fn codes_of_okta_are_known() {
        assert!(is_oktas("E0000011") && !is_oktas("ESOCKET") && !is_oktas("E00011") && !is_oktas(""));
    }
}
