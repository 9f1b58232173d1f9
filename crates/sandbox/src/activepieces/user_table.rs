//! The tables `user_identity` and `user`.

use std::borrow::Cow;
use std::sync::Arc;

use super::errors::Failure;
use super::settings::Generation;
use super::state::{Database, Id, Identity, User, UserRow};

/// The constraint whose name is in the answer when an external id is taken.
const EXTERNAL_ID_INDEX: &str = "idx_user_platform_id_external_id";

/// Changes of one user; `None` leaves a column as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UserChange {
    pub active: Option<bool>,
    pub external_id: Option<String>,
    pub platform_role: Option<String>,
}

/// An e-mail address as it is stored: lower-cased, Unicode too, and trimmed (docs/activepieces.md#creating-a-user).
pub(super) fn normal_email(text: &str) -> String {
    text.to_lowercase().trim().to_owned()
}

impl Database {
    /// The user of this platform with this id, inactive ones included.
    pub fn user(&self, id: &str) -> Option<UserRow> {
        self.user_anywhere(id).filter(|&row| !self.users[row].elsewhere)
    }

    /// The user of this platform with this id, if SCIM shows them.
    pub fn scim_user(&self, id: &str) -> Option<UserRow> {
        self.user(id).filter(|&row| !self.is_hidden(row))
    }

    /// Whether SCIM leaves the user out: embedded accounts are, in the newest generation.
    pub fn is_hidden(&self, row: UserRow) -> bool {
        self.settings.generation == Generation::HidesEmbedded && self.users[row].embedded
    }

    /// The user with this id on any platform of the server.
    pub fn user_anywhere(&self, id: &str) -> Option<UserRow> {
        self.user_by_id.get(&Id::parse(id)?).copied()
    }

    /// The user of this platform with exactly this (stored) e-mail address.
    pub fn user_by_email(&self, email: &str) -> Option<UserRow> {
        self.identities[*self.identity_by_email.get(email)?].user
    }

    /// The users of this platform, newest first.
    pub fn users_newest_first(&self) -> impl Iterator<Item = (UserRow, &User)> {
        self.users.iter().enumerate().rev().filter(|(_, user)| user.is_here())
    }

    pub fn identity_of(&self, row: UserRow) -> &Identity {
        &self.identities[self.users[row].identity]
    }

    /// The identity with this e-mail address. An existing one keeps its names, whatever the new ones are
    /// (docs/activepieces.md#creating-a-user).
    pub fn identity(&mut self, email: &str, first_name: &str, last_name: &str) -> usize {
        if let Some(&identity) = self.identity_by_email.get(email) {
            return identity;
        }
        let email: Arc<str> = email.into();
        let identity = self.identities.len();
        self.identity_by_email.insert(Arc::clone(&email), identity);
        self.identities.push(Identity {
            email,
            first_name: first_name.into(),
            last_name: last_name.into(),
            user: None,
        });
        identity
    }

    /// An ACTIVE MEMBER without an external id, with a PERSONAL project: what a creation begins with.
    pub fn insert_user(&mut self, identity: usize) -> UserRow {
        let row = self.insert_user_row(identity, false);
        self.identities[identity].user = Some(row);
        let name = format!("{}'s Project", self.identities[identity].first_name);
        let project = self.insert_project(&name, None, row, false);
        self.users[row].personal_project = Some(project);
        row
    }

    /// A user of another platform.
    pub fn insert_user_elsewhere(&mut self, identity: usize) -> UserRow {
        self.insert_user_row(identity, true)
    }

    fn insert_user_row(&mut self, identity: usize, elsewhere: bool) -> UserRow {
        let (id, created) = (self.next_id(), self.now());
        let row = self.users.len();
        self.users.push(User {
            id,
            identity,
            external_id: None,
            platform_role: Cow::Borrowed("MEMBER"),
            active: true,
            elsewhere,
            embedded: false,
            deleted: false,
            created,
            updated: created,
            personal_project: None,
        });
        self.user_by_id.insert(id, row);
        row
    }

    /// Changes a user's row as a whole or not at all. `updated` moves even if nothing differs (docs/activepieces.md#users).
    pub fn update_user(&mut self, row: UserRow, change: UserChange) -> Result<(), Failure> {
        if row == self.owner && change.active == Some(false) {
            return Err(Failure::owner_stays_active());
        }
        if let Some(external_id) = change.external_id {
            self.set_user_external_id(row, &external_id)?;
        }
        let updated = self.now();
        let user = &mut self.users[row];
        user.updated = updated;
        user.active = change.active.unwrap_or(user.active);
        if let Some(role) = change.platform_role.filter(|_| !self.settings.roles_stay) {
            user.platform_role = interned(role);
        }
        Ok(())
    }

    fn set_user_external_id(&mut self, row: UserRow, external_id: &str) -> Result<(), Failure> {
        match self.user_by_external_id.get(external_id) {
            Some(&holder) if holder == row => return Ok(()),
            Some(_) => return Err(Failure::unique_violation(EXTERNAL_ID_INDEX)),
            None => {}
        }
        let external_id: Arc<str> = external_id.into();
        let before = self.users[row].external_id.replace(Arc::clone(&external_id));
        if let Some(before) = before {
            self.user_by_external_id.remove(&before);
        }
        self.user_by_external_id.insert(external_id, row);
        Ok(())
    }

    /// Changes the identity's names, and so the person's names on other platforms too (docs/activepieces.md#put-of-a-user).
    pub fn rename(&mut self, row: UserRow, first_name: Option<&str>, last_name: Option<&str>) {
        let identity = &mut self.identities[self.users[row].identity];
        if let Some(name) = first_name {
            identity.first_name = name.into();
        }
        if let Some(name) = last_name {
            identity.last_name = name.into();
        }
    }

    /// Takes a user's row and memberships away; the identity stays (docs/activepieces.md#rest).
    pub fn delete_user(&mut self, row: UserRow) {
        let user = &mut self.users[row];
        user.deleted = true;
        let (id, identity, external_id) = (user.id, user.identity, user.external_id.take());
        self.user_by_id.remove(&id);
        self.identities[identity].user = None;
        if let Some(external_id) = external_id {
            self.user_by_external_id.remove(&external_id);
        }
        let teams: Vec<_> = self.teams.values().copied().collect();
        for project in teams {
            self.remove_member(project, row);
        }
    }
}

impl User {
    /// Whether the row is one of this platform.
    pub fn is_here(&self) -> bool {
        !self.deleted && !self.elsewhere
    }

    pub fn status(&self) -> &'static str {
        if self.active { "ACTIVE" } else { "INACTIVE" }
    }
}

/// The usual roles take no memory of their own.
fn interned(role: String) -> Cow<'static, str> {
    match ["MEMBER", "OPERATOR", "ADMIN"].into_iter().find(|known| *known == role) {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(role),
    }
}
