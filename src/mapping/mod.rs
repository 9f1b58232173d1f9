//! Okta's words into Activepieces': which attributes each user gets, and which group becomes which project. Pure.

pub mod attributes;
pub mod from_okta;
pub mod projects;
