//! Who has which access and why, from both servers whole, as a plan reads them.

use crate::error::{Error, Kind, Result};
use crate::mapping::projects::ProjectRule;
use crate::model::activepieces::{Platform, Project};
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::okta::Group;
use crate::model::org::Org;
use crate::model::problem::Problem;
use crate::model::similar::{did_you_mean, nearest};
use crate::output::explained::{ExplainedPushedGroup, ExplainedWholeProject};
use crate::plan::Plan;
use crate::plan::access::{self, Access, Entrants, NOT_IN_SCOPE, Sources};
use crate::plan::op::ProjectOp;
use crate::state::StateFile;
use crate::sync::context::Context;
use crate::sync::journal::owed_roles;
use crate::sync::session::{self, Knows, Looked, Session};

/// So many members who aren't in scope are asked for, to name them.
const FEW: usize = 100;

/// Both sides with the plan, and the state that it rests on.
async fn look(session: &Session, wants_roles: bool, context: &Context) -> Result<(StateFile, Looked)> {
    let state = session::state_to_read(&session.settings, context)?;
    let owed_roles = owed_roles(&state, &session.settings.mapping)?;
    let past = state.past()?.unwrap_or_default();
    let org = state.known_org()?;
    let knows = Knows { past, org, owed_roles, in_line: None, writes: false, config: None };
    let looked = session.look(&knows, wants_roles, context).await?;
    Ok((state, looked))
}

/// The access of every account, with what it follows from.
pub async fn all(session: &Session, wants_roles: bool, context: &Context) -> Result<(Vec<Access>, Looked)> {
    let (state, looked) = look(session, wants_roles, context).await?;
    let access = access::all(&Sources {
        desired: &looked.desired,
        platform: &looked.platform,
        plan: &looked.plan,
        policy: &session.settings.policy,
        manages_roles: looked.mapping.platform_role.is_some(),
        // Without the record a difference is one that was made by hand.
        written: &|id| state.last_role(id.as_str()).ok().flatten(),
    });
    Ok((access, looked))
}

/// The project of this id, or the only one of this name.
pub fn project<'p>(platform: &'p Platform, name: &str) -> Result<&'p Project> {
    if let Some(project) = platform.projects.iter().find(|project| project.id.as_str() == name) {
        return Ok(project);
    }
    let named: Vec<&Project> = platform.projects.iter().filter(|project| project.display_name == name).collect();
    match named.as_slice() {
        [project] => Ok(project),
        [] => {
            let near = nearest(name, platform.projects.iter().map(|project| project.display_name.as_str()));
            Err(unknown(format!("no project in Activepieces has the name or the id {name:?}"), &near))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|project| project.id.as_str()).collect();
            let error = format!("{} projects are named {name:?}: {}", several.len(), ids.join(", "));
            Err(Error::new(Kind::Failed, error).hint("name one by its id"))
        }
    }
}

/// An error about a name that nothing has, with the names that are like it.
pub(super) fn unknown(error: String, near: &[String]) -> Error {
    let error = Error::new(Kind::Failed, error);
    match did_you_mean(near) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Explains the project of this name or id.
pub async fn explain_project(session: &Session, name: &str, context: &Context) -> Result<ExplainedWholeProject> {
    let (access, looked) = all(session, true, context).await?;
    let project = project(&looked.platform, name)?;
    let group = project.external_id.as_deref().filter(|id| looked.desired.ids.project_link(id).is_some());
    let group = group.map(OktaGroupId::from);
    let is_member = |access: &Access| access.projects.iter().any(|membership| membership.id == project.id);
    let mut members: Vec<Access> = access.into_iter().filter(is_member).collect();
    for member in &mut members {
        member.projects.retain(|membership| membership.id == project.id);
    }
    let operation = operation(&looked.plan, |op| op.project.as_ref() == Some(&project.id));
    // A project that is to be linked has the group of its operation.
    let group = group.or_else(|| operation.as_ref().map(|op| op.group.clone()));
    let names = [Some(&project.display_name), operation.as_ref().map(|op| &op.name)];
    Ok(ExplainedWholeProject {
        id: project.id.clone(),
        name: project.display_name.clone(),
        external_id: project.external_id.clone(),
        group_name: group.as_ref().and_then(|group| group_name(&looked, group)),
        rule: group.as_ref().and_then(|group| rule(session, &looked.org, group)),
        group,
        members,
        problems: problems(&looked.plan, &names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>()),
        operation,
    })
}

/// The names of the groups that a project is made of, or the name of the one that it is linked to.
fn group_name(looked: &Looked, link: &OktaGroupId) -> Option<String> {
    let made = looked.desired.project_of(link.as_str());
    let linked = looked.org.groups.get(&link.of_group());
    made.map(|project| project.group_name.clone()).or_else(|| linked.cloned())
}

/// Explains the group of this name or id.
pub async fn explain_group(session: &Session, name: &str, context: &Context) -> Result<ExplainedPushedGroup> {
    let (_, looked) = look(session, false, context).await?;
    let id = group(&looked.org, name)?;
    let group_name = looked.org.groups.get(&id).cloned().unwrap_or_else(|| id.to_string());
    let pushed = looked.org.pushed.get(&id);
    let target = looked.org.targets_of(&id).next();
    let has_link = |link: &str| match target {
        Some((target, _)) => target.sources.iter().any(|source| source.link.as_str() == link),
        None => link == id.as_str(),
    };
    let operation = operation(&looked.plan, |op| has_link(op.group.as_str()));
    let linked =
        looked.platform.projects.iter().find(|project| match operation.as_ref().and_then(|op| op.project.as_ref()) {
            Some(of_operation) => project.id == *of_operation,
            None => project.external_id.as_deref().is_some_and(has_link),
        });
    let project_name = target.map(|(target, _)| target.name.clone());
    let policy = &session.settings.policy;
    let mut entrants = target.zip(pushed).and_then(|((_, source), pushed)| {
        access::entrants(pushed, &source.link, &looked.desired, &looked.platform, &looked.plan, policy)
    });
    if let Some(entrants) = &mut entrants {
        name_unread(session, entrants).await?;
    }
    Ok(ExplainedPushedGroup {
        rule: rule(session, &looked.org, &id),
        taken_by: taken_by(session, &id, &group_name, pushed.map(|pushed| &pushed.group)),
        project: linked.map(|project| project.id.clone()),
        current_name: linked.map(|project| project.display_name.clone()),
        members: pushed.map(|pushed| pushed.members.len()),
        entrants,
        problems: problems(&looked.plan, &[project_name.as_deref().unwrap_or(&group_name)]),
        project_name,
        operation,
        id,
        name: group_name,
    })
}

/// Puts logins in place of the ids of members who aren't in scope, as far as they are few.
async fn name_unread(session: &Session, entrants: &mut Entrants) -> Result<()> {
    let Some(unread) = entrants.not.get_mut(NOT_IN_SCOPE) else { return Ok(()) };
    let ids = unread.iter().take(FEW).map(|id| OktaUserId::from(id.as_str())).collect();
    let found = session.okta.users_by_id(&ids).await;
    let found = found.map_err(|failure| Error::from(failure).context("asking Okta for the members out of scope"))?;
    for name in unread.iter_mut() {
        if let Some(Some(found)) = found.get(&OktaUserId::from(name.as_str())) {
            found.user.login().clone_into(name);
        }
    }
    unread.sort_unstable();
    Ok(())
}

/// The id of the group of this name or id.
fn group(org: &Org, name: &str) -> Result<OktaGroupId> {
    if let Some((id, _)) = org.groups.iter().find(|(id, _)| id.as_str() == name) {
        return Ok(id.clone());
    }
    let named: Vec<&OktaGroupId> = org.groups.iter().filter(|(_, own)| *own == name).map(|(id, _)| id).collect();
    match named.as_slice() {
        [id] => Ok((*id).clone()),
        [] if org.groups.is_empty() => {
            let error = "the config asks for no groups, so they aren't read";
            Err(Error::new(Kind::Failed, error).hint("a group becomes a project by a [[projects]] rule"))
        }
        [] => {
            let near = nearest(name, org.groups.values().map(String::as_str));
            Err(unknown(format!("no group in Okta has the name or the id {name:?}"), &near))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            let error = format!("{} groups in Okta are named {name:?}: {}", several.len(), ids.join(", "));
            Err(Error::new(Kind::Failed, error).hint("name one by its id"))
        }
    }
}

/// The place of the rule that pushes a group.
fn rule(session: &Session, org: &Org, group: &OktaGroupId) -> Option<String> {
    let (_, source) = org.targets_of(group).next()?;
    session.settings.projects.get(source.rule)?.location.clone()
}

/// The rules that take a group; the first one names the project.
fn taken_by(session: &Session, id: &OktaGroupId, name: &str, group: Option<&Group>) -> Vec<String> {
    let is_named = |wanted: &String| wanted == name || wanted == id.as_str();
    let takes = |rule: &&ProjectRule| match group {
        Some(group) => rule.may_take(group),
        None => rule.selector.names().iter().any(is_named),
    };
    let told = |rule: &ProjectRule| {
        let place = rule.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        format!("{}{place}", rule.selector)
    };
    session.settings.projects.iter().filter(takes).map(told).collect()
}

fn operation(plan: &Plan, is_it: impl Fn(&ProjectOp) -> bool) -> Option<ProjectOp> {
    plan.projects.iter().find(|op| is_it(op)).cloned()
}

fn problems(plan: &Plan, names: &[&str]) -> Vec<Problem> {
    plan.problems.iter().filter(|problem| names.contains(&problem.subject.as_str())).cloned().collect()
}
