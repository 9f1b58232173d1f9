//! The steps that replace an account besides the new account itself: the link of the old one is moved, memberships are copied, and
//! the old one is closed. Each looks first, and is done where the platform already has it.

use tokio::time::sleep;

use super::adapt::{Write, Writer};
use super::report::Outcome;
use super::retry::{is_conflict, pauses};
use super::{roles, user};
use crate::model::id::AccountId;
use crate::plan::op::{Copied, UserOp};

/// Moves the externalId of each account that is left to another value, so that the new account can have it.
pub async fn move_links(writer: Writer<'_>, op: &UserOp) -> Result<(), Outcome> {
    for moving in op.replaces.iter().filter_map(|left| left.moving(&op.okta_id)) {
        user::write(writer, &moving).await?;
    }
    Ok(())
}

/// Closes the accounts that are left.
pub async fn close(writer: Writer<'_>, op: &UserOp) -> Result<(), Outcome> {
    for closing in op.replaces.iter().filter_map(|left| left.closing(&op.okta_id)) {
        user::write(writer, &closing).await?;
    }
    Ok(())
}

/// Adds the new account to the projects of the old one, with the project roles that it had there. A project that is gone has no
/// members any more.
pub async fn copy(writer: Writer<'_>, op: &UserOp, account: &AccountId) -> Result<(), Outcome> {
    let mut kept = Vec::new();
    for copied in op.replaces.iter().flat_map(|left| &left.copies) {
        match join(writer, copied, account).await? {
            Joined::Yes => give(writer, op, copied, account, &mut kept).await?,
            Joined::Gone => {}
            Joined::PassedOver => kept.push(format!("{}: the server returned 200 but didn't add it", copied.name)),
        }
    }
    if kept.is_empty() { Ok(()) } else { Err(Outcome::Kept(kept.join("; "))) }
}

async fn give(
    writer: Writer<'_>,
    op: &UserOp,
    copied: &Copied,
    account: &AccountId,
    kept: &mut Vec<String>,
) -> Result<(), Outcome> {
    let Some(to) = copied.role.as_deref() else { return Ok(()) };
    let given = roles::Given { account: account.clone(), user_name: &op.user_name, from: None, to };
    match Box::pin(roles::give(writer, &copied.project, &[given])).await {
        Err(Outcome::Kept(why) | Outcome::Stale(why)) => {
            kept.push(format!("{}: {why}", copied.name));
            Ok(())
        }
        other => other,
    }
}

/// How an account came into a project.
enum Joined {
    Yes,
    /// The server skipped it.
    PassedOver,
    /// The project isn't there any more, or the account isn't in it for Okta's reasons.
    Gone,
}

/// Adds the account unless it is a member: adding it again would reset its project role (docs/activepieces.md#groups).
async fn join(writer: Writer<'_>, copied: &Copied, account: &AccountId) -> Result<Joined, Outcome> {
    let mut pauses = pauses();
    loop {
        let group = writer.see(writer.activepieces.group(&copied.project)).await?;
        let Some(group) = group else { return Ok(Joined::Gone) };
        if group.members.iter().any(|member| member.value == *account) {
            return Ok(Joined::Yes);
        }
        if !copied.joins {
            return Ok(Joined::Gone);
        }
        let add = writer.activepieces.add_members(&copied.project, std::slice::from_ref(account));
        match writer.learn(Write::members(1, group.members.len()), add).await {
            Ok(group) if group.members.iter().any(|member| member.value == *account) => return Ok(Joined::Yes),
            Ok(_) => return Ok(Joined::PassedOver),
            Err(failure) if failure.is_lost_answer() || is_conflict(&failure) => {
                let Some(pause) = pauses.next() else { return Err(writer.failed(&failure)) };
                sleep(pause).await;
            }
            Err(failure) => return Err(writer.failed(&failure)),
        }
    }
}
