//! The log on stderr: requests with `--verbose`, anything by `RUST_LOG`. It never holds a header or a body.

use std::io;

use tracing_subscriber::EnvFilter;

use super::environment;
use crate::output::Verbosity;

/// Starts the log; without `--verbose` or `RUST_LOG` there is none.
pub fn start(verbosity: Verbosity, colour: bool) {
    let filter = match EnvFilter::try_from_env(environment::LOG) {
        Ok(filter) => filter,
        Err(_) if verbosity == Verbosity::Verbose => EnvFilter::new("oktapieces=debug"),
        Err(_) => return,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .init();
}
