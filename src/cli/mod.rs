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
mod adopt;
mod apply;
mod check;
mod completions;
#[cfg(feature = "sandbox")]
mod demo;
mod drift;
mod eval;
mod eval_cases;
mod explain;
mod export;
mod format;
mod help;
mod history;
mod init;
mod log_json;
mod logging;
mod man;
mod only;
mod pick;
mod plan;
#[cfg(feature = "sandbox")]
mod sandbox;
mod show;
mod topics;
mod undo;
mod walk;
mod who;

/// The parsers of the files that a command is given.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use eval_cases::expectations;

/// Brings an Activepieces platform in line with an Okta org
///
/// Reads users, groups and profile attributes from Okta, evaluates the Okta expressions of the config, and shows what
/// differs in Activepieces as a plan. `apply` then writes it over SCIM.
#[derive(Debug, Parser)]
#[command(name = "oktapieces", version = VERSION, after_help = after_help(), disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The version, and of a release build the commit with its date (`build.rs`).
const VERSION: &str = env!("VERSION_AND_COMMIT");

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Global {
    /// The config file; - is stdin [default: config.toml here, else oktapieces/config.toml in the user's config folder]
    #[arg(long, global = true, value_name = "FILE", env = environment::CONFIG)]
    config: Option<PathBuf>,
    /// Only this [[target]] of the config file; plan, apply, check and drift take several, and all where none is named
    #[arg(long = "target", global = true, value_name = "NAME")]
    targets: Vec<String>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but answers, warnings and errors; plan, apply and undo say one line if there is news, and else nothing
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show every row of long lists
    #[arg(long, global = true)]
    all: bool,
    /// Log each request, and show every row of long lists
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
    /// Don't show long answers in a pager
    #[arg(long, global = true)]
    no_pager: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Makes the commands of clap and what runs each of them.
macro_rules! commands {
    ($context:ident: $($(#[$condition:meta])? $name:ident($arguments:ident: $type:ty) => $run:expr,)*) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$condition])? $name($type),)*
        }

        impl Command {
            async fn run(self, $context: &Context) -> Result<u8> {
                match self {
                    $($(#[$condition])? Self::$name($arguments) => Box::pin(async move { $run }).await,)*
                }
            }
        }
    };
}

// A command is a row: its name, its arguments, and what runs it. The help lists them in this order.
commands! { context:
    #[cfg(feature = "sandbox")] Demo(args: demo::DemoArgs) => demo::run(args, context).await,
    Init(args: init::InitArgs) => init::run(args, context).await,
    Check(args: check::CheckArgs) => check::run(args, context).await,
    Plan(args: plan::PlanArgs) => plan::run(args, context).await,
    Apply(args: apply::ApplyArgs) => apply::run(args, context).await,
    Adopt(args: adopt::AdoptArgs) => adopt::run(args, context).await,
    Drift(_args: drift::DriftArgs) => drift::run(context).await,
    Show(args: show::ShowArgs) => show::run(&args, context),
    History(args: history::HistoryArgs) => history::run(&args, context),
    Undo(args: undo::UndoArgs) => undo::run(args, context).await,
    Accept(args: accept::AcceptArgs) => accept::run(args, context).await,
    Explain(args: explain::ExplainArgs) => explain::run(args, context).await,
    Who(args: who::WhoArgs) => who::run(args, context).await,
    Export(args: export::ExportArgs) => export::run(args, context).await,
    Eval(args: eval::EvalArgs) => eval::run(args, context).await,
    #[cfg(feature = "sandbox")] Sandbox(args: sandbox::SandboxArgs) => sandbox::run(args, context).await,
    Help(args: help::HelpArgs) => help::run(&args, command(), context),
    Completions(args: completions::CompletionsArgs) => completions::run(&args, command(), context),
    Man(args: man::ManArgs) => man::run(&args, command(), context),
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let asks = matches!(cli.command, Command::Apply(_) | Command::Adopt(_) | Command::Undo(_));
    let output = cli.global.output();
    let json = output.json || cli.command.is_json();
    let printer = Printer::new(Options { json, pages: !cli.global.no_pager && !asks, ..output });
    logging::start(printer.verbosity, cli.global.log_format, printer.colours_stderr());
    let context =
        Context { printer, flags: cli.global.flags(), config: cli.global.config, targets: cli.global.targets };
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
    runtime.block_on(command.run(context))
}

/// The width of most terminals; clap wraps at the width of this one, and without an indent.
const NARROW: usize = 80;

/// Where the names of errors are explained.
const NAMES: &str = "docs/troubleshooting.md explains each error by its name, such as error[dns].";

/// What follows the options in the help of the program.
fn after_help() -> String {
    let codes = topics::codes(NARROW);
    format!("Examples:\n{}\n\nHelp topics:\n{}\n\nExit codes:\n{codes}\n\n{NAMES}", topics::EXAMPLES, topics::list())
}

impl Command {
    /// Whether a flag of the command asks for JSON.
    fn is_json(&self) -> bool {
        match self {
            Self::Plan(args) => args.format.is_json(),
            Self::Adopt(args) => args.format.is_json(),
            Self::Show(args) => args.format.is_json(),
            _ => false,
        }
    }
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
            (self.all, "--all"),
            (self.verbose, "--verbose"),
            (self.no_progress, "--no-progress"),
            (self.no_input, "--no-input"),
            (self.no_pager, "--no-pager"),
            (self.log_format == LogFormat::Json, "--log-format=json"),
        ];
        let typed = flags.into_iter().filter(|(typed, _)| *typed).map(|(_, flag)| flag);
        std::iter::once(color).chain(typed).collect()
    }

    fn output(&self) -> Options {
        Options {
            color: match self.color {
                Color::Auto if environment::forces_colour() => ColorChoice::Always,
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
            all: self.all,
            pages: false,
            no_progress: self.no_progress,
            no_input: self.no_input,
            ci: std::env::var_os(environment::CI).is_some(),
        }
    }
}

/// The whole command line as clap has it: for completions, man pages and the help.
pub fn command() -> clap::Command {
    use clap::CommandFactory;
    Cli::command()
}
