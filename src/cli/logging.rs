//! The log on stderr: requests with `--verbose`, more with `RUST_LOG`, and as JSON what a run does. It never contains a header
//! or a body, and from the level of info on no name, address or id of a user.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;

use super::log_json::Lines;
use crate::output::Verbosity;
use crate::sync::environment;

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Starts the log, where there is one: `RUST_LOG` says what is in it, else `--verbose` asks for each request, else a log in JSON
/// has what the run does. `--quiet` leaves it out.
pub fn start(verbosity: Verbosity, format: LogFormat, colour: bool) {
    let filter = match (EnvFilter::try_from_env(environment::LOG), verbosity, format) {
        (Ok(filter), ..) => filter,
        (Err(_), Verbosity::Verbose, _) => EnvFilter::new("oktapieces=debug"),
        (Err(_), Verbosity::Normal, LogFormat::Json) => EnvFilter::new("oktapieces=info"),
        (Err(_), Verbosity::Normal, LogFormat::Text) | (Err(_), Verbosity::Quiet, _) => return,
    };
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colour).with_target(false);
    let log = log.with_env_filter(filter);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.with_ansi(false).fmt_fields(JsonFields::new()).event_format(Lines).init(),
    }
}
