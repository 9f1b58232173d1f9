//! Projects whose group isn't pushed any more: named, archived or deleted.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::model::activepieces::{Contents, Platform, Project};
use crate::model::desired::Desired;
use crate::model::id::{OktaGroupId, ProjectId};
use crate::plan::diff::closing::Closing;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::members::{Owners, may_leave, removal};
use crate::plan::op::{Plan, ProjectAction, ProjectOp, Removal, archived_name};
use crate::plan::policy::Policy;

/// Projects whose group isn't pushed any more: named, or archived or deleted where the policy says so and the group is gone. Only
/// an Okta group's id as externalId tells that Okta or this program made a project. A project that a group made again claims
/// isn't one of them.
pub fn diff(
    plan: &mut Plan,
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    claimed: &BTreeSet<&ProjectId>,
    policy: &Policy,
    closed: &Closing<'_>,
) {
    let owners = LazyCell::new(|| Owners::of(platform, matches, &desired.ids));
    for project in platform.projects.iter().filter(|project| !claimed.contains(&project.id)) {
        let Some(id) = project.external_id.as_deref().filter(|id| desired.ids.is_group(id)) else { continue };
        let group = OktaGroupId::from(id);
        if desired.projects.contains_key(&group) || desired.vanished.contains_key(&group) {
            continue;
        }
        let name = &project.display_name;
        if desired.unresolved.iter().any(|rule| rule.is_about(&group, name)) {
            continue;
        }
        let is_gone = !desired.groups.contains_key(&group);
        if !(is_gone && (policy.archive || policy.delete_unpushed)) {
            closed.leave(plan, project, &group);
        }
        if let Some(called) = desired.groups.get(&group) {
            let warning = format!("the group of project {name} is called {called} in Okta and isn't pushed");
            plan.warnings.push(format!("{warning}; the project stays as it is"));
        } else if policy.archive {
            let members = owners.all(project).filter(|(id, account)| may_leave(account, id, desired, matches));
            let leave = |(id, account)| removal(account, id, "the group of the project was deleted".to_owned());
            archive(plan, project, group, members.map(leave).collect());
        } else if policy.delete_unpushed {
            plan.projects.push(ProjectOp {
                name: name.clone(),
                group,
                project: Some(project.id.clone()),
                action: ProjectAction::Delete { contents: Contents::default() },
                members: project.members.len(),
                add: Vec::new(),
                remove: Vec::new(),
                roles: Vec::new(),
            });
        } else {
            plan.warnings.push(format!("the group {id} of project {name} isn't pushed; the project stays as it is"));
        }
    }
}

/// Archives a project, or removes the members that an archived one has.
fn archive(plan: &mut Plan, project: &Project, group: OktaGroupId, mut remove: Vec<Removal>) {
    let name = archived_name(&project.display_name);
    plan.standing.members += project.members.len();
    if name == project.display_name && remove.is_empty() {
        plan.standing.unchanged_projects += 1;
        return;
    }
    let others = project.members.len() - remove.len();
    if others > 0 {
        let members =
            if others == 1 { "1 member that Okta doesn't know stays" } else { "members that Okta doesn't know stay" };
        let many = if others == 1 { String::new() } else { format!("{others} ") };
        plan.warnings.push(format!("{many}{members} in the archived project {}", project.display_name));
    }
    remove.sort_unstable();
    plan.projects.push(ProjectOp {
        name,
        group,
        project: Some(project.id.clone()),
        action: ProjectAction::Archive { from: project.display_name.clone() },
        members: project.members.len(),
        add: Vec::new(),
        remove,
        roles: Vec::new(),
    });
}
