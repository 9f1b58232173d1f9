//! The REST route of the platform, which shows what its plan allows.

use serde_json::json;

use super::errors::Failure;
use super::platform::Platform;
use super::settings::TeamProjectsLimit;
use super::transport::Reply;

/// The flags that can be switched here are as they are set, the others are on.
pub(super) fn get(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let state = platform.state();
    if state.platform_id.as_str() != id {
        return Err(Failure::entity_not_found("platform", id));
    }
    let team_projects_limit = match state.settings.team_projects_limit {
        TeamProjectsLimit::None => "NONE",
        TeamProjectsLimit::One => "ONE",
        TeamProjectsLimit::Unlimited => "UNLIMITED",
    };
    Reply::ok(&json!({
        "id": state.platform_id,
        "ownerId": state.users[state.owner].id,
        "name": "Platform",
        "plan": {
            "scimEnabled": state.settings.scim_enabled,
            "projectRolesEnabled": state.settings.project_roles_enabled,
            "customRolesEnabled": state.settings.custom_roles_enabled,
            "apiKeysEnabled": true,
            "auditLogEnabled": true,
            "teamProjectsLimit": team_projects_limit,
        },
    }))
}
