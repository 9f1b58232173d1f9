//! The part of a plan that was chosen: the operations on some users, some projects, or of some kinds.

use std::fmt;
use std::str::FromStr;

use super::item::{self, Item};
use super::op::{InvitationOp, Plan, ProjectOp, UserAction, UserOp};
use crate::model::PlatformRole;
use crate::model::id::OktaUserId;

/// One choice: `user=ada@example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// A user name or an Okta id: the account, and the memberships in projects that exist.
    User(String),
    /// The id of the Okta group that a project is linked to.
    Group(String),
    /// A project's name.
    Project(String),
    Kind(Kind),
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    User(UserAction),
    /// An account gets a greater role.
    RoleUp,
    /// An account gets a lesser role.
    RoleDown,
    /// Operations on projects and their members.
    Projects,
    /// Deletions of waiting invitations.
    Invitations,
}

/// The kinds with their names, as the command line has them.
pub const KINDS: [(&str, Kind); 11] = [
    ("create", Kind::User(UserAction::Create)),
    ("reactivate", Kind::User(UserAction::Reactivate)),
    ("adopt", Kind::User(UserAction::Adopt)),
    ("recreate", Kind::User(UserAction::Recreate)),
    ("update", Kind::User(UserAction::Update)),
    ("deactivate", Kind::User(UserAction::Deactivate)),
    ("delete", Kind::User(UserAction::Delete)),
    ("role-up", Kind::RoleUp),
    ("role-down", Kind::RoleDown),
    ("projects", Kind::Projects),
    ("invitations", Kind::Invitations),
];

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let value = value.trim().to_owned();
        match key {
            _ if value.is_empty() => Err("write user=NAME, group=ID, project=NAME or kind=KIND".to_owned()),
            "user" => Ok(Self::User(value.to_lowercase())),
            "group" => Ok(Self::Group(value)),
            "project" => Ok(Self::Project(value)),
            "kind" => {
                KINDS.iter().find(|(name, _)| *name == value).map(|(_, kind)| Self::Kind(*kind)).ok_or_else(|| {
                    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
                    format!("the kinds are {}", names.join(", "))
                })
            }
            _ => Err(format!("{key:?} can't be chosen by; write user=NAME, group=ID, project=NAME or kind=KIND")),
        }
    }
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user={name}"),
            Self::Group(id) => write!(f, "group={id}"),
            Self::Project(name) => write!(f, "project={name}"),
            Self::Kind(kind) => {
                let name = KINDS.iter().find(|(_, of)| of == kind).map(|(name, _)| *name);
                write!(f, "kind={}", name.unwrap_or_default())
            }
        }
    }
}

impl Only {
    /// Whether the choice takes an item of the plan: with a project all of its members, with a user the account, and the
    /// memberships in projects that exist.
    pub fn takes(&self, plan: &Plan, item: Item) -> bool {
        let is_user = || plan.user_of(item).is_some_and(|(name, id)| id.is_some_and(|id| self.is_user(name, id)));
        match item {
            Item::Invitation(at) => self.takes_invitation(&plan.invitations[at]),
            Item::User(at) => self.takes_user(&plan.users[at]),
            Item::Project(at) | Item::Added(at, _) | Item::Removed(at, _) | Item::Role(at, _) => {
                let op = &plan.projects[at];
                self.takes_project(op) || op.is_linked() && is_user()
            }
        }
    }

    fn takes_user(&self, op: &UserOp) -> bool {
        match self {
            Self::User(_) => self.is_user(&op.user_name, &op.okta_id),
            Self::Kind(Kind::User(action)) => op.action == *action,
            Self::Kind(Kind::RoleDown) => op.is_downgrade(),
            Self::Kind(Kind::RoleUp) => raises_role(op),
            Self::Kind(Kind::Projects | Kind::Invitations) | Self::Group(_) | Self::Project(_) => false,
        }
    }

    fn takes_invitation(&self, op: &InvitationOp) -> bool {
        self.is_user(&op.user_name, &op.okta_id) || matches!(self, Self::Kind(Kind::Invitations))
    }

    fn takes_project(&self, op: &ProjectOp) -> bool {
        match self {
            Self::Group(id) => op.group.as_str() == id || op.group.of_group().as_str() == id,
            Self::Project(name) => op.name == *name,
            Self::Kind(kind) => *kind == Kind::Projects,
            Self::User(_) => false,
        }
    }

    fn is_user(&self, user_name: &str, id: &OktaUserId) -> bool {
        matches!(self, Self::User(name) if user_name == name || id.as_str().eq_ignore_ascii_case(name))
    }
}

/// Whether an account gets ADMIN or OPERATOR in place of a lesser role, or with its creation.
fn raises_role(op: &UserOp) -> bool {
    let role = op.attributes.as_ref().map(|attributes| attributes.platform_role);
    let is_great = role.is_some_and(|role| role != PlatformRole::Member);
    let is_given = op.makes_account() || op.role_change().is_some();
    op.action != UserAction::Deactivate && is_given && is_great && !op.is_downgrade()
}

/// Leaves in the plan what at least one choice takes, as far as it doesn't depend on the rest, and gives the choices that take nothing.
pub fn keep(plan: &mut Plan, choices: &[Only]) -> Vec<Only> {
    if choices.is_empty() {
        return Vec::new();
    }
    let takes_any = |choice: &Only| plan.items().any(|item| choice.takes(plan, item));
    let unused = choices.iter().filter(|choice| !takes_any(choice)).cloned().collect();
    item::keep(plan, |plan, item| choices.iter().any(|choice| choice.takes(plan, item)));
    unused
}
