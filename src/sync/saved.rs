//! Plans in files.

use std::path::Path;

use jiff::Timestamp;

use crate::config::Settings;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::output::json;
use crate::output::text::safe;
use crate::plan::guard::Refusal;
use crate::plan::saved::{FORMAT_VERSION, Fingerprints, SavedPlan};
use crate::plan::{Plan, fingerprint};
use crate::sync::session::Session;

/// More than the plan of any org takes, in bytes.
const LARGEST: u64 = 2 << 30;

/// What a plan was made from, and when that was read.
#[derive(Debug)]
pub struct Made {
    pub from: Fingerprints,
    pub at: Timestamp,
    /// Whether something was left out of it.
    pub is_part: bool,
}

/// Writes a plan to a file that only its owner may read, whole or not at all; or into a pipe or a device.
pub fn write(path: &Path, plan: &Plan, made: Made, refusals: Vec<Refusal>, session: &Session) -> Result<()> {
    let saved = SavedPlan {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        okta: session.settings.okta.org_url.to_string(),
        activepieces: session.settings.activepieces.url.to_string(),
        hash: fingerprint::of_plan(plan),
        made_from: made.from,
        made_at: Some(made.at),
        config: Some(session.settings.text.name().to_owned()),
        limits: Some(session.settings.policy.limits),
        refusals,
        is_part: made.is_part,
        plan: plan.clone(),
    };
    let text = serde_json::to_string_pretty(&saved).unwrap_or_default();
    let text = format!("{}\n", json::escaped(&text));
    files::write_out(path, text.as_bytes())
        .map_err(|refusal| Error::new(Kind::Failed, format!("the plan can't be kept: {} {refusal}", path.display())))
}

/// Reads a plan from a file.
pub fn read(path: &Path) -> Result<SavedPlan> {
    let shown = path.display().to_string();
    let text = files::text(path, LARGEST)
        .map_err(|refusal| Error::new(Kind::Config, format!("the plan {shown} {refusal}")))?;
    parse(&text, &shown)
}

/// Reads a plan from the text of the file that is shown as `shown`.
pub fn parse(text: &str, shown: &str) -> Result<SavedPlan> {
    let value = serde_json::from_str::<serde_json::Value>(text).ok();
    if value.as_ref().is_some_and(|value| value.get("oktapieces_snapshot").is_some()) {
        return Err(Error::new(
            Kind::Config,
            format!("{shown} is a snapshot, and a plan from a snapshot can't be applied"),
        )
        .hint("run oktapieces plan --out FILE to make a plan from what both servers say now"));
    }
    let version = value.and_then(|value| value["format_version"].as_u64());
    if version.is_some_and(|version| version != u64::from(FORMAT_VERSION)) {
        return Err(Error::new(Kind::Config, format!("{shown} has another format than this version of oktapieces"))
            .hint("make the plan again with this version"));
    }
    let saved: SavedPlan = serde_json::from_str(text).map_err(|error| {
        Error::from_source(Kind::Config, error)
            .context(format!("{shown} is no plan"))
            .hint("a plan is made by oktapieces plan --out FILE")
    })?;
    if saved.hash != fingerprint::of_plan(&saved.plan) {
        return Err(Error::new(Kind::Config, format!("the plan in {shown} isn't the one that was kept there"))
            .hint("make a new one: a plan that was changed is never applied"));
    }
    Ok(saved)
}

/// The target that a plan was made for: no two have the same platform. Refuses a plan for another org or platform.
pub fn target_of(saved: &SavedPlan, mut targets: Vec<Settings>) -> Result<Settings> {
    let is_of = |settings: &Settings| {
        (saved.okta.as_str(), saved.activepieces.as_str())
            == (settings.okta.org_url.as_str(), settings.activepieces.url.as_str())
    };
    if let Some(at) = targets.iter().position(is_of) {
        return Ok(targets.swap_remove(at));
    }
    let here = targets.iter().map(|settings| format!("{} and {}", settings.okta.org_url, settings.activepieces.url));
    let (okta, activepieces) = (safe(&saved.okta), safe(&saved.activepieces));
    let here = here.collect::<Vec<_>>().join("; ");
    Err(Error::new(Kind::Refused, format!("the plan is for {okta} and {activepieces}, and the config names {here}")))
}
