//! Deletes invitations that wait. All are listed once before the first is deleted: one that is gone by then is deleted already, and
//! one that gives something else by now is left alone.

use tokio::time::sleep;

use super::adapt::Writer;
use super::report::Outcome;
use super::retry::pauses;
use crate::activepieces::invitations;
use crate::http::Failure;
use crate::model::activepieces::{Grant, Invitation, Invitations};
use crate::plan::op::InvitationOp;

/// The invitations that wait now.
pub async fn look(writer: Writer<'_>) -> Result<Vec<Invitation>, Outcome> {
    match invitations::read(writer.activepieces).await {
        Ok(Invitations::Known(waiting)) => Ok(waiting),
        Ok(Invitations::Off | Invitations::Unread) => {
            Err(Outcome::Failed("the server doesn't list invitations any more".to_owned()))
        }
        Err(error) => {
            Err(Failure::of(&error)
                .map_or_else(|| Outcome::Failed(error.to_string()), |failure| writer.failed(failure)))
        }
    }
}

/// Deletes the invitation if it is as the plan has it.
pub async fn revoke(writer: Writer<'_>, op: &InvitationOp, waiting: &[Invitation]) -> Result<(), Outcome> {
    let Some(now) = waiting.iter().find(|now| now.id == op.id) else { return Ok(()) };
    if now.user_name != op.user_name || !is_same(&now.grant, &op.grant) {
        return Err(Outcome::Stale(format!("changed meanwhile: the invitation is as {} now", now.grant)));
    }
    let mut pauses = pauses();
    loop {
        match writer.send(writer.activepieces.delete_invitation(&op.id)).await {
            Ok(()) => return Ok(()),
            Err(failure) if failure.is_lost_answer() => match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(writer.failed(&failure)),
            },
            Err(failure) => return Err(writer.failed(&failure)),
        }
    }
}

/// Whether both give the same, whatever projects and roles are called.
fn is_same(one: &Grant, other: &Grant) -> bool {
    match (one, other) {
        (Grant::Platform { role: one }, Grant::Platform { role: other }) => one == other,
        (
            Grant::Project { project: one, role_id: one_role, .. },
            Grant::Project { project: other, role_id: other_role, .. },
        ) => (one, one_role) == (other, other_role),
        _ => false,
    }
}
