//! `oktapieces demo`: runs an adoption, plans, applies and a look at drift against the sandbox.

use std::path::Path;

use clap::Args;

use crate::error::{EXIT_CHANGES, EXIT_OK, Error, Kind, Result};
use crate::files;
use crate::output::text::{BOLD, HINT, styled};
use crate::sync::context::Context;
use crate::sync::environment::STATE_HOME;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::company::tour::change_by_hand;
use oktapieces_sandbox::{Options, Sandbox};

/// Show plans, applies and drift on an embedded Okta org and Activepieces platform
#[derive(Debug, Args)]
pub struct DemoArgs {}

/// The runs of the demo, each with its title.
const STEPS: [(&str, &[&str]); 6] = [
    ("Link the accounts that match users", &["adopt", "--yes"]),
    ("See what would change", &["plan"]),
    ("Write it", &["apply", "--yes"]),
    ("See what an admin changed by hand since", &["drift"]),
    ("Bring it back in line", &["apply", "--yes"]),
    ("See that nothing is left to do", &["plan", "--detailed-exitcode"]),
];

const NEXT_STEPS: &str = "\
For your own org:
  1. put an Okta API token into OKTA_API_TOKEN and an Activepieces API key into ACTIVEPIECES_API_KEY
  2. run oktapieces init: it asks for the rest, writes a config.toml, and checks it
  3. run oktapieces plan: it writes nothing";

/// Starts the sandbox and runs this very program against it, as an admin would.
pub async fn run(_: DemoArgs, context: &Context) -> Result<u8> {
    let sandbox = super::sandbox::start(Options { company: Shape::Tour, ..Options::default() }).await?;
    let folder = tempfile::tempdir().map_err(|error| Error::from_source(Kind::Failed, error))?;
    let config = folder.path().join("config.toml");
    files::write_out(&config, sandbox.config().as_bytes())
        .map_err(|refusal| Error::new(Kind::Failed, format!("{} {refusal}", config.display())))?;
    for (title, arguments) in STEPS {
        if *arguments == ["drift"] {
            change_by_hand(sandbox.platform());
        }
        let command = format!("oktapieces {}", arguments.join(" "));
        context.printer.answer(&format!("{}  {}\n", styled(BOLD, format!("— {title} —")), styled(HINT, command)));
        step(&sandbox, &config, arguments, context).await?;
        context.printer.answer("");
    }
    context.printer.answer(NEXT_STEPS);
    Ok(EXIT_OK)
}

/// Runs one command to its end. Problems and drift have exit codes of their own.
async fn step(sandbox: &Sandbox, config: &Path, arguments: &[&str], context: &Context) -> Result<()> {
    let failed = |why: String| Error::new(Kind::Failed, why);
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).arg("--config").arg(config).args(&context.flags);
    // The demo's runs are part of no history.
    command.env(STATE_HOME, config.with_file_name("state"));
    command.env("OKTA_API_TOKEN", sandbox.okta_token()).env("ACTIVEPIECES_API_KEY", sandbox.api_key());
    let status = command.kill_on_drop(true).status().await.map_err(|error| failed(error.to_string()))?;
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(EXIT_OK) => Ok(()),
        Some(EXIT_CHANGES) if arguments == ["drift"] => Ok(()),
        Some(code) if code == Kind::Partial.exit_code() => Ok(()),
        _ => Err(failed(format!("oktapieces {} ended with {status}", arguments.join(" ")))),
    }
}
