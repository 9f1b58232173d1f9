//! How a plan becomes written, for `apply` and `undo` alike: guards, the plan, the question, the writing, the report.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use jiff::Timestamp;

use crate::activepieces;
use crate::apply::{self, Event, Outcome, Report};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::output::document::Document;
use crate::output::format::Format;
use crate::output::progress::Progress;
use crate::output::text::{count, counted, safe};
use crate::output::{json, report_text};
use crate::plan::adoption::AccountMatch;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::hold::convergence::Stands;
use crate::plan::hold::resumed::Resumed;
use crate::plan::in_line::{Digests, InLine};
use crate::plan::op::{Attribute, ProjectAction, ProjectOp, UserAction, UserOp};
use crate::plan::saved::Remaining;
use crate::plan::{Past, Plan};
use crate::sync::context::Context;
use crate::sync::interrupt::{Interrupt, interrupted};
use crate::sync::journal::Journal;
use crate::sync::session::{PARALLELISM, Session};
use crate::sync::waiting::told as telling_waits;
use crate::sync::watch::Watch;

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
    /// Allow the plan of this hash, which plan printed, though it is over a limit; refuse every other
    #[arg(long, value_name = "HASH")]
    approve: Option<String>,
}

/// What is to be written, and the state around it.
#[derive(Debug)]
pub struct Proposal {
    pub held: Remaining,
    /// The hash of the plan as it was looked at, which of a saved plan may have a stale part.
    pub hash: String,
    /// State recorded by earlier runs.
    pub past: Past,
    /// State to record once this run is completed.
    pub remember: Past,
    /// What this run may leave in line; none for an undo and for a saved plan.
    pub digests: Option<Digests>,
    /// What the last run left in line.
    pub in_line: Option<InLine>,
    /// The time of the read, by Okta's clock.
    pub now: Timestamp,
    /// How each account is matched, where that is shown.
    pub accounts: Option<Vec<AccountMatch>>,
}

fn parallelism(text: &str) -> std::result::Result<u32, String> {
    match text.parse() {
        Ok(number @ 1..=64) => Ok(number),
        _ => Err("a number from 1 to 64 is wanted".to_owned()),
    }
}

impl WriteArgs {
    fn allowed(&self, resumed: Resumed) -> Allowed {
        Allowed {
            deactivations: self.allow_deactivations,
            new_admins: self.allow_new_admins,
            recreations: self.allow_recreations,
            project_roles: self.allow_project_role_changes,
            resumed,
            project_deletions: self.allow_project_deletions,
            account_deletions: self.allow_account_deletions,
            empty_scope: self.allow_empty_scope,
            approved: self.approve.clone(),
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

/// A run that is about to write.
#[derive(Debug)]
pub struct Writing<'a> {
    pub args: &'a WriteArgs,
    pub session: &'a Session,
    pub journal: &'a Journal,
    pub watch: &'a Watch<'a>,
    pub interrupt: &'a Interrupt,
    pub context: &'a Context,
    /// What to do after it, where all was done.
    pub next: &'static str,
    /// The format of a plan that is only looked at.
    pub format: Format,
}

/// Begins a run that may write, once no other one does, lets it `work`, and ends it. `next` is what to do after it, where all was done.
pub async fn run(
    command: &str,
    next: &'static str,
    args: &WriteArgs,
    session: &Session,
    watch: &Watch<'_>,
    interrupt: &Interrupt,
    work: impl AsyncFnOnce(&Writing<'_>) -> Result<u8>,
) -> Result<u8> {
    let context = watch.context();
    let journal = Journal::begin_alone(command, session, args.wait, context).await?;
    watch.begun(&journal);
    let writing = Writing {
        args,
        session,
        journal: &journal,
        watch,
        interrupt,
        context,
        next,
        format: Format::of(&context.printer),
    };
    let result = Box::pin(work(&writing)).await;
    watch.close(journal, result, session)
}

impl Writing<'_> {
    /// Shows the plan that is proposed and writes it, with that consent. Refuses what the guards don't allow. After a question
    /// that was open for long the plan is made again, and asked about again where it isn't the same.
    pub async fn carry_out(&self, propose: impl AsyncFn() -> Result<Proposal>, consent: Consent) -> Result<u8> {
        let mut proposal = propose().await?;
        loop {
            self.show(&proposal, consent)?;
            let Proposal { held: Remaining { plan, .. }, hash, .. } = &proposal;
            if consent == Consent::Withheld {
                self.context.printer.status("\nNothing was written.");
                return Ok(if plan.problems.is_empty() { EXIT_OK } else { Kind::Partial.exit_code() });
            }
            if consent == Consent::Given || plan.is_empty() {
                return self.write_and_report(proposal).await;
            }
            let open = Open::now();
            if !self.context.printer.confirm("\nApply this plan?") {
                self.context.printer.status("Nothing was written.");
                return Err(interrupted());
            }
            if !open.for_long() {
                return self.write_and_report(proposal).await;
            }
            let fresh = propose().await?;
            if fresh.hash == *hash {
                return self.write_and_report(fresh).await;
            }
            self.context.printer.warning("the plan changed while the question was open; this is the plan as it is now");
            proposal = fresh;
        }
    }

    /// Shows the plan, and refuses what the guards don't allow.
    fn show(&self, proposal: &Proposal, consent: Consent) -> Result<()> {
        let &Self { args, session, context, .. } = self;
        let Proposal { held: Remaining { plan, .. }, hash, past, now, accounts, .. } = proposal;
        self.journal.planned(plan)?;
        if past.trusted.is_none() && plan.standing.managed_active > 0 {
            context
                .printer
                .warning("no earlier apply is recorded here: of the default limits only that of deactivations counts");
        }
        let allowed = args.allowed(self.journal.resumed()?);
        let refusals = guard::check(plan, hash, &session.settings.policy, past, &allowed);
        // The error names the refusals.
        self.watch.planned(plan, &[]);
        let is_answer = !refusals.is_empty() || consent == Consent::Withheld;
        if !self.watch.is_brief() && (!context.printer.json || is_answer) {
            let made = now.to_string();
            let (made, accounts) = (Some(made.as_str()), accounts.as_deref());
            let document = Document { made, refusals: &refusals, accounts, ..session.document(plan, hash) };
            self.format.answer(&document, &context.printer);
        }
        if refusals.is_empty() { Ok(()) } else { Err(refused(&refusals, hash)) }
    }

    /// Writes the plan, reads it again, and records what the next run has to know.
    async fn write_and_report(&self, proposal: Proposal) -> Result<u8> {
        let context = self.context;
        let Proposal { held: Remaining { plan, stale, .. }, hash, past, mut remember, digests, in_line, now, .. } =
            proposal;
        let early = past.with_what_goes(&remember);
        if early != past {
            self.journal.remember(&early)?;
        }
        let mut report = Report { stale, ..self.write(&plan, &hash).await? };
        let seen = self.look_again(&mut report).await;
        let code = self.finish(&plan, &hash, &report)?;
        let seen = seen.map(|changes| remember.unsettled_since.extend(changes.into_iter().map(|change| (change, now))));
        self.journal.remember(&remember)?;
        let done = report.done_steps();
        self.journal.remember_in_line(digests, &plan, in_line, |step| done.contains(&(step.kind(), step.okta_id())))?;
        if let Err(error) = seen {
            context.printer.warning(&format!("the changes couldn't be read again to verify them: {error}"));
            return Ok(if code == EXIT_OK { Kind::Partial.exit_code() } else { code });
        }
        Ok(code)
    }

    /// Reads again what was written, records the changes that didn't persist, and returns their names.
    async fn look_again(&self, report: &mut Report<'_>) -> Result<Vec<String>> {
        if report.is_cut_short() || !report.outcomes().any(|(_, outcome)| outcome.is_answered()) {
            return Ok(Vec::new());
        }
        let roles = report.projects.iter().any(|(op, _)| op.sets_roles());
        let mut platform = Box::pin(activepieces::read_with_roles(&self.session.activepieces, roles)).await?;
        if !report.invitations.is_empty() {
            platform.invitations = activepieces::invitations::read(&self.session.activepieces).await?;
        }
        let unsettled = report.look_again(&Stands::of(&platform));
        self.journal.diverged(&unsettled)?;
        Ok(unsettled.into_iter().filter_map(|(_, found)| found.change).collect())
    }

    /// Writes the plan with progress, and each step into the journal.
    async fn write<'p>(&self, plan: &'p Plan, hash: &str) -> Result<Report<'p>> {
        let stopped = self.interrupt.begin_writing();
        if plan.is_empty() {
            return Ok(Report::default());
        }
        self.journal.writes(plan, hash)?;
        let progress = Progress::spinner(&self.context.printer, "Applying");
        progress.steps(plan.steps().count());
        let tell = |event: Event<'_>| match event {
            Event::Stage { name, steps } => {
                progress.message(format!("{name} ({})", count(steps)));
                Ok(())
            }
            Event::Begins(step) => self.journal.begins(step),
            Event::Ended { step, outcome } => {
                progress.step();
                self.journal.ended(step, outcome);
                Ok(())
            }
        };
        let run = apply::run(plan, &self.session.activepieces, self.args.parallelism, stopped, &tell);
        Ok(telling_waits(run, self.session.waits(), &progress, &self.context.printer).await)
    }

    /// What to do next.
    fn next(&self, report: &Report<'_>) -> &'static str {
        if is_whole(report) { self.next } else { "Run oktapieces plan to see what is left to do." }
    }

    /// Shows the outcome and returns the exit code.
    fn finish(&self, plan: &Plan, hash: &str, report: &Report<'_>) -> Result<u8> {
        let (printer, run) = (&self.context.printer, self.journal.run());
        self.watch.applied(report);
        if !is_whole(report) {
            self.journal.leaves_undone();
        }
        if printer.json {
            let plan = json::plan(&self.session.document(plan, hash));
            printer.answer_json(&json::report(run, &plan, report));
        } else if !(self.watch.is_brief() || plan.is_empty() && report.stale.is_empty()) {
            printer.answer(&format!("\n{}", report_text::render(report)));
            printer.status(&format!("\n{} This was run {run}{}.", self.next(report), undo_hint(run, report)));
        }
        let (done, all) = report.done_of();
        if report.interrupted {
            return Err(interrupted().hint(format!("{} of {all} operations remain; run it again", all - done)));
        }
        if report.unreachable {
            let (printer, remain) = (&self.context.printer, count(all - done));
            printer.warning(&format!(
                "Activepieces stopped answering: {remain} of {} weren't done; run it again once the server is back",
                counted(all, "operation", "operations")
            ));
            return Ok(Kind::Partial.exit_code());
        }
        if report.unauthorized {
            let remain = format!("{} of {all} operations remain; put a new key in place and run it again", all - done);
            let message = "Activepieces doesn't accept the API key any more";
            return Err(Error::new(Kind::Unauthorized, message).hint(remain));
        }
        if all == 0 && !report.stale.is_empty() {
            return Err(Error::new(Kind::Refused, "nothing of the plan is current any more").hint("make a new plan"));
        }
        if !plan.shrunk.is_empty() {
            printer.warning(
                "the Okta data looks incomplete, so nothing was removed; pass --trust-source if it is correct",
            );
            return Ok(Kind::NotTrusted.exit_code());
        }
        Ok(if is_whole(report) && plan.problems.is_empty() { EXIT_OK } else { Kind::Partial.exit_code() })
    }
}

/// Whether everything that was planned is done, and persisted.
fn is_whole(report: &Report<'_>) -> bool {
    let (done, all) = report.done_of();
    done == all && report.stale.is_empty() && report.diverged.is_empty()
}

/// Since when a question is open.
struct Open {
    instant: Instant,
    /// The monotonic clock stands still while a machine sleeps.
    time: SystemTime,
}

impl Open {
    /// After so long the plan is made again: another client may have changed what it touches.
    const LONG: Duration = Duration::from_mins(1);

    fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }

    fn for_long(&self) -> bool {
        // A clock that was set back or far ahead costs no more than another read.
        let by_clock = self.time.elapsed().unwrap_or(Self::LONG);
        self.instant.elapsed() >= Self::LONG || by_clock >= Self::LONG
    }
}

/// How the run is undone, where anything that it did can be.
fn undo_hint(run: u32, report: &Report<'_>) -> String {
    let itself = |op: &ProjectOp| matches!(op.action, ProjectAction::Rename { .. } | ProjectAction::Archive { .. });
    let is_done = |outcome: &Option<Outcome>| outcome.as_ref().is_some_and(Outcome::is_done);
    // An externalId can't be cleared (docs/activepieces.md#patch-of-a-user).
    let links = |op: &UserOp| {
        op.changes.iter().all(|change| change.attribute == Attribute::ExternalId && change.from.is_none())
    };
    let is_undoable = |op: &UserOp| !op.is_deletion() && (op.action != UserAction::Adopt || !links(op));
    let users = report.users.iter().any(|(op, outcome)| outcome.is_done() && is_undoable(op));
    let projects = report.projects.iter().any(|(op, outcomes)| {
        (itself(op) && is_done(&outcomes.project))
            || is_done(&outcomes.add)
            || is_done(&outcomes.remove)
            || is_done(&outcomes.roles)
    });
    if users || projects {
        return format!(": oktapieces undo {run} undoes it");
    }
    let (done, _) = report.done_of();
    if done > 0 { "; what it did can't be undone".to_owned() } else { String::new() }
}

/// All refusals, with the flags that would allow them.
fn refused(refusals: &[Refusal], hash: &str) -> Error {
    let texts: Vec<String> = refusals.iter().map(|refusal| safe(&refusal.to_string())).collect();
    let error = Error::new(Kind::Refused, texts.join("; "));
    match refusals.iter().map(|refusal| refusal.flag(hash)).collect::<Option<BTreeSet<String>>>() {
        Some(flags) => {
            let flags: Vec<String> = flags.into_iter().collect();
            error.hint(format!("look at the plan; {} allows exactly this", flags.join(" ")))
        }
        None => error.hint("look at the plan; no flag allows this"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_was_open_for_a_minute_is_followed_by_another_look() {
        let ago = |seconds| Open {
            instant: Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap(),
            time: SystemTime::now(),
        };
        assert!(!Open::now().for_long() && !ago(50).for_long() && ago(60).for_long());
        // The monotonic clock stood still while the machine slept, or the clock was set back.
        for time in [SystemTime::now() - Duration::from_secs(61), SystemTime::now() + Duration::from_hours(1)] {
            assert!(Open { instant: Instant::now(), time }.for_long());
        }
    }
}
