//! Tests of undo: case by case, and the law that a run is undone or the rest is named.

use super::*;
use crate::plan::undo::{Trace, Undone, undo};

/// The plan that undoes run 7 while every user has access in Okta.
fn back(made: &Plan, trace: Trace, now: &Platform) -> Plan {
    let linked = now.users.iter().filter_map(|user| user.external_id.as_deref().map(OktaUserId::from));
    let relinked = made.users.iter().flat_map(|op| &op.changes).filter_map(|change| change.from.as_deref());
    let ids = linked.chain(relinked.map(OktaUserId::from)).chain(made.users.iter().map(|op| op.okta_id.clone()));
    let present = |id: OktaUserId| {
        let state = DesiredState::Present(Attributes::default());
        let user = DesiredUser::new(id.as_str(), None, state);
        (id, user)
    };
    back_while(made, trace, &users(ids.map(present)), now)
}

/// The same while Okta says this.
fn back_while(made: &Plan, trace: Trace, today: &Desired, now: &Platform) -> Plan {
    undo(Undone { run: 7, plan: made, trace: &|_| trace }, &Comparison::of(today, now, &policy()), &policy())
}

/// The plan that a run wrote, and the platform after it.
fn run(desired: &Desired, before: &Platform) -> (Plan, Platform) {
    let plan = diff(desired, before, &policy());
    let after = applied(&plan, before);
    (plan, after)
}

fn user<'a>(platform: &'a Platform, name: &str) -> &'a User {
    platform.users.iter().find(|user| user.user_name == format!("{name}@example.com")).unwrap()
}

#[test]
fn a_creation_becomes_a_deactivation_and_nothing_else_of_it_is_touched() {
    let (made, after) = run(&users([present("ada")]), &Platform::default());
    let plan = back(&made, Trace::Done, &after);
    assert_eq!(action(&plan), Some(UserAction::Deactivate));
    let op = &plan.users[0];
    assert_eq!((op.changes.len(), &op.attributes, &op.reason), (1, &None, &Reason::Undo(7)));
    assert_eq!(plan.warnings.len(), 1, "the account stays: {:?}", plan.warnings);
    assert!(back(&made, Trace::Done, &applied(&plan, &after)).is_empty(), "once is enough");
}

#[test]
fn a_deactivation_that_relinked_the_account_brings_it_back_with_its_link() {
    let left = wanted("ada", DesiredState::Left(Leave::Suspended));
    let before = platform([admin(linked("root")), admin(account("ada", Some(okta_id("old").as_str())))]);
    let (made, after) = run(&users([left]), &before);
    assert!(!user(&after, "ada").active);
    let plan = back(&made, Trace::Done, &after);
    assert_eq!(action(&plan), Some(UserAction::Reactivate));
    assert_eq!(plan.users[0].attributes.as_ref().map(|attributes| attributes.platform_role), Some(PlatformRole::Admin));
    assert_eq!(applied(&plan, &after), before);
}

#[test]
fn nobody_gets_back_what_okta_gives_them_no_more() {
    let (left, ada) = (DesiredState::Left(Leave::Suspended), okta_id("ada"));
    let today = |state: &DesiredState| users([wanted("ada", state.clone()), present("root")]);
    let root = admin(linked("root"));
    // A deactivation isn't undone for a user who is suspended.
    let (made, after) = run(&today(&DesiredState::Left(Leave::Unassigned)), &platform([root.clone(), linked("ada")]));
    let plan = back_while(&made, Trace::Done, &today(&left), &after);
    assert!(plan.is_empty() && kinds(&plan) == [ProblemKind::ChangedSince], "{plan:?}");
    assert!(plan.problems[0].message.contains("suspended in Okta"), "{:?}", plan.problems);
    assert_eq!(back_while(&made, Trace::Done, &today(&present("ada").1.state), &after).users.len(), 1);
    assert!(back_while(&made, Trace::Done, &users([present("root")]), &after).is_empty(), "nothing is known of ada");
    // Neither is the loss of a role, while the gift of one is.
    for (before, is_undone) in [("OPERATOR", false), ("MEMBER", true)] {
        let role = if is_undone { PlatformRole::Operator } else { PlatformRole::Member };
        let attributes = Attributes { platform_role: role, ..Attributes::default() };
        let stood = User { platform_role: before.into(), ..linked("ada") };
        let (made, after) =
            run(&users([wanted("ada", DesiredState::Present(attributes))]), &platform([root.clone(), stood]));
        let plan = back_while(&made, Trace::Done, &today(&left), &after);
        assert_eq!((plan.users.len() == 1, plan.problems.is_empty()), (is_undone, is_undone), "{plan:?}");
        assert!(plan.users.iter().all(|op| op.action == UserAction::Update && op.okta_id == ada));
    }
}

#[test]
fn an_account_that_is_anothers_now_is_left_to_them() {
    let (made, after) = run(&users([present("ada")]), &platform([inactive(linked("ada"))]));
    let mut relinked = after;
    relinked.users[0].external_id = Some(okta_id("eve").as_str().into());
    let plan = back(&made, Trace::Done, &relinked);
    assert!(plan.is_empty() && kinds(&plan) == [ProblemKind::ChangedSince], "{plan:?}");
    // So are its memberships.
    let desired = with_projects(users([present("ada")]), [pushed("Eng", &["ada"])]);
    let before = Platform {
        users: vec![linked("ada")],
        projects: vec![project("Eng", Some(group_id("Eng").as_str()), &[])],
        ..Platform::default()
    };
    let (made, mut after) = run(&desired, &before);
    after.users[0].external_id = Some(okta_id("eve").as_str().into());
    assert!(back(&made, Trace::Done, &after).projects.is_empty());
}

#[test]
fn an_adoption_leaves_its_link() {
    let (made, after) = run(&users([present("ada")]), &platform([account("ada", None)]));
    let plan = back(&made, Trace::Done, &after);
    assert!(plan.is_empty());
    assert!(plan.warnings[0].contains("externalId can't be cleared"), "{:?}", plan.warnings);
}

#[test]
fn a_deleted_project_is_named_and_does_not_come_back() {
    let old = project("Old", Some(group_id("Old").as_str()), &[]);
    let before = Platform { projects: vec![old], ..Platform::default() };
    let made = diff(&users([]), &before, &Policy { delete_unpushed: true, ..policy() });
    let plan = back(&made, Trace::Done, &Platform::default());
    assert_eq!((plan.is_empty(), plan.problems.len()), (true, 0));
    assert_eq!(plan.warnings, ["the project Old was deleted, which can't be undone"]);
}

#[test]
fn a_reactivation_takes_its_role_and_names_back_too() {
    let stood = User { given_name: "Adda".to_owned(), ..inactive(admin(linked("ada"))) };
    let before = platform([admin(linked("root")), stood]);
    let (made, after) = run(&users([present("ada")]), &before);
    let plan = back(&made, Trace::Done, &after);
    assert_eq!(action(&plan), Some(UserAction::Deactivate));
    assert_eq!(applied(&plan, &after), before);
}

#[test]
fn an_account_that_was_relinked_goes_back_unless_its_id_is_anothers_now() {
    let successor = wanted("new", DesiredState::Present(Attributes::default()));
    let successor = (
        successor.0,
        DesiredUser::new(successor.1.login(), Some("ada@example.com".to_owned()), successor.1.state.clone()),
    );
    let gone = wanted("ada", DesiredState::Left(Leave::Deleted));
    let before = platform([linked("ada")]);
    let (made, after) = run(&users([successor, gone]), &before);
    assert_eq!(user(&after, "ada").external_id.as_deref(), Some(okta_id("new").as_str()));
    let plan = back(&made, Trace::Done, &after);
    assert_eq!(plan.users[0].okta_id, okta_id("ada"));
    assert_eq!(applied(&plan, &after), before);
    let mut meanwhile = after;
    meanwhile.users.push(User { external_id: before.users[0].external_id.clone(), ..account("other", None) });
    let plan = back(&made, Trace::Done, &meanwhile);
    assert!(plan.is_empty() && plan.warnings[0].contains("other@example.com"), "{plan:?}");
}

#[test]
fn what_changed_since_is_named_and_left_alone_and_the_rest_goes_back() {
    let stood = User { given_name: "Adda".to_owned(), platform_role: "OPERATOR".into(), ..linked("ada") };
    let (made, mut after) = run(&users([present("ada")]), &platform([stood]));
    after.users[0].platform_role = "ADMIN".into();
    let plan = back(&made, Trace::Done, &after);
    assert_eq!(kinds(&plan), [ProblemKind::ChangedSince]);
    assert!(plan.problems[0].message.contains("platformRole is \"ADMIN\" now"), "{:?}", plan.problems);
    assert_eq!(plan.users[0].changes.iter().map(|change| change.to.as_str()).collect::<Vec<_>>(), ["Adda"]);
    assert_eq!(plan.users[0].attributes.as_ref().map(|attributes| attributes.platform_role), Some(PlatformRole::Admin));
    after.users.clear();
    assert_eq!(kinds(&back(&made, Trace::Done, &after)), [ProblemKind::ChangedSince], "the account is gone");
}

#[test]
fn of_a_step_that_was_never_begun_nothing_follows_and_of_a_killed_one_what_stands() {
    let (made, after) = run(&users([present("ada")]), &Platform::default());
    assert_eq!(
        back(&made, Trace::None, &after),
        Plan { standing: back(&made, Trace::None, &after).standing, ..Plan::default() }
    );
    assert_eq!(action(&back(&made, Trace::Perhaps, &after)), Some(UserAction::Deactivate));
    let never = back(&made, Trace::Perhaps, &Platform::default());
    assert!(never.is_empty() && never.problems.is_empty(), "{never:?}");
    let blurred = back(&made, Trace::Blurred, &after);
    assert!(blurred.is_empty() && kinds(&blurred) == [ProblemKind::ChangedSince], "{blurred:?}");
}

#[test]
fn the_owner_and_the_last_admin_stay_whatever_is_taken_back() {
    let attributes = Attributes { platform_role: PlatformRole::Admin, ..Attributes::default() };
    let (made, mut after) =
        run(&users([wanted("ada", DesiredState::Present(attributes))]), &platform([inactive(linked("ada"))]));
    let last = back(&made, Trace::Done, &after);
    assert!(last.is_empty() && last.warnings[0].contains("last active ADMIN"), "{last:?}");
    after.users.push(admin(linked("root")));
    assert_eq!(action(&back(&made, Trace::Done, &after)), Some(UserAction::Deactivate));
    after.owner = Some(after.users[0].id.clone());
    let owner = back(&made, Trace::Done, &after);
    assert!(owner.is_empty() && owner.warnings[0].contains("owner"), "{owner:?}");
}

#[test]
fn members_and_names_of_projects_come_back_and_a_made_project_stays_empty() {
    let desired =
        with_projects(users([present("ada"), present("bob")]), [pushed("Eng", &["ada"]), pushed("New", &["bob"])]);
    let old = Project { display_name: "Old".to_owned(), ..project("Eng", Some(group_id("Eng").as_str()), &["bob"]) };
    let before =
        Platform { users: vec![linked("ada"), linked("bob")], projects: vec![old], owner: None, ..Platform::default() };
    let (made, after) = run(&desired, &before);
    let plan = back(&made, Trace::Done, &after);
    let restored = applied(&plan, &after);
    assert_eq!(restored.projects[0], before.projects[0]);
    assert!(restored.projects[1].members.is_empty());
    assert_eq!(plan.warnings.len(), 2, "the project stays, and roles are the server's: {:?}", plan.warnings);
    // An account that is inactive now can't be added.
    let mut meanwhile = after;
    meanwhile.users[1].active = false;
    meanwhile.projects[0].display_name = "Third".to_owned();
    let plan = back(&made, Trace::Done, &meanwhile);
    assert_eq!(kinds(&plan), [ProblemKind::ChangedSince; 2], "{plan:?}");
    assert!(plan.projects[0].add.is_empty() && plan.projects[0].action == ProjectAction::Members);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_was_before_a_run_is_again_or_is_named(desired in any_desired(), before in any_platform()) {
        let (made, after) = run(&desired, &before);
        let plan = back(&made, Trace::Done, &after);
        let restored = applied(&plan, &after);
        let named = |name: &str| {
            plan.warnings.iter().any(|warning| warning.contains(name)) || plan.problems.iter().any(|problem| problem.subject == name)
        };
        for user in &before.users {
            prop_assert!(restored.users.contains(user) || named(&user.user_name), "{user:?}\n{plan:#?}");
        }
        for user in restored.users.iter().skip(before.users.len()) {
            prop_assert!(!user.active || named(&user.user_name), "{user:?}\n{plan:#?}");
        }
        for project in &before.projects {
            let left = after.projects.iter().find(|left| left.id == project.id).unwrap();
            prop_assert!(restored.projects.contains(project) || named(&left.display_name), "{project:?}\n{plan:#?}");
        }
        let twice = back(&made, Trace::Done, &restored);
        // An externalId that stood in another's way may be free after the first time.
        prop_assert!(twice.is_empty() || named("the externalId"), "{twice:#?}\nafter {plan:#?}");
    }
}
