//! The users and projects of an Activepieces platform, as read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::id::{AccountId, ExternalId, InvitationId, OktaIds, OktaUserId, ProjectId};
use super::role::is_same_project_role;
use super::{Members, PlatformRole};

/// A user of the platform, inactive ones included (docs/activepieces.md#users).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: AccountId,
    pub external_id: Option<ExternalId>,
    /// The e-mail address, lower-cased and trimmed by the server. It can't be changed (docs/activepieces.md#put-of-a-user).
    pub user_name: String,
    pub given_name: String,
    pub family_name: String,
    pub active: bool,
    /// A text and not a [`PlatformRole`], since the server can hold others (docs/activepieces.md#patch-of-a-user, `add` with a colon).
    pub platform_role: Cow<'static, str>,
    /// The owner of a platform without projects is told by it.
    pub created: Option<Timestamp>,
}

impl User {
    /// The Okta user that the externalId names, if it's the id of one.
    pub fn okta_id(&self, ids: &OktaIds) -> Option<OktaUserId> {
        self.external_id.as_deref().filter(|id| ids.is_user(id)).map(OktaUserId::from)
    }

    /// The externalId, where `""` counts as none: it can be replaced, though never cleared (docs/activepieces.md#patch-of-a-user).
    pub fn link(&self) -> Option<&str> {
        self.external_id.as_deref().filter(|id| !id.is_empty())
    }

    pub fn is_admin(&self) -> bool {
        self.platform_role == PlatformRole::Admin.as_str()
    }

    /// The Okta user who left the account for another one, by the externalId that it got then.
    pub fn former_of(&self, ids: &OktaIds) -> Option<OktaUserId> {
        let user = self.link()?.strip_suffix(self.id.as_str())?.strip_suffix(REPLACED)?;
        ids.is_user(user).then(|| user.into())
    }
}

/// Between the two ids of [`moved_link`].
pub const REPLACED: &str = "-replaced-";

/// The externalId of an account that a user left: it can't be cleared, and only one account can have the user's id
/// (docs/activepieces.md#changed-addresses). By the account's own id no two of them are the same.
pub fn moved_link(user: &OktaUserId, account: &AccountId) -> String {
    format!("{user}{REPLACED}{account}")
}

/// A TEAM project, which SCIM calls a Group (docs/activepieces.md#groups).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    pub external_id: Option<String>,
    pub display_name: String,
    /// Inactive members are among them (docs/activepieces.md#deactivation).
    pub members: Members<AccountId>,
}

/// What a project holds besides members, as far as the server tells it; none is not known (docs/activepieces.md#contents-of-a-project).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    #[serde(default)]
    pub flows: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
}

/// When a flow of a project ran last. The day is enough: a plan with the time would be another one after each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastRun {
    Never,
    On(Date),
}

impl Contents {
    /// Whether both count the same things. A run destroys and adds nothing.
    pub fn are_those_of(&self, other: &Self) -> bool {
        (self.flows, self.connections, self.tables) == (other.flows, other.connections, other.tables)
    }
}

/// An account that a customer's token made (identity provider JWT) and that SCIM hides since August 2026. It can't be read,
/// linked, changed or deactivated through SCIM (`docs/activepieces.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbeddedUser {
    pub id: AccountId,
    /// Lower-cased and trimmed.
    pub user_name: String,
}

/// Accounts by platform role, as the server spells it. Embedded accounts aren't in it.
pub type Census = BTreeMap<String, Headcount>;

/// The accounts of one role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headcount {
    pub active: usize,
    pub inactive: usize,
}

impl Headcount {
    pub fn of_status(&mut self, active: bool) -> &mut usize {
        if active { &mut self.active } else { &mut self.inactive }
    }
}

/// Counts these accounts.
pub fn census(users: &[User]) -> Census {
    let mut counts: BTreeMap<&str, Headcount> = BTreeMap::new();
    for user in users {
        *counts.entry(&user.platform_role).or_default().of_status(user.active) += 1;
    }
    counts.into_iter().map(|(role, count)| (role.to_owned(), count)).collect()
}

/// The whole platform, as far as a sync reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Platform {
    pub users: Vec<User>,
    pub projects: Vec<Project>,
    /// The platform's owner, where the server shows it.
    pub owner: Option<AccountId>,
    /// By user name.
    pub embedded: Vec<EmbeddedUser>,
    #[serde(skip_serializing_if = "StandingRoles::is_unread")]
    pub roles: StandingRoles,
    #[serde(skip_serializing_if = "Invitations::is_unread")]
    pub invitations: Invitations,
}

/// An accepted invitation that waits: the server applies it when the person signs in, or when another invitation of the address
/// is accepted (docs/activepieces.md#invitations).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invitation {
    pub id: InvitationId,
    /// Lower-cased and trimmed.
    pub user_name: String,
    pub grant: Grant,
}

/// What an invitation gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "to")]
pub enum Grant {
    Platform {
        role: String,
    },
    Project {
        project: ProjectId,
        /// The project's name, or its id where no TEAM project has it.
        name: String,
        role_id: String,
        /// The role's name, or its id where no role has it.
        role: String,
    },
}

impl Grant {
    /// Whether it makes a user ADMIN of the platform.
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::Platform { role } if role == PlatformRole::Admin.as_str())
    }
}

impl fmt::Display for Grant {
    /// `platform ADMIN`, `Viewer of the project Sales`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform { role } => write!(f, "platform {role}"),
            Self::Project { name, role, .. } => write!(f, "{role} of the project {name}"),
        }
    }
}

/// The waiting invitations of a platform, as far as a sync reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitations {
    /// The config doesn't ask for them.
    #[default]
    Unread,
    /// The server doesn't list them for keys.
    Off,
    Known(Vec<Invitation>),
}

impl Invitations {
    fn is_unread(&self) -> bool {
        *self == Self::Unread
    }

    pub fn known(&self) -> &[Invitation] {
        match self {
            Self::Known(invitations) => invitations,
            Self::Unread | Self::Off => &[],
        }
    }
}

/// The project roles of a platform, as far as a sync reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingRoles {
    /// The config manages no project roles.
    #[default]
    Unread,
    /// The server doesn't let them be read: its plan has no project roles, or a proxy is in the way (docs/activepieces.md#rest).
    Off,
    Known(KnownRoles),
}

/// Project roles and who has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KnownRoles {
    /// The names of all roles, default and custom, as the server spells them.
    pub names: Vec<String>,
    /// The place in `names` of each member's role. A member who changed roles while they were read isn't here.
    pub of: BTreeMap<ProjectId, BTreeMap<AccountId, usize>>,
}

impl StandingRoles {
    fn is_unread(&self) -> bool {
        *self == Self::Unread
    }

    pub fn known(&self) -> Option<&KnownRoles> {
        match self {
            Self::Known(roles) => Some(roles),
            Self::Unread | Self::Off => None,
        }
    }
}

impl KnownRoles {
    /// The server's spelling of a role; the server takes names in any case.
    pub fn spelled(&self, name: &str) -> Option<&str> {
        self.names.iter().find(|known| is_same_project_role(known, name.trim())).map(String::as_str)
    }

    /// The role of a member of a project, if it is known.
    pub fn of(&self, project: &ProjectId, account: &AccountId) -> Option<&str> {
        self.names.get(*self.of.get(project)?.get(account)?).map(String::as_str)
    }
}
