//! The one test binary.

mod architecture;
mod config;
#[cfg(feature = "sandbox")]
mod sandbox_activepieces;
