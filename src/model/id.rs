//! Ids as types of their own, so that an Okta id can't be mistaken for an Activepieces id.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest text that is kept in place: both servers' ids, mostly of 20 and 21 characters, are.
const IN_PLACE: usize = 22;

/// A short text without memory of its own: a large org has millions of memberships, each of them an id.
#[derive(Clone)]
enum Text {
    InPlace { length: u8, bytes: [u8; IN_PLACE] },
    Long(Box<str>),
}

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; IN_PLACE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::InPlace { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::InPlace { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(text) => text.as_bytes(),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            // They were a text when they were put there.
            Self::InPlace { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::InPlace { length: a, bytes: x }, Self::InPlace { length: b, bytes: y }) => (x, a) == (y, b),
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}

impl Eq for Text {}

/// Two numbers that are in the same order as the texts are, which are filled up with zeros: comparing ids is most of what
/// planning does, and numbers are compared faster.
fn number(bytes: &[u8; IN_PLACE]) -> (u128, [u8; 6]) {
    match bytes.split_first_chunk::<16>() {
        Some((first, rest)) => (u128::from_be_bytes(*first), rest.try_into().unwrap_or_default()),
        None => (0, [0; 6]),
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::InPlace { length: a, bytes: x }, Self::InPlace { length: b, bytes: y }) => {
                number(x).cmp(&number(y)).then(a.cmp(b))
            }
            _ => self.as_bytes().cmp(other.as_bytes()),
        }
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::InPlace { length, bytes } => {
                let (first, rest) = number(bytes);
                state.write_u128(first);
                state.write(&rest);
                state.write_u8(*length);
            }
            Self::Long(text) => text.as_bytes().hash(state),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl de::Visitor<'_> for OfText {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::new(text))
            }
        }
        deserializer.deserialize_str(OfText)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            /// The id as the server writes it.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(Text::new(id))
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(Text::new(&id))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

id! {
    /// The id of an Okta user: `00u` and mostly 17 more letters and digits.
    OktaUserId
}
id! {
    /// The id of an Okta group: `00g` and mostly 17 more letters and digits.
    OktaGroupId
}
id! {
    /// The id of an Okta app: `0oa` and mostly 17 more letters and digits.
    OktaAppId
}
id! {
    /// The id of an Activepieces user: 21 letters and digits.
    AccountId
}
id! {
    /// The id of an Activepieces project, which SCIM calls a Group: 21 letters and digits.
    ProjectId
}

id! {
    /// The `externalId` of an Activepieces user: usually the id of an Okta user.
    ExternalId
}

id! {
    /// The id of an invitation on the Activepieces platform: 21 letters and digits.
    InvitationId
}

impl Deref for ExternalId {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

/// Between a group's id and the name of a further project of the group.
const FURTHER: char = ':';
/// The end of the externalId that a project has while the one that it gets is still that of another project.
const MOVING: &str = "-moving";

impl OktaGroupId {
    /// The externalId of a further project of the group: `00g…:prod`.
    #[must_use]
    pub fn further(&self, also: &str) -> Self {
        format!("{self}{FURTHER}{also}").into()
    }

    /// The externalId that a project has for a moment before it gets this one, which is unique: `00g…-moving`.
    #[must_use]
    pub fn moving(&self) -> Self {
        format!("{self}{MOVING}").into()
    }

    /// The id of the group in the externalId of a project.
    #[must_use]
    pub fn of_group(&self) -> Self {
        let link = self.as_str().trim_end_matches(MOVING);
        link.split(FURTHER).next().unwrap_or_default().into()
    }

    /// The name of a further project of the group, in the externalId of one.
    pub fn also(&self) -> Option<&str> {
        self.as_str().trim_end_matches(MOVING).split_once(FURTHER).map(|(_, also)| also)
    }
}

/// The externalId of a project that Okta or this program linked to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProjectLink<'a> {
    pub group: &'a str,
    /// The name of a further project of the group.
    pub also: Option<&'a str>,
    /// Whether a run was about to link the project to the group.
    pub is_moving: bool,
}

impl OktaAppId {
    /// Whether a text may be the id of an Okta app. A label may look the same.
    pub fn is_shape_of(text: &str) -> bool {
        has_prefix(text, "0oa")
    }
}

/// The length of the ids in all of Okta's documents and recorded answers.
const LENGTH: usize = 20;

/// How the ids of an Okta org look: an `externalId` of another shape was set by another directory, by an embedding
/// customer or by hand, and what has it isn't Okta's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OktaIds {
    /// Lengths above the usual one, of the ids that the org really has.
    user_lengths: BTreeSet<usize>,
    group_lengths: BTreeSet<usize>,
}

impl OktaIds {
    /// The shapes that the ids of these users and groups have.
    pub fn of<'a>(
        users: impl IntoIterator<Item = &'a OktaUserId>,
        groups: impl IntoIterator<Item = &'a OktaGroupId>,
    ) -> Self {
        let longer = |id: &str| Some(id.len()).filter(|length| *length > LENGTH);
        Self {
            user_lengths: users.into_iter().filter_map(|id| longer(id.as_str())).collect(),
            group_lengths: groups.into_iter().filter_map(|id| longer(id.as_str())).collect(),
        }
    }

    /// Whether an `externalId` has the shape of a user's id.
    pub fn is_user(&self, external_id: &str) -> bool {
        has_shape(external_id, "00u", &self.user_lengths)
    }

    /// Whether an `externalId` has the shape of a group's id.
    pub fn is_group(&self, external_id: &str) -> bool {
        has_shape(external_id, "00g", &self.group_lengths)
    }

    /// What the `externalId` of a project says, if it names a group.
    pub fn project_link<'a>(&self, external_id: &'a str) -> Option<ProjectLink<'a>> {
        let (link, is_moving) = external_id.strip_suffix(MOVING).map_or((external_id, false), |link| (link, true));
        let (group, also) = link.split_once(FURTHER).map_or((link, None), |(group, also)| (group, Some(also)));
        self.is_group(group).then_some(ProjectLink { group, also, is_moving })
    }
}

fn has_shape(text: &str, prefix: &str, longer: &BTreeSet<usize>) -> bool {
    (text.len() == LENGTH || longer.contains(&text.len())) && has_prefix(text, prefix)
}

/// Okta's ids begin with their type, and letters and digits follow.
fn has_prefix(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_oktas_only_in_the_exact_shape_of_the_orgs_ids() {
        let (usual, long) = ("00usfgmn9xhwtA6f74x6", "00usfgmn9xhwtA6f74x6AB");
        let ids = OktaIds::default();
        assert!(ids.is_user(usual) && ids.is_group("00gsfgmn9xhwtA6f74x6"));
        let others = ["", "00u", "00u1", long, "emp-0815", "0gK3xQ", "00usfgmn9xhwt-6f_4x6", "00usfgmn9xhwtA6f7 x6"];
        for other in others.into_iter().chain(["00gsfgmn9xhwtA6f74x6", "cust-000000000000001"]) {
            assert!(!ids.is_user(other), "{other}");
        }
        assert!(!ids.is_group("0gK3xQ") && !ids.is_group(usual) && !ids.is_group("0gsfgmn9xhwtA6f74x6A"));
        let org = OktaIds::of(&[usual.into(), long.into(), "00u1".into()], &[]);
        assert!(org.is_user(usual) && org.is_user("00u999999999999999999Z") && !org.is_user("00u1"));
        assert!(!org.is_group("00g9999999999999999999"));
    }

    #[test]
    fn the_external_id_of_a_project_says_its_group() {
        let group = OktaGroupId::from("00gsfgmn9xhwtA6f74x6");
        let link = |also, is_moving| Some(ProjectLink { group: "00gsfgmn9xhwtA6f74x6", also, is_moving });
        let ids = OktaIds::default();
        let read = |id: &OktaGroupId| ids.project_link(id.as_str()) == link(None, false);
        assert!(read(&group) && !ids.is_group(group.moving().as_str()));
        let further = group.further("prod");
        assert_eq!(ids.project_link(further.as_str()), link(Some("prod"), false));
        assert_eq!(ids.project_link(further.moving().as_str()), link(Some("prod"), true));
        assert_eq!(ids.project_link("cust-1:prod"), None);
        let moving = further.moving();
        let parts = [&group, &further, &moving].map(|link| (link.of_group() == group, link.also()));
        assert_eq!(parts, [(true, None), (true, Some("prod")), (true, Some("prod"))]);
    }

    #[test]
    fn an_id_of_any_length_is_the_text_that_it_was_made_from() {
        for text in ["", "00usfgmn9xhwtA6f74x6", "1234567890123456789012", "12345678901234567890123", "ä"] {
            let id = OktaUserId::from(text);
            assert_eq!((id.as_str(), format!("{id:?}")), (text, format!("OktaUserId({text:?})")));
            assert_eq!(serde_json::from_str::<OktaUserId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        }
        let sorted = ["", "0", "00", "1", "12345678901234567890123", "2"].map(OktaUserId::from);
        assert!(sorted.is_sorted());
        assert_eq!(size_of::<OktaUserId>(), 24);
    }
}
