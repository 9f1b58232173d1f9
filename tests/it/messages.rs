//! Broken set-ups: each message says what is wrong and what to do, and none says what would lead the admin astray.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use futures_util::stream::{self, StreamExt};
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use tokio::net::TcpListener;

use crate::access::{service_app, without_token};
use crate::support::{Outcome, Stage, run};
use crate::tls::{Authority, front};
use crate::transport::{Wire, closed_port};

const SMALL: Shape = Shape::Generated { users: 49, groups: 2, members: 3, existing: 0.5, drift: 0.5, seed: 1 };
/// What the libraries say, and no admin has use for.
const NOISE: [&str; 8] = [
    "os error",
    "client error",
    "tcp connect",
    "tunnel error",
    "InvalidContentType",
    "UnknownIssuer",
    "CaUsedAsEndEntity",
    "(UNIX)",
];

/// What a server does in place of answering.
enum Break {
    /// The config has this instead of the URL.
    Url(&'static str),
    /// No port listens.
    Closed,
    /// A status line, headers and a body, to every request.
    Answer(&'static str, &'static str),
    /// A listener that never answers.
    Silent,
    /// https to a port of plain http.
    PlainPort,
    /// A certificate of this name, until the end of that year, of a CA that the config trusts.
    Certificate(&'static str, i32),
    /// A good certificate of a CA that it doesn't trust.
    OtherAuthority,
    /// The CA's own certificate.
    Authority,
    /// A 403 to each path that begins like this.
    Forbidden(&'static str),
    /// The config has the second text in place of the first.
    Config(&'static str, &'static str),
    /// The environment has this variable.
    Variable(&'static str, &'static str),
    /// A proxy that gives this answer to each request for a connection; none where no port listens.
    Proxy(Option<&'static str>),
    /// A proxy that takes the request and never answers.
    SilentProxy,
    /// None of the variables with the secrets is there.
    NoSecrets,
}

use Break::{Answer, Certificate, Closed, Config, Forbidden, PlainPort, Silent, Url, Variable};

/// Which server is broken; what has to be said, and what must not.
struct Case {
    okta: bool,
    broken: Break,
    says: &'static [&'static str],
    never: &'static [&'static str],
}

fn okta(broken: Break, says: &'static [&'static str], never: &'static [&'static str]) -> Case {
    Case { okta: true, broken, says, never }
}

fn activepieces(broken: Break, says: &'static [&'static str], never: &'static [&'static str]) -> Case {
    Case { okta: false, broken, says, never }
}

const OK: &str = "200 OK\r\ncontent-type: text/html";
const LOGIN: &str = "<!doctype html><html><head><title>Sign in to Example</title></head><body>x</body></html>";

fn connections() -> Vec<Case> {
    vec![
        okta(
            Closed,
            &[
                "Okta at 127.0.0.1:",
                "refused the connection",
                "3 attempts",
                "okta.org_url (config.toml:",
                "[no_connection]",
            ],
            &["activepieces.url (config"],
        ),
        okta(
            Url("https://nowhere.invalid"),
            &["can't be found: the name nowhere.invalid", "the host name in okta.org_url (config.toml:", "[dns]"],
            &["refused"],
        ),
        okta(PlainPort, &["doesn't speak TLS on this port", "http://", "[no_tls]"], &["certificate"]),
        okta(
            Certificate("127.0.0.1", 2021),
            &["expired on 2021-12-31", "days ago", "this machine's clock, which says 20", "[certificate_expired]"],
            &["ca_file`"],
        ),
        okta(
            Certificate("other.example.com", 2090),
            &["a certificate for other.example.com, not for 127.0.0.1", "[certificate_name]"],
            &["ca_file`", "DnsName"],
        ),
        activepieces(
            Break::OtherAuthority,
            &["issued by \"Example Root CA\"", "`activepieces.ca_file`", "[certificate_authority]"],
            &["okta.ca_file"],
        ),
        okta(
            Break::Authority,
            &["the self-signed certificate of the CA \"Example Root CA\"", "a certificate for 127.0.0.1"],
            &["name the file as"],
        ),
    ]
}

fn waits_and_proxies() -> Vec<Case> {
    vec![
        okta(Silent, &["got no answer within 1 s", "raise or unset OKTAPIECES_TIMEOUT", "[timeout]"], &[]),
        okta(
            Break::Proxy(Some("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")),
            &[
                "the proxy 127.0.0.1:",
                "(HTTPS_PROXY) wants a login (407",
                "correct the user name or the password in HTTPS_PROXY",
            ],
            &["s3cret", "attempts"],
        ),
        okta(
            Break::Proxy(None),
            &[
                "can't be reached: the proxy 127.0.0.1:",
                "(HTTPS_PROXY) refused the connection",
                "org.invalid to NO_PROXY",
            ],
            &["s3cret", "the port in okta.org_url"],
        ),
        okta(
            Break::Proxy(Some("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")),
            &["(HTTPS_PROXY) refused to connect to it", "[proxy]"],
            &["s3cret"],
        ),
        okta(
            Break::SilentProxy,
            &["accepted no connection within 1 s, or the proxy 127.0.0.1:", "(HTTPS_PROXY) made none"],
            &["s3cret"],
        ),
        okta(
            Variable("HTTPS_PROXY", "http://proxy.invalid:3128"),
            &["the proxy proxy.invalid:3128 (HTTPS_PROXY) isn't found: the name proxy.invalid doesn't exist"],
            &["the name proxy.invalid:3128"],
        ),
    ]
}

fn answers() -> Vec<Case> {
    vec![
        activepieces(
            Answer(OK, LOGIN),
            &[
                "with a web page instead of JSON: \"Sign in to Example\"",
                "check activepieces.url (config.toml:",
                "[web_page]",
            ],
            &["<!doctype", "<title"],
        ),
        okta(
            Answer("404 Not Found", "<html><head><title>404 Not Found</title></head></html>"),
            &["answered 404 Not Found: a web page: \"404 Not Found\"", "check okta.org_url", "[not_found]"],
            &["<html"],
        ),
        okta(
            Answer("302 Found\r\nlocation: https://login.example.com/sso", ""),
            &["a redirect to https://login.example.com/sso", "a sign-in page or another site", "without a sign-in"],
            &["into okta.org_url", "write http"],
        ),
        okta(
            Answer("301 Moved\r\nlocation: https://127.0.0.1/.well-known/okta-organization?x=1", ""),
            &["write https://127.0.0.1 into okta.org_url (config.toml:", "[redirect]"],
            &["sign-in"],
        ),
        activepieces(
            Answer("402 Payment Required", r#"{"code":"FEATURE_DISABLED","params":{"message":"SCIM is not enabled"}}"#),
            &["SCIM is not enabled", "Platform admin → Billing", "[platform_plan]"],
            &[],
        ),
        activepieces(
            Answer("503 Service Unavailable\r\nretry-after: 3600", "{}"),
            &["overloaded or in maintenance: try again later", "3600 s", "[server_trouble]"],
            &["API key"],
        ),
        activepieces(
            Answer("401 Unauthorized", r#"{"errorCode":"E0000011","errorSummary":"Invalid token provided"}"#),
            &["an Okta org: correct activepieces.url (config.toml:", "swapped with okta.org_url", "[wrong_server]"],
            &["mistyped"],
        ),
        activepieces(
            Forbidden("/api/v1/users"),
            &["has the form of a platform's API key, and this route is refused", "[api_key_rights]"],
            &["starting with sk-", "doesn't begin with"],
        ),
        okta(
            Forbidden("/api/v1/apps"),
            &["a role that reads apps, such as Read-only Administrator", "as [scope] app needs it", "[okta_rights]"],
            &["Okta token             GET"],
        ),
    ]
}

fn local() -> Vec<Case> {
    vec![
        okta(
            Variable("OKTA_API_TOKEN", "00notatoken"),
            &[
                "failed   Okta token ",
                "the token in environment variable `OKTA_API_TOKEN` is mistyped, expired or revoked",
                "it has 11 characters, and an API token of Okta has 42",
                "[okta_token]",
            ],
            &["00notatoken", "Okta rights: groups"],
        ),
        okta(Variable("OKTA_API_TOKEN", ""), &["is empty", "sudo and cron don't pass it on", "[secret]"], &[]),
        okta(
            Break::NoSecrets,
            &["`OKTA_API_TOKEN` is not set", "failed   Activepieces key ", "`ACTIVEPIECES_API_KEY` is not set"],
            &[],
        ),
        okta(
            Variable("OKTA_API_TOKEN", "export OKTA=00"),
            &["holds more than a token", "on one line and without quotes", "ok       Activepieces key"],
            &["export OKTA"],
        ),
        activepieces(
            Variable("ACTIVEPIECES_API_KEY", "sk-unknown"),
            &["the API key in environment variable `ACTIVEPIECES_API_KEY` is unknown or was deleted", "[api_key]"],
            &["sk-unknown", "Activepieces REST"],
        ),
        okta(
            Variable("OKTAPIECES_TIMEOUT", "3s"),
            &["failed   environment ", "OKTAPIECES_TIMEOUT=30", "[wait_limit]", "ok       Okta token"],
            &["failed   Okta token"],
        ),
        okta(
            Config("token_env", "ca_file = \"missing.pem\"\ntoken_env"),
            &["failed   Okta CA file ", "missing.pem", "[ca_file]", "ok       Okta token"],
            &["failed   Okta token"],
        ),
        okta(
            Config("token_env", "ca_file = \"config.toml\"\ntoken_env"),
            &["failed   Okta CA file ", "-----BEGIN CERTIFICATE-----"],
            &["failed   Okta token"],
        ),
    ]
}

fn config() -> Vec<Case> {
    vec![
        okta(
            Config("app = \"Activepieces\"", "app = \"Activepeices\""),
            &["config.toml:", "[scope] app: no app", "did you mean \"Activepieces\"?", "[scope_not_found]"],
            &["aren't in scope, and"],
        ),
        okta(
            Config("[attributes]", "[attributes]\nnickName = \"user.a == \"b\" ? 1 : 2\""),
            &["config.toml:", "between single quotes"],
            &[],
        ),
        okta(
            Config(
                "platformRole = ",
                "displayName = 'isMemberOfGroupName(\"AP Teem\") ? \"x\" : \"y\"'\nplatformRole = ",
            ),
            &["no user in scope is a member of the group \"AP Teem\"", "was renamed or deleted"],
            &[],
        ),
        okta(
            Config("platformRole = ", "platformRole = 'user.okta_role == \"a\" ? \"OWNER\" : \"MEMBER\"' # "),
            &["platformRole (config.toml:", "\"OWNER\" is not a role [expression]"],
            &["is not a role: \"OWNER\""],
        ),
        okta(
            Config("app = \"Activepieces\"", "app = \"0oaOfAnotherOrg00001\""),
            &["an id of another org isn't found here; the org has \"", "\"Activepieces\" (0oa"],
            &["did you mean"],
        ),
        okta(
            Config("[safety]", "[[projects]]\nmatch = \"^Nothing (.+)$\"\nname = \"$1\"\n\n[safety]"),
            &["this entry pushes no group, and projects that it once made aren't synced", "config.toml:"],
            &[],
        ),
        okta(
            Config(
                "[attributes]",
                "[attributes]\ndisplayName = '''user.a == \"b\" ? \"ADMIN : user.a == \"c\" ? \"X\" : \"Y\"'''",
            ),
            &["the string that begins here has no closing \"", "config.toml:"],
            &[],
        ),
        okta(
            Config("[attributes]", "[attributes]\ndisplayName = \"String.toTitle(user.firstName)\""),
            &["there is no function String.toTitle", "String has append, endsWith, join, len,"],
            &["a similar one"],
        ),
        okta(
            Config("[attributes]", "[attributes]\ndisplayName = \"String.substring(user.login, 0, 1000)\""),
            &["failed   expressions", "config.toml:", "users of 46: ", "more)", "[expression_failed]"],
            &["oktapieces plan names them"],
        ),
    ]
}

/// `check` on this machine with its set-up broken in one place.
async fn checked(case: &Case) -> Outcome {
    let mut stage = Stage::of(SMALL).await;
    let (mut extra, mut kept): (Vec<(&str, String)>, Option<TcpListener>) = (Vec::new(), None);
    let url = if case.okta { stage.sandbox.okta_url() } else { stage.sandbox.activepieces_url() };
    let traffic = if case.okta { stage.sandbox.okta_traffic() } else { stage.sandbox.activepieces_traffic() };
    match &case.broken {
        Url(other) => stage.reconfigure(&url, other),
        Closed => stage.reconfigure(&url, &format!("http://127.0.0.1:{}", closed_port().await)),
        Answer(head, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            stage.reconfigure(&url, &format!("http://{}", Wire::answering(head).await.address));
        }
        Silent => {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            stage.reconfigure(&url, &format!("http://{}", listener.local_addr().unwrap()));
            (stage.patience, kept) = (Some("1"), Some(listener));
        }
        PlainPort => stage.reconfigure(&url, &url.replace("http://", "https://")),
        Certificate(name, until) => {
            let authority = Authority::new();
            std::fs::write(stage.folder().join("ca.pem"), &authority.pem).unwrap();
            stage.reconfigure("token_env", "ca_file = \"ca.pem\"\ntoken_env");
            stage.reconfigure(&url, &front(authority.server(name, *until), &url).await);
        }
        Break::OtherAuthority => {
            stage.reconfigure(&url, &front(Authority::new().server("127.0.0.1", 2090), &url).await);
        }
        Break::Authority => stage.reconfigure(&url, &front(Authority::new().itself(), &url).await),
        Forbidden(path) => traffic.fault(Fault {
            method: None,
            path: (*path).to_owned(),
            kind: FaultKind::Forbidden,
            after: 0,
            times: usize::MAX,
        }),
        Config(from, to) => stage.reconfigure(from, to),
        Variable(name, value) => {
            if *name == "HTTPS_PROXY" {
                stage.reconfigure(&url, "https://org.invalid");
            }
            extra.push((name, (*value).to_owned()));
        }
        Break::NoSecrets => {}
        Break::SilentProxy => {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            stage.reconfigure(&url, "https://org.invalid");
            extra.push(("HTTPS_PROXY", format!("http://somebody:s3cret@{}", listener.local_addr().unwrap())));
            (stage.patience, kept) = (Some("1"), Some(listener));
        }
        Break::Proxy(answer) => {
            stage.reconfigure(&url, "https://org.invalid");
            let address = match answer {
                Some(answer) => Wire::answering((*answer).to_owned()).await.address,
                None => format!("127.0.0.1:{}", closed_port().await),
            };
            extra.push(("HTTPS_PROXY", format!("http://somebody:s3cret@{address}")));
        }
    }
    let mut variables = vec![
        ("OKTA_API_TOKEN", stage.sandbox.okta_token()),
        ("ACTIVEPIECES_API_KEY", stage.sandbox.api_key().to_owned()),
    ];
    if matches!(case.broken, Break::NoSecrets) {
        variables.clear();
    }
    variables.extend(stage.patience.map(|seconds| ("OKTAPIECES_TIMEOUT", seconds.to_owned())));
    variables.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
    variables.extend(extra);
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let outcome = run(stage.folder(), &variables, &["check"]).await;
    drop(kept);
    outcome
}

async fn all_say_it(cases: Vec<Case>) {
    let wrong: Vec<String> = stream::iter(cases.iter().map(async |case| {
        let outcome = checked(case).await;
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        let missing: Vec<_> = case.says.iter().filter(|part| !text.contains(**part)).collect();
        let astray: Vec<_> = case.never.iter().chain(&NOISE).filter(|part| text.contains(**part)).collect();
        let is_well = missing.is_empty() && astray.is_empty();
        (!is_well).then(|| format!("lacks {missing:?} and must not have {astray:?}:\n{text}"))
    }))
    .buffered(3)
    .filter_map(std::future::ready)
    .collect()
    .await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn why_no_connection_is_made_is_told_in_words() {
    all_say_it(connections()).await;
    all_say_it(waits_and_proxies()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_use_is_told_by_the_server_that_gave_it() {
    all_say_it(answers()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_on_this_machine_and_in_the_config_has_its_place() {
    all_say_it(local()).await;
    all_say_it(config()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_addresses_that_are_swapped_are_named_and_the_secrets_are_not_blamed() {
    let stage = Stage::of(SMALL).await;
    let (okta, activepieces) = (stage.sandbox.okta_url(), stage.sandbox.activepieces_url());
    stage.reconfigure(&okta, "http://127.0.0.1:1");
    stage.reconfigure(&activepieces, &okta);
    stage.reconfigure("http://127.0.0.1:1", &activepieces);
    let checked = stage.run(&["check"]).await;
    let text = &checked.stdout;
    assert!(text.contains("an Activepieces platform: correct okta.org_url (config.toml:"), "{text}");
    assert!(text.contains("an Okta org: correct activepieces.url (config.toml:"), "{text}");
    assert!(!text.contains("mistyped") && !text.contains("was deleted"), "{text}");
    assert_eq!(text.matches("[wrong_server]").count(), 2, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_not_granted_is_named_with_the_keys_that_ask_for_it() {
    let stage = service_app(|app| app.scopes.retain(|scope| scope != "okta.groups.read")).await;
    for command in ["check", "plan"] {
        let refused = without_token(&stage, &[command]).await;
        let text = format!("{}{}", refused.stdout, refused.stderr);
        assert_eq!(refused.code, 4, "{text}");
        assert!(
            text.contains("okta.groups.read for every sync") && text.contains("okta.apps.read for [scope] app"),
            "{text}"
        );
        assert_eq!(text.matches("invalid_scope").count(), 1, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_by_minutes_is_a_warning() {
    let stage = Stage::of(SMALL).await;
    let said = async |command: &str| {
        let outcome = stage.run(&[command]).await;
        assert!(outcome.code == 0 || outcome.code == 3, "{outcome:#?}");
        format!("{}{}", outcome.stdout, outcome.stderr)
    };
    let warning = "this machine's clock is 60 minutes ahead of Okta's";
    for command in ["check", "plan"] {
        let text = said(command).await;
        assert!(!text.contains("this machine's clock"), "{text}");
    }
    stage.sandbox.org().shift_clock(-3600);
    for command in ["check", "plan"] {
        let text = said(command).await;
        assert!(text.contains(warning), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_has_its_name_in_text_and_in_json() {
    let stage = Stage::of(SMALL).await;
    stage.reconfigure(&stage.sandbox.okta_url(), "https://nowhere.invalid");
    let planned = stage.run(&["plan"]).await;
    let text = &planned.stderr;
    assert!(
        text.starts_with("error[dns]: ") && text.contains("Okta at nowhere.invalid can't be found"),
        "{planned:#?}"
    );
    let checked = stage.run(&["check", "--json"]).await.json();
    let kinds: Vec<_> = checked["lines"].as_array().unwrap().iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["dns"]);
}
