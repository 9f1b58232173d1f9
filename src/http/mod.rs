//! The transport that both clients share: one send loop with retries, pace and paging. It knows HTTP and the error
//! bodies of both servers, and nothing about users or groups.
//!
//! - `client` sends a `request` to one origin only and turns whatever goes wrong into a `failure`.
//! - `authorize` is what a request is let in by, made anew for each attempt where it has to be.
//! - `body` reads and parses an answer while it arrives, within its `budget` of size and time; `item` names what can't be read.
//! - `mask` takes secrets out of what a server wrote: nothing gets into an error but through it.
//! - `retry` decides, purely, whether and when to repeat; writes are never repeated blindly.
//! - `pace` keeps within the rate limits that the server announces in its `signals`.
//! - `link` finds the cursor of the next page, `null` forgives a null where nothing was meant, and `list` bounds lists.

pub mod authorize;
mod body;
pub mod budget;
pub mod client;
pub mod error_body;
pub mod failure;
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
pub mod signals;

pub use authorize::{Authorization, Authorize, Signed};
pub use budget::Size;
pub use client::{Client, Settings};
pub use failure::{Cause, Failure};
pub use list::bounded_list;
pub use mask::Mask;
pub use null::null_as_default;
pub use request::{Repeat, Reply, Request, segment};
