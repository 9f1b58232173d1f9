//! `oktapieces adopt`: shows how accounts match users, and links them.

use clap::Args;

use super::format::FormatArgs;
use super::only::OnlyArgs;
use crate::error::{Error, Kind, Result};
use crate::plan::adoption::{self, AccountMatch, MatchState};
use crate::plan::fingerprint;
use crate::plan::saved::Remaining;
use crate::sync::context::Context;
use crate::sync::job::{Consent, Job, WriteArgs};
use crate::sync::session::{self, Looked};
use crate::sync::write::{self, Proposal, Writing};

/// Show how accounts match users, ask, and link them by externalId
///
/// Nothing but the externalId is written: no role, no name and no access. An account is linked only if it has no externalId, and one user
/// alone claims it by e-mail address or alias. What is in the way of other accounts is shown, and so is what the next apply changes.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// Show the matches and write nothing; so does a format other than text
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    pub format: FormatArgs,
    #[command(flatten)]
    only: OnlyArgs,
    #[command(flatten)]
    write: WriteArgs,
}

impl AdoptArgs {
    fn consent(&self) -> Consent {
        match (self.dry_run || self.format.is_asked_for(), self.write.yes) {
            (_, true) => Consent::Given,
            (true, false) => Consent::Withheld,
            (false, false) => Consent::Asked,
        }
    }
}

pub async fn run(args: AdoptArgs, context: &Context) -> Result<u8> {
    if args.write.yes && args.format.is_asked_for() && !args.format.is_json() {
        return Err(Error::new(Kind::Usage, "a format other than text and json only shows the accounts")
            .hint("leave out --yes, or pass --json"));
    }
    let consent = args.consent();
    if consent == Consent::Asked {
        args.write.can_ask(context)?;
    }
    let command = if consent == Consent::Withheld { "adopt --dry-run" } else { "adopt" }.to_owned();
    let next = "Run oktapieces plan to see what the next apply changes.";
    let format = args.format.wanted(&context.printer);
    let job = Job { name: "adopt", command, args: &args.write, consent, context, next, format };
    let propose = async |writing: &Writing<'_>| propose(&args.only, writing).await;
    Box::pin(write::run(&job, vec![session::one_target(context)?], propose)).await
}

async fn propose(only: &OnlyArgs, writing: &Writing<'_>) -> Result<Proposal> {
    let Writing { job: Job { context, .. }, session, journal, .. } = writing;
    let knows = journal.knows(session, false, false, context)?;
    let Looked { mut plan, desired, platform, known, seen, now, .. } =
        Box::pin(session.look(&knows, false, context)).await?;
    journal.state().remember_org(&known)?;
    journal.remember_seen(&knows.past, &seen)?;
    let mut accounts = adoption::accounts(&desired, &platform, &session.settings.policy, &plan);
    adoption::keep(&mut plan, &accounts);
    only.keep(&mut plan, context);
    let is_kept = |account: &AccountMatch| plan.users.iter().any(|op| op.account.as_ref() == Some(&account.account));
    accounts.retain(|account| account.state != MatchState::Link || !only.is_part() || is_kept(account));
    let hash = fingerprint::of_plan(&plan);
    let held = Remaining { plan, ..Remaining::default() };
    let (remember, accounts) = (seen.clone(), Some(accounts));
    Ok(Proposal { held, hash, past: seen, remember, digests: None, in_line: knows.in_line, now, accounts })
}
