//! The names of errors: printed in brackets, part of JSON, and headings of docs/troubleshooting.md.

use std::fmt;

/// Defines the names, the list of all, and the text of each.
macro_rules! topics {
    ($($(#[$doc:meta])* $topic:ident = $name:literal,)*) => {
        /// What an error is about. Each name is a heading of docs/troubleshooting.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Topic {
            $($(#[$doc])* $topic,)*
        }

        impl Topic {
            pub const ALL: &[Self] = &[$(Self::$topic,)*];

            /// The name as texts, JSON and the documentation have it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$topic => $name,)*
                }
            }
        }
    };
}

topics! {
    /// The server's port takes no connection.
    NoConnection = "no_connection",
    /// The host name isn't in DNS.
    Dns = "dns",
    /// The proxy isn't reached, or doesn't connect to the server.
    Proxy = "proxy",
    /// The proxy asks for a login.
    ProxyLogin = "proxy_login",
    /// https to a port that doesn't speak TLS.
    NoTls = "no_tls",
    CertificateExpired = "certificate_expired",
    CertificateName = "certificate_name",
    /// Issued by a CA that this machine doesn't trust.
    CertificateAuthority = "certificate_authority",
    /// Any other fault of the secure connection.
    Tls = "tls",
    /// No answer in time.
    Timeout = "timeout",
    /// The connection or the answer broke off.
    ConnectionLost = "connection_lost",
    Redirect = "redirect",
    /// A web page in place of JSON.
    WebPage = "web_page",
    /// The address of Okta is one of Activepieces, or the reverse.
    WrongServer = "wrong_server",
    /// Okta doesn't accept the API token.
    OktaToken = "okta_token",
    /// Okta doesn't accept the service app or its key.
    OktaServiceApp = "okta_service_app",
    /// Okta doesn't grant the scopes.
    OktaScopes = "okta_scopes",
    /// The token's user or the service app may not do this.
    OktaRights = "okta_rights",
    /// Okta doesn't accept the proof of the token's key (DPoP).
    OktaProof = "okta_proof",
    /// The org doesn't have this feature.
    OktaFeature = "okta_feature",
    /// Activepieces doesn't accept the API key.
    ApiKey = "api_key",
    /// The API key may not do this.
    ApiKeyRights = "api_key_rights",
    /// The platform's plan doesn't include this.
    PlatformPlan = "platform_plan",
    /// A 401 or 403 that doesn't say more.
    AccessDenied = "access_denied",
    /// A path, or an entity, that the server doesn't know.
    NotFound = "not_found",
    RateLimit = "rate_limit",
    /// The server is overloaded, in maintenance, or has an error.
    ServerTrouble = "server_trouble",
    /// An answer that isn't what the route always answers.
    UnexpectedAnswer = "unexpected_answer",
    /// A request that can't be sent.
    BadRequest = "bad_request",
    NotInSnapshot = "not_in_snapshot",
    /// A secret that can't be read or isn't one.
    Secret = "secret",
    CaFile = "ca_file",
    /// `OKTAPIECES_TIMEOUT`
    WaitLimit = "wait_limit",
    Expression = "expression",
    /// A name in the config that isn't in Okta or on the platform.
    UnknownName = "unknown_name",
    /// Any other mistake in the config.
    Config = "config",
    Usage = "usage",
    Locked = "locked",
    SourceNotTrusted = "source_not_trusted",
    Refused = "refused",
    /// Some users or projects were left alone or failed.
    LeftAlone = "left_alone",
    Interrupted = "interrupted",
    /// Anything that has no name of its own.
    Failed = "failed",
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
