//! How a plan becomes written, for `apply`, `adopt` and `undo` alike: guards, the plan, the question, the writing, the report.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::Instrument;

use crate::activepieces;
use crate::apply::estimate::Estimate;
use crate::apply::{self, Event, Outcome, Report};
use crate::config::Settings;
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::output::document::Document;
use crate::output::progress::Progress;
use crate::output::text::{count, counted, safe};
use crate::output::{estimate_text, json, report_text};
use crate::plan::adoption::AccountMatch;
use crate::plan::guard::{self, Refusal};
use crate::plan::hold::convergence::Stands;
use crate::plan::in_line::{Digests, InLine};
use crate::plan::op::{Attribute, ProjectAction, ProjectOp, UserAction, UserOp};
use crate::plan::saved::Remaining;
use crate::plan::{Past, Plan};
use crate::sync::interrupt::{Interrupt, interrupted};
use crate::sync::job::{Consent, Job};
use crate::sync::journal::Journal;
use crate::sync::session::Session;
use crate::sync::shown::ShownSince;
use crate::sync::targets::{SharedReads, Targets};
use crate::sync::waiting::told as telling_waits;
use crate::sync::watch::Watch;

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

/// A run of a job that is about to write to one target.
#[derive(Debug)]
pub struct Writing<'a> {
    pub job: &'a Job<'a>,
    pub session: Session,
    pub journal: Journal,
    watch: Watch<'a>,
    interrupt: &'a Interrupt,
}

/// A plan that was shown and that the guards allow.
struct Shown {
    proposal: Proposal,
    /// How long it takes to write it.
    estimate: Estimate,
    since: ShownSince,
}

/// What follows from a plan that was shown.
enum Next {
    Write(Box<Shown>),
    Nothing(u8),
}

/// Does the job for each target, which has its own run, guards and outcome: the plans of all are made and shown, one question
/// asks about all, and then each is written, one after the other. A target that ends early keeps no other one back.
pub async fn run(
    job: &Job<'_>,
    targets: Vec<Settings>,
    propose: impl AsyncFn(&Writing<'_>) -> Result<Proposal>,
) -> Result<u8> {
    let interrupt = Interrupt::watch();
    let mut ending = Targets::new(&targets, job.context);
    let mut planned = Vec::new();
    let (shared, mut platforms) = (SharedReads::of(&targets), BTreeMap::new());
    // In the order of the file, so that two runs of one config that wait for each other's locks don't do so for ever.
    for settings in targets {
        ending.turn_of(settings.target_name());
        let watch = Watch::begin(job.name, job.consent == Consent::Asked, &settings, job.context);
        let span = watch.span();
        let begun = begin(job, settings, &watch, &shared, &mut platforms).instrument(span.clone()).await;
        let mut writing = match begun {
            Ok((session, journal)) => Writing { job, session, journal, watch, interrupt: &interrupt },
            Err(error) => {
                let result = Err(error);
                ending.end(watch.end(&result).await, result);
                continue;
            }
        };
        match writing.propose(&propose).instrument(span).await {
            Ok(Next::Write(shown)) => {
                writing.session.read_alone();
                writing.watch.pause();
                planned.push((writing, *shown));
            }
            Ok(Next::Nothing(code)) => writing.end(Ok(code), &mut ending).await,
            Err(error) => writing.end(Err(error), &mut ending).await,
        }
    }
    drop(shared);
    let is_given = consent(job, &planned);
    for (writing, shown) in planned {
        ending.turn_of(writing.session.settings.target_name());
        writing.watch.resume();
        let span = writing.watch.span();
        let result = Box::pin(writing.write_shown(shown, is_given, &propose)).instrument(span).await;
        writing.end(result, &mut ending).await;
    }
    ending.finish()
}

/// Opens the session and begins the run, once no other one writes to the platform.
async fn begin(
    job: &Job<'_>,
    settings: Settings,
    watch: &Watch<'_>,
    shared: &SharedReads,
    platforms: &mut BTreeMap<String, String>,
) -> Result<(Session, Journal)> {
    let mut session = Session::with(settings, job.args.parallelism)?;
    shared.join(&mut session);
    let journal = Journal::begin_alone(&job.command, &session, job.args.wait, platforms, job.context).await?;
    watch.begun(&journal);
    Ok((session, journal))
}

/// Whether the plans may be written; asks about all that change something, if that is wanted.
fn consent(job: &Job<'_>, planned: &[(Writing<'_>, Shown)]) -> bool {
    let printer = &job.context.printer;
    let changing = planned.iter().filter(|(_, shown)| !shown.proposal.plan().is_empty()).count();
    if job.consent == Consent::Given || changing == 0 {
        return true;
    }
    let question = match planned {
        [(_, shown)] => question(shown.proposal.plan(), shown.estimate),
        _ => format!("\nApply the plans of {changing} targets?"),
    };
    let is_given = printer.confirm(&question);
    if !is_given {
        printer.status("Nothing was written.");
    }
    is_given
}

impl Proposal {
    fn plan(&self) -> &Plan {
        &self.held.plan
    }
}

impl Writing<'_> {
    /// Makes the plan and shows it. Refuses what the guards don't allow.
    async fn propose(&self, propose: impl AsyncFn(&Writing<'_>) -> Result<Proposal>) -> Result<Next> {
        let proposal = propose(self).await?;
        let estimate = self.show(&proposal)?;
        if self.job.consent == Consent::Withheld {
            self.job.context.printer.status("\nNothing was written.");
            let is_clean = proposal.plan().problems.is_empty();
            return Ok(Next::Nothing(if is_clean { EXIT_OK } else { Kind::Partial.exit_code() }));
        }
        Ok(Next::Write(Box::new(Shown { proposal, estimate, since: ShownSince::now() })))
    }

    /// Writes a plan that was shown, with consent. One that was made long ago is made again, from what the servers say then, and
    /// shown and asked about again where it isn't the same.
    async fn write_shown(
        &self,
        shown: Shown,
        is_given: bool,
        propose: impl AsyncFn(&Writing<'_>) -> Result<Proposal>,
    ) -> Result<u8> {
        let printer = &self.job.context.printer;
        let Shown { mut proposal, mut since, .. } = shown;
        loop {
            if self.interrupt.is_stopped() || !(is_given || proposal.plan().is_empty()) {
                return Err(interrupted());
            }
            if proposal.plan().is_empty() || !since.for_long() {
                return self.write_and_report(proposal).await;
            }
            let fresh = propose(self).await?;
            if fresh.hash == proposal.hash {
                return self.write_and_report(fresh).await;
            }
            printer.warning("the plan changed since it was shown; this is the plan as it is now");
            let estimate = self.show(&fresh)?;
            (proposal, since) = (fresh, ShownSince::now());
            let is_asked = self.job.consent == Consent::Asked && !proposal.plan().is_empty();
            if is_asked && !printer.confirm(&question(proposal.plan(), estimate)) {
                printer.status("Nothing was written.");
                return Err(interrupted());
            }
        }
    }

    /// Ends the run in the journal, and tells of it.
    async fn end(self, result: Result<u8>, ending: &mut Targets<'_>) {
        let Self { session, journal, watch, .. } = self;
        let span = watch.span();
        let result = span.in_scope(|| watch.close(journal, result, &session));
        ending.end(watch.end(&result).await, result);
    }

    /// Shows the plan, and refuses what the guards don't allow. Returns how long it takes to write it.
    fn show(&self, proposal: &Proposal) -> Result<Estimate> {
        let Self { job: Job { args, consent, context, .. }, session, .. } = self;
        let Proposal { held: Remaining { plan, .. }, hash, past, now, accounts, .. } = proposal;
        self.journal.planned(plan)?;
        if past.trusted.is_none() && plan.standing.managed_active > 0 {
            context
                .printer
                .warning("no earlier apply is recorded here: of the default limits only that of deactivations counts");
        }
        let allowed = args.allowed(hash, self.journal.resumed()?);
        let refusals = guard::check(plan, hash, &session.settings.policy, past, &allowed);
        // The error names the refusals.
        self.watch.planned(plan, &[]);
        let is_answer = !refusals.is_empty() || *consent == Consent::Withheld;
        let estimate = session.estimate(plan, self.journal.state(), args.parallelism)?;
        if !self.watch.is_brief() && (!context.printer.json || is_answer) {
            let made = now.to_string();
            let document = Document {
                made: Some(&made),
                estimate: Some(estimate),
                refusals: &refusals,
                accounts: accounts.as_deref(),
                ..session.document(plan, hash)
            };
            self.job.format.answer(&document, &context.printer);
        }
        if refusals.is_empty() { Ok(estimate) } else { Err(refused(&refusals, hash)) }
    }

    /// Writes the plan, reads it again, and records what the next run has to know.
    async fn write_and_report(&self, proposal: Proposal) -> Result<u8> {
        let context = self.job.context;
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
        let progress = Progress::spinner(&self.job.context.printer, "Applying");
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
        let run = apply::run(plan, &self.session.activepieces, self.job.args.parallelism, stopped, &tell);
        Ok(telling_waits(run, self.session.waits(), &progress, &self.job.context.printer).await)
    }

    /// What to do next.
    fn next(&self, report: &Report<'_>) -> &'static str {
        if is_whole(report) { self.job.next } else { "Run oktapieces plan to see what is left to do." }
    }

    /// Shows the outcome and returns the exit code.
    fn finish(&self, plan: &Plan, hash: &str, report: &Report<'_>) -> Result<u8> {
        let (printer, run) = (&self.job.context.printer, self.journal.run());
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
            let hint = match all - done {
                0 => "all operations are done; oktapieces plan shows whether each persisted".to_owned(),
                remain => format!("{remain} of {all} operations remain; run it again"),
            };
            return Err(interrupted().hint(hint));
        }
        if report.unreachable {
            let (printer, remain) = (&self.job.context.printer, count(all - done));
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

/// The question before the first write, with what users notice of it.
fn question(plan: &Plan, estimate: Estimate) -> String {
    let mails = plan.welcome_emails();
    let mails = (mails > 0).then(|| format!("sends {}", counted(mails, "welcome e-mail", "welcome e-mails")));
    let takes = estimate_text::takes(estimate).map(|takes| format!("takes {takes}"));
    let notes = [takes, mails].into_iter().flatten().collect::<Vec<_>>().join(" and ");
    if notes.is_empty() { "\nApply this plan?".to_owned() } else { format!("\nIt {notes}. Apply this plan?") }
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
