//! Okta users, packed between reading and mapping: a profile has dozens of attributes, and expressions use a few of
//! them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::id::OktaUserId;
use super::okta::{Profile, REALM_ID, Status, Times, User};

/// The attributes of profiles that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptAttributes {
    All,
    /// These and `login`.
    Named(BTreeSet<String>),
}

impl Default for KeptAttributes {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

impl KeptAttributes {
    pub fn insert(&mut self, name: &str) {
        if let Self::Named(names) = self {
            names.insert(name.to_owned());
        }
    }

    /// Keeps what the other keeps, too.
    pub fn add_all(&mut self, other: &Self) {
        match (self, other) {
            (Self::Named(names), Self::Named(others)) => names.extend(others.iter().cloned()),
            (all, _) => *all = Self::All,
        }
    }

    /// Whether the attribute is kept.
    pub fn holds(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => name == "login" || names.contains(name),
        }
    }

    /// What a listing of users has to show so that all of it is there, and when they were created, as the `fields` of a
    /// request; none where that is all, or can't be said (Okta API: Users, list).
    pub fn fields(&self) -> Option<String> {
        let Self::Named(names) = self else { return None };
        let is_plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !names.iter().all(is_plain) {
            return None;
        }
        let (times, attributes): (Vec<&str>, Vec<&str>) =
            names.iter().map(String::as_str).partition(|name| Times::NAMES.contains(name) || *name == REALM_ID);
        let times = times.into_iter().filter(|name| *name != "created").map(|name| format!(",{name}"));
        let attributes = attributes.into_iter().filter(|name| *name != "login").map(|name| format!(",{name}"));
        let (times, attributes): (String, String) = (times.collect(), attributes.collect());
        Some(format!("id,status,created{times},profile:(login{attributes})"))
    }

    fn holds_times(&self) -> bool {
        Times::NAMES.iter().any(|name| self.holds(name))
    }
}

/// A user with what is kept of the profile; the id is what users are found by. Clones share it.
#[derive(Clone, Debug, PartialEq)]
pub struct PackedUser {
    pub status: Status,
    /// None where no expression asks for a time.
    times: Option<Arc<Times>>,
    /// JSON, which takes a tenth of the memory of its parsed form.
    profile: Arc<str>,
}

impl User {
    /// Forgets what isn't kept.
    pub fn pack(mut self, kept: &KeptAttributes) -> (OktaUserId, PackedUser) {
        if *kept != KeptAttributes::All {
            self.profile.retain(|name, _| kept.holds(name));
        }
        let times = kept.holds_times().then(|| Arc::new(self.times));
        let profile = serde_json::Value::Object(self.profile).to_string().into();
        (self.id, PackedUser { status: self.status, times, profile })
    }
}

impl PackedUser {
    /// The user, with what was kept.
    pub fn unpack(&self, id: &OktaUserId) -> User {
        User {
            id: id.clone(),
            status: self.status.clone(),
            profile: self.profile(),
            times: self.times.as_deref().copied().unwrap_or_default(),
        }
    }

    /// The attributes that were kept, where the user has them.
    pub fn profile(&self) -> Profile {
        // It was JSON when it was put there.
        serde_json::from_str(&self.profile).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_listing_is_asked_for_what_is_kept_and_nothing_more() {
        let named =
            |names: &[&str]| KeptAttributes::Named(names.iter().map(|name| (*name).to_owned()).collect()).fields();
        assert_eq!(named(&[]).as_deref(), Some("id,status,created,profile:(login)"));
        let some = named(&["okta_role", "login", "created", "lastLogin", "city"]);
        assert_eq!(some.as_deref(), Some("id,status,created,lastLogin,profile:(login,city,okta_role)"));
        assert_eq!(named(&["realmId"]).as_deref(), Some("id,status,created,realmId,profile:(login)"));
        assert_eq!((named(&["cost center"]), KeptAttributes::All.fields()), (None, None));
    }

    fn user() -> User {
        let profile = json!({
            "login": "ada@example.com", "nickName": null, "title": "", "cost": 1.5, "hired": 20_260_131, "city": "Łódź \"\n",
            "teams": ["a", "b"], "remote": true,
        });
        let times = Times { created: Some("2026-01-02T03:04:05.678Z".parse().unwrap()), ..Times::default() };
        let Some(profile) = profile.as_object().cloned() else { panic!("an object") };
        User { times, ..User::new("00u1".into(), Status::Other("ACTIVATING".to_owned()), profile) }
    }

    #[test]
    fn a_user_of_whom_all_is_kept_is_the_same_afterwards() {
        let (id, packed) = user().pack(&KeptAttributes::All);
        assert_eq!(packed.unpack(&id), user());
    }

    #[test]
    fn what_is_named_is_kept_and_a_missing_attribute_stays_apart_from_null() {
        let mut kept = KeptAttributes::default();
        kept.insert("nickName");
        kept.insert("missing");
        let (id, packed) = user().pack(&kept);
        let unpacked = packed.unpack(&id);
        assert_eq!(serde_json::Value::Object(unpacked.profile), json!({"login": "ada@example.com", "nickName": null}));
        assert_eq!((unpacked.times, unpacked.status), (Times::default(), user().status));
    }

    #[test]
    fn the_realm_is_kept_as_an_attribute() {
        let wire = r#"{"id": "00u1", "status": "ACTIVE", "realmId": "guo1", "profile": {"login": "ada@example.com"}}"#;
        let mut kept = KeptAttributes::default();
        kept.insert(REALM_ID);
        let (_, packed) = serde_json::from_str::<User>(wire).unwrap().pack(&kept);
        assert_eq!(packed.profile()[REALM_ID], "guo1");
    }

    #[test]
    fn times_are_kept_where_one_is_named() {
        let mut kept = KeptAttributes::default();
        kept.insert("created");
        let (id, packed) = user().pack(&kept);
        assert_eq!(packed.unpack(&id).times, user().times);
    }

    #[test]
    fn all_and_anything_is_all() {
        let mut kept = KeptAttributes::default();
        kept.insert("title");
        kept.add_all(&KeptAttributes::All);
        assert_eq!(kept, KeptAttributes::All);
        kept.add_all(&KeptAttributes::default());
        assert_eq!(kept, KeptAttributes::All);
    }
}
