//! What can be switched on a platform, for tests and demonstrations.

use std::time::Duration;

/// How a platform is set up. The defaults are those of a current server with working e-mail and everything in its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on a server")]
pub struct Settings {
    pub generation: Generation,
    /// `plan.scimEnabled`: without it all SCIM routes answer 402, REST goes on (docs/activepieces.md#authentication).
    pub scim_enabled: bool,
    /// `plan.projectRolesEnabled`: without it the project-members routes answer 402; SCIM doesn't mind (docs/activepieces.md#rest).
    pub project_roles_enabled: bool,
    /// `plan.customRolesEnabled`: without it no custom role can be made; existing ones can be given (docs/activepieces.md#project-roles).
    pub custom_roles_enabled: bool,
    /// `plan.teamProjectsLimit`: SCIM doesn't obey it, REST does (docs/activepieces.md#creating-a-group).
    pub team_projects_limit: TeamProjectsLimit,
    pub smtp: Smtp,
    /// The name of the role that SCIM gives to members: `AP_SCIM_DEFAULT_PROJECT_ROLE` (docs/activepieces.md#groups).
    pub default_project_role: String,
    /// Whether the API key was deleted, so that it answers 401 from now on (docs/activepieces.md#authentication).
    pub api_key_deleted: bool,
    /// How long a write takes between its checks and its effect. Requests that come within it race with each other as
    /// on a real server (docs/activepieces.md#deactivation and docs/activepieces.md#groups); with zero they never do.
    pub write_window: Duration,
    pub outage: Outage,
    /// Whether another platform of the same server sets the names back right after each write: a person has one name on
    /// all of them (docs/activepieces.md#put-of-a-user).
    pub names_kept_elsewhere: bool,
    /// Whether a platform role that a request gives to an account that is there isn't stored, though the answer is 200.
    pub roles_stay: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            generation: Generation::default(),
            scim_enabled: true,
            project_roles_enabled: true,
            custom_roles_enabled: true,
            team_projects_limit: TeamProjectsLimit::Unlimited,
            smtp: Smtp::Working,
            default_project_role: "Editor".to_owned(),
            api_key_deleted: false,
            write_window: Duration::ZERO,
            outage: Outage::None,
            names_kept_elsewhere: false,
            roles_stay: false,
        }
    }
}

/// The three generations of the server's SCIM (`docs/activepieces.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// 0.79 to 0.83: bare arrays in discovery, no role in user resources, PATCH `add` on users ignored.
    A,
    /// Since 2026-06-09 (0.85).
    #[default]
    Current,
    /// Since August 2026 (0.86): SCIM hides embedded accounts, and POST and PUT of a group answer with the members that are
    /// stored.
    HidesEmbedded,
}

impl Generation {
    /// The version that names each generation.
    pub const NAMED: [(&'static str, Self); 3] =
        [("0.79", Self::A), ("0.85", Self::Current), ("0.86", Self::HidesEmbedded)];
}

/// `plan.teamProjectsLimit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamProjectsLimit {
    None,
    One,
    Unlimited,
}

/// What becomes of e-mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smtp {
    Working,
    /// E-mails are skipped.
    Unconfigured,
    /// A created user is answered with 500 `ESOCKET`, although it is there (docs/activepieces.md#creating-a-user).
    Failing,
}

/// What is down (docs/activepieces.md#load-and-outages).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    None,
    /// The server got SIGTERM: 503 and a closed connection.
    ShuttingDown,
    /// Every request that needs the database gets 500 `ECONNREFUSED`.
    Database,
    /// DELETE of a group does its work and never answers.
    Redis,
}
