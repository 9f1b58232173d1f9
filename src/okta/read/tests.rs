//! Whole reads of a small company.

use std::sync::Mutex;
use std::time::Duration;

use regex::Regex;

use super::*;
use crate::http::scripted::{Act, ScriptedServer};
use crate::mapping::projects::Selector;
use crate::model::okta::Status;
use crate::okta::testing::{Company, error, okta};

fn company() -> Company {
    Company {
        users: [
            ("00u1", "ACTIVE"),
            ("00u2", "SUSPENDED"),
            ("00u3", "DEPROVISIONED"),
            ("00u4", "ACTIVE"),
            ("00u5", "STAGED"),
            ("00u6", "ACTIVATING"),
        ]
        .into(),
        groups: vec![
            ("00g1", "Everyone", "BUILT_IN", vec!["00u1", "00u2", "00u3", "00u4", "00u5", "00u6"]),
            ("00g2", "Engineering", "OKTA_GROUP", vec!["00u1", "00u3"]),
            ("00g3", "AP Team Ops", "APP_GROUP", vec!["00u1", "00u4", "00u6"]),
            ("00g4", "Twice", "OKTA_GROUP", vec![]),
            ("00g5", "Twice", "APP_GROUP", vec![]),
        ],
        apps: vec![
            ("0oa1", "Activepieces", "ACTIVE", vec!["00u1", "00u2", "00u4"]),
            ("0oa2", "Activepieces Test", "INACTIVE", vec!["00u5"]),
            ("0oa3", "Pair", "ACTIVE", vec![]),
            ("0oa4", "Pair", "INACTIVE", vec![]),
        ],
        page: 1,
        ..Company::default()
    }
}

fn rules() -> Vec<ProjectRule> {
    let pattern = Selector::Match(Regex::new("^AP Team (.+)$").unwrap());
    vec![
        ProjectRule { selector: Selector::Group("Engineering".into()), name: None, location: None, roles: None },
        ProjectRule { selector: pattern, name: Some("$1".into()), location: None, roles: None },
    ]
}

async fn reading(company: Company, scope: &Scope, rules: &[ProjectRule], groups: bool) -> Result<Reading, Error> {
    let server = company.serve().await;
    read(&okta(&server.url), scope, rules, &Needs { groups, ..Needs::default() }, &KnownOrg::default(), &|_| ()).await
}

fn names<'a>(ids: impl IntoIterator<Item = &'a OktaUserId>) -> String {
    ids.into_iter().map(OktaUserId::as_str).collect::<Vec<_>>().join(" ")
}

fn app(label: &str) -> Scope {
    Scope { app: Some(label.into()), ..Scope::default() }
}

#[tokio::test]
async fn the_scope_is_the_union_of_what_its_keys_name() {
    let of = async |scope: Scope| names(&reading(company(), &scope, &[], false).await.unwrap().org.in_scope);
    let groups = || vec!["Engineering".to_owned(), "00g3".to_owned()];
    assert_eq!(of(app("Activepieces")).await, "00u1 00u2 00u4");
    assert_eq!(of(Scope { groups: groups(), ..Scope::default() }).await, "00u1 00u3 00u4 00u6");
    assert_eq!(of(Scope { search: Some("status eq \"ACTIVE\"".into()), ..Scope::default() }).await, "00u1 00u4");
    assert_eq!(of(Scope { everyone: true, ..Scope::default() }).await, "00u1 00u2 00u3 00u4 00u5 00u6");
    let both = Scope { groups: vec!["Engineering".into()], ..app("Activepieces") };
    assert_eq!(of(both).await, "00u1 00u2 00u3 00u4");
}

#[tokio::test]
async fn pushed_groups_hold_the_ids_of_all_members_and_no_users_of_their_own() {
    let scope = Scope { groups: vec!["Engineering".into()], ..Scope::default() };
    let org = reading(company(), &scope, &rules(), false).await.unwrap().org;
    assert_eq!(names(org.users.keys()), "00u1 00u3", "only those in scope");
    let pushed: Vec<_> =
        org.pushed.values().map(|pushed| (pushed.project_name.as_str(), names(&pushed.members))).collect();
    assert_eq!(pushed, [("Engineering", "00u1 00u3".to_owned()), ("Ops", "00u1 00u4 00u6".to_owned())]);
    assert!(org.groups_of.is_empty());
}

#[tokio::test]
async fn each_group_is_read_once_and_nothing_that_is_not_asked_for() {
    let server = Company { page: 100, ..company() }.serve().await;
    let scope = Scope { groups: vec!["Engineering".into()], ..app("Activepieces") };
    read(&okta(&server.url), &scope, &rules(), &Needs::default(), &KnownOrg::default(), &|_| ()).await.unwrap();
    let mut lines = server.lines();
    lines.sort();
    let expected = [
        "GET /api/v1/apps/0oa1/users?expand=user&limit=500",
        "GET /api/v1/apps?q=Activepieces&limit=200",
        "GET /api/v1/groups/00g2/users?limit=1000",
        "GET /api/v1/groups/00g3/users?limit=1000",
        "GET /api/v1/groups?limit=200",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn app_users_that_come_without_their_user_are_read_by_id() {
    let company = Company { forgets_expand: true, ..company() };
    let server = company.serve().await;
    let reading = read(&okta(&server.url), &app("Activepieces"), &[], &Needs::default(), &KnownOrg::default(), &|_| ())
        .await
        .unwrap();
    assert_eq!(names(&reading.org.in_scope), "00u1 00u2 00u4");
    assert_eq!(reading.org.users[&OktaUserId::from("00u2")].status, Status::Suspended);
    let by_id = server.lines().into_iter().filter(|line| line.starts_with("GET /api/v1/users/")).count();
    assert_eq!(by_id, 2);
}

#[tokio::test]
async fn wrong_names_are_config_errors_all_at_once() {
    let scope = Scope { groups: vec!["Enginering".into(), "Twice".into()], ..app("Activpieces") };
    let rule = ProjectRule {
        selector: Selector::Group("Nope".into()),
        name: None,
        location: Some("config.toml:9".into()),
        roles: None,
    };
    let error = reading(company(), &scope, &[rule], false).await.unwrap().of_whole_scope().unwrap_err();
    assert_eq!(error.kind, Kind::Config);
    let text = error.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"[scope] app: no app in Okta has the id or the label "Activpieces"; did you mean "Activepieces" or "Activepieces Test"?"#,
            r#"[scope] groups: no group in Okta has the id or the name "Enginering"; did you mean "Engineering"?"#,
            r#"[scope] groups: several groups are named "Twice"; name one by its id: 00g4 (OKTA_GROUP), 00g5 (APP_GROUP)"#,
            r#"[[projects]] config.toml:9: no group in Okta has the id or the name "Nope""#,
        ]
    );
    let error = reading(company(), &app("Pair"), &[], false).await.unwrap().of_whole_scope().unwrap_err();
    assert!(error.to_string().ends_with("name one by its id: 0oa3 (ACTIVE), 0oa4 (INACTIVE)"), "{error}");
}

#[tokio::test]
async fn an_app_is_found_by_its_id_of_any_shape() {
    let apps = vec![("0oa1", "Activepieces", "ACTIVE", vec!["00u1"]), ("app-2", "Other", "ACTIVE", vec!["00u4"])];
    for (id, user) in [("0oa1", "00u1"), ("app-2", "00u4")] {
        let company = Company { apps: apps.clone(), ..company() };
        assert_eq!(names(&reading(company, &app(id), &[], false).await.unwrap().org.in_scope), user);
    }
}

#[tokio::test]
async fn what_is_odd_but_not_wrong_is_a_warning() {
    let rule =
        ProjectRule { selector: Selector::Match(Regex::new("^X").unwrap()), name: None, location: None, roles: None };
    let found = reading(company(), &app("Activepieces Test"), &[rule], false).await.unwrap();
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    assert!(found.warnings[0].contains("is INACTIVE") && found.warnings[1].contains("^X"), "{:?}", found.warnings);
    let nobody = Company { users: [].into(), groups: vec![], ..company() };
    let found = reading(nobody, &Scope { everyone: true, ..Scope::default() }, &[], false).await.unwrap();
    assert_eq!(found.warnings.len(), 1);
    assert!(found.warnings[0].starts_with("the scope holds no user; "), "{:?}", found.warnings);
}

/// The groups that each user was found in.
fn groups_of(org: &Org) -> Vec<(&str, Vec<&str>)> {
    org.groups_of
        .iter()
        .map(|(user, groups)| (user.as_str(), groups.iter().map(|group| group.name.as_str()).collect()))
        .collect()
}

#[tokio::test]
async fn groups_of_users_are_read_the_cheaper_way_with_the_same_result() {
    let scope = Scope { everyone: true, ..Scope::default() };
    let expected = [
        ("00u1", vec!["Everyone", "Engineering", "AP Team Ops"]),
        ("00u4", vec!["Everyone", "AP Team Ops"]),
        ("00u6", vec!["Everyone", "AP Team Ops"]),
    ];
    // Three users who can sign in: five groups are dearer than three users, two that aren't known yet are cheaper.
    let server = company().serve().await;
    let groups = Needs { groups: true, ..Needs::default() };
    let by_user = read(&okta(&server.url), &scope, &[], &groups, &KnownOrg::default(), &|_| ()).await.unwrap().org;
    assert_eq!(groups_of(&by_user), expected);
    assert!(server.lines().iter().any(|line| line.starts_with("GET /api/v1/users/00u1/groups")));
    let fewer = Company { groups: company().groups[..3].to_vec(), ..company() };
    let server = fewer.serve().await;
    let by_group =
        read(&okta(&server.url), &scope, &rules(), &groups, &KnownOrg::default(), &|_| ()).await.unwrap().org;
    assert_eq!(groups_of(&by_group), expected);
    assert!(!server.lines().iter().any(|line| line.contains("/groups?") && line.contains("/users/")));
}

#[tokio::test]
async fn everyone_is_not_read_to_know_that_everybody_is_in_it() {
    let company = Company { groups: company().groups[..3].to_vec(), ..company() };
    let server = company.serve().await;
    let scope = Scope { everyone: true, ..Scope::default() };
    let groups = Needs { groups: true, ..Needs::default() };
    let org = read(&okta(&server.url), &scope, &[], &groups, &KnownOrg::default(), &|_| ()).await.unwrap().org;
    let expected = ["Everyone Engineering AP Team Ops", "Everyone AP Team Ops", "Everyone AP Team Ops"];
    assert_eq!(groups_of(&org).into_iter().map(|(_, groups)| groups.join(" ")).collect::<Vec<_>>(), expected);
    let lines = server.lines();
    assert!(lines.iter().any(|line| line.contains("/groups/00g2/users")), "by group: {lines:?}");
    assert!(!lines.iter().any(|line| line.contains("/groups/00g1/users")), "{lines:?}");
}

/// A company whose group of this id is deleted as soon as the groups are listed.
async fn without(group: &'static str) -> ScriptedServer {
    let company = Company { groups: company().groups[..3].to_vec(), ..company() };
    ScriptedServer::new(move |seen| {
        if seen.path().contains(&format!("/groups/{group}/users")) {
            return error(404, "E0000007", "Not found");
        }
        company.act(seen)
    })
    .await
}

#[tokio::test]
async fn a_group_that_is_deleted_before_its_members_are_read_is_never_taken_for_an_empty_one() {
    let scope = Scope { everyone: true, ..Scope::default() };
    let groups = Needs { groups: true, ..Needs::default() };
    // 00g3 is pushed and asked for by expressions.
    let server = without("00g3").await;
    let org = read(&okta(&server.url), &scope, &rules(), &groups, &KnownOrg::default(), &|_| ()).await.unwrap().org;
    assert_eq!(org.pushed.keys().collect::<Vec<_>>(), [&OktaGroupId::from("00g2")]);
    assert_eq!(org.vanished, [("00g3".into(), "Ops".to_owned())].into());
    assert_eq!(groups_of(&org)[0], ("00u1", vec!["Everyone", "Engineering"]));
    // Only expressions ask for it.
    let org = read(&okta(&server.url), &scope, &[], &groups, &KnownOrg::default(), &|_| ()).await.unwrap().org;
    assert_eq!(groups_of(&org)[0], ("00u1", vec!["Everyone", "Engineering"]));
    assert!(org.vanished.is_empty());
    // It is the scope.
    let scope = Scope { groups: vec!["AP Team Ops".into()], ..Scope::default() };
    let error = read(&okta(&server.url), &scope, &rules(), &groups, &KnownOrg::default(), &|_| ()).await.unwrap_err();
    assert!(error.to_string().contains("\"AP Team Ops\", which is in scope, was deleted"), "{error}");
    assert_eq!(error.hints, ["run it again; nothing was planned or changed"]);
}

#[tokio::test]
async fn who_is_assigned_is_read_while_groups_are_still_listed() {
    let company = company();
    let server = ScriptedServer::new(move |seen| {
        let Act::Send(text) = company.act(seen) else { unreachable!() };
        let pause = if seen.path().ends_with("/groups") { 200 } else { 0 };
        Act::Trickle(vec![text], Duration::from_millis(pause))
    })
    .await;
    let scope = app("Activepieces");
    read(&okta(&server.url), &scope, &rules(), &Needs::default(), &KnownOrg::default(), &|_| ()).await.unwrap();
    let lines = server.lines();
    let last_of = |route: &str| lines.iter().rposition(|line| line.contains(route)).unwrap();
    assert!(last_of("/apps/0oa1/users?") < last_of("/groups?"), "{lines:?}");
}

#[tokio::test]
async fn a_listing_that_fails_fails_the_whole_read() {
    for broken in ["/apps/0oa1/users", "/groups/00g3/users", "/users?", "/groups?"] {
        let company = company();
        let server = ScriptedServer::new(move |seen| {
            if seen.line.contains(broken) { error(403, "E0000006", "no") } else { company.act(seen) }
        })
        .await;
        let scope = Scope { everyone: true, groups: vec!["Engineering".into()], ..app("Activepieces") };
        let error = read(&okta(&server.url), &scope, &rules(), &Needs::default(), &KnownOrg::default(), &|_| ())
            .await
            .unwrap_err();
        assert_eq!(error.kind, Kind::Unauthorized, "{broken}: {error}");
        assert_eq!(error.hints.len(), 1, "{broken}");
    }
}

#[tokio::test]
async fn progress_is_reported_from_names_to_members() {
    let server = company().serve().await;
    let seen = Mutex::new(Vec::new());
    let on_progress = |progress| seen.lock().unwrap().push(progress);
    read(&okta(&server.url), &app("Activepieces"), &rules(), &Needs::default(), &KnownOrg::default(), &on_progress)
        .await
        .unwrap();
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen[0], Progress { step: Step::Names, done: 0, total: None });
    assert!(seen.contains(&Progress { step: Step::AppUsers, done: 3, total: None }));
    assert!(seen.contains(&Progress { step: Step::Members, done: 2, total: Some(2) }));
}

#[test]
fn a_read_can_run_on_any_thread() {
    fn sends<T: Send>(_: T) {}
    let okta = okta("http://127.0.0.1:1");
    let (scope, report) = (Scope::default(), |_| ());
    sends(read(&okta, &scope, &[], &Needs::default(), &KnownOrg::default(), &report));
}
