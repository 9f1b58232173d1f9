//! PATCH of groups (docs/activepieces.md#patch-of-a-group).

use serde_json::{Value, json};

use super::support::{Answer, SCIM, Server, UNKNOWN};

/// A project with `a` as Viewer and `b` as Admin; `c` and the inactive `d` aren't members.
struct Team {
    server: Server,
    id: String,
    a: String,
    b: String,
    c: String,
    d: String,
}

impl Team {
    async fn start() -> Self {
        let server = Server::start().await;
        let [a, b, c] = ["a", "b", "c"].map(|name| server.seed(&format!("{name}@example.com"), None));
        let d = server.seed_inactive("d@example.com", None);
        let id = server.platform.seed_project("Team", Some("00g1"), &[(a.clone(), "Viewer"), (b.clone(), "Admin")]);
        Self { server, id, a, b, c, d }
    }

    async fn patch(&self, operations: Value) -> Answer {
        self.server.patch(&format!("{SCIM}/Groups/{}", self.id), operations).await
    }

    async fn add(&self, ids: &[&str]) -> Answer {
        let members: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
        self.patch(json!([{"op": "add", "path": "members", "value": members}])).await
    }

    /// The members' letters and roles.
    fn roles(&self) -> String {
        let roles = self.server.roles(&self.id);
        let letters = [("a", &self.a), ("b", &self.b), ("c", &self.c), ("d", &self.d)];
        let of = |id: &String| roles.iter().find(|(user, _)| user == id).map(|(_, role)| role.as_str());
        letters.iter().filter_map(|(letter, id)| of(id).map(|role| format!("{letter}={role} "))).collect()
    }
}

const BEFORE: &str = "a=Viewer b=Admin ";

#[tokio::test]
async fn adding_leaves_the_roles_of_others() {
    let team = Team::start().await;
    let answer = team.add(&[&team.c]).await;
    assert_eq!((answer.status, answer.members().len()), (200, 3));
    assert_eq!(team.roles(), "a=Viewer b=Admin c=Editor ");
}

#[tokio::test]
async fn adding_a_member_again_resets_the_role() {
    let team = Team::start().await;
    team.add(&[&team.b]).await;
    assert_eq!(team.roles(), "a=Viewer b=Editor ");
}

#[tokio::test]
async fn adding_nobody_unknown_or_inactive_users_is_fine() {
    let team = Team::start().await;
    let elsewhere = team.server.platform.seed_user_elsewhere("e@example.com", "E", "E");
    for ids in [&[][..], &[UNKNOWN], &[team.d.as_str()], &[elsewhere.as_str()]] {
        let answer = team.add(ids).await;
        assert_eq!((answer.status, answer.members().len()), (200, 2), "{ids:?}");
        assert_eq!(team.roles(), BEFORE);
    }
}

#[tokio::test]
async fn adding_what_isnt_a_list_is_500() {
    let team = Team::start().await;
    let cases = [
        (json!({"op": "add", "path": "members", "value": {"value": team.c}}), "memberValues.map is not a function"),
        (json!({"op": "add", "path": "members"}), "Cannot read properties of undefined (reading 'map')"),
    ];
    for (operation, message) in cases {
        let answer = team.patch(json!([operation])).await;
        let body = json!({"statusCode": 500, "error": "Internal Server Error", "message": message});
        assert_eq!((answer.status, answer.body), (500, body));
    }
}

#[tokio::test]
async fn adding_a_new_member_twice_is_500_and_the_member_is_there() {
    let team = Team::start().await;
    let answer = team.add(&[&team.c, &team.c]).await;
    assert_eq!(answer.status, 500);
    assert!(answer.failure().2.starts_with("Could not find any entity of type \"project_member\""));
    assert_eq!(team.roles(), "a=Viewer b=Admin c=Editor ");
}

#[tokio::test]
async fn adding_a_present_member_twice_is_fine() {
    let team = Team::start().await;
    assert_eq!(team.add(&[&team.a, &team.a]).await.status, 200);
}

#[tokio::test]
async fn removing_one_by_the_value_filter_works() {
    let team = Team::start().await;
    for path in [format!("members[value eq \"{}\"]", team.a), format!("MEMBERS[VALUE EQ \"{}\"]", team.b)] {
        assert_eq!(team.patch(json!([{"op": "remove", "path": path}])).await.status, 200);
    }
    assert_eq!(team.roles(), "");
}

#[tokio::test]
async fn several_removals_in_one_request_work() {
    let team = Team::start().await;
    let removal = |id: &str| json!({"op": "Remove", "path": format!("members[value eq \"{id}\"]")});
    let answer = team.patch(json!([removal(&team.a), removal(UNKNOWN), removal(&team.b)])).await;
    assert_eq!((answer.status, answer.members().len()), (200, 0));
}

#[tokio::test]
async fn operations_that_do_nothing() {
    let team = Team::start().await;
    let before = team.server.platform.projects();
    let (a, b, c) = (&team.a, &team.b, &team.c);
    let operations = [
        json!({"op": "add", "value": {"members": [{"value": c}]}}),
        json!({"op": "add", "path": "Members", "value": [{"value": c}]}),
        json!({"op": "add", "path": "displayName", "value": "X"}),
        json!({"op": "add", "path": "externalId", "value": "X"}),
        json!({"op": "remove", "path": format!("members[value eq \"{}\"]", a.to_lowercase())}),
        json!({"op": "remove", "path": format!("members[value eq \"{UNKNOWN}\"]")}),
        json!({"op": "remove", "path": format!("members[value eq \"{a}\" or value eq \"{b}\"]")}),
        json!({"op": "remove", "path": "members", "value": [{"value": a}]}),
        json!({"op": "remove", "path": "members"}),
        json!({"op": "replace", "path": "members", "value": [{"value": c}]}),
        json!({"op": "replace", "path": "externalId", "value": "X"}),
        json!({"op": "replace", "value": {"externalId": "X", "id": "X", "displayName": null}}),
    ];
    for operation in operations {
        assert_eq!(team.patch(json!([operation])).await.status, 200, "{operation}");
        assert_eq!(team.server.platform.projects(), before, "{operation}");
    }
}

#[tokio::test]
async fn replacing_the_name_works_by_path_and_by_object() {
    let team = Team::start().await;
    let by_path = json!([{"op": "replace", "path": "displayName", "value": "One"}]);
    assert_eq!(team.patch(by_path).await.body["displayName"], "One");
    let by_object = json!([{"op": "Replace", "value": {"displayName": "Two"}}]);
    assert_eq!(team.patch(by_object).await.body["displayName"], "Two");
    assert_eq!(team.roles(), BEFORE);
}

#[tokio::test]
async fn replacing_members_by_object_is_a_full_replacement_with_roles_reset() {
    let team = Team::start().await;
    let operation = json!({"op": "replace", "value": {"members": [{"value": team.b}, {"value": team.c}]}});
    assert_eq!(team.patch(json!([operation])).await.status, 200);
    assert_eq!(team.roles(), "b=Editor c=Editor ");
}

#[tokio::test]
async fn replacing_members_by_null_or_nothing_empties_the_group() {
    for members in [json!(null), json!([])] {
        let team = Team::start().await;
        team.patch(json!([{"op": "replace", "value": {"members": members}}])).await;
        assert_eq!(team.roles(), "");
    }
}

#[tokio::test]
async fn the_answer_is_a_true_reading_with_inactive_members() {
    let team = Team::start().await;
    team.server.delete(&format!("{SCIM}/Users/{}", team.a)).await;
    assert_eq!(team.patch(json!([])).await.members().len(), 2);
}

#[tokio::test]
async fn an_error_midway_keeps_what_came_before() {
    let team = Team::start().await;
    let operations = json!([
        {"op": "replace", "path": "displayName", "value": "New"},
        {"op": "add", "path": "members"},
    ]);
    assert_eq!(team.patch(operations).await.status, 500);
    assert_eq!(team.server.platform.projects()[0].name, "New");
}
