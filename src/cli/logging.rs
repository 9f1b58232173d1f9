//! The log on stderr: requests with `--verbose`, more with `RUST_LOG`, and as JSON what a run does. It never contains a header
//! or a body, and from the level of info on no name, address or id of a user. The libraries promise no such thing, so what they
//! log is left out.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

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
    let own = filter_fn(|metadata| metadata.target().starts_with(env!("CARGO_PKG_NAME")));
    let layer = fmt::layer().with_writer(io::stderr).with_target(false);
    let layer = match format {
        LogFormat::Text => layer.with_ansi(colour).boxed(),
        LogFormat::Json => layer.with_ansi(false).fmt_fields(JsonFields::new()).event_format(Lines).boxed(),
    };
    registry().with(layer.with_filter(filter.and(own))).init();
}
