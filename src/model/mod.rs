//! Data types: users, groups, projects and roles, as the two servers have them. Pure.

pub mod activepieces;
pub mod desired;
pub mod id;
pub mod known;
pub mod members;
pub mod okta;
pub mod org;
pub mod packed;
pub mod problem;
pub mod role;
pub mod similar;

pub use members::Members;
pub use role::PlatformRole;
