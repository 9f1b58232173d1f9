//! Metrics, the webhook and the heartbeat of runs.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::Value;

use crate::state::COMPANY;
use crate::support::{Outcome, Stage, run};

/// A service that hears of runs: its address, and each request as method, path with query, and body.
struct Service {
    url: String,
    heard: Arc<Mutex<Vec<(String, String, String)>>>,
}

/// Parts of an address that no output may show.
const SECRET: &str = "B0SECRETSECRETSECRET99";
const SHORT: &str = "q9Zt";

impl Service {
    async fn answering(status: StatusCode) -> Self {
        let heard: Arc<Mutex<Vec<(String, String, String)>>> = Arc::default();
        let all = Arc::clone(&heard);
        let handler = move |request: Request| {
            let all = Arc::clone(&all);
            async move { hear(request, &all, status).await }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/{SECRET}/{SHORT}?x=1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
        Self { url, heard }
    }

    /// What it heard since it was asked last.
    fn heard(&self) -> Vec<(String, String, String)> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// The only message since it was asked last.
    fn message(&self) -> Value {
        let heard = self.heard();
        assert_eq!(heard.len(), 1, "{heard:?}");
        let (method, path, body) = &heard[0];
        assert_eq!((method.as_str(), path.as_str()), ("POST", format!("/services/{SECRET}/{SHORT}?x=1").as_str()));
        serde_json::from_str(body).unwrap()
    }
}

async fn hear(request: Request, all: &Mutex<Vec<(String, String, String)>>, status: StatusCode) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().to_string());
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    all.lock().unwrap().push((method, path.clone(), String::from_utf8(body.to_vec()).unwrap()));
    (status, [(LOCATION, format!("http://127.0.0.1:1{path}"))], format!("cannot answer {path}")).into_response()
}

/// A company whose config has this section more.
async fn monitored(keys: &str) -> Stage {
    let stage = Stage::of(COMPANY).await;
    stage.reconfigure("[scope]", &format!("[monitoring]\n{keys}\n\n[scope]"));
    stage
}

/// Runs with these addresses in the environment.
async fn with(stage: &Stage, addresses: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let (token, key) = (stage.sandbox.okta_token(), stage.sandbox.api_key().to_owned());
    let secrets = [("OKTA_API_TOKEN", token.as_str()), ("ACTIVEPIECES_API_KEY", key.as_str())];
    let outcome = run(stage.folder(), &[&secrets, addresses].concat(), arguments).await;
    let told = format!("{outcome:?}");
    assert!([SECRET, SHORT, "services"].iter().all(|part| !told.contains(part)), "{outcome:#?}");
    outcome
}

/// A sample: its name, and its labels.
type Sample = (String, BTreeMap<String, String>);

/// The samples of a text in Prometheus's format, which is checked line by line.
fn samples(text: &str) -> BTreeMap<Sample, f64> {
    assert!(text.ends_with('\n'), "the last line needs its end");
    let name = regex::Regex::new(r"^[a-zA-Z_:][a-zA-Z0-9_:]*$").unwrap();
    let line = regex::Regex::new(r#"^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\S+)$"#).unwrap();
    let label = regex::Regex::new(r#"([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)""#).unwrap();
    let (mut found, mut typed, mut helped) = (BTreeMap::new(), Vec::new(), Vec::new());
    for text in text.lines() {
        if let Some(rest) = text.strip_prefix("# HELP ") {
            helped.push(rest.split_once(' ').unwrap().0.to_owned());
        } else if let Some(rest) = text.strip_prefix("# TYPE ") {
            let (metric, kind) = rest.split_once(' ').unwrap();
            assert!(name.is_match(metric) && kind == "gauge" && !typed.contains(&metric.to_owned()), "{text}");
            typed.push(metric.to_owned());
        } else {
            let parts = line.captures(text).unwrap_or_else(|| panic!("no sample: {text}"));
            assert_eq!(Some(&parts[1].to_owned()), typed.last(), "a sample follows its type");
            let labels: BTreeMap<_, _> =
                label.captures_iter(&parts[2]).map(|pair| (pair[1].to_owned(), pair[2].to_owned())).collect();
            let twice = found.insert((parts[1].to_owned(), labels), parts[3].parse().unwrap());
            assert_eq!(twice, None, "a sample stands once: {text}");
        }
    }
    assert_eq!(typed, helped);
    found
}

/// The value of the sample of this name whose labels include these.
fn value(samples: &BTreeMap<Sample, f64>, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let metric = format!("oktapieces_{metric}");
    let fits = |(name, found): &&Sample| {
        *name == metric && labels.iter().all(|(label, value)| found.get(*label).is_some_and(|found| found == value))
    };
    let found: Vec<_> = samples.keys().filter(fits).collect();
    assert!(found.len() < 2, "{found:?}");
    found.first().map(|sample| samples[*sample])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_run_replaces_its_metrics() {
    let stage = monitored("metrics_file = \"run.prom\"").await;
    let path = stage.folder().join("run.prom");
    let read = || samples(&std::fs::read_to_string(&path).unwrap());
    let plan = stage.plan().await;
    let planned = read();
    let create = plan["totals"]["create"].as_f64();
    assert_eq!(value(&planned, "planned_changes", &[("command", "plan"), ("kind", "create")]), create);
    assert_eq!(value(&planned, "done_changes", &[("kind", "create")]), Some(0.0));
    assert_eq!(value(&planned, "last_success_timestamp_seconds", &[("command", "apply")]), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "the collector is another user");
    }
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 0);
    let applied = read();
    let apply = ("command", "apply");
    assert_eq!(value(&applied, "done_changes", &[apply, ("kind", "create")]), create);
    assert_eq!(value(&applied, "last_run_outcome", &[apply, ("outcome", "done")]), Some(1.0));
    assert_eq!(value(&applied, "operations", &[apply, ("state", "failed")]), Some(0.0));
    assert_eq!(value(&applied, "users_in_scope", &[apply]), plan["standing"]["in_scope"].as_f64());
    assert!(value(&applied, "last_run_requests", &[apply]) > Some(10.0));
    assert!(value(&applied, "last_run_duration_seconds", &[apply]) > Some(0.0));
    let success = value(&applied, "last_success_timestamp_seconds", &[apply]).unwrap();
    assert!(success <= value(&applied, "last_run_timestamp_seconds", &[apply]).unwrap() + 1.0);
    stage.sandbox.org().set_profile(&stage.people()[0], "email", "bob".into());
    stage.run(&["apply", "--yes"]).await;
    assert_eq!(value(&read(), "problems", &[apply, ("state", "new")]), Some(1.0));
    stage.run(&["apply", "--yes"]).await;
    assert_eq!(value(&read(), "problems", &[apply, ("state", "known")]), Some(1.0));
    let path = "/api/v1/apps".to_owned();
    let fault = Fault { method: None, path, kind: FaultKind::Html, after: 0, times: usize::MAX };
    stage.sandbox.okta_traffic().fault(fault);
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 1);
    let failed = read();
    assert_eq!(value(&failed, "last_run_outcome", &[apply, ("outcome", "failed")]), Some(1.0));
    assert_eq!(value(&failed, "last_run_exit_code", &[apply]), Some(1.0));
    assert!(value(&failed, "last_success_timestamp_seconds", &[apply]) > Some(success - 1.0), "the last one counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_cannot_be_written_are_a_warning() {
    let stage = monitored("metrics_file = \"nowhere/run.prom\"").await;
    let applied = stage.run(&["apply", "--yes", "--quiet"]).await;
    assert_eq!((applied.code, applied.stdout.lines().count()), (0, 1), "{applied:#?}");
    assert!(applied.stderr.lines().last().unwrap().starts_with("warning: no metrics: "), "{applied:#?}");
    #[cfg(unix)]
    {
        let target: PathBuf = stage.folder().join("target");
        std::fs::write(&target, "mine").unwrap();
        std::os::unix::fs::symlink(&target, stage.folder().join("link.prom")).unwrap();
        stage.reconfigure("nowhere/run.prom", "link.prom");
        let linked = stage.run(&["plan"]).await;
        assert!(linked.code == 0 && linked.stderr.contains("symbolic link"), "{linked:#?}");
        assert_eq!(std::fs::read_to_string(target).unwrap(), "mine");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_hears_of_changes_failures_and_news_as_it_is_asked_to() {
    let service = Service::answering(StatusCode::OK).await;
    let address = [("ALERTS", service.url.as_str())];
    let stage = monitored("webhook_url_env = \"ALERTS\"\nwebhook_on = [\"change\", \"failure\"]").await;
    let apply = ["apply", "--yes", "--quiet"];
    let plan = stage.plan().await;
    assert_eq!(with(&stage, &address, &apply).await.code, 0);
    let message = service.message();
    assert_eq!((&message["outcome"], &message["command"]), (&"done".into(), &"apply".into()));
    assert_eq!(message["applied"]["changes"]["create"], plan["totals"]["create"]);
    assert!(!message.to_string().contains("@example.com"), "no names: {message}");
    with(&stage, &address, &apply).await;
    assert_eq!(service.heard().len(), 0, "nothing changed");
    stage.sandbox.org().set_profile(&stage.people()[0], "email", "bob".into());
    assert_eq!(with(&stage, &address, &apply).await.code, 3);
    assert_eq!(service.heard().len(), 0, "a problem is neither a change nor a failure");
    stage.reconfigure("webhook_on = [\"change\", \"failure\"]", "webhook_on = [\"news\"]");
    assert_eq!(with(&stage, &address, &apply).await.code, 3);
    assert_eq!(service.message()["problems"]["open"], 1);
    stage.reconfigure("webhook_on = [\"news\"]", "webhook_on = [\"failure\"]");
    let path = "/api/v1/apps".to_owned();
    let fault = Fault { method: None, path, kind: FaultKind::Html, after: 0, times: usize::MAX };
    stage.sandbox.okta_traffic().fault(fault);
    assert_eq!(with(&stage, &address, &apply).await.code, 1);
    let failed = service.message();
    assert_eq!((&failed["outcome"], &failed["exit_code"]), (&"failed".into(), &1.into()));
    assert!(failed["error"].as_str().unwrap().contains("web page"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_gets_a_message_and_a_run_that_has_no_lock_is_told_too() {
    let service = Service::answering(StatusCode::OK).await;
    let address = [("ALERTS", service.url.as_str())];
    let stage = monitored("webhook_url_env = \"ALERTS\"\nwebhook_format = \"slack\"").await;
    assert_eq!(with(&stage, &address, &["apply", "--yes"]).await.code, 0);
    let text = service.message()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("*oktapieces run 1* ") && text.contains("\napply done: "), "{text}");
    let _held = crate::state::taken(&stage);
    assert_eq!(with(&stage, &address, &["apply", "--yes"]).await.code, 6);
    let text = service.message()["text"].as_str().unwrap().to_owned();
    assert!(text.contains("apply failed") && text.contains("another run is at work"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_is_a_warning_without_its_address() {
    for status in [StatusCode::FOUND, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN] {
        let service = Service::answering(status).await;
        let stage = monitored("webhook_url_env = \"ALERTS\"\nheartbeat_url_env = \"BEAT\"").await;
        let addresses = [("ALERTS", service.url.as_str()), ("BEAT", service.url.as_str())];
        let applied = with(&stage, &addresses, &["apply", "--yes"]).await;
        assert_eq!(applied.code, 0, "{applied:#?}");
        for name in ["webhook", "heartbeat"] {
            let warning = format!("warning: the {name} at 127.0.0.1:");
            let told = applied.stderr.lines().find(|line| line.starts_with(&warning)).unwrap();
            assert!(told.contains(status.as_str()), "{told}");
        }
        assert_eq!(service.heard().len(), 2, "no redirect is followed, and nothing is sent twice");
        for log in [&["-v"][..], &["--log-format", "json"], &["-v", "--log-format", "json"]] {
            let level = [("RUST_LOG", "trace")];
            let logged = with(&stage, &[&addresses[..], &level].concat(), &[&["apply", "--yes"], log].concat()).await;
            assert!(logged.stderr.contains("debug") || logged.stderr.contains("DEBUG"), "{logged:#?}");
        }
        assert_eq!(service.heard().len(), 3, "a heartbeat each");
        assert!(!stage.sandbox.platform().mails().is_empty(), "the apply is done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_used_is_a_warning_and_a_failure_of_check() {
    let stage = monitored("webhook_url_env = \"ALERTS\"").await;
    for (address, why) in [
        (None, "`ALERTS` is not set"),
        (Some("http://hooks.example.com/services/B0SECRETSECRETSECRET99"), "plain http"),
        (Some("ftp://hooks.example.com/B0SECRETSECRETSECRET99"), "https://"),
    ] {
        let addresses: Vec<_> = address.map(|address| ("ALERTS", address)).into_iter().collect();
        let planned = with(&stage, &addresses, &["plan"]).await;
        assert!(planned.code == 0 && planned.stderr.contains("warning: no webhook: "), "{planned:#?}");
        assert!(planned.stderr.contains(why), "{planned:#?}");
        let checked = with(&stage, &addresses, &["check"]).await;
        assert_eq!(checked.code, 78, "{checked:#?}");
        let line = checked.stdout.lines().find(|line| line.starts_with("failed") && line.contains("webhook")).unwrap();
        assert!(line.contains(why), "{line}");
    }
    let service = Service::answering(StatusCode::OK).await;
    let checked = with(&stage, &[("ALERTS", service.url.as_str())], &["check"]).await;
    assert!(checked.code == 0 && checked.stdout.contains("`ALERTS`, at 127.0.0.1:"), "{checked:#?}");
    assert_eq!(service.heard().len(), 0, "check sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_follows_an_apply_that_did_all_and_nothing_else() {
    let service = Service::answering(StatusCode::ACCEPTED).await;
    let address = [("BEAT", service.url.as_str())];
    let stage = monitored("heartbeat_url_env = \"BEAT\"").await;
    with(&stage, &address, &["plan"]).await;
    assert_eq!(service.heard().len(), 0, "a plan brings nothing in line");
    assert_eq!(with(&stage, &address, &["apply", "--yes"]).await.code, 0);
    let beats = service.heard();
    assert_eq!(beats.iter().map(|(method, ..)| method.as_str()).collect::<Vec<_>>(), ["GET"]);
    assert_eq!(with(&stage, &address, &["apply", "--yes"]).await.code, 0);
    assert_eq!(service.heard().len(), 1, "an apply without changes is well too");
    stage.reconfigure("max_deactivations", "max_deactivations = 0 # ");
    stage.sandbox.org().set_status(&stage.people()[0], "SUSPENDED");
    assert_eq!(with(&stage, &address, &["apply", "--yes"]).await.code, 5);
    assert_eq!(service.heard().len(), 0, "it was refused");
}

#[test]
fn an_address_has_no_place_in_the_config() {
    let least = "[okta]\norg_url = 'a.okta.com'\n[activepieces]\nurl = 'ap.example.com'\n[scope]\neveryone = true\n";
    let refused = |keys: &str| {
        let text = format!("{least}[monitoring]\n{keys}\n");
        let error = oktapieces::config::parse(&text, "config.toml").unwrap_err().to_string();
        assert!(!error.contains(SECRET), "{error}");
        error
    };
    let address = format!("https://hooks.slack.com/services/{SECRET}");
    for key in ["webhook_url", "heartbeat_url", "webhook"] {
        assert!(refused(&format!("{key} = '{address}'")).contains("a secret doesn't belong in this file"), "{key}");
    }
    for key in ["webhook_url_env", "heartbeat_url_env"] {
        assert!(refused(&format!("{key} = '{address}'")).contains("not the name of an environment variable"), "{key}");
    }
    for key in ["webhook_url_file", "heartbeat_url_file"] {
        assert!(refused(&format!("{key} = '{address}'")).contains("not the path of a file"), "{key}");
    }
    let two = refused("webhook_url_env = 'A'\nwebhook_url_file = 'b'");
    assert!(two.contains("keep one of `webhook_url_env`, `webhook_url_file` and `webhook_url_command`"), "{two}");
    let passed = refused("webhook_url_command = ['x']\ncommand_env = ['OKTA_API_TOKEN']");
    assert!(passed.contains("`OKTA_API_TOKEN` holds another secret"), "{passed}");
    assert!(refused("webhook_on = ['never']").contains("`never` is not a choice"));
    assert!(refused("webhook_format = 'xml'").contains("`xml` is not a form"));
}
