//! `oktapieces drift`: shows what was changed on the platform since the last run.

use clap::Args;
use serde_json::json;

use crate::config::Settings;
use crate::error::{EXIT_CHANGES, EXIT_OK, Result};
use crate::output::drift_text;
use crate::output::json::FORMAT_VERSION;
use crate::sync::context::Context;
use crate::sync::journal::Journal;
use crate::sync::session::{self, PARALLELISM, Planned, Session};
use crate::sync::targets::{SharedReads, Targets, ended};

/// Show what was changed in Activepieces since the last run, in contrast to what changed in Okta; nothing is written
///
/// Exits with 0 for no drift, 1 for a failure and 2 for drift.
#[derive(Debug, Args)]
pub struct DriftArgs {}

pub async fn run(context: &Context) -> Result<u8> {
    let targets = session::targets(context)?;
    let (shared, mut ending) = (SharedReads::of(&targets), Targets::new(&targets, context));
    for settings in targets {
        ending.turn_of(settings.target_name());
        settings.warnings.iter().for_each(|warning| context.printer.warning(warning));
        let result = of_target(settings.clone(), &shared, context).await;
        let told = |code| if code == EXIT_OK { "no drift" } else { "drift" };
        ending.end(ended(&settings, &result, told), result);
    }
    ending.finish()
}

async fn of_target(settings: Settings, shared: &SharedReads, context: &Context) -> Result<u8> {
    let mut session = Session::with(settings, PARALLELISM)?;
    shared.join(&mut session);
    let journal = Journal::begin("drift", &session, context)?;
    let result = Box::pin(drift(&session, &journal, context)).await;
    journal.end(result, session.requests())
}

async fn drift(session: &Session, journal: &Journal, context: &Context) -> Result<u8> {
    let knows = journal.knows(session, false, false, context)?;
    let Planned { plan, seen, known, digests, .. } = session.plan(&knows, false, context).await?;
    journal.state().remember_org(&known)?;
    journal.remember_seen(&knows.past, &seen)?;
    let is_known = knows.in_line.is_some();
    let since = knows.in_line.as_ref().map(|in_line| in_line.run);
    journal.remember_in_line(Some(digests), &plan, knows.in_line, |_| false)?;
    let code = if plan.drift.is_none() { EXIT_OK } else { EXIT_CHANGES };
    if context.printer.json {
        let mut answer = json!({
            "format_version": FORMAT_VERSION,
            "tool_version": env!("CARGO_PKG_VERSION"),
            "okta": session.org(),
            "activepieces": session.platform(),
            "since_run": since,
            "drift": plan.drift,
        });
        let changed = |id| plan.drift.users.contains(id);
        answer["users"] = plan.users.iter().filter(|op| changed(&op.okta_id)).map(|op| json!(op)).collect();
        let changed = |id| plan.drift.projects.contains_key(id);
        answer["projects"] = plan.projects.iter().filter(|op| changed(&op.group)).map(|op| json!(op)).collect();
        context.printer.answer_json(&answer);
        return Ok(code);
    }
    let servers = (session.org(), session.platform());
    context.printer.answer_long(&drift_text::render(&plan, servers, since, context.printer.layout()));
    if !is_known {
        context.printer.status("No earlier run recorded what it left; from now on, drift is known.");
    }
    Ok(code)
}
