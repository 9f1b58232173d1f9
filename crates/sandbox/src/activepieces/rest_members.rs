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

pub(super) fn role_json(state: &Database, row: RoleRow) -> Value {
    let role = &state.roles[row];
    json!({
        "id": role.id,
        "created": role.created,
        "updated": role.updated,
        "name": role.name,
        "permissions": role.permissions,
        "platformId": role.custom.then_some(state.platform_id),
        "type": if role.custom { "CUSTOM" } else { "DEFAULT" },
    })
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

fn role_by_id(state: &Database, id: &str) -> Result<RoleRow, Failure> {
    let role = state.roles.iter().position(|role| !role.deleted && role.id.as_str() == id);
    role.ok_or_else(|| Failure::entity_not_found("project_role", id))
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
    let roles = counts.into_iter().enumerate().filter(|&(row, _)| !state.roles[row].deleted).map(|(row, count)| {
        let mut role = role_json(&state, row);
        role["userCount"] = json!(count);
        role
    });
    Reply::ok(&RestPage::whole(roles.collect()))
}

/// The members of all projects who have a role.
pub(super) fn list_of_role(platform: &Platform, id: &str, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let role = role_by_id(&state, id)?;
    let members = state.teams.values().flat_map(|&project| {
        let members = state.projects[project].members.iter();
        members.filter(|(_, member)| member.role == role).map(move |(&user, _)| (project, user))
    });
    page(&state, members.collect(), query)
}

fn permissions(body: &Value) -> Option<Vec<String>> {
    let names = body["permissions"].as_array()?.iter();
    Some(names.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A custom role. A name that is taken in any case is a 404 (docs/activepieces.md#project-roles).
pub(super) fn create_role(platform: &Platform, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    if !state.settings.custom_roles_enabled {
        return Err(Failure::feature_disabled());
    }
    let name = body["name"].as_str().unwrap_or_default();
    if state.role_by_name(name).is_some() {
        return Err(Failure::product_message(404, "ENTITY_NOT_FOUND", "Project Role name already exists"));
    }
    let role = state.add_role(name, true, permissions(body).unwrap_or_default());
    Reply::created(&role_json(&state, role))
}

/// Changes name and permissions of a custom role.
pub(super) fn update_role(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let role = custom(&state, role_by_id(&state, id)?, id)?;
    let updated = state.now();
    let row = &mut state.roles[role];
    row.updated = updated;
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut row.name);
    }
    if let Some(permissions) = permissions(body) {
        row.permissions = permissions;
    }
    Reply::ok(&role_json(&state, role))
}

/// Deletes a custom role by its name, with all memberships that have it.
pub(super) fn delete_role(platform: &Platform, name: &str) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let role = custom(&state, known_role(&state, name)?, name)?;
    let answer = Reply::ok(&role_json(&state, role));
    state.delete_role(role);
    answer
}

/// A default role belongs to no platform, so that none can change it.
fn custom(state: &Database, role: RoleRow, asked: &str) -> Result<RoleRow, Failure> {
    if state.roles[role].custom { Ok(role) } else { Err(Failure::entity_not_found("project_role", asked)) }
}
