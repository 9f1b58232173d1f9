//! Projects whose group isn't pushed any more: named, archived or deleted.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::model::activepieces::{Contents, Platform, Project};
use crate::model::desired::Desired;
use crate::model::id::{OktaGroupId, ProjectId, ProjectLink};
use crate::plan::diff::closing::Closing;
use crate::plan::diff::matching::Matches;
use crate::plan::diff::members::{Owners, may_leave, removal};
use crate::plan::op::{Plan, ProjectAction, ProjectOp, Removal, archived_name};
use crate::plan::policy::Policy;

/// Projects whose group isn't pushed any more: named, or archived or deleted where the policy says so and the group is gone. Only
/// an Okta group's id as externalId tells that Okta or this program made a project. A project that a desired one claims isn't one
/// of them.
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
        let external_id = project.external_id.as_deref().unwrap_or_default();
        let Some(link) = desired.ids.project_link(external_id) else { continue };
        let group = OktaGroupId::from(link.group);
        let is_unresolved = desired.unresolved.iter().any(|rule| rule.is_about(&group, project));
        if is_unresolved || is_vanished(project, desired) || is_named(project, desired) {
            continue;
        }
        let warning = why_it_stays(project, link, desired);
        if warning.is_some() || !(policy.archive || policy.delete_unpushed) {
            closed.leave(plan, project, &external_id.into());
        }
        if let Some(warning) = warning {
            plan.warnings.push(warning);
        } else if policy.archive {
            let members = owners.all(project).filter(|(id, account)| may_leave(account, id, desired, matches));
            let leave = |(id, account)| removal(account, id, "the group of the project was deleted".to_owned());
            archive(plan, project, group, members.map(leave).collect());
        } else if policy.delete_unpushed {
            plan.projects.push(deletion(project, group));
        } else {
            let name = &project.display_name;
            plan.warnings.push(format!("the group {group} of project {name} isn't pushed; the project stays as it is"));
        }
    }
}

/// Why a project is neither archived nor deleted, whatever the policy says; none if its group is gone.
fn why_it_stays(project: &Project, link: ProjectLink<'_>, desired: &Desired) -> Option<String> {
    let (name, group) = (&project.display_name, link.group);
    if link.is_moving {
        let warning = format!("a run that ended early was moving the project {name} to the group {group}");
        return Some(format!(
            "{warning}; the project stays as it is (hint: name it for a group: `project = {name:?}`)"
        ));
    }
    if let Some(other) = project.external_id.as_deref().and_then(|id| desired.project_of(id)) {
        let other = &other.name;
        return Some(format!(
            "the project {name} is linked to the group {group}, which makes the project {other}; the project stays as it is"
        ));
    }
    if link.also.is_some() {
        return Some(format!(
            "no rule makes the further project {name} of the group {group}; the project stays as it is"
        ));
    }
    let called = desired.groups.get(&OktaGroupId::from(group))?;
    Some(format!("the group of project {name} is called {called} in Okta and isn't pushed; the project stays as it is"))
}

/// Whether the config names the project, by its name or id. Where it can't be linked, a problem says why.
fn is_named(project: &Project, desired: &Desired) -> bool {
    let mut named = desired.projects.values().filter(|desired| desired.is_named);
    named.any(|desired| desired.name == project.display_name || desired.name == project.id.as_str())
}

/// Whether a group of the project was deleted while the org was read.
fn is_vanished(project: &Project, desired: &Desired) -> bool {
    let id = project.external_id.as_deref().unwrap_or_default();
    let is_named = |name: &String| *name == project.display_name || name == project.id.as_str();
    desired.vanished.contains_key(&OktaGroupId::from(id)) || desired.vanished.values().any(is_named)
}

fn deletion(project: &Project, group: OktaGroupId) -> ProjectOp {
    ProjectOp {
        name: project.display_name.clone(),
        group,
        project: Some(project.id.clone()),
        action: ProjectAction::Delete { contents: Contents::default() },
        members: project.members.len(),
        add: Vec::new(),
        remove: Vec::new(),
        roles: Vec::new(),
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
        let members = if others == 1 { "member" } else { "members" };
        plan.warnings.push(format!(
            "{others} {members} that Okta doesn't know stay in the archived project {}",
            project.display_name
        ));
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
