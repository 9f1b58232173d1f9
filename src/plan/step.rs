//! The steps of a plan: each is begun and ended as a whole, and has a row in the journal.

use super::op::{Fate, InvitationOp, Plan, ProjectAction, ProjectOp, UserOp};

/// One step. Its kind and its id tell it apart from all others of its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'p> {
    /// Deletes a waiting invitation.
    Invitation(&'p InvitationOp),
    /// Moves the externalId of an account that the user leaves.
    MoveLink(&'p UserOp),
    User(&'p UserOp),
    /// Copies memberships from an account that the user leaves.
    CopyMemberships(&'p UserOp),
    /// Closes an account that the user leaves.
    CloseOld(&'p UserOp),
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
            Self::MoveLink(_) => "move link",
            Self::User(_) => "user",
            Self::CopyMemberships(_) => "copy memberships",
            Self::CloseOld(_) => "close old account",
            Self::Project(_) => "project",
            Self::AddMembers(_) => "add members",
            Self::RemoveMembers(_) => "remove members",
            Self::SetRoles(_) => "set roles",
        }
    }

    /// What it does: `create`, `add`.
    pub fn action(self) -> &'static str {
        match self {
            Self::Invitation(_) => "revoke",
            Self::MoveLink(_) => "move link",
            Self::User(op) => op.action.as_str(),
            Self::CopyMemberships(_) => "copy memberships",
            Self::CloseOld(_) => "close",
            Self::Project(op) => op.action.as_str(),
            Self::AddMembers(_) => "add",
            Self::RemoveMembers(_) => "remove",
            Self::SetRoles(_) => "set roles",
        }
    }

    /// The id of the Okta user or group that it is for, or of the invitation.
    pub fn okta_id(self) -> &'p str {
        match self {
            Self::Invitation(op) => op.id.as_str(),
            Self::MoveLink(op) | Self::User(op) | Self::CopyMemberships(op) | Self::CloseOld(op) => op.okta_id.as_str(),
            Self::Project(op) | Self::AddMembers(op) | Self::RemoveMembers(op) | Self::SetRoles(op) => {
                op.group.as_str()
            }
        }
    }

    /// The user name or the project's name.
    pub fn subject(self) -> &'p str {
        match self {
            Self::Invitation(op) => &op.user_name,
            Self::MoveLink(op) | Self::User(op) | Self::CopyMemberships(op) | Self::CloseOld(op) => &op.user_name,
            Self::Project(op) | Self::AddMembers(op) | Self::RemoveMembers(op) | Self::SetRoles(op) => &op.name,
        }
    }
}

impl UserOp {
    /// Its steps, in the order in which they are taken.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let mut left = self.replaces.iter();
        let moves = left.clone().any(|left| left.is_linked_to(&self.okta_id)).then_some(Step::MoveLink(self));
        let changes = self.account.is_none() || !self.changes.is_empty() || self.replaces.is_empty();
        let itself = changes.then_some(Step::User(self));
        let copies = left.clone().any(|left| !left.copies.is_empty()).then_some(Step::CopyMemberships(self));
        let closes = left.any(|left| left.fate == Fate::Close).then_some(Step::CloseOld(self));
        [moves, itself, copies, closes].into_iter().flatten()
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
        let users = self.users.iter().flat_map(UserOp::steps);
        invitations.chain(users).chain(self.projects.iter().flat_map(ProjectOp::steps))
    }
}
