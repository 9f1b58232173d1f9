//! The outline of a plan: what it does by kind and id, without names and other values. Plans of the same outline do the same.

use std::collections::BTreeMap;

use super::deferred::Because;
use super::op::{Attribute, Plan, RoleChange};

/// Each line with how often it occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline(BTreeMap<String, usize>);

impl Outline {
    pub fn of(plan: &Plan) -> Self {
        let mut outline = Self::default();
        for op in &plan.users {
            let attributes = op.changes.iter().map(|change| match change.attribute {
                // Names of people are values, roles aren't.
                Attribute::PlatformRole | Attribute::Active => format!("{}={}", change.attribute.as_str(), change.to),
                attribute => attribute.as_str().to_owned(),
            });
            let attributes: Vec<String> = attributes.collect();
            let role = op.attributes.as_ref().map(|attributes| attributes.platform_role.as_str()).unwrap_or_default();
            outline.add(format!("{} {} {role} {}", op.action.as_str(), op.okta_id, attributes.join(" ")));
            op.replaces.iter().for_each(|left| outline.add(format!("{} leaves {}", op.okta_id, left.account)));
        }
        for op in &plan.projects {
            outline.add(format!("{} project {}", op.action.as_str(), op.group));
            op.add.iter().for_each(|member| outline.add(format!("add {} to {}", member.okta_id, op.group)));
            op.remove.iter().for_each(|member| outline.add(format!("remove {} from {}", member.account, op.group)));
            let set =
                |change: &RoleChange| format!("{} in {}: {} → {}", change.account, op.group, change.from, change.to);
            op.roles.iter().for_each(|change| outline.add(set(change)));
        }
        for op in &plan.invitations {
            outline.add(format!("revoke {} of {}", op.id, op.okta_id));
        }
        // A redacted subject may not be the accepted one.
        let problems = plan.problems.iter().map(|problem| problem.kind);
        problems.for_each(|kind| outline.add(format!("problem {kind}")));
        plan.accepted.iter().for_each(|accepted| outline.add(format!("accepted {}", accepted.problem.kind)));
        for held in &plan.held {
            let what = held.what.split(' ').next().unwrap_or_default();
            outline.add(format!("{what} deferred: {}", kind_of(&held.because)));
        }
        plan.warnings.iter().for_each(|_| outline.add("warning".to_owned()));
        plan.shrunk.iter().for_each(|shrunk| outline.add(format!("shrunk {} {}", shrunk.before, shrunk.now)));
        let standing = &plan.standing;
        outline.add(format!("in scope {}", standing.in_scope));
        outline.add(format!("unchanged {} {}", standing.unchanged_users, standing.unchanged_projects));
        outline
    }

    /// How many lines the two don't share.
    pub fn differences(&self, other: &Self) -> usize {
        let count = |of: &Self, line: &String| of.0.get(line).copied().unwrap_or_default();
        let missing = |one: &Self, other: &Self| -> usize {
            one.0.iter().map(|(line, times)| times.saturating_sub(count(other, line))).sum()
        };
        // A line that changed is missing on both sides.
        missing(self, other).max(missing(other, self))
    }

    fn add(&mut self, line: String) {
        *self.0.entry(line).or_default() += 1;
    }
}

fn kind_of(because: &Because) -> &'static str {
    match because {
        Because::SourceNotTrusted => "source not trusted",
        Because::ScopeNotFound => "scope not found",
        Because::Waiting { .. } => "waiting",
        Because::Grace { .. } => "grace",
        Because::AnswersDisagree { .. } => "answers disagree",
        Because::RoleNotKnown => "role not known",
        Because::DoesNotStand => "does not stand",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::{Problem, ProblemKind};
    use crate::plan::op::{ProjectAction, ProjectOp};

    #[test]
    fn plans_differ_by_what_they_do_and_not_by_names() {
        let project = |name: &str, group: &str| ProjectOp {
            name: name.to_owned(),
            group: group.into(),
            project: None,
            action: ProjectAction::Create,
            members: 0,
            add: Vec::new(),
            remove: Vec::new(),
            roles: Vec::new(),
        };
        let problem = |subject: &str| Problem::new(subject, ProblemKind::EmailChanged, subject);
        let plan = |name: &str, groups: &[&str], problems: &[&str]| Plan {
            projects: groups.iter().map(|group| project(name, group)).collect(),
            problems: problems.iter().map(|subject| problem(subject)).collect(),
            ..Plan::default()
        };
        let one = Outline::of(&plan("Sales", &["00g1", "00g2"], &["ada", "bob"]));
        let differences = |other: Plan| one.differences(&Outline::of(&other));
        assert_eq!(differences(plan("Xkq", &["00g1", "00g2"], &["b", "c"])), 0);
        assert_eq!(differences(plan("Sales", &["00g1", "00g3"], &["ada", "bob"])), 1);
        assert_eq!(differences(plan("Sales", &["00g1"], &["ada"])), 2);
    }
}
