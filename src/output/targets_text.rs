//! Renders how the targets of one command ended: a heading before each, and a line for each at the end.

use super::text::{ADD, BOLD, REMOVE, safe, styled};
use crate::error::EXIT_OK;

/// A target of which the command has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    pub target: String,
    pub okta: String,
    pub activepieces: String,
    /// `done`, `partial`, `refused`, `failed` or `interrupted`.
    pub outcome: &'static str,
    /// The same in words: `planned: 2 created`.
    pub told: String,
    pub exit_code: u8,
    pub error: Option<String>,
}

/// What comes before a target's own answer.
pub fn heading(target: &str) -> String {
    format!("\n{}\n", styled(BOLD, format!("— {} —", safe(target))))
}

/// A line for each target.
pub fn summary(ended: &[&Ended]) -> String {
    let servers: Vec<String> =
        ended.iter().map(|ended| format!("{} → {}", safe(&ended.okta), safe(&ended.activepieces))).collect();
    let widest =
        |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.chars().count()).max().unwrap_or_default();
    let names = widest(&mut ended.iter().map(|ended| ended.target.as_str()));
    let places = widest(&mut servers.iter().map(String::as_str));
    let lines = ended.iter().zip(&servers).map(|(ended, servers)| {
        let style = if ended.exit_code == EXIT_OK { ADD } else { REMOVE };
        let code = styled(style, format!("exit code {}", ended.exit_code));
        format!("  {:<names$}  {servers:<places$}  {}, {code}", safe(&ended.target), safe(&ended.told))
    });
    format!("\n{}\n{}", styled(BOLD, "Targets"), lines.collect::<Vec<_>>().join("\n"))
}
