//! What a command that may write is told: its flags, and whether it asks.

use clap::Args;

use crate::error::{Error, Kind, Result};
use crate::output::format::Format;
use crate::plan::guard::Allowed;
use crate::plan::hold::resumed::Resumed;
use crate::sync::context::Context;
use crate::sync::session::PARALLELISM;

/// What the commands that write have in common.
#[derive(Debug, Args)]
pub struct WriteArgs {
    /// Write without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Wait for the end of another run that writes to the same platform, instead of giving up
    #[arg(long)]
    pub wait: bool,
    /// The most requests to Activepieces side by side; where it answers no sooner for more of them, fewer are sent
    #[arg(long, value_name = "N", default_value_t = PARALLELISM, value_parser = parallelism)]
    pub parallelism: u32,
    /// Allow exactly so many deactivations, though the limit in the config is lower
    #[arg(long, value_name = "N")]
    allow_deactivations: Option<usize>,
    /// Allow exactly so many users to become ADMIN, though the limit in the config is lower
    #[arg(long, value_name = "N")]
    allow_new_admins: Option<usize>,
    /// Allow exactly so many accounts to be replaced, though the limit in the config is lower
    #[arg(long, value_name = "N")]
    allow_recreations: Option<usize>,
    /// Allow exactly so many changes of project roles, though the limit in the config is lower
    #[arg(long, value_name = "N")]
    allow_project_role_changes: Option<usize>,
    /// Allow a plan that deactivates accounts because no user is in scope
    #[arg(long)]
    allow_empty_scope: bool,
    /// Allow exactly so many deletions of projects, which `delete_unpushed` asks for
    #[arg(long, value_name = "N")]
    allow_project_deletions: Option<usize>,
    /// Allow exactly so many deletions of accounts, which `delete_inactive_after` asks for
    #[arg(long, value_name = "N")]
    allow_account_deletions: Option<usize>,
    /// Allow the plan of this hash, which plan printed, though it is over a limit; refuse every other; repeat it for several targets
    #[arg(long, value_name = "HASH")]
    approve: Vec<String>,
}

fn parallelism(text: &str) -> std::result::Result<u32, String> {
    match text.parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err("a number from 1 to 64 is wanted".to_owned()),
    }
}

impl WriteArgs {
    /// What the flags allow the plan of this hash, and what the last run left to be done.
    pub fn allowed(&self, hash: &str, resumed: Resumed) -> Allowed {
        let approved = self.approve.iter().find(|approved| *approved == hash);
        Allowed {
            deactivations: self.allow_deactivations,
            new_admins: self.allow_new_admins,
            recreations: self.allow_recreations,
            project_roles: self.allow_project_role_changes,
            resumed,
            project_deletions: self.allow_project_deletions,
            account_deletions: self.allow_account_deletions,
            empty_scope: self.allow_empty_scope,
            approved: approved.or(self.approve.first()).cloned(),
        }
    }

    /// Refuses to begin where a question is needed and there is no terminal to ask on.
    pub fn can_ask(&self, context: &Context) -> Result<()> {
        if self.yes || context.printer.interactive {
            return Ok(());
        }
        Err(Error::new(Kind::Usage, "cannot prompt: stdin is not a terminal")
            .hint("pass --yes to apply without a prompt"))
    }
}

/// Whether a plan that the guards allow may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    /// Asks for consent, after the plan was shown.
    Asked,
    /// The plan is only looked at.
    Withheld,
}

/// A command that may write.
#[derive(Debug)]
pub struct Job<'a> {
    /// `apply`, `adopt` or `undo`.
    pub name: &'static str,
    /// What the journal has: `undo 12`.
    pub command: String,
    pub args: &'a WriteArgs,
    pub consent: Consent,
    pub context: &'a Context,
    /// What to do after it, where all was done.
    pub next: &'static str,
    /// The format of a plan that is only looked at.
    pub format: Format,
}
