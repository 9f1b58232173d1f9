//! The attribute mapping: one Okta expression per Activepieces attribute.

use crate::expression::Expression;

/// An expression and where it stands, for problems that name it.
#[derive(Clone, Debug)]
pub struct Mapped {
    pub expression: Expression,
    /// `config.toml:21`; none for a default.
    pub location: Option<String>,
}

/// What each attribute of a user is made from.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub user_name: Mapped,
    pub given_name: Mapped,
    pub family_name: Mapped,
    pub email: Mapped,
    pub display_name: Mapped,
    /// Without it every user is a MEMBER.
    pub platform_role: Option<Mapped>,
}
