//! The addresses of both servers: cleaned of pasted paths and queries, and refused if they are not usable.

use std::net::IpAddr;

use reqwest::Url;

/// Why an address can't be used, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UrlFault {
    pub(super) message: String,
    pub(super) help: String,
}

/// Okta's own domains, where the admin console has a host of its own next to the org's.
const OKTA_DOMAINS: [&str; 5] = [".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com", ".okta.mil"];

/// What may follow the base URL of an Activepieces platform: its SCIM base URL, or parts of it.
const ACTIVEPIECES_PATHS: [&str; 4] = ["/api/v1/scim/v2", "/api/v1/scim", "/api/v1", "/api"];

/// Marks of an address that was not filled in: the placeholders of both products' manuals.
const PLACEHOLDERS: [&str; 7] = ["{", "}", "<", ">", "youroktadomain", "your-okta-domain", "your-activepieces-domain"];

/// An Okta org's URL, with `/` as its path, and a warning if it is not the given host.
pub(super) fn okta(text: &str, allow_insecure: bool) -> Result<(Url, Option<String>), UrlFault> {
    let mut url = server(text, allow_insecure, "https://example.okta.com")?;
    url.set_path("/");
    let host = url.host_str().unwrap_or_default().to_owned();
    let Some(org) = OKTA_DOMAINS.iter().find_map(|domain| without_admin(&host, domain)) else {
        return Ok((url, None));
    };
    url.set_host(Some(&org)).map_err(|error| UrlFault::new(format!("`{org}` is not a host: {error}"), ""))?;
    Ok((url, Some(format!("`{host}` is the admin console; the org is at `https://{org}/`, which is used instead"))))
}

fn without_admin(host: &str, domain: &str) -> Option<String> {
    let org = host.strip_suffix(domain)?.strip_suffix("-admin")?;
    (!org.is_empty()).then(|| format!("{org}{domain}"))
}

/// The base URL of an Activepieces platform, from itself or from its SCIM base URL; its path ends in `/`.
pub(super) fn activepieces(text: &str, allow_insecure: bool) -> Result<Url, UrlFault> {
    let mut url = server(text, allow_insecure, "https://activepieces.example.com")?;
    let path = url.path().trim_end_matches('/').to_owned();
    let base = ACTIVEPIECES_PATHS.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(&path);
    url.set_path(&format!("{}/", base.trim_end_matches('/')));
    Ok(url)
}

/// The checks of both addresses: a host, reached over https, without credentials, query and fragment.
fn server(text: &str, allow_insecure: bool, example: &str) -> Result<Url, UrlFault> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    if text.is_empty() {
        return Err(UrlFault::new("the address is empty", format!("write for example {example}")));
    }
    if PLACEHOLDERS.iter().any(|mark| lower.contains(mark)) {
        return Err(UrlFault::new("the address is still a placeholder", format!("write your own, such as {example}")));
    }
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    let mut url = url.map_err(|error| {
        UrlFault::new(format!("this is not an address: {error}"), format!("write for example {example}"))
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlFault::new(
            "a user name or password can't be part of the address",
            "remove the part before the `@`",
        ));
    }
    secure(&url, allow_insecure)?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn secure(url: &Url, allow_insecure: bool) -> Result<(), UrlFault> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if allow_insecure || is_loopback(url) => Ok(()),
        "http" => Err(UrlFault::new(
            "plain http would show the token to everyone on the network",
            "write https, or add `allow_insecure = true` here if that is what you want",
        )),
        scheme => Err(UrlFault::new(format!("the scheme `{scheme}` is not supported"), "write https")),
    }
}

/// An address that is a secret itself, as that of a webhook. The error doesn't show it.
pub fn secret(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "is not an address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or a password before its host");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("is one of plain http, which everyone on the network can read"),
        _ => Err("doesn't start with https://"),
    }
}

/// Whether a URL leads to this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

impl UrlFault {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(text: &str) -> String {
        okta(text, false).unwrap().0.to_string()
    }

    fn platform(text: &str) -> String {
        activepieces(text, false).unwrap().to_string()
    }

    fn refusal(text: &str) -> String {
        okta(text, false).unwrap_err().message
    }

    #[test]
    fn an_org_url_is_cleaned() {
        for text in [
            "https://example.okta.com",
            " https://example.okta.com/ ",
            "example.okta.com",
            "https://EXAMPLE.okta.com/app/UserHome?from=login#x",
        ] {
            assert_eq!(org(text), "https://example.okta.com/");
        }
        assert_eq!(org("id.example.org:8443"), "https://id.example.org:8443/");
    }

    #[test]
    fn an_admin_host_becomes_the_orgs_with_a_warning() {
        for domain in OKTA_DOMAINS {
            let (url, warning) = okta(&format!("https://acme-admin{domain}/admin/users"), false).unwrap();
            assert_eq!(url.as_str(), format!("https://acme{domain}/"));
            assert!(warning.unwrap().contains("admin console"));
        }
        assert_eq!(okta("https://acme-admin.example.com", false).unwrap().1, None);
        assert_eq!(org("https://sso-admin.example.com"), "https://sso-admin.example.com/");
        assert_eq!(org("https://-admin.example.com"), "https://-admin.example.com/");
    }

    #[test]
    fn placeholders_are_refused() {
        for text in ["https://{yourOktaDomain}", "https://yourOktaDomain", "https://<org>.okta.com"] {
            assert_eq!(refusal(text), "the address is still a placeholder");
        }
        assert!(activepieces("https://your-activepieces-domain/api/v1/scim/v2", false).is_err());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert_eq!(refusal("  "), "the address is empty");
        assert_eq!(refusal("ftp://example.okta.com"), "the scheme `ftp` is not supported");
        assert_eq!(refusal("https://"), "this is not an address: empty host");
        assert!(refusal("https://admin:hunter2@example.okta.com").contains("user name or password"));
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_allowed() {
        for host in ["localhost:1", "127.0.0.1:8080", "127.9.9.9", "[::1]:80"] {
            assert!(okta(&format!("http://{host}"), false).is_ok(), "{host}");
            assert!(activepieces(&format!("http://{host}"), false).is_ok(), "{host}");
        }
        for host in ["example.okta.com", "localhost.example.com", "10.0.0.1", "[::2]", "127.0.0.1.example.com"] {
            assert!(refusal(&format!("http://{host}")).contains("plain http"), "{host}");
            assert!(okta(&format!("http://{host}"), true).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_secret_address_is_https_and_in_no_error() {
        for good in ["https://hooks.slack.com/services/T0/B0/x", "http://127.0.0.1:9/x?y=z", "http://localhost/x"] {
            assert_eq!(secret(good).unwrap().as_str(), good);
        }
        for wrong in
            ["", "hooks.slack.com/s3cret", "http://hooks.slack.com/s3cret", "ftp://x/s3cret", "https://a:s3cret@x"]
        {
            assert!(!secret(wrong).unwrap_err().contains("s3cret"), "{wrong}");
        }
    }

    #[test]
    fn a_platform_is_known_by_its_base_or_its_scim_base_url() {
        for end in ["", "/", "/api", "/api/", "/api/v1", "/api/v1/scim", "/api/v1/scim/v2", "/api/v1/scim/v2/?x=1#y"] {
            assert_eq!(platform(&format!("https://ap.example.com{end}")), "https://ap.example.com/");
            assert_eq!(platform(&format!("ap.example.com:8443/flows{end}")), "https://ap.example.com:8443/flows/");
        }
        assert_eq!(platform("https://ap.example.com/myapi"), "https://ap.example.com/myapi/");
    }
}
