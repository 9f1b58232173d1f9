//! `oktapieces demo`: runs an adoption, plans, applies and a look at drift against the sandbox.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{EXIT_CHANGES, EXIT_OK, Error, Kind, Result};
use crate::files;
use crate::output::text::{BOLD, HINT, styled};
use crate::sync::context::Context;
use crate::sync::environment::STATE_HOME;
use crate::sync::interrupt::signal;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::company::tour::change_by_hand;
use oktapieces_sandbox::{Options, Sandbox};

/// Show plans, applies and drift on an embedded Okta org and Activepieces platform
///
/// On a terminal it waits for Enter before each act, and the servers run on until Ctrl-C, so that other commands can be tried out on
/// them. The config and the history stay in a folder that it names at the end.
#[derive(Debug, Args)]
pub struct DemoArgs {}

/// The runs of the demo, each with its title.
const ACTS: [(&str, &[&str]); 6] = [
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
    let printer = &context.printer;
    let options = Options { company: Shape::Tour, ..Options::default() };
    let demo = Demo { sandbox: super::sandbox::start(options).await?, folder: folder()?, program: program()? };
    files::write_out(&demo.config(), demo.sandbox.config().as_bytes())
        .map_err(|refusal| Error::new(Kind::Failed, format!("{} {refusal}", demo.config().display())))?;
    for (at, (title, arguments)) in ACTS.into_iter().enumerate() {
        if at > 0 && printer.converses() {
            printer.ask(&styled(HINT, format!("Enter goes on: {}", title.to_lowercase())));
        }
        if *arguments == ["drift"] {
            change_by_hand(demo.sandbox.platform());
        }
        let command = format!("oktapieces {}", arguments.join(" "));
        printer.answer(&format!("{}  {}\n", styled(BOLD, format!("— {title} —")), styled(HINT, command)));
        demo.act(arguments, context).await?;
        printer.answer("");
    }
    if printer.converses() {
        let told = async {
            printer.answer(&format!("{NEXT_STEPS}\n\n{}", demo.to_try(true)));
            std::future::pending::<()>().await;
        };
        // A signal is waited for before the text says that it ends the servers.
        tokio::select! { biased; () = signal() => {}, () = told => {} }
    } else {
        printer.answer(&format!("{}\n\n{NEXT_STEPS}", demo.to_try(false)));
    }
    Ok(EXIT_OK)
}

/// A folder of the demo's own, which stays.
fn folder() -> Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("oktapieces-demo-").tempdir();
    folder.map(tempfile::TempDir::keep).map_err(|error| Error::from_source(Kind::Failed, error))
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|error| Error::from_source(Kind::Failed, error))
}

struct Demo {
    sandbox: Sandbox,
    folder: PathBuf,
    program: PathBuf,
}

impl Demo {
    fn config(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    /// The folder of the state files: the demo's runs are part of no other history.
    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Runs one command to its end. Problems and drift have exit codes of their own.
    async fn act(&self, arguments: &[&str], context: &Context) -> Result<()> {
        let failed = |why: String| Error::new(Kind::Failed, why);
        let mut command = tokio::process::Command::new(&self.program);
        command.args(arguments).arg("--config").arg(self.config()).args(&context.flags).env(STATE_HOME, self.state());
        command.env("OKTA_API_TOKEN", self.sandbox.okta_token()).env("ACTIVEPIECES_API_KEY", self.sandbox.api_key());
        let status = command.kill_on_drop(true).status().await.map_err(|error| failed(error.to_string()))?;
        match status.code().and_then(|code| u8::try_from(code).ok()) {
            Some(EXIT_OK) => Ok(()),
            Some(EXIT_CHANGES) if arguments == ["drift"] => Ok(()),
            Some(code) if code == Kind::Partial.exit_code() => Ok(()),
            _ => Err(failed(format!("oktapieces {} ended with {status}", arguments.join(" ")))),
        }
    }

    /// What else can be typed: with the servers, or with the recorded runs alone.
    fn to_try(&self, serves: bool) -> String {
        let quoted = |path: &Path| format!("'{}'", path.display());
        let place = format!(
            "  cd {}\n  alias oktapieces={}\n  export {STATE_HOME}={}\n",
            quoted(&self.folder),
            quoted(&self.program),
            quoted(&self.state())
        );
        let recorded = "  oktapieces history\n  oktapieces show 3";
        if !serves {
            let more = "oktapieces sandbox --write-config FILE serves such a company to try the other commands out on.";
            return format!("To see what was recorded:\n\n{}\n\n{more}", styled(HINT, format!("{place}{recorded}")));
        }
        let (token, key) = (self.sandbox.okta_token(), self.sandbox.api_key());
        let commands = format!(
            "{place}  export OKTA_API_TOKEN={token} ACTIVEPIECES_API_KEY={key}\n  oktapieces explain gia.graf@example.com\n  \
             oktapieces who --role ADMIN\n{recorded}\n  oktapieces undo 3 --dry-run"
        );
        let until = "The servers run until Ctrl-C; the config and the history stay.";
        format!("To go on with this company, in another terminal:\n\n{}\n\n{until}", styled(HINT, commands))
    }
}
