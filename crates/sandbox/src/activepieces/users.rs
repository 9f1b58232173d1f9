//! SCIM's user routes but PATCH (docs/activepieces.md#users).

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::errors::Failure;
use super::list_response::{DEFAULT_COUNT, ListResponse, Page, user_name_filter};
use super::platform::Platform;
use super::query::{Limit, Query};
use super::settings::{Generation, Smtp};
use super::state::{Database, UserRow};
use super::transport::Reply;
use super::user_table::{UserChange, normal_email};
use super::validate::CUSTOM_USER_ATTRIBUTES;

/// A user as all SCIM routes answer it.
pub(super) struct UserResource<'a>(pub &'a Database, pub UserRow);

impl Serialize for UserResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(state, row) = self;
        let (user, identity) = (&state.users[*row], state.identity_of(*row));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &["urn:ietf:params:scim:schemas:core:2.0:User"])?;
        map.serialize_entry("id", &user.id)?;
        if let Some(external_id) = user.external_id.as_deref() {
            map.serialize_entry("externalId", external_id)?;
        }
        map.serialize_entry("userName", &*identity.email)?;
        map.serialize_entry("name", &Name { given_name: &identity.first_name, family_name: &identity.last_name })?;
        map.serialize_entry("emails", &[Email { value: &identity.email, primary: true }])?;
        map.serialize_entry("active", &user.active)?;
        if state.settings.generation != Generation::A {
            map.serialize_entry(CUSTOM_USER_ATTRIBUTES, &Custom { platform_role: &user.platform_role })?;
        }
        map.serialize_entry("meta", &Meta::new("User", user.created, user.updated, user.id.as_str()))?;
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Name<'a> {
    given_name: &'a str,
    family_name: &'a str,
}

#[derive(Serialize)]
struct Email<'a> {
    value: &'a str,
    primary: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Custom<'a> {
    platform_role: &'a str,
}

/// `meta` of users and groups. The location is relative and lacks `/api/v1` (docs/activepieces.md#response-headers).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    resource_type: &'static str,
    created: super::state::Time,
    last_modified: super::state::Time,
    location: String,
}

impl Meta {
    pub fn new(
        resource_type: &'static str,
        created: super::state::Time,
        last_modified: super::state::Time,
        id: &str,
    ) -> Self {
        Self { resource_type, created, last_modified, location: format!("/scim/v2/{resource_type}s/{id}") }
    }
}

/// Users that are written one by one.
struct UserResources<'a>(&'a Database, &'a [UserRow]);

impl Serialize for UserResources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|&row| UserResource(self.0, row)))
    }
}

/// The newest users: `startIndex` is only echoed, and `totalResults` is the number of items (docs/activepieces.md#listing-users).
pub(super) fn list(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let page = Page::of(query);
    let rows: Vec<UserRow> = if let Some(email) = user_name_filter(query) {
        state.user_by_email(&email).into_iter().filter(|&row| !state.is_hidden(row)).collect()
    } else {
        let limit = Limit::of(page.count, DEFAULT_COUNT, DEFAULT_COUNT);
        if limit == Limit::Negative {
            return Err(Failure::negative_limit());
        }
        let shown = state.users_newest_first().map(|(row, _)| row).filter(|&row| !state.is_hidden(row));
        shown.take(limit.rows()).collect()
    };
    Reply::ok(&ListResponse::new(page, rows.len(), UserResources(&state, &rows)))
}

pub(super) fn get(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let state = platform.state();
    let row = state.scim_user(id).ok_or_else(Failure::user_not_found)?;
    Reply::ok(&UserResource(&state, row))
}

/// The attributes of a POST or PUT that have any effect.
struct UserBody<'a> {
    user_name: &'a str,
    given_name: Option<&'a str>,
    family_name: Option<&'a str>,
    change: UserChange,
}

impl<'a> UserBody<'a> {
    fn of(body: &'a Value) -> Self {
        let text = |value: &'a Value| value.as_str();
        let role = body[CUSTOM_USER_ATTRIBUTES]["platformRole"].as_str();
        Self {
            user_name: text(&body["userName"]).unwrap_or_default(),
            given_name: text(&body["name"]["givenName"]),
            family_name: text(&body["name"]["familyName"]),
            change: UserChange {
                // An omitted `active` means true, also for a user that was deactivated (docs/activepieces.md#put-of-a-user).
                active: Some(body["active"].as_bool().unwrap_or(true)),
                external_id: text(&body["externalId"]).map(str::to_owned),
                platform_role: role.map(str::to_owned),
            },
        }
    }
}

/// Creates a user in the server's steps, which are no transaction (docs/activepieces.md#creating-a-user).
pub(super) async fn create(platform: &Platform, body: &Value) -> Result<Reply, Failure> {
    let new = UserBody::of(body);
    let email = normal_email(new.user_name);
    refuse_known(&platform.state(), &email, new.change.external_id.as_deref())?;
    platform.write_window().await;

    let mut state = platform.state();
    if state.user_by_email(&email).is_some() {
        return Err(lost_race(&mut state, &email));
    }
    let identity = state.identity(&email, new.given_name.unwrap_or_default(), new.family_name.unwrap_or_default());
    let row = state.insert_user(identity);
    state.update_user(row, new.change)?;
    let address = Arc::clone(&state.identity_of(row).email);
    state.send_mail(address)?;
    Reply::created(&UserResource(&state, row))
}

fn refuse_known(state: &Database, email: &str, external_id: Option<&str>) -> Result<(), Failure> {
    if external_id.is_some_and(|id| state.user_by_external_id.contains_key(id)) {
        return Err(Failure::http(409, "User with external ID already exists"));
    }
    if state.user_by_email(email).is_some() {
        return Err(Failure::http(409, "User with email already exists"));
    }
    Ok(())
}

/// Another request created the user meanwhile: mostly one shape of answer, sometimes another (docs/activepieces.md#deactivation).
fn lost_race(state: &mut Database, email: &str) -> Failure {
    if state.chance(80) {
        Failure::product(409, "EXISTING_USER", json!({"email": email, "platformId": null}))
    } else {
        Failure::unique_violation("UQ_7ad44f9fcbfc95e0a8436bbb029")
    }
}

impl Database {
    /// Sends an e-mail within the request: its failure is the request's, although the change is there.
    pub fn send_mail(&mut self, address: Arc<str>) -> Result<(), Failure> {
        match self.settings.smtp {
            Smtp::Unconfigured => {}
            Smtp::Failing => return Err(Failure::coded(500, "ESOCKET", "connect ECONNREFUSED 127.0.0.1:587")),
            Smtp::Working => self.mails.push(address),
        }
        Ok(())
    }
}

/// Sets what is there and leaves the rest, but `active` (docs/activepieces.md#put-of-a-user).
pub(super) fn put(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = state.scim_user(id).ok_or_else(Failure::user_not_found)?;
    let new = UserBody::of(body);
    state.update_user(row, new.change)?;
    let before = state.identity_of(row);
    let before = [&before.first_name, &before.last_name].map(ToString::to_string);
    state.rename(row, new.given_name, new.family_name);
    let reply = Reply::ok(&UserResource(&state, row));
    if state.settings.names_kept_elsewhere {
        let [first_name, last_name] = &before;
        state.rename(row, Some(first_name), Some(last_name));
    }
    reply
}

/// Only deactivates, as often as it is called (docs/activepieces.md#deactivation).
pub(super) fn delete(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let mut state = platform.state();
    let row = state.scim_user(id).ok_or_else(Failure::user_not_found)?;
    state.update_user(row, UserChange { active: Some(false), ..UserChange::default() })?;
    Ok(Reply::NoContent)
}
