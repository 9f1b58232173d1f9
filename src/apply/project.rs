//! One operation on one project: itself, then its members. Nothing here ever sends a whole list of members, which would
//! reset everybody's project role (contract section 4.4).

use std::collections::BTreeSet;

use tokio::time::sleep;

use super::adapt::{Server, Write};
use super::report::Outcome;
use super::retry::{is_conflict, pauses, survive};
use crate::activepieces::Activepieces;
use crate::activepieces::wire::ScimGroup;
use crate::http::Failure;
use crate::model::id::{AccountId, ProjectId};
use crate::plan::op::{ProjectAction, ProjectOp};

/// Members in one request: 2 s of the server's work for those that are added. Its answer shows all members of the group, which
/// takes 4 s more once there are 20,000, however few were changed (contract section 6): so a group of 20,000 is filled in
/// 36 s of work, where requests of 500 would take 96.
const MEMBERS_A_REQUEST: usize = 2_000;

/// Creates, adopts, renames or deletes the project, and gives its id.
pub async fn write(server: Server<'_>, op: &ProjectOp) -> Result<ProjectId, Outcome> {
    match (&op.action, &op.project) {
        (ProjectAction::Create, _) | (_, None) => create(server, op).await,
        (ProjectAction::Adopt, Some(id)) => adopt(server, op, id).await.map(|()| id.clone()),
        (ProjectAction::Rename { .. }, Some(id)) => rename(server, op, id).await.map(|()| id.clone()),
        (ProjectAction::Delete { .. }, Some(id)) => delete(server, op, id).await.map(|()| id.clone()),
        (ProjectAction::Members, Some(id)) => Ok(id.clone()),
    }
}

/// Creates the project with its externalId, of which there can be only one: so a lost answer never makes a second
/// project, and the first is found again by it.
async fn create(server: Server<'_>, op: &ProjectOp) -> Result<ProjectId, Outcome> {
    let send = async || {
        let group = server.learn(Write::Project, server.activepieces.create_group(&op.name, &op.group)).await?;
        Ok((group.id, group.display_name))
    };
    let look = async || {
        let standing = server.activepieces.project_by_external_id(&op.group).await?;
        Ok(standing.map(|project| (project.id, project.display_name)))
    };
    let (id, name) = survive(send, look).await?;
    if name != op.name {
        rename(server, op, &id).await?;
    }
    Ok(id)
}

async fn adopt(server: Server<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    let look = async || {
        let standing = server.activepieces.project_by_external_id(&op.group).await?;
        Ok(standing.filter(|project| project.id == *id))
    };
    let send = async || server.learn(Write::Project, server.activepieces.adopt_project(id, &op.group)).await;
    let project = survive(send, look).await?;
    if project.external_id.as_deref() == Some(op.group.as_str()) {
        return Ok(());
    }
    Err(Outcome::Kept("the server answered well and did not set the externalId".to_owned()))
}

async fn rename(server: Server<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    let look = async || Ok(server.activepieces.group(id).await?.filter(|group| group.display_name == op.name));
    let send = async || server.learn(Write::Project, server.activepieces.rename_group(id, &op.name)).await;
    let group = survive(send, look).await?;
    if group.display_name == op.name {
        return Ok(());
    }
    Err(Outcome::Kept(format!("the server answered well and kept the name {:?}", group.display_name)))
}

/// Deletes the project if it is still that of the group, and holds no more than what was listed with the plan. Whether it is gone is looked after in any case: where the
/// server's own queue stands still, it deletes and never answers (contract section 1.7).
async fn delete(server: Server<'_>, op: &ProjectOp, id: &ProjectId) -> Result<(), Outcome> {
    let standing = server.activepieces.group(id).await.map_err(|failure| failure.to_string())?;
    let Some(standing) = standing else { return Ok(()) };
    if standing.external_id.as_deref() != Some(op.group.as_str()) {
        return Err("the project isn't linked to the group any more".to_owned().into());
    }
    let listed = server.activepieces.project_by_external_id(&op.group).await.map_err(|failure| failure.to_string())?;
    let holds = ProjectAction::Delete { flows: listed.and_then(|project| project.analytics.total_flows) };
    if standing.members.len() > op.members || holds != op.action {
        return Err("there is more or other in the project now than was listed".to_owned().into());
    }
    let look = async || Ok(server.activepieces.group(id).await?.is_none().then_some(()));
    Ok(survive(async || server.learn(Write::Project, server.activepieces.delete_group(id)).await, look).await?)
}

/// Adds those who aren't members. What stands is read first, each time anew: adding a member again would reset the
/// project role that an admin gave (contract section 4).
pub async fn add(server: Server<'_>, id: &ProjectId, wanted: &BTreeSet<AccountId>) -> Result<(), Outcome> {
    let absent = |members: &BTreeSet<AccountId>| wanted.difference(members).cloned().collect();
    change_members(server, id, absent, async |chunk| server.activepieces.add_members(id, chunk).await, "added").await
}

/// Removes those who are members.
pub async fn remove(server: Server<'_>, id: &ProjectId, leaving: &BTreeSet<AccountId>) -> Result<(), Outcome> {
    let still = |members: &BTreeSet<AccountId>| leaving.intersection(members).cloned().collect();
    let send = async |chunk: &[AccountId]| server.activepieces.remove_members(id, chunk).await;
    change_members(server, id, still, send, "removed").await
}

/// Sends what `left` finds still to do, in requests of a bounded size, until a read of the group shows nothing more to
/// do. A server that answers well and does nothing (an inactive member is silently skipped) ends it too.
async fn change_members(
    server: Server<'_>,
    id: &ProjectId,
    left: impl Fn(&BTreeSet<AccountId>) -> Vec<AccountId>,
    send: impl AsyncFn(&[AccountId]) -> Result<ScimGroup, Failure>,
    verb: &str,
) -> Result<(), Outcome> {
    let mut pauses = pauses();
    let mut members = members(server.activepieces, id).await?;
    loop {
        let mut failure = None;
        for chunk in left(&members).chunks(MEMBERS_A_REQUEST) {
            match server.learn(Write::members(chunk.len(), members.len()), send(chunk)).await {
                Ok(group) => members = group.members.into_iter().map(|member| member.value).collect(),
                Err(error) if error.is_lost_answer() || is_conflict(&error) => {
                    failure = Some(error);
                    break;
                }
                Err(error) => return Err(error.to_string().into()),
            }
        }
        let Some(failure) = failure else {
            let skipped = left(&members).len();
            return if skipped == 0 {
                Ok(())
            } else {
                Err(Outcome::Kept(format!("the server answered well, and {skipped} were not {verb}")))
            };
        };
        let Some(pause) = pauses.next() else { return Err(failure.to_string().into()) };
        sleep(pause).await;
        members = self::members(server.activepieces, id).await?;
    }
}

async fn members(activepieces: &Activepieces, id: &ProjectId) -> Result<BTreeSet<AccountId>, String> {
    let group = activepieces.group(id).await.map_err(|failure| failure.to_string())?;
    let group = group.ok_or("the project is gone")?;
    Ok(group.members.into_iter().map(|member| member.value).collect())
}
