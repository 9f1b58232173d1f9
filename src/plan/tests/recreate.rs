//! Tests of changed e-mail addresses: whose account is replaced, how a half-done replacement is completed, and what keeps it from
//! being done.

use jiff::SignedDuration;

use super::super::guard::{self, Allowed, Refusal};
use super::super::op::UserOp;
use super::super::policy::EmailChange;
use super::super::saved::still_holds;
use super::super::undo::{Trace, Undone, undo};
use super::*;
use crate::plan::fingerprint;
use crate::plan::hold::convergence::Stands;
use crate::plan::hold::doubt::{self, Disagreement};

fn recreate() -> Policy {
    Policy { email_change: EmailChange::Recreate, ..policy() }
}

/// A user with access and the address of another name.
fn moved(name: &str, address: &str) -> (OktaUserId, DesiredUser) {
    let (id, user) = present(name);
    let address = format!("{address}@example.com");
    (id, DesiredUser::new(&address, Some(address.clone()), user.state))
}

fn planned(desired: &Desired, platform: &Platform) -> Plan {
    diff(desired, platform, &recreate())
}

fn kinds_of(op: &UserOp) -> Vec<&'static str> {
    op.steps().map(Step::kind).collect()
}

/// The platform after the first steps of a plan's operations, in the order of an apply.
fn after_steps(plan: &Plan, platform: &Platform, kinds: &[&str]) -> Platform {
    let done = |op: &UserOp| {
        let mut op = op.clone();
        let does = |kind: &str| kinds.contains(&kind);
        if !does("move link") {
            op.replaces.clear();
        }
        for left in &mut op.replaces {
            if !does("copy memberships") {
                left.copies.clear();
            }
            if !does("close old account") && left.fate == Fate::Close {
                left.fate = Fate::Closed;
            }
        }
        op
    };
    let mut part = Plan { users: plan.users.iter().map(done).collect(), ..plan.clone() };
    if kinds.contains(&"user") {
        return applied(&part, platform);
    }
    for op in &mut part.users {
        op.changes.clear();
    }
    let mut after = applied(&part, platform);
    after.users.retain(|user| !user.id.as_str().starts_with("new-"));
    part.users.clear();
    after
}

fn open(platform: &Platform) -> Vec<(&str, &str)> {
    let open = platform.users.iter().filter(|user| user.active);
    open.map(|user| (user.user_name.as_str(), user.link().unwrap_or_default())).collect()
}

/// Plans and applies until nothing is left.
fn settled(desired: &Desired, platform: &Platform) -> Platform {
    let mut now = platform.clone();
    for _ in 0..4 {
        let plan = planned(desired, &now);
        if plan.is_empty() {
            return now;
        }
        now = applied(&plan, &now);
    }
    panic!("it doesn't settle: {:#?}", planned(desired, &now));
}

#[test]
fn without_the_key_a_changed_address_is_a_problem_as_ever() {
    let plan = diff(&users([moved("ada", "lovelace")]), &platform([linked("ada")]), &policy());
    assert!(plan.is_empty() && kinds(&plan) == [ProblemKind::EmailChanged], "{plan:?}");
}

#[test]
fn the_account_of_the_new_address_takes_the_place_of_the_old_one() {
    let standing = Platform { projects: vec![project("Own", None, &["ada"])], ..platform([linked("ada")]) };
    let plan = planned(&users([moved("ada", "lovelace")]), &standing);
    assert_eq!((action(&plan), kinds(&plan)), (Some(UserAction::Recreate), Vec::new()));
    let op = &plan.users[0];
    assert_eq!(
        (op.user_name.as_str(), &op.account, &op.reason),
        ("lovelace@example.com", &None, &Reason::EmailChanged)
    );
    assert_eq!(kinds_of(op), ["move link", "user", "copy memberships", "close old account"]);
    assert_eq!((plan.totals().recreate, plan.totals().create, plan.welcome_emails()), (1, 0, 1));
    let after = applied(&plan, &standing);
    assert_eq!(open(&after), [("lovelace@example.com", okta_id("ada").as_str())]);
    assert!(planned(&users([moved("ada", "lovelace")]), &after).is_empty());
    assert!(Stands::of(&after).user(op).is_none() && Stands::of(&standing).user(op).is_some());
    let account = &after.users.iter().find(|user| user.active).unwrap().id;
    assert!(after.projects[0].members.contains(account));
}

#[test]
fn a_run_that_is_killed_after_any_step_is_completed_by_the_next_one() {
    let desired = users([moved("ada", "lovelace")]);
    let second = || account("lovelace", None);
    for second in [None, Some(second()), Some(inactive(second()))] {
        let people = [linked("ada")].into_iter().chain(second);
        let standing = Platform { projects: vec![project("Own", None, &["ada"])], ..platform(people) };
        let plan = planned(&desired, &standing);
        let steps = kinds_of(&plan.users[0]);
        for done in 0..=steps.len() {
            let cut = after_steps(&plan, &standing, &steps[..done]);
            // Also where the key was taken out of the config meanwhile.
            let policies = if done == 0 { vec![recreate()] } else { vec![recreate(), policy()] };
            for policy in policies {
                let rest = diff(&desired, &cut, &policy);
                assert!(rest.problems.is_empty(), "{done}: {rest:#?}");
                let after = applied(&rest, &cut);
                assert_eq!(
                    open(&after),
                    [("lovelace@example.com", okta_id("ada").as_str())],
                    "after {done} of {steps:?}"
                );
                let account = &after.users.iter().find(|user| user.active).unwrap().id;
                assert!(after.projects[0].members.contains(account), "after {done} of {steps:?}");
                assert!(diff(&desired, &after, &policy).is_empty(), "after {done} of {steps:?}");
            }
        }
    }
}

#[test]
fn a_user_who_leaves_in_the_middle_of_it_has_no_open_account() {
    let standing = platform([linked("ada"), admin(linked("root"))]);
    let plan = planned(&users([moved("ada", "lovelace"), present("root")]), &standing);
    let steps = kinds_of(&plan.users[0]);
    for leave in [Leave::Suspended, Leave::Deactivated, Leave::Unassigned, Leave::Deleted] {
        for done in 0..=steps.len() {
            let cut = after_steps(&plan, &standing, &steps[..done]);
            let (id, user) = moved("ada", "lovelace");
            let name = (leave != Leave::Deleted).then(|| "lovelace@example.com".to_owned());
            let gone = DesiredUser::new(user.login(), name, DesiredState::Left(leave));
            let rest = planned(&users([(id, gone), present("root")]), &cut);
            let ids: BTreeSet<_> = rest.users.iter().map(|op| &op.okta_id).collect();
            assert_eq!(ids.len(), rest.users.len(), "one operation for a user: {rest:#?}");
            let after = applied(&rest, &cut);
            assert_eq!(
                open(&after),
                [("root@example.com", okta_id("root").as_str())],
                "{leave:?} after {done}: {rest:#?}"
            );
        }
    }
}

#[test]
fn only_an_absence_counts_a_user_who_leaves_in_the_middle_of_it_as_missing() {
    let standing = platform([linked("ada"), admin(linked("root"))]);
    let plan = planned(&users([moved("ada", "lovelace"), present("root")]), &standing);
    let cut = after_steps(&plan, &standing, &["move link", "user"]);
    let grace = SignedDuration::from_hours(24);
    let policy = Policy { graces: [(Leave::Suspended, grace)].into(), ..recreate() };
    for leave in [Leave::Suspended, Leave::Deactivated, Leave::Unassigned, Leave::Deleted] {
        let (id, user) = moved("ada", "lovelace");
        let gone = DesiredUser::new(user.login(), user.user_name.clone(), DesiredState::Left(leave));
        let rest = diff(&users([(id.clone(), gone), present("root")]), &cut, &policy);
        let known = &rest.standing;
        assert_eq!(known.missing.contains_key(&id), leave.is_absence(), "{leave:?}");
        assert_eq!(known.deleted.contains(&id), leave == Leave::Deleted, "{leave:?}");
        assert_eq!(known.stated.contains_key(&id), leave == Leave::Suspended, "{leave:?}");
    }
}

#[test]
fn okta_is_asked_by_id_before_an_account_is_left_and_for_one_that_was() {
    let asked = |desired: &Desired, platform: &Platform| {
        Comparison::of(desired, platform, &recreate()).doubts(&BTreeSet::new()).users
    };
    let desired = users([moved("ada", "lovelace")]);
    let standing = platform([linked("ada")]);
    assert_eq!(asked(&desired, &standing), BTreeSet::from([okta_id("ada")]));
    let plan = planned(&desired, &standing);
    let cut = after_steps(&plan, &standing, &["move link"]);
    assert_eq!(asked(&users([]), &cut), BTreeSet::from([okta_id("ada")]));
    assert!(asked(&desired, &applied(&plan, &standing)).is_empty());
}

#[test]
fn two_users_who_swap_addresses_swap_accounts_through_a_third_value() {
    let desired = users([moved("ada", "bob"), moved("bob", "ada")]);
    let standing = platform([linked("ada"), linked("bob")]);
    let plan = planned(&desired, &standing);
    assert_eq!((plan.users.len(), plan.problems.len()), (2, 0), "{plan:#?}");
    for op in &plan.users {
        assert_eq!(kinds_of(op), ["move link", "user"], "no account is closed");
        let link = op.changes.iter().find(|change| change.attribute == Attribute::ExternalId).unwrap();
        let (other, account) = (if op.okta_id == okta_id("ada") { "bob" } else { "ada" }, op.account.clone().unwrap());
        assert_eq!(link.from.as_deref(), Some(moved_link(&okta_id(other), &account).as_str()));
        assert!(matches!(&op.replaces[0].fate, Fate::TakenOver { .. }));
    }
    let expected = [("ada@example.com", okta_id("bob")), ("bob@example.com", okta_id("ada"))];
    let expected: Vec<_> = expected.iter().map(|(name, id)| (*name, id.as_str())).collect();
    assert_eq!(open(&applied(&plan, &standing)), expected);
    // Cut off after the links of both were moved, of one, or after one was linked again.
    let both = after_steps(&plan, &standing, &["move link"]);
    let one = Platform { users: vec![both.users[0].clone(), standing.users[1].clone()], ..Platform::default() };
    let mut half = both.clone();
    half.users[0].external_id = Some(okta_id("bob").as_str().into());
    for cut in [both, one, half] {
        assert_eq!(open(&settled(&desired, &cut)), expected, "{cut:#?}");
    }
}

#[test]
fn addresses_that_are_passed_on_in_a_row_and_in_a_ring_come_out_right() {
    for (wanted, closed) in [(["bob", "cy", "new"], Some("ada@example.com")), (["bob", "cy", "ada"], None)] {
        let names = ["ada", "bob", "cy"];
        let desired = users(names.iter().zip(wanted).map(|(name, address)| moved(name, address)));
        let after = settled(&desired, &platform(names.map(linked)));
        for (name, address) in names.iter().zip(wanted) {
            let address = format!("{address}@example.com");
            assert!(open(&after).contains(&(&address, okta_id(name).as_str())), "{:?}", open(&after));
        }
        assert_eq!(open(&after).len(), 3);
        assert!(closed.is_none_or(|closed| open(&after).iter().all(|(name, _)| *name != closed)));
    }
}

#[test]
fn a_user_who_goes_back_gets_the_old_account_again() {
    let standing = platform([linked("ada")]);
    let there = settled(&users([moved("ada", "lovelace")]), &standing);
    let back = settled(&users([present("ada")]), &there);
    assert_eq!(open(&back), [("ada@example.com", okta_id("ada").as_str())]);
    let again = settled(&users([moved("ada", "lovelace")]), &back);
    assert_eq!(open(&again), [("lovelace@example.com", okta_id("ada").as_str())]);
    assert_eq!(again.users.len(), 2);
}

#[test]
fn a_role_that_okta_does_not_give_moves_along_and_a_new_admin_is_seen() {
    let mut desired = users([moved("ada", "lovelace")]);
    for (only, role) in [(true, PlatformRole::Admin), (false, PlatformRole::Member)] {
        desired.on_create_only.platform_role = only;
        for second in [None, Some(account("lovelace", None))] {
            let standing = platform([admin(linked("ada")), admin(linked("root"))].into_iter().chain(second));
            let plan = planned(&desired, &standing);
            let op = plan.users.iter().find(|op| op.action == UserAction::Recreate).unwrap();
            assert_eq!(op.attributes.as_ref().unwrap().platform_role, role);
            assert_eq!(plan.new_admins().count(), usize::from(only), "{plan:#?}");
        }
    }
    // That of another user's account never does.
    desired.on_create_only.platform_role = true;
    desired.users.extend([moved("bob", "ada")]);
    let plan = planned(&desired, &platform([admin(linked("ada")), linked("bob"), admin(linked("root"))]));
    let of = |name: &str| plan.users.iter().find(|op| op.okta_id == okta_id(name)).unwrap();
    assert_eq!(of("bob").attributes.as_ref().unwrap().platform_role, PlatformRole::Member);
    assert_eq!(of("ada").attributes.as_ref().unwrap().platform_role, PlatformRole::Admin);
}

#[test]
fn the_owner_protected_users_and_contested_addresses_stay_a_problem() {
    let ada = users([moved("ada", "lovelace")]);
    let owned = Platform { owner: Some("account-ada".into()), ..platform([admin(linked("ada"))]) };
    assert_eq!(kinds(&planned(&ada, &owned)), [ProblemKind::EmailChanged]);
    let protect = Policy { protect: BTreeSet::from(["ada@example.com".to_owned()]), ..recreate() };
    assert_eq!(kinds(&diff(&ada, &platform([linked("ada")]), &protect)), [ProblemKind::EmailChanged]);
    // The account of the new address is another living user's.
    let plan = planned(&users([moved("ada", "bob"), present("bob")]), &platform(["ada", "bob"].map(linked)));
    assert!(plan.is_empty() && kinds(&plan) == [ProblemKind::TwoAccounts], "{plan:#?}");
    // Two users want it.
    let plan = planned(&users([moved("ada", "new"), moved("bob", "new")]), &platform(["ada", "bob"].map(linked)));
    assert!(plan.is_empty() && kinds(&plan) == [ProblemKind::EmailChanged; 2], "{plan:#?}");
}

#[test]
fn a_protected_account_stays_open_in_the_middle_of_it_and_with_an_undo() {
    let desired = users([moved("ada", "lovelace")]);
    let standing = platform([linked("ada")]);
    let plan = planned(&desired, &standing);
    let protect = |name: &str| Policy { protect: BTreeSet::from([format!("{name}@example.com")]), ..recreate() };
    let stays = |plan: &Plan| plan.warnings.iter().any(|warning| warning.contains("protected and stays active"));
    for kinds in [&["move link"][..], &["move link", "user"]] {
        let cut = after_steps(&plan, &standing, kinds);
        let rest = diff(&desired, &cut, &protect("ada"));
        let both = applied(&rest, &cut);
        assert!(both.users.iter().all(|user| user.active) && both.users.len() == 2, "{rest:#?}");
        assert!(stays(&rest) && diff(&desired, &both, &protect("ada")).is_empty(), "{rest:#?}");
        // The other one is closed all the same where that of the new address is protected.
        let rest = diff(&desired, &cut, &protect("lovelace"));
        assert_eq!(open(&applied(&rest, &cut)).len(), 1, "{rest:#?}");
    }
    let after = applied(&plan, &standing);
    let undone = Undone { run: 7, plan: &plan, trace: &|_| Trace::Done };
    let back = undo(undone, &Comparison::of(&desired, &after, &protect("lovelace")), &protect("lovelace"));
    assert!(back.is_empty() && stays(&back), "{back:#?}");
}

#[test]
fn the_last_admin_stays_and_nothing_of_the_new_account_is_left_in_the_plan() {
    let (group, pushed) = pushed("Eng", &["ada"]);
    let desired = with_projects(users([moved("ada", "lovelace")]), [(group, pushed)]);
    let project = project("Eng", Some(group_id("Eng").as_str()), &["ada"]);
    let standing = Platform { projects: vec![project], ..platform([admin(linked("ada"))]) };
    let plan = planned(&desired, &standing);
    assert!(plan.is_empty(), "{plan:#?}");
    assert!(plan.warnings.iter().any(|warning| warning.contains("is the last active ADMIN")), "{:?}", plan.warnings);
}

#[test]
fn the_last_admin_stays_where_one_operation_would_close_both_of_its_accounts() {
    let standing = platform([admin(linked("ada"))]);
    let mut desired = users([moved("ada", "lovelace")]);
    desired.on_create_only.platform_role = true;
    let mut both = after_steps(&planned(&desired, &standing), &standing, &["move link", "user"]);
    assert_eq!(both.users.iter().filter(|user| user.active && user.is_admin()).count(), 2);
    let (id, user) = moved("ada", "lovelace");
    let gone = DesiredUser::new(user.login(), user.user_name.clone(), DesiredState::Left(Leave::Suspended));
    for desired in [users([(id.clone(), gone.clone())]), users([(id.clone(), user)])] {
        let plan = planned(&desired, &both);
        let after = applied(&plan, &both);
        assert!(after.users.iter().any(|user| user.active && user.is_admin()), "{plan:#?}");
        assert!(
            plan.warnings.iter().any(|warning| warning.contains("is the last active ADMIN")),
            "{:?}",
            plan.warnings
        );
    }
    // The guards count the accounts too: ada's two of three, and of two.
    both.users.push(admin(linked("root")));
    let mut plan = planned(&users([(id, gone), present("root")]), &both);
    assert_eq!(kinds_of(&plan.users[0]), ["user", "close old account"]);
    let refusals = |plan: &Plan| {
        guard::check(plan, &fingerprint::of_plan(plan), &recreate(), &Past::default(), &Allowed::default())
    };
    assert!(!refusals(&plan).iter().any(|refusal| matches!(refusal, Refusal::LastAdmin { .. })));
    assert!(plan.standing.admins.remove(&both.users[2].id));
    assert!(refusals(&plan).contains(&Refusal::LastAdmin { admins: 2 }), "{:?}", refusals(&plan));
}

#[test]
fn what_okta_is_not_sure_of_is_deferred_with_all_that_needs_it() {
    let (group, pushed) = pushed("Eng", &["ada", "bob"]);
    let desired = with_projects(users([moved("ada", "bob"), moved("bob", "ada")]), [(group, pushed)]);
    let standing = platform(["ada", "bob"].map(linked));
    let mut plan = planned(&desired, &standing);
    assert_eq!(plan.users.len(), 2);
    doubt::hold(&mut plan, &Disagreement { roles: BTreeSet::from([okta_id("ada")]), ..Disagreement::default() });
    assert!(plan.users.is_empty(), "bob would get ada's account: {plan:#?}");
    assert!(plan.projects.iter().all(|op| op.add.is_empty()), "{plan:#?}");
}

#[test]
fn replaced_accounts_have_a_limit_and_what_has_begun_is_completed() {
    let desired = users([moved("ada", "new-a"), moved("bob", "new-b")]);
    let standing = platform(["ada", "bob"].map(linked));
    let plan = planned(&desired, &standing);
    let limits = Limits { recreations: Limit::Count(1), ..recreate().limits };
    let policy = Policy { limits, ..recreate() };
    let refusals = |plan: &Plan, allowed: &Allowed| {
        guard::check(plan, &fingerprint::of_plan(plan), &policy, &Past::default(), allowed)
    };
    let refused = refusals(&plan, &Allowed::default());
    assert!(matches!(refused.as_slice(), [Refusal::MaxRecreations(over)] if over.number == 2), "{refused:?}");
    assert_eq!(refused[0].flag("x").as_deref(), Some("--allow-recreations 2"));
    let text = "2 accounts that are replaced are more than the 1 that safety.max_recreations = 1 allows with 2 managed active users";
    assert_eq!(refused[0].to_string(), text);
    assert!(refusals(&plan, &Allowed { recreations: Some(2), ..Allowed::default() }).is_empty());
    assert_eq!(refusals(&plan, &Allowed { recreations: Some(1), ..Allowed::default() }).len(), 1);
    let cut = after_steps(&plan, &standing, &["move link"]);
    assert!(refusals(&planned(&desired, &cut), &Allowed::default()).is_empty());
}

#[test]
fn only_what_okta_does_not_decide_is_copied() {
    let desired = with_projects(users([moved("ada", "lovelace")]), [pushed("In", &["ada"]), pushed("Out", &[])]);
    let linked_project = |name: &str| project(name, Some(group_id(name).as_str()), &["ada"]);
    let projects =
        vec![linked_project("In"), linked_project("Out"), project("Own", None, &["ada"]), project("X", None, &[])];
    let plan = planned(&desired, &Platform { projects, ..platform([linked("ada")]) });
    let copies: Vec<_> = plan.users[0].replaces[0].copies.iter().map(|copied| (&*copied.name, copied.joins)).collect();
    assert_eq!(copies, [("In", false), ("Own", true)]);
    let added: Vec<_> = plan.projects.iter().filter(|op| !op.add.is_empty()).map(|op| op.name.as_str()).collect();
    assert_eq!(added, ["In"]);
}

#[test]
fn a_saved_plan_is_completed_where_it_was_cut_short() {
    let desired = users([moved("ada", "lovelace")]);
    let standing = platform([linked("ada")]);
    let plan = planned(&desired, &standing);
    assert_eq!(still_holds(&plan, &plan, &|_| false).plan.users, plan.users);
    let steps = kinds_of(&plan.users[0]);
    for done in 1..steps.len() {
        let rest = planned(&desired, &after_steps(&plan, &standing, &steps[..done]));
        let tried = |step: Step<'_>| steps[..done].contains(&step.kind());
        let held = still_holds(&plan, &rest, &tried);
        assert_eq!((held.plan.users, held.stale.len()), (rest.users.clone(), 0), "{done}");
        assert_eq!(still_holds(&plan, &rest, &|_| false).stale.len(), 1, "another run's work is stale");
    }
    assert_eq!(still_holds(&plan, &Plan::default(), &|_| true).done, steps.len());
}

#[test]
fn an_undo_gives_the_old_account_back_unless_it_is_another_users() {
    let desired = users([moved("ada", "lovelace")]);
    let standing = platform([linked("ada")]);
    let made = planned(&desired, &standing);
    let after = applied(&made, &standing);
    let back = |after: &Platform, today: &Desired| {
        let undone = Undone { run: 7, plan: &made, trace: &|_| Trace::Done };
        undo(undone, &Comparison::of(today, after, &recreate()), &recreate())
    };
    let plan = back(&after, &desired);
    assert_eq!(action(&plan), Some(UserAction::Recreate), "{plan:#?}");
    assert_eq!(kinds_of(&plan.users[0]), ["move link", "user", "close old account"]);
    let before = applied(&plan, &after);
    assert_eq!(open(&before), [("ada@example.com", okta_id("ada").as_str())]);
    assert!(back(&before, &desired).is_empty(), "once is enough");
    let left = users([wanted("ada", DesiredState::Left(Leave::Suspended))]);
    let plan = back(&after, &left);
    assert!(plan.is_empty() && kinds(&plan) == [ProblemKind::ChangedSince], "{plan:#?}");
    let mut given = after.clone();
    given.users[0].external_id = Some(okta_id("bob").as_str().into());
    let plan = back(&given, &desired);
    assert!(plan.is_empty() && plan.warnings.len() == 1, "{plan:#?}");
}
