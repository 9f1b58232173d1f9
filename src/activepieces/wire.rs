//! The JSON bodies of Activepieces, as far as they are used. The server never accepts null
//! (docs/activepieces.md#creating-a-user), so absent values are left out.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::http::{bounded_list, null_as_default};
use crate::model::PlatformRole;
use crate::model::activepieces::{Project, User};
use crate::model::id::{AccountId, ExternalId, OktaGroupId, ProjectId};

pub const USER_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub const CONFIG_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// Where the platform role lives (the product's page on SCIM with Okta).
pub const CUSTOM_SCHEMA: &str = "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes";

/// The path by which PATCH sets the platform role: with a colon before its name (docs/activepieces.md#patch-of-a-user).
pub const CUSTOM_SCHEMA_ROLE: &str = "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes:platformRole";

/// A SCIM listing. `totalResults` is the real total for groups, and only the count of the items for users
/// (docs/activepieces.md#listing-users and docs/activepieces.md#listing-groups).
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct ListResponse<T> {
    #[serde(rename = "totalResults")]
    pub total_results: usize,
    #[serde(rename = "Resources", deserialize_with = "bounded_list")]
    pub resources: Vec<T>,
}

/// A REST listing (docs/activepieces.md#rest).
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct Page<T> {
    #[serde(deserialize_with = "bounded_list")]
    pub data: Vec<T>,
    #[serde(default)]
    pub next: Option<String>,
}

/// `GET /ServiceProviderConfig`.
#[derive(Debug, Deserialize)]
pub struct ServiceProviderConfig {
    pub schemas: Vec<String>,
}

/// What the platform's plan allows, as `GET /v1/platforms/:id` says it; none where it doesn't.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformPlan {
    /// Without it all SCIM routes answer 402, and REST goes on (docs/activepieces.md#authentication).
    #[serde(default)]
    pub scim_enabled: Option<bool>,
    /// Without it the routes of project members answer 402, and SCIM goes on (docs/activepieces.md#rest).
    #[serde(default)]
    pub project_roles_enabled: Option<bool>,
    /// Without it no custom role can be made; one that is there can be given.
    #[serde(default)]
    pub custom_roles_enabled: Option<bool>,
    /// Without it no new key can be made; those that are there go on working (docs/activepieces.md#authentication).
    #[serde(default)]
    pub api_keys_enabled: Option<bool>,
}

/// The part of the platform that is read.
#[derive(Debug, Deserialize)]
pub struct RestPlatform {
    #[serde(default, deserialize_with = "null_as_default")]
    pub plan: PlatformPlan,
}

/// A SCIM user as the server sends it (docs/activepieces.md#users).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScimUser {
    pub id: AccountId,
    #[serde(default)]
    pub external_id: Option<String>,
    pub user_name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: Name,
    pub active: bool,
    /// Absent in versions before 0.84 (docs/activepieces.md#generations).
    #[serde(rename = "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes", default)]
    pub custom: Option<CustomUserAttributes>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub meta: Meta,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomUserAttributes {
    #[serde(default, deserialize_with = "role")]
    pub platform_role: Cow<'static, str>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Meta {
    #[serde(default, deserialize_with = "null_as_default")]
    pub created: String,
}

impl From<ScimUser> for User {
    /// Without a role where this server doesn't send it.
    fn from(user: ScimUser) -> Self {
        Self {
            id: user.id,
            external_id: user.external_id.map(ExternalId::from),
            user_name: normal(&user.user_name),
            given_name: user.name.given_name.unwrap_or_default(),
            family_name: user.name.family_name.unwrap_or_default(),
            active: user.active,
            platform_role: user.custom.map(|custom| custom.platform_role).unwrap_or_default(),
            created: user.meta.created.parse().ok(),
        }
    }
}

/// A user name as the server keeps it: lower-cased and trimmed (docs/activepieces.md#creating-a-user, step 1). One that came there by
/// another way may be neither.
pub fn normal(user_name: &str) -> String {
    user_name.trim().to_lowercase()
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(normal(&String::deserialize(deserializer)?))
}

/// A user of a SCIM listing, of the model as soon as it's read: no listing is held in two shapes.
#[derive(Debug, Deserialize)]
#[serde(from = "ScimUser")]
pub struct ListedUser(pub User);

impl From<ScimUser> for ListedUser {
    fn from(user: ScimUser) -> Self {
        Self(user.into())
    }
}

/// A user of `GET /v1/users`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestUser {
    pub id: AccountId,
    /// Lower-cased and trimmed.
    #[serde(deserialize_with = "name")]
    pub email: String,
    #[serde(default)]
    pub external_id: Option<String>,
    pub platform_role: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub first_name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    pub last_name: String,
    /// `ACTIVE` or `INACTIVE`.
    pub status: String,
}

impl From<RestUser> for User {
    fn from(user: RestUser) -> Self {
        Self {
            id: user.id,
            external_id: user.external_id.map(ExternalId::from),
            user_name: user.email,
            given_name: user.first_name,
            family_name: user.last_name,
            active: user.status == "ACTIVE",
            platform_role: user.platform_role.into(),
            created: None,
        }
    }
}

/// What is kept of a user of the whole listing of `GET /v1/users`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedRole {
    pub id: AccountId,
    #[serde(deserialize_with = "role")]
    pub platform_role: Cow<'static, str>,
}

/// A role. It allocates nothing if it is one of the known roles.
fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    let role: String = null_as_default(deserializer)?;
    Ok(PlatformRole::parse(&role).map_or(Cow::Owned(role), |known| Cow::Borrowed(known.as_str())))
}

/// A project of `GET /v1/projects`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestProject {
    pub id: ProjectId,
    pub display_name: String,
    #[serde(default)]
    pub external_id: Option<String>,
    /// `TEAM` or `PERSONAL`.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    pub owner_id: AccountId,
    #[serde(default)]
    pub platform_id: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    pub analytics: Analytics,
}

impl RestProject {
    /// Whether it's of the kind that was asked for, as far as the server says.
    pub fn is_team(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "TEAM")
    }
}

/// The platform that a row of a REST listing belongs to (docs/activepieces.md#rest).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfPlatform {
    #[serde(default)]
    pub platform_id: Option<String>,
}

/// A run of a flow.
#[derive(Debug, Deserialize)]
pub struct FlowRun {
    pub created: Timestamp,
}

/// What the server counts in a project (docs/activepieces.md#contents-of-a-project).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Analytics {
    pub total_flows: Option<u64>,
}

/// A member of a project, as `GET /v1/project-members` lists it (docs/activepieces.md#rest).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectMember {
    /// The id of the membership, which is the one to set a role by.
    pub id: String,
    pub user_id: AccountId,
    /// The name of a default or a custom project role.
    #[serde(rename = "projectRole", deserialize_with = "role_name")]
    pub role: String,
}

/// A project role, default or custom, as `GET /v1/project-roles` lists it (docs/activepieces.md#rest).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProjectRole {
    pub id: String,
    pub name: String,
}

/// A member with a project role, as the listing of the role has them (docs/activepieces.md#rest).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleMember {
    pub user_id: AccountId,
    pub project_id: ProjectId,
}

fn role_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    Ok(Named::deserialize(deserializer)?.name)
}

/// A SCIM group as the server sends it (docs/activepieces.md#groups).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScimGroup {
    pub id: ProjectId,
    #[serde(default)]
    pub external_id: Option<String>,
    pub display_name: String,
    /// Always there (docs/activepieces.md#groups): a group without them would be taken for an empty one, and all its members be
    /// added again, which resets their roles.
    pub members: Vec<GroupMember>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct GroupMember {
    pub value: AccountId,
}

impl From<ScimGroup> for Project {
    fn from(group: ScimGroup) -> Self {
        Self {
            id: group.id,
            external_id: group.external_id,
            display_name: group.display_name,
            members: group.members.into_iter().map(|member| member.value).collect(),
        }
    }
}

/// A group of a listing, of the model as soon as it's read.
#[derive(Debug, Deserialize)]
#[serde(from = "ScimGroup")]
pub struct ListedGroup(pub Project);

impl From<ScimGroup> for ListedGroup {
    fn from(group: ScimGroup) -> Self {
        Self(group.into())
    }
}

/// What POST and PUT of a user send.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserBody<'a> {
    pub schemas: [&'static str; 1],
    pub user_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<[Email<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<&'a str>,
    /// Always sent: a PUT without it activates (docs/activepieces.md#put-of-a-user).
    pub active: bool,
    #[serde(
        rename = "urn:ietf:params:scim:schemas:activepieces:1.0:CustomUserAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    pub custom: Option<RoleBody>,
}

#[derive(Debug, Serialize)]
pub struct Email<'a> {
    pub value: &'a str,
    pub primary: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleBody {
    pub platform_role: PlatformRole,
}

/// What POST of a group sends: members come later, one stage after all users.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupBody<'a> {
    pub schemas: [&'static str; 1],
    pub display_name: &'a str,
    pub external_id: &'a OktaGroupId,
}

/// A PATCH with the operations that this server understands (docs/activepieces.md#patch-of-a-user and
/// docs/activepieces.md#patch-of-a-group).
#[derive(Debug, Serialize)]
pub struct PatchBody<O> {
    pub schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    pub operations: Vec<O>,
}

/// One operation of a PATCH of a user, in the forms that have an effect (docs/activepieces.md#patch-of-a-user).
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum UserOperation<'a> {
    /// Sets one attribute, from version 0.84 on; older servers ignore it. All of them are applied together.
    Add { path: &'static str, value: UserValue<'a> },
    /// Sets `active` and `externalId`, in every version.
    Replace { value: UserAccess<'a> },
}

/// The value of an attribute: the server takes a text for `active` by its truth in `JavaScript`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum UserValue<'a> {
    Flag(bool),
    Text(&'a str),
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserAccess<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Operation<'a> {
    Add { path: &'static str, value: Vec<GroupMember> },
    Remove { path: String },
    Replace { path: &'static str, value: &'a str },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_null_stands_for_nothing_and_fails_no_listing() {
        let user = json!({"id": "a", "userName": "a@x.io", "active": true, "externalId": null, "name": null,
            "meta": null, CUSTOM_SCHEMA: {"platformRole": null}});
        let ListedUser(user) = serde_json::from_value(user).unwrap();
        assert_eq!((user.given_name.as_str(), &*user.platform_role, user.created), ("", "", None));
        let project = json!({"id": "p", "displayName": "P", "ownerId": "a", "analytics": null});
        assert_eq!(serde_json::from_value::<RestProject>(project).unwrap().analytics.total_flows, None);
        let role = serde_json::from_value::<ListedRole>(json!({"id": "a", "platformRole": null})).unwrap();
        assert_eq!(role.platform_role, "");
    }

    #[test]
    fn a_group_without_members_is_not_taken_for_an_empty_one() {
        let read = |members: &str| {
            serde_json::from_str::<ListedGroup>(&format!(r#"{{"id": "p", "displayName": "P"{members}}}"#))
        };
        assert_eq!(read(r#", "members": []"#).unwrap().0.members.len(), 0);
        for members in ["", r#", "members": null"#, r#", "members": {}"#, r#", "members": [null]"#] {
            assert!(read(members).is_err(), "{members}");
        }
    }

    #[test]
    fn user_names_are_compared_as_the_server_keeps_them() {
        let user = json!({"id": "a", "userName": " Ada@X.io ", "active": true});
        let ListedUser(user) = serde_json::from_value(user).unwrap();
        assert_eq!(user.user_name, "ada@x.io");
        let user = json!({"id": "a", "email": "Ada@X.io", "platformRole": "ADMIN", "status": "ACTIVE"});
        assert_eq!(serde_json::from_value::<RestUser>(user).unwrap().email, "ada@x.io");
    }
}
