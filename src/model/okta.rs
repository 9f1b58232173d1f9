//! The users and groups of an Okta org, as read.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::id::{OktaGroupId, OktaUserId};

/// A profile: attributes by their names, as Okta sent them.
pub type Profile = Map<String, Value>;

/// A user with the profile as Okta sent it: a missing attribute, `null` and `""` stay apart.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "WireUser")]
pub struct User {
    pub id: OktaUserId,
    pub status: Status,
    pub profile: Profile,
    pub times: Times,
}

impl User {
    /// A user without known times.
    pub fn new(id: OktaUserId, status: Status, profile: Profile) -> Self {
        Self { id, status, profile, times: Times::default() }
    }

    /// `profile.login`, or the id where there is none: the name to show to people.
    pub fn login(&self) -> &str {
        self.profile.get("login").and_then(Value::as_str).unwrap_or(self.id.as_str())
    }
}

/// When events happened to a user (Okta API: Users, retrieve); none for an event that never happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub activated: Option<Timestamp>,
    pub created: Option<Timestamp>,
    pub last_login: Option<Timestamp>,
    pub last_updated: Option<Timestamp>,
    pub password_changed: Option<Timestamp>,
    pub status_changed: Option<Timestamp>,
}

impl Times {
    /// Their names in Okta's API and in expressions.
    pub const NAMES: [&str; 6] =
        ["activated", "created", "lastLogin", "lastUpdated", "passwordChanged", "statusChanged"];

    /// The time of this name.
    pub fn named(&self, name: &str) -> Option<Timestamp> {
        match name {
            "activated" => self.activated,
            "created" => self.created,
            "lastLogin" => self.last_login,
            "lastUpdated" => self.last_updated,
            "passwordChanged" => self.password_changed,
            "statusChanged" => self.status_changed,
            _ => None,
        }
    }
}

/// The name of a user's realm, which Okta writes next to the profile.
pub const REALM_ID: &str = "realmId";

/// A user as Okta writes it: the times are next to the profile.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUser {
    id: OktaUserId,
    status: Option<Status>,
    profile: Option<Profile>,
    realm_id: Option<String>,
    #[serde(default, deserialize_with = "time")]
    activated: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    created: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    last_login: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    last_updated: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    password_changed: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    status_changed: Option<Timestamp>,
}

/// A time; an unreadable one is none, because no sync should fail over it.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

impl From<WireUser> for User {
    fn from(user: WireUser) -> Self {
        let times = Times {
            activated: user.activated,
            created: user.created,
            last_login: user.last_login,
            last_updated: user.last_updated,
            password_changed: user.password_changed,
            status_changed: user.status_changed,
        };
        // No decision follows from a user if Okta leaves out required fields.
        let (status, mut profile) = match (user.status, user.profile) {
            (Some(status), Some(profile)) => (status, profile),
            (_, profile) => (Status::Other(String::new()), profile.unwrap_or_default()),
        };
        // Expressions name the realm as if it were an attribute: `user.realmId` (Okta API: Users, retrieve).
        if let Some(realm) = user.realm_id {
            profile.entry(REALM_ID).or_insert_with(|| realm.into());
        }
        Self { id: user.id, status, profile, times }
    }
}

/// The status of a user. The set is open: a value that isn't known here is kept in [`Status::Other`] and nothing is
/// ever decided from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    Staged,
    Provisioned,
    Active,
    Recovery,
    PasswordExpired,
    LockedOut,
    Suspended,
    Deprovisioned,
    Other(String),
}

impl Status {
    /// The statuses of Okta's documented life cycle.
    pub const KNOWN: [Self; 8] = [
        Self::Staged,
        Self::Provisioned,
        Self::Active,
        Self::Recovery,
        Self::PasswordExpired,
        Self::LockedOut,
        Self::Suspended,
        Self::Deprovisioned,
    ];

    /// Okta's own spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Staged => "STAGED",
            Self::Provisioned => "PROVISIONED",
            Self::Active => "ACTIVE",
            Self::Recovery => "RECOVERY",
            Self::PasswordExpired => "PASSWORD_EXPIRED",
            Self::LockedOut => "LOCKED_OUT",
            Self::Suspended => "SUSPENDED",
            Self::Deprovisioned => "DEPROVISIONED",
            Self::Other(text) => text,
        }
    }
}

impl Status {
    /// Whether Okta's answer left the status out, or the profile.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Other(text) if text.is_empty())
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        Self::KNOWN.into_iter().find(|status| status.as_str() == text).unwrap_or(Self::Other(text))
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a group comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum GroupType {
    /// Made in Okta; its name is unique among these.
    OktaGroup,
    /// Imported from an app or directory; any name, also one that another group has.
    AppGroup,
    /// `Everyone` and its like.
    BuiltIn,
    Other(String),
}

impl GroupType {
    /// Okta's own spelling.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OktaGroup => "OKTA_GROUP",
            Self::AppGroup => "APP_GROUP",
            Self::BuiltIn => "BUILT_IN",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for GroupType {
    fn from(text: String) -> Self {
        match text.as_str() {
            "OKTA_GROUP" => Self::OktaGroup,
            "APP_GROUP" => Self::AppGroup,
            "BUILT_IN" => Self::BuiltIn,
            _ => Self::Other(text),
        }
    }
}

impl From<GroupType> for String {
    fn from(kind: GroupType) -> Self {
        kind.as_str().to_owned()
    }
}

/// A group without its members.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    pub id: OktaGroupId,
    /// `profile.name`.
    pub name: String,
    #[serde(rename = "type")]
    pub kind: GroupType,
}

impl Group {
    /// Whether it's the one group that every user of the org is in (Okta API: Groups).
    pub fn is_everyone(&self) -> bool {
        self.kind == GroupType::BuiltIn && self.name == "Everyone"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_status_survives_as_it_is() {
        let status = Status::from("ACTIVATING".to_owned());
        assert_eq!(status, Status::Other("ACTIVATING".to_owned()));
        assert_eq!(String::from(status), "ACTIVATING");
    }

    #[test]
    fn a_time_that_cannot_be_read_is_none() {
        let json = r#"{"id": "00u1", "status": "ACTIVE", "profile": {}, "created": "2026-01-02T03:04:05.000Z",
            "lastLogin": null, "lastUpdated": "soon"}"#;
        let user: User = serde_json::from_str(json).unwrap();
        let created = Some("2026-01-02T03:04:05Z".parse().unwrap());
        assert_eq!(user.times, Times { created, ..Times::default() });
    }

    #[test]
    fn a_user_without_a_status_or_a_profile_is_left_as_they_are() {
        for json in
            [r#"{"id": "00u1", "profile": {"login": "a"}}"#, r#"{"id": "00u1", "status": "ACTIVE", "profile": null}"#]
        {
            let user: User = serde_json::from_str(json).unwrap();
            assert!(user.status.is_missing(), "{json}");
        }
        assert!(serde_json::from_str::<User>(r#"{"status": "ACTIVE", "profile": {}}"#).is_err());
    }

    #[test]
    fn known_statuses_round_trip() {
        for status in Status::KNOWN {
            assert_eq!(Status::from(status.as_str().to_owned()), status);
        }
    }
}
