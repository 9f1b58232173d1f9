//! Maps Okta users to account attributes, and Okta groups to projects. Pure.

pub mod attributes;
pub mod from_okta;
pub mod projects;
