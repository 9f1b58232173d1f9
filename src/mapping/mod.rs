//! Maps Okta users to account attributes, and Okta groups to projects and project roles. Pure.

pub mod attributes;
mod evaluation;
pub mod from_okta;
pub mod projects;
pub mod roles;
mod union;
