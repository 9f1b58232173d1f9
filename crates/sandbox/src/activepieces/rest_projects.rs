//! The REST routes of projects (docs/activepieces.md#rest).

use serde_json::{Value, json};

use super::errors::Failure;
use super::paging;
use super::platform::Platform;
use super::query::Query;
use super::settings::TeamProjectsLimit;
use super::state::{Database, Project, ProjectRow, UserRow};
use super::transport::Reply;

const DEFAULT_LIMIT: usize = 50;

/// A project as the REST routes answer it.
pub(super) fn project_json(state: &Database, row: ProjectRow) -> Value {
    let project = &state.projects[row];
    let active = project.members.keys().filter(|&&user| state.users[user].active).count();
    json!({
        "id": project.id,
        "created": project.created,
        "updated": project.updated,
        "displayName": *project.display_name,
        "externalId": project.external_id.as_deref(),
        "type": project.kind(),
        "ownerId": state.users[project.owner].id,
        "platformId": state.platform_id,
        "metadata": project.metadata,
        "icon": project.icon.as_deref().cloned().unwrap_or_else(|| json!({"color": "BLUE"})),
        "plan": {"name": "platform", "projectId": project.id, "piecesFilterType": "NONE", "pieces": []},
        "analytics": {
            "totalUsers": project.members.len(),
            "activeUsers": active,
            "totalFlows": project.contents.flows,
            "activeFlows": 0,
        },
    })
}

impl Project {
    fn kind(&self) -> &'static str {
        if self.team { "TEAM" } else { "PERSONAL" }
    }
}

/// Personal projects too; the pages are right.
pub(super) fn list(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let candidates: Box<dyn Iterator<Item = ProjectRow>> = match query.text("externalId") {
        Some(external_id) => Box::new(state.project_by_external_id.get(external_id).copied().into_iter()),
        None => Box::new(0..state.projects.len()),
    };
    let name = query.text("displayName").map(str::to_lowercase);
    let user = query.text("externalUserId").map(|id| state.user_by_external_id.get(id).copied());
    let rows: Vec<ProjectRow> = candidates
        .filter(|&row| {
            let project = &state.projects[row];
            !project.deleted
                && name.as_ref().is_none_or(|name| project.display_name.to_lowercase().contains(name))
                && (query.text("types").is_none() || query.all("types").any(|kind| kind == project.kind()))
                && user.is_none_or(|user| user.is_some_and(|user| reaches(&state, user, row)))
        })
        .collect();
    let page = paging::page(query, DEFAULT_LIMIT, &rows, |&row| i64::try_from(row).unwrap_or(i64::MAX))?;
    Reply::ok(&page.map(|row| project_json(&state, row)))
}

/// An ADMIN and an OPERATOR reach all projects (docs/activepieces.md#changed-addresses).
fn reaches(state: &Database, user: UserRow, row: ProjectRow) -> bool {
    let project = &state.projects[row];
    state.users[user].platform_role != "MEMBER" || project.owner == user || project.members.contains_key(&user)
}

/// The project with this id, or the REST routes' 404.
pub(super) fn known(state: &Database, id: &str) -> Result<ProjectRow, Failure> {
    state.project(id).ok_or_else(|| Failure::entity_not_found("project", id))
}

pub(super) fn get(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let state = platform.state();
    let row = known(&state, id)?;
    Reply::ok(&project_json(&state, row))
}

/// A TEAM project, within the plan's limit.
pub(super) fn create(platform: &Platform, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    match state.settings.team_projects_limit {
        TeamProjectsLimit::None => {
            let message = "Team projects are not available on your current plan";
            return Err(Failure::product_message(409, "VALIDATION", message));
        }
        TeamProjectsLimit::One if !state.teams.is_empty() => {
            let message = "Maximum limit of 1 team project reached. Upgrade your plan to add more team projects.";
            return Err(Failure::product_message(402, "FEATURE_DISABLED", message));
        }
        TeamProjectsLimit::One | TeamProjectsLimit::Unlimited => {}
    }
    let row = state.create_team(body["displayName"].as_str().unwrap_or_default(), body["externalId"].as_str())?;
    state.projects[row].metadata = body.get("metadata").cloned().map(Box::new);
    Reply::created(&project_json(&state, row))
}

/// Name, external id, metadata and icon; no member is touched.
pub(super) fn update(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = known(&state, id)?;
    state.update_project(row, body["displayName"].as_str(), body["externalId"].as_str())?;
    let project = &mut state.projects[row];
    if let Some(metadata) = body.get("metadata") {
        project.metadata = Some(Box::new(metadata.clone()));
    }
    if let Some(icon) = body.get("icon") {
        project.icon = Some(Box::new(icon.clone()));
    }
    Reply::ok(&project_json(&state, row))
}

pub(super) fn delete(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = known(&state, id)?;
    if !state.projects[row].team {
        return Err(Failure::product_message(409, "VALIDATION", "Personal projects cannot be deleted"));
    }
    state.delete_project(row);
    Ok(Reply::NoContent)
}
