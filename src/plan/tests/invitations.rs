//! Tests of waiting invitations: which are named, which are deleted, and what defers that.

use jiff::Timestamp;

use super::super::hold::grace;
use super::super::op::InvitationOp;
use super::super::policy::{Grace, OnInvitation};
use super::*;
use crate::model::activepieces::{Grant, Invitation, Invitations};
use crate::plan::deferred::Because;
use crate::plan::hold::convergence::Stands;
use crate::plan::hold::doubt::{self, Disagreement};
use crate::plan::hold::trust;
use crate::plan::past::{Missing, Past};
use crate::plan::saved::still_holds;
use crate::plan::undo::{Trace, Undone, undo};
use crate::plan::{fingerprint, saved};

fn invitation(id: &str, name: &str, grant: Grant) -> Invitation {
    Invitation { id: id.into(), user_name: format!("{name}@example.com"), grant }
}

fn as_platform(role: &str) -> Grant {
    Grant::Platform { role: role.to_owned() }
}

fn to_project(id: &ProjectId, role: &str) -> Grant {
    Grant::Project { project: id.clone(), name: id.to_string(), role_id: format!("id-{role}"), role: role.to_owned() }
}

fn of_policy(invitations: OnInvitation) -> Policy {
    Policy { invitations, ..policy() }
}

fn with(platform: Platform, waiting: impl IntoIterator<Item = Invitation>) -> Platform {
    Platform { invitations: Invitations::Known(waiting.into_iter().collect()), ..platform }
}

fn revoked(plan: &Plan) -> Vec<(&str, &str)> {
    plan.invitations.iter().map(|op| (op.id.as_str(), op.reason.as_str())).collect()
}

/// The plan for ada, linked and of this state, with an invitation as ADMIN.
fn of_state(state: DesiredState, on: OnInvitation) -> Plan {
    let platform = with(platform([linked("ada")]), [invitation("i1", "ada", as_platform("ADMIN"))]);
    diff(&users([wanted("ada", state)]), &platform, &of_policy(on))
}

#[test]
fn an_invitation_that_gives_another_role_is_a_problem_and_named_as_a_new_admin() {
    let plan = of_state(present("ada").1.state, OnInvitation::Report);
    assert_eq!(kinds(&plan), [ProblemKind::WaitingInvitation]);
    assert_eq!(plan.problems[0].subject, "ada@example.com");
    assert!(plan.problems[0].message.contains("as platform ADMIN waits"), "{:?}", plan.problems);
    assert!(plan.problems[0].message.contains("Okta gives MEMBER"), "{:?}", plan.problems);
    assert!(plan.standing.waiting_admins.contains("ada@example.com"));
    assert!(plan.is_empty(), "nothing is written");
}

#[test]
fn an_invitation_that_gives_another_role_is_deleted_and_none_of_others() {
    let waiting = [
        invitation("i1", "ada", as_platform("ADMIN")),
        invitation("i2", "stranger", as_platform("ADMIN")),
        invitation("i3", "local", as_platform("ADMIN")),
        invitation("i4", "new", as_platform("OPERATOR")),
        invitation("i5", "bob", as_platform("MEMBER")),
    ];
    let platform = with(platform([linked("ada"), linked("bob"), account("local", None)]), waiting);
    let desired = users(["ada", "bob", "new"].map(present));
    let plan = diff(&desired, &platform, &of_policy(OnInvitation::Revoke));
    assert_eq!(revoked(&plan), [("i1", "Okta gives MEMBER"), ("i4", "Okta gives MEMBER")]);
    assert_eq!((plan.problems.len(), plan.standing.waiting_admins.len()), (0, 0));
    assert_eq!(plan.totals().invitations_revoke, 2);
    assert!(plan.warnings.iter().any(|warning| warning.starts_with("bob@example.com: an accepted invitation")));
}

#[test]
fn the_state_of_the_user_decides() {
    use OnInvitation::Revoke;
    for (leave, reason) in [
        (Leave::Suspended, "suspended in Okta"),
        (Leave::Deactivated, "deactivated in Okta"),
        (Leave::Unassigned, "unassigned in Okta"),
        (Leave::Deleted, "deleted in Okta"),
    ] {
        let plan = of_state(DesiredState::Left(leave), Revoke);
        assert_eq!(revoked(&plan), [("i1", reason)]);
        assert_eq!(plan.invitations[0].left, Some(leave));
    }
    // Of these Okta doesn't say what they should have.
    let problem = Problem::new("ada@example.com", ProblemKind::InvalidRole, "x");
    for state in [DesiredState::Untouched(Status::Staged), DesiredState::Problem(vec![problem])] {
        let plan = of_state(state, Revoke);
        assert!(plan.invitations.is_empty() && kinds(&plan).contains(&ProblemKind::WaitingInvitation), "{plan:?}");
    }
    let keep = Policy { suspended: OnLeave::Keep, ..of_policy(Revoke) };
    let platform = with(platform([linked("ada")]), [invitation("i1", "ada", as_platform("ADMIN"))]);
    let plan = diff(&users([wanted("ada", DesiredState::Left(Leave::Suspended))]), &platform, &keep);
    assert!(plan.invitations.is_empty() && kinds(&plan) == [ProblemKind::WaitingInvitation], "{plan:?}");
}

#[test]
fn without_a_role_from_okta_an_invitation_is_named_and_never_deleted() {
    let platform = with(platform([linked("ada")]), [invitation("i1", "ada", as_platform("ADMIN"))]);
    let mut desired = users([present("ada")]);
    desired.on_create_only.platform_role = true;
    let plan = diff(&desired, &platform, &of_policy(OnInvitation::Revoke));
    assert!(plan.invitations.is_empty() && kinds(&plan) == [ProblemKind::WaitingInvitation], "{plan:?}");
    assert!(plan.problems[0].message.contains("Okta gives no role, and the account is MEMBER"), "{:?}", plan.problems);
}

#[test]
fn an_invitation_to_a_project_is_measured_by_the_group() {
    let of_okta = project("Eng", Some(group_id("Eng").as_str()), &["ada"]);
    let other = project("Other", None, &[]);
    let (linked_id, other_id) = (of_okta.id.clone(), other.id.clone());
    let standing = with_their(platform(["ada", "bob"].map(linked)), [of_okta, other]);
    let waiting = [
        invitation("i1", "ada", to_project(&linked_id, "Admin")),
        invitation("i2", "ada", to_project(&other_id, "Admin")),
        invitation("i3", "bob", to_project(&linked_id, "Viewer")),
    ];
    let desired = with_projects(users(["ada", "bob"].map(present)), [pushed("Eng", &["ada"])]);
    let plan = diff(&desired, &with(standing, waiting), &of_policy(OnInvitation::Revoke));
    assert_eq!(revoked(&plan), [("i3", "isn't in group AP Eng")]);
    let named: Vec<_> = plan.problems.iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(named[0].contains("Admin of the project Other waits"), "{named:?}");
    assert!(named[0].contains("Okta doesn't decide about this project"), "{named:?}");
    assert!(matches!(&plan.invitations[0].grant, Grant::Project { name, .. } if name == "Eng"));
}

#[test]
fn an_invitation_to_a_project_of_several_groups_is_measured_whichever_it_is_linked_to() {
    let waiting = |id: &ProjectId| [invitation("i1", "bob", to_project(id, "Viewer"))];
    for link in ["Eng", "Ops"] {
        let of_okta = project("Eng", Some(group_id(link).as_str()), &["ada"]);
        let id = of_okta.id.clone();
        let standing = with_their(platform(["ada", "bob"].map(linked)), [of_okta]);
        let (key, mut both) = pushed("Eng", &["ada"]);
        both.sources.push(Source { group: group_id("Ops"), link: group_id("Ops"), rule: 0 });
        let desired = with_projects(users(["ada", "bob"].map(present)), [(key, both)]);
        let plan = diff(&desired, &with(standing, waiting(&id)), &of_policy(OnInvitation::Revoke));
        assert_eq!(revoked(&plan), [("i1", "isn't in group AP Eng")], "linked to {link}");
    }
}

fn with_their(platform: Platform, projects: impl IntoIterator<Item = Project>) -> Platform {
    Platform { projects: projects.into_iter().collect(), ..platform }
}

/// A plan that deletes the invitations of a user of each of these states.
fn mixed() -> Plan {
    let names = ["ada", "bob", "cy", "dan"];
    let states = [
        present("ada").1.state,
        DesiredState::Left(Leave::Suspended),
        DesiredState::Left(Leave::Unassigned),
        DesiredState::Left(Leave::Deleted),
    ];
    let all = names.iter().zip(states).map(|(name, state)| wanted(name, state));
    let waiting = names.map(|name| invitation(&format!("i-{name}"), name, as_platform("ADMIN")));
    diff(&users(all), &with(platform(names.map(linked)), waiting), &of_policy(OnInvitation::Revoke))
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.invitations.iter().map(|op| op.id.as_str().trim_start_matches("i-")).collect()
}

#[test]
fn what_follows_from_an_absence_waits_as_a_deactivation_does() {
    let mut plan = mixed();
    trust::hold(&mut plan, &Because::SourceNotTrusted);
    assert_eq!(ids(&plan), ["bob"]);
    assert!(plan.held.iter().any(|held| held.what == "revoke the invitation as platform ADMIN"), "{:?}", plan.held);
    let mut plan = mixed();
    trust::hold(&mut plan, &Because::ScopeNotFound);
    assert_eq!(ids(&plan), ["ada", "bob", "dan"]);
    let mut plan = mixed();
    let now = Timestamp::UNIX_EPOCH;
    let since = grace::Since::of(&plan, &Past::default(), now);
    let missing = &since.missing;
    assert!(missing.values().all(|missing| *missing == Missing { since: now, runs: 1 }) && missing.len() == 2);
    let waits = Policy { grace: Grace { runs: 2, ..Grace::default() }, ..policy() };
    grace::hold(&mut plan, &since, now, &waits);
    assert_eq!(ids(&plan), ["ada", "bob"]);
    let mut plan = mixed();
    let all = || ["ada", "bob", "cy", "dan"].map(okta_id).into();
    doubt::hold(&mut plan, &Disagreement { scope: all(), roles: all(), ..Disagreement::default() });
    assert_eq!(ids(&plan), ["bob"]);
}

#[test]
fn okta_is_asked_by_id_before_an_invitation_is_deleted_for_an_absence() {
    let waiting = ["ada", "gone"].map(|name| invitation(name, name, as_platform("ADMIN")));
    let standing = with(platform([linked("ada"), inactive(linked("gone")), inactive(linked("other"))]), waiting);
    let desired = users([present("ada")]);
    let doubts = Comparison::of(&desired, &standing, &policy()).doubts(&BTreeSet::new());
    assert_eq!(doubts.memberships, BTreeSet::from([okta_id("ada")]));
    assert_eq!(
        doubts.users,
        BTreeSet::from([okta_id("gone")]),
        "an inactive account without invitation isn't asked about"
    );
}

#[test]
fn a_saved_plan_deletes_what_a_new_one_would_too() {
    let plan = mixed();
    assert_ne!(fingerprint::of_plan(&plan), fingerprint::of_plan(&Plan { invitations: Vec::new(), ..plan.clone() }));
    assert_eq!(ids(&still_holds(&plan, &plan, &|_| false).plan), ["ada", "bob", "cy", "dan"]);
    let mut new = plan.clone();
    new.invitations.retain(|op| op.user_name != "ada@example.com");
    new.invitations[0].grant = as_platform("OPERATOR");
    let saved::Remaining { plan: left, stale, done } = still_holds(&plan, &new, &|_| false);
    assert_eq!((ids(&left), stale.len(), done), (vec!["cy", "dan"], 2, 0));
    let tried = still_holds(&plan, &new, &|step| matches!(step, Step::Invitation(_)));
    assert_eq!((tried.stale.len(), tried.done), (1, 1));
}

#[test]
fn a_deleted_invitation_cannot_be_undone_and_is_seen_if_it_stays() {
    let made = Plan { invitations: mixed().invitations, ..Plan::default() };
    let (desired, standing) = (users([present("ada")]), platform([linked("ada")]));
    let back = undo(
        Undone { run: 7, plan: &made, trace: &|_| Trace::Done },
        &Comparison::of(&desired, &standing, &policy()),
        &policy(),
    );
    assert!(back.is_empty() && back.warnings.len() == 4, "{back:?}");
    assert!(back.warnings[0].contains("the invitation as platform ADMIN stays deleted"), "{:?}", back.warnings);
    let op: &InvitationOp = &made.invitations[0];
    let still = with(Platform::default(), [invitation(op.id.as_str(), "ada", as_platform("ADMIN"))]);
    assert!(Stands::of(&still).invitation(op).is_some() && Stands::of(&standing).invitation(op).is_none());
}

#[test]
fn a_server_that_lists_none_is_a_warning() {
    let standing = Platform { invitations: Invitations::Off, ..platform([linked("ada")]) };
    let plan = diff(&users([present("ada")]), &standing, &of_policy(OnInvitation::Revoke));
    assert!(plan.is_empty() && plan.warnings.len() == 1 && plan.problems.is_empty(), "{plan:?}");
}
