//! The way to the servers: redirects, proxies, and what neither of them gets to see.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::sync::{Arc, Mutex};

use oktapieces_sandbox::company::Shape;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::faults::state;
use crate::support::{Outcome, Stage, run};

const SMALL: Shape = Shape::Generated { users: 5, groups: 1, members: 2, existing: 0.0, drift: 0.0, seed: 1 };

/// Answers the same to every request; keeps the heads of all.
pub struct Wire {
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    pub async fn answering(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = vec![0; 16 * 1024];
                let length = stream.read(&mut head).await.unwrap_or(0);
                kept.lock().unwrap().push(String::from_utf8_lossy(&head[..length]).into_owned());
                // A client that is gone needs no answer.
                drop(stream.write_all(answer.as_bytes()).await);
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn plan(stage: &Stage, variables: &[(&str, &str)]) -> Outcome {
    let token = stage.sandbox.okta_token();
    let secrets = [("OKTA_API_TOKEN", token.as_str()), ("ACTIVEPIECES_API_KEY", stage.sandbox.api_key())];
    run(stage.folder(), &[variables, &secrets].concat(), &["plan", "-v"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_named_and_never_followed() {
    let stage = Stage::of(SMALL).await;
    let elsewhere = Wire::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]".into()).await;
    let target = format!("http://user:s3cret@{}/x?state=s3cret", elsewhere.address);
    let head = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let org = Wire::answering(head).await;
    stage.reconfigure(&stage.sandbox.okta_url(), &format!("http://{}", org.address));
    let refused = plan(&stage, &[]).await;
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.stderr.contains(&elsewhere.address) && !refused.stderr.contains("s3cret"), "{refused:#?}");
    assert!(!org.heads().is_empty());
    assert_eq!(elsewhere.heads(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_those_of_the_environment_and_their_passwords_stay_unseen() {
    let stage = Stage::of(SMALL).await;
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let proxy = Wire::answering(answer.into()).await;
    stage.reconfigure(&stage.sandbox.okta_url(), "https://org.invalid");
    let url = format!("http://somebody:s3cret@{}", proxy.address);
    let refused = plan(&stage, &[("HTTPS_PROXY", &url), ("RUST_LOG", "trace")]).await;
    assert_eq!(refused.code, 1, "{:.2000}", refused.stderr);
    // A connection may be opened and given up before anything is sent.
    let sent = || proxy.heads().into_iter().filter(|head| !head.is_empty()).collect::<Vec<_>>();
    let heads = sent();
    assert!(heads.iter().all(|head| head.starts_with("CONNECT org.invalid:443 ")), "{heads:?}");
    assert!(heads[0].to_lowercase().contains("proxy-authorization: basic c29tzwjvzhk6cznjcmv0"), "{heads:?}");
    let token = stage.sandbox.okta_token();
    assert!(!heads.iter().any(|head| head.contains(&token)));
    // In plain, and as the header has it.
    for secret in ["s3cret", "c29tZWJvZHk6czNjcmV0"] {
        let line = refused.stderr.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
    let around = plan(&stage, &[("HTTPS_PROXY", &url), ("NO_PROXY", "org.invalid")]).await;
    assert_eq!(around.code, 1, "{around:#?}");
    assert!(around.stderr.contains("Okta at org.invalid can't be found: the name org.invalid"), "{around:#?}");
    assert_eq!(sent().len(), heads.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_file_that_holds_none_is_named() {
    let stage = Stage::of(SMALL).await;
    stage.reconfigure("token_env", "ca_file = \"ca.pem\"\ntoken_env");
    let missing = plan(&stage, &[]).await;
    assert_eq!(missing.code, 78, "{missing:#?}");
    assert!(missing.stderr.contains("ca.pem") && missing.stderr.contains("can't be read"), "{missing:#?}");
    std::fs::write(stage.folder().join("ca.pem"), "nothing\n").unwrap();
    let empty = plan(&stage, &[]).await;
    assert_eq!(empty.code, 78, "{empty:#?}");
    assert!(empty.stderr.contains("holds no certificate"), "{empty:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_servers_cannot_move_the_cursor() {
    let stage = Stage::of(SMALL).await;
    let body = "{\"errorCode\":\"E0000001\",\"errorSummary\":\"a\\u001b[2J\\u202eb\"}";
    let length = body.len();
    let head = format!("HTTP/1.1 400 Bad\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let org = Wire::answering(head).await;
    stage.reconfigure(&stage.sandbox.okta_url(), &format!("http://{}", org.address));
    let refused = plan(&stage, &[]).await;
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.stderr.contains("E0000001"), "{refused:#?}");
    for mark in ['\u{1b}', '\u{202e}'] {
        assert!(!refused.stderr.contains(mark) && !refused.stdout.contains(mark), "{refused:#?}");
    }
}

/// A port without a listener.
pub async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_reached_ends_the_run_and_the_next_is_whole() {
    let calm = Stage::of(SMALL).await;
    assert_eq!(calm.run(&["apply", "--yes"]).await.code, 0);
    let closed = format!("http://127.0.0.1:{}", closed_port().await);
    let runs = [0, 1].into_iter().flat_map(|server| [0, 1, 2].map(|way| (server, way))).map(async |(server, way)| {
        let stage = Stage::of(SMALL).await;
        let url = [stage.sandbox.okta_url(), stage.sandbox.activepieces_url()][server].clone();
        let (wrong, why) = match way {
            0 => ("https://nowhere.invalid".to_owned(), "can't be found"),
            1 => (closed.clone(), "refused the connection"),
            _ => (url.replace("http://", "https://"), "doesn't speak TLS"),
        };
        stage.reconfigure(&url, &wrong);
        let before = state(&stage);
        let refused = stage.run(&["apply", "--yes"]).await;
        assert_eq!((refused.code, refused.stdout.as_str(), state(&stage)), (1, "", before), "{wrong}: {refused:#?}");
        let host = wrong.split_once("://").unwrap().1;
        assert!(refused.stderr.contains(why) && refused.stderr.contains(host), "{wrong}: {refused:#?}");
        stage.reconfigure(&wrong, &url);
        let next = stage.run(&["apply", "--yes"]).await;
        assert_eq!((next.code, state(&stage)), (0, state(&calm)), "{wrong}: {next:#?}");
    });
    futures_util::future::join_all(runs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_never_made_is_given_up_in_time() {
    let mut stage = Stage::of(SMALL).await;
    // A connection is made once its handshake is: this server takes connections in and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    stage.reconfigure(&stage.sandbox.okta_url(), &format!("https://{address}"));
    // Long enough for Okta's answers on a busy machine.
    stage.patience = Some("2");
    let refused = stage.run(&["plan"]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{refused:#?}");
    // Which of the two waits ends first is a matter of chance: each is as long as the admin allows.
    assert!(refused.stderr.contains("Okta at") && refused.stderr.contains("within 2 s"), "{refused:#?}");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_that_is_none_is_named() {
    let mut stage = Stage::of(SMALL).await;
    for wrong in ["soon", "0", "-1", "NaN"] {
        stage.patience = Some(wrong);
        let refused = stage.run(&["plan"]).await;
        assert_eq!(refused.code, 64, "{refused:#?}");
        assert!(refused.stderr.contains("OKTAPIECES_TIMEOUT") && refused.stderr.contains(wrong), "{refused:#?}");
    }
}
