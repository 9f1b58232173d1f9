//! Applies one project operation: the project first, then its members. A whole list of members is never sent, because it
//! would reset every project role (docs/activepieces.md#put-of-a-group), and a project that now belongs to another group isn't changed.

use std::collections::BTreeSet;

use tokio::time::sleep;

use super::adapt::{Write, Writer};
use super::report::Outcome;
use super::retry::{is_conflict, pauses, survive};
use crate::activepieces::wire::{RestProject, ScimGroup};
use crate::http::Failure;
use crate::model::id::{AccountId, OktaGroupId, ProjectId};
use crate::plan::op::{ProjectAction, ProjectOp};

/// Members in one request: 2 s of the server's work for those that are added. Its answer shows all members of the group, which
/// takes 4 s more once there are 20,000, however few were changed (docs/activepieces.md#throughput): so a group of 20,000 is filled in
/// 36 s of work, where requests of 500 would take 96.
const MEMBERS_A_REQUEST: usize = 2_000;

/// Creates, adopts, renames, archives or deletes the project, and gives its id.
pub async fn write(writer: Writer<'_>, op: &ProjectOp) -> Result<ProjectId, Outcome> {
    match (&op.action, &op.project) {
        (ProjectAction::Create, _) | (_, None) => create(writer, op).await,
        (ProjectAction::Adopt, Some(id)) => adopt(writer, op, id).await.map(|()| id.clone()),
        (ProjectAction::Relink { from, archived }, Some(id)) => {
            relink(writer, op, id, from).await?;
            match archived {
                Some(name) => rename(writer, op, id, name).await.map(|()| id.clone()),
                None => Ok(id.clone()),
            }
        }
        (ProjectAction::Rename { from } | ProjectAction::Archive { from }, Some(id)) => {
            rename(writer, op, id, from).await.map(|()| id.clone())
        }
        (ProjectAction::Delete { .. }, Some(id)) => delete(writer, op, id).await.map(|()| id.clone()),
        (ProjectAction::Members, Some(id)) => Ok(id.clone()),
    }
}

/// Creates the project with its externalId, of which there can be only one: so a lost answer never makes a second
/// project, and the first is found again by it.
async fn create(writer: Writer<'_>, op: &ProjectOp) -> Result<ProjectId, Outcome> {
    let send = async || {
        let group = writer.learn(Write::Project, writer.activepieces.create_group(&op.name, &op.group)).await?;
        Ok((group.id, group.display_name))
    };
    let look = async || Ok(linked(writer, &op.group).await?.map(|project| (project.id, project.display_name)));
    let (id, name) = survive(writer, send, look).await?;
    if name == op.name {
        return Ok(id);
    }
    Err(Outcome::Stale(format!("the group's project appeared since the plan was made, with the name {name:?}")))
}

/// The project of this group.
async fn linked(writer: Writer<'_>, group: &OktaGroupId) -> Result<Option<RestProject>, Outcome> {
    writer.see(writer.activepieces.project_by_external_id(group)).await
}

/// Links a project that has no externalId yet.
async fn adopt(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    let now = group(writer, id).await?;
    if now.external_id.as_deref() == Some(op.group.as_str()) {
        return Ok(());
    }
    if now.external_id.as_deref().is_some_and(|id| !id.is_empty()) || now.display_name != op.name {
        return Err(Outcome::Stale("the project was renamed or linked since the plan was made".to_owned()));
    }
    link(writer, op, id).await
}

/// Moves the project from a group that is gone to the group of its name, with all that is in it.
async fn relink(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId, from: &OktaGroupId) -> Result<(), Outcome> {
    let is_it = |project: &RestProject| project.id == *id;
    if linked(writer, &op.group).await?.as_ref().is_some_and(is_it) {
        return Ok(());
    }
    if !linked(writer, from).await?.as_ref().is_some_and(is_it) {
        return Err(Outcome::Stale("the project was linked to another group since the plan was made".to_owned()));
    }
    link(writer, op, id).await
}

async fn link(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    let look = async || Ok(linked(writer, &op.group).await?.filter(|project| project.id == *id));
    let send = async || writer.learn(Write::Project, writer.activepieces.adopt_project(id, &op.group)).await;
    let project = survive(writer, send, look).await?;
    if project.external_id.as_deref() == Some(op.group.as_str()) {
        return Ok(());
    }
    Err(Outcome::Kept("the server returned 200 but did not set the externalId".to_owned()))
}

/// Renames the project while it has the name that the plan was made from. Each try looks first.
async fn rename(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId, from: &str) -> Result<(), Outcome> {
    let mut pauses = pauses();
    loop {
        let now = linked(writer, &op.group).await?.filter(|project| project.id == *id).ok_or_else(unlinked)?;
        if now.display_name == op.name {
            return Ok(());
        }
        if now.display_name != from {
            return Err(Outcome::Stale(format!(
                "changed meanwhile: the name is {:?} now, not {from:?}",
                now.display_name
            )));
        }
        match writer.learn(Write::Project, writer.activepieces.rename_group(id, &op.name)).await {
            Ok(group) if group.display_name == op.name => return Ok(()),
            Ok(group) => {
                let kept = format!("the server returned 200 but the name is still {:?}", group.display_name);
                return Err(Outcome::Kept(kept));
            }
            Err(failure) if failure.is_lost_answer() => match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(writer.failed(&failure)),
            },
            Err(failure) => return Err(writer.failed(&failure)),
        }
    }
}

fn unlinked() -> Outcome {
    Outcome::Stale("the project isn't linked to the group any more".to_owned())
}

/// Deletes the project if it is still linked to the group and contains no more than the plan listed. Checks in any case
/// that it is gone: if the server's own queue is stuck, the server deletes the project and never answers
/// (docs/activepieces.md#load-and-outages).
async fn delete(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    let Some(now) = writer.see(writer.activepieces.group(id)).await? else { return Ok(()) };
    if now.external_id.as_deref() != Some(op.group.as_str()) {
        return Err(unlinked());
    }
    let listed = linked(writer, &op.group).await?;
    let flows = listed.and_then(|project| project.analytics.total_flows);
    let holds = writer.activepieces.contents(id, flows).await;
    let is_as_listed = matches!(&op.action, ProjectAction::Delete { contents } if contents.are_those_of(&holds));
    if now.members.len() > op.members || !is_as_listed {
        return Err(Outcome::Stale("the project holds more or other things than when the plan was made".to_owned()));
    }
    let look = async || Ok(writer.see(writer.activepieces.group(id)).await?.is_none().then_some(()));
    survive(writer, async || writer.learn(Write::Project, writer.activepieces.delete_group(id)).await, look).await
}

/// Adds those of these accounts that aren't members. The members are read first, and again after each request: adding a
/// member a second time would reset the project role that an admin gave (docs/activepieces.md#groups). Also gives the accounts that
/// weren't members before.
pub async fn add(
    writer: Writer<'_>,
    op: &ProjectOp,
    id: &ProjectId,
    wanted: &BTreeSet<AccountId>,
) -> (BTreeSet<AccountId>, Result<(), Outcome>) {
    let before = match current_members(writer, op, id).await {
        Ok(before) => before,
        Err(outcome) => return (BTreeSet::new(), Err(outcome)),
    };
    let new = wanted.difference(&before).cloned().collect();
    let absent = |members: &BTreeSet<AccountId>| wanted.difference(members).cloned().collect();
    let send = async |chunk: &[AccountId]| writer.activepieces.add_members(id, chunk).await;
    (new, change_members(writer, op, id, before, absent, send, "added").await)
}

/// Fails where the project belongs to another group by now.
pub async fn still_linked(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    linked(writer, &op.group).await?.filter(|project| project.id == *id).map(drop).ok_or_else(unlinked)
}

/// Removes those of these accounts that are members.
pub async fn remove(
    writer: Writer<'_>,
    op: &ProjectOp,
    id: &ProjectId,
    leaving: &BTreeSet<AccountId>,
) -> Result<(), Outcome> {
    let still = |members: &BTreeSet<AccountId>| leaving.intersection(members).cloned().collect();
    let send = async |chunk: &[AccountId]| writer.activepieces.remove_members(id, chunk).await;
    let members = current_members(writer, op, id).await?;
    change_members(writer, op, id, members, still, send, "removed").await
}

/// Sends what `left` finds still to do, in requests of a bounded size, each from what the answer to the one before shows. A
/// server that answers 200 and does nothing (an inactive member is silently skipped) ends it too.
async fn change_members(
    writer: Writer<'_>,
    op: &ProjectOp,
    id: &ProjectId,
    mut members: BTreeSet<AccountId>,
    left: impl Fn(&BTreeSet<AccountId>) -> Vec<AccountId>,
    send: impl AsyncFn(&[AccountId]) -> Result<ScimGroup, Failure>,
    verb: &str,
) -> Result<(), Outcome> {
    let mut pauses = pauses();
    // Accounts that a request was sent for and that are still left: the server skipped them.
    let mut skipped = BTreeSet::new();
    loop {
        let mut next = left(&members);
        next.retain(|account| !skipped.contains(account));
        next.truncate(MEMBERS_A_REQUEST);
        if next.is_empty() {
            break;
        }
        match writer.learn(Write::members(next.len(), members.len()), send(&next)).await {
            Ok(group) => {
                members = members_of(op, group)?;
                let again: BTreeSet<AccountId> = left(&members).into_iter().collect();
                skipped.extend(next.into_iter().filter(|account| again.contains(account)));
            }
            Err(failure) if failure.is_lost_answer() || is_conflict(&failure) => {
                let Some(pause) = pauses.next() else { return Err(writer.failed(&failure)) };
                sleep(pause).await;
                members = current_members(writer, op, id).await?;
            }
            Err(failure) => return Err(writer.failed(&failure)),
        }
    }
    if skipped.is_empty() {
        return Ok(());
    }
    Err(Outcome::Kept(format!("the server returned 200 but {} were not {verb}", skipped.len())))
}

async fn group(writer: Writer<'_>, id: &ProjectId) -> Result<ScimGroup, Outcome> {
    let group = writer.see(writer.activepieces.group(id)).await?;
    group.ok_or_else(|| Outcome::Stale("the project is gone since the plan was made".to_owned()))
}

async fn current_members(writer: Writer<'_>, op: &ProjectOp, id: &ProjectId) -> Result<BTreeSet<AccountId>, Outcome> {
    members_of(op, group(writer, id).await?)
}

/// The members of the group's project.
fn members_of(op: &ProjectOp, group: ScimGroup) -> Result<BTreeSet<AccountId>, Outcome> {
    if group.external_id.as_deref() != Some(op.group.as_str()) {
        return Err(unlinked());
    }
    Ok(group.members.into_iter().map(|member| member.value).collect())
}
