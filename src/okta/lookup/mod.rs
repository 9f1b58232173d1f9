//! A few users with all that a sync needs of them, from requests whose number doesn't depend on the size of the org.
//!
//! - `find`: the user that an admin names.
//! - `few`: what a sync needs of some users.

pub mod few;
pub mod find;
