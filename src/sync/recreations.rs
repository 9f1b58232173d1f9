//! What a plan tells of accounts that are replaced: the project roles to copy, and what stays behind. The platform is asked only if
//! the plan replaces any. A route that fails leaves its part unknown.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};

use crate::activepieces::{Activepieces, LOOKUPS_AT_ONCE};
use crate::model::activepieces::Contents;
use crate::model::id::{AccountId, ProjectId};
use crate::plan::Plan;
use crate::plan::op::{Copied, UserAction};

/// The project roles of the members of projects.
type Roles = BTreeMap<ProjectId, BTreeMap<AccountId, String>>;

/// Completes the operations that replace accounts.
pub async fn look(activepieces: &Activepieces, plan: &mut Plan) {
    let (roles, mut personal) =
        futures_util::future::join(roles(activepieces, plan), personal(activepieces, plan)).await;
    for op in plan.users.iter_mut().filter(|op| op.action == UserAction::Recreate) {
        for left in &mut op.replaces {
            left.personal = personal.remove(&left.account).unwrap_or_default();
            left.copies.retain_mut(|copied| complete(copied, &left.account, op.account.as_ref(), &roles));
        }
    }
}

/// Notes the project role to copy; whether there is anything to copy.
fn complete(copied: &mut Copied, old: &AccountId, new: Option<&AccountId>, roles: &Roles) -> bool {
    let of_project = roles.get(&copied.project);
    let role_of = |account: &AccountId| of_project.and_then(|roles| roles.get(account));
    copied.role = role_of(old).cloned();
    copied.joins || (copied.role.is_some() && new.and_then(role_of) != copied.role.as_ref())
}

/// What the personal projects of the accounts hold that users leave.
async fn personal(activepieces: &Activepieces, plan: &Plan) -> BTreeMap<AccountId, Contents> {
    let recreated = plan.users.iter().filter(|op| op.action == UserAction::Recreate);
    let reads = recreated
        .flat_map(|op| &op.replaces)
        .map(async |left| (left.account.clone(), activepieces.personal_contents(&left.account, &left.link).await));
    stream::iter(reads).buffer_unordered(LOOKUPS_AT_ONCE).collect().await
}

async fn roles(activepieces: &Activepieces, plan: &Plan) -> Roles {
    let copies = plan.users.iter().flat_map(|op| &op.replaces).flat_map(|left| &left.copies);
    let projects: BTreeSet<&ProjectId> = copies.map(|copied| &copied.project).collect();
    let reads = projects.into_iter().map(async |project| {
        let members = activepieces.project_members(project).await;
        let members = members.inspect_err(|failure| tracing::debug!(%failure, "the project roles aren't known"));
        let members = members.ok().flatten().unwrap_or_default();
        (project.clone(), members.into_iter().map(|member| (member.user_id, member.role)).collect())
    });
    stream::iter(reads).buffer_unordered(LOOKUPS_AT_ONCE).collect().await
}
