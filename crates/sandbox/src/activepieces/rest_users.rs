//! The REST routes of users (docs/activepieces.md#rest).

use serde_json::{Value, json};

use super::errors::Failure;
use super::paging;
use super::platform::Platform;
use super::query::Query;
use super::settings::Generation;
use super::state::{Database, UserRow};
use super::transport::Reply;
use super::user_table::UserChange;

const DEFAULT_LIMIT: usize = 10;

/// A user as the REST routes answer it, whatever the generation: with the role.
pub(super) fn user_json(state: &Database, row: UserRow) -> Value {
    let (user, identity) = (&state.users[row], state.identity_of(row));
    json!({
        "id": user.id,
        "created": user.created,
        "updated": user.updated,
        "email": *identity.email,
        "firstName": *identity.first_name,
        "lastName": *identity.last_name,
        "status": user.status(),
        "externalId": user.external_id.as_deref(),
        "platformId": state.platform_id,
        "platformRole": user.platform_role,
        "lastActiveDate": null,
        "imageUrl": null,
    })
}

/// Newest first, in pages that lose rows.
pub(super) fn list(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let rows: Vec<UserRow> = match query.text("externalId") {
        Some(external_id) => state.user_by_external_id.get(external_id).copied().into_iter().collect(),
        None => state.users_newest_first().map(|(row, _)| row).collect(),
    };
    let page = paging::page(query, DEFAULT_LIMIT, &rows, |&row| -state.users[row].created.second())?;
    Reply::ok(&page.map(|row| user_json(&state, row)))
}

fn known(state: &Database, id: &str) -> Result<UserRow, Failure> {
    state.user(id).ok_or_else(|| Failure::entity_not_found("user", id))
}

pub(super) fn get(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let state = platform.state();
    let row = known(&state, id)?;
    let mut user = user_json(&state, row);
    user["badges"] = json!([]);
    Reply::ok(&user)
}

/// Role, status and external id: names and address can't be changed.
pub(super) fn update(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = known(&state, id)?;
    let text = |name: &str| body[name].as_str();
    let change = UserChange {
        active: text("status").map(|status| status == "ACTIVE"),
        external_id: text("externalId").map(str::to_owned),
        platform_role: text("platformRole").map(str::to_owned),
    };
    state.update_user(row, change)?;
    Reply::ok(&user_json(&state, row))
}

/// A hard delete. Before the newest generation it also accepts an unknown id. The first call deletes only the personal
/// project and fails, the second one succeeds. On a real server this happens often, here always.
pub(super) fn delete(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = match known(&state, id) {
        Err(_) if state.settings.generation != Generation::HidesEmbedded => return Ok(Reply::NoContent),
        found => found?,
    };
    if row == state.owner {
        return Err(Failure::product_message(409, "VALIDATION", "Platform owner cannot be deleted"));
    }
    if let Some(project) = state.users[row].personal_project {
        state.delete_project(project);
        let message = "update or delete on table \"user\" violates foreign key constraint \"fk_project_owner_id\" on \
                       table \"project\"";
        return Err(Failure::coded(500, "23503", message));
    }
    state.delete_user(row);
    Ok(Reply::NoContent)
}
