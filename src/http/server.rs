//! What messages say about the server of a client: which of the two it is, where the config has its address, and who asks.

use std::ffi::OsStr;
use std::fmt;

use reqwest::Url;

/// One of the two servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    #[default]
    Unnamed,
    Okta,
    Activepieces,
}

/// What the messages about a server's failures name.
#[derive(Clone, Debug)]
pub struct Server {
    pub which: Which,
    /// The key with its address, and its place: `okta.org_url (config.toml:2)`.
    pub address: String,
    /// The key with the address of the other server, and its place.
    pub other_address: String,
    /// The credentials and their source: ``the token in environment variable `OKTA_API_TOKEN` ``.
    pub credentials: String,
    /// What is odd about the credentials, without showing them.
    pub remark: Option<String>,
    /// Whether the credentials are those of a service app.
    pub is_service_app: bool,
    /// The scopes that this config needs, each with the keys that ask for it.
    pub scopes: Vec<(String, String)>,
    /// The scope that a route needs.
    pub scope_of: fn(&str) -> Option<&'static str>,
    /// The variable that shortens the waits, and whether it is set.
    pub wait_variable: &'static str,
    pub wait_is_limited: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            which: Which::Unnamed,
            address: "the URL".to_owned(),
            other_address: String::new(),
            credentials: "the token or key".to_owned(),
            remark: None,
            is_service_app: false,
            scopes: Vec::new(),
            scope_of: |_| None,
            wait_variable: "the limit of waits",
            wait_is_limited: false,
        }
    }
}

impl Server {
    /// The key that names the CAs of this server.
    pub(super) fn ca_file(&self) -> &'static str {
        match self.which {
            Which::Unnamed => "ca_file",
            Which::Okta => "okta.ca_file",
            Which::Activepieces => "activepieces.ca_file",
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unnamed => "the server",
            Self::Okta => "Okta",
            Self::Activepieces => "Activepieces",
        })
    }
}

/// A proxy as messages name it: without the login that its URL may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyName {
    pub variable: &'static str,
    /// `proxy.example.com:3128`
    pub address: String,
    /// Whether the variable holds a login.
    pub has_login: bool,
}

impl ProxyName {
    /// The name of the proxy of this variable; none where its value isn't a URL.
    pub(super) fn of(variable: &'static str, value: &OsStr) -> Option<Self> {
        let url = proxy_url(value)?;
        let has_login = !url.username().is_empty() || url.password().is_some();
        Some(Self { variable, address: host_and_port(&url), has_login })
    }

    /// The address without its port.
    pub(super) fn host(&self) -> &str {
        let port = self.address.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        port.map_or(&self.address, |(host, _)| host)
    }
}

impl fmt::Display for ProxyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the proxy {} ({})", self.address, self.variable)
    }
}

/// The URL in a proxy's variable, which may lack its scheme.
pub(super) fn proxy_url(value: &OsStr) -> Option<Url> {
    let text = value.to_str()?;
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    Url::parse(&text).ok()
}

/// `example.okta.com`, or with the port where it's an unusual one.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_login() {
        let name = |value: &str| ProxyName::of("HTTPS_PROXY", OsStr::new(value)).unwrap();
        let with_login = name("http://somebody:s3cret@proxy.example.com:3128");
        assert_eq!(with_login.to_string(), "the proxy proxy.example.com:3128 (HTTPS_PROXY)");
        assert!(with_login.has_login && !name("proxy.example.com:3128").has_login);
        assert!(!format!("{with_login:?}").contains("s3cret"));
    }
}
