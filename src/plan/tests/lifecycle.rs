//! Tests of the life cycle: what each reason to leave does to an account, and when.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::plan::deferred::Because;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::hold::dormant;
use crate::plan::hold::held::{Run, settle};
use crate::plan::past::{Past, Sizes, Stated};
use crate::plan::policy::Grace;
use crate::plan::undo::{Trace, Undone, undo};

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

/// Settles the plan of a run at that hour, and gives what it leaves to be known.
fn run(plan: &mut Plan, past: &Past, hour: i64, policy: &Policy) -> Past {
    settle(plan, past, &Run { sizes: &Sizes::default(), now: at(hour), trust_source: false }, policy)
}

fn left(leave: Leave) -> Desired {
    let (id, user) = wanted("ada", DesiredState::Left(leave));
    users([(id, if leave.is_absence() { user.out_of_scope() } else { user })])
}

#[test]
fn every_reason_closes_an_account_and_makes_none() {
    for (name, leave) in Leave::NAMED {
        let plan = |account| diff(&left(leave), &platform(account), &policy());
        assert_eq!(action(&plan(Some(linked("ada")))), Some(UserAction::Deactivate), "{name}");
        assert!(plan(Some(inactive(linked("ada")))).is_empty() && plan(None).is_empty(), "{name}");
        let unlinked = plan(Some(account("ada", None)));
        assert_eq!(unlinked.users.is_empty(), leave.is_absence(), "{name}: a status is stated");
    }
}

#[test]
fn users_who_are_deactivated_are_kept_where_the_config_says_so_also_out_of_scope() {
    let keep = Policy { deactivated: OnLeave::Keep, ..policy() };
    assert!(diff(&left(Leave::Deactivated), &platform([linked("ada")]), &keep).is_empty());
    let (id, user) = wanted("ada", DesiredState::Left(Leave::Deactivated));
    assert!(diff(&users([(id, user.out_of_scope())]), &platform([linked("ada")]), &keep).is_empty());
}

#[test]
fn each_reason_has_its_own_grace_in_oktas_time() {
    let grace = Grace { runs: 1, time: SignedDuration::from_hours(2) };
    for (name, leave) in Leave::NAMED {
        let policy = Policy { grace, graces: [(leave, SignedDuration::from_hours(24))].into(), ..policy() };
        let mut past = Past::default();
        for (hour, due) in [(0, false), (5, false), (23, false), (24, true)] {
            let mut plan = diff(&left(leave), &platform([linked("ada")]), &policy);
            past = run(&mut plan, &past, hour, &policy);
            assert_eq!(plan.totals().deactivate == 1, due, "{name} at hour {hour}");
            assert_eq!(plan.held.len(), usize::from(!due), "{name}");
            if !leave.is_absence() {
                assert_eq!(past.stated[&okta_id("ada")], Stated { leave, since: at(0) });
                let because = Because::Grace { leave, since: at(0), until: at(24) };
                assert!(plan.held.iter().all(|held| held.because == because), "{:?}", plan.held);
            }
        }
        // Who comes back begins again.
        let mut back = diff(&users([present("ada")]), &platform([linked("ada")]), &policy);
        let past = run(&mut back, &past, 30, &policy);
        assert_eq!((past.stated.len(), past.missing.len()), (0, 0));
    }
}

#[test]
fn the_time_of_a_status_counts_again_where_the_status_changes() {
    let day = SignedDuration::from_hours(24);
    let policy = Policy { graces: [(Leave::LockedOut, day), (Leave::Suspended, day)].into(), ..policy() };
    let planned = |leave| diff(&left(leave), &platform([linked("ada")]), &policy);
    let past = run(&mut planned(Leave::LockedOut), &Past::default(), 0, &policy);
    let mut suspended = planned(Leave::Suspended);
    let past = run(&mut suspended, &past, 20, &policy);
    assert_eq!((suspended.users.len(), past.stated[&okta_id("ada")].since), (0, at(20)));
    let mut plan = planned(Leave::Deactivated);
    run(&mut plan, &past, 21, &policy);
    assert_eq!(plan.totals().deactivate, 1, "without a grace of its own it is closed at once");
}

#[test]
fn a_read_that_is_not_trusted_makes_no_grace_shorter() {
    let day = SignedDuration::from_hours(24);
    let policy = Policy { graces: [(Leave::Suspended, day)].into(), limits: Limits::default(), ..policy() };
    let before = Sizes { users: 100, ..Sizes::default() };
    let past = Past { trusted: Some(before), ..Past::default() };
    let mut plan = diff(&left(Leave::Suspended), &platform([linked("ada")]), &policy);
    let after = run(&mut plan, &past, 0, &policy);
    assert_eq!((plan.users.len(), plan.held.len(), plan.shrunk.len()), (0, 1, 1));
    assert_eq!(after, past, "nothing is recorded of it");
}

#[test]
fn a_user_who_is_suspended_and_out_of_scope_is_closed_for_what_comes_first() {
    let hours = SignedDuration::from_hours;
    let (id, user) = wanted("ada", DesiredState::Left(Leave::Suspended));
    let desired = users([(id, user.out_of_scope())]);
    for (suspended, unassigned, reason) in
        [(48, 24, Leave::Unassigned), (24, 48, Leave::Suspended), (24, 24, Leave::Suspended)]
    {
        let graces = [(Leave::Suspended, hours(suspended)), (Leave::Unassigned, hours(unassigned))].into();
        let policy = Policy { graces, ..policy() };
        let planned = || diff(&desired, &platform([linked("ada")]), &policy);
        assert_eq!(planned().users[0].reason, Reason::Left(reason));
        let past = run(&mut planned(), &Past::default(), 0, &policy);
        let closed = |hour| {
            let mut plan = planned();
            run(&mut plan, &past, hour, &policy);
            plan.totals().deactivate == 1
        };
        assert!(!closed(23) && closed(24), "{suspended} {unassigned}");
    }
}

fn archiving() -> Policy {
    Policy { archive: true, delete_unpushed: true, ..policy() }
}

/// The project "Eng" of a deleted group, with a linked member and one that Okta doesn't know.
fn orphaned(name: &str, members: &[&str]) -> Platform {
    let eng = Project { display_name: name.to_owned(), ..project("Eng", Some(group_id("Eng").as_str()), members) };
    let accounts = vec![linked("ada"), linked("bob"), account("local", None)];
    Platform { users: accounts, projects: vec![eng], ..Platform::default() }
}

#[test]
fn an_unpushed_project_is_archived_once_with_its_linked_members_gone() {
    let before = orphaned("Eng", &["ada", "local"]);
    let plan = diff(&users([present("ada"), present("bob")]), &before, &archiving());
    let op = &plan.projects[0];
    assert_eq!((&*op.name, &op.action), ("Archived: Eng", &ProjectAction::Archive { from: "Eng".to_owned() }));
    assert_eq!(op.remove.iter().map(|gone| &*gone.user_name).collect::<Vec<_>>(), ["ada@example.com"]);
    assert_eq!((plan.totals().projects_archive, plan.totals().projects_delete, plan.standing.members), (1, 0, 2));
    assert!(plan.warnings[0].contains("1 member that Okta doesn't know stay"), "{:?}", plan.warnings);
    let after = applied(&plan, &before);
    let again = diff(&users([present("ada"), present("bob")]), &after, &archiving());
    assert!(again.is_empty() && again.standing.unchanged_projects == 1, "{again:?}");
    // A member who comes back by hand is removed, and the name stays.
    let joined = orphaned("Archived: Eng", &["bob"]);
    let plan = diff(&users([present("ada"), present("bob")]), &joined, &archiving());
    assert_eq!((&*plan.projects[0].name, plan.projects[0].remove.len()), ("Archived: Eng", 1));
    let without = diff(&users([present("ada")]), &before, &policy());
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn an_archive_waits_like_a_deletion_and_its_members_count_in_the_limit() {
    let past = Past { trusted: Some(Sizes { users: 100, ..Sizes::default() }), ..Past::default() };
    let planned = || diff(&users([present("ada"), present("bob")]), &orphaned("Eng", &["ada", "bob"]), &archiving());
    let mut plan = planned();
    run(&mut plan, &past, 0, &Policy { limits: Limits::default(), ..archiving() });
    assert!(plan.projects.is_empty(), "the source isn't trusted: {plan:?}");
    assert_eq!(plan.held.iter().map(|held| &*held.what).collect::<Vec<_>>()[0], "archive the project");
    let limits = Limits { members_removed: Limit::Percent(50.0), ..policy().limits };
    let refusals = guard::check(&planned(), "", &Policy { limits, ..archiving() }, &past, &Allowed::default());
    assert!(matches!(refusals[0], Refusal::MaxMembersRemoved { .. }), "{refusals:?}");
}

#[test]
fn the_group_of_an_archived_project_takes_it_back() {
    let archived = orphaned("Archived: Eng", &[]);
    let back = with_projects(users([present("ada"), present("bob")]), [pushed("Eng", &["ada"])]);
    let plan = diff(&back, &archived, &archiving());
    let op = &plan.projects[0];
    assert_eq!((&*op.name, &op.action), ("Eng", &ProjectAction::Rename { from: "Archived: Eng".to_owned() }));
    assert_eq!(op.add.len(), 1);
}

#[test]
fn a_group_made_again_takes_an_archived_project_by_the_members_that_were_recorded() {
    let archived = orphaned("Archived: Eng", &[]);
    let before = diff(&users([present("ada"), present("bob")]), &orphaned("Eng", &["ada", "bob"]), &archiving());
    let mut past = Past::default();
    past.note_archived(&before, &orphaned("Eng", &["ada", "bob"]));
    assert_eq!(past.archived[&archived.projects[0].id], [okta_id("ada"), okta_id("bob")].into());
    let made_again = |members: &[&str], recorded: bool| {
        let mut desired =
            with_projects(users([present("ada"), present("bob"), present("cy")]), [pushed("New", members)]);
        desired.projects.get_mut(&group_id("New")).unwrap().name = "Eng".to_owned();
        desired.groups = [(group_id("New"), "Eng".to_owned())].into();
        desired.archived = if recorded { past.archived.clone() } else { BTreeMap::new() };
        diff(&desired, &archived, &archiving())
    };
    let plan = made_again(&["ada", "cy"], true);
    let relink =
        ProjectAction::Relink { from: group_id("Eng"), is_named: false, archived: Some("Archived: Eng".to_owned()) };
    assert_eq!((plan.projects.len(), &plan.projects[0].action), (1, &relink));
    assert_eq!((&*plan.projects[0].name, plan.projects[0].add.len()), ("Eng", 2));
    // Whether the project got its name back is known once the platform shows it: the operation may be left out, or fail.
    for (now, recorded) in [(&archived, true), (&applied(&plan, &archived), false)] {
        let mut after = run(&mut plan.clone(), &past, 1, &archiving());
        after.note_archived(&plan, now);
        assert_eq!(!after.archived.is_empty(), recorded, "{after:?}");
    }
    // Other people, or no record: what is in the project isn't given to them.
    for plan in [made_again(&["cy"], true), made_again(&["ada", "bob"], false)] {
        assert_eq!((plan.projects.len(), kinds(&plan)), (0, vec![ProblemKind::GroupMadeAgain]));
    }
}

#[test]
fn an_undo_gives_an_archived_project_its_name_and_members_back() {
    let before = orphaned("Eng", &["ada"]);
    let desired = users([present("ada"), present("bob")]);
    let mut made = diff(&desired, &before, &archiving());
    made.projects[0].remove[0].role = Some("Viewer".to_owned());
    let after = applied(&made, &before);
    let undone = |now: &Platform| {
        undo(
            Undone { run: 7, plan: &made, trace: &|_| Trace::Done },
            &Comparison::of(&desired, now, &archiving()),
            &archiving(),
        )
    };
    let back = undone(&after);
    let op = &back.projects[0];
    assert_eq!((&*op.name, &op.action), ("Eng", &ProjectAction::Rename { from: "Archived: Eng".to_owned() }));
    assert_eq!(op.add[0].role.as_deref(), Some("Viewer"));
    assert_eq!(applied(&back, &after).projects, before.projects);
    assert!(undone(&before).projects.is_empty(), "once is enough");
}

fn removing() -> Policy {
    Policy { remove_memberships: true, ..policy() }
}

/// Two projects of groups with ada and bob, of which the second isn't pushed, and one that is no group's.
fn three_projects(ada: User) -> Platform {
    let members = ["ada", "bob"];
    let projects = [
        project("Eng", Some(group_id("Eng").as_str()), &members),
        project("Old", Some(group_id("Old").as_str()), &members),
        project("Local", None, &members),
    ];
    Platform { users: vec![ada, linked("bob")], projects: projects.into(), ..Platform::default() }
}

fn in_groups(leave: Leave) -> Desired {
    let (id, user) = wanted("ada", DesiredState::Left(leave));
    let ada = (id, if leave.is_absence() { user.out_of_scope() } else { user });
    with_projects(users([ada, present("bob")]), [pushed("Eng", &["ada", "bob"])])
}

#[test]
fn a_user_whose_account_is_closed_leaves_all_projects_that_are_linked() {
    for (name, leave) in Leave::NAMED {
        for ada in [linked("ada"), inactive(linked("ada"))] {
            let closed = if ada.active { op::Closed::ByThisPlan } else { op::Closed::Before };
            let before = three_projects(ada);
            let plan = diff(&in_groups(leave), &before, &removing());
            let removed: Vec<_> = plan.projects.iter().map(|op| (&*op.name, op.remove.len())).collect();
            assert_eq!(removed, [("Eng", 1), ("Old", 1)], "{name}");
            let removal = &plan.projects[0].remove[0];
            assert_eq!((&*removal.user_name, removal.closed), ("ada@example.com", Some(closed)), "{name}");
            let after = applied(&plan, &before);
            assert!(diff(&in_groups(leave), &after, &removing()).projects.is_empty(), "{name}: once");
            assert!(diff(&in_groups(leave), &before, &policy()).projects.is_empty(), "{name}: without the key");
        }
    }
    let keep = Policy { suspended: OnLeave::Keep, ..removing() };
    assert!(diff(&in_groups(Leave::Suspended), &three_projects(linked("ada")), &keep).is_empty());
}

#[test]
fn a_member_stays_while_the_account_does() {
    let stays = |mut plan: Plan, past: &Past, policy: &Policy| {
        run(&mut plan, past, 0, policy);
        plan.projects.is_empty() && plan.totals().deactivate == 0
    };
    let graces: BTreeMap<_, _> = Leave::NAMED.map(|(_, leave)| (leave, SignedDuration::from_hours(1))).into();
    for (name, leave) in Leave::NAMED {
        let waiting = Policy { graces: graces.clone(), ..removing() };
        let plan = diff(&in_groups(leave), &three_projects(linked("ada")), &waiting);
        assert!(stays(plan, &Past::default(), &waiting), "{name}: within the grace");
    }
    let protect = Policy { protect: ["ada@example.com".to_owned()].into(), ..removing() };
    assert!(diff(&in_groups(Leave::Suspended), &three_projects(linked("ada")), &protect).is_empty());
    let last = diff(&in_groups(Leave::Suspended), &three_projects(admin(linked("ada"))), &removing());
    assert!(stays(last, &Past::default(), &removing()), "the last ADMIN");
    let past = Past { trusted: Some(Sizes { users: 100, ..Sizes::default() }), ..Past::default() };
    let strict = Policy { limits: Limits::default(), ..removing() };
    let mut plan = diff(&in_groups(Leave::Suspended), &three_projects(linked("ada")), &strict);
    run(&mut plan, &past, 0, &strict);
    assert_eq!((plan.totals().deactivate, plan.projects.len()), (1, 0), "without trust memberships stay");
}

#[test]
fn who_comes_back_has_the_project_role_of_before() {
    let before = three_projects(linked("ada"));
    let mut plan = diff(&in_groups(Leave::Suspended), &before, &removing());
    plan.projects.iter_mut().flat_map(|op| &mut op.remove).for_each(|gone| gone.role = Some("Admin".to_owned()));
    let mut past = run(&mut plan, &Past::default(), 0, &removing());
    past.note_roles(&plan);
    assert_eq!(past.left_roles[&group_id("Eng")], [(okta_id("ada"), "Admin".to_owned())].into());
    let after = applied(&plan, &before);
    let back = |members: &[&str], now: &Platform, past: &Past| {
        let desired = with_projects(users([present("ada"), present("bob")]), [pushed("Eng", members)]);
        let desired = Desired { left_roles: past.left_roles.clone(), ..desired };
        let mut plan = diff(&desired, now, &removing());
        let past = run(&mut plan, past, 1, &removing());
        (plan, past)
    };
    let (plan, kept) = back(&["ada", "bob"], &after, &past);
    let member = &plan.projects[0].add[0];
    assert_eq!((member.role.as_deref(), action(&plan)), (Some("Admin"), Some(UserAction::Reactivate)));
    assert_eq!(plan.new_project_admins().next().unwrap().reason, "the project role before the deactivation");
    assert_eq!(kept.left_roles, past.left_roles, "until they are a member");
    let (_, settled) = back(&["ada", "bob"], &applied(&plan, &after), &past);
    assert!(!settled.left_roles.get(&group_id("Eng")).is_some_and(|roles| roles.contains_key(&okta_id("ada"))));
    // Who left the group meanwhile begins again as a new member.
    let (_, left) = back(&["bob"], &after, &past);
    let (plan, _) = back(&["ada", "bob"], &after, &left);
    assert_eq!(plan.projects[0].add[0].role, None);
}

/// A user who is staged and gets an account.
fn staged(name: &str, state: DesiredState, role: PlatformRole) -> (OktaUserId, DesiredUser) {
    let (id, user) = wanted(name, state);
    let attributes = Attributes { given_name: Some(name.to_owned()), platform_role: role, ..Attributes::default() };
    (id, user.with_prepared(attributes))
}

#[test]
fn an_account_of_a_staged_user_is_made_inactive_and_only_once() {
    for state in [DesiredState::Untouched(Status::Staged), DesiredState::Left(Leave::Staged)] {
        let desired = users([staged("ada", state.clone(), PlatformRole::Member)]);
        let plan = diff(&desired, &platform([]), &policy());
        let op = &plan.users[0];
        assert_eq!((op.action, &op.reason, op.makes_inactive()), (UserAction::Create, &Reason::Staged, true));
        let after = applied(&plan, &platform([]));
        assert!(!after.users[0].active && after.users[0].link() == Some(okta_id("ada").as_str()));
        assert!(diff(&desired, &after, &policy()).is_empty(), "{state:?}");
        let active = diff(&users([present("ada")]), &after, &policy());
        assert_eq!(action(&active), Some(UserAction::Reactivate));
        // An account that is there already is closed where the config says so, and else left alone.
        let closes = state == DesiredState::Left(Leave::Staged);
        assert_eq!(!diff(&desired, &platform([linked("ada")]), &policy()).is_empty(), closes, "{state:?}");
        assert!(diff(&desired, &platform([inactive(account("ada", None))]), &policy()).is_empty());
    }
}

#[test]
fn an_inactive_account_makes_no_admin_and_one_that_will_be_is_named() {
    let state = DesiredState::Untouched(Status::Staged);
    let new = staged("new", state, PlatformRole::Admin);
    let root = wanted("root", DesiredState::Left(Leave::Suspended));
    let mut plan = diff(&users([new, root]), &platform([admin(linked("root"))]), &policy());
    assert_eq!(plan.users.len(), 1, "the last ADMIN stays, since the new one can't sign in: {plan:?}");
    assert_eq!(plan.new_admins().map(|op| &*op.user_name).collect::<Vec<_>>(), ["new@example.com"]);
    run(&mut plan, &Past::default(), 0, &policy());
    assert_eq!(plan.totals().deactivate, 0);
}

#[test]
fn a_staged_user_gives_way_to_a_user_of_the_same_address() {
    let (other, user) = present("other");
    let user = DesiredUser::new(user.login(), Some("ada@example.com".to_owned()), user.state.clone());
    let desired =
        users([(other.clone(), user), staged("ada", DesiredState::Untouched(Status::Staged), PlatformRole::Member)]);
    let plan = diff(&desired, &platform([]), &policy());
    assert_eq!(
        plan.users.iter().map(|op| (op.action, &op.okta_id)).collect::<Vec<_>>(),
        [(UserAction::Create, &other)]
    );
    assert_eq!(plan.problems, []);
}

#[test]
fn an_undo_says_that_an_inactive_account_stays() {
    let desired = users([staged("ada", DesiredState::Untouched(Status::Staged), PlatformRole::Member)]);
    let made = diff(&desired, &platform([]), &policy());
    let after = applied(&made, &platform([]));
    let undone = Undone { run: 7, plan: &made, trace: &|_| Trace::Done };
    let back = undo(undone, &Comparison::of(&desired, &after, &policy()), &policy());
    assert!(back.is_empty() && back.warnings[0].contains("stay inactive"), "{back:?}");
}

const DAYS: i64 = 90;

fn deleting() -> Policy {
    Policy { delete_inactive_after: Some(SignedDuration::from_hours(DAYS * 24)), ..policy() }
}

/// The plan of a run of that day, with what earlier runs recorded, and what it leaves to be known.
fn dormant_run(desired: &Desired, before: &Platform, past: &Past, day: i64) -> (Plan, Past) {
    let (policy, now) = (deleting(), at(day * 24));
    let comparison = Comparison::of(desired, before, &policy);
    let mut plan = comparison.plan(&policy);
    comparison.delete(&mut plan, &dormant::due(past, before, &policy, now), &policy);
    let mut after = run(&mut plan, past, day * 24, &policy);
    after.inactive = dormant::record(past, before, &desired.ids, &policy, now);
    (plan, after)
}

fn gone(leave: Leave) -> Desired {
    let (id, user) = wanted("ada", DesiredState::Left(leave));
    users([(id, user.out_of_scope())])
}

#[test]
fn an_account_is_deleted_after_its_time_by_the_record_of_runs_alone() {
    let before = platform([inactive(linked("ada")), admin(linked("root"))]);
    for leave in [Leave::Suspended, Leave::Deactivated, Leave::Unassigned, Leave::Deleted] {
        let desired = gone(leave);
        let (plan, past) = dormant_run(&desired, &before, &Past::default(), 0);
        assert!(plan.is_empty(), "since when isn't known: {plan:?}");
        let (plan, past) = dormant_run(&desired, &before, &past, DAYS - 1);
        assert!(plan.is_empty());
        let (plan, past) = dormant_run(&desired, &before, &past, DAYS);
        assert_eq!((plan.totals().delete, &plan.users[0].reason), (1, &Reason::Left(leave)), "{plan:?}");
        assert_eq!(plan.users[0].destroys.as_ref().unwrap().inactive_since, at(0));
        // An account that was active in between begins again, and so does one that is another user's since.
        let active = platform([linked("ada"), admin(linked("root"))]);
        assert!(dormant_run(&desired, &active, &past, DAYS).1.inactive.is_empty());
        let relinked =
            platform([User { external_id: Some(okta_id("eve").as_str().into()), ..inactive(linked("ada")) }]);
        assert!(dormant::due(&past, &relinked, &deleting(), at(9999 * 24)).is_empty());
        assert!(dormant::without_seen(&past, &before, &policy()).is_empty(), "without the key nothing is recorded");
    }
}

#[test]
fn an_account_that_a_user_could_need_is_never_deleted() {
    let since: BTreeMap<AccountId, Timestamp> = [("account-ada".into(), at(0))].into();
    let of = |desired: &Desired, ada: User, policy: &Policy| {
        let before = Platform { owner: Some("account-root".into()), ..platform([ada, admin(linked("root"))]) };
        let comparison = Comparison::of(desired, &before, policy);
        let mut plan = comparison.plan(policy);
        comparison.delete(&mut plan, &since, policy);
        plan.totals().delete
    };
    let ada = || inactive(linked("ada"));
    assert_eq!(of(&gone(Leave::Unassigned), ada(), &deleting()), 1);
    assert_eq!(of(&gone(Leave::Unassigned), linked("ada"), &deleting()), 0, "it is active");
    assert_eq!(of(&gone(Leave::Unassigned), admin(ada()), &deleting()), 0, "ADMIN");
    let odd = User { platform_role: "OWNER".into(), ..ada() };
    assert_eq!(of(&gone(Leave::Unassigned), odd, &deleting()), 0, "a role that isn't known");
    assert_eq!(of(&gone(Leave::Unassigned), inactive(account("ada", None)), &deleting()), 0, "not linked");
    assert_eq!(of(&users([]), ada(), &deleting()), 0, "its user isn't confirmed");
    assert_eq!(of(&users([present("ada")]), ada(), &deleting()), 0, "access");
    for state in [DesiredState::Untouched(Status::Staged), DesiredState::Problem(Vec::new())] {
        assert_eq!(of(&users([wanted("ada", state)]), ada(), &deleting()), 0);
    }
    for (name, leave) in Leave::NAMED {
        let in_scope = of(&left(leave), ada(), &deleting());
        let is_gone = leave.is_absence() || leave == Leave::Deactivated;
        assert_eq!(in_scope, usize::from(is_gone), "{name} and in scope");
    }
    let protect = Policy { protect: ["ada@example.com".to_owned()].into(), ..deleting() };
    assert_eq!(of(&gone(Leave::Unassigned), ada(), &protect), 0, "protected");
    let keep = Policy { unassigned: OnLeave::Keep, ..deleting() };
    assert_eq!(of(&gone(Leave::Unassigned), ada(), &keep), 0, "kept");
    // A new user of the same address takes the account.
    let (eve, user) = present("eve");
    let successor = DesiredUser::new(user.login(), Some("ada@example.com".to_owned()), user.state.clone());
    let mut desired = gone(Leave::Deleted);
    desired.users.insert(eve, successor);
    assert_eq!(of(&desired, ada(), &deleting()), 0, "relinked");
}

#[test]
fn an_account_waits_with_its_deletion_while_another_of_its_user_is_closed() {
    let former = User { external_id: Some(moved_link(&okta_id("ada"), &"account-old".into()).into()), ..linked("old") };
    let before = platform([inactive(linked("ada")), former, admin(linked("root"))]);
    let due = [("account-ada".into(), at(0))].into();
    let (desired, policy) = (gone(Leave::Deactivated), deleting());
    let comparison = Comparison::of(&desired, &before, &policy);
    let mut plan = comparison.plan(&policy);
    comparison.delete(&mut plan, &due, &policy);
    let ops: Vec<_> = plan.users.iter().map(|op| (op.action, &*op.user_name)).collect();
    assert_eq!(ops, [(UserAction::Deactivate, "old@example.com")], "one operation for a user");
}

#[test]
fn deletions_of_accounts_need_their_exact_number_and_a_source_that_is_trusted() {
    let before = platform([inactive(linked("ada")), admin(linked("root"))]);
    let desired = Desired {
        users: gone(Leave::Deleted).users.into_iter().chain([present("root")]).collect(),
        ..Desired::default()
    };
    let past = dormant_run(&desired, &before, &Past::default(), 0).1;
    let (plan, _) = dormant_run(&desired, &before, &past, DAYS);
    let refused = |account_deletions, approved: Option<&str>| {
        let approved = approved.map(str::to_owned);
        let allowed = Allowed { account_deletions, approved, ..Allowed::default() };
        guard::check(&plan, "hash", &deleting(), &past, &allowed)
    };
    assert_eq!(refused(None, None), [Refusal::AccountDeletions { deletions: 1 }]);
    assert_eq!(refused(None, Some("hash")).len(), 1, "an approved hash doesn't stand for it");
    assert_eq!((refused(Some(2), None).len(), refused(Some(1), None).len()), (1, 0));
    assert_eq!(refused(None, None)[0].flag("hash").unwrap(), "--allow-account-deletions 1");
    let small = Past { trusted: Some(Sizes { users: 100, ..Sizes::default() }), ..past.clone() };
    let strict = Policy { limits: Limits::default(), ..deleting() };
    let mut held = plan.clone();
    run(&mut held, &small, DAYS * 24, &strict);
    assert_eq!((held.users.len(), &*held.held[0].what), (0, "delete"));
    let now = platform([admin(linked("root"))]);
    let back = undo(
        Undone { run: 7, plan: &plan, trace: &|_| Trace::Done },
        &Comparison::of(&desired, &now, &deleting()),
        &deleting(),
    );
    assert!(back.is_empty() && back.warnings[0].contains("was deleted, which can't be undone"), "{back:?}");
}
