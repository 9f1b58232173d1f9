//! The REST routes of project members and project roles (docs/activepieces.md#rest).

use serde_json::{Value, json};

use super::errors::Failure;
use super::paging::{self, RestPage};
use super::platform::Platform;
use super::query::Query;
use super::rest_projects::{known, project_json};
use super::rest_users::user_json;
use super::state::{Database, Id, Member, ProjectRow, RoleRow, UserRow};
use super::transport::Reply;

const DEFAULT_LIMIT: usize = 10;

/// A member's place: project and user.
type Place = (ProjectRow, UserRow);

fn member(state: &Database, (project, user): Place) -> &Member {
    &state.projects[project].members[&user]
}

/// The bare row of a member.
fn row_json(state: &Database, place: Place) -> Value {
    let member = member(state, place);
    json!({
        "id": member.id,
        "created": member.created,
        "updated": member.updated,
        "platformId": state.platform_id,
        "projectId": state.projects[place.0].id,
        "userId": state.users[place.1].id,
        "projectRoleId": state.roles[member.role].id,
    })
}

/// A member with user, role and project, as the listings answer it.
fn member_json(state: &Database, place: Place) -> Value {
    let mut item = row_json(state, place);
    let project = project_json(state, place.0);
    item["user"] = user_json(state, place.1);
    item["projectRole"] = role_json(state, member(state, place).role);
    item["project"] = json!({"id": project["id"], "displayName": project["displayName"], "type": project["type"]});
    item
}

fn role_json(state: &Database, row: RoleRow) -> Value {
    let role = &state.roles[row];
    json!({
        "id": role.id,
        "created": role.created,
        "updated": role.created,
        "name": role.name,
        "permissions": permissions(&role.name),
        "platformId": role.custom.then_some(state.platform_id),
        "type": if role.custom { "CUSTOM" } else { "DEFAULT" },
    })
}

fn permissions(role: &str) -> Vec<&'static str> {
    let read = ["READ_FLOW", "READ_RUN", "READ_FOLDER", "READ_APP_CONNECTION", "READ_PROJECT_MEMBER"];
    let write = ["WRITE_FLOW", "UPDATE_FLOW_STATUS", "WRITE_RUN", "WRITE_FOLDER", "WRITE_APP_CONNECTION"];
    let admin = ["WRITE_PROJECT_MEMBER", "WRITE_INVITATION", "WRITE_PROJECT", "WRITE_PROJECT_RELEASE"];
    let (write_count, admin_count) = match role {
        "Admin" => (write.len(), admin.len()),
        "Editor" => (write.len(), 0),
        _ => (0, 0),
    };
    read.into_iter().chain(write.into_iter().take(write_count)).chain(admin.into_iter().take(admin_count)).collect()
}

/// Oldest first, in pages that lose rows.
fn page(state: &Database, mut places: Vec<Place>, query: &Query) -> Result<Reply, Failure> {
    places.sort_by_key(|&place| member(state, place).created);
    let page = paging::page(query, DEFAULT_LIMIT, &places, |&place| member(state, place).created.second())?;
    Reply::ok(&page.map(|place| member_json(state, place)))
}

pub(super) fn list(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let project = known(&state, query.text("projectId").unwrap_or_default())?;
    let role = query.text("projectRoleId");
    let members = state.projects[project].members.iter();
    let places = members
        .filter(|(_, member)| role.is_none_or(|role| state.roles[member.role].id.as_str() == role))
        .map(|(&user, _)| (project, user))
        .collect();
    page(&state, places, query)
}

/// The caller's role in a project: for sessions alone.
pub(super) fn own_role(platform: &Platform) -> Result<Reply, Failure> {
    Reply::ok(&role_json(&platform.state(), 0))
}

fn known_member(state: &Database, id: &str) -> Result<Place, Failure> {
    let place = Id::parse(id).and_then(|id| state.member_by_id.get(&id).copied());
    place.ok_or_else(|| Failure::entity_not_found("project_member", id))
}

/// The role with this name in any case, a default or a custom one.
pub(super) fn known_role(state: &Database, name: &str) -> Result<RoleRow, Failure> {
    state.role_by_name(name).ok_or_else(|| Failure::entity_not_found("project_role", name))
}

/// Sets a member's role by its name.
pub(super) fn update(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let place = known_member(&state, id)?;
    let role = known_role(&state, body["role"].as_str().unwrap_or_default())?;
    state.upsert_member(place.0, place.1, role);
    Reply::ok(&row_json(&state, place))
}

pub(super) fn delete(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let (project, user) = known_member(&state, id)?;
    state.remove_member(project, user);
    Ok(Reply::NoContent)
}

/// All roles, with the number of members who have each.
pub(super) fn list_roles(platform: &Platform) -> Result<Reply, Failure> {
    let state = platform.state();
    let mut counts = vec![0_usize; state.roles.len()];
    for &project in state.teams.values() {
        for member in state.projects[project].members.values() {
            counts[member.role] += 1;
        }
    }
    let roles = counts.into_iter().enumerate().map(|(row, count)| {
        let mut role = role_json(&state, row);
        role["userCount"] = json!(count);
        role
    });
    Reply::ok(&RestPage::whole(roles.collect()))
}

/// The members of all projects who have a role.
pub(super) fn list_of_role(platform: &Platform, id: &str, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let role = state.roles.iter().position(|role| role.id.as_str() == id);
    let role = role.ok_or_else(|| Failure::entity_not_found("project_role", id))?;
    let members = state.teams.values().flat_map(|&project| {
        let members = state.projects[project].members.iter();
        members.filter(|(_, member)| member.role == role).map(move |(&user, _)| (project, user))
    });
    page(&state, members.collect(), query)
}
