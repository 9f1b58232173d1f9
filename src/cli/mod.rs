//! The command line: one file a command, each with its arguments and one function.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::error::{EXIT_CHANGES, EXIT_OK, Error, Kind, Result};
use crate::output::printer::Options;
use crate::output::{Printer, Verbosity};
use crate::sync::context::Context;
use crate::sync::environment;
use logging::LogFormat;

mod accept;
mod apply;
mod check;
#[cfg(feature = "sandbox")]
mod demo;
mod eval;
mod eval_cases;
mod export;
mod history;
mod log_json;
mod logging;
mod plan;
#[cfg(feature = "sandbox")]
mod sandbox;
mod show;
mod undo;

/// The parsers of the files that a command is given.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use eval_cases::expectations;

/// Brings an Activepieces platform in line with an Okta org
///
/// Reads users, groups and profile attributes from Okta, evaluates the Okta expressions of the config, and shows what
/// differs in Activepieces as a plan. `apply` then writes it over SCIM.
#[derive(Debug, Parser)]
#[command(name = "oktapieces", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  oktapieces demo                       see a plan and an apply on an embedded sandbox
  oktapieces check                      test the config, both servers and their rights
  oktapieces plan                       show what would change; nothing is written
  oktapieces apply                      show the plan, ask, and write it
  oktapieces apply --yes --quiet        the same from cron
  oktapieces plan --out plan.json       keep the plan, look at it, and
  oktapieces apply plan.json            apply exactly that
  oktapieces history                    list the runs
  oktapieces undo 12                    take run 12 back, after showing what that means

Exit codes:
  0 done   1 failed   2 changes are waiting (plan --detailed-exitcode)   3 done, but some were left alone or failed
  4 not authorised   5 refused by a guard   6 another run has the lock   7 the source is not trusted
  64 wrong usage   78 the config is wrong   130 interrupted";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Global {
    /// The config file [default: config.toml here, else oktapieces/config.toml in the user's config folder]
    #[arg(long, global = true, value_name = "FILE", env = environment::CONFIG)]
    config: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but answers, warnings and errors; plan, apply and undo say one line if there is news, and else nothing
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show long lists whole, and log each request
    #[arg(long, short, global = true)]
    verbose: bool,
    /// The form of the log on stderr; json also says what a run does, without personal data
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORM")]
    log_format: LogFormat,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// Draw no progress bars
    #[arg(long, global = true)]
    no_progress: bool,
    /// Never ask anything
    #[arg(long, global = true)]
    no_input: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "sandbox")]
    Demo(demo::DemoArgs),
    Check(check::CheckArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Show(show::ShowArgs),
    History(history::HistoryArgs),
    Undo(undo::UndoArgs),
    Accept(accept::AcceptArgs),
    Export(export::ExportArgs),
    Eval(eval::EvalArgs),
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::SandboxArgs),
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let printer = Printer::new(cli.global.output());
    logging::start(printer.verbosity, cli.global.log_format, printer.colours_stderr());
    let context = Context { printer, flags: cli.global.flags(), config: cli.global.config };
    let result = run(cli.command, &context);
    // Those of a run that failed before it could tell them.
    context.printer.take_warnings().iter().for_each(|warning| context.printer.warning(warning));
    let code = result.unwrap_or_else(|error| {
        context.printer.error(&error);
        error.kind.exit_code()
    });
    match context.printer.lost_answer() {
        None => ExitCode::from(code),
        Some(error) => {
            context.printer.error(&error);
            ExitCode::from(if is_well(code) { error.kind.exit_code() } else { code })
        }
    }
}

/// Whether a code says that the answer is there to be read.
fn is_well(code: u8) -> bool {
    [EXIT_OK, EXIT_CHANGES, Kind::Partial.exit_code(), Kind::NotTrusted.exit_code()].contains(&code)
}

/// Parses the arguments. Help and version are answers; anything else that ends here is wrong usage.
fn parse(arguments: impl Iterator<Item = OsString>) -> std::result::Result<Cli, ExitCode> {
    Cli::try_parse_from(arguments).map_err(|error| {
        let printed = error.print();
        // A closed pipe is no error.
        let is_lost = printed.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe);
        ExitCode::from(match (error.use_stderr(), is_lost) {
            (true, _) => Kind::Usage.exit_code(),
            (false, true) => Kind::Failed.exit_code(),
            (false, false) => EXIT_OK,
        })
    })
}

fn run(command: Command, context: &Context) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::from_source(Kind::Failed, error).context("starting the workers"))?;
    runtime.block_on(async {
        match command {
            #[cfg(feature = "sandbox")]
            Command::Demo(args) => demo::run(args, context).await,
            Command::Check(args) => Box::pin(check::run(args, context)).await,
            Command::Plan(args) => plan::run(args, context).await,
            Command::Apply(args) => Box::pin(apply::run(args, context)).await,
            Command::Show(args) => show::run(&args, context),
            Command::History(args) => history::run(&args, context),
            Command::Undo(args) => Box::pin(undo::run(args, context)).await,
            Command::Accept(args) => Box::pin(accept::run(args, context)).await,
            Command::Export(args) => Box::pin(export::run(args, context)).await,
            Command::Eval(args) => eval::run(args, context).await,
            #[cfg(feature = "sandbox")]
            Command::Sandbox(args) => sandbox::run(args, context).await,
        }
    })
}

impl Global {
    fn flags(&self) -> Vec<&'static str> {
        let color = match self.color {
            Color::Auto => "--color=auto",
            Color::Always => "--color=always",
            Color::Never => "--color=never",
        };
        let flags = [
            (self.json, "--json"),
            (self.quiet, "--quiet"),
            (self.verbose, "--verbose"),
            (self.no_progress, "--no-progress"),
            (self.no_input, "--no-input"),
            (self.log_format == LogFormat::Json, "--log-format=json"),
        ];
        let typed = flags.into_iter().filter(|(typed, _)| *typed).map(|(_, flag)| flag);
        std::iter::once(color).chain(typed).collect()
    }

    fn output(&self) -> Options {
        Options {
            color: match self.color {
                Color::Auto => ColorChoice::Auto,
                Color::Always => ColorChoice::Always,
                Color::Never => ColorChoice::Never,
            },
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
            json: self.json,
            no_progress: self.no_progress,
            no_input: self.no_input,
            ci: std::env::var_os(environment::CI).is_some(),
        }
    }
}

/// The whole command line as clap has it, for the snapshot of the help texts.
pub fn command() -> clap::Command {
    use clap::CommandFactory;
    Cli::command()
}
