//! Listings against hostile servers: each is read to its end, or it's an error.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::http::Cause;
use crate::http::scripted::{Act, ScriptedServer, Seen, answer, json as plain};
use crate::model::id::OktaGroupId;
use crate::model::okta::{Status, User};
use crate::okta::testing::{error, okta, page, user};

fn ids(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.id.as_str()).collect()
}

/// A listing of pages by cursor, the first one without.
async fn listing(act: impl Fn(&Seen, Option<&str>) -> Act + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::new(move |seen| act(seen, seen.param("after").as_deref())).await
}

fn one(seen: &Seen, id: &str, after: Option<&str>) -> Act {
    page(seen, &json!([user(id, "ACTIVE")]), after)
}

#[tokio::test]
async fn every_page_carries_the_original_parameters_and_the_raw_cursor() {
    let server = listing(|seen, after| match after {
        None => one(seen, "00u1", Some("a%2Bb%3D+c")),
        Some("a+b= c") => one(seen, "00u2", None),
        Some(other) => panic!("{other}"),
    })
    .await;
    let okta = okta(&server.url);
    assert_eq!(ids(&okta.users("status pr").await.unwrap()), ["00u1", "00u2"]);
    let first = "GET /api/v1/users?search=status%20pr&limit=200";
    assert_eq!(server.lines(), [first.to_owned(), format!("{first}&after=a%2Bb%3D+c")]);
    let seen = &server.seen()[0];
    assert_eq!(seen.header("authorization"), Some("SSWS 00token"));
    assert!(seen.header("content-type").unwrap().contains("omitCredentialsLinks"));
    assert_eq!(okta.http().requests(), 2);
    assert_eq!(okta.http().pace().requests_by_bucket(), BTreeMap::from([("users", 2)]));
}

#[tokio::test]
async fn an_entity_on_two_pages_is_taken_once_and_the_later_one_wins() {
    let server = listing(|seen, after| match after {
        None => page(seen, &json!([user("00u1", "ACTIVE"), user("00u2", "ACTIVE")]), Some("2")),
        Some(_) => page(seen, &json!([user("00u1", "SUSPENDED")]), None),
    })
    .await;
    let users = okta(&server.url).users("status pr").await.unwrap();
    assert_eq!(ids(&users), ["00u1", "00u2"]);
    assert_eq!(users[0].status, Status::Suspended);
}

#[tokio::test]
async fn an_empty_page_with_a_next_link_is_not_the_end() {
    let server = listing(|seen, after| match after {
        None => page(seen, &json!([]), Some("2")),
        Some(_) => one(seen, "00u1", None),
    })
    .await;
    assert_eq!(ids(&okta(&server.url).users("status pr").await.unwrap()), ["00u1"]);
}

#[tokio::test]
async fn next_links_that_cannot_be_followed_are_errors() {
    let elsewhere = |next: &'static str| {
        move |_: &Seen, _: Option<&str>| answer(200, &[("link", next), ("content-type", "application/json")], "[]")
    };
    let cases = [
        (r#"<https://evil.example.com/api/v1/users?after=2>; rel="next""#, "another host", 1),
        (r#"</api/v1/users>; rel="next""#, "no cursor", 1),
        (r#"</api/v1/users?after=2>; rel="next""#, "read already", 2),
        (r#"/api/v1/users?after=2; rel="next""#, "can't be read", 1),
    ];
    for (next, why, requests) in cases {
        let server = listing(elsewhere(next)).await;
        let failure = okta(&server.url).users("status pr").await.unwrap_err();
        assert!(matches!(failure.cause(), Cause::Implausible(text) if text.contains(why)), "{next}: {failure}");
        assert_eq!(server.lines().len(), requests, "{next}");
    }
}

#[tokio::test]
async fn a_cursor_that_runs_in_a_circle_is_an_error() {
    let server = listing(|seen, after| one(seen, "00u1", Some(if after == Some("a") { "b" } else { "a" }))).await;
    let failure = okta(&server.url).users("status pr").await.unwrap_err();
    assert!(matches!(failure.cause(), Cause::Implausible(_)), "{failure}");
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn an_expired_cursor_begins_the_listing_anew() {
    for code in ["E0000031", "E0000029"] {
        let expired = AtomicUsize::new(0);
        let server = listing(move |seen, after| match after {
            None => page(
                seen,
                &json!([user(if expired.load(Ordering::SeqCst) == 0 { "00u0" } else { "00u1" }, "ACTIVE")]),
                Some("2"),
            ),
            Some(_) if expired.fetch_add(1, Ordering::SeqCst) == 0 => error(400, code, "Invalid cursor."),
            Some(_) => one(seen, "00u2", None),
        })
        .await;
        let users = okta(&server.url).users("status pr").await.unwrap();
        assert_eq!(ids(&users), ["00u1", "00u2"], "nothing of the first try is left");
        assert_eq!(server.lines().len(), 4);
    }
}

#[tokio::test]
async fn cursors_that_always_expire_and_bad_searches_are_errors() {
    let server = listing(|seen, after| match after {
        None => one(seen, "00u1", Some("2")),
        Some(_) => error(400, "E0000031", "Invalid cursor."),
    })
    .await;
    assert_eq!(okta(&server.url).users("status pr").await.unwrap_err().code(), Some("E0000031"));
    assert_eq!(server.lines().len(), 8, "begun four times");
    let server = listing(|_, _| error(400, "E0000031", "Invalid cursor.")).await;
    assert!(okta(&server.url).users("a ne b").await.is_err());
    assert_eq!(server.lines().len(), 1, "no cursor was sent");
}

#[tokio::test]
async fn a_500_halves_the_page_and_asks_for_the_same_one_again() {
    let server = listing(|seen, after| {
        let limit: u32 = seen.param("limit").unwrap().parse().unwrap();
        match after {
            Some("2") if limit > 50 => error(500, "E0000009", "timeout"),
            Some("2") => one(seen, "00u2", Some("3")),
            Some(_) => one(seen, "00u3", None),
            None => one(seen, "00u1", Some("2")),
        }
    })
    .await;
    assert_eq!(ids(&okta(&server.url).users("status pr").await.unwrap()), ["00u1", "00u2", "00u3"]);
    let asked: Vec<_> = server.seen().iter().map(|seen| (seen.param("after"), seen.param("limit").unwrap())).collect();
    let two = || Some("2".to_owned());
    let expected = [(None, "200"), (two(), "200"), (two(), "100"), (two(), "50"), (Some("3".to_owned()), "50")];
    assert_eq!(asked, expected.map(|(after, limit)| (after, limit.to_owned())));
}

#[tokio::test]
async fn a_500_that_stays_ends_in_an_error() {
    let server = listing(|_, _| error(500, "E0000009", "timeout")).await;
    assert_eq!(okta(&server.url).users("status pr").await.unwrap_err().status(), Some(500));
    // 200, 100, 50, 25, 12, and at 10 the budget of any read.
    assert_eq!(server.lines().len(), 5 + 6);
}

#[tokio::test]
async fn trouble_on_a_page_that_passes_loses_nobody() {
    let trouble = [
        plain(503, ""),
        error(500, "E0000009", "timeout"),
        answer(429, &[("x-rate-limit-limit", "0"), ("x-rate-limit-remaining", "0")], "{}"),
        answer(429, &[("retry-after", "0")], "{}"),
        plain(200, r#"[{"id":"00u9","#),
        answer(200, &[("content-type", "text/html")], "<html>"),
        Act::SendAndCut(String::new()),
        Act::SendAndCut("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[]".into()),
    ];
    for act in trouble {
        let once = Mutex::new(Some(act.clone()));
        let server = listing(move |seen, after| match after {
            None => one(seen, "00u1", Some("2")),
            Some(_) => once.lock().unwrap().take().unwrap_or_else(|| one(seen, "00u2", None)),
        })
        .await;
        assert_eq!(ids(&okta(&server.url).users("status pr").await.unwrap()), ["00u1", "00u2"], "{act:?}");
        assert_eq!(server.lines().len(), 3, "{act:?}");
    }
}

#[tokio::test]
async fn trouble_that_stays_is_an_error_and_never_a_shorter_list() {
    for act in
        [plain(200, "[{"), plain(403, ""), plain(404, ""), answer(200, &[], "<html>"), plain(200, r#"[{"id":1}]"#)]
    {
        let last = act.clone();
        let server = listing(move |seen, after| match after {
            None => one(seen, "00u1", Some("2")),
            Some(_) => last.clone(),
        })
        .await;
        assert!(okta(&server.url).users("status pr").await.is_err(), "{act:?}");
    }
}

#[tokio::test]
async fn only_oktas_own_404_means_that_somebody_is_gone() {
    let cases = [
        (error(404, "E0000007", "Not found"), true),
        (error(404, "E0000008", "path"), false),
        (plain(404, r#"{"status":404,"message":"no route"}"#), false),
        (answer(404, &[("content-type", "text/html")], "<html>"), false),
        (plain(403, ""), false),
    ];
    for (act, gone) in cases {
        let server = ScriptedServer::script([act.clone()]).await;
        let found = okta(&server.url).user("00u1").await;
        assert_eq!(matches!(found, Ok(None)), gone, "{act:?}");
        assert_eq!(found.is_err(), !gone, "{act:?}");
    }
}

#[tokio::test]
async fn each_route_has_its_path_and_page_size() {
    let server = ScriptedServer::new(|seen| page(seen, &json!([]), None)).await;
    let okta = okta(&server.url);
    okta.groups().await.unwrap();
    okta.group_member_ids(&"00g1".into()).await.unwrap();
    okta.user_groups(&"00u1".into()).await.unwrap();
    okta.apps(Some("A&B")).await.unwrap();
    okta.app_users_as(&"0oa1".into(), &|_| (), &|_| ()).await.unwrap();
    okta.probe_users().await.unwrap();
    let expected = [
        "GET /api/v1/groups?limit=200",
        "GET /api/v1/groups/00g1/users?limit=1000",
        "GET /api/v1/users/00u1/groups",
        "GET /api/v1/apps?q=A%26B&limit=200",
        "GET /api/v1/apps/0oa1/users?expand=user&limit=500",
        "GET /api/v1/users?limit=1",
    ];
    assert_eq!(server.lines(), expected);
}

#[tokio::test]
async fn a_login_is_a_path_segment_whatever_is_in_it() {
    let server = ScriptedServer::new(|_| error(404, "E0000007", "x")).await;
    let okta = okta(&server.url);
    assert!(okta.user("a/b?c@example.com").await.unwrap().is_none());
    assert_eq!(server.lines(), ["GET /api/v1/users/a%2Fb%3Fc%40example.com"]);
    for dots in [".", ".."] {
        assert!(okta.user(dots).await.unwrap().is_none(), "no user can have this id");
    }
    assert_eq!(server.lines().len(), 1, "never another route");
}

#[tokio::test]
async fn an_unknown_status_and_unknown_members_are_kept_or_ignored() {
    let body: Value = json!([{"id": "00u1", "status": "ACTIVATING", "profile": {"a": null}, "new": {"x": 1}}]);
    let server = listing(move |seen, _| page(seen, &body, None)).await;
    let users = okta(&server.url).users("status pr").await.unwrap();
    assert_eq!(users[0].status, Status::Other("ACTIVATING".into()));
    assert_eq!(users[0].profile.get("a"), Some(&Value::Null));
}

#[tokio::test]
async fn what_goes_side_by_side_leaves_room_for_chains_all_in_all() {
    let okta = okta("http://127.0.0.1:1");
    let (now, most) = (Cell::new(0), Cell::new(0));
    let work = async |_| {
        now.set(now.get() + 1);
        most.set(most.get().max(now.get()));
        tokio::task::yield_now().await;
        now.set(now.get() - 1);
    };
    futures_util::future::join_all((0..100).map(|at| okta.in_parallel(work(at)))).await;
    assert_eq!(most.get(), 26, "four fifths of 35, and two of these are left to chains");
}

#[tokio::test]
async fn a_complete_listing_is_shared_and_one_that_fails_is_not() {
    let server = listing(|seen, after| match (seen.path().contains("00gBAD"), after) {
        (true, Some(_)) => error(403, "E0000006", "x"),
        (_, None) => one(seen, "00u1", Some("2")),
        (false, Some(_)) => one(seen, "00u2", None),
    })
    .await;
    let (shared, good, bad) = (Shared::default(), OktaGroupId::from("00g1"), OktaGroupId::from("00gBAD"));
    let alone = okta(&server.url);
    for _ in 0..2 {
        // Each target has a client of its own.
        let first = okta(&server.url).sharing(shared.clone());
        assert_eq!(first.group_member_ids(&good).await.unwrap().len(), 2);
        assert_eq!(first.group_member_ids(&bad).await.unwrap_err().status(), Some(403));
    }
    assert_eq!(server.lines().len(), 2 + 2 * 2, "the good one once, the bad one twice: {:?}", server.lines());
    assert_eq!(alone.group_member_ids(&good).await.unwrap().len(), 2);
    assert_eq!(server.lines().len(), 8, "a client that doesn't share asks the server");
}
