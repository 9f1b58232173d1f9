//! Projects that the config names or that several groups make, where projects are archived and closed accounts leave them.

use super::*;
use crate::plan::only::{self, Only};

/// The project that the config names for these groups, with their members.
fn named(project: &str, groups: &[&str], members: &[&str]) -> (OktaGroupId, DesiredProject) {
    let members = members.iter().map(|name| okta_id(name)).collect();
    let made = DesiredProject::of(group_id(groups[0]), project, "AP", members);
    let sources = groups.iter().map(|group| Source::of(group_id(group))).collect();
    (group_id(groups[0]), DesiredProject { is_named: true, sources, ..made })
}

fn linked_to(name: &str, link: &OktaGroupId, members: &[&str]) -> Project {
    project(name, Some(link.as_str()), members)
}

/// Okta has the groups `a`, `b` and `c`.
fn desired(people: [(OktaUserId, DesiredUser); 2], projects: Vec<(OktaGroupId, DesiredProject)>) -> Desired {
    let groups = ["a", "b", "c"].map(|name| (group_id(name), format!("AP {name}"))).into();
    Desired { groups, ..with_projects(users(people), projects) }
}

fn here() -> [(OktaUserId, DesiredUser); 2] {
    [present("ada"), present("bob")]
}

fn on(projects: Vec<Project>) -> Platform {
    Platform { users: vec![linked("ada"), linked("bob")], projects, ..Platform::default() }
}

fn archiving() -> Policy {
    Policy { archive: true, ..policy() }
}

#[test]
fn a_project_that_was_archived_gets_its_name_back_when_the_config_names_its_id() {
    let old = group_id("gone");
    let name = "Archived: Sales";
    for (link, action) in [
        (&group_id("a"), ProjectAction::Rename { from: name.to_owned() }),
        (&old, ProjectAction::Relink { from: old.clone(), is_named: true, archived: Some(name.to_owned()) }),
    ] {
        let wanted = desired(here(), vec![named("project-Archived: Sales", &["a"], &["ada"])]);
        let before = on(vec![linked_to(name, link, &[])]);
        let plan = diff(&wanted, &before, &archiving());
        let op = &plan.projects[0];
        assert_eq!((plan.projects.len(), &*op.name, &op.action, op.add.len()), (1, "Sales", &action, 1));
        let again = diff(&wanted, &applied(&plan, &before), &archiving());
        assert!(again.is_empty() && again.problems.is_empty(), "{again:#?}");
    }
    let by_name = desired(here(), vec![named(name, &["a"], &[])]);
    let plan = diff(&by_name, &on(vec![linked_to(name, &old, &[])]), &archiving());
    assert_eq!(plan.projects[0].name, name, "as the config has it");
}

#[test]
fn only_the_project_of_a_group_that_is_gone_is_archived() {
    let standing = || {
        on(vec![
            linked_to("Gone", &group_id("gone"), &["ada"]),
            linked_to("Further", &group_id("gone").further("prod"), &["ada"]),
            linked_to("Sales", &group_id("a"), &["ada"]),
            linked_to("US", &group_id("b"), &["ada"]),
            linked_to("Moving", &group_id("gone2").moving(), &["ada"]),
            linked_to("Wanted", &group_id("gone3"), &["ada"]),
        ])
    };
    let rules = || vec![named("Sales", &["a", "b"], &["ada"]), named("Wanted", &["c"], &["ada"])];
    for policy in [archiving(), Policy { delete_unpushed: true, ..policy() }] {
        let plan = diff(&desired(here(), rules()), &standing(), &policy);
        let shown: Vec<_> = plan.projects.iter().map(|op| (op.action.as_str(), op.group.clone())).collect();
        let goes = if policy.archive { "archive" } else { "delete" };
        assert!(shown.contains(&(goes, group_id("gone"))), "{shown:?}");
        assert!(shown.contains(&("relink", group_id("c"))), "{shown:?}");
        assert_eq!((shown.len(), plan.warnings.len(), plan.problems.len()), (2, 3, 0), "{plan:#?}");
    }
}

#[test]
fn a_closed_account_leaves_every_linked_project_once() {
    let (id, user) = wanted("ada", DesiredState::Left(Leave::Suspended));
    let people = [(id, user), present("bob")];
    let policy = Policy { remove_memberships: true, ..policy() };
    let standing = on(vec![
        linked_to("Sales", &group_id("b"), &["ada", "bob"]),
        linked_to("Old", &group_id("a"), &["ada", "bob"]),
        linked_to("Further", &group_id("c").further("prod"), &["ada", "bob"]),
        linked_to("Moved", &group_id("gone"), &["ada", "bob"]),
    ]);
    let rules = vec![named("Sales", &["a", "b"], &["ada", "bob"]), named("Moved", &["c"], &["bob"])];
    let wanted = desired(people, rules);
    let plan = diff(&wanted, &standing, &policy);
    let removed: Vec<_> = plan.projects.iter().map(|op| (&*op.name, op.group.clone(), op.remove.len())).collect();
    let further = group_id("c").further("prod");
    let expected = [("Further", further, 1), ("Moved", group_id("c"), 1), ("Old", group_id("a"), 1)];
    assert_eq!(removed, expected.into_iter().chain([("Sales", group_id("b"), 1)]).collect::<Vec<_>>());
    let again = diff(&wanted, &applied(&plan, &standing), &policy);
    assert!(again.is_empty(), "{again:#?}");
}

#[test]
fn who_comes_back_has_the_role_of_before_by_any_group_of_the_project_but_not_in_one_that_moved() {
    let recorded = |link: &str| [(group_id(link), [(okta_id("ada"), "Admin".to_owned())].into())].into();
    let back = |link: &str, project: (OktaGroupId, DesiredProject), standing: Project| {
        let desired = Desired { left_roles: recorded(link), ..desired(here(), vec![project]) };
        let plan = diff(&desired, &on(vec![standing]), &policy());
        (plan.projects[0].add[0].role.clone(), plan.standing.settled_roles.len())
    };
    for link in ["a", "b"] {
        let sales = named("Sales", &["a", "b"], &["ada"]);
        let (role, settled) = back(link, sales, linked_to("Sales", &group_id("b"), &[]));
        assert_eq!((role.as_deref(), settled), (Some("Admin"), 0), "{link}");
        // What is recorded by either group may be of another project.
        let (role, settled) = back(link, named("Sales", &["a"], &["ada"]), linked_to("Sales", &group_id("b"), &[]));
        assert_eq!((role, settled), (None, 1), "{link}");
    }
}

#[test]
fn half_of_a_swap_is_never_chosen() {
    let rules = vec![named("B", &["a"], &[]), named("A", &["b"], &[])];
    let standing = on(vec![linked_to("A", &group_id("a"), &[]), linked_to("B", &group_id("b"), &[])]);
    let swap = diff(&desired(here(), rules), &standing, &policy());
    let kept = |names: &[&str]| {
        let mut part = swap.clone();
        let choices: Vec<Only> = names.iter().map(|name| Only::Project((*name).to_owned())).collect();
        only::keep(&mut part, &choices);
        part.projects.len()
    };
    assert_eq!((swap.projects.len(), kept(&["A"]), kept(&["B"]), kept(&["A", "B"])), (2, 0, 0, 2));
}
