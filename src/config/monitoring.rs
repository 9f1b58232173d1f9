//! `[monitoring]`: what hears of each run.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::secret::SecretSource;

/// What hears of each run, and where its secrets come from.
#[derive(Clone, Debug, Default)]
pub struct MonitoringSettings {
    /// The file that each run writes its metrics to.
    pub metrics_file: Option<PathBuf>,
    /// Where the address comes from that is told of runs.
    pub webhook: Option<SecretSource>,
    pub webhook_format: WebhookFormat,
    pub webhook_on: BTreeSet<WebhookOn>,
    /// Where the address comes from that is fetched after each apply that did all that was planned.
    pub heartbeat: Option<SecretSource>,
    /// CAs that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
}

/// The form of what a webhook gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookFormat {
    #[default]
    Json,
    /// A message of Slack's.
    Slack,
}

/// Which runs a webhook hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebhookOn {
    /// The run changed something, or found something to change.
    Change,
    /// Something that was planned isn't done, or the run failed or was refused.
    Failure,
    /// The run says a line under `--quiet`.
    News,
}

/// The choices of `webhook_on`, as they are written.
pub(super) const ON: [(&str, WebhookOn); 3] =
    [("change", WebhookOn::Change), ("failure", WebhookOn::Failure), ("news", WebhookOn::News)];
