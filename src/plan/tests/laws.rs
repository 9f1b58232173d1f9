//! The laws of docs/safety.md, each for the plan alone.

use super::*;
use crate::model::desired::OnCreateOnly;
use crate::plan::fingerprint;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::hold::resumed::Resumed;
use crate::plan::past::Sizes;

fn of_address(name: &str, address: &str, state: DesiredState) -> (OktaUserId, DesiredUser) {
    (okta_id(name), DesiredUser::new(&format!("{name}@example.com"), Some(format!("{address}@example.com")), state))
}

/// Who is closed by the plan.
fn closed(plan: &Plan) -> Vec<&str> {
    let deactivations = plan.users.iter().filter(|op| op.action == UserAction::Deactivate);
    deactivations.map(|op| op.okta_id.as_str().trim_start_matches("00u").trim_start_matches('0')).collect()
}

#[test]
fn the_account_of_a_user_without_access_is_closed_whatever_else_claims_it() {
    let (suspended, fails) = (DesiredState::Left(Leave::Suspended), DesiredState::Problem(Vec::new()));
    let here = present("x").1.state;
    let claimants: [Vec<DesiredState>; 4] =
        [vec![here.clone()], vec![fails.clone()], vec![here.clone(), here], vec![suspended.clone(), suspended]];
    for leave in [Leave::Suspended, Leave::Deactivated, Leave::Deleted] {
        for others in &claimants {
            let others =
                others.iter().enumerate().map(|(n, state)| of_address(&format!("new{n}"), "ada", state.clone()));
            let all = others.chain([of_address("ada", "ada2", DesiredState::Left(leave))]);
            let plan = diff(&users(all), &platform([linked("ada")]), &policy());
            let is_succeeded = plan.users.iter().any(|op| op.reason == Reason::Relinked);
            assert!(is_succeeded || closed(&plan) == ["ada"], "{leave:?}: {plan:#?}");
            assert!(leave != Leave::Suspended || !is_succeeded, "a suspended user's account goes to no other user");
        }
    }
}

#[test]
fn only_what_the_admin_set_for_this_status_keeps_an_account_open() {
    let keep = |suspended, unassigned, deleted| Policy { suspended, unassigned, deleted, ..policy() };
    let (on, off) = (OnLeave::Keep, OnLeave::Deactivate);
    let is_closed = |policy: &Policy, leave, in_scope| {
        let (id, user) = wanted("ada", DesiredState::Left(leave));
        let user = if in_scope { user } else { user.out_of_scope() };
        !diff(&users([(id, user)]), &platform([linked("ada")]), policy).is_empty()
    };
    assert!(is_closed(&keep(off, on, off), Leave::Suspended, false), "suspended and unassigned");
    assert!(is_closed(&keep(on, off, off), Leave::Suspended, false), "unassigned is enough");
    assert!(!is_closed(&keep(on, off, off), Leave::Suspended, true));
    assert!(is_closed(&keep(on, on, off), Leave::Deleted, false));
    assert!(is_closed(&keep(on, on, on), Leave::Deactivated, true));
}

#[test]
fn the_role_of_somebody_elses_account_is_not_handed_on() {
    let role = |plan: &Plan| {
        let op = plan.users.first().unwrap();
        (op.is_new_admin(), op.attributes.as_ref().unwrap().platform_role)
    };
    let onto = |account: User| {
        let desired = Desired {
            on_create_only: OnCreateOnly { platform_role: true, ..OnCreateOnly::default() },
            ..users([present("ada")])
        };
        role(&diff(&desired, &platform([account, admin(linked("root"))]), &policy()))
    };
    let of_other = || admin(account("ada", Some(okta_id("old").as_str())));
    let no_opinion = Attributes { role_is_null: true, ..Attributes::default() };
    let unmapped = users([wanted("ada", DesiredState::Present(no_opinion))]);
    assert_eq!(
        role(&diff(&unmapped, &platform([of_other(), admin(linked("root"))]), &policy())),
        (false, PlatformRole::Member)
    );
    assert_eq!(onto(of_other()), (false, PlatformRole::Member));
    assert_eq!(onto(inactive(of_other())), (false, PlatformRole::Member));
    assert_eq!(onto(inactive(admin(account("ada", None)))), (false, PlatformRole::Member));
    // A user's own account keeps its role, and one that is ADMIN is named when access or the link is new.
    assert_eq!(onto(inactive(admin(linked("ada")))), (true, PlatformRole::Admin));
    assert_eq!(onto(admin(account("ada", None))), (true, PlatformRole::Admin));
    assert_eq!(onto(admin(account("ada", Some("emp-0815")))), (true, PlatformRole::Admin));
}

#[test]
fn new_admins_count_in_a_limit_of_their_own() {
    let admins = |count: usize| {
        let attributes = Attributes { platform_role: PlatformRole::Admin, ..Attributes::default() };
        users((0..count).map(|n| wanted(&format!("n{n}"), DesiredState::Present(attributes.clone()))))
    };
    let refused = |count, limit: Option<usize>, past: &Past, allowed: Option<usize>| {
        let mut policy = policy();
        policy.limits.new_admins = limit.map(Limit::Count);
        let plan = diff(&admins(count), &platform([admin(linked("root"))]), &policy);
        let allowed = Allowed { new_admins: allowed, ..Allowed::default() };
        let refusals = guard::check(&plan, &fingerprint::of_plan(&plan), &policy, past, &allowed);
        refusals.iter().any(|refusal| matches!(refusal, Refusal::MaxNewAdmins(_)))
    };
    let (first, later) = (Past::default(), Past { trusted: Some(Sizes::default()), ..Past::default() });
    assert!(!refused(6, None, &first, None) && !refused(5, None, &later, None));
    assert!(refused(6, None, &later, None) && !refused(6, None, &later, Some(6)) && refused(6, None, &later, Some(5)));
    assert!(refused(1, Some(0), &first, None), "what the admin set holds from the first run on");
}

#[test]
fn what_the_last_run_was_allowed_to_do_counts_in_no_limit() {
    let policy = Policy { limits: Limits { creations: Limit::Count(1), ..policy().limits }, ..policy() };
    let plan = diff(&users(["ada", "bob", "cy"].map(present)), &platform([linked("root")]), &policy);
    let past = Past { trusted: Some(Sizes::default()), ..Past::default() };
    let check = |resumed: Resumed| {
        let allowed = Allowed { resumed, ..Allowed::default() };
        guard::check(&plan, &fingerprint::of_plan(&plan), &policy, &past, &allowed).len()
    };
    assert_eq!(check(Resumed::default()), 1);
    assert_eq!(check(Resumed::of(&plan, |_| false)), 0);
    assert_eq!(check(Resumed::of(&plan, |_| true)), 1, "what was done isn't to be done again");
    assert_eq!(check(Resumed::of(&plan, |step| step.subject() == "ada@example.com")), 0);
    let mut other = plan.clone();
    other.users.iter_mut().for_each(|op| op.changes.truncate(1));
    assert_eq!(check(Resumed::of(&other, |_| false)), 1, "another change wasn't allowed");
}

#[test]
fn a_part_of_a_saved_plan_leaves_the_last_admin() {
    let attributes = Attributes { platform_role: PlatformRole::Admin, ..Attributes::default() };
    let desired =
        users([wanted("ada", DesiredState::Left(Leave::Suspended)), wanted("new", DesiredState::Present(attributes))]);
    let now = platform([admin(linked("ada")), linked("new")]);
    let saved = diff(&desired, &now, &policy());
    assert_eq!(saved.users.len(), 2);
    let mut new = saved.clone();
    new.users.retain(|op| op.action == UserAction::Deactivate);
    let held = saved::still_holds(&saved, &new, &|_| false);
    assert!(held.plan.users.is_empty(), "{:?}", held.plan.users);
    assert_eq!(held.stale, ["new@example.com: update", "ada@example.com: deactivate"]);
}

#[test]
fn a_group_made_again_takes_its_project_over_where_it_is_certain() {
    let (old, new) = (group_id("old"), group_id("new"));
    let plan = |name: &str, members: &[&str], exists: bool| {
        let mut desired = with_projects(users(["ada", "bob", "cy"].map(present)), [pushed("new", members)]);
        let project = desired.projects.get_mut(&new).unwrap();
        project.name = "Eng".to_owned();
        desired.groups = [(new.clone(), "Eng".to_owned())].into();
        desired.groups.extend(exists.then(|| (old.clone(), "Eng of old".to_owned())));
        let orphan =
            Project { display_name: name.to_owned(), ..super::project("old", Some(old.as_str()), &["ada", "bob"]) };
        let all = ["ada", "bob", "cy"].map(linked);
        let before = Platform { users: all.into(), projects: vec![orphan], ..Platform::default() };
        diff(&desired, &before, &Policy { delete_unpushed: true, ..policy() })
    };
    let actions = |plan: &Plan| plan.projects.iter().map(|op| op.action.as_str()).collect::<Vec<_>>();
    let certain = plan("Eng", &["ada", "bob", "cy"], false);
    assert_eq!(certain.projects[0].action, ProjectAction::Relink { from: old.clone(), archived: None });
    assert_eq!((certain.projects.len(), certain.projects[0].add.len(), certain.problems.len()), (1, 1, 0));
    // Other people under the old name, or the same people under another name: one problem names both groups.
    for unclear in [plan("Eng", &["cy"], false), plan("Engineering", &["ada", "bob"], false)] {
        assert_eq!((actions(&unclear), kinds(&unclear)), (vec![], vec![ProblemKind::GroupMadeAgain]));
        let told = &unclear.problems[0].message;
        assert!(told.contains(old.as_str()) && told.contains(new.as_str()), "{told}");
    }
    assert_eq!(actions(&plan("Other", &["cy"], false)), ["create", "delete"]);
    // A group that exists keeps its project, whatever its name.
    let renamed = plan("Eng", &["ada", "bob"], true);
    assert_eq!(actions(&renamed), ["create"]);
    assert!(renamed.warnings[0].contains("Eng of old"), "{:?}", renamed.warnings);
}

#[test]
fn what_has_not_the_exact_shape_of_oktas_ids_is_not_oktas() {
    let foreign = ["0gK3xQ", "cust-1", "00g1", "00gsfgmn9xhwtA6f74x6A"].map(|id| project(id, Some(id), &[]));
    let people = ["00u1", "emp-0815", "00usfgmn9xhwtA6f74x6A"].map(|id| account(id, Some(id)));
    let before = Platform { users: people.into(), projects: foreign.into(), ..Platform::default() };
    let plan = diff(&users([]), &before, &Policy { delete_unpushed: true, ..policy() });
    assert!(plan.is_empty() && plan.warnings.is_empty(), "{plan:?}");
    assert_eq!(plan.standing.foreign.len(), 3);
}
