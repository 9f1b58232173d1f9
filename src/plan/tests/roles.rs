//! Tests of project roles: what a plan changes, defers and names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::op::RoleChange;
use super::*;
use crate::model::activepieces::{KnownRoles, StandingRoles};
use crate::model::desired::{DesiredRole, DesiredRoles};
use crate::plan::deferred::Because;
use crate::plan::diff::Doubts;
use crate::plan::hold::convergence::{ProjectPart, Stands};
use crate::plan::hold::doubt::{self, Disagreement};
use crate::plan::hold::trust;

const ROLES: [&str; 3] = ["Admin", "Editor", "Viewer"];

/// The role that Okta gives, and whether it follows from an absence.
type Wanted = (Option<&'static str>, bool);

fn desired_roles(wanted: &[(&str, Wanted)]) -> DesiredRoles {
    let role = |(name, (role, by_absence)): &(&str, Wanted)| {
        let role =
            DesiredRole { role: role.map(str::to_owned), because: "group X".to_owned(), by_absence: *by_absence };
        (okta_id(name), Arc::new(role))
    };
    DesiredRoles { of: wanted.iter().map(role).collect(), ..DesiredRoles::default() }
}

/// Four users in a group, with these roles of its project by Okta.
fn desired(roles: DesiredRoles) -> Desired {
    let (group, mut project) = pushed("Eng", &["ada", "bob", "carol", "dan"]);
    project.roles = Some(roles);
    with_projects(users(["ada", "bob", "carol", "dan"].map(present)), [(group, project)])
}

/// A platform with a project of these members, each with a role.
fn standing(members: &[(&str, &str)]) -> Platform {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let project = project("Eng", Some(group_id("Eng").as_str()), &names);
    let role = |(name, role): &(&str, &str)| {
        let place = ROLES.iter().position(|known| known == role).unwrap();
        (AccountId::from(format!("account-{name}")), place)
    };
    let of = BTreeMap::from([(project.id.clone(), members.iter().map(role).collect())]);
    let known = KnownRoles { names: ROLES.map(str::to_owned).into(), of };
    Platform {
        users: ["ada", "bob", "carol", "dan"].map(linked).into(),
        projects: vec![project],
        roles: StandingRoles::Known(known),
        ..Platform::default()
    }
}

/// The changes of roles as `bob Editor>Viewer`.
fn changed(plan: &Plan) -> Vec<String> {
    let changes = plan.projects.iter().flat_map(|op| &op.roles);
    let name = |change: &RoleChange| change.user_name.replace("@example.com", "");
    changes.map(|change| format!("{} {}>{}", name(change), change.from, change.to)).collect()
}

fn plan_of(roles: &DesiredRoles, platform: &Platform) -> Plan {
    diff(&desired(roles.clone()), platform, &policy())
}

const ALL_EDITORS: [(&str, &str); 4] = [("ada", "Editor"), ("bob", "Editor"), ("carol", "Editor"), ("dan", "Editor")];

#[test]
fn only_roles_that_differ_are_changed_in_any_case_of_their_names() {
    let roles = desired_roles(&[
        ("ada", (Some("ADMIN"), false)),
        ("bob", (Some(" editor "), false)),
        ("carol", (None, false)),
        // Of dan Okta says nothing.
    ]);
    let plan = plan_of(&roles, &standing(&ALL_EDITORS));
    assert_eq!(changed(&plan), ["ada Editor>Admin"]);
    assert_eq!(plan.projects[0].roles[0].reason, "group X");
    let new: Vec<_> = plan.new_project_admins().map(|new| (new.user_name, new.project, new.from)).collect();
    assert_eq!(new, [("ada@example.com", "Eng", Some("Editor"))]);
    assert_eq!((plan.totals().project_roles, plan.problems.len()), (1, 0));
}

#[test]
fn without_roles_in_the_config_or_of_the_server_none_is_changed() {
    let roles = desired_roles(&[("ada", (Some("Viewer"), false))]);
    for roles_of_server in [StandingRoles::Unread, StandingRoles::Off] {
        let platform = Platform { roles: roles_of_server, ..standing(&ALL_EDITORS) };
        assert!(plan_of(&roles, &platform).is_empty());
    }
    let (group, project) = pushed("Eng", &["ada", "bob", "carol", "dan"]);
    let none = with_projects(users(["ada", "bob", "carol", "dan"].map(present)), [(group, project)]);
    assert!(diff(&none, &standing(&ALL_EDITORS), &policy()).is_empty());
}

#[test]
fn the_owner_and_members_without_access_are_left_alone_and_an_admin_is_told() {
    let viewers = ["ada", "bob", "carol", "dan"].map(|name| (name, (Some("Viewer"), false)));
    let mut platform = standing(&ALL_EDITORS);
    platform.owner = Some("account-ada".into());
    platform.users[1].platform_role = "ADMIN".into();
    let mut desired = desired(desired_roles(&viewers));
    desired.on_create_only.platform_role = true;
    desired
        .users
        .extend([wanted("carol", DesiredState::Problem(vec![Problem::new("x", ProblemKind::InvalidRole, "x")]))]);
    // What maps the roles gives one only to users with access.
    desired.projects.values_mut().for_each(|project| {
        project.roles.as_mut().unwrap().of.remove(&okta_id("carol"));
    });
    let plan = diff(&desired, &platform, &policy());
    assert_eq!(changed(&plan), ["bob Editor>Viewer", "dan Editor>Viewer"]);
    assert_eq!(plan.projects[0].roles[0].reason, "group X; no effect while the user is platform ADMIN");
}

#[test]
fn with_on_add_only_new_members_and_those_a_run_owes_get_their_roles() {
    let viewers = ["ada", "bob", "dan"].map(|name| (name, (Some("viewer"), false)));
    let owed = BTreeSet::from([okta_id("bob")]);
    let roles = DesiredRoles { on_add_only: true, owed, ..desired_roles(&viewers) };
    let plan = plan_of(&roles, &standing(&ALL_EDITORS[..3]));
    assert_eq!(changed(&plan), ["bob Editor>Viewer"]);
    let added: Vec<_> = plan.projects[0].add.iter().map(|member| member.role.as_deref()).collect();
    assert_eq!(added, [Some("Viewer")]);
}

#[test]
fn a_new_member_without_a_known_role_waits_and_an_unknown_name_is_a_problem() {
    let roles = DesiredRoles {
        names: ["Viewr".to_owned()].into(),
        ..desired_roles(&[("ada", (Some("Viewr"), false)), ("bob", (None, false)), ("carol", (Some("Viewer"), false))])
    };
    let plan = plan_of(&roles, &standing(&[("ada", "Editor")]));
    assert_eq!(kinds(&plan), [ProblemKind::UnknownProjectRole]);
    assert!(plan.problems[0].message.contains("did you mean \"Viewer\"?"), "{:?}", plan.problems);
    let added: Vec<_> = plan.projects[0].add.iter().map(|member| member.user_name.as_str()).collect();
    assert_eq!(added, ["carol@example.com", "dan@example.com"], "of dan Okta says nothing");
    let held: Vec<_> = plan.held.iter().map(|held| (held.what.as_str(), &held.because)).collect();
    assert_eq!(held, [("add bob@example.com", &Because::RoleNotKnown)]);
    assert_eq!(changed(&plan), Vec::<String>::new());
}

#[test]
fn a_change_that_follows_from_an_absence_is_confirmed_or_deferred() {
    let roles = desired_roles(&[("ada", (Some("Viewer"), true)), ("bob", (Some("Viewer"), false))]);
    let (desired, platform) = (desired(roles), standing(&ALL_EDITORS));
    let comparison = Comparison::of(&desired, &platform, &policy());
    let doubts = Doubts { memberships: [okta_id("ada")].into(), ..Doubts::default() };
    assert_eq!(comparison.doubts(&BTreeSet::new()), doubts);
    let mut plan = comparison.plan(&policy());
    let untrusted = |because: &Because| {
        let mut plan = comparison.plan(&policy());
        trust::hold(&mut plan, because);
        (changed(&plan), plan.held.len())
    };
    assert_eq!(untrusted(&Because::SourceNotTrusted), (vec!["bob Editor>Viewer".to_owned()], 1));
    assert_eq!(untrusted(&Because::ScopeNotFound).0.len(), 2, "the scope says nothing about groups");
    doubt::hold(&mut plan, &Disagreement { roles: [okta_id("ada")].into(), ..Disagreement::default() });
    assert_eq!(changed(&plan), ["bob Editor>Viewer"]);
    assert_eq!(plan.held[0].what, "set the project role of ada@example.com to Viewer");
}

#[test]
fn a_role_that_did_not_persist_is_told() {
    let roles = desired_roles(&[("ada", (Some("Viewer"), false)), ("dan", (Some("Viewer"), false))]);
    let plan = plan_of(&roles, &standing(&ALL_EDITORS[..3]));
    let after = standing(&ALL_EDITORS);
    let found = Stands::of(&after).project(&plan.projects[0]);
    let told: Vec<_> = found.iter().map(|(part, found)| (*part, found.what.as_str())).collect();
    assert_eq!(
        told,
        [
            (ProjectPart::Add, "dan@example.com's project role is \"Editor\" and not \"Viewer\""),
            (ProjectPart::Roles, "ada@example.com's project role is \"Editor\" and not \"Viewer\""),
        ]
    );
}
