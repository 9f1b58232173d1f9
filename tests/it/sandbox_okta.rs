//! The facts that are known about Okta's management API, one by one, against the sandbox's org.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests fail as the tests do")]

mod apps;
mod assignments;
mod changes;
mod errors;
mod faults;
mod groups;
mod limits;
mod links;
mod lists;
mod mappings;
mod pushes;
mod schemas;
mod search;
mod shapes;
mod support;
mod users;
