//! Rate limits: the buckets, their headers, and both kinds of 429.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use jiff::Timestamp;
use oktapieces_sandbox::okta::{Org, admit};
use oktapieces_sandbox::serve::{Fault, FaultKind};
use oktapieces_sandbox::{Options, Sandbox};
use reqwest::Method;
use tokio::sync::Semaphore;

use super::support::{Answer, Server, UNKNOWN, finish};

/// Limit and what remains.
fn granted(answer: &Answer) -> (i64, i64) {
    (answer.number("x-rate-limit-limit"), answer.number("x-rate-limit-remaining"))
}

#[tokio::test]
async fn every_answer_says_limit_remaining_and_reset() {
    let server = Server::start().await;
    let before = Timestamp::now().as_second();
    let first = server.get("users").await;
    let after = Timestamp::now().as_second();
    assert_eq!(granted(&first), (600, 599));
    let reset = first.number("x-rate-limit-reset");
    assert!((before + 60..=after + 60).contains(&reset), "{reset} is 60 s after {before}, in seconds since 1970");
    assert!(!first.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_window_begins_with_its_first_request_and_stays() {
    let server = Server::start().await;
    let first = server.get("users").await;
    let second = server.get("users").await;
    assert_eq!(granted(&second), (600, 598));
    assert_eq!(second.header("x-rate-limit-reset"), first.header("x-rate-limit-reset"));
}

#[tokio::test]
async fn every_bucket_has_the_limit_of_a_workforce_org() {
    let server = Server::start().await;
    let user = server.user("ada@example.com", "ACTIVE");
    let (app, group) = (server.app(&[]), server.everyone());
    for (path, limit) in [
        ("apps".to_owned(), 100),
        (format!("apps/{app}"), 500),
        ("groups".to_owned(), 500),
        (format!("groups/{group}"), 1000),
        ("users".to_owned(), 600),
        (format!("users/{user}"), 2000),
        ("mappings".to_owned(), 1200),
    ] {
        assert_eq!(granted(&server.get(&path).await), (limit, limit - 1), "{path}");
    }
}

#[tokio::test]
async fn paths_of_one_bucket_share_it() {
    let server = Server::start().await;
    let user = server.user("ada@example.com", "ACTIVE");
    let (app, group) = (server.app(&[]), server.everyone());
    for bucket in [
        vec!["apps".to_owned(), format!("apps/{app}/users"), format!("apps/{app}/groups")],
        vec!["groups".to_owned(), format!("groups/{group}/users"), "groups/rules".to_owned()],
        vec!["users".to_owned(), format!("users/{user}/groups")],
        vec![format!("users/{user}"), "users/ada@example.com".to_owned(), format!("users/{UNKNOWN}")],
        vec!["mappings".to_owned(), "org".to_owned(), "meta/schemas/user/default".to_owned()],
    ] {
        let mut left = Vec::new();
        for path in &bucket {
            let (limit, remaining) = granted(&server.get(path).await);
            left.push(limit - remaining);
        }
        assert_eq!(left, (1..).take(bucket.len()).collect::<Vec<_>>(), "{bucket:?}");
    }
}

#[tokio::test]
async fn a_used_up_bucket_is_a_429_and_the_others_go_on() {
    let server = Server::serve(Org::new(7, Some(2))).await;
    for remaining in [1, 0] {
        assert_eq!(granted(&server.get("users").await), (2, remaining));
    }
    let refused = server.get("users").await;
    assert_eq!(refused.failure(), (429, "E0000047"));
    assert_eq!(refused.body["errorSummary"], "API call exceeded rate limit due to too many requests.");
    assert_eq!(granted(&refused), (2, 0));
    assert!(refused.number("x-rate-limit-reset") > Timestamp::now().as_second());
    assert!(!refused.headers.contains_key("retry-after"));
    assert_eq!(server.get("groups").await.status, 200);
    assert_eq!(server.get("users/nobody").await.status, 404);
}

#[tokio::test]
async fn errors_use_the_bucket_too() {
    let server = Server::serve(Org::new(7, Some(2))).await;
    assert_eq!(granted(&server.get("users?search=x").await), (2, 1));
    let anonymous = finish(server.bare(Method::GET, "users")).await;
    assert_eq!((anonymous.status, granted(&anonymous)), (401, (2, 0)));
}

#[tokio::test]
async fn the_public_page_of_an_org_has_no_limit() {
    let server = Server::start().await;
    let page = finish(server.bare(Method::GET, &format!("{}/.well-known/okta-organization", server.url))).await;
    assert_eq!(page.status, 200);
    assert!(!page.headers.contains_key("x-rate-limit-limit"));
}

/// An org whose requests wait inside until the test releases them.
struct Held {
    url: String,
    entered: Arc<Semaphore>,
    release: Arc<Semaphore>,
}

impl Held {
    async fn start() -> Self {
        let (entered, release) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (inside, gate) = (Arc::clone(&entered), Arc::clone(&release));
        let hold = move || async move {
            inside.add_permits(1);
            gate.acquire().await.unwrap().forget();
            "done"
        };
        let router = Router::new().route("/api/v1/users", get(hold));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1/users", listener.local_addr().unwrap());
        let router = admit(router, Arc::new(Org::new(7, None)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, entered, release }
    }

    /// So many requests, which are all inside when this returns.
    async fn enter(&self, client: &reqwest::Client, count: u32) -> Vec<tokio::task::JoinHandle<u16>> {
        let requests = (0..count).map(|_| {
            let request = client.get(&self.url).send();
            tokio::spawn(async move { request.await.unwrap().status().as_u16() })
        });
        let requests = requests.collect();
        self.entered.acquire_many(count).await.unwrap().forget();
        requests
    }
}

#[tokio::test]
async fn more_than_75_at_once_is_a_429_with_limit_0() {
    let org = Held::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let inside = org.enter(&client, 75).await;
    let refused = finish(client.get(&org.url)).await;
    assert_eq!((refused.failure(), granted(&refused)), ((429, "E0000047"), (0, 0)));
    assert!(refused.headers.contains_key("x-rate-limit-reset"), "a mere guess");
    org.release.add_permits(76);
    for request in inside {
        assert_eq!(request.await.unwrap(), 200);
    }
    let next = finish(client.get(&org.url)).await;
    assert_eq!((next.status, granted(&next)), (200, (600, 524)), "who was refused didn't use the bucket");
}

#[tokio::test]
async fn who_hangs_up_makes_room() {
    let org = Held::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for request in org.enter(&client, 75).await {
        request.abort();
    }
    // The server notices when it gets to it: asked until one is inside again.
    loop {
        tokio::select! {
            refused = finish(client.get(&org.url)) => assert_eq!(refused.status, 429),
            _ = org.entered.acquire() => break,
        }
    }
}

#[tokio::test]
async fn a_sandbox_counts_the_requests_that_wait() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let kind = FaultKind::Hang(Duration::from_hours(1));
    sandbox.okta_traffic().fault(Fault { method: None, path: "/api/v1/users".to_owned(), kind, after: 0, times: 75 });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |path: &str| {
        let url = format!("{}/api/v1/{path}", sandbox.okta_url());
        client.get(url).header("authorization", format!("SSWS {}", sandbox.okta_token()))
    };
    let waiting: Vec<_> = (0..75).map(|_| tokio::spawn(ask("users").send())).collect();
    while sandbox.okta_traffic().total() < 75 {
        tokio::task::yield_now().await;
    }
    let refused = finish(ask("groups")).await;
    assert_eq!((refused.failure(), granted(&refused)), ((429, "E0000047"), (0, 0)));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}
