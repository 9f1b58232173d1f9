//! The part of a plan that was chosen: the operations on some users, some projects, or of some kinds.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::diff::users::keep_the_last_admin;
use super::op::{Fate, InvitationOp, Plan, ProjectAction, ProjectOp, Replaced, UserAction, UserOp};
use crate::model::PlatformRole;
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};

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

/// The names of the kinds, as the command line has them.
const KINDS: [(&str, Kind); 11] = [
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
    fn takes_user(&self, op: &UserOp) -> bool {
        match self {
            Self::User(name) => is_named(name, &op.user_name, &op.okta_id),
            Self::Kind(Kind::User(action)) => op.action == *action,
            Self::Kind(Kind::RoleDown) => op.is_downgrade(),
            Self::Kind(Kind::RoleUp) => raises_role(op),
            Self::Kind(Kind::Projects | Kind::Invitations) | Self::Group(_) | Self::Project(_) => false,
        }
    }

    fn takes_invitation(&self, op: &InvitationOp) -> bool {
        match self {
            Self::User(name) => is_named(name, &op.user_name, &op.okta_id),
            Self::Kind(kind) => *kind == Kind::Invitations,
            Self::Group(_) | Self::Project(_) => false,
        }
    }

    fn takes_project(&self, op: &ProjectOp) -> bool {
        match self {
            Self::Group(id) => op.group.as_str() == id || op.group.of_group().as_str() == id,
            Self::Project(name) => op.name == *name,
            Self::Kind(kind) => *kind == Kind::Projects,
            Self::User(_) => false,
        }
    }
}

fn is_named(name: &str, user_name: &str, id: &OktaUserId) -> bool {
    user_name == name || id.as_str().eq_ignore_ascii_case(name)
}

/// Whether an account gets ADMIN or OPERATOR in place of a lesser role, or with its creation.
fn raises_role(op: &UserOp) -> bool {
    let role = op.attributes.as_ref().map(|attributes| attributes.platform_role);
    let is_great = role.is_some_and(|role| role != PlatformRole::Member);
    let is_given = op.makes_account() || op.role_change().is_some();
    op.action != UserAction::Deactivate && is_given && is_great && !op.is_downgrade()
}

/// Leaves in the plan what at least one choice takes, and gives the choices that take nothing. A member is added only if the account
/// exists or is made by the same part, and an account goes to another user only if the one who leaves it is in the part too.
pub fn keep(plan: &mut Plan, choices: &[Only]) -> Vec<Only> {
    if choices.is_empty() {
        return Vec::new();
    }
    let unused = choices.iter().filter(|choice| !takes_any(choice, plan)).cloned().collect();
    plan.invitations.retain(|op| choices.iter().any(|choice| choice.takes_invitation(op)));
    let is_left_out = |op: &mut UserOp| !choices.iter().any(|choice| choice.takes_user(op));
    let left_out: Vec<UserOp> = plan.users.extract_if(.., is_left_out).collect();
    plan.leave_out(left_out.into_iter().filter(|op| op.action == UserAction::Recreate).collect());
    leave_out_given(plan);
    keep_the_last_admin(plan);
    plan.keep_members_of_open_accounts();
    let given_up: BTreeSet<OktaGroupId> = plan.projects.iter().filter_map(ProjectOp::moved_from).cloned().collect();
    let made: BTreeSet<OktaUserId> = plan.users.iter().map(|op| op.okta_id.clone()).collect();
    plan.projects.retain_mut(|op| {
        if !choices.iter().any(|choice| choice.takes_project(op)) {
            of_users(op, choices);
        }
        op.add.retain(|member| member.account.is_some() || made.contains(&member.okta_id));
        !op.is_empty()
    });
    drop_what_waits(plan, &given_up);
    unused
}

/// Leaves out projects that would be linked to a group whose project isn't moved away by the same part: an externalId is unique.
fn drop_what_waits(plan: &mut Plan, given_up_by_all: &BTreeSet<OktaGroupId>) {
    loop {
        let free: BTreeSet<OktaGroupId> = plan.projects.iter().filter_map(ProjectOp::moved_from).cloned().collect();
        let links = |op: &ProjectOp| {
            matches!(op.action, ProjectAction::Create | ProjectAction::Adopt | ProjectAction::Relink { .. })
        };
        let waits = |op: &ProjectOp| links(op) && given_up_by_all.contains(&op.group) && !free.contains(&op.group);
        let all = plan.projects.len();
        plan.projects.retain(|op| !waits(op));
        if plan.projects.len() == all {
            return;
        }
    }
}

/// Leaves out the users whose old account is to go to a user that isn't in the part: it would stay open without a user.
fn leave_out_given(plan: &mut Plan) {
    loop {
        let taken: BTreeSet<AccountId> = plan.users.iter().filter_map(|op| op.account.clone()).collect();
        let waits = |left: &Replaced| matches!(left.fate, Fate::TakenOver { .. }) && !taken.contains(&left.account);
        let Some(place) = plan.users.iter().position(|op| op.replaces.iter().any(waits)) else { return };
        let op = plan.users.remove(place);
        let name = &op.user_name;
        plan.warnings.push(format!("{name} keeps the old account: it is to go to a user that isn't in the part"));
        plan.leave_out(vec![op]);
    }
}

fn takes_any(choice: &Only, plan: &Plan) -> bool {
    let in_project = |op: &ProjectOp| {
        let mut op = op.clone();
        of_users(&mut op, std::slice::from_ref(choice));
        !op.is_empty()
    };
    plan.users.iter().any(|op| choice.takes_user(op))
        || plan.invitations.iter().any(|op| choice.takes_invitation(op))
        || plan.projects.iter().any(|op| choice.takes_project(op) || in_project(op))
}

/// Leaves of an operation on a project that exists what is about the chosen users, and nothing of any other one.
fn of_users(op: &mut ProjectOp, choices: &[Only]) {
    let is_chosen = |name: &str, id: &OktaUserId| {
        choices.iter().any(|choice| matches!(choice, Only::User(chosen) if is_named(chosen, name, id)))
    };
    let is_linked = matches!(op.action, ProjectAction::Members | ProjectAction::Rename { .. });
    op.action = ProjectAction::Members;
    op.add.retain(|member| is_linked && is_chosen(&member.user_name, &member.okta_id));
    op.remove.retain(|gone| is_linked && gone.okta_id.as_ref().is_some_and(|id| is_chosen(&gone.user_name, id)));
    op.roles.retain(|change| is_linked && is_chosen(&change.user_name, &change.okta_id));
}
