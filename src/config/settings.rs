//! The settings of a sync, as a config file resolves to them: complete, valid, and with every default filled in.

use std::path::PathBuf;

use reqwest::Url;

use super::monitoring::MonitoringSettings;
use super::secret::SecretSource;
use super::source::ConfigText;
use crate::mapping::attributes::Mapping;
use crate::mapping::projects::ProjectRule;
use crate::model::org::Scope;
use crate::plan::Policy;

/// All that a config file says of one target. It holds no secret, only where each one comes from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the target; none where the file has no `[[target]]`.
    pub target: Option<String>,
    pub okta: OktaSettings,
    pub activepieces: ActivepiecesSettings,
    pub scope: Scope,
    pub mapping: Mapping,
    /// Whether expressions that the file doesn't have come from the app's profile mapping in Okta.
    pub from_okta: bool,
    /// In the order of the file.
    pub projects: Vec<ProjectRule>,
    pub policy: Policy,
    pub monitoring: MonitoringSettings,
    /// The file itself, for pictures of mistakes that are found later.
    pub text: ConfigText,
    /// What was corrected or looks odd, each with its place, such as `config.toml:3: ...`.
    pub warnings: Vec<String>,
}

impl Settings {
    /// The name of the target; empty where the file has no `[[target]]`.
    pub fn target_name(&self) -> &str {
        self.target.as_deref().unwrap_or_default()
    }
}

/// `[okta]`
#[derive(Clone, Debug)]
pub struct OktaSettings {
    /// The org's own host, with `/` as its path.
    pub org_url: Url,
    /// Where the config has it: `config.toml:2`.
    pub org_url_at: String,
    pub access: OktaAccess,
    /// A file with the CAs that are trusted in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// The share of what the rate-limit headers grant that may be used: above 0, at most 1.
    pub rate_limit_share: f64,
}

/// The credentials for Okta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OktaAccess {
    ApiToken(SecretSource),
    ServiceApp(ServiceAppSettings),
}

/// An OAuth 2.0 service app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAppSettings {
    pub client_id: String,
    pub key_id: String,
    /// Where its private key is, in PEM; always a file.
    pub key: SecretSource,
    /// What to ask for; none for the least that the config needs.
    pub scopes: Option<Vec<String>>,
}

/// `[activepieces]`
#[derive(Clone, Debug)]
pub struct ActivepiecesSettings {
    /// The platform's base URL; its path ends in `/`, so that `api/v1/...` can be joined to it.
    pub url: Url,
    /// Where the config has it: `config.toml:6`.
    pub url_at: String,
    pub api_key: SecretSource,
    /// As in `[okta]`.
    pub ca_file: Option<PathBuf>,
}
