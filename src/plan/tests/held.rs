//! Tests of deferred operations: an untrusted source, a grace period, and changes that don't persist.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::op::Plan;
use super::super::past::{GroupSize, Missing, Sizes};
use super::super::policy::Grace;
use super::*;
use crate::model::desired::MissingPart;
use crate::plan::deferred::Shrunk;
use crate::plan::deferred::{Because, Deferred};
use crate::plan::guard::{self, Allowed};
use crate::plan::hold::convergence::Stands;
use crate::plan::hold::held::{Run, settle};
use crate::plan::hold::trust::shrunk;

fn sizes(users: usize, members: usize) -> Sizes {
    let group = GroupSize { name: "AP Eng".to_owned(), members };
    Sizes { users, groups: BTreeMap::from([(group_id("Eng"), group)]), ..Sizes::default() }
}

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

/// Settles the plan of a run at that hour, and gives what it leaves to be known.
fn run(plan: &mut Plan, past: &Past, hour: i64, policy: &Policy) -> Past {
    settle(plan, past, &Run { sizes: &sizes(3, 3), now: at(hour), trust_source: false }, policy)
}

#[test]
fn a_read_is_trusted_up_to_the_edge_of_the_share_that_may_be_missing() {
    let limits = Limits { shrink: Limit::Percent(30.0), size_floor: Some(20), ..Limits::default() };
    let app = "users assigned to the app AP".to_owned();
    let trusted = Sizes { parts: [(app.clone(), 90)].into(), ..sizes(100, 40) };
    let past = Past { trusted: Some(trusted), ..Past::default() };
    let users = |now| Shrunk { which: "users in scope".to_owned(), before: 100, now };
    let members = |now| Shrunk { which: "members of the group AP Eng".to_owned(), before: 40, now };
    for (now, expected) in [
        (sizes(100, 40), vec![]),
        (sizes(70, 28), vec![]),
        (sizes(69, 28), vec![users(69)]),
        (sizes(70, 27), vec![members(27)]),
        (sizes(0, 0), vec![members(0), users(0)]),
        (sizes(1000, 1000), vec![]),
        // The app lost all its users, and the group of the same scope still has them.
        (
            Sizes { parts: [(app.clone(), 0)].into(), ..sizes(100, 40) },
            vec![Shrunk { which: app.clone(), before: 90, now: 0 }],
        ),
        (Sizes { parts: [(app.clone(), 63)].into(), ..sizes(100, 40) }, vec![]),
        (Sizes { scope: "app 0oa2".to_owned(), ..sizes(1, 40) }, vec![]),
        // The group isn't pushed any more.
        (Sizes { users: 100, ..Sizes::default() }, vec![]),
    ] {
        assert_eq!(shrunk(&now, &past, &limits), expected, "{now:?}");
    }
    assert_eq!(shrunk(&sizes(0, 0), &Past::default(), &limits), [], "the first read is trusted");
    let few = Past { trusted: Some(sizes(9, 9)), ..Past::default() };
    assert_eq!(shrunk(&sizes(0, 0), &few, &limits), [], "fewer than the floor");
}

/// One to be created, one out of scope, one suspended, one to be removed from a project, and one project to be deleted.
fn every_kind() -> Plan {
    let desired = with_projects(
        users([
            present("new"),
            present("ada"),
            wanted("bob", DesiredState::Left(Leave::Unassigned)),
            wanted("cy", DesiredState::Left(Leave::Suspended)),
        ]),
        [pushed("Eng", &["new"])],
    );
    let eng = project("Eng", Some(group_id("Eng").as_str()), &["ada"]);
    let old = project("Old", Some(group_id("Old").as_str()), &[]);
    let standing = Platform {
        users: vec![linked("ada"), linked("bob"), linked("cy")],
        projects: vec![eng, old],
        owner: None,
        ..Platform::default()
    };
    diff(&desired, &standing, &Policy { delete_unpushed: true, ..policy() })
}

#[test]
fn a_source_that_is_not_trusted_takes_nothing_away_and_teaches_nothing() {
    let policy = Policy { limits: Limits::default(), ..policy() };
    let past = Past { trusted: Some(sizes(100, 3)), ..Past::default() };
    let mut plan = every_kind();
    let remembered = run(&mut plan, &past, 0, &policy);
    assert_eq!(plan.shrunk, [Shrunk { which: "users in scope".to_owned(), before: 100, now: 3 }]);
    let held: Vec<_> = plan.held.iter().map(|held| (held.subject.as_str(), held.what.as_str())).collect();
    assert_eq!(
        held,
        [("Eng", "remove ada@example.com"), ("Old", "delete the project"), ("bob@example.com", "deactivate")]
    );
    assert!(plan.held.iter().all(|held| held.because == Because::SourceNotTrusted));
    assert_eq!(plan.totals(), op::Totals { create: 1, deactivate: 1, members_add: 1, ..op::Totals::default() });
    assert_eq!(
        plan.users.last().map(|op| op.okta_id.clone()),
        Some(okta_id("cy")),
        "a suspension is stated, not missed"
    );
    assert_eq!(remembered, past);
    let mut plan = every_kind();
    let trusting = Run { sizes: &sizes(3, 3), now: at(0), trust_source: true };
    let remembered = settle(&mut plan, &past, &trusting, &policy);
    assert_eq!((plan.held.len(), plan.shrunk.len()), (0, 0));
    assert_eq!(remembered.trusted, Some(sizes(3, 3)));
}

#[test]
fn where_a_part_of_the_scope_is_missing_only_what_okta_states_is_taken_away() {
    let grace = Grace { runs: 2, time: SignedDuration::ZERO };
    let states =
        [("ada", Leave::Suspended), ("bob", Leave::Deactivated), ("cy", Leave::Deleted), ("dan", Leave::Unassigned)];
    let missing = MissingPart { wanted: "AP".to_owned(), fault: "[scope] app: no app".to_owned() };
    let people = states.map(|(name, leave)| wanted(name, DesiredState::Left(leave)));
    let desired = Desired { missing_scope: vec![missing], ..with_projects(users(people), [pushed("Eng", &[])]) };
    let eng = project("Eng", Some(group_id("Eng").as_str()), &["dan"]);
    let planned = || one_project(&desired, states.map(|(name, _)| linked(name)).to_vec(), vec![eng.clone()]);
    let past = Past { trusted: Some(sizes(9, 9)), ..Past::default() };
    let of = |plan: &Plan| plan.users.iter().map(|op| op.okta_id.clone()).collect::<Vec<_>>();
    let mut plan = planned();
    let after_first = run(&mut plan, &past, 0, &Policy { grace, ..policy() });
    assert_eq!(of(&plan), [okta_id("ada"), okta_id("bob")], "the deleted user has a grace");
    let held: Vec<_> = plan.held.iter().filter(|held| held.because == Because::ScopeNotFound).collect();
    assert_eq!(
        held.iter().map(|held| held.what.as_str()).collect::<Vec<_>>(),
        ["remove dan@example.com", "deactivate"]
    );
    assert!(guard::check(&plan, "", &policy(), &past, &Allowed::default()).is_empty(), "the scope isn't empty");
    assert!(plan.problems.iter().any(|problem| problem.kind == ProblemKind::ScopeNotFound && problem.subject == "AP"));
    assert_eq!(after_first.trusted, past.trusted);
    assert_eq!(after_first.missing.keys().collect::<Vec<_>>(), [&okta_id("cy")], "only a deletion is known for sure");
    let mut plan = planned();
    run(&mut plan, &after_first, 1, &Policy { grace, ..policy() });
    assert_eq!(of(&plan), [okta_id("ada"), okta_id("bob"), okta_id("cy")]);
}

/// The plan for a user who left in this way, and who is to be removed from a project too.
fn leaver(leave: Leave) -> Plan {
    let desired =
        with_projects(users([wanted("ada", DesiredState::Left(leave)), present("bob")]), [pushed("Eng", &[])]);
    let eng = project("Eng", Some(group_id("Eng").as_str()), &["ada", "bob"]);
    one_project(&desired, vec![linked("ada"), linked("bob")], vec![eng])
}

#[test]
fn whoever_is_missing_is_deactivated_after_so_many_runs_and_so_long() {
    let grace = Grace { runs: 3, time: SignedDuration::from_hours(24) };
    let policy = Policy { grace, ..policy() };
    let mut past = Past::default();
    // The hour of each run, and whether it deactivates.
    for (runs, (hour, due)) in [(0, false), (1, false), (2, false), (23, false), (24, true)].into_iter().enumerate() {
        let mut plan = leaver(Leave::Unassigned);
        past = run(&mut plan, &past, hour, &policy);
        assert_eq!(plan.totals().deactivate == 1, due, "at hour {hour}");
        assert_eq!(past.missing[&okta_id("ada")], Missing { since: at(0), runs: runs + 1 });
        if due {
            assert_eq!((plan.held.len(), plan.totals().members_remove), (0, 2));
        } else {
            let because = Because::Waiting { since: at(0), runs: runs + 1 };
            let held = [("Eng", "remove ada@example.com"), ("ada@example.com", "deactivate")]
                .map(|(subject, what)| Deferred::new(subject, what, because.clone()));
            assert_eq!(plan.held, held);
            assert_eq!(plan.totals().members_remove, 1, "bob is there, and left the group");
        }
    }
    // Long enough and too few runs.
    let mut plan = leaver(Leave::Deleted);
    run(&mut plan, &Past::default(), 100, &policy);
    assert_eq!(plan.totals().deactivate, 0);
}

#[test]
fn a_clear_answer_of_okta_needs_no_grace_and_nor_does_a_policy_without_one() {
    let policy = Policy { grace: Grace { runs: 9, time: SignedDuration::from_hours(999) }, ..policy() };
    for leave in [Leave::Suspended, Leave::Deactivated] {
        let mut plan = leaver(leave);
        let past = run(&mut plan, &Past::default(), 0, &policy);
        assert_eq!((plan.totals().deactivate, past.missing.len()), (1, 0));
    }
    let mut plan = leaver(Leave::Unassigned);
    run(&mut plan, &Past::default(), 0, &self::policy());
    assert_eq!(plan.totals().deactivate, 1);
}

#[test]
fn a_deleted_user_has_the_grace_also_where_a_suspended_user_has_the_address() {
    let policy = Policy { grace: Grace { runs: 2, time: SignedDuration::ZERO }, suspended: OnLeave::Keep, ..policy() };
    let user = |name: &str, user_name: Option<&str>, leave| {
        DesiredUser::new(name, user_name.map(str::to_owned), DesiredState::Left(leave))
    };
    let twin = (okta_id("eve"), user("eve@example.com", Some("ada@example.com"), Leave::Suspended));
    let gone_id = okta_id("ada");
    let desired = users([twin, (gone_id.clone(), user("ada", None, Leave::Deleted))]);
    let planned = || diff(&desired, &platform([linked("ada")]), &policy);
    let mut plan = planned();
    let past = run(&mut plan, &Past::default(), 0, &policy);
    assert_eq!((plan.users.len(), plan.held.len()), (0, 1), "{plan:#?}");
    let mut plan = planned();
    run(&mut plan, &past, 1, &policy);
    assert_eq!(plan.users.iter().map(|op| op.okta_id.clone()).collect::<Vec<_>>(), [gone_id]);
}

#[test]
fn whoever_comes_back_is_forgotten_and_a_clock_that_was_ahead_is_put_right() {
    let grace = Policy { grace: Grace { runs: 2, time: SignedDuration::from_hours(2) }, ..policy() };
    let past = run(&mut leaver(Leave::Unassigned), &Past::default(), 10, &grace);
    let mut nobody = diff(&users([present("ada")]), &platform([linked("ada")]), &grace);
    assert_eq!(run(&mut nobody, &past, 11, &grace).missing.len(), 0);
    let past = run(&mut leaver(Leave::Unassigned), &past, 5, &grace);
    assert_eq!(past.missing[&okta_id("ada")], Missing { since: at(5), runs: 2 });
}

proptest! {
    #[test]
    fn without_trust_nothing_is_taken_away_for_an_absence(desired in any_desired(), platform in any_platform()) {
        let policy = Policy { delete_unpushed: true, limits: Limits::default(), ..policy() };
        let past = Past { trusted: Some(sizes(100, 100)), ..Past::default() };
        let mut plan = diff(&desired, &platform, &policy);
        let whole = plan.totals();
        let is_stated = |op: &&op::UserOp| matches!(op.reason, Reason::Left(Leave::Suspended | Leave::Deactivated));
        let stated: BTreeSet<_> = plan.users.iter().filter(is_stated).filter_map(|op| op.account.clone()).collect();
        run(&mut plan, &past, 0, &policy);
        let after = applied(&plan, &platform);
        for before in platform.users.iter().filter(|user| user.active && !stated.contains(&user.id)) {
            prop_assert!(after.users.iter().any(|user| user.id == before.id && user.active));
        }
        for before in &platform.projects {
            let project = after.projects.iter().find(|project| project.id == before.id);
            prop_assert!(project.is_some_and(|project| before.members.iter().all(|id| project.members.contains(id))));
        }
        let left = plan.totals();
        prop_assert_eq!((left.create, left.update, left.members_add), (whole.create, whole.update, whole.members_add));
        prop_assert_eq!(plan.held.len(), whole.deactivate - left.deactivate + whole.members_remove + whole.projects_delete);
    }
}

/// A user with a wrong name, a project with a wrong name, and a user who isn't a member yet.
fn three_changes(platform: &Platform) -> Plan {
    let desired = with_projects(users([present("ada"), present("bob")]), [pushed("Eng", &["ada", "bob"])]);
    diff(&desired, platform, &policy())
}

fn differing() -> Platform {
    let eng = Project { display_name: "Old".to_owned(), ..project("Eng", Some(group_id("Eng").as_str()), &["bob"]) };
    let ada = User { given_name: "Adda".to_owned(), ..linked("ada") };
    Platform { users: vec![ada, linked("bob")], projects: vec![eng], owner: None, ..Platform::default() }
}

/// What a run leaves to be known that wrote the plan, and after which the platform stands like this.
fn after(plan: &Plan, platform: &Platform) -> Past {
    let stands = Stands::of(platform);
    let found = plan.users.iter().filter_map(|op| stands.user(op));
    let of_projects = plan.projects.iter().flat_map(|op| stands.project(op)).map(|(_, found)| found);
    let unsettled_since = found.chain(of_projects).filter_map(|found| Some((found.change?, at(0)))).collect();
    Past { unsettled_since, ..Past::default() }
}

#[test]
fn what_did_not_come_to_stand_is_not_written_again_until_something_differs() {
    let standing = differing();
    let written = three_changes(&standing);
    let past = after(&written, &standing);
    assert_eq!(past.unsettled_since.len(), 3);
    let mut again = three_changes(&standing);
    let remembered = run(&mut again, &past, 0, &policy());
    let held: Vec<_> = again.held.iter().map(|held| (held.subject.as_str(), held.what.as_str())).collect();
    assert_eq!(
        held,
        [("Eng", "add ada@example.com"), ("Eng", "rename the project"), ("ada@example.com", "set givenName")]
    );
    assert!(again.is_empty());
    assert_eq!(remembered.unsettled_since, past.unsettled_since);
    let mut a_week_later = three_changes(&standing);
    let remembered = run(&mut a_week_later, &past, 7 * 24, &policy());
    assert_eq!((a_week_later.users.len(), remembered.unsettled_since.len()), (1, 0), "it is tried again");
    // The current name has changed, so the change may persist now.
    let mut moved = standing.clone();
    moved.users[0].given_name = "Aida".to_owned();
    let mut plan = three_changes(&moved);
    let remembered = run(&mut plan, &past, 0, &policy());
    assert_eq!((plan.users.len(), plan.held.len(), remembered.unsettled_since.len()), (1, 2, 2));
    assert_eq!(after(&written, &applied(&written, &standing)).unsettled_since.len(), 0);
}

#[test]
fn what_takes_something_away_is_written_however_often_it_is_undone() {
    let desired = with_projects(
        users([present("ada"), wanted("bob", DesiredState::Left(Leave::Suspended)), present("carol")]),
        [pushed("Eng", &[])],
    );
    let eng = project("Eng", Some(group_id("Eng").as_str()), &["carol"]);
    let operator = User { platform_role: "OPERATOR".into(), ..linked("ada") };
    let standing = Platform {
        users: vec![operator, linked("bob"), linked("carol")],
        projects: vec![eng],
        owner: None,
        ..Platform::default()
    };
    let mut plan = diff(&desired, &standing, &policy());
    let all = plan.clone();
    let past = after(&plan, &standing);
    run(&mut plan, &past, 0, &policy());
    assert_eq!((plan.users, plan.projects), (all.users, all.projects));
}

#[test]
fn what_stands_otherwise_is_named() {
    let plan = three_changes(&differing());
    let standing = differing();
    let stands = Stands::of(&standing);
    let found = plan.users.iter().filter_map(|op| stands.user(op)).map(|found| (found.subject, found.what));
    let of_projects =
        plan.projects.iter().flat_map(|op| stands.project(op)).map(|(_, found)| (found.subject, found.what));
    let found: Vec<_> = found.chain(of_projects).collect();
    let named = [
        ("ada@example.com", "givenName is \"Adda\" and not \"ada\""),
        ("Eng", "the name is \"Old\""),
        ("Eng", "ada@example.com isn't a member"),
    ];
    assert_eq!(found, named.map(|(subject, what)| (subject.to_owned(), what.to_owned())));
    let nothing = Platform::default();
    let gone = Stands::of(&nothing);
    assert_eq!(gone.user(&plan.users[0]).unwrap().what, "the account isn't there");
    assert_eq!(gone.project(&plan.projects[0])[0].1.what, "the project isn't there");
}
