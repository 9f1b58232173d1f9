//! The REST routes of invitations, which are accepted at once when an API key makes them (docs/activepieces.md#invitations).

use std::sync::Arc;

use serde_json::{Value, json};

use super::errors::Failure;
use super::paging;
use super::platform::Platform;
use super::query::Query;
use super::rest_members::known_role;
use super::rest_projects::known;
use super::state::{Database, Grant, Id, Invitation};
use super::transport::Reply;
use super::user_table::{UserChange, normal_email};

const DEFAULT_LIMIT: usize = 10;

impl Database {
    /// Keeps an invitation as a row. One of the same address to the same place is replaced.
    pub fn insert_invitation(&mut self, email: &str, grant: Grant) -> Id {
        let (id, created, email) = (self.next_id(), self.now(), Arc::from(email));
        self.invitations.retain(|row| row.email != email || !same_place(&row.grant, &grant));
        self.invitations.push(Invitation { id, email, grant, created });
        id
    }

    /// Gives an account what all invitations of its address promise, the oldest first, and deletes their rows. Without
    /// an account they wait.
    pub fn use_invitations(&mut self, email: &str) -> Result<(), Failure> {
        let Some(user) = self.user_by_email(email) else { return Ok(()) };
        let accepted: Vec<Invitation> = self.invitations.extract_if(.., |row| *row.email == *email).collect();
        for row in accepted {
            match row.grant {
                Grant::Platform { role } => {
                    self.update_user(user, UserChange { platform_role: Some(role), ..UserChange::default() })?;
                }
                Grant::Project { project, role } => {
                    self.upsert_member(project, user, role);
                }
            }
        }
        Ok(())
    }
}

fn same_place(a: &Grant, b: &Grant) -> bool {
    match (a, b) {
        (Grant::Platform { .. }, Grant::Platform { .. }) => true,
        (Grant::Project { project: a, .. }, Grant::Project { project: b, .. }) => a == b,
        _ => false,
    }
}

fn invitation_json(state: &Database, row: &Invitation) -> Value {
    let mut item = json!({
        "id": row.id,
        "created": row.created,
        "updated": row.created,
        "platformId": state.platform_id,
        "email": *row.email,
        "status": "ACCEPTED",
    });
    match &row.grant {
        Grant::Platform { role } => {
            item["type"] = json!("PLATFORM");
            item["platformRole"] = json!(role);
        }
        Grant::Project { project, role } => {
            item["type"] = json!("PROJECT");
            item["projectId"] = json!(state.projects[*project].id);
            item["projectRoleId"] = json!(state.roles[*role].id);
        }
    }
    item
}

/// An account gets the role at once, and with it what other invitations of its address promised.
pub(super) fn create(platform: &Platform, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let email = normal_email(body["email"].as_str().unwrap_or_default());
    let grant = grant(&state, body)?;
    state.insert_invitation(&email, grant);
    let answer = state.invitations.last().map(|row| invitation_json(&state, row)).unwrap_or_default();
    state.use_invitations(&email)?;
    state.send_mail(email.into())?;
    Reply::created(&answer)
}

fn grant(state: &Database, body: &Value) -> Result<Grant, Failure> {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    if body["type"] != "PROJECT" {
        return Ok(Grant::Platform { role: text("platformRole").to_owned() });
    }
    if !state.settings.project_roles_enabled {
        return Err(Failure::feature_disabled());
    }
    let project = known(state, text("projectId"))?;
    if !state.projects[project].team {
        return Err(Failure::product_message(409, "VALIDATION", "Project must be a team project"));
    }
    Ok(Grant::Project { project, role: known_role(state, text("projectRole"))? })
}

/// The waiting invitations of one type, the oldest first.
pub(super) fn list(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let is_project = query.text("type") == Some("PROJECT");
    let rows: Vec<&Invitation> =
        state.invitations.iter().filter(|row| matches!(row.grant, Grant::Project { .. }) == is_project).collect();
    let page = paging::page(query, DEFAULT_LIMIT, &rows, |row| row.created.second())?;
    Reply::ok(&page.map(|row| invitation_json(&state, row)))
}

pub(super) fn delete(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = state.invitations.iter().position(|row| row.id.as_str() == id);
    let row = row.ok_or_else(|| Failure::entity_not_found("user_invitation", id))?;
    state.invitations.remove(row);
    Ok(Reply::NoContent)
}
