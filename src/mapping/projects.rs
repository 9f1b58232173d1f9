//! Which groups are pushed as projects, and under which names.

use regex::Regex;

/// One `[[projects]]` entry.
#[derive(Clone, Debug)]
pub struct ProjectRule {
    pub selector: Selector,
    /// The project's name; `$1` stands for the pattern's first group. Without it: the group's name.
    pub name: Option<String>,
    /// `config.toml:40`.
    pub location: Option<String>,
}

/// How a rule finds its groups.
#[derive(Clone, Debug)]
pub enum Selector {
    /// The group with this id or exactly this name.
    Group(String),
    /// Every group whose name matches. `Everyone` and other built-in groups are never taken by a pattern.
    Match(Regex),
}
