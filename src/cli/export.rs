//! `oktapieces export`: writes a snapshot.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::{EXIT_OK, Result};
use crate::output::json::FORMAT_VERSION;
use crate::output::text::counted;
use crate::sync::context::Context;
use crate::sync::journal::Journal;
use crate::sync::snapshot::{Recording, gives_the_plan};

/// Write what a plan is made from to a file, for plan --from; nothing else is written
///
/// The file holds what was read of Okta and Activepieces, with users' names and addresses, and the state of earlier runs. It
/// holds no secret. Only its owner may read it.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file to write
    file: PathBuf,
    /// Replace names, addresses and other personal data, so that the same plan follows
    #[arg(long)]
    redact: bool,
}

pub async fn run(args: ExportArgs, context: &Context) -> Result<u8> {
    let recording = Recording::open(context)?;
    let journal = Journal::begin("export", &recording.session, context)?;
    let result = export(&args, &recording, &journal, context).await;
    journal.end(result, recording.session.requests())
}

async fn export(args: &ExportArgs, recording: &Recording, journal: &Journal, context: &Context) -> Result<u8> {
    let (plan, mut snapshot) = Box::pin(recording.snapshot(journal.past()?, journal.resumed()?, context)).await?;
    if args.redact {
        snapshot = recording.redacted(snapshot).await?;
    }
    let differences = Box::pin(recording.differences(&plan, &snapshot, context)).await?;
    if args.redact {
        gives_the_plan(differences)?;
    } else if differences > 0 {
        let differences = counted(differences, "place", "places");
        context.printer.warning(&format!(
            "the plan from the snapshot differs in {differences} from the one of this run: the servers changed meanwhile; \
             export it again"
        ));
    }
    snapshot.write(&args.file)?;
    let path = args.file.display();
    if context.printer.json {
        let answer = json!({
            "format_version": FORMAT_VERSION,
            "file": args.file,
            "read_at": snapshot.read_at,
            "redacted": snapshot.redacted,
            "differences": differences,
        });
        context.printer.answer_json(&answer);
    } else {
        context
            .printer
            .answer(&format!("Wrote the snapshot {path}. Run oktapieces plan --from {path} to plan from it."));
    }
    Ok(EXIT_OK)
}
