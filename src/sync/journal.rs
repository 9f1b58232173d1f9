//! The journal of the run that goes on: from its beginning, which may have to wait for another run, to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use crate::apply::Outcome;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::mapping::attributes::Mapping;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::known::KnownOrg;
use crate::output::text::{count, counted};
use crate::plan::hold::convergence::Divergence;
use crate::plan::hold::resumed::Resumed;
use crate::plan::in_line::{Digests, InLine};
use crate::plan::{Past, Plan, Step};
use crate::state::history::{Run, Standing};
use crate::state::journal::{Beginning, Ending};
use crate::state::{self, Lock, StateFile, Taken};
use crate::sync::context::Context;
use crate::sync::session::{self, Knows, Session};

/// How often a waiting run looks whether the other run has ended.
const LOOK: Duration = Duration::from_millis(300);

/// The run that goes on.
#[derive(Debug)]
pub struct Journal {
    state: StateFile,
    run: u32,
    /// Held until the run has ended, by a run that may write: that of the state file and that of the platform.
    locks: Vec<Lock>,
    /// The first failure to write a step down. No step begins after it.
    failure: Mutex<Option<Error>>,
    /// Whether something that was planned isn't done.
    undone: AtomicBool,
}

impl Journal {
    /// Begins a run that only reads.
    pub fn begin(command: &str, session: &Session, context: &Context) -> Result<Self> {
        Self::new(session::state_to_read(&session.settings, context)?, Vec::new(), command, session, context)
    }

    /// Begins a run that may write, once no other one does. Says of runs that were cut short how far they came. `platforms` are those
    /// of the runs that go on in this process, by their ids.
    pub async fn begin_alone(
        command: &str,
        session: &Session,
        wait: bool,
        platforms: &mut BTreeMap<String, String>,
        context: &Context,
    ) -> Result<Self> {
        let state = session.state()?;
        let turn = Turn { platform: session.platform(), wait, context };
        let (lock, _) = turn.taken(|| state.lock(command)).await?;
        for run in state.close_open()?.iter().filter(|run| run.done + run.failed > 0) {
            context.printer.warning(&cut_short(run));
        }
        let mut journal = Self::new(state, lock.into_iter().collect(), command, session, context)?;
        let platform = async {
            let id = session.platform_id().await?;
            is_another_platform(&id, session.settings.target_name(), platforms)?;
            let (lock, waited) = turn.taken(|| state::lock::platform(&id, command)).await?;
            if waited {
                session.activepieces.forget();
            }
            Ok(lock)
        };
        match platform.await {
            Ok(lock) => journal.locks.extend(lock),
            Err(error) => {
                let refused = Err(error);
                journal.note_end(&refused, session.requests())?;
                return refused.map(|_| journal);
            }
        }
        Ok(journal)
    }

    fn new(state: StateFile, locks: Vec<Lock>, command: &str, session: &Session, context: &Context) -> Result<Self> {
        let run = state.begin(&Beginning {
            command,
            started: Timestamp::now(),
            config: &fingerprint(context)?,
            okta: session.org(),
            activepieces: session.platform(),
        })?;
        Ok(Self { state, run, locks, failure: Mutex::new(None), undone: AtomicBool::new(false) })
    }

    /// The run's number.
    pub fn run(&self) -> u32 {
        self.run
    }

    /// What earlier runs left to be known.
    pub fn past(&self) -> Result<Past> {
        Ok(self.state.past()?.unwrap_or_default())
    }

    /// What earlier runs left to be known, of the org only if not all is to be read.
    /// Where the plan is `kept` in a file, what it is made from is told.
    pub fn knows(&self, session: &Session, full: bool, kept: bool, context: &Context) -> Result<Knows> {
        let org = if full { KnownOrg::default() } else { self.state.known_org()? };
        let config = kept.then(|| fingerprint(context)).transpose()?;
        let owed_roles = owed_roles(&self.state, &session.settings.mapping)?;
        let in_line = self.state.in_line()?;
        Ok(Knows { past: self.past()?, org, owed_roles, in_line, writes: !self.locks.is_empty(), config })
    }

    /// Replaces what earlier runs left to be known.
    pub fn remember(&self, past: &Past) -> Result<()> {
        self.state.remember_past(past)
    }

    /// Records what this run leaves in line: what was right before, and the steps that are `done`. Without digests, nothing that
    /// the plan touches is known to be in line. A read that isn't trusted says nothing about it.
    pub fn remember_in_line(
        &self,
        digests: Option<Digests>,
        plan: &Plan,
        past: Option<InLine>,
        done: impl Fn(Step<'_>) -> bool,
    ) -> Result<()> {
        if !plan.shrunk.is_empty() {
            return Ok(());
        }
        let past = past.unwrap_or_default();
        let in_line = match digests {
            Some(digests) => digests.in_line(self.run, plan, &past, done),
            None => past.clone().without(plan),
        };
        self.state.remember_in_line(&in_line, &past)
    }

    /// Records that users who were missing in earlier runs were seen in this one, whatever becomes of it.
    pub fn remember_seen(&self, past: &Past, seen: &Past) -> Result<()> {
        if past == seen { Ok(()) } else { self.state.remember_past(seen) }
    }

    /// What the last run that wrote was allowed to do and didn't, since the server failed. A run that its admin stopped
    /// leaves nothing.
    pub fn resumed(&self) -> Result<Resumed> {
        let Some(last) = self.state.last_written()? else { return Ok(Resumed::default()) };
        if !matches!(last.outcome.as_deref(), Some("partial" | "failed")) {
            return Ok(Resumed::default());
        }
        // The plan of another version may have another form: then the limits hold as ever.
        let Ok(Some(recorded)) = self.state.recorded(last) else { return Ok(Resumed::default()) };
        Ok(Resumed::of(&recorded.plan, |step| *recorded.standing(step) == Standing::Ended(Outcome::Done)))
    }

    /// The file that the journal is in.
    pub fn state(&self) -> &StateFile {
        &self.state
    }

    /// Notes what the plan comes to.
    pub fn planned(&self, plan: &Plan) -> Result<()> {
        self.state.planned(self.run, plan)
    }

    /// Writes the whole plan down, before its first step.
    pub fn writes(&self, plan: &Plan, hash: &str) -> Result<()> {
        self.state.writes(self.run, plan, hash)
    }

    /// Notes that a step begins; an error says that it must not.
    pub fn begins(&self, step: Step<'_>) -> std::result::Result<(), String> {
        // The lock of the platform keeps every other run out, that of the state file only some.
        if let Some(Err(error)) = self.locks.last().map(Lock::holds) {
            self.failure().get_or_insert(error);
            return Err("the lock was lost".to_owned());
        }
        let unwritable = || "the journal can't be written".to_owned();
        if self.failure().is_some() {
            return Err(unwritable());
        }
        self.state.begins(self.run, step).map_err(|error| {
            self.failure().get_or_insert(error);
            unwritable()
        })
    }

    /// Records the outcome of a step.
    pub fn ended(&self, step: Step<'_>, outcome: &Outcome) {
        if let Err(error) = self.state.ended(self.run, step, outcome) {
            self.failure().get_or_insert(error);
        }
    }

    /// Notes what does not stand, though the server answered well.
    pub fn diverged(&self, unsettled: &[(Step<'_>, Divergence)]) -> Result<()> {
        unsettled.iter().try_for_each(|(step, found)| self.state.diverged(self.run, *step, &found.what))
    }

    /// Notes that something that was planned isn't done.
    pub fn leaves_undone(&self) {
        self.undone.store(true, Ordering::Relaxed);
    }

    /// Whether something that was planned isn't done.
    pub fn is_undone(&self) -> bool {
        self.undone.load(Ordering::Relaxed)
    }

    /// Ends the run with its outcome, and returns that, or the error that kept the journal from being written.
    pub fn end(self, result: Result<u8>, requests: u64) -> Result<u8> {
        let result = self.failure().take().map_or(result, Err);
        let ended = self.note_end(&result, requests);
        result.and_then(|code| ended.map(|()| code))
    }

    fn note_end(&self, result: &Result<u8>, requests: u64) -> Result<()> {
        let reason = result.as_ref().err().map(ToString::to_string);
        let outcome = outcome(result, self.is_undone());
        self.state.end(self.run, Ending { outcome, reason: reason.as_deref(), requests })
    }

    fn failure(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Refuses a platform that another target of this command has under another address, and whose lock this process holds already.
fn is_another_platform(id: &str, target: &str, platforms: &mut BTreeMap<String, String>) -> Result<()> {
    if let Some(other) = platforms.insert(id.to_owned(), target.to_owned()) {
        let message = format!("it is the platform of the target {other}, by another address");
        return Err(Error::new(Kind::Refused, message).hint("a platform takes its users from one scope of one org"));
    }
    Ok(())
}

/// Users whose project roles the last run that wrote was to give and didn't, whatever kept it: it may have added them with
/// the server's default role. None where the config manages no roles.
pub fn owed_roles(state: &StateFile, mapping: &Mapping) -> Result<BTreeMap<OktaGroupId, BTreeSet<OktaUserId>>> {
    if !mapping.manages_roles() {
        return Ok(BTreeMap::new());
    }
    let Some(last) = state.last_with_plan()? else { return Ok(BTreeMap::new()) };
    let Ok(Some(recorded)) = state.recorded(last) else { return Ok(BTreeMap::new()) };
    let undone = |step: &Step<'_>| *recorded.standing(*step) != Standing::Ended(Outcome::Done);
    let mut owed: BTreeMap<OktaGroupId, BTreeSet<OktaUserId>> = BTreeMap::new();
    for step in recorded.plan.steps().filter(undone) {
        let (op, users): (_, Vec<&OktaUserId>) = match step {
            Step::AddMembers(op) => {
                (op, op.add.iter().filter(|member| member.role.is_some()).map(|member| &member.okta_id).collect())
            }
            Step::SetRoles(op) => (op, op.roles.iter().map(|change| &change.okta_id).collect()),
            Step::Invitation(_)
            | Step::MoveLink(_)
            | Step::User(_)
            | Step::CopyMemberships(_)
            | Step::CloseOld(_)
            | Step::Project(_)
            | Step::RemoveMembers(_) => continue,
        };
        owed.entry(op.group.clone()).or_default().extend(users.into_iter().cloned());
    }
    Ok(owed)
}

/// The word for the outcome of a run. A source that isn't trusted leaves removals undone; a problem alone leaves nothing
/// undone that was planned.
pub fn outcome(result: &Result<u8>, is_undone: bool) -> &'static str {
    match result {
        Ok(code) if is_undone || *code == Kind::NotTrusted.exit_code() => "partial",
        Ok(_) => "done",
        Err(error) => match error.kind {
            Kind::Refused => "refused",
            Kind::Interrupted => "interrupted",
            _ => "failed",
        },
    }
}

/// How a run gets its turn.
struct Turn<'a> {
    platform: &'a str,
    /// Whether to wait for the end of another run.
    wait: bool,
    context: &'a Context,
}

impl Turn<'_> {
    /// Takes a lock, or waits for it if that is wanted; also gives whether it waited. No lock is taken where this machine has no
    /// place for it.
    async fn taken(&self, take: impl Fn() -> Result<Taken>) -> Result<(Option<Lock>, bool)> {
        let &Self { platform, wait, context } = self;
        let mut waited = false;
        loop {
            match take()? {
                Taken::Mine(lock) => return Ok((Some(lock), waited)),
                Taken::Nowhere(why) => {
                    context.printer.warning(&format!(
                        "no lock of the platform: {why}; only runs with this state file wait for each other"
                    ));
                    return Ok((None, waited));
                }
                Taken::Held(holder) if !wait => {
                    return Err(Error::new(Kind::Locked, format!("another run is at work on {platform}: {holder}"))
                        .hint("--wait waits for its end"));
                }
                Taken::Held(holder) => {
                    if !waited {
                        context.printer.status(&format!("Waiting for another run on {platform}: {holder}"));
                    }
                    waited = true;
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }
}

/// How far a run came that never ended.
fn cut_short(run: &Run) -> String {
    let under_way = match run.failed {
        0 => String::new(),
        failed => format!(", {} failed or under way", count(failed)),
    };
    format!(
        "run {} ({}, begun {}) was cut short with {} of {} done{under_way}; an apply does the rest",
        run.id,
        run.command,
        run.started,
        count(run.done),
        counted(run.changes.unwrap_or_default(), "operation", "operations"),
    )
}

/// The SHA-256 of the config file and of the variables that override its keys.
pub fn fingerprint(context: &Context) -> Result<String> {
    let path = session::config_path(context);
    let bytes = config::identity(&path)?;
    let hash = digest(&SHA256, &bytes);
    Ok(hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
