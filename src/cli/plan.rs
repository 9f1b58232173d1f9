//! `oktapieces plan`: shows the changes.

use std::path::{Path, PathBuf};

use clap::Args;
use tracing::Instrument;

use super::format::FormatArgs;
use super::only::OnlyArgs;
use super::walk;
use crate::config::Settings;
use crate::error::{EXIT_CHANGES, EXIT_OK, Error, Kind, Result};
use crate::output::document::{Document, FromSnapshot};
use crate::output::plan_text;
use crate::output::walk::Walk;
use crate::plan::guard::{self, Allowed, Refusal};
use crate::plan::{Plan, fingerprint};
use crate::snapshot::Snapshot;
use crate::sync::context::Context;
use crate::sync::interrupt::interrupted;
use crate::sync::journal::Journal;
use crate::sync::session::{self, PARALLELISM, Planned, Session};
use crate::sync::targets::{SharedReads, Targets};
use crate::sync::watch::Watch;
use crate::sync::{saved, snapshot};

/// Show what would change in Activepieces; nothing is written
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with 0 for no changes, 1 for a failure and 2 for changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// Keep the plan in this file, for apply FILE
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan from a snapshot that export made, without any network or secret; it can't be applied
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "full"])]
    from: Option<PathBuf>,
    /// Read the members of all groups, also of those that haven't changed since an earlier run
    #[arg(long)]
    full: bool,
    /// Walk through the plan on the terminal, leave changes out, and save the rest as a file for apply FILE
    #[arg(long, short, conflicts_with_all = ["from", "format", "csv"])]
    interactive: bool,
    #[command(flatten)]
    pub format: FormatArgs,
    #[command(flatten)]
    only: OnlyArgs,
}

pub async fn run(args: PlanArgs, context: &Context) -> Result<u8> {
    if args.interactive {
        context.printer.can_show_screen()?;
    }
    if let Some(path) = &args.from {
        return from_snapshot(&args, path, context).await;
    }
    let targets = session::targets(context)?;
    args.serves(targets.len())?;
    let (shared, mut ending) = (SharedReads::of(&targets), Targets::new(&targets, context));
    for settings in targets {
        ending.turn_of(settings.target_name());
        let watch = Watch::begin("plan", args.format.is_asked_for() || args.interactive, &settings, context);
        let span = watch.span();
        let result = Box::pin(run_watched(&args, settings, &shared, &watch, context).instrument(span)).await;
        ending.end(watch.end(&result).await, result);
    }
    ending.finish()
}

impl PlanArgs {
    /// Refuses what has one plan where there are several.
    fn serves(&self, targets: usize) -> Result<()> {
        let of_one = [
            (self.out.is_some(), "--out keeps"),
            (self.interactive, "--interactive walks through"),
            (self.format.is_of_one(), "this format shows"),
        ];
        let one = of_one.into_iter().find_map(|(is_asked_for, what)| is_asked_for.then_some(what));
        let Some(one) = one.filter(|_| targets > 1) else { return Ok(()) };
        let error = Error::new(Kind::Usage, format!("{one} the plan of one target, and there are {targets}"));
        Err(error.hint("name one with --target"))
    }
}

async fn run_watched(
    args: &PlanArgs,
    settings: Settings,
    shared: &SharedReads,
    watch: &Watch<'_>,
    context: &Context,
) -> Result<u8> {
    let mut session = Session::with(settings, PARALLELISM)?;
    shared.join(&mut session);
    let journal = Journal::begin("plan", &session, context)?;
    watch.begun(&journal);
    let result = Box::pin(plan(args, &session, &journal, watch, context)).await;
    watch.close(journal, result, &session)
}

async fn plan(
    args: &PlanArgs,
    session: &Session,
    journal: &Journal,
    watch: &Watch<'_>,
    context: &Context,
) -> Result<u8> {
    let is_kept = args.out.is_some() || args.interactive;
    let knows = journal.knows(session, args.full, is_kept, context)?;
    let Planned { mut plan, made_from, seen, known, digests, now, .. } = session.plan(&knows, false, context).await?;
    journal.state().remember_org(&known)?;
    journal.remember_seen(&knows.past, &seen)?;
    journal.remember_in_line(Some(digests), &plan, knows.in_line.clone(), |_| false)?;
    args.only.keep(&mut plan, context);
    let allowed = Allowed { resumed: journal.resumed()?, ..Allowed::default() };
    let guard = |plan: &Plan, hash: &str| guard::check(plan, hash, &session.settings.policy, &knows.past, &allowed);
    let save = |plan: &Plan, path: &Path, is_part: bool| {
        let made = saved::Made { from: made_from.clone(), at: now, is_part: is_part || args.only.is_part() };
        saved::write(path, plan, made, guard(plan, &fingerprint::of_plan(plan)), session)
    };
    let walked = if args.interactive && !plan.is_empty() {
        Some(walk_through(args, &mut plan, session, &|plan| guard(plan, ""), save, context).await?)
    } else {
        None
    };
    journal.planned(&plan)?;
    let hash = fingerprint::of_plan(&plan);
    let refusals = guard(&plan, &hash);
    watch.planned(&plan, &refusals);
    let made = now.to_string();
    let estimate = Some(session.estimate(&plan, journal.state(), PARALLELISM)?);
    let document = Document { made: Some(&made), estimate, refusals: &refusals, ..session.document(&plan, &hash) };
    if let Some(walked) = walked {
        tell_walked(&walked, &document, args, context)?;
        return Ok(exit_code(&plan, args.detailed_exitcode));
    }
    if !watch.is_brief() {
        args.format.wanted(&context.printer).answer(&document, &context.printer);
    }
    if let Some(path) = &args.out {
        save(&plan, path, false)?;
        tell_saved(path, context);
    } else if !plan.is_empty() {
        context.printer.status(
            "\nNothing was written. Run oktapieces apply to apply it, or oktapieces plan --out plan.json to keep it.",
        );
    }
    Ok(exit_code(&plan, args.detailed_exitcode))
}

fn tell_saved(path: &Path, context: &Context) {
    let apply = format!("\nNothing was applied. Run oktapieces apply {} to apply exactly this.", path.display());
    context.printer.status(&apply);
}

/// Says what became of a plan that was walked through. Where a file was named and not written, that is an error: a script must not go
/// on with an older one.
fn tell_walked(walked: &Walked, document: &Document<'_>, args: &PlanArgs, context: &Context) -> Result<()> {
    let printer = &context.printer;
    match walked {
        Walked::Quit if args.out.is_some() => {
            return Err(interrupted().hint("the plan wasn't saved; nothing was written"));
        }
        Walked::Quit => printer.status("The plan wasn't saved. Nothing was written."),
        Walked::Saved(path) => {
            plan_text::refused(document).for_each(|refused| printer.answer(&refused));
            printer.answer(&plan_text::total(document.plan));
            tell_saved(path, context);
        }
    }
    Ok(())
}

/// How the admin left the plan to walk through.
enum Walked {
    Quit,
    Saved(PathBuf),
}

/// Lets the admin walk through the plan, and leaves in it what was saved.
async fn walk_through(
    args: &PlanArgs,
    plan: &mut Plan,
    session: &Session,
    guard: &dyn Fn(&Plan) -> Vec<Refusal>,
    save: impl Fn(&Plan, &Path, bool) -> Result<()>,
    context: &Context,
) -> Result<Walked> {
    let out = args.out.as_ref().map(|path| path.display().to_string());
    let mut walk = Walk::new(session.document(plan, ""), guard, out.as_deref());
    let save = |part: &Plan, path: &Path| {
        if args.out.as_deref() != Some(path) && path.is_file() && saved::read(path).is_err() {
            let message = format!("{} is a file that holds no plan; it isn't replaced", path.display());
            return Err(Error::new(Kind::Failed, message));
        }
        save(part, path, *part != *plan)
    };
    let saved = walk::through(&mut walk, &context.printer, save).await?;
    let part = walk.rest().clone();
    Ok(saved.map_or(Walked::Quit, |path| {
        *plan = part;
        Walked::Saved(path)
    }))
}

/// Plans from a snapshot. Nothing is recorded: it isn't a run.
async fn from_snapshot(args: &PlanArgs, path: &Path, context: &Context) -> Result<u8> {
    let mut snapshot = Snapshot::read(path)?;
    let session = Session::offline(session::load(context)?, &snapshot)?;
    snapshot::is_for(&snapshot, &session)?;
    snapshot::serves(&snapshot, &session, context).await?;
    let knows = snapshot::knows(std::mem::take(&mut snapshot.past));
    let Planned { mut plan, .. } = session.plan(&knows, false, context).await?;
    args.only.keep(&mut plan, context);
    let hash = fingerprint::of_plan(&plan);
    let allowed = Allowed { resumed: snapshot.resumed, ..Allowed::default() };
    let refusals = guard::check(&plan, &hash, &session.settings.policy, &knows.past, &allowed);
    let (made, file) = (snapshot.read_at.to_string(), path.display().to_string());
    let document = Document {
        made: Some(&made),
        refusals: &refusals,
        snapshot: Some(FromSnapshot { file: &file, redacted: snapshot.redacted }),
        ..session.document(&plan, &hash)
    };
    args.format.wanted(&context.printer).answer(&document, &context.printer);
    let redacted = if snapshot.redacted { ", redacted" } else { "" };
    context.printer.status(&format!(
        "\nFrom the snapshot {}, read at {}{redacted}. A plan from a snapshot can't be applied.",
        path.display(),
        snapshot.read_at
    ));
    Ok(exit_code(&plan, args.detailed_exitcode))
}

/// A source that isn't trusted and problems have exit codes of their own, so that an unattended run isn't mistaken for
/// a clean one.
fn exit_code(plan: &Plan, detailed: bool) -> u8 {
    if detailed && !plan.is_empty() {
        return EXIT_CHANGES;
    }
    match (plan.shrunk.is_empty(), plan.problems.is_empty()) {
        (false, _) => Kind::NotTrusted.exit_code(),
        (true, false) => Kind::Partial.exit_code(),
        (true, true) => EXIT_OK,
    }
}
