//! `oktapieces completions`: prints a script that completes commands and flags in a shell.

use clap::Args;
use clap_complete::Shell;

use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::sync::context::Context;

/// Print a script that completes commands and flags in a shell
///
/// For bash: oktapieces completions bash > ~/.local/share/bash-completion/completions/oktapieces
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub fn run(args: &CompletionsArgs, mut program: clap::Command, context: &Context) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "oktapieces", &mut script);
    let script = String::from_utf8(script).map_err(|error| Error::from_source(Kind::Failed, error))?;
    context.printer.answer(script.trim_end());
    Ok(EXIT_OK)
}
