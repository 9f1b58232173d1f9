//! The steps of a plan: each is begun and ended as a whole, and has a row in the journal.

use super::op::{InvitationOp, Plan, ProjectAction, ProjectOp, UserOp};

/// One step. Its kind and its id tell it apart from all others of its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'p> {
    /// Deletes a waiting invitation.
    Invitation(&'p InvitationOp),
    User(&'p UserOp),
    /// The project itself: creation, adoption, renaming or deletion.
    Project(&'p ProjectOp),
    AddMembers(&'p ProjectOp),
    RemoveMembers(&'p ProjectOp),
    SetRoles(&'p ProjectOp),
}

impl<'p> Step<'p> {
    /// The word for its kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Invitation(_) => "invitation",
            Self::User(_) => "user",
            Self::Project(_) => "project",
            Self::AddMembers(_) => "add members",
            Self::RemoveMembers(_) => "remove members",
            Self::SetRoles(_) => "set roles",
        }
    }

    /// The id of the Okta user or group that it is for, or of the invitation.
    pub fn okta_id(self) -> &'p str {
        match self {
            Self::Invitation(op) => op.id.as_str(),
            Self::User(op) => op.okta_id.as_str(),
            Self::Project(op) | Self::AddMembers(op) | Self::RemoveMembers(op) | Self::SetRoles(op) => {
                op.group.as_str()
            }
        }
    }

    /// The user name or the project's name.
    pub fn subject(self) -> &'p str {
        match self {
            Self::Invitation(op) => &op.user_name,
            Self::User(op) => &op.user_name,
            Self::Project(op) | Self::AddMembers(op) | Self::RemoveMembers(op) | Self::SetRoles(op) => &op.name,
        }
    }
}

impl ProjectOp {
    /// Its steps, in the order in which they are taken.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let itself = (self.action != ProjectAction::Members).then_some(Step::Project(self));
        let add = (!self.add.is_empty()).then_some(Step::AddMembers(self));
        let remove = (!self.remove.is_empty()).then_some(Step::RemoveMembers(self));
        let roles = (!self.roles.is_empty()).then_some(Step::SetRoles(self));
        [itself, add, remove, roles].into_iter().flatten()
    }
}

impl Plan {
    /// Every step: invitations, users, then each project with its members.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let invitations = self.invitations.iter().map(Step::Invitation);
        let users = self.users.iter().map(Step::User);
        invitations.chain(users).chain(self.projects.iter().flat_map(ProjectOp::steps))
    }
}
