//! Platform roles.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role on the Activepieces platform. The server takes exactly these three, in capitals (docs/activepieces.md#creating-a-user).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PlatformRole {
    Admin,
    Operator,
    #[default]
    Member,
}

/// The default project roles from the highest to the lowest; `Operator` is one of older servers.
pub const PROJECT_ROLES: [&str; 4] = ["Admin", "Editor", "Operator", "Viewer"];

/// Whether two names are of the same project role: the server takes them in any case (docs/activepieces.md#rest).
pub fn is_same_project_role(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a change of the project role is known to take something away. Nothing is known of custom roles.
pub fn is_lesser_project_role(from: &str, to: &str) -> bool {
    let place = |role: &str| PROJECT_ROLES.iter().position(|known| known.eq_ignore_ascii_case(role));
    matches!((place(from), place(to)), (Some(from), Some(to)) if from < to)
}

impl PlatformRole {
    pub const ALL: [Self; 3] = [Self::Admin, Self::Operator, Self::Member];

    /// The server's own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Operator => "OPERATOR",
            Self::Member => "MEMBER",
        }
    }

    /// The role with exactly this spelling: `admin` is none, as the server has it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for PlatformRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
