//! Ids as types of their own, so that an Okta id can't be taken for an Activepieces one.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as the server writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into_boxed_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

id! {
    /// The id of an Okta user: `00u` and 17 more letters and digits.
    OktaUserId
}
id! {
    /// The id of an Okta group: `00g` and 17 more letters and digits.
    OktaGroupId
}
id! {
    /// The id of an Okta app: `0oa` and 17 more letters and digits.
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

impl OktaUserId {
    /// Whether an `externalId` has the shape of an Okta user id. Other shapes were set by another directory or by hand.
    pub fn is_shape_of(external_id: &str) -> bool {
        is_okta_id(external_id, "00u")
    }
}

impl OktaGroupId {
    /// Whether an `externalId` has the shape of an Okta group id.
    pub fn is_shape_of(external_id: &str) -> bool {
        is_okta_id(external_id, "00g")
    }
}

/// Okta's ids are 20 letters and digits, the first three telling the type.
fn is_okta_id(text: &str, prefix: &str) -> bool {
    text.len() == 20 && text.starts_with(prefix) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_of_an_okta_user_id() {
        assert!(OktaUserId::is_shape_of("00usfgmn9xhwtA6f74x6"));
        for other in ["", "00u", "emp-0815", "00gsfgmn9xhwtA6f74x6", "00usfgmn9xhwtA6f74x6x", "00usfgmn9xhwt-6f74x6"] {
            assert!(!OktaUserId::is_shape_of(other), "{other}");
        }
    }
}
