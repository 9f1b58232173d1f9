//! Okta's JSON. Members that aren't named here are ignored, since new ones can appear (`docs/okta.md#new-members`).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::http::null_as_default;
use crate::model::id::{OktaAppId, OktaGroupId, OktaUserId};
use crate::model::okta::{Group, GroupType, Profile, User};

/// The key of an entity in a listing.
pub trait Keyed {
    fn key(&self) -> &str;
}

impl Keyed for User {
    fn key(&self) -> &str {
        self.id.as_str()
    }
}

/// A user by id only, such as a member of a group.
#[derive(Clone, Debug, Deserialize)]
pub struct UserId {
    pub id: OktaUserId,
}

impl Keyed for UserId {
    fn key(&self) -> &str {
        self.id.as_str()
    }
}

/// A group; its name is in the profile.
#[derive(Clone, Debug, Deserialize)]
pub struct WireGroup {
    pub id: OktaGroupId,
    #[serde(rename = "type")]
    pub kind: GroupType,
    pub profile: GroupProfile,
    /// Moves when a member is added or removed (`docs/okta.md#when-memberships-changed`).
    #[serde(rename = "lastMembershipUpdated", default)]
    pub membership_updated: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct GroupProfile {
    pub name: String,
}

/// A user with all that Okta says of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Profile")]
pub struct WholeUser {
    pub user: User,
    pub object: Profile,
}

impl TryFrom<Profile> for WholeUser {
    type Error = serde_json::Error;

    fn try_from(object: Profile) -> Result<Self, Self::Error> {
        Ok(Self { user: User::deserialize(&object)?, object })
    }
}

impl Keyed for WholeUser {
    fn key(&self) -> &str {
        self.user.id.as_str()
    }
}

/// A group with all that Okta says of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Profile")]
pub struct WholeGroup {
    pub group: WireGroup,
    pub object: Profile,
}

impl TryFrom<Profile> for WholeGroup {
    type Error = serde_json::Error;

    fn try_from(object: Profile) -> Result<Self, Self::Error> {
        Ok(Self { group: WireGroup::deserialize(&object)?, object })
    }
}

impl Keyed for WholeGroup {
    fn key(&self) -> &str {
        self.group.id.as_str()
    }
}

impl Keyed for WireGroup {
    fn key(&self) -> &str {
        self.id.as_str()
    }
}

impl From<WireGroup> for Group {
    fn from(group: WireGroup) -> Self {
        Self { id: group.id, name: group.profile.name, kind: group.kind }
    }
}

/// An app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct App {
    pub id: OktaAppId,
    /// The kind of app, such as `bookmark`; not what people see.
    pub name: String,
    /// What people see; several apps can have the same.
    pub label: String,
    /// `ACTIVE`, `INACTIVE` or `DELETED`; an open set (`docs/okta.md#app-statuses`).
    pub status: String,
    /// What the org's own integrations keep at the app.
    #[serde(default)]
    pub profile: Option<Profile>,
    #[serde(default)]
    pub credentials: Option<AppCredentials>,
}

impl App {
    /// Whether it is still there: a deleted app has no assignments.
    pub fn exists(&self) -> bool {
        self.status != "DELETED"
    }
}

/// What an app knows of how its users sign in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppCredentials {
    #[serde(default)]
    pub user_name_template: Option<UserNameTemplate>,
}

/// The user name format of an app, such as `${source.email}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UserNameTemplate {
    #[serde(default)]
    pub template: Option<String>,
}

impl App {
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}

impl Keyed for ProfileMapping {
    fn key(&self) -> &str {
        &self.id
    }
}

impl Keyed for UserType {
    fn key(&self) -> &str {
        &self.id
    }
}

impl Keyed for App {
    fn key(&self) -> &str {
        self.id.as_str()
    }
}

/// A user's assignment to an app, by himself or through a group.
#[derive(Clone, Debug, Deserialize)]
pub struct AppUser {
    /// The id of the Okta user.
    pub id: OktaUserId,
    /// The state of the assignment, not of the user; an open set.
    pub status: String,
    /// `USER` or `GROUP`.
    pub scope: Option<String>,
    /// The result of the last time that the app's mappings ran; may be empty or stale, and is always there.
    #[serde(deserialize_with = "null_as_default")]
    pub profile: Profile,
    #[serde(rename = "_embedded", default, deserialize_with = "null_as_default")]
    pub embedded: Embedded,
}

/// The statuses of an assignment, and whether it is in force (`docs/okta.md#assignment-statuses`).
const ASSIGNMENTS: [(&str, bool); 13] = [
    ("ACTIVE", true),
    ("APPROVED", true),
    ("DEPROVISIONED", false),
    ("IMPLICIT", true),
    ("IMPORTED", false),
    ("INACTIVE", false),
    ("MATCHED", true),
    ("PENDING", true),
    ("PROVISIONED", true),
    ("REVOKED", false),
    ("STAGED", false),
    ("SUSPENDED", false),
    ("UNASSIGNED", false),
];

impl AppUser {
    /// Whether the assignment is in force; none for a status that isn't known.
    pub fn is_in_force(&self) -> Option<bool> {
        ASSIGNMENTS.iter().find(|(status, _)| *status == self.status).map(|(_, is_in_force)| *is_in_force)
    }
}

/// What `expand=user` brings along.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Embedded {
    /// None too if it can't be read: then the user is asked for by id, and no other assignment fails with it.
    #[serde(default, deserialize_with = "readable")]
    pub user: Option<User>,
}

fn readable<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(text.and_then(|text| serde_json::from_str(text.get()).ok()))
}

impl Keyed for AppUser {
    fn key(&self) -> &str {
        self.id.as_str()
    }
}

/// The org as its settings show it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgSettings {
    pub id: String,
    pub company_name: Option<String>,
    pub subdomain: Option<String>,
    pub status: Option<String>,
}

/// What an org says about itself without a token.
#[derive(Clone, Debug, Deserialize)]
pub struct WellKnownOrg {
    pub id: String,
    /// `v1` for Classic, `idx` for Identity Engine.
    pub pipeline: Option<String>,
}

/// A group's assignment to an app.
#[derive(Clone, Debug, Deserialize)]
pub struct AppGroup {
    pub id: OktaGroupId,
    /// The smaller one wins.
    pub priority: Option<i64>,
}

/// A group that an app pushes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupPush {
    pub id: String,
    pub source_group_id: OktaGroupId,
    /// `ACTIVE`, `INACTIVE` or `ERROR`.
    pub status: String,
    pub error_summary: Option<String>,
}

impl GroupPush {
    /// Whether the push is switched on. After an error Okta tries it again.
    pub fn is_on(&self) -> bool {
        self.status != "INACTIVE"
    }
}

impl Keyed for GroupPush {
    fn key(&self) -> &str {
        &self.id
    }
}

/// A rule that makes users members of groups.
#[derive(Clone, Debug, Deserialize)]
pub struct GroupRule {
    pub id: String,
    pub name: String,
    /// `ACTIVE`, `INACTIVE` or `INVALID`.
    pub status: String,
}

/// A profile mapping: without `properties` in a listing, always with them by id.
#[derive(Clone, Debug, Deserialize)]
pub struct ProfileMapping {
    pub id: String,
    pub source: MappingEnd,
    pub target: MappingEnd,
    #[serde(default)]
    pub properties: Option<BTreeMap<String, MappedProperty>>,
}

/// One side of a profile mapping.
#[derive(Clone, Debug, Deserialize)]
pub struct MappingEnd {
    pub id: String,
    pub name: String,
    /// `user` or `appuser`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// How one attribute is mapped.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MappedProperty {
    /// Null and `""` where nothing is mapped.
    #[serde(default, deserialize_with = "null_as_default")]
    pub expression: String,
    pub push_status: Option<String>,
}

/// A schema: attributes by name, in the base profile and the custom one. There is no schema of users without any attribute
/// (`docs/okta.md#user-schemas`), so that an answer without one isn't a schema.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "AnySchema")]
pub struct Schema {
    pub definitions: BTreeMap<String, SchemaPart>,
}

#[derive(Deserialize)]
struct AnySchema {
    definitions: BTreeMap<String, SchemaPart>,
}

impl TryFrom<AnySchema> for Schema {
    type Error = &'static str;

    fn try_from(any: AnySchema) -> Result<Self, Self::Error> {
        let AnySchema { definitions } = any;
        let is_empty = definitions.values().all(|part| part.properties.is_empty());
        if is_empty { Err("a schema without attributes") } else { Ok(Self { definitions }) }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct SchemaPart {
    #[serde(default, deserialize_with = "null_as_default")]
    pub properties: BTreeMap<String, Value>,
}

/// A user type; each has a schema of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct UserType {
    pub id: String,
    pub name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub default: bool,
    #[serde(rename = "_links", default, deserialize_with = "null_as_default")]
    pub links: UserTypeLinks,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct UserTypeLinks {
    pub schema: Option<Href>,
}

/// Where something can be read.
#[derive(Clone, Debug, Deserialize)]
pub struct Href {
    pub href: String,
}

impl Href {
    /// The last part of the path, which is an id. The host of a link is never used.
    pub fn id(&self) -> Option<&str> {
        self.href.rsplit('/').next().filter(|id| !id.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_null_stands_for_nothing_and_fails_no_listing() {
        let users = json!([{"id": "00u1", "status": "ACTIVE", "profile": null, "_embedded": null}]).to_string();
        let users: Vec<AppUser> = serde_json::from_str(&users).unwrap();
        assert!(users[0].profile.is_empty() && users[0].embedded.user.is_none());
        let mapping = json!({"id": "1", "source": {"id": "1", "name": "u", "type": "user"},
            "target": {"id": "2", "name": "a", "type": "appuser"}, "properties": null});
        assert!(serde_json::from_value::<ProfileMapping>(mapping).unwrap().properties.is_none());
        let kind = json!({"id": "1", "name": "user", "default": null, "_links": null});
        assert!(!serde_json::from_value::<UserType>(kind).unwrap().default);
    }

    #[test]
    fn what_is_no_schema_is_not_taken_for_an_empty_one() {
        let schema = |value: Value| serde_json::from_value::<Schema>(value);
        let base = json!({"base": {"properties": {"login": {"type": "string"}}}, "custom": {"properties": null}});
        assert_eq!(schema(json!({"definitions": base})).unwrap().definitions["base"].properties.len(), 1);
        for odd in [
            json!({}),
            json!([]),
            json!({"errorCode": "E0000009", "errorSummary": "Internal Server Error"}),
            json!({"definitions": null}),
            json!({"definitions": {}}),
            json!({"definitions": {"base": {"properties": {}}, "custom": {}}}),
        ] {
            assert!(schema(odd.clone()).is_err(), "{odd}");
        }
    }

    #[test]
    fn an_assignment_is_in_force_by_its_status_and_an_unknown_one_is_neither() {
        let of = |status: &str| {
            serde_json::from_value::<AppUser>(json!({"id": "00u1", "status": status, "scope": "USER", "profile": {}}))
                .unwrap()
        };
        let in_force = ["ACTIVE", "APPROVED", "IMPLICIT", "MATCHED", "PENDING", "PROVISIONED"];
        let ended = ["DEPROVISIONED", "IMPORTED", "INACTIVE", "REVOKED", "STAGED", "SUSPENDED", "UNASSIGNED"];
        assert!(in_force.iter().all(|status| of(status).is_in_force() == Some(true)));
        assert!(ended.iter().all(|status| of(status).is_in_force() == Some(false)));
        assert_eq!(of("FROZEN").is_in_force(), None);
    }

    #[test]
    fn an_embedded_user_that_cannot_be_read_is_none() {
        let embedded = |user: Value| serde_json::from_value::<Embedded>(json!({"user": user})).unwrap().user;
        assert_eq!(embedded(json!({"id": "00u1", "status": "ACTIVE", "profile": {}})).unwrap().id, "00u1".into());
        for odd in [json!(null), json!({}), json!([]), json!({"id": "00u1", "status": 5, "profile": {}})] {
            assert_eq!(embedded(odd), None);
        }
        assert!(serde_json::from_str::<Embedded>("{}").unwrap().user.is_none());
    }
}
