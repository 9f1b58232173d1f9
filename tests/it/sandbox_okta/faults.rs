//! What a server's traffic does to requests: latency, counts and faults.

use std::io::ErrorKind::ConnectionReset;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use futures_util::future::{Either, select};
use oktapieces_sandbox::serve::{Fault, FaultKind, Traffic, layer};
use reqwest::{Client, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::state::until;

/// The body of every answer that arrives.
const BODY: &str = r#"{"answer": "of the server"}"#;
const ID: &str = "00u1234567890abcdefg";

/// A server that counts how often it acts, with traffic in front.
struct Server {
    address: String,
    traffic: Arc<Traffic>,
    acted: Arc<AtomicUsize>,
    client: Client,
}

impl Server {
    async fn start() -> Self {
        let acted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&acted);
        let act = move || async move {
            counter.fetch_add(1, Ordering::SeqCst);
            (StatusCode::CREATED, [("content-type", "application/json")], BODY)
        };
        let traffic = Arc::new(Traffic::new(Duration::ZERO, Vec::new(), 1));
        let router = layer(Router::new().fallback(any(act)), Arc::clone(&traffic));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { address, traffic, acted, client }
    }

    /// One with a fault for all requests.
    async fn with(kind: FaultKind) -> Self {
        let server = Self::start().await;
        server.traffic.fault(fault(None, "/", kind));
        server
    }

    async fn send(&self, method: Method, path: &str) -> reqwest::Result<reqwest::Response> {
        self.client.request(method, format!("http://{}{path}", self.address)).send().await
    }

    async fn status(&self, method: Method, path: &str) -> u16 {
        self.send(method, path).await.unwrap().status().as_u16()
    }

    /// Everything that the server sends until the end of the connection.
    async fn raw(&self) -> String {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut bytes = Vec::new();
        // A reset is an end, too.
        stream.read_to_end(&mut bytes).await.map_or_else(|error| assert_eq!(error.kind(), ConnectionReset), |_| ());
        String::from_utf8(bytes).unwrap()
    }

    fn acted(&self) -> usize {
        self.acted.load(Ordering::SeqCst)
    }
}

/// A fault without an end.
fn fault(method: Option<&str>, path: &str, kind: FaultKind) -> Fault {
    Fault { method: method.map(str::to_owned), path: path.to_owned(), kind, after: 0, times: usize::MAX }
}

#[tokio::test]
async fn without_a_fault_the_server_answers() {
    let server = Server::start().await;
    let answer = server.send(Method::POST, "/a").await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!((answer.text().await.unwrap().as_str(), server.acted()), (BODY, 1));
}

#[tokio::test]
async fn error_500_is_an_error_without_acting() {
    let server = Server::with(FaultKind::Error500).await;
    assert_eq!((server.status(Method::POST, "/a").await, server.acted()), (500, 0));
}

#[tokio::test]
async fn bad_gateway_is_a_proxys_page_without_acting() {
    let server = Server::with(FaultKind::BadGateway).await;
    let answer = server.send(Method::POST, "/a").await.unwrap();
    assert_eq!((answer.status().as_u16(), server.acted()), (502, 0));
    assert_eq!(answer.headers()["content-type"], "text/html");
    assert!(answer.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn html_is_a_web_page_with_200_without_acting() {
    let server = Server::with(FaultKind::Html).await;
    let answer = server.send(Method::POST, "/a").await.unwrap();
    assert_eq!((answer.status().as_u16(), server.acted()), (200, 0));
    assert_eq!(answer.headers()["content-type"], "text/html");
    assert!(answer.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn too_many_names_its_seconds_without_acting() {
    let server = Server::with(FaultKind::TooMany(7)).await;
    let answer = server.send(Method::POST, "/a").await.unwrap();
    assert_eq!((answer.status().as_u16(), server.acted()), (429, 0));
    assert_eq!(answer.headers()["retry-after"], "7");
}

#[tokio::test]
async fn cut_before_closes_the_connection_without_acting() {
    let server = Server::with(FaultKind::CutBefore).await;
    assert_eq!((server.raw().await.as_str(), server.acted()), ("", 0), "not a byte arrives");
    let error = server.send(Method::POST, "/a").await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
}

#[tokio::test]
async fn cut_after_closes_the_connection_once_it_acted() {
    let server = Server::with(FaultKind::CutAfter).await;
    assert_eq!((server.raw().await.as_str(), server.acted()), ("", 1), "not a byte arrives");
    let error = server.send(Method::POST, "/a").await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
}

#[tokio::test]
async fn error_500_after_is_an_error_all_the_same() {
    let server = Server::with(FaultKind::Error500After).await;
    assert_eq!((server.status(Method::POST, "/a").await, server.acted()), (500, 1));
}

#[tokio::test]
async fn truncated_acts_and_breaks_off_in_the_middle_of_the_body() {
    let server = Server::with(FaultKind::Truncated).await;
    let text = server.raw().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 201 Created"), "{head}");
    assert!(head.contains(&format!("content-length: {}", BODY.len())), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!((body, server.acted()), (&BODY[..BODY.len() / 2], 1));
    let answer = server.send(Method::POST, "/a").await.unwrap();
    assert_eq!(answer.status(), 201, "a client sees the head");
    assert!(answer.text().await.is_err(), "and no end of the body");
}

#[tokio::test]
async fn hang_answers_in_the_end() {
    let server = Server::with(FaultKind::Hang(Duration::from_millis(20))).await;
    assert_eq!((server.status(Method::POST, "/a").await, server.acted()), (201, 1));
}

#[tokio::test]
async fn a_hanging_server_acts_when_nobody_waits_any_more() {
    let server = Server::with(FaultKind::Hang(Duration::from_secs(3))).await;
    {
        let request = std::pin::pin!(server.send(Method::POST, "/a"));
        let arrives = std::pin::pin!(async {
            until(async || server.traffic.total() == 1).await;
            // A request is counted before the server acts on it.
            tokio::time::sleep(Duration::from_millis(50)).await;
        });
        assert!(matches!(select(request, arrives).await, Either::Right(_)), "it answers only later");
    }
    assert_eq!(server.acted(), 0);
    until(async || server.acted() == 1).await;
}

#[tokio::test]
async fn stall_acts_and_sends_the_rest_of_the_answer_late() {
    const PAUSE: Duration = Duration::from_millis(200);
    // The test would wait for as long, if the first half came with the rest.
    let server = Server::with(FaultKind::Stall(Duration::from_mins(10))).await;
    let half = server.send(Method::GET, "/a").await.unwrap().chunk().await.unwrap().unwrap();
    assert!(server.acted() == 1 && half.len() < BODY.len(), "{half:?}");

    let server = Server::with(FaultKind::Stall(PAUSE)).await;
    let since = Instant::now();
    let whole = server.send(Method::GET, "/a").await.unwrap().bytes().await.unwrap();
    assert!(since.elapsed() >= PAUSE, "{whole:?}");
    assert_eq!(whole, BODY);
}

#[tokio::test]
async fn a_fault_begins_after_some_and_ends() {
    let server = Server::start().await;
    server.traffic.fault(Fault { after: 1, times: 2, ..fault(None, "/", FaultKind::Error500) });
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(server.status(Method::GET, "/a").await);
    }
    assert_eq!(statuses, [201, 500, 500, 201, 201]);
}

#[tokio::test]
async fn a_fault_befalls_its_method_and_path_alone() {
    let server = Server::start().await;
    server.traffic.fault(fault(Some("POST"), "/a", FaultKind::Error500));
    for (method, path, status) in
        [(Method::POST, "/a", 500), (Method::POST, "/a/b", 500), (Method::GET, "/a", 201), (Method::POST, "/b", 201)]
    {
        assert_eq!(server.status(method.clone(), path).await, status, "{method} {path}");
    }
}

#[tokio::test]
async fn the_fault_that_was_switched_on_first_comes_first() {
    let server = Server::start().await;
    server.traffic.fault(Fault { times: 1, ..fault(None, "/", FaultKind::Error500) });
    server.traffic.fault(Fault { times: 1, ..fault(None, "/", FaultKind::BadGateway) });
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(server.status(Method::GET, "/a").await);
    }
    assert_eq!(statuses, [500, 502, 201]);
}

#[tokio::test]
async fn mending_switches_all_faults_off() {
    let server = Server::with(FaultKind::CutBefore).await;
    server.traffic.fault(fault(None, "/", FaultKind::Error500));
    server.traffic.mend();
    assert_eq!(server.status(Method::GET, "/a").await, 201);
}

#[tokio::test]
async fn requests_are_counted_by_method_and_route() {
    let server = Server::start().await;
    for path in [format!("/users/{ID}"), "/users/ada@example.com".to_owned(), "/users/ada%40example.com".to_owned()] {
        server.status(Method::GET, &path).await;
    }
    server.status(Method::GET, &format!("/users/{ID}/groups?limit=2")).await;
    server.status(Method::GET, "/users?after=x").await;
    server.status(Method::POST, "/users").await;
    let counts: Vec<_> = server.traffic.counts().into_iter().collect();
    let expected = [("GET /users", 1), ("GET /users/{id}", 3), ("GET /users/{id}/groups", 1), ("POST /users", 1)];
    assert_eq!(counts, expected.map(|(route, count)| (route.to_owned(), count)));
    assert_eq!(server.traffic.total(), 6);
    assert_eq!(server.traffic.count("GET /users/{id}"), 4);
    assert_eq!(server.traffic.count("POST "), 1);
    assert_eq!(server.traffic.count("DELETE"), 0);
}

#[tokio::test]
async fn requests_that_a_fault_befalls_are_counted_too() {
    let server = Server::with(FaultKind::Error500).await;
    server.status(Method::GET, "/a").await;
    assert_eq!(server.traffic.count("GET /a"), 1);
}
