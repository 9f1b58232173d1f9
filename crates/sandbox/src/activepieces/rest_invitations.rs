//! The REST route of invitations, which are accepted at once when an API key sends them (docs/activepieces.md#rest).

use serde_json::{Value, json};

use super::errors::Failure;
use super::platform::Platform;
use super::rest_members::known_role;
use super::rest_projects::known;
use super::settings::Smtp;
use super::state::Database;
use super::transport::Reply;
use super::user_table::{UserChange, normal_email};

/// An existing user gets the role at once; for an unknown address nothing but the invitation itself is answered.
pub(super) fn create(platform: &Platform, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let email = normal_email(body["email"].as_str().unwrap_or_default());
    let mut invitation = json!({"email": email, "type": body["type"], "status": "ACCEPTED"});
    if body["type"] == "PROJECT" {
        join_project(&mut state, &email, body, &mut invitation)?;
    } else {
        let role = body["platformRole"].as_str().unwrap_or_default();
        if let Some(user) = state.user_by_email(&email) {
            state.update_user(user, UserChange { platform_role: Some(role.to_owned()), ..UserChange::default() })?;
        }
        invitation["platformRole"] = json!(role);
    }
    if state.settings.smtp == Smtp::Failing {
        return Err(Failure::coded(500, "ESOCKET", "connect ECONNREFUSED 127.0.0.1:587"));
    }
    let now = state.now();
    invitation["id"] = json!(state.next_id());
    invitation["platformId"] = json!(state.platform_id);
    invitation["created"] = json!(now);
    invitation["updated"] = json!(now);
    Reply::created(&invitation)
}

/// The only way to add a member with a chosen role.
fn join_project(state: &mut Database, email: &str, body: &Value, invitation: &mut Value) -> Result<(), Failure> {
    let project = known(state, body["projectId"].as_str().unwrap_or_default())?;
    let role = known_role(state, body["projectRole"].as_str().unwrap_or_default())?;
    if let Some(user) = state.user_by_email(email) {
        state.upsert_member(project, user, role);
    }
    invitation["projectId"] = json!(state.projects[project].id);
    invitation["projectRoleId"] = json!(state.roles[role].id);
    Ok(())
}
