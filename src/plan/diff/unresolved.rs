//! Rules of the config that can't push a group. Each is a problem of its own project and doesn't affect others.

use crate::model::activepieces::Platform;
use crate::model::desired::{Desired, MissingPart, RuleFault, Unresolved};
use crate::model::id::OktaGroupId;
use crate::model::problem::{Problem, ProblemKind};

/// A problem for each rule and for each part of the scope.
pub fn problems(desired: &Desired, platform: &Platform) -> Vec<Problem> {
    let rules = desired.unresolved.iter().map(|rule| problem(rule, desired, platform));
    rules.chain(desired.missing_scope.iter().map(missing_part)).collect()
}

fn missing_part(part: &MissingPart) -> Problem {
    let message = format!(
        "{}; until it is found, no user is deactivated or removed for being out of scope (hint: correct [scope] in the config)",
        part.fault
    );
    Problem::new(&part.wanted, ProblemKind::ScopeNotFound, message)
}

fn problem(rule: &Unresolved, desired: &Desired, platform: &Platform) -> Problem {
    let (kind, message) = match &rule.fault {
        RuleFault::NoSuchGroup { .. } => (ProblemKind::GroupNotFound, not_found(rule, desired, platform)),
        RuleFault::SeveralGroups { .. } => (ProblemKind::AmbiguousGroup, rule.fault.told(&rule.wanted)),
        RuleFault::EmptyName { .. } => (ProblemKind::EmptyProjectName, rule.fault.told(&rule.wanted)),
    };
    Problem::new(&rule.project, kind, format!("{message}; the project stays as it is")).at(rule.location.clone())
}

/// Says what the group is called now, where the project that it was pushed to is linked to a group that is still there.
fn not_found(rule: &Unresolved, desired: &Desired, platform: &Platform) -> String {
    let linked = platform.projects.iter().find_map(|project| {
        let group = project.external_id.as_deref().filter(|id| desired.ids.is_group(id)).map(OktaGroupId::from)?;
        rule.is_about(&group, project).then_some((group, &project.display_name))
    });
    let Some((group, project)) = linked else { return rule.fault.told(&rule.wanted) };
    let gone = format!("the group {:?} isn't in Okta any more", rule.wanted);
    match desired.groups.get(&group) {
        Some(name) => format!("{gone}; the group linked to the project {project:?} is called {name:?} now"),
        None => gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::activepieces::Project;

    const GROUP: &str = "00g00000000000000001";

    fn platform() -> Platform {
        let project = Project {
            id: "p1".into(),
            display_name: "AP Eng".to_owned(),
            external_id: Some(GROUP.to_owned()),
            members: crate::model::Members::default(),
        };
        Platform { projects: vec![project], ..Platform::default() }
    }

    fn message(wanted: &str, groups: &[(&str, &str)]) -> String {
        let fault = RuleFault::NoSuchGroup { nearest: vec!["AP End".to_owned()] };
        let rule = Unresolved { wanted: wanted.to_owned(), project: wanted.to_owned(), fault, location: None };
        let groups = groups.iter().map(|(id, name)| ((*id).into(), (*name).to_owned())).collect();
        let desired = Desired { unresolved: vec![rule], groups, ..Desired::default() };
        problems(&desired, &platform()).remove(0).message
    }

    #[test]
    fn a_group_that_was_renamed_is_found_by_the_project_that_is_linked_to_it() {
        assert_eq!(
            message("AP Eng", &[(GROUP, "AP Engineering")]),
            r#"the group "AP Eng" isn't in Okta any more; the group linked to the project "AP Eng" is called "AP Engineering" now; the project stays as it is"#,
        );
        for wanted in ["AP Eng", GROUP] {
            let gone = format!("the group {wanted:?} isn't in Okta any more; the project stays as it is");
            assert_eq!(message(wanted, &[]), gone);
        }
    }

    #[test]
    fn a_name_that_never_was_pushed_is_told_with_what_is_like_it() {
        let told =
            r#"no group in Okta has the id or the name "AP Ent"; did you mean "AP End"?; the project stays as it is"#;
        assert_eq!(message("AP Ent", &[(GROUP, "AP Engineering")]), told);
    }
}
