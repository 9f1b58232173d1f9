//! `oktapieces help`: the help of a command, or a topic.

use clap::Args;

use crate::cli::topics::{TOPICS, Topic};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::model::similar;
use crate::sync::context::Context;

/// The widest text, as in the help of clap.
const WIDEST: usize = 100;

/// Show the help of a command, or a topic: config, environment, exit-codes, expressions
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// The command or the topic; without it, the list of both
    #[arg(value_name = "COMMAND|TOPIC")]
    name: Option<String>,
}

pub fn run(args: &HelpArgs, mut program: clap::Command, context: &Context) -> Result<u8> {
    let text = match args.name.as_deref() {
        None => of_command(&mut program, &[]),
        Some(name) => match (Topic::named(name), program.find_subcommand(name)) {
            (Some(topic), _) => topic.text(width()),
            (None, Some(_)) => of_command(&mut program, &[name]),
            (None, None) => return Err(unknown(name, &program)),
        },
    };
    context.printer.answer(text.trim_end());
    Ok(EXIT_OK)
}

/// What `--help` prints after these words. For clap the help is an error.
fn of_command(program: &mut clap::Command, words: &[&str]) -> String {
    let words = ["oktapieces"].iter().chain(words).chain(&["--help"]);
    program.try_get_matches_from_mut(words).map_err(|help| help.render().ansi().to_string()).err().unwrap_or_default()
}

fn width() -> usize {
    terminal_size::terminal_size().map_or(WIDEST, |(width, _)| usize::from(width.0).min(WIDEST))
}

fn unknown(name: &str, program: &clap::Command) -> Error {
    let commands = program.get_subcommands().map(clap::Command::get_name);
    let similar = similar::most_similar(name, commands.chain(TOPICS.iter().map(|topic| topic.name)));
    let error = Error::new(Kind::Usage, format!("{name:?} is no command and no topic"));
    error.hint(match similar {
        Some(similar) => format!("did you mean `oktapieces help {similar}`?"),
        None => "run `oktapieces help` for the list of both".to_owned(),
    })
}
