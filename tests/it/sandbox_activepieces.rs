//! The facts that the contract states about an Activepieces server, one by one, against the sandbox's platform.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests fail as the tests do")]

mod authentication;
mod bodies;
mod contract;
mod discovery;
mod generation_a;
mod generation_hides_embedded;
mod group_listing;
mod group_patch;
mod groups;
mod invitations;
mod project_roles;
mod races;
mod rest_contents;
mod rest_members;
mod rest_projects;
mod rest_users;
mod routing;
mod support;
mod user_creation;
mod user_lifecycle;
mod user_listing;
mod user_patch;
mod user_put;
