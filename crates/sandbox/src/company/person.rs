//! A person of the seeded company: the Okta user, and the account that exists already.

/// A person with an Okta user, an account, or both.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: &'static str,
    pub okta: Option<OktaUser>,
    pub account: Option<Account>,
}

/// The user in the org.
#[derive(Clone, Debug)]
pub struct OktaUser {
    pub status: &'static str,
    pub email: Option<String>,
    pub okta_role: Option<&'static str>,
    /// Whether the user is assigned to the app, and so in scope.
    pub assigned: bool,
}

/// The account on the platform.
#[derive(Clone, Debug)]
pub struct Account {
    pub email: String,
    pub name: &'static str,
    pub external_id: Option<String>,
    pub role: &'static str,
    pub active: bool,
}

/// A user of this status, assigned to the app, without an account.
pub fn okta(name: &'static str, status: &'static str) -> Person {
    let okta = OktaUser { status, email: Some(email(name)), okta_role: None, assigned: true };
    Person { name, okta: Some(okta), account: None }
}

/// An active account that no Okta user belongs to.
pub fn local(name: &'static str) -> Person {
    let account = Account { email: email(name), name, external_id: None, role: "MEMBER", active: true };
    Person { name, okta: None, account: Some(account) }
}

/// An active account whose Okta user was deleted.
pub fn gone(name: &'static str) -> Person {
    local(name).linked_to(name)
}

impl Person {
    /// Has an active account that is linked and says the same as Okta.
    pub(super) fn active(self) -> Self {
        let account = Some(Account { role: self.role(), ..linked_account(self.name) });
        Self { account, ..self }
    }

    /// Has an inactive account that is linked and says the same as Okta.
    pub(super) fn inactive(self) -> Self {
        self.active().account_inactive()
    }

    /// Has an active account that isn't linked.
    pub(super) fn unlinked(self) -> Self {
        self.active().account(|account| account.external_id = None)
    }

    /// `profile.okta_role`; to be said before the account.
    pub(super) fn okta_role(self, role: &'static str) -> Self {
        self.user(|user| user.okta_role = Some(role))
    }

    /// `profile.email`, where it isn't what the name gives.
    pub(super) fn email(self, email: Option<&str>) -> Self {
        self.user(|user| user.email = email.map(str::to_owned))
    }

    /// Not assigned to the app.
    pub(super) fn unassigned(self) -> Self {
        self.user(|user| user.assigned = false)
    }

    /// The account is inactive.
    pub(super) fn account_inactive(self) -> Self {
        self.account(|account| account.active = false)
    }

    pub(super) fn account_role(self, role: &'static str) -> Self {
        self.account(|account| account.role = role)
    }

    pub(super) fn account_name(self, name: &'static str) -> Self {
        self.account(|account| account.name = name)
    }

    pub(super) fn account_email(self, email: &str) -> Self {
        self.account(|account| email.clone_into(&mut account.email))
    }

    /// The account is linked to the Okta user of this name.
    pub(super) fn linked_to(self, name: &str) -> Self {
        self.external_id(&user_id(name))
    }

    pub(super) fn external_id(self, id: &str) -> Self {
        self.account(|account| account.external_id = Some(id.to_owned()))
    }

    fn user(mut self, change: impl FnOnce(&mut OktaUser)) -> Self {
        self.okta.as_mut().map(change);
        self
    }

    fn account(mut self, change: impl FnOnce(&mut Account)) -> Self {
        self.account.as_mut().map(change);
        self
    }

    fn role(&self) -> &'static str {
        match self.okta.as_ref().and_then(|user| user.okta_role) {
            Some("Master") => "ADMIN",
            Some("op") => "OPERATOR",
            _ => "MEMBER",
        }
    }
}

fn linked_account(name: &'static str) -> Account {
    Account { email: email(name), name, external_id: Some(user_id(name)), role: "MEMBER", active: true }
}

/// `Ada Adler` is `ada.adler@example.com`.
pub fn email(name: &str) -> String {
    format!("{}@example.com", name.to_lowercase().replace(' ', "."))
}

/// First and last name.
pub fn names(name: &str) -> [&str; 2] {
    name.split_once(' ').map_or([name, ""], |(first, last)| [first, last])
}

/// The id of the Okta user of this name, the same wherever the table names the person.
pub fn user_id(name: &str) -> String {
    id("00u", name)
}

/// The id of the Okta group of this type and name.
pub fn group_id(kind: &str, name: &str) -> String {
    id("00g", &format!("{kind} {name}"))
}

fn id(prefix: &str, name: &str) -> String {
    let seed = name.bytes().fold(17, |seed: u64, byte| seed.wrapping_mul(1_000_003) ^ u64::from(byte));
    super::okta_id(prefix, &mut fastrand::Rng::with_seed(seed))
}
