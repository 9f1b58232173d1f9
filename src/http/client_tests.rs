//! Tests of the client against hostile servers.

use std::sync::atomic::AtomicUsize;

use serde_json::{Value, json};

use super::*;
use crate::http::scripted::{Act, Log, ScriptedServer, Seen, answer, fast, json as ok};
use crate::http::{Repeat, Size};

const TOKEN: &str = "00secret-token";

fn client(url: &str) -> Client {
    Client::new(Settings {
        authorization: Authorization::Fixed(format!("SSWS {TOKEN}\n").into()),
        retry: fast(),
        ..Settings::new(url)
    })
    .unwrap()
}

async fn get(server: &ScriptedServer) -> Result<Value, Failure> {
    client(&server.url).json::<Value>(&Request::get("/x")).await.map(|(value, _)| value)
}

async fn post(server: &ScriptedServer) -> Failure {
    let request = Request::new(reqwest::Method::POST, "/x").body("application/json", b"{}".to_vec());
    client(&server.url).json::<Value>(&request).await.unwrap_err()
}

fn cut_after(body: &str, length: usize) -> Act {
    Act::SendAndCut(format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"))
}

#[tokio::test]
async fn sends_what_it_was_given() {
    let server = ScriptedServer::script([ok(200, "{}"), ok(201, "")]).await;
    let client = client(&format!("{}/prefix/", server.url));
    client
        .json::<Value>(&Request::get("/a%2Fb").param("search", "x eq \"a+b\"").raw_param("after", "c%2B+d"))
        .await
        .unwrap();
    let write = Request::new(reqwest::Method::POST, "/y").body("application/scim+json", b"{\"a\":1}".to_vec());
    assert_eq!(client.send(&write).await.unwrap().status, 201);
    let seen = server.seen();
    assert_eq!(seen[0].line, "GET /prefix/a%2Fb?search=x%20eq%20%22a%2Bb%22&after=c%2B+d");
    assert_eq!(seen[0].header("authorization"), Some("SSWS 00secret-token"), "trimmed");
    assert_eq!(seen[0].header("user-agent"), Some(concat!("oktapieces/", env!("CARGO_PKG_VERSION"))));
    assert!(seen[0].header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!((seen[1].header("content-type"), seen[1].body.as_str()), (Some("application/scim+json"), "{\"a\":1}"));
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn where_paths_are_secrets_nothing_shows_any_part_of_one() {
    let elsewhere = answer(302, &[("location", "/q9Zt/elsewhere")], "");
    let acts =
        [ok(404, "{}"), elsewhere, ok(200, "{}"), Act::SendAndCut(String::new()), Act::SendAndCut(String::new())];
    let server = ScriptedServer::script(acts).await;
    let (log, logged) = Log::of_this_thread();
    let settings = Settings { hides_paths: true, retry: fast(), ..Settings::new(format!("{}/q9Zt", server.url)) };
    let client = Client::new(settings).unwrap();
    let mut told = vec![format!("{client:?}")];
    for method in [reqwest::Method::GET, reqwest::Method::GET, reqwest::Method::GET, reqwest::Method::POST] {
        let request = Request::new(method, "/q9Zt/hook").param("q9Zt", "q9Zt");
        told.push(format!("{request:?}"));
        told.push(match client.send(&request).await {
            Ok(reply) => format!("{reply:?} {:?}", reply.implausible("odd")),
            Err(failure) => {
                format!("{failure} {failure:?} {:?}", Error::from(client.send(&request).await.unwrap_err()))
            }
        });
    }
    drop(logged);
    let told = told.join("\n") + &log.text();
    assert!(told.contains("answer method=GET url=\"http://127.0.0.1:") && told.contains("no answer"), "{told}");
    assert!(!told.contains("q9Zt"), "{told}");
}

#[tokio::test]
async fn a_read_survives_what_passes() {
    let trouble = [
        ok(500, r#"{"errorCode":"E0000009","errorSummary":"x"}"#),
        ok(502, "<html>"),
        ok(503, ""),
        ok(423, r#"{"errorCode":"E0000239","errorSummary":"x"}"#),
        ok(429, r#"{"errorCode":"E0000047","errorSummary":"x"}"#),
        answer(200, &[("content-type", "text/html")], "<!DOCTYPE html>"),
        ok(200, "[1, 2"),
        ok(200, ""),
        cut_after("[1, 2", 100),
        Act::SendAndCut(String::new()),
    ];
    for act in trouble {
        let server = ScriptedServer::script([act.clone(), ok(200, "[1]")]).await;
        assert_eq!(get(&server).await.unwrap(), json!([1]), "{act:?}");
        assert_eq!(server.lines().len(), 2, "{act:?}");
    }
}

#[tokio::test]
async fn a_write_comes_back_at_once_with_what_it_needs_to_look_first() {
    let cases = [
        (ok(500, r#"{"statusCode":500,"code":"ESOCKET","message":"x"}"#), true),
        (ok(500, r#"{"statusCode":500,"code":"23505","message":"x"}"#), false),
        (ok(503, ""), true),
        (ok(409, r#"{"statusCode":409,"error":"Conflict","message":"User with email already exists"}"#), false),
        (cut_after("{", 100), true),
        (Act::SendAndCut(String::new()), true),
        (ok(200, "<html>"), true),
    ];
    for (act, lost) in cases {
        let server = ScriptedServer::script([act.clone(), ok(200, "{}")]).await;
        let failure = post(&server).await;
        assert_eq!(failure.is_lost_answer(), lost, "{act:?}: {failure}");
        assert_eq!(server.lines().len(), 1, "{act:?}");
    }
}

#[tokio::test]
async fn a_write_is_repeated_after_429() {
    let server = ScriptedServer::script([answer(429, &[("retry-after", "0")], ""), ok(200, "{}")]).await;
    let request = Request::new(reqwest::Method::POST, "/x");
    client(&server.url).json::<Value>(&request).await.unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn the_concurrency_kind_of_429_is_not_slept_off() {
    let headers = [
        ("date", "Thu, 11 Sep 2025 16:21:50 GMT"),
        ("x-rate-limit-limit", "0"),
        ("x-rate-limit-remaining", "0"),
        ("x-rate-limit-reset", "1757607758"),
    ];
    let server = ScriptedServer::script([answer(429, &headers, ""), ok(200, "{}")]).await;
    let client = client(&server.url);
    // The reset would be 48 s away, longer than the time that the test allows.
    let request = Request::get("/x");
    let done = timeout(Duration::from_secs(20), client.json::<Value>(&request)).await;
    assert!(done.unwrap().is_ok());
    assert_eq!(client.pace().parallelism(), 7);
}

#[tokio::test]
async fn the_rate_kind_of_429_waits_for_the_reset() {
    let first = std::sync::OnceLock::new();
    let server = ScriptedServer::new(move |_| {
        let headers = [
            ("date", "Thu, 11 Sep 2025 16:21:50 GMT"),
            ("x-rate-limit-limit", "10"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1757607711"),
        ];
        let over = first.get_or_init(Instant::now).elapsed() >= Duration::from_secs(1);
        if over { ok(200, "{}") } else { answer(429, &headers, "") }
    })
    .await;
    assert!(get(&server).await.is_ok());
    assert_eq!(server.lines().len(), 2, "it came back after the reset, not before");
}

#[tokio::test]
async fn budgets_end_and_say_so() {
    let server = ScriptedServer::new(|_| ok(503, r#"{"errorCode":"E0000010","errorSummary":"read-only"}"#)).await;
    let failure = get(&server).await.unwrap_err();
    assert_eq!((server.lines().len(), failure.attempts()), (6, 6));
    assert!(failure.to_string().ends_with("E0000010: read-only; gave up after 6 attempts"), "{failure}");
    let server = ScriptedServer::new(|_| answer(200, &[], "<html>wrong</html>")).await;
    let failure = get(&server).await.unwrap_err();
    assert_eq!(server.lines().len(), 2);
    assert!(Error::from(failure).hints[0].contains("wrong base URL"));
}

#[tokio::test]
async fn a_run_in_which_too_much_is_repeated_is_given_up() {
    // Every second request fails, which no request alone would give up for.
    let asked = AtomicUsize::new(0);
    let fails = move || asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
    let server = ScriptedServer::new(move |_| if fails() { ok(503, "") } else { ok(200, "{}") }).await;
    let retry = Policy { repeats_of_run: 10, ..fast() };
    let client = Client::new(Settings { retry, ..Settings::new(&server.url) }).unwrap();
    let failure = loop {
        if let Err(failure) = client.json::<Value>(&Request::get("/x")).await {
            break failure;
        }
    };
    assert_eq!((failure.attempts(), client.requests()), (1, 25), "10 and a tenth of all");
    assert!(failure.to_string().ends_with("; gave up since 12 requests of this run had to be repeated already"));
    assert!(Error::from(failure).hints[0].contains("is in trouble"));
}

#[tokio::test]
async fn rate_limits_take_nothing_of_the_budget_of_a_run() {
    let retry = Policy { repeats_of_run: 0, ..fast() };
    let server = ScriptedServer::script([answer(429, &[], ""), ok(200, "{}")]).await;
    let client = Client::new(Settings { retry, ..Settings::new(&server.url) }).unwrap();
    assert!(client.json::<Value>(&Request::get("/x")).await.is_ok());
}

#[tokio::test]
async fn a_status_can_be_handed_back_at_once() {
    let server = ScriptedServer::new(|_| ok(500, "")).await;
    let request = Request::get("/x").hand_back(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(client(&server.url).send(&request).await.unwrap_err().status(), Some(500));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_sent_once_is_never_repeated() {
    for act in [ok(503, ""), answer(429, &[("retry-after", "0")], ""), ok(200, ""), Act::SendAndCut(String::new())] {
        let server = ScriptedServer::new(move |_| act.clone()).await;
        let failure = client(&server.url).json::<Value>(&Request::get("/x").once()).await.unwrap_err();
        assert_eq!((failure.attempts(), server.lines().len()), (1, 1), "{failure}");
        assert_eq!(failure.is_unanswered(), matches!(failure.cause(), Cause::Cut(_)), "{failure}");
    }
}

#[tokio::test]
async fn json_of_another_shape_is_not_asked_for_again() {
    let server = ScriptedServer::new(|_| ok(200, "{}")).await;
    let failure = client(&server.url).json::<Vec<u32>>(&Request::get("/x")).await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Unreadable(_)));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_web_page_says_nothing_of_what_was_done() {
    let server =
        ScriptedServer::new(|_| answer(200, &[("content-type", "text/html")], "<!DOCTYPE html><p>Sign in")).await;
    let failure = client(&server.url).send(&Request::new(reqwest::Method::DELETE, "/x")).await.unwrap_err();
    assert!(failure.is_lost_answer() && server.lines().len() == 1, "{failure}");
}

#[tokio::test]
async fn a_timeout_covers_a_server_that_never_answers() {
    let server = ScriptedServer::new(|_| Act::Hang).await;
    let request = Request::get("/x").timeout(Duration::from_millis(50)).repeat(Repeat::Never);
    let failure = client(&server.url).send(&request).await.unwrap_err();
    assert_eq!(*failure.cause(), Cause::Timeout(Duration::from_millis(50)));
    assert!(failure.to_string().ends_with("got no answer within 0.05 s"), "{failure}");
}

#[tokio::test]
async fn an_answer_that_stops_is_told_from_one_that_keeps_coming() {
    let client = |url: &str, idle| {
        Client::new(Settings { idle_timeout: Duration::from_millis(idle), retry: fast(), ..Settings::new(url) })
            .unwrap()
    };
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[";
    let server = ScriptedServer::new(|_| Act::Send(half.into())).await;
    let failure = client(&server.url, 50).json::<Value>(&Request::get("/x")).await.unwrap_err();
    assert_eq!(*failure.cause(), Cause::Stalled(Duration::from_millis(50)));
    assert!(
        failure.to_string().ends_with("got an answer that stopped for 0.05 s; gave up after 2 attempts"),
        "{failure}"
    );
    // Longer in all than either limit, which both count from the last byte.
    let parts = [half, "1,", "2,", "3,", "4]"].map(str::to_owned);
    let server = ScriptedServer::script([Act::Trickle(parts.into(), Duration::from_millis(300))]).await;
    let request = Request::get("/x").timeout(Duration::from_secs(1));
    assert_eq!(client(&server.url, 1000).json::<Value>(&request).await.unwrap().0, json!([1, 2, 3, 4]));
}

#[tokio::test]
async fn the_token_never_leaves_for_another_host() {
    let other = ScriptedServer::new(|_| ok(200, "{}")).await;
    let location = format!("{}/login?secret=1", other.url);
    let server = ScriptedServer::new(move |_| answer(302, &[("location", &location)], "")).await;
    let failure = get(&server).await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Redirect { location, .. } if location.ends_with("/login")), "{failure}");
    let client = client(&server.url);
    let with_user = server.url.replace("http://", "http://user@");
    for target in [other.url.as_str(), "https://127.0.0.1/x", with_user.as_str()] {
        let failure = client.send(&Request::get(target)).await.unwrap_err();
        assert!(matches!(failure.cause(), Cause::OtherHost { .. }), "{target}: {failure}");
    }
    for path in ["/api/../../x", "/users/..", "/users/.", "/users/%2e%2E/groups", "/users/.%2e?x"] {
        let failure = client.send(&Request::get(path)).await.unwrap_err();
        assert_eq!(*failure.cause(), Cause::Unaskable, "{path}: {failure}");
        assert!(failure.is_not_found(), "no entity can have such an id");
    }
    let failure = client.send(&Request::get("/a b")).await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Invalid(_)), "{failure}");
    assert_eq!((other.lines().len(), server.lines().len()), (0, 1));
    client.send(&Request::get(format!("{}/whole", server.url))).await.unwrap_err();
    assert_eq!(server.lines()[1], "GET /whole");
}

#[tokio::test]
async fn no_secret_in_debug_or_errors() {
    for status in [400, 200] {
        let echo = move |seen: &Seen| ok(status, &format!("your header was {:?}", seen.header("authorization")));
        let server = ScriptedServer::new(echo).await;
        let failure = get(&server).await.unwrap_err();
        for text in [format!("{failure:?}"), failure.to_string(), format!("{:?}", client(&server.url))] {
            assert!(!text.contains(TOKEN), "{text}");
        }
        assert!(failure.to_string().contains("(redacted)"));
    }
    let server = ScriptedServer::new(|_| ok(400, "")).await;
    let request = Request::get("/x").param("search", "jane@example.com");
    let failure = client(&server.url).send(&request).await.unwrap_err();
    assert!(!failure.to_string().contains("jane"));
}

#[tokio::test]
async fn no_connection_is_tried_three_times_for_writes_too() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let client = client(&closed);
    let failure = client.send(&Request::new(reqwest::Method::POST, "/x")).await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Connect(_)), "{failure:?}");
    assert_eq!((failure.attempts(), failure.is_lost_answer()), (3, false));
}

#[tokio::test]
async fn an_unknown_name_and_a_server_without_tls_are_told_apart() {
    // A label of more than 63 characters fails without asking any server.
    let failure = client(&format!("http://{}.invalid", "a".repeat(64))).send(&Request::get("/x")).await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Dns(_)), "{failure:?}");
    let server = ScriptedServer::new(|_| ok(200, "{}")).await;
    let failure = client(&server.url.replace("http:", "https:")).send(&Request::get("/x")).await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Tls(_)), "{failure:?}");
}

#[test]
fn base_urls_that_cannot_be_used_are_config_errors_without_secrets() {
    for url in
        ["", "example.okta.com", "ftp://example.com", "https://u:p4ss@example.com", "https://e.com/?x=1", "file:///x"]
    {
        let error = Client::new(Settings::new(url)).unwrap_err();
        assert_eq!(error.kind, Kind::Config, "{url}");
        assert!(!error.to_string().contains("p4ss"));
    }
    let settings =
        Settings { authorization: Authorization::Fixed("SSWS a\nb".into()), ..Settings::new("https://example.com") };
    let error = Client::new(settings).unwrap_err();
    assert!(!error.to_string().contains("a\nb"));
}

#[tokio::test]
async fn only_a_whole_answer_counts_as_one() {
    let range = [("content-range", "bytes 0-1/200")];
    for (method, act, complete) in [
        (reqwest::Method::GET, ok(200, "[]"), true),
        (reqwest::Method::GET, ok(201, "[]"), false),
        (reqwest::Method::GET, ok(202, "[]"), false),
        (reqwest::Method::GET, ok(203, "[]"), false),
        (reqwest::Method::GET, answer(204, &[], ""), false),
        (reqwest::Method::GET, ok(206, "[]"), false),
        (reqwest::Method::GET, answer(200, &range, "[]"), false),
        (reqwest::Method::POST, ok(200, "[]"), true),
        (reqwest::Method::POST, ok(201, "[]"), true),
        (reqwest::Method::POST, ok(202, "[]"), false),
        (reqwest::Method::PATCH, ok(200, "[]"), true),
        (reqwest::Method::PATCH, ok(202, "[]"), false),
        (reqwest::Method::DELETE, ok(200, "[]"), true),
        (reqwest::Method::DELETE, ok(202, "[]"), false),
    ] {
        let server = ScriptedServer::script([act.clone()]).await;
        let answered = client(&server.url).json::<Value>(&Request::new(method.clone(), "/x")).await;
        let Err(failure) = answered else {
            assert!(complete, "{method} {act:?}");
            continue;
        };
        assert!(!complete && matches!(failure.cause(), Cause::Incomplete(_)), "{method} {act:?}: {failure}");
        assert!(failure.is_lost_answer(), "a write may have been done");
        assert_eq!(server.lines().len(), 1, "{method} {act:?}");
    }
    let server = ScriptedServer::script([answer(204, &[], "")]).await;
    client(&server.url).send(&Request::new(reqwest::Method::DELETE, "/x")).await.unwrap();
}

#[tokio::test]
async fn a_good_answer_that_repeats_the_token_is_no_answer() {
    let server = ScriptedServer::new(|seen| ok(200, &format!("[{:?}]", seen.header("authorization").unwrap()))).await;
    let settings = Settings {
        authorization: Authorization::Fixed("Bearer sk-a-longer-secret-key".into()),
        ..Settings::new(&server.url)
    };
    let failure = Client::new(settings).unwrap().json::<Value>(&Request::get("/x")).await.unwrap_err();
    assert!(failure.to_string().ends_with("it repeats the token or key of the request"), "{failure}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let server = ScriptedServer::new(|_| ok(200, "\u{feff}[1]")).await;
    assert_eq!(get(&server).await.unwrap(), json!([1]));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn text_in_place_of_json_is_asked_for_once_more() {
    let server = ScriptedServer::new(|_| ok(200, "OK")).await;
    get(&server).await.unwrap_err();
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn an_answer_that_is_larger_than_any_real_one_is_given_up() {
    let (text, blanks) = (format!("[\"{}\"]", "x".repeat(3 << 20)), format!("[{}1]", " ".repeat(3 << 20)));
    for (body, why) in [(text, "it has a text of more than 1 MB"), (blanks, "it has blanks of more than 1 MB")] {
        let server = ScriptedServer::new(move |_| ok(200, &body)).await;
        let failure = get(&server).await.unwrap_err();
        assert!(failure.to_string().ends_with(&format!("is too large: {why}")), "{failure}");
        assert_eq!(server.lines().len(), 1);
    }
    let server = ScriptedServer::new(|_| ok(200, &format!("[{}1]", "1,".repeat(200)))).await;
    let request = Request::get("/x").size(Size { bytes: 1 << 20, values: 100 });
    let failure = client(&server.url).json::<Value>(&request).await.unwrap_err();
    assert!(failure.to_string().ends_with("it has more than 100 values"), "{failure}");
    // An error stays an error, however large its body is.
    let server = ScriptedServer::new(|_| ok(400, &format!("\"{}", "x".repeat(3 << 20)))).await;
    assert_eq!(get(&server).await.unwrap_err().status(), Some(400));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_trickles_is_given_up_long_before_its_time_is_over() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n[".to_owned();
    for drop in ["1,", "                "] {
        let parts = [vec![head.clone()], vec![drop.to_owned(); 5000]].concat();
        let server = ScriptedServer::new(move |_| Act::Trickle(parts.clone(), Duration::from_secs(1))).await;
        let start = tokio::time::Instant::now();
        let failure = get(&server).await.unwrap_err();
        assert_eq!(*failure.cause(), Cause::Slow(Duration::from_mins(2)), "{failure}");
        assert!(start.elapsed() < Duration::from_mins(5), "twice two minutes: {:?}", start.elapsed());
        let settings = Settings { retry: fast(), ..Settings::new(&server.url) }.within(Duration::from_secs(5));
        let start = tokio::time::Instant::now();
        let failure = Client::new(settings).unwrap().json::<Value>(&Request::get("/x")).await.unwrap_err();
        assert_eq!(*failure.cause(), Cause::Slow(Duration::from_secs(10)), "{failure}");
        assert!(start.elapsed() < Duration::from_secs(30), "twice ten seconds: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_with_its_route() {
    #[derive(Debug, serde::Deserialize)]
    struct User {
        #[serde(rename = "status")]
        _status: String,
    }
    let body = r#"[{"id": "00u1", "status": "A"}, {"id": "00u2", "profile": {"login": "ada@x.io"}}]"#;
    let server = ScriptedServer::new(move |_| ok(200, body)).await;
    let failure = client(&server.url).json::<Vec<User>>(&Request::get("/api/v1/users")).await.unwrap_err();
    let text = failure.to_string();
    assert!(text.contains("/api/v1/users answered JSON of an unexpected shape"), "{text}");
    assert!(text.contains(r#"in "00u2" ("ada@x.io"): missing field `status`"#), "{text}");
}

#[tokio::test]
async fn an_id_of_any_length_is_shown_in_short() {
    let server = ScriptedServer::new(|_| ok(404, "")).await;
    let failure = client(&server.url).send(&Request::get(format!("/x/{}", "y".repeat(100_000)))).await.unwrap_err();
    assert!(failure.to_string().len() < 500, "{}", failure.to_string().len());
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_refused_with_its_length() {
    for status in [429, 503] {
        let server = ScriptedServer::new(move |_| answer(status, &[("retry-after", "86400")], "")).await;
        let failure = get(&server).await.unwrap_err();
        let text = "; gave up since the server asks to wait 86400 s before the next request";
        assert!(failure.to_string().ends_with(text), "{failure}");
        assert_eq!(server.lines().len(), 1);
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_that_does_not_show_it() {
    let settings = |value: &str| {
        let proxy = Some(("HTTPS_PROXY", value.into()));
        Settings { proxy, ..Settings::new("https://example.okta.com") }
    };
    for value in
        ["http://", "http://me:p4ss@", "socks5://p4ss:1080", "ftp://p4ss", "http://p4ss:port", "http://p4 ss", ":8080"]
    {
        let error = Client::new(settings(value)).unwrap_err();
        assert_eq!(error.kind, Kind::Config, "{value}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("the proxy in HTTPS_PROXY can't be used") && !text.contains("p4ss"), "{text}");
    }
    for value in
        ["http://proxy.example.com:8080", "https://me:p4ss@proxy.example.com", "proxy:8080", "proxy", "[::1]:80"]
    {
        Client::new(settings(value)).unwrap();
    }
    let own = Settings { base_url: "http://127.0.0.1:1".into(), ..settings("ftp://x") };
    Client::new(own).unwrap();
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_given_up_in_time() {
    // It takes connections in and never answers the handshake: until then none is made.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let settings = Settings { connect_timeout: Duration::from_millis(200), retry: fast(), ..Settings::new(url) };
    let failure = Client::new(settings).unwrap().json::<Value>(&Request::get("/x").once()).await.unwrap_err();
    assert!(failure.to_string().contains("accepted no connection within 0.2 s"), "{failure}");
    assert!(failure.is_unanswered());
    drop(silent);
}
