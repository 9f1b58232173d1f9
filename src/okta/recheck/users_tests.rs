//! What asking by id finds for users that a listing missed.

use super::*;
use crate::expression::Needs;
use crate::http::scripted::ScriptedServer;
use crate::mapping::projects::{ProjectRule, Selector};
use crate::model::Members;
use crate::model::known::KnownOrg;
use crate::model::org::Scope;
use crate::okta::read::{Reading, read};
use crate::okta::testing::{Company, error, okta};

fn company() -> Company {
    Company {
        users: [("00u1", "ACTIVE"), ("00u2", "ACTIVE"), ("00u3", "SUSPENDED"), ("00u4", "ACTIVE")].into(),
        groups: vec![("00g1", "Engineering", "OKTA_GROUP", vec!["00u1", "00u2"])],
        apps: vec![("0oa1", "Activepieces", "ACTIVE", vec!["00u1", "00u2", "00u3"])],
        page: 1,
        ..Company::default()
    }
}

fn ids(ids: &[&str]) -> BTreeSet<OktaUserId> {
    ids.iter().map(|id| OktaUserId::from(*id)).collect()
}

fn members(ids: &[&str]) -> Members<OktaUserId> {
    ids.iter().map(|id| OktaUserId::from(*id)).collect()
}

fn app() -> Scope {
    Scope { app: Some("Activepieces".into()), ..Scope::default() }
}

/// Reads one company, whose listings miss users, and asks another, whose listings don't.
async fn confirmed(
    scope: &Scope,
    first: Company,
    then: Company,
    users: &[&str],
    members: &[&str],
) -> Result<Org, Error> {
    let Reading { mut org, scope, .. } = first_read(scope, first).await;
    let server = then.serve().await;
    confirm(&okta(&server.url), &scope, &mut org, ids(users), ids(members)).await?;
    Ok(org)
}

async fn first_read(scope: &Scope, company: Company) -> Reading {
    let rule = ProjectRule::new(Selector::group("Engineering"));
    let server = company.serve().await;
    read(&okta(&server.url), scope, &[rule], &Needs::default(), &KnownOrg::default(), &|_| ()).await.unwrap()
}

#[tokio::test]
async fn who_was_missed_by_a_listing_is_put_back_into_scope() {
    let hidden = |path| Company { hidden: [(path, "00u2")].into(), ..company() };
    let scopes = [
        (app(), "apps/0oa1/users"),
        (Scope { groups: vec!["Engineering".into()], ..Scope::default() }, "groups/00g1/users"),
        (Scope { search: Some("status eq \"ACTIVE\"".into()), ..Scope::default() }, "users"),
        (Scope { everyone: true, ..Scope::default() }, "users"),
    ];
    for (scope, path) in scopes {
        let before = first_read(&scope, hidden(path)).await.org;
        assert!(!before.in_scope.contains(&"00u2".into()), "{scope:?}");
        let org = confirmed(&scope, hidden(path), company(), &["00u2"], &[]).await.unwrap();
        assert!(org.in_scope.contains(&"00u2".into()), "{scope:?}");
        assert!(org.users.contains_key(&OktaUserId::from("00u2")));
    }
}

#[tokio::test]
async fn gone_out_of_scope_and_suspended_are_told_apart() {
    let org = confirmed(&app(), company(), company(), &["00u3", "00u4", "00u9"], &[]).await.unwrap();
    assert_eq!(org.gone, ids(&["00u9"]));
    assert_eq!(org.users[&OktaUserId::from("00u4")].status, Status::Active);
    assert!(!org.in_scope.contains(&"00u4".into()));
    assert_eq!(org.users[&OktaUserId::from("00u3")].status, Status::Suspended);
}

#[tokio::test]
async fn the_scope_of_a_deactivated_user_is_not_asked_for_and_that_of_a_suspended_one_is() {
    for (status, asked) in [("DEPROVISIONED", false), ("SUSPENDED", true)] {
        let mut company = company();
        company.users.insert("00u3", status);
        let Reading { mut org, scope, .. } = first_read(&app(), company.clone()).await;
        let server = company.serve().await;
        confirm(&okta(&server.url), &scope, &mut org, ids(&["00u3"]), BTreeSet::new()).await.unwrap();
        let lines = server.lines();
        assert_eq!(lines[0], "GET /api/v1/users/00u3");
        assert_eq!(lines.len() > 1, asked, "{status}: {lines:?}");
    }
}

fn search(search: &str) -> Scope {
    Scope { search: Some(search.into()), ..Scope::default() }
}

#[tokio::test]
async fn a_search_is_told_on_the_user_whatever_its_index_says() {
    let all = ["00u1", "00u2", "00u3", "00u4"];
    let hidden = Company { hidden: [("index", "00u2"), ("index", "00u4")].into(), ..company() };
    let Reading { mut org, scope, .. } = first_read(&search("status eq \"active\""), hidden.clone()).await;
    org.in_scope.clear();
    let server = hidden.serve().await;
    let confirmed = confirm(&okta(&server.url), &scope, &mut org, ids(&all), BTreeSet::new()).await.unwrap();
    assert_eq!(org.in_scope, ids(&["00u1", "00u2", "00u4"]));
    assert!(confirmed.undecided.is_empty());
    assert!(server.seen().iter().all(|seen| seen.param("search").is_none()), "{:?}", server.lines());
}

#[tokio::test]
async fn where_a_search_cannot_be_told_its_index_may_say_yes_and_nobody_says_no() {
    let whole = "status eq \"ACTIVE\" and realmId eq \"x\"";
    for refused in [false, true] {
        let Reading { mut org, scope, .. } = first_read(&search(whole), company()).await;
        let hidden = Company { hidden: [("index", "00u4")].into(), ..company() };
        let server = ScriptedServer::new(move |seen| match seen.param("search") {
            Some(_) if refused => error(400, "E0000031", "Invalid search criteria."),
            _ => hidden.act(seen),
        })
        .await;
        org.in_scope.clear();
        let asked = ids(&["00u1", "00u3", "00u4"]);
        let confirmed = confirm(&okta(&server.url), &scope, &mut org, asked, BTreeSet::new()).await.unwrap();
        let found = if refused { ids(&[]) } else { ids(&["00u1"]) };
        assert_eq!(
            (&org.in_scope, confirmed.undecided),
            (&found, ids(if refused { &["00u1", "00u4"] } else { &["00u4"] })),
            "00u3 is suspended"
        );
        let searches: Vec<_> = server.seen().iter().filter_map(|seen| seen.param("search")).collect();
        assert_eq!(searches, [format!("({whole}) and (id eq \"00u1\" or id eq \"00u4\")")]);
    }
}

/// A company of so many users with long ids, none of them in the app or the group.
fn crowd(users: usize) -> (Vec<&'static str>, Company) {
    let names = (100..100 + users).map(|number| &*format!("00u{number}").leak());
    let names: Vec<&'static str> = names.collect();
    let users = names.iter().map(|id| (*id, "ACTIVE")).collect();
    let company = Company {
        users,
        groups: vec![("00g1", "Engineering", "OKTA_GROUP", vec![])],
        apps: vec![("0oa1", "Activepieces", "ACTIVE", vec![])],
        page: 1000,
        ..Company::default()
    };
    (names, company)
}

#[tokio::test]
async fn many_are_asked_for_by_25_and_of_the_scope_a_sample() {
    let groups = Scope { groups: vec!["Engineering".into()], ..Scope::default() };
    let (names, company) = crowd(101);
    // 5 requests find the users; a second listing and a sample find the scope, which is looked for in the end.
    for (scope, requests) in [(search("profile.x pr"), 5), (app(), 5 + 1 + 20 + 1), (groups, 5 + 1 + 20 + 1)] {
        let Reading { scope, .. } = first_read(&scope, company.clone()).await;
        let server = company.clone().serve().await;
        let mut org = Org::default();
        let confirmed = confirm(&okta(&server.url), &scope, &mut org, ids(&names), BTreeSet::new()).await.unwrap();
        assert!(confirmed.undecided.is_empty() && org.in_scope.is_empty() && org.users.len() == 101);
        assert_eq!(server.lines().len(), requests, "{:?}", server.lines());
    }
}

#[tokio::test]
async fn where_the_sample_says_otherwise_than_the_listing_nothing_is_told_of_the_rest() {
    for scope in [app(), Scope { groups: vec!["Engineering".into()], ..Scope::default() }] {
        let (names, mut company) = crowd(100);
        let scope = first_read(&scope, company.clone()).await.scope;
        company.apps[0].3.clone_from(&names);
        company.groups[0].3.clone_from(&names);
        for path in ["apps/0oa1/users", "groups/00g1/users"] {
            company.hidden.extend(names.iter().map(|id| (path, *id)));
        }
        let server = company.serve().await;
        let mut org = Org::default();
        let confirmed = confirm(&okta(&server.url), &scope, &mut org, ids(&names), BTreeSet::new()).await.unwrap();
        assert_eq!((org.in_scope.len(), confirmed.undecided.len()), (20, 80));
    }
}

#[tokio::test]
async fn who_a_filter_misses_is_asked_for_by_id() {
    let hidden = Company { hidden: [("index", "00u2")].into(), ..company() };
    let org = confirmed(&app(), company(), hidden, &["00u2", "00u3", "00u9"], &[]).await.unwrap();
    assert!(org.users.contains_key(&OktaUserId::from("00u2")));
    assert_eq!(org.gone, ids(&["00u9"]));
}

#[tokio::test]
async fn a_member_that_was_missed_is_put_back() {
    let first = Company { hidden: [("groups/00g1/users", "00u2")].into(), ..company() };
    let before = first_read(&app(), first.clone()).await.org;
    assert_eq!(before.pushed[&"00g1".into()].members, members(&["00u1"]));
    let org = confirmed(&app(), first, company(), &[], &["00u2", "00u4", "00u9"]).await.unwrap();
    assert_eq!(org.pushed[&"00g1".into()].members, members(&["00u1", "00u2"]));
    assert!(org.gone.is_empty(), "only the groups were asked for");
}

#[tokio::test]
async fn a_user_in_a_group_that_the_listing_missed_may_be_in_a_project_of_several_groups() {
    for is_named in [true, false] {
        let Reading { mut org, scope, .. } = first_read(&app(), company()).await;
        org.targets[0].is_named = is_named;
        let mut then = company();
        then.groups.push(("00g8", "Missed", "OKTA_GROUP", vec!["00u2"]));
        let server = then.serve().await;
        let asked =
            confirm(&okta(&server.url), &scope, &mut org, BTreeSet::new(), ids(&["00u1", "00u2"])).await.unwrap();
        assert_eq!(asked.unlisted, if is_named { ids(&["00u2"]) } else { BTreeSet::new() });
    }
}

#[tokio::test]
async fn a_scope_that_vanished_in_mid_run_makes_nobody_unassigned() {
    let no_app = Company { apps: vec![], ..company() };
    let error = confirmed(&app(), company(), no_app, &["00u4"], &[]).await.unwrap_err();
    assert!(error.to_string().contains("vanished"), "{error}");
    let no_group = Company { groups: vec![], ..company() };
    let scope = Scope { groups: vec!["Engineering".into()], ..Scope::default() };
    let error = confirmed(&scope, company(), no_group, &["00u2"], &[]).await.unwrap_err();
    assert!(error.to_string().contains("vanished"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_confirmed_is_an_error_and_changes_nothing() {
    for broken in ["/api/v1/users", "/apps/0oa1/users/00u4"] {
        let Reading { mut org, scope, .. } = first_read(&app(), company()).await;
        let before = org.clone();
        let server = ScriptedServer::new(move |seen| {
            if seen.path().ends_with(broken) { error(403, "E0000006", "no") } else { company().act(seen) }
        })
        .await;
        let users = ids(&["00u3", "00u4", "00u9"]);
        let error = confirm(&okta(&server.url), &scope, &mut org, users, BTreeSet::new()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unauthorized, "{broken}: {error}");
        assert!(error.to_string().starts_with("asking Okta again about"), "{error}");
        assert_eq!(org, before);
    }
}

#[test]
fn confirming_can_run_on_any_thread() {
    fn sends<T: Send>(_: T) {}
    let okta = okta("http://127.0.0.1:1");
    let (scope, mut org) = (ResolvedScope::default(), Org::default());
    sends(confirm(&okta, &scope, &mut org, BTreeSet::new(), BTreeSet::new()));
}

#[tokio::test]
async fn an_assignment_that_is_not_in_force_is_none_and_an_unknown_one_is_named() {
    let assignments = [("00u1", "REVOKED"), ("00u2", "FROZEN")].into();
    let company = Company { assignments, ..company() };
    let Reading { mut org, scope, warnings, .. } = first_read(&app(), company.clone()).await;
    let unsure = [("00u2".into(), "FROZEN".to_owned())].into();
    assert_eq!((&org.in_scope, &org.unsure), (&ids(&["00u2", "00u3"]), &unsure));
    assert!(warnings.iter().any(|warning| warning.ends_with("count as none: 1 REVOKED")), "{warnings:?}");
    (org.in_scope, org.unsure) = (BTreeSet::new(), BTreeMap::new());
    let server = company.serve().await;
    let asked = ids(&["00u1", "00u2", "00u3"]);
    confirm(&okta(&server.url), &scope, &mut org, asked, BTreeSet::new()).await.unwrap();
    assert_eq!((&org.in_scope, &org.unsure), (&ids(&["00u2", "00u3"]), &unsure));
}

#[tokio::test]
async fn members_of_a_pushed_group_who_are_not_in_scope_are_counted() {
    let company = Company { apps: vec![("0oa1", "Activepieces", "ACTIVE", vec!["00u1"])], ..company() };
    let warnings = first_read(&app(), company).await.warnings;
    let expected = r#"1 of 2 members of the group "Engineering" aren't in scope, and aren't added to its project"#;
    assert!(warnings.iter().any(|warning| warning == expected), "{warnings:?}");
}

#[tokio::test]
async fn where_a_part_of_the_scope_is_missing_users_are_asked_for_their_status_alone() {
    let scope = Scope { groups: vec!["Sales".into(), "Engineering".into()], ..Scope::default() };
    let Reading { mut org, scope, .. } = first_read(&scope, company()).await;
    assert_eq!(org.missing_scope.iter().map(|part| part.wanted.as_str()).collect::<Vec<_>>(), ["Sales"]);
    let server = Company { page: 100, ..company() }.serve().await;
    confirm(&okta(&server.url), &scope, &mut org, ids(&["00u3", "00u4", "00u9"]), BTreeSet::new()).await.unwrap();
    assert_eq!((&org.in_scope, &org.gone), (&ids(&["00u1", "00u2"]), &ids(&["00u9"])));
    assert_eq!(org.users[&OktaUserId::from("00u3")].status, Status::Suspended);
    let lines = server.lines();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("GET /api/v1/users")), "{lines:?}");
}
