//! The log on stderr: requests with `--verbose`, more with `RUST_LOG`, otherwise only long waits. It never contains a header
//! or a body.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::output::Verbosity;
use crate::sync::environment;

/// Starts the log. Without `--verbose` or `RUST_LOG` it's part of what is said, which `--quiet` leaves out.
pub fn start(verbosity: Verbosity, colour: bool) {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colour).with_target(false);
    let filter = match EnvFilter::try_from_env(environment::LOG) {
        Ok(filter) => filter,
        Err(_) if verbosity == Verbosity::Verbose => EnvFilter::new("oktapieces=debug"),
        Err(_) if verbosity == Verbosity::Quiet => return,
        Err(_) => {
            return log.with_env_filter(EnvFilter::new("oktapieces=warn")).without_time().with_level(false).init();
        }
    };
    log.with_env_filter(filter).init();
}
