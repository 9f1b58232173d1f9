//! The transport of both clients: one send loop with retries, rate limits and paging. It knows HTTP and the error bodies of both
//! servers, and nothing about users or groups.
//!
//! - `client` sends a `request` to one origin only and turns errors into a `failure`.
//! - `connect` and `certificate` say in words why no connection was made, and `hint` what to do, by what is known of the `server`.
//! - `answers` records the answers to reads, and gives them again without any network.
//! - `authorize` gives the authorization of each attempt.
//! - `body` parses an answer while it arrives, within its `budget` of size and time; `item` names an entity that can't be read.
//! - `mask` removes secrets from server text before it becomes part of a message.
//! - `retry` decides whether and when to retry; writes are never repeated blindly.
//! - `pace` keeps the rate limits that the server announces in its `signals`.
//! - `waits` knows what requests wait for.
//! - `link` finds the cursor of the next page, `null` accepts null for empty values, and `list` limits lists.

pub mod answers;
pub mod authorize;
mod body;
pub mod budget;
pub mod cause;
pub mod certificate;
pub mod client;
mod connect;
pub mod error_body;
pub mod failure;
mod hint;
mod item;
pub mod link;
mod list;
pub mod mask;
mod null;
pub mod pace;
pub mod request;
pub mod retry;
#[cfg(test)]
pub(crate) mod scripted;
pub mod server;
pub mod signals;
mod waits;

pub use authorize::{Authorization, Authorize, Signed};
pub use budget::Size;
pub use cause::Cause;
pub use client::{Client, Settings};
pub use failure::Failure;
pub use list::bounded_list;
pub use mask::Mask;
pub use null::null_as_default;
pub use request::{Repeat, Reply, Request, segment};
pub use server::{Server, Which};
pub use waits::Waits;
