//! Which project a group gets: projects that the config names, of one group or of several, and projects that change groups.

use super::*;

/// The project that the config names for these groups.
fn named(project: &str, groups: &[&str]) -> (OktaGroupId, DesiredProject) {
    let links: Vec<OktaGroupId> = groups.iter().map(|name| group_id(name)).collect();
    of_links(project, &links)
}

fn of_links(project: &str, links: &[OktaGroupId]) -> (OktaGroupId, DesiredProject) {
    let source = |link: &OktaGroupId| Source { group: link.of_group(), link: link.clone(), rule: 0 };
    let sources: Vec<Source> = links.iter().map(source).collect();
    let members = [okta_id("ada")].into_iter().collect();
    let made = DesiredProject::of(links[0].clone(), project, &format!("group of {}", links[0]), members);
    (links[0].clone(), DesiredProject { is_named: true, sources, ..made })
}

fn linked_to(name: &str, group: &str) -> Project {
    project(name, Some(group_id(group).as_str()), &[])
}

fn plan(desired: Vec<(OktaGroupId, DesiredProject)>, projects: Vec<Project>) -> Plan {
    let desired = Desired {
        // Okta has all of them, and one more.
        groups: ["a", "b", "c", "d", "other"].map(|name| (group_id(name), format!("AP {name}"))).into(),
        ..with_projects(users([present("ada")]), desired)
    };
    let before = Platform { users: vec![linked("ada")], projects, ..Platform::default() };
    let policy = Policy { delete_unpushed: true, ..policy() };
    let plan = diff(&desired, &before, &policy);
    let again = diff(&desired, &applied(&plan, &before), &policy);
    assert!(again.is_empty(), "{again:#?}\nafter {plan:#?}");
    plan
}

/// The operations as `relink project-Sales: b`, with the last letter of the externalId.
fn shown(plan: &Plan) -> Vec<String> {
    let link = |op: &ProjectOp| op.group.as_str().trim_start_matches(['0', 'g']).to_owned();
    let one = |op: &ProjectOp| {
        let project = op.project.as_ref().map_or("new", ProjectId::as_str);
        format!("{} {project} {}: {}", op.action.as_str(), op.name, link(op))
    };
    plan.projects.iter().map(one).collect()
}

#[test]
fn several_groups_make_one_project_whichever_of_them_it_is_linked_to() {
    for groups in [["a", "b"], ["b", "a"]] {
        let new = plan(vec![named("Sales", &groups)], vec![]);
        assert_eq!(shown(&new), [format!("create new Sales: {}", groups[0])], "of the first group");
        for link in ["a", "b"] {
            let standing =
                Project { members: [AccountId::from("account-ada")].into_iter().collect(), ..linked_to("Sales", link) };
            let same = plan(vec![named("Sales", &groups)], vec![standing]);
            assert!(same.is_empty() && same.problems.is_empty(), "another order changes nothing: {same:?}");
        }
    }
}

#[test]
fn the_projects_of_groups_that_now_make_one_are_never_deleted() {
    let both = || vec![linked_to("EMEA", "a"), linked_to("US", "b")];
    let unclear = plan(vec![named("Sales", &["a", "b"])], both());
    assert_eq!((shown(&unclear), kinds(&unclear)), (vec![], vec![ProblemKind::AmbiguousProject]));
    let named_one = plan(vec![named("project-US", &["a", "b"])], both());
    assert_eq!(shown(&named_one), ["members project-US US: b"], "it keeps its name");
    assert!(named_one.warnings[0].contains("which makes the project"), "{:?}", named_one.warnings);
    let one = plan(vec![named("Sales", &["a", "b"])], vec![linked_to("EMEA", "a")]);
    assert_eq!(shown(&one), ["rename project-EMEA Sales: a"]);
}

#[test]
fn an_existing_project_is_linked_by_its_name_or_id_whatever_the_group_is_called() {
    for name in ["Sales", "project-Sales"] {
        let unlinked = plan(vec![named(name, &["a"])], vec![project("Sales", None, &[])]);
        assert_eq!(shown(&unlinked), ["adopt project-Sales Sales: a"]);
        let gone = plan(vec![named(name, &["a"])], vec![linked_to("Sales", "gone")]);
        assert_eq!(shown(&gone), ["relink project-Sales Sales: a"]);
        let not_pushed = plan(vec![named(name, &["a"])], vec![linked_to("Sales", "other")]);
        let from = group_id("other");
        assert_eq!(not_pushed.projects[0].action, ProjectAction::Relink { from, is_named: true, archived: None });
    }
}

#[test]
fn a_project_that_cannot_be_linked_is_a_problem_that_names_the_way_out() {
    let problem = |desired, projects| {
        let plan = plan(desired, projects);
        assert!(!plan.projects.iter().any(|op| op.action != ProjectAction::Members), "{plan:?}");
        plan.problems.into_iter().map(|problem| (problem.kind, problem.message)).collect::<Vec<_>>()
    };
    let one = |desired, projects| problem(desired, projects).remove(0);
    let (kind, message) = one(vec![named("Sales", &["a"])], vec![project("Sales", Some("customer-1"), &[])]);
    assert_eq!(kind, ProblemKind::ProjectTaken);
    assert!(message.contains("customer-1"), "{message}");
    let (_, message) = one(vec![named("Sales", &["a"])], vec![linked_to("Old", "a"), project("Sales", None, &[])]);
    assert!(message.contains("another project is linked to its group: \"Old\""), "{message}");
    let (kind, message) = one(vec![named("b", &["a"]), pushed("b", &["ada"])], vec![linked_to("b", "b")]);
    assert_eq!(kind, ProblemKind::ProjectTaken);
    assert!(message.contains("which is pushed too"), "{message}");
    let (kind, _) = one(vec![named("abcdefghijklmnopqrs01", &["a"])], vec![]);
    assert_eq!(kind, ProblemKind::ProjectNotFound);
    let twins = || vec![project("Sales", None, &[]), Project { id: "p2".into(), ..project("Sales", None, &[]) }];
    assert_eq!(one(vec![named("Sales", &["a"])], twins()).0, ProblemKind::AmbiguousProject);
    let both = problem(vec![named("Sales", &["a"]), named("project-Sales", &["b"])], vec![project("Sales", None, &[])]);
    assert_eq!(both.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [ProblemKind::ProjectNameTwice; 2]);
}

#[test]
fn two_groups_swap_their_projects_and_a_row_of_them_moves_on() {
    let both = || vec![linked_to("A", "a"), linked_to("B", "b")];
    let swap = plan(vec![named("B", &["a"]), named("A", &["b"])], both());
    assert_eq!(shown(&swap), ["relink project-A A: b", "relink project-B B: a"]);
    let row = plan(vec![named("New", &["a"]), named("A", &["b"]), named("B", &["c"])], both());
    assert_eq!(shown(&row), ["relink project-A A: b", "relink project-B B: c", "create new New: a"]);
}

#[test]
fn a_project_that_cannot_move_keeps_its_group_from_others() {
    // The project of a, which b would get, was renamed by hand: so a can't give it up, and nothing moves.
    let half = plan(vec![named("B", &["a"]), named("A", &["b"])], vec![linked_to("Renamed", "a"), linked_to("B", "b")]);
    assert_eq!((shown(&half), kinds(&half)), (vec![], vec![ProblemKind::ProjectTaken; 2]));
}

#[test]
fn a_swap_that_a_killed_run_left_half_done_is_completed_or_given_up() {
    let moving = |name: &str, to: &str| project(name, Some(group_id(to).moving().as_str()), &[]);
    let half = || vec![moving("A", "b"), linked_to("B", "b")];
    let swap = plan(vec![named("B", &["a"]), named("A", &["b"])], half());
    assert_eq!(shown(&swap), ["relink project-A A: b", "relink project-B B: a"]);
    // The config says again what it said before: the project is found by its name, and there is no second one.
    let (key, back) = pushed("a", &[]);
    let back = DesiredProject { name: "A".to_owned(), ..back };
    let given_up = plan(vec![(key, back), pushed("b", &[])], vec![moving("A", "b"), linked_to("b", "b")]);
    assert_eq!(shown(&given_up), ["relink project-A A: a"]);
    let lost = plan(vec![], vec![moving("A", "b")]);
    assert!(lost.is_empty() && lost.warnings[0].contains("was moving the project A"), "{lost:?}");
}

#[test]
fn a_further_project_of_a_group_has_an_external_id_of_its_own() {
    let prod = group_id("a").further("prod");
    let further = |name: &str| {
        let (key, project) = of_links(name, &[group_id("a").further("prod")]);
        (key, DesiredProject { is_named: false, ..project })
    };
    let new = plan(vec![pushed("a", &["ada"]), further("A Prod")], vec![]);
    assert_eq!(shown(&new), ["create new A Prod: a:prod", "create new a: a"]);
    let standing = || vec![linked_to("a", "a"), project("A Prod", Some(prod.as_str()), &[])];
    let renamed = plan(vec![pushed("a", &["ada"]), further("A Live")], standing());
    assert_eq!(shown(&renamed), ["rename project-A Prod A Live: a:prod", "members project-a a: a"]);
    let left = plan(vec![pushed("a", &["ada"])], standing());
    assert_eq!(shown(&left), ["members project-a a: a"], "never deleted");
    assert!(left.warnings[0].contains("no rule makes the further project A Prod"), "{:?}", left.warnings);
}

#[test]
fn the_project_that_the_config_names_is_never_deleted_for_a_group_that_is_gone() {
    for vanished in [true, false] {
        let desired = Desired {
            groups: [(group_id("other"), "Other".to_owned())].into(),
            vanished: if vanished { [(group_id("new"), "Sales".to_owned())].into() } else { [].into() },
            ..users([])
        };
        let before = Platform { projects: vec![linked_to("Sales", "gone")], ..Platform::default() };
        let plan = diff(&desired, &before, &Policy { delete_unpushed: true, ..policy() });
        assert_eq!(plan.projects.is_empty(), vanished, "{plan:?}");
    }
}
