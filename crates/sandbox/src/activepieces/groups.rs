//! SCIM's group routes but PATCH: groups are TEAM projects (docs/activepieces.md#groups).

use std::collections::BTreeSet;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::errors::Failure;
use super::list_response::{DEFAULT_COUNT, ListResponse, Page, display_name_filter};
use super::platform::Platform;
use super::query::Query;
use super::settings::{Generation, Outage};
use super::state::{Database, ProjectRow, UserRow};
use super::transport::Reply;
use super::users::Meta;

/// A group with the members to show, which aren't always those that it has.
pub(super) struct GroupResource<'a> {
    state: &'a Database,
    row: ProjectRow,
    members: Vec<UserRow>,
}

impl<'a> GroupResource<'a> {
    /// The group as it is, inactive members included.
    pub fn stored(state: &'a Database, row: ProjectRow) -> Self {
        let members = state.projects[row].members.keys().copied().filter(|&user| !state.is_hidden(user)).collect();
        Self { state, row, members }
    }

    /// The group as POST and PUT answer it: with every listed id that is a user's, also inactive ones and those of
    /// other platforms, which are no members (docs/activepieces.md#creating-a-group). The newest generation answers with the stored members.
    fn claimed(state: &'a Database, row: ProjectRow, ids: &[&str]) -> Self {
        if state.settings.generation == Generation::HidesEmbedded {
            return Self::stored(state, row);
        }
        let members = ids.iter().filter_map(|id| state.user_anywhere(id)).collect();
        Self { state, row, members }
    }
}

impl Serialize for GroupResource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let project = &self.state.projects[self.row];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schemas", &["urn:ietf:params:scim:schemas:core:2.0:Group"])?;
        map.serialize_entry("id", &project.id)?;
        if let Some(external_id) = project.external_id.as_deref() {
            map.serialize_entry("externalId", external_id)?;
        }
        map.serialize_entry("displayName", &*project.display_name)?;
        map.serialize_entry("members", &Members(self.state, &self.members))?;
        map.serialize_entry("meta", &Meta::new("Group", project.created, project.updated, project.id.as_str()))?;
        map.end()
    }
}

struct Members<'a>(&'a Database, &'a [UserRow]);

#[derive(Serialize)]
struct MemberResource<'a> {
    value: &'a str,
    display: &'a str,
    #[serde(rename = "$ref")]
    reference: String,
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|&row| {
            let id = self.0.users[row].id.as_str();
            MemberResource {
                value: id,
                display: &self.0.identity_of(row).email,
                reference: format!("/scim/v2/Users/{id}"),
            }
        }))
    }
}

/// Groups that are written one by one.
struct GroupResources<'a>(&'a Database, &'a [ProjectRow]);

impl Serialize for GroupResources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|&row| GroupResource::stored(self.0, row)))
    }
}

/// By name and id, with a true total. The filter's name is looked up among the external ids (docs/activepieces.md#listing-groups).
pub(super) fn list(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let page = Page::of(query);
    if let Some(external_id) = display_name_filter(query) {
        let row = state.project_by_external_id.get(external_id.as_str()).copied();
        let rows: Vec<_> = row.into_iter().filter(|&row| state.projects[row].team).collect();
        return Reply::ok(&ListResponse::new(page, rows.len(), GroupResources(&state, &rows)));
    }
    let total = state.teams.len();
    let (start, end) = slice(page, total);
    let rows: Vec<_> = state.teams.values().copied().skip(start).take(end.saturating_sub(start)).collect();
    Reply::ok(&ListResponse::new(page, total, GroupResources(&state, &rows)))
}

/// The bounds of JavaScript's `slice(startIndex - 1, startIndex - 1 + count)`, where negative ones count from the end.
fn slice(page: Page, length: usize) -> (usize, usize) {
    #[expect(clippy::cast_precision_loss, reason = "the default count and all lengths in memory are exact")]
    let (default, length_number) = (DEFAULT_COUNT as f64, length as f64);
    let bound = |number: f64| {
        let number = number.trunc();
        let from_start = if number < 0.0 { (length_number + number).max(0.0) } else { number.min(length_number) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and the length")]
        let index = from_start as usize;
        index
    };
    let start = page.start_index - 1.0;
    (bound(start), bound(start + page.count.unwrap_or(default)))
}

pub(super) fn get(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let state = platform.state();
    let row = state.team(id).ok_or_else(Failure::group_not_found)?;
    Reply::ok(&GroupResource::stored(&state, row))
}

/// The ids of a body's members, in order and with repetitions.
fn member_ids(body: &Value) -> Vec<&str> {
    body["members"].as_array().into_iter().flatten().filter_map(|member| member["value"].as_str()).collect()
}

/// Creates the project, then adds the members: when that fails, the project stays (docs/activepieces.md#creating-a-group).
pub(super) async fn create(platform: &Platform, body: &Value) -> Result<Reply, Failure> {
    let name = body["displayName"].as_str().unwrap_or_default();
    let row = platform.state().create_team(name, body["externalId"].as_str())?;
    let ids = member_ids(body);
    add_members(platform, row, &ids, Repetition::Adding).await?;
    let state = platform.state();
    Reply::created(&GroupResource::claimed(&state, row, &ids))
}

/// Updates the project, adds all members that are listed, which resets their roles, then removes the others
/// (docs/activepieces.md#put-of-a-group).
pub(super) async fn put(platform: &Platform, id: &str, body: &Value) -> Result<Reply, Failure> {
    let row = {
        let mut state = platform.state();
        let row = state.team(id).ok_or_else(Failure::group_not_found)?;
        state.update_project(row, body["displayName"].as_str(), body["externalId"].as_str())?;
        row
    };
    let ids = member_ids(body);
    replace_members(platform, row, &ids, Repetition::Replacing).await?;
    let state = platform.state();
    Reply::ok(&GroupResource::claimed(&state, row, &ids))
}

/// Which kind of request names a new member twice, since they fail differently often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    Adding,
    Replacing,
}

/// Adds the listed members, then removes those that were there before and aren't listed. A failure leaves out the
/// removals.
pub(super) async fn replace_members(
    platform: &Platform,
    row: ProjectRow,
    ids: &[&str],
    repetition: Repetition,
) -> Result<(), Failure> {
    let before: Vec<UserRow> = {
        let state = platform.state();
        state.projects[row].members.keys().copied().filter(|&user| !state.is_hidden(user)).collect()
    };
    add_members(platform, row, ids, repetition).await?;
    let mut state = platform.state();
    let listed: BTreeSet<UserRow> = ids.iter().filter_map(|id| state.scim_user(id)).collect();
    for user in before.into_iter().filter(|user| !listed.contains(user)) {
        state.remove_member(row, user);
    }
    Ok(())
}

/// Gives the default role to every listed user who is active on this platform: new members and those that are there.
/// All are added at the same time, so that one failure doesn't keep the others away.
pub(super) async fn add_members(
    platform: &Platform,
    row: ProjectRow,
    ids: &[&str],
    repetition: Repetition,
) -> Result<(), Failure> {
    let mut listed = BTreeSet::new();
    let mut new = BTreeSet::new();
    let mut repeated = None;
    {
        let state = platform.state();
        let members = &state.projects[row].members;
        for user in ids.iter().filter_map(|id| state.scim_user(id)).filter(|&user| state.users[user].active) {
            if !members.contains_key(&user) {
                new.insert(user);
            }
            if !listed.insert(user) && new.contains(&user) {
                repeated = Some(user);
            }
        }
    }
    if !new.is_empty() {
        platform.write_window().await;
    }
    let mut state = platform.state();
    let mut failed = None;
    let role = state.default_role();
    for user in listed {
        // Inserted by another request meanwhile: this request's insert finds nothing to give back.
        if new.contains(&user) && state.projects[row].members.contains_key(&user) {
            failed = Some(user);
        } else if !state.projects[row].deleted && !state.users[user].deleted {
            state.upsert_member(row, user, role);
        }
    }
    if repeated.is_some() {
        let fails = match repetition {
            Repetition::Adding => state.duplicates.adding_fails(),
            Repetition::Replacing => state.duplicates.replacing_fails(),
        };
        failed = failed.or(repeated.filter(|_| fails));
    }
    match failed {
        Some(user) => Err(Failure::member_race(state.projects[row].id.as_str(), state.users[user].id.as_str())),
        None => Ok(()),
    }
}

/// Several simultaneous ones may each be answered with 204 (docs/activepieces.md#deletion-of-a-group).
pub(super) async fn delete(platform: &Platform, id: &str) -> Result<Reply, Failure> {
    let row = platform.state().team(id).ok_or_else(Failure::group_not_found)?;
    platform.write_window().await;
    let hangs = {
        let mut state = platform.state();
        if !state.projects[row].deleted {
            state.delete_project(row);
        }
        state.settings.outage == Outage::Redis
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    Ok(Reply::NoContent)
}
