//! PATCH of users: few operations work, the rest is answered with 200 and does nothing (docs/activepieces.md#patch-of-a-user).

use serde_json::Value;

use super::errors::Failure;
use super::platform::Platform;
use super::settings::Generation;
use super::state::{Database, UserRow};
use super::transport::Reply;
use super::user_table::UserChange;
use super::users::UserResource;
use super::validate::{CUSTOM_USER_ATTRIBUTES, PLATFORM_ROLES};

/// `replace` takes effect at once, one by one; `add` is collected and applied at the end.
pub(super) fn patch(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = state.scim_user(id).ok_or_else(Failure::user_not_found)?;
    let before = state.identity_of(row);
    let before = [&before.first_name, &before.last_name].map(ToString::to_string);
    let mut additions = Additions::default();
    for operation in body["Operations"].as_array().into_iter().flatten() {
        let path = operation.get("path").and_then(Value::as_str).filter(|path| !path.is_empty());
        let value = operation.get("value");
        match operation["op"].as_str().unwrap_or_default() {
            "replace" | "Replace" => replace(&mut state, row, path, value)?,
            "add" | "Add" if state.settings.generation != Generation::A => {
                additions.collect(path, value)?;
            }
            _ => {}
        }
    }
    additions.apply(&mut state, row)?;
    let reply = Reply::ok(&UserResource(&state, row));
    if state.settings.names_kept_elsewhere {
        let [first_name, last_name] = &before;
        state.rename(row, Some(first_name), Some(last_name));
    }
    reply
}

fn replace(state: &mut Database, row: UserRow, path: Option<&str>, value: Option<&Value>) -> Result<(), Failure> {
    let mut change = UserChange::default();
    match path {
        Some("active") => change.active = Some(is_truthy(value)),
        None => {
            let part = |name: &str| value.and_then(|value| value.get(name)).filter(|part| !part.is_null());
            change.active = part("active").map(|active| is_truthy(Some(active)));
            if let Some(external_id) = part("externalId").map(text) {
                // Two updates, so that the first one stays when the second one fails.
                state.update_user(row, change)?;
                change = UserChange { external_id: Some(external_id), ..UserChange::default() };
            }
        }
        Some(_) => {}
    }
    // `lastModified` moves with every value, also with one that has no effect.
    if value.is_some() || change.active.is_some() {
        state.update_user(row, change)?;
    }
    Ok(())
}

/// JavaScript's truthiness: `"False"` and `"0"` are true (docs/activepieces.md#patch-of-a-user).
fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// A value as a text column stores it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What the `add` operations of a request ask for, together.
#[derive(Default)]
struct Additions {
    any: bool,
    change: UserChange,
    /// A role of `null`, which the column refuses.
    null_role: bool,
    first_name: Option<Value>,
    last_name: Option<Value>,
}

impl Additions {
    fn collect(&mut self, path: Option<&str>, value: Option<&Value>) -> Result<(), Failure> {
        self.any = true;
        let (Some(path), Some(value)) = (path, value) else { return Ok(()) };
        match path {
            "active" => self.change.active = Some(is_truthy(Some(value))),
            "externalId" if !value.is_null() => self.change.external_id = Some(text(value)),
            "name.givenName" => self.first_name = Some(value.clone()),
            "name.familyName" => self.last_name = Some(value.clone()),
            _ => match path.strip_prefix(CUSTOM_USER_ATTRIBUTES) {
                Some(":platformRole") => {
                    self.null_role = value.is_null();
                    self.change.platform_role = Some(text(value));
                }
                Some(".platformRole") => refuse_unknown_role(value)?,
                _ => {}
            },
        }
        Ok(())
    }

    fn apply(self, state: &mut Database, row: UserRow) -> Result<(), Failure> {
        if !self.any {
            return Ok(());
        }
        if self.null_role {
            return Err(Failure::null_violation("platformRole", "user"));
        }
        state.update_user(row, self.change)?;
        for (column, name) in [("firstName", &self.first_name), ("lastName", &self.last_name)] {
            if name.as_ref().is_some_and(Value::is_null) {
                return Err(Failure::null_violation(column, "user_identity"));
            }
        }
        state.rename(row, self.first_name.as_ref().map(text).as_deref(), self.last_name.as_ref().map(text).as_deref());
        Ok(())
    }
}

/// The spelling with a dot is checked and then not used; the one with a colon is the other way round.
fn refuse_unknown_role(value: &Value) -> Result<(), Failure> {
    let role = text(value);
    if PLATFORM_ROLES.contains(&role.as_str()) {
        return Ok(());
    }
    Err(Failure::http(500, format!("Invalid platform role: {role}")))
}
