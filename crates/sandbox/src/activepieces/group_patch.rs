//! PATCH of groups: few operations work, the rest is answered with 200 and does nothing (docs/activepieces.md#patch-of-a-group).

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::errors::Failure;
use super::groups::{GroupResource, Repetition, add_members, replace_members};
use super::platform::Platform;
use super::state::ProjectRow;
use super::transport::Reply;

/// One operation after the other, without a transaction; the answer shows the group as it is then.
pub(super) async fn patch(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let row = platform.state().team(id).ok_or_else(Failure::group_not_found)?;
    for operation in body["Operations"].as_array().into_iter().flatten() {
        let path = operation.get("path").and_then(Value::as_str).filter(|path| !path.is_empty());
        let value = operation.get("value");
        match (operation["op"].as_str().unwrap_or_default(), path) {
            ("add" | "Add", Some("members")) => {
                let ids = member_ids(value)?;
                add_members(platform, row, &ids, Repetition::Adding).await?;
            }
            ("remove" | "Remove", Some(path)) => remove(platform, row, path),
            ("replace" | "Replace", Some("displayName")) => rename(platform, row, value)?,
            ("replace" | "Replace", None) => replace(platform, row, value).await?,
            _ => {}
        }
    }
    let state = platform.state();
    if state.projects[row].deleted {
        return Err(Failure::group_not_found());
    }
    Reply::ok(&GroupResource::stored(&state, row))
}

/// The ids of a list of members. What isn't a list fails in the server's own words (docs/activepieces.md#patch-of-a-group).
fn member_ids(value: Option<&Value>) -> Result<Vec<&str>, Failure> {
    let message = match value {
        Some(Value::Array(members)) => {
            if members.iter().any(Value::is_null) {
                return Err(Failure::http(500, "Cannot read properties of null (reading 'value')"));
            }
            return Ok(members.iter().filter_map(|member| member["value"].as_str()).collect());
        }
        None => "Cannot read properties of undefined (reading 'map')",
        Some(Value::Null) => "Cannot read properties of null (reading 'map')",
        Some(_) => "memberValues.map is not a function",
    };
    Err(Failure::http(500, message))
}

/// Only `members[value eq "ID"]` with one id works.
fn remove(platform: &Platform, row: ProjectRow, path: &str) {
    static PATTERN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)members\[value\s+eq\s+"([^"]+)"\]"#).ok());
    let captures = PATTERN.as_ref().and_then(|pattern| pattern.captures(path));
    let Some(id) = captures.as_ref().and_then(|captures| captures.get(1)) else { return };
    let mut state = platform.state();
    if let Some(user) = state.scim_user(id.as_str()) {
        state.remove_member(row, user);
    }
}

fn rename(platform: &Platform, row: ProjectRow, name: Option<&Value>) -> Result<(), Failure> {
    let mut state = platform.state();
    match name.and_then(Value::as_str) {
        Some(name) if !state.projects[row].deleted => state.update_project(row, Some(name), None),
        _ => Ok(()),
    }
}

/// The form without a path: a name, members, or both. `null` members empty the group.
async fn replace(platform: &Platform, row: ProjectRow, value: Option<&Value>) -> Result<(), Failure> {
    let Some(value) = value else { return Ok(()) };
    rename(platform, row, value.get("displayName"))?;
    match value.get("members") {
        None => Ok(()),
        Some(Value::Null) => replace_members(platform, row, &[], Repetition::Adding).await,
        members => replace_members(platform, row, &member_ids(members)?, Repetition::Adding).await,
    }
}
