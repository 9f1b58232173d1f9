//! Tests of what a sync plans, case by case, and of the laws that hold for every plan.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::item::{Item, Rest};
use super::op::{Attribute, Fate, ProjectAction, ProjectOp, Reason, UserAction};
use super::policy::{Limit, Limits, OnLeave};
use super::*;
use crate::model::PlatformRole;
use crate::model::activepieces::{Platform, Project, User, moved_link};
use crate::model::desired::{Attributes, Desired, DesiredProject, DesiredState, DesiredUser, Leave, Source};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId, ProjectId};
use crate::model::okta::Status;
use crate::model::problem::{Problem, ProblemKind};

mod embedded;
mod guards;
mod held;
mod invitations;
mod items;
mod laws;
mod lifecycle;
mod links;
mod links_lifecycle;
mod recreate;
mod roles;
mod undo;

fn okta_id(name: &str) -> OktaUserId {
    format!("00u{name:0>17}").into()
}

fn group_id(name: &str) -> OktaGroupId {
    format!("00g{name:0>17}").into()
}

fn policy() -> Policy {
    let all = Limit::Percent(100.0);
    let limits = Limits {
        deactivations: all,
        role_downgrades: all,
        role_or_email_changes: all,
        members_removed: all,
        project_role_changes: all,
        creations: all,
        new_admins: None,
        recreations: all,
        shrink: all,
        size_floor: Some(0),
    };
    Policy { limits, ..Policy::default() }
}

fn present(name: &str) -> (OktaUserId, DesiredUser) {
    let attributes = Attributes {
        given_name: Some(name.to_owned()),
        family_name: Some("Example".to_owned()),
        ..Attributes::default()
    };
    wanted(name, DesiredState::Present(attributes))
}

fn wanted(name: &str, state: DesiredState) -> (OktaUserId, DesiredUser) {
    let mail = format!("{name}@example.com");
    (okta_id(name), DesiredUser::new(&mail, Some(mail.clone()), state))
}

fn account(name: &str, external_id: Option<&str>) -> User {
    User {
        id: AccountId::from(format!("account-{name}")),
        external_id: external_id.map(Into::into),
        user_name: format!("{name}@example.com"),
        given_name: name.to_owned(),
        family_name: "Example".to_owned(),
        active: true,
        platform_role: "MEMBER".into(),
        created: None,
    }
}

fn linked(name: &str) -> User {
    account(name, Some(okta_id(name).as_str()))
}

fn inactive(user: User) -> User {
    User { active: false, ..user }
}

fn admin(user: User) -> User {
    User { platform_role: "ADMIN".into(), ..user }
}

fn users(users: impl IntoIterator<Item = (OktaUserId, DesiredUser)>) -> Desired {
    Desired { users: users.into_iter().collect(), ..Desired::default() }
}

fn platform(users: impl IntoIterator<Item = User>) -> Platform {
    Platform { users: users.into_iter().collect(), ..Platform::default() }
}

fn one_user(desired: (OktaUserId, DesiredUser), standing: Option<User>) -> Plan {
    diff(&users([desired]), &platform(standing), &policy())
}

fn action(plan: &Plan) -> Option<UserAction> {
    assert!(plan.users.len() <= 1, "{plan:?}");
    plan.users.first().map(|op| op.action)
}

fn kinds(plan: &Plan) -> Vec<ProblemKind> {
    plan.problems.iter().map(|problem| problem.kind).collect()
}

#[test]
fn what_each_state_does_to_an_absent_an_inactive_and_an_active_account() {
    use UserAction::{Deactivate, Reactivate};
    let attributes = match present("ada").1.state {
        DesiredState::Present(attributes) => attributes,
        other => panic!("{other:?}"),
    };
    let cases = [
        (DesiredState::Present(attributes), [Some(UserAction::Create), Some(Reactivate), None]),
        (DesiredState::Untouched(Status::Staged), [None, None, None]),
        (DesiredState::Untouched(Status::Other("ACTIVATING".to_owned())), [None, None, None]),
        (DesiredState::Left(Leave::Suspended), [None, None, Some(Deactivate)]),
        (DesiredState::Left(Leave::Deactivated), [None, None, Some(Deactivate)]),
        (DesiredState::Left(Leave::Unassigned), [None, None, Some(Deactivate)]),
        (DesiredState::Left(Leave::Deleted), [None, None, Some(Deactivate)]),
    ];
    for (state, expected) in cases {
        let standing = [None, Some(inactive(linked("ada"))), Some(linked("ada"))];
        let actions = standing.map(|account| action(&one_user(wanted("ada", state.clone()), account)));
        assert_eq!(actions, expected, "{state:?}");
    }
}

#[test]
fn users_in_scope_who_get_no_account_are_counted_by_their_status() {
    let activating = || DesiredState::Untouched(Status::Other("ACTIVATING".to_owned()));
    let gone = wanted("uma", activating());
    let desired = users([
        wanted("ada", DesiredState::Untouched(Status::Staged)),
        wanted("bob", DesiredState::Left(Leave::Staged)),
        wanted("eve", activating()),
        wanted("sam", DesiredState::Left(Leave::Suspended)),
        wanted("dan", DesiredState::Left(Leave::Deactivated)),
        wanted("pia", DesiredState::Problem(Vec::new())),
        (gone.0, gone.1.out_of_scope()),
        present("new"),
        wanted("has", DesiredState::Untouched(Status::Staged)),
    ]);
    let plan = diff(&desired, &platform([linked("has")]), &policy());
    let counts: Vec<_> = plan.standing.without_account.iter().map(|(status, number)| (&**status, *number)).collect();
    assert_eq!(counts, [("activating", 1), ("staged", 2), ("suspended", 1)]);
}

#[test]
fn an_update_names_what_differs_and_nothing_else() {
    let standing = User { given_name: "Adda".to_owned(), platform_role: "OPERATOR".into(), ..linked("ada") };
    let plan = one_user(present("ada"), Some(standing));
    assert_eq!(action(&plan), Some(UserAction::Update));
    let changes: Vec<_> =
        plan.users[0].changes.iter().map(|c| (c.attribute, c.from.as_deref(), c.to.as_str())).collect();
    assert_eq!(
        changes,
        [(Attribute::PlatformRole, Some("OPERATOR"), "MEMBER"), (Attribute::GivenName, Some("Adda"), "ada")]
    );
}

#[test]
fn a_name_that_okta_leaves_out_is_left_as_it_stands() {
    let (id, mut user) = present("ada");
    let DesiredState::Present(attributes) = &mut user.state else { panic!() };
    attributes.given_name = None;
    assert!(one_user((id, user), Some(linked("ada"))).is_empty());
}

#[test]
fn an_account_of_the_same_address_is_adopted() {
    let plan = one_user(present("ada"), Some(account("ada", None)));
    assert_eq!((action(&plan), &plan.users[0].reason), (Some(UserAction::Adopt), &Reason::SameEmail));
    assert_eq!(plan.users[0].changes.len(), 1);
    let plan = one_user(present("ada"), Some(account("ada", Some(""))));
    assert_eq!(action(&plan), Some(UserAction::Adopt));
}

#[test]
fn an_account_of_another_directory_is_adopted_by_its_address() {
    let plan = one_user(present("ada"), Some(account("ada", Some("emp-0815"))));
    assert_eq!((action(&plan), &plan.users[0].reason), (Some(UserAction::Adopt), &Reason::OtherDirectory));
}

#[test]
fn somebody_hired_again_gets_the_old_account() {
    for leave in [Leave::Deactivated, Leave::Deleted] {
        let (old, mut user) = wanted("old", DesiredState::Left(leave));
        user.user_name = None;
        let standing = User { external_id: Some(old.as_str().into()), ..account("ada", None) };
        let plan = diff(&users([(old, user), present("ada")]), &platform([standing]), &policy());
        assert_eq!((action(&plan), &plan.users[0].reason), (Some(UserAction::Adopt), &Reason::Relinked));
        assert_eq!(plan.problems, []);
    }
}

#[test]
fn a_successor_leaves_the_predecessor_the_account_of_their_own_address() {
    let (old, user) = wanted("old", DesiredState::Left(Leave::Deactivated));
    let taken = User { external_id: Some(old.as_str().into()), ..account("ada", None) };
    let plan = diff(&users([(old, user), present("ada")]), &platform([taken, account("old", None)]), &policy());
    let actions: Vec<_> = plan.users.iter().map(|op| (op.action, op.user_name.as_str())).collect();
    assert_eq!(actions, [(UserAction::Adopt, "ada@example.com"), (UserAction::Deactivate, "old@example.com")]);
}

#[test]
fn an_account_is_taken_over_by_its_address_also_to_be_closed() {
    for leave in [Leave::Suspended, Leave::Deactivated] {
        let plan = one_user(wanted("ada", DesiredState::Left(leave)), Some(account("ada", None)));
        assert_eq!((action(&plan), plan.standing.managed_active), (Some(UserAction::Deactivate), 1));
        assert_eq!(plan.users[0].changes[1].to, okta_id("ada").as_str());
    }
}

#[test]
fn an_account_that_okta_did_not_make_is_not_deactivated_for_missing_in_okta_and_named_instead() {
    for external_id in [None, Some(""), Some("emp-0815")] {
        for leave in [Leave::Unassigned, Leave::Deleted] {
            let desired = with_projects(users([wanted("ada", DesiredState::Left(leave))]), [pushed("Eng", &[])]);
            let project = project("Eng", Some(group_id("Eng").as_str()), &["ada"]);
            let plan = one_project(&desired, vec![account("ada", external_id)], vec![project]);
            assert!(plan.is_empty(), "{plan:?}");
            assert_eq!((kinds(&plan), plan.standing.managed_active), (vec![ProblemKind::NotLinked], 0));
        }
    }
    let keep = Policy { suspended: OnLeave::Keep, ..policy() };
    let suspended = users([wanted("ada", DesiredState::Left(Leave::Suspended))]);
    assert_eq!(diff(&suspended, &platform([account("ada", None)]), &keep).problems, []);
    // Linked to an Okta user who was deleted since.
    let relinked = account("ada", Some(okta_id("old").as_str()));
    assert_eq!(action(&diff(&suspended, &platform([relinked]), &policy())), Some(UserAction::Deactivate));
}

#[test]
fn an_account_that_two_okta_users_claim_is_a_problem_for_both() {
    for state in [DesiredState::Left(Leave::Unassigned), present("x").1.state] {
        let (old, user) = wanted("old", state);
        let standing = User { external_id: Some(old.as_str().into()), ..account("ada", None) };
        let user = DesiredUser::new(user.login(), Some("ada@example.com".to_owned()), user.state.clone());
        let plan = diff(&users([(old, user), present("ada")]), &platform([standing]), &policy());
        assert!(plan.is_empty(), "{plan:?}");
        assert_eq!(kinds(&plan), [ProblemKind::ClaimedTwice; 2]);
    }
}

#[test]
fn two_okta_users_of_one_address_make_no_account() {
    let (other, user) = present("other");
    let user = DesiredUser::new(user.login(), Some("ada@example.com".to_owned()), user.state.clone());
    let plan = diff(&users([(other, user), present("ada")]), &platform([]), &policy());
    assert!(plan.is_empty());
    assert_eq!(kinds(&plan), [ProblemKind::ClaimedTwice; 2]);
}

#[test]
fn two_accounts_that_one_okta_user_claims_are_a_problem() {
    let standing = [User { user_name: "ada.old@example.com".to_owned(), ..linked("ada") }, account("ada", None)];
    let standing = [User { id: "account-old".into(), ..standing[0].clone() }, standing[1].clone()];
    let plan = diff(&users([present("ada")]), &platform(standing), &policy());
    assert!(plan.is_empty());
    assert_eq!(kinds(&plan), [ProblemKind::TwoAccounts]);
}

#[test]
fn a_changed_address_is_a_problem_and_the_rest_of_the_person_is_still_synced() {
    let standing = User { user_name: "ada.old@example.com".to_owned(), platform_role: "ADMIN".into(), ..linked("ada") };
    let other = admin(linked("root"));
    let root = wanted("root", DesiredState::Untouched(Status::Staged));
    let plan = diff(&users([present("ada"), root]), &platform([standing, other]), &policy());
    assert_eq!(kinds(&plan), [ProblemKind::EmailChanged]);
    assert_eq!(action(&plan), Some(UserAction::Update));
}

#[test]
fn a_failed_mapping_leaves_its_user_alone_and_the_rest_goes_on() {
    let problem = Problem::new("ada@example.com", ProblemKind::InvalidRole, "platformRole gives \"OWNER\"");
    let plan = diff(
        &users([wanted("ada", DesiredState::Problem(vec![problem.clone()])), present("bob")]),
        &platform([inactive(linked("ada"))]),
        &policy(),
    );
    assert_eq!(plan.problems, [problem]);
    assert_eq!(plan.users.len(), 1);
    assert_eq!(plan.users[0].user_name, "bob@example.com");
}

#[test]
fn local_and_foreign_accounts_are_counted_and_never_touched() {
    let standing = [account("local", None), account("foreign", Some("emp-0815")), linked("ada")];
    let plan = diff(&users([present("ada")]), &platform(standing), &policy());
    assert!(plan.is_empty());
    assert_eq!(plan.standing.local, ["local@example.com"]);
    assert_eq!(plan.standing.foreign, ["foreign@example.com"]);
    assert_eq!(plan.standing.managed_active, 1);
}

#[test]
fn keep_keeps_the_suspended_and_the_unassigned_but_not_the_deactivated() {
    let keep = Policy { suspended: OnLeave::Keep, unassigned: OnLeave::Keep, deleted: OnLeave::Keep, ..policy() };
    for (leave, kept) in
        [(Leave::Suspended, true), (Leave::Unassigned, true), (Leave::Deleted, true), (Leave::Deactivated, false)]
    {
        let plan = diff(&users([wanted("ada", DesiredState::Left(leave))]), &platform([linked("ada")]), &keep);
        assert_eq!(plan.is_empty(), kept, "{leave:?}");
    }
}

#[test]
fn the_owner_and_the_protected_are_neither_deactivated_nor_demoted() {
    let protect = Policy { protect: BTreeSet::from(["ada@example.com".to_owned()]), ..policy() };
    let owner = |platform: Platform| Platform { owner: Some("account-ada".into()), ..platform };
    for (platform, policy) in
        [(platform([admin(linked("ada"))]), protect), (owner(platform([admin(linked("ada"))])), policy())]
    {
        for user in [present("ada"), wanted("ada", DesiredState::Left(Leave::Suspended))] {
            let plan = diff(&users([user]), &platform, &policy);
            assert!(plan.is_empty(), "{plan:?}");
            assert_eq!(plan.warnings.len(), 1);
        }
    }
}

#[test]
fn a_protected_admin_still_gets_a_new_name() {
    let standing = Platform {
        owner: Some("account-ada".into()),
        ..platform([User { given_name: "Adda".to_owned(), ..admin(linked("ada")) }])
    };
    let plan = diff(&users([present("ada")]), &standing, &policy());
    let changed: Vec<_> = plan.users[0].changes.iter().map(|change| change.attribute).collect();
    assert_eq!(changed, [Attribute::GivenName]);
    let role = plan.users[0].attributes.as_ref().map(|attributes| attributes.platform_role);
    assert_eq!(role, Some(PlatformRole::Admin));
}

#[test]
fn the_last_active_admin_stays() {
    let standing = platform([admin(linked("ada")), admin(linked("bob")), inactive(admin(linked("carol")))]);
    let plan =
        diff(&users([wanted("ada", DesiredState::Left(Leave::Suspended)), present("bob")]), &standing, &policy());
    assert_eq!(action(&plan), Some(UserAction::Deactivate));
    assert_eq!(plan.warnings, ["bob@example.com is the last active ADMIN and stays so"]);
}

#[test]
fn a_new_admin_lets_the_old_one_go() {
    let (id, mut user) = present("bob");
    let DesiredState::Present(attributes) = &mut user.state else { panic!() };
    attributes.platform_role = PlatformRole::Admin;
    let plan = diff(
        &users([wanted("ada", DesiredState::Left(Leave::Suspended)), (id, user)]),
        &platform([admin(linked("ada")), linked("bob")]),
        &policy(),
    );
    assert_eq!(plan.users.len(), 2);
}

fn project(name: &str, external_id: Option<&str>, members: &[&str]) -> Project {
    Project {
        id: ProjectId::from(format!("project-{name}")),
        external_id: external_id.map(str::to_owned),
        display_name: name.to_owned(),
        members: members.iter().map(|name| AccountId::from(format!("account-{name}"))).collect(),
    }
}

fn pushed(name: &str, members: &[&str]) -> (OktaGroupId, DesiredProject) {
    let members = members.iter().map(|name| okta_id(name)).collect();
    let project = DesiredProject::of(group_id(name), name, &format!("AP {name}"), members);
    (group_id(name), project)
}

fn with_projects(mut desired: Desired, projects: impl IntoIterator<Item = (OktaGroupId, DesiredProject)>) -> Desired {
    desired.projects.extend(projects);
    desired
}

fn one_project(desired: &Desired, users: Vec<User>, projects: Vec<Project>) -> Plan {
    diff(desired, &Platform { users, projects, owner: None, ..Platform::default() }, &policy())
}

#[test]
fn a_group_without_a_project_makes_one_with_its_active_members_in_scope() {
    let people = [
        present("ada"),
        wanted("bob", DesiredState::Left(Leave::Suspended)),
        wanted("carol", DesiredState::Untouched(Status::Staged)),
        present("new"),
    ];
    let desired = with_projects(users(people), [pushed("Eng", &["ada", "bob", "carol", "new", "out-of-scope"])]);
    let plan = one_project(&desired, vec![linked("ada")], vec![]);
    assert_eq!(plan.projects[0].action, ProjectAction::Create);
    let added: Vec<_> = plan.projects[0].add.iter().map(|m| (m.user_name.as_str(), m.account.is_some())).collect();
    assert_eq!(added, [("ada@example.com", true), ("new@example.com", false)]);
}

#[test]
fn a_project_of_exactly_the_name_is_adopted() {
    let desired = with_projects(users([]), [pushed("Eng", &[])]);
    let plan = one_project(&desired, vec![], vec![project("Eng", None, &[]), project("eng", None, &[])]);
    assert_eq!(plan.projects[0].action, ProjectAction::Adopt);
    assert_eq!(plan.projects[0].project, Some("project-Eng".into()));
}

#[test]
fn two_projects_of_the_name_are_a_problem() {
    let desired = with_projects(users([]), [pushed("Eng", &[])]);
    let plan = one_project(&desired, vec![], vec![project("Eng", None, &[]), project("Eng", None, &[])]);
    assert!(plan.is_empty());
    assert_eq!(kinds(&plan), [ProblemKind::AmbiguousProject]);
}

#[test]
fn two_groups_of_one_project_name_are_a_problem() {
    let (_, other) = pushed("Eng", &[]);
    let other = DesiredProject { sources: vec![Source::of(group_id("other"))], ..other };
    let desired = with_projects(users([]), [pushed("Eng", &[]), (group_id("other"), other)]);
    let plan = one_project(&desired, vec![], vec![]);
    assert!(plan.is_empty());
    assert_eq!(kinds(&plan), [ProblemKind::ProjectNameTwice; 2]);
}

#[test]
fn a_renamed_group_renames_its_project() {
    let desired = with_projects(users([]), [pushed("Eng", &[])]);
    let standing = Project { display_name: "Old".to_owned(), ..project("Eng", Some(group_id("Eng").as_str()), &[]) };
    let plan = one_project(&desired, vec![], vec![standing]);
    assert_eq!(plan.projects[0].action, ProjectAction::Rename { from: "Old".to_owned() });
}

#[test]
fn only_those_who_left_the_group_are_removed() {
    let people = [
        present("stays"),
        present("left"),
        wanted("suspended", DesiredState::Left(Leave::Suspended)),
        wanted("deleted", DesiredState::Left(Leave::Deleted)),
        wanted("broken", DesiredState::Problem(vec![])),
    ];
    let desired = with_projects(users(people), [pushed("Eng", &["stays", "suspended"])]);
    let members = ["stays", "left", "suspended", "deleted", "broken", "by-hand", "foreign"];
    let standing = vec![
        linked("stays"),
        linked("left"),
        inactive(linked("suspended")),
        inactive(linked("deleted")),
        linked("broken"),
        account("by-hand", None),
        account("foreign", Some("emp-1")),
    ];
    let plan = one_project(&desired, standing, vec![project("Eng", Some(group_id("Eng").as_str()), &members)]);
    let removed: Vec<_> = plan.projects[0].remove.iter().map(|r| (r.user_name.as_str(), r.reason.as_str())).collect();
    assert_eq!(
        removed,
        [
            ("deleted@example.com", "deleted in Okta, isn't in group AP Eng"),
            ("left@example.com", "isn't in group AP Eng")
        ]
    );
    assert_eq!(plan.projects[0].add, []);
}

#[test]
fn a_project_whose_group_vanished_while_it_was_read_is_left_alone() {
    let project = project("Eng", Some(group_id("Eng").as_str()), &["ada"]);
    let platform = Platform { projects: vec![project], ..Platform::default() };
    let vanished = [(group_id("Eng"), "Eng".to_owned())].into();
    let desired = Desired { vanished, ..users([]) };
    let policy = Policy { delete_unpushed: true, ..policy() };
    let plan = diff(&desired, &platform, &policy);
    assert_eq!(kinds(&plan), [ProblemKind::GroupVanished]);
    assert!(plan.projects.is_empty() && plan.warnings.is_empty(), "{plan:?}");
}

#[test]
fn a_project_whose_group_is_not_pushed_is_named_and_stays() {
    let plan = one_project(&users([]), vec![], vec![project("Old", Some(group_id("old").as_str()), &[])]);
    assert!(plan.is_empty());
    assert_eq!(plan.warnings.len(), 1);
}

#[test]
fn whoever_is_missing_in_a_listing_is_doubted_before_anything_follows() {
    let desired = with_projects(users([present("ada")]), [pushed("Eng", &[])]);
    let standing = Platform {
        users: vec![linked("ada"), linked("missing"), inactive(linked("long-gone")), account("local", None)],
        projects: vec![project("Eng", Some(group_id("Eng").as_str()), &["ada", "local", "missing"])],
        ..Platform::default()
    };
    let doubts = Comparison::of(&desired, &standing, &policy()).doubts(&BTreeSet::new());
    assert_eq!(doubts.users, BTreeSet::from([okta_id("missing")]));
    assert_eq!(doubts.memberships, BTreeSet::from([okta_id("ada"), okta_id("missing")]));
}

#[test]
fn the_holder_of_a_wanted_address_is_doubted_even_when_inactive() {
    let holder = User { external_id: Some(okta_id("old").as_str().into()), ..inactive(account("ada", None)) };
    let doubts = Comparison::of(&users([present("ada")]), &platform([holder]), &policy()).doubts(&BTreeSet::new());
    assert_eq!(doubts.users, BTreeSet::from([okta_id("old")]));
}

#[test]
fn of_a_saved_plan_only_what_a_new_one_would_do_as_well_is_done() {
    let desired = with_projects(users([present("ada"), present("bob")]), [pushed("Eng", &["ada", "carol"])]);
    let standing = Platform { users: vec![linked("carol")], ..Platform::default() };
    let saved = diff(&desired, &standing, &policy());
    let untried = |_: Step<'_>| false;
    let whole = saved::Remaining { plan: saved.clone(), ..saved::Remaining::default() };
    assert_eq!(saved::still_holds(&saved, &saved, &untried), whole);
    // Meanwhile another client created an account for bob, and a project of the name.
    let meanwhile = Platform {
        users: vec![linked("carol"), linked("bob")],
        projects: vec![project("Eng", None, &[])],
        ..Platform::default()
    };
    let held = saved::still_holds(&saved, &diff(&desired, &meanwhile, &policy()), &untried);
    assert_eq!(held.stale, ["bob@example.com: create", "project Eng"]);
    let kept: Vec<_> = held.plan.users.iter().map(|op| op.user_name.as_str()).collect();
    assert_eq!((kept, held.plan.projects.len()), (vec!["ada@example.com"], 0));
}

#[test]
fn a_saved_plan_gives_a_project_no_name_and_the_guards_no_number_of_its_own() {
    let desired = |name: &str| {
        let (group, project) = pushed("Eng", &["ada"]);
        with_projects(
            users([present("ada"), present("bob")]),
            [(group, DesiredProject { name: name.to_owned(), ..project })],
        )
    };
    let standing = |name: &str| Platform {
        users: vec![linked("ada"), linked("bob")],
        projects: vec![project(name, Some(group_id("Eng").as_str()), &["ada", "bob"])],
        ..Platform::default()
    };
    let held = |saved: &Plan, new: &Plan| saved::still_holds(saved, new, &|_| false);
    // The group got another name meanwhile, whether the project is made, renamed or kept.
    for platform in [Platform { users: vec![linked("ada")], ..Platform::default() }, standing("Eng"), standing("Old")] {
        let [saved, new] = ["Eng", "Engineers"].map(|name| diff(&desired(name), &platform, &policy()));
        assert_eq!(held(&saved, &new).stale, ["project Eng"]);
        assert!(held(&saved, &new).plan.projects.is_empty());
    }
    let new = diff(&desired("Eng"), &standing("Eng"), &policy());
    let mut saved = new.clone();
    saved.projects[0].members = 1_000_000;
    assert_eq!(held(&saved, &new).plan.projects, new.projects);
}

#[test]
fn a_project_is_deleted_only_with_what_was_listed() {
    let policy = Policy { delete_unpushed: true, ..policy() };
    let plan = |members: &[&str]| {
        let standing = project("Old", Some(group_id("old").as_str()), members);
        diff(&users([]), &Platform { projects: vec![standing], ..Platform::default() }, &policy)
    };
    let held = saved::still_holds(&plan(&["ada"]), &plan(&["ada", "bob"]), &|_| false);
    assert_eq!((held.stale.as_slice(), held.plan.is_empty()), (&["project Old".to_owned()][..], true));
    assert_eq!(saved::still_holds(&plan(&["ada"]), &plan(&["ada"]), &|_| false).stale.len(), 0);
}

#[test]
fn a_saved_plan_reads_back_as_it_was_written() {
    let desired = with_projects(
        users([present("ada"), wanted("bob", DesiredState::Left(Leave::Deleted))]),
        [pushed("Eng", &["ada"]), pushed("Ops", &[])],
    );
    let renamed =
        Project { display_name: "Old".to_owned(), ..project("Eng", Some(group_id("Eng").as_str()), &["bob"]) };
    let plan = one_project(&desired, vec![linked("bob")], vec![renamed]);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

/// What the platform is after a plan, by the server's rules (docs/activepieces.md#groups).
fn applied(plan: &Plan, platform: &Platform) -> Platform {
    let mut after = platform.clone();
    let mut account_of = std::collections::BTreeMap::new();
    for (op, left) in plan.users.iter().flat_map(|op| op.replaces.iter().map(move |left| (op, left))) {
        let former = after.users.iter_mut().find(|user| user.id == left.account).unwrap();
        if left.is_linked_to(&op.okta_id) {
            former.external_id = Some(moved_link(&op.okta_id, &left.account).as_str().into());
        }
        former.active &= left.fate != Fate::Close;
    }
    for op in &plan.users {
        let at = op.account.as_ref().and_then(|id| after.users.iter().position(|user| user.id == *id));
        let at = at.unwrap_or_else(|| {
            let id = AccountId::from(format!("new-{}", op.okta_id));
            after.users.push(User { id, user_name: op.user_name.clone(), ..account("", None) });
            after.users.len() - 1
        });
        for copied in op.replaces.iter().flat_map(|left| &left.copies).filter(|copied| copied.joins) {
            let project = after.projects.iter_mut().find(|project| project.id == copied.project).unwrap();
            project.members = project.members.iter().chain([&after.users[at].id]).cloned().collect();
        }
        let user = &mut after.users[at];
        for change in &op.changes {
            match change.attribute {
                Attribute::Active => user.active = change.to == "true",
                Attribute::PlatformRole => user.platform_role = change.to.clone().into(),
                Attribute::GivenName => user.given_name.clone_from(&change.to),
                Attribute::FamilyName => user.family_name.clone_from(&change.to),
                Attribute::ExternalId => user.external_id = Some(change.to.as_str().into()),
            }
        }
        account_of.insert(op.okta_id.clone(), user.id.clone());
    }
    for op in &plan.projects {
        let at = op.project.as_ref().and_then(|id| after.projects.iter().position(|project| project.id == *id));
        let at = at.unwrap_or_else(|| {
            after.projects.push(project(&format!("new {}", op.group), None, &[]));
            after.projects.len() - 1
        });
        let project = &mut after.projects[at];
        project.external_id = Some(op.group.to_string());
        project.display_name.clone_from(&op.name);
        let added = op.add.iter().map(|m| m.account.clone().unwrap_or_else(|| account_of[&m.okta_id].clone()));
        let stays = |id: &AccountId| !op.remove.iter().any(|removal| removal.account == *id);
        project.members = project.members.iter().cloned().chain(added).filter(stays).collect();
    }
    after
}

const NAMES: [&str; 8] = ["ada", "bob", "carol", "dan", "eve", "frank", "grace", "heidi"];

fn any_state() -> impl Strategy<Value = DesiredState> {
    prop_oneof![
        4 => (prop::sample::select(&PlatformRole::ALL), prop::option::of("[A-C]")).prop_map(|(platform_role, name)| {
            DesiredState::Present(Attributes { platform_role, given_name: name, ..Attributes::default() })
        }),
        1 => prop::sample::select(&[Leave::Suspended, Leave::Deactivated, Leave::Unassigned, Leave::Deleted])
            .prop_map(DesiredState::Left),
        1 => Just(DesiredState::Untouched(Status::Staged)),
        1 => Just(DesiredState::Problem(vec![Problem::new("x", ProblemKind::InvalidRole, "x")])),
    ]
}

prop_compose! {
    fn any_desired()(
        people in prop::collection::btree_map(prop::sample::select(&NAMES), (any_state(), prop::sample::select(&NAMES)), 0..8),
        groups in prop::collection::btree_map("P[1-3]", (prop::collection::vec(prop::sample::select(&NAMES), 0..6), "P[1-4]"), 0..3),
    ) -> Desired {
        let users = people.into_iter().map(|(name, (state, mail))| {
            let mail = format!("{mail}@example.com");
            (okta_id(name), DesiredUser::new(&mail, Some(mail.clone()), state))
        });
        let projects = groups.into_iter().map(|(id, (members, name))| {
            let (_, project) = pushed(&name, &members);
            (group_id(&id), DesiredProject { sources: vec![Source::of(group_id(&id))], ..project })
        });
        Desired { users: users.collect(), projects: projects.collect(), ..Desired::default() }
    }
}

prop_compose! {
    fn any_platform()(
        people in prop::collection::btree_map(
            prop::sample::select(&NAMES),
            (prop::option::of(prop::sample::select(&NAMES)), any::<bool>(), prop::sample::select(&PlatformRole::ALL)), 0..8),
        projects in prop::collection::btree_map("P[1-4]", (prop::option::of("P[1-3]"), prop::collection::vec(prop::sample::select(&NAMES), 0..6)), 0..4),
        owner in prop::option::of(prop::sample::select(&NAMES)),
    ) -> Platform {
        let mut taken = BTreeSet::new();
        let users: Vec<User> = people.into_iter().map(|(name, (external_id, active, role))| {
            let external_id = external_id.filter(|id| taken.insert(*id)).map(|id| okta_id(id).as_str().into());
            User { active, platform_role: role.as_str().into(), external_id, ..account(name, None) }
        }).collect();
        let mut taken = BTreeSet::new();
        let projects = projects.into_iter().map(|(name, (external_id, members))| {
            let external_id = external_id.filter(|id| taken.insert(id.clone())).map(|id| group_id(&id).to_string());
            let mut project = project(&name, external_id.as_deref(), &members);
            let known = |id: &&AccountId| users.iter().any(|user| user.id == **id);
            project.members = project.members.iter().filter(known).cloned().collect();
            project
        }).collect();
        let owner = owner.map(|name| AccountId::from(format!("account-{name}"))).filter(|id| users.iter().any(|u| u.id == *id));
        Platform { users, projects, owner, ..Platform::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn applying_a_plan_leaves_nothing_to_plan(desired in any_desired(), platform in any_platform()) {
        let plan = diff(&desired, &platform, &policy());
        let after = applied(&plan, &platform);
        let again = diff(&desired, &after, &policy());
        prop_assert!(again.is_empty(), "{again:#?}\nafter {plan:#?}");
    }

    #[test]
    fn a_plan_never_touches_what_okta_does_not_answer_for(desired in any_desired(), platform in any_platform()) {
        let plan = diff(&desired, &platform, &policy());
        let after = applied(&plan, &platform);
        for before in &platform.users {
            let known = before.external_id.as_deref().is_some_and(|id| desired.users.contains_key(&OktaUserId::from(id)));
            let wanted = desired.users.values().any(|user| user.user_name.as_deref() == Some(&before.user_name));
            if !known && !wanted {
                prop_assert!(after.users.contains(before));
            }
        }
        prop_assert!(after.projects.len() >= platform.projects.len());
    }

    #[test]
    fn a_part_has_nothing_of_what_was_left_out_and_nothing_that_depends_on_it(
        desired in any_desired(), platform in any_platform(), chosen in any::<u64>()
    ) {
        let plan = diff(&desired, &platform, &policy());
        let is_left_out = |(at, item)| (chosen >> (at % 64) & 1 == 1).then_some(item);
        let left_out: BTreeSet<Item> = plan.items().enumerate().filter_map(is_left_out).collect();
        let rest = Rest::without(&plan, &left_out);
        prop_assert!(left_out.iter().all(|item| rest.place(*item).is_none()));
        prop_assert!(plan.items().filter_map(|item| rest.place(item)).eq(rest.plan().items()));
        let mut again = rest.plan().clone();
        item::keep(&mut again, |_, _| true);
        prop_assert_eq!(&again, rest.plan());
        // What is left out is done by the next run.
        let after = applied(rest.plan(), &platform);
        let after = applied(&diff(&desired, &after, &policy()), &after);
        prop_assert!(diff(&desired, &after, &policy()).is_empty());
    }

    #[test]
    fn an_active_admin_is_always_left(desired in any_desired(), platform in any_platform()) {
        let admins = |platform: &Platform| platform.users.iter().filter(|user| user.active && user.is_admin()).count();
        let after = applied(&diff(&desired, &platform, &policy()), &platform);
        prop_assert!(admins(&platform) == 0 || admins(&after) > 0);
    }
}
