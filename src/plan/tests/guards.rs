//! Tests of each guard at its limit, of the flags that allow what it refuses, and of what no flag allows.

use std::slice;

use super::super::guard::{Allowed, Over, Refusal, check};
use super::super::hold::resumed::Resumed;
use super::super::op::{RoleChange, Standing, UserOp};
use super::super::past::{Missing, Sizes};
use super::*;

const NAMES: [&str; 10] = ["ada", "bob", "carol", "dan", "eve", "frank", "grace", "heidi", "ivan", "judy"];

/// A number over a limit, as a refusal has it.
fn over(number: usize, allowed: usize, limit: &str, of: usize) -> Over {
    Over { number, allowed, limit: limit.to_owned(), of }
}

fn limited(change: impl FnOnce(&mut Limits)) -> Policy {
    let mut policy = policy();
    change(&mut policy.limits);
    policy
}

fn refusals(plan: &Plan, policy: &Policy, allowed: &Allowed) -> Vec<Refusal> {
    check(plan, &fingerprint::of_plan(plan), policy, &synced(), allowed)
}

/// The past of a platform that a run brought in line.
fn synced() -> Past {
    Past { trusted: Some(Sizes::default()), ..Past::default() }
}

fn role(user: User, role: &str) -> User {
    User { platform_role: role.to_owned().into(), ..user }
}

/// Ten linked accounts of the role, of whose people the first `count` are in `state` and the rest as they stand.
fn company(role: &str, count: usize, state: impl Fn(&str) -> (OktaUserId, DesiredUser)) -> Plan {
    let stands = |name: &str| {
        let (id, mut user) = present(name);
        let DesiredState::Present(attributes) = &mut user.state else { panic!() };
        attributes.platform_role = PlatformRole::parse(role).unwrap();
        (id, user)
    };
    let people = NAMES.iter().enumerate().map(|(at, name)| if at < count { state(name) } else { stands(name) });
    let standing = NAMES.map(|name| self::role(linked(name), role));
    diff(&users(people), &platform(standing), &policy())
}

/// A limit as a share and as a count of the same number, with the plan that is exactly at it and the one that is one over.
type Case = (fn(&mut Limits) -> &mut Limit, fn(usize) -> Plan, fn(Over) -> Refusal, &'static str);

const CASES: [Case; 6] = [
    (
        |limits| &mut limits.deactivations,
        |count| company("MEMBER", count, |name| wanted(name, DesiredState::Left(Leave::Suspended))),
        Refusal::MaxDeactivations,
        "--allow-deactivations 4",
    ),
    (|limits| &mut limits.role_downgrades, |count| company("OPERATOR", count, present), Refusal::MaxRoleDowngrades, ""),
    (
        |limits| &mut limits.role_or_email_changes,
        |count| company("MEMBER", count, operator),
        Refusal::MaxRoleOrEmailChanges,
        "",
    ),
    (
        |limits| &mut limits.creations,
        |count| {
            let new = (0..count).map(|at| present(&format!("new{at}")));
            diff(&users(NAMES.map(present).into_iter().chain(new)), &platform(NAMES.map(linked)), &policy())
        },
        Refusal::MaxCreations,
        "",
    ),
    (
        |limits| &mut limits.members_removed,
        |count| {
            let stay = &NAMES[count..];
            let project = project("Eng", Some(group_id("Eng").as_str()), &NAMES);
            let desired = with_projects(users(NAMES.map(present)), [pushed("Eng", stay)]);
            one_project(&desired, NAMES.map(linked).to_vec(), vec![project])
        },
        |over| Refusal::MaxMembersRemoved { project: Some("Eng".to_owned()), over },
        "",
    ),
    (
        |limits| &mut limits.project_role_changes,
        promoted,
        |over| Refusal::MaxProjectRoleChanges { project: Some("Eng".to_owned()), changes: over.number, over },
        "--allow-project-role-changes 4",
    ),
];

/// A plan that makes so many of ten members Admin of a project.
fn promoted(count: usize) -> Plan {
    let change = |name: &&str| RoleChange {
        user_name: format!("{name}@example.com"),
        account: AccountId::from(format!("account-{name}")),
        okta_id: okta_id(name),
        from: "Viewer".to_owned(),
        to: "Admin".to_owned(),
        reason: "rule config.toml:40".to_owned(),
        by_absence: false,
    };
    let eng = ProjectOp {
        name: "Eng".to_owned(),
        group: group_id("Eng"),
        project: Some("project-Eng".into()),
        action: ProjectAction::Members,
        members: NAMES.len(),
        add: Vec::new(),
        remove: Vec::new(),
        roles: NAMES[..count].iter().map(change).collect(),
    };
    Plan { projects: vec![eng], standing: Standing { members: NAMES.len(), ..Standing::default() }, ..Plan::default() }
}

#[test]
fn the_exact_number_of_changes_of_project_roles_is_allowed_and_what_a_run_was_allowed_is_resumed() {
    let policy = limited(|limits| limits.project_role_changes = Limit::Percent(30.0));
    let plan = promoted(6);
    let exact = Allowed { project_roles: Some(6), ..Allowed::default() };
    assert_eq!(refusals(&plan, &policy, &exact), []);
    for other in [None, Some(5), Some(7)] {
        assert_eq!(refusals(&plan, &policy, &Allowed { project_roles: other, ..Allowed::default() }).len(), 1);
    }
    assert_eq!(check(&plan, "", &policy, &Past::default(), &Allowed::default()), [], "not in the first run");
    let resumed = Allowed { resumed: Resumed::of(&plan, |_| false), ..Allowed::default() };
    assert_eq!(refusals(&plan, &policy, &resumed), []);
    // Each project may be within its share, and all together not.
    let several = Plan { projects: [promoted(3).projects, promoted(3).projects].concat(), ..promoted(0) };
    let together = Refusal::MaxProjectRoleChanges { project: None, changes: 6, over: over(6, 3, "\"30%\"", 10) };
    assert_eq!(refusals(&several, &policy, &Allowed::default()), slice::from_ref(&together));
    let text = "6 changes of project roles in all projects are more than the 3 that safety.max_project_role_changes = \"30%\" \
                allows with 10 members";
    assert_eq!(together.to_string(), text);
}

fn operator(name: &str) -> (OktaUserId, DesiredUser) {
    let (id, mut user) = present(name);
    let DesiredState::Present(attributes) = &mut user.state else { panic!() };
    attributes.platform_role = PlatformRole::Operator;
    (id, user)
}

#[test]
fn every_limit_holds_at_its_edge_as_a_count_and_as_a_share() {
    for (limit_of, plan, refusal, flag) in CASES {
        for (limit, text) in
            [(Limit::Count(3), "3"), (Limit::Percent(30.0), "\"30%\""), (Limit::Percent(39.9), "\"39.9%\"")]
        {
            let policy = limited(|limits| *limit_of(limits) = limit);
            assert_eq!(refusals(&plan(3), &policy, &Allowed::default()), [], "{limit:?} at its edge");
            let over = refusal(over(4, 3, text, 10));
            assert_eq!(refusals(&plan(4), &policy, &Allowed::default()), slice::from_ref(&over), "{limit:?} one over");
            let hash = fingerprint::of_plan(&plan(4));
            let flag = if flag.is_empty() { format!("--approve {hash}") } else { flag.to_owned() };
            assert_eq!(over.flag(&hash), Some(flag));
        }
    }
}

#[test]
fn an_approval_lets_exactly_its_plan_over_every_limit() {
    for (limit_of, plan, ..) in CASES {
        let policy = limited(|limits| *limit_of(limits) = Limit::Count(3));
        let approved = Allowed { approved: Some(fingerprint::of_plan(&plan(4))), ..Allowed::default() };
        assert_eq!(refusals(&plan(4), &policy, &approved), []);
        let another =
            Refusal::AnotherPlan { approved: fingerprint::of_plan(&plan(4)), plan: fingerprint::of_plan(&plan(5)) };
        assert_eq!(refusals(&plan(5), &policy, &approved), slice::from_ref(&another));
        assert_eq!(another.flag(""), None);
        // One that no limit refuses is another plan all the same.
        assert_eq!(refusals(&plan(2), &policy, &approved).len(), 1);
    }
}

#[test]
fn a_share_of_few_people_counts_for_deactivations_and_for_the_rest_from_the_floor_on() {
    let leaving = company("OPERATOR", 2, |name| wanted(name, DesiredState::Left(Leave::Deleted)));
    let demoted = company("OPERATOR", 9, present);
    let policy = |size_floor| Policy { limits: Limits { size_floor, ..Limits::default() }, ..policy() };
    let refused = |plan, size_floor| refusals(plan, &policy(size_floor), &Allowed::default());
    assert_eq!(refused(&leaving, None), [Refusal::MaxDeactivations(over(2, 1, "\"10%\"", 10))]);
    assert_eq!(refused(&leaving, Some(11)), []);
    assert_eq!(refused(&demoted, None), []);
    let over = || over(9, 5, "\"50%\"", 10);
    let expected = [Refusal::MaxRoleDowngrades(over()), Refusal::MaxRoleOrEmailChanges(over())];
    assert_eq!(refused(&demoted, Some(10)), expected);
    // The first run may find anything but people to deactivate.
    let first = |plan| check(plan, "", &policy(Some(0)), &Past::default(), &Allowed::default());
    assert_eq!(first(&demoted), []);
    assert_eq!(first(&leaving).len(), 1);
}

#[test]
fn in_a_company_few_privileged_accounts_do_not_all_become_less_at_once() {
    let people: Vec<String> = (0..30).map(|at| format!("p{at}")).collect();
    let demoted = |count: usize, privileged: usize| {
        let standing = people.iter().enumerate().map(|(at, name)| {
            let is_privileged = at < privileged;
            role(linked(name), if is_privileged { "OPERATOR" } else { "MEMBER" })
        });
        let wanted = people
            .iter()
            .enumerate()
            .map(|(at, name)| if (count..privileged).contains(&at) { operator(name) } else { present(name) });
        diff(&users(wanted), &platform(standing), &policy())
    };
    let policy = Policy { limits: Limits::default(), ..policy() };
    let refused = |count, privileged| refusals(&demoted(count, privileged), &policy, &Allowed::default());
    assert_eq!([refused(2, 4), refused(1, 1)], [[], []]);
    assert_eq!(refused(3, 4), [Refusal::MaxRoleDowngrades(over(3, 2, "\"50%\"", 4))]);
}

#[test]
fn many_small_projects_are_not_all_emptied_at_once() {
    let names: Vec<String> = (0..4).map(|at| format!("team{at}")).collect();
    let plan = |emptied: usize| {
        let projects = names.iter().map(|name| project(name, Some(group_id(name).as_str()), &NAMES));
        let stay = |at: usize| if at < emptied { &[][..] } else { &NAMES };
        let pushed = names.iter().enumerate().map(|(at, name)| pushed(name, stay(at)));
        let desired = with_projects(users(NAMES.map(present)), pushed);
        let platform = Platform { projects: projects.collect(), ..platform(NAMES.map(linked)) };
        diff(&desired, &platform, &policy())
    };
    let policy = Policy { limits: Limits::default(), ..policy() };
    assert_eq!(refusals(&plan(2), &policy, &Allowed::default()), []);
    let over = Refusal::MaxMembersRemoved { project: None, over: over(30, 20, "\"50%\"", 40) };
    assert_eq!(refusals(&plan(3), &policy, &Allowed::default()), [over]);
    let counted = limited(|limits| limits.members_removed = Limit::Count(10));
    assert_eq!(refusals(&plan(3), &counted, &Allowed::default()), [], "a count is of each project apart");
}

#[test]
fn exactly_the_number_of_deactivations_that_was_named_is_allowed() {
    let plan = company("MEMBER", 4, |name| wanted(name, DesiredState::Left(Leave::Suspended)));
    let policy = limited(|limits| limits.deactivations = Limit::Count(3));
    for (allowed, refused) in [(None, 1), (Some(3), 1), (Some(5), 1), (Some(4), 0)] {
        let allowed = Allowed { deactivations: allowed, ..Allowed::default() };
        assert_eq!(refusals(&plan, &policy, &allowed).len(), refused, "{allowed:?}");
    }
}

#[test]
fn creations_are_not_limited_before_a_run_brought_the_platform_in_line() {
    let (limit_of, plan, ..) = CASES[3];
    let policy = limited(|limits| *limit_of(limits) = Limit::Count(3));
    let missing = Missing { since: jiff::Timestamp::UNIX_EPOCH, runs: 1 };
    let unsynced = Past { missing: [(okta_id("ada"), missing)].into(), ..Past::default() };
    assert_eq!(check(&plan(9), "", &policy, &unsynced, &Allowed::default()), []);
    assert_eq!(check(&plan(9), "", &policy, &synced(), &Allowed::default()).len(), 1);
}

#[test]
fn a_lost_role_is_a_downgrade_and_a_gained_one_is_not() {
    let policy = limited(|limits| limits.role_downgrades = Limit::Count(0));
    for (from, to, refused) in [
        ("ADMIN", PlatformRole::Operator, true),
        ("ADMIN", PlatformRole::Member, true),
        ("OPERATOR", PlatformRole::Member, true),
        ("OPERATOR", PlatformRole::Admin, false),
        ("MEMBER", PlatformRole::Admin, false),
        ("MEMBER", PlatformRole::Operator, false),
        ("BAD", PlatformRole::Member, false),
    ] {
        let (id, mut user) = present("ada");
        let DesiredState::Present(attributes) = &mut user.state else { panic!() };
        attributes.platform_role = to;
        let standing = platform([role(linked("ada"), from), admin(account("root", None))]);
        let plan = diff(&users([(id, user)]), &standing, &policy);
        assert_eq!(plan.users.len(), 1);
        assert_eq!(!refusals(&plan, &policy, &Allowed::default()).is_empty(), refused, "{from} to {to}");
    }
}

#[test]
fn a_changed_address_counts_once_and_a_person_with_both_changes_too() {
    let moved = NAMES.map(|name| User { user_name: format!("{name}.old@example.com"), ..linked(name) });
    let plan = diff(&users(NAMES.map(operator)), &platform(moved), &policy());
    let policy = limited(|limits| limits.role_or_email_changes = Limit::Count(9));
    assert_eq!(refusals(&plan, &policy, &Allowed::default()), [Refusal::MaxRoleOrEmailChanges(over(10, 9, "9", 10))]);
    // No role changes, and the addresses were told of before.
    let moved = NAMES.map(|name| User { user_name: format!("{name}.old@example.com"), ..linked(name) });
    let plan = diff(&users(NAMES.map(present)), &platform(moved), &self::policy());
    let known = Past { email_changed: plan.standing.email_changed.clone(), ..synced() };
    assert_eq!(check(&plan, "", &policy, &synced(), &Allowed::default()).len(), 1);
    assert_eq!(check(&plan, "", &policy, &known, &Allowed::default()), []);
}

#[test]
fn a_scope_without_anybody_deactivates_nobody_unless_told_to() {
    let plan =
        diff(&users([wanted("ada", DesiredState::Left(Leave::Unassigned))]), &platform([linked("ada")]), &policy());
    let refused = Refusal::EmptyScope { deactivations: 1 };
    let approved = Allowed { approved: Some(fingerprint::of_plan(&plan)), ..Allowed::default() };
    for allowed in [Allowed::default(), approved] {
        assert_eq!(refusals(&plan, &policy(), &allowed), slice::from_ref(&refused));
    }
    assert_eq!(refused.flag(""), Some("--allow-empty-scope".to_owned()));
    assert_eq!(refusals(&plan, &policy(), &Allowed { empty_scope: true, ..Allowed::default() }), []);
}

#[test]
fn projects_are_deleted_only_by_their_exact_number() {
    let delete = Policy { delete_unpushed: true, ..policy() };
    let projects = ["Old", "Older"].map(|name| project(name, Some(group_id(name).as_str()), &["ada"]));
    let by_hand = [project("By hand", None, &["ada"]), project("Foreign", Some("team-7"), &["ada"])];
    let standing = Platform {
        users: vec![linked("ada")],
        projects: projects.into_iter().chain(by_hand).collect(),
        owner: None,
        ..Platform::default()
    };
    let plan = diff(&users([present("ada")]), &standing, &delete);
    let doomed: Vec<_> = plan.projects.iter().map(|op| (op.name.as_str(), op.is_deletion(), op.members)).collect();
    assert_eq!(doomed, [("Old", true, 1), ("Older", true, 1)]);
    let refused = [Refusal::ProjectDeletions { deletions: 2 }];
    assert_eq!(refused[0].flag(""), Some("--allow-project-deletions 2".to_owned()));
    let approved = Some(fingerprint::of_plan(&plan));
    for (project_deletions, approved, refused) in [
        (None, None, &refused[..]),
        (Some(1), None, &refused),
        (Some(3), None, &refused),
        (None, approved, &refused),
        (Some(2), None, &[]),
    ] {
        let allowed = Allowed { project_deletions, approved, ..Allowed::default() };
        assert_eq!(refusals(&plan, &delete, &allowed), refused, "{allowed:?}");
    }
    assert!(diff(&users([present("ada")]), &standing, &policy()).is_empty(), "without the key nothing is deleted");
}

#[test]
fn nothing_allows_the_loss_of_the_last_admin_or_of_the_owners_role() {
    let left = |name| wanted(name, DesiredState::Left(Leave::Suspended));
    let standing = Platform {
        owner: Some("account-bob".into()),
        ..platform([admin(linked("ada")), admin(linked("bob")), linked("carol")])
    };
    // As a plan that was kept would be, whose other half doesn't hold any more.
    let mut plan = diff(&users([left("ada"), present("bob")]), &standing, &policy());
    let op = plan.users.iter().find(|op| op.user_name == "ada@example.com").unwrap();
    let owners = UserOp { user_name: "bob@example.com".to_owned(), account: Some("account-bob".into()), ..op.clone() };
    plan.users.push(owners);
    let all = Allowed {
        approved: Some(fingerprint::of_plan(&plan)),
        deactivations: Some(2),
        empty_scope: true,
        ..Allowed::default()
    };
    let refused = refusals(&plan, &policy(), &all);
    let owner = Refusal::OwnerRole { user_name: "bob@example.com".to_owned() };
    assert_eq!(refused, [owner, Refusal::LastAdmin { admins: 2 }]);
    assert!(refused.iter().all(|refusal| refusal.flag("").is_none()));
}

#[test]
fn a_hash_is_of_the_operations_and_nothing_else() {
    let plan = |count| company("MEMBER", count, |name| wanted(name, DesiredState::Left(Leave::Suspended)));
    let same = Plan { warnings: vec!["look".to_owned()], ..plan(4) };
    assert_eq!(fingerprint::of_plan(&plan(4)), fingerprint::of_plan(&same));
    assert_eq!(fingerprint::of_plan(&plan(4)).len(), 12);
    let mut other = plan(4);
    other.users[0].reason = Reason::Left(Leave::Deleted);
    for other in [plan(3), plan(5), other, Plan::default()] {
        assert_ne!(fingerprint::of_plan(&plan(4)), fingerprint::of_plan(&other));
    }
    assert_eq!(fingerprint::of_plan(&Plan::default()), "643d54371042", "the same on every machine");
}
