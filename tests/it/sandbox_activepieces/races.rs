//! Requests at the same time (docs/activepieces.md#deactivation and docs/activepieces.md#groups).

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::support::{Answer, SCIM, Server, group, user};

/// Sends twenty requests and lets them come to their effects when all of them are checked.
async fn race<F: Future<Output = Answer>>(server: &Server, request: impl FnMut(usize) -> F) -> Vec<Answer> {
    server.platform.hold_writes();
    let release = async {
        while server.platform.held_writes() < 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.platform.release_writes();
    };
    tokio::join!(join_all((0..20).map(request)), release).0
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[tokio::test]
async fn different_users_are_all_created() {
    let server = Server::start().await;
    let bodies: Vec<_> = (0..20).map(|n| user(&format!("{n}@example.com"), Some(&format!("00u{n}")))).collect();
    let path = format!("{SCIM}/Users");
    let answers = race(&server, |n| server.post(&path, &bodies[n])).await;
    assert_eq!(count(&answers, 201), 20);
}

#[tokio::test]
async fn of_one_address_one_is_created_and_the_rest_fails_in_two_other_shapes() {
    let server = Server::start().await;
    let (path, body) = (format!("{SCIM}/Users"), user("a@example.com", None));
    let answers = race(&server, |_| server.post(&path, &body)).await;
    assert_eq!(count(&answers, 201), 1);
    let existing = json!({"code": "EXISTING_USER", "params": {"email": "a@example.com", "platformId": null}});
    let mut shapes = [0, 0];
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        match answer.status {
            409 => assert_eq!(answer.body, existing),
            status => {
                assert_eq!((status, answer.failure().1), (500, "23505"));
                assert!(answer.failure().2.contains("UQ_7ad44f9fcbfc95e0a8436bbb029"));
            }
        }
        shapes[usize::from(answer.status == 409)] += 1;
    }
    assert!(shapes[1] > shapes[0], "{shapes:?}");
    assert_eq!(server.platform.users().len(), 2);
}

#[tokio::test]
async fn of_one_external_id_one_is_created_and_the_others_are_left_as_members_without_it() {
    let server = Server::start().await;
    let bodies: Vec<_> = (0..20)
        .map(|n| {
            let mut body = user(&format!("{n}@example.com"), Some("00u1"));
            body["active"] = json!(false);
            body
        })
        .collect();
    let path = format!("{SCIM}/Users");
    let answers = race(&server, |n| server.post(&path, &bodies[n])).await;
    assert_eq!((count(&answers, 201), count(&answers, 500)), (1, 19));
    for answer in answers.iter().filter(|answer| answer.status == 500) {
        assert_eq!(answer.failure().1, "23505");
    }
    let halves = server.platform.users();
    let halves: Vec<_> = halves.iter().filter(|user| user.role == "MEMBER" && user.active).collect();
    assert_eq!(halves.len(), 19);
    assert!(halves.iter().all(|user| user.external_id.is_none()));
    assert_eq!(server.platform.mails().len(), 1);
}

#[tokio::test]
async fn deletions_of_one_user_all_succeed() {
    let server = Server::start().await;
    let path = format!("{SCIM}/Users/{}", server.seed("a@example.com", None));
    let answers = join_all((0..20).map(|_| server.delete(&path))).await;
    assert_eq!(count(&answers, 204), 20);
}

fn addition(ids: &[String]) -> serde_json::Value {
    let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
    json!([{"op": "add", "path": "members", "value": members}])
}

#[tokio::test]
async fn additions_of_different_users_all_succeed() {
    let server = Server::start().await;
    let users: Vec<_> = (0..20).map(|n| server.seed(&format!("{n}@example.com"), None)).collect();
    let id = server.platform.seed_project("Team", None, &[]);
    let path = format!("{SCIM}/Groups/{id}");
    let answers = race(&server, |n| server.patch(&path, addition(&users[n..=n]))).await;
    assert_eq!(count(&answers, 200), 20);
    assert_eq!(server.roles(&id).len(), 20);
}

#[tokio::test]
async fn of_additions_of_the_same_users_one_succeeds_and_the_end_is_right() {
    let server = Server::start().await;
    let users: Vec<_> = (0..20).map(|n| server.seed(&format!("{n}@example.com"), None)).collect();
    let id = server.platform.seed_project("Team", None, &[]);
    let path = format!("{SCIM}/Groups/{id}");
    let answers = race(&server, |_| server.patch(&path, addition(&users))).await;
    assert_eq!((count(&answers, 200), count(&answers, 500)), (1, 19));
    for answer in answers.iter().filter(|answer| answer.status == 500) {
        assert!(answer.failure().2.starts_with("Could not find any entity of type \"project_member\""));
    }
    assert_eq!(server.roles(&id).len(), 20);
    assert_eq!(server.patch(&path, addition(&users)).await.status, 200);
}

#[tokio::test]
async fn of_replacements_by_two_lists_most_fail_and_the_end_is_their_union() {
    let server = Server::start().await;
    let users: Vec<_> = (0..4).map(|n| server.seed(&format!("{n}@example.com"), None)).collect();
    let id = server.platform.seed_project("Team", None, &[]);
    let path = format!("{SCIM}/Groups/{id}");
    let lists = [group("Team", None, &[&users[0], &users[1]]), group("Team", None, &[&users[2], &users[3]])];
    let answers = race(&server, |n| server.put(&path, &lists[n % 2])).await;
    assert_eq!((count(&answers, 200), count(&answers, 500)), (2, 18));
    assert_eq!(server.roles(&id).len(), 4);
}

#[tokio::test]
async fn removals_of_one_member_all_succeed() {
    let server = Server::start().await;
    let ada = server.seed("a@example.com", None);
    let id = server.platform.seed_project("Team", None, &[(ada.clone(), "Editor")]);
    let operations = json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}]);
    let path = format!("{SCIM}/Groups/{id}");
    let answers = join_all((0..20).map(|_| server.patch(&path, operations.clone()))).await;
    assert_eq!(count(&answers, 200), 20);
}

#[tokio::test]
async fn of_groups_with_one_external_id_one_is_created() {
    let server = Server::start().await;
    let (path, body) = (format!("{SCIM}/Groups"), group("Team", Some("00g1"), &[]));
    let answers = join_all((0..20).map(|_| server.post(&path, &body))).await;
    assert_eq!((count(&answers, 201), count(&answers, 500)), (1, 19));
    assert!(answers.iter().filter(|answer| answer.status == 500).all(|answer| answer.failure().1 == "23505"));
}

#[tokio::test]
async fn groups_without_an_external_id_are_all_created() {
    let server = Server::start().await;
    let (path, body) = (format!("{SCIM}/Groups"), group("Team", None, &[]));
    let answers = join_all((0..20).map(|_| server.post(&path, &body))).await;
    assert_eq!(count(&answers, 201), 20);
    assert_eq!(server.platform.projects().len(), 20);
}

#[tokio::test]
async fn several_deletions_of_one_group_succeed_and_later_ones_are_404() {
    let server = Server::start().await;
    let path = format!("{SCIM}/Groups/{}", server.platform.seed_project("Team", None, &[]));
    let answers = race(&server, |_| server.delete(&path)).await;
    assert_eq!(count(&answers, 204), 20);
    assert_eq!(server.send(Method::DELETE, &path, &json!({})).await.status, 404);
}
