//! Explains users, groups and projects: one user from requests whose number doesn't depend on the size of the org, all else from
//! both servers whole.
//!
//! - `subject`: the user that the admin names.
//! - `read`: what both servers say of the user, and the plan for this user alone.
//! - `user`: the explanation of it; `past`: what earlier runs did.
//! - `whole`: who has which access, and explanations of groups and projects.

mod past;
mod read;
mod subject;
mod user;
pub mod whole;

pub use user::explain;
