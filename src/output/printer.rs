//! The only writer to the terminal: answers to stdout, messages to stderr. Nothing that it writes moves the cursor; only a
//! `screen`, which it gives out, does.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use super::json;
use super::layout::Layout;
use super::pager;
use super::screen::Screen;
use super::text::{CHANGE, HINT, REMOVE, harmless, safe, styled};
use crate::error::{Error, Kind, Result, without_number};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Answers and errors alone.
    Quiet,
    #[default]
    Normal,
    /// The log, and every row of long lists.
    Verbose,
}

/// The least time between two lines about waits.
const BETWEEN_WAITS: Duration = Duration::from_mins(1);

/// Where texts go, and how.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else about the terminal")]
pub struct Printer {
    stdout: Mutex<AutoStream<io::Stdout>>,
    stderr: Mutex<AutoStream<io::Stderr>>,
    failure: Mutex<Option<io::Error>>,
    /// Warnings that wait for the end of the run; none where they are said at once.
    held: Mutex<Option<Vec<String>>>,
    /// The JSON answers of one target, until all targets have ended; none where answers are given at once.
    answers: Mutex<Option<Vec<Value>>>,
    /// When it was last said what is waited for.
    waits_said: Mutex<Option<Instant>>,
    pub verbosity: Verbosity,
    /// Whether the answer is JSON.
    pub json: bool,
    /// Whether long lists are shown as a whole.
    pub all: bool,
    /// Whether a long answer goes to a pager.
    pub pages: bool,
    /// Whether bars may move.
    pub motion: bool,
    /// Whether there is a terminal to ask on.
    pub interactive: bool,
}

/// What the flags and the environment say about output.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct Options {
    pub color: ColorChoice,
    pub verbosity: Verbosity,
    pub json: bool,
    pub all: bool,
    pub pages: bool,
    pub no_progress: bool,
    pub no_input: bool,
    /// `CI` is set: no user watches.
    pub ci: bool,
}

impl Printer {
    /// Colour is for terminals, unless the flag, `NO_COLOR` or `CLICOLOR_FORCE` says otherwise.
    pub fn new(options: Options) -> Self {
        let Options { color, verbosity, json, all, pages, no_progress, no_input, ci } = options;
        let watched = io::stderr().is_terminal() && !ci;
        Self {
            stdout: Mutex::new(AutoStream::new(io::stdout(), color)),
            stderr: Mutex::new(AutoStream::new(io::stderr(), color)),
            failure: Mutex::new(None),
            held: Mutex::new(None),
            answers: Mutex::new(None),
            waits_said: Mutex::new(None),
            verbosity,
            json,
            all: all || verbosity == Verbosity::Verbose,
            pages: pages && !no_input && !ci,
            motion: watched && !json && !no_progress && verbosity == Verbosity::Normal,
            interactive: !no_input && !json && io::stdin().is_terminal() && io::stderr().is_terminal(),
        }
    }

    /// Whether only news is said.
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet && !self.json
    }

    /// Whether stderr shows colour, for pictures that are drawn elsewhere.
    pub fn colours_stderr(&self) -> bool {
        self.stderr.lock().is_ok_and(|stderr| stderr.current_choice() != ColorChoice::Never)
    }

    /// How an answer is laid out: as wide as the terminal, if stdout is one.
    pub fn layout(&self) -> Layout {
        Layout { width: terminal().map(|(width, _)| width.max(60)), all: self.all }
    }

    /// Whether a user sees the answers and may be asked.
    pub fn converses(&self) -> bool {
        self.interactive && terminal().is_some()
    }

    /// A long answer for a person: in a pager if it is longer than the terminal.
    pub fn answer_long(&self, text: &str) {
        let text = harmless(text);
        let is_longer = |(_, rows)| text.lines().count() >= rows;
        if self.pages && terminal().is_some_and(is_longer) {
            let colours = self.stdout.lock().is_ok_and(|stdout| stdout.current_choice() != ColorChoice::Never);
            let plain = || anstream::adapter::strip_str(&text).to_string();
            let shown = if colours { text.to_string() } else { plain() };
            if pager::page(&format!("{shown}\n")).is_ok() {
                return;
            }
        }
        self.write(&text);
    }

    /// A part of the answer, as text for people.
    pub fn answer(&self, text: &str) {
        self.write(&harmless(text));
    }

    /// The answer as JSON on one line.
    pub fn answer_json(&self, value: &Value) {
        match &mut *self.answers() {
            Some(kept) => kept.push(value.clone()),
            None => self.write(&json::escaped(&value.to_string())),
        }
    }

    /// Keeps each JSON answer from now on, until it is taken.
    pub fn hold_json(&self) {
        self.answers().get_or_insert_default();
    }

    /// The JSON answer that was kept, if there is one.
    pub fn take_json(&self) -> Option<Value> {
        self.answers().as_mut().and_then(Vec::pop)
    }

    /// Gives JSON answers at once again.
    pub fn release_json(&self) {
        *self.answers() = None;
    }

    fn answers(&self) -> MutexGuard<'_, Option<Vec<Value>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer in a format of its own, whose renderer has escaped every text.
    pub fn answer_rendered(&self, text: &str) {
        self.write(text);
    }

    /// The first failure to write an answer, if any. A closed pipe is none: its reader has seen enough.
    pub fn lost_answer(&self) -> Option<Error> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let error = Error::new(Kind::Failed, format!("the answer can't be written: {}", without_number(&failure)));
        Some(error.hint("what was to be done is done as far as the messages say; the answer is not whole"))
    }

    fn write(&self, text: &str) {
        let mut stdout = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(stdout, "{text}").and_then(|()| stdout.flush())
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// A line of talk, which `--quiet` leaves out.
    pub fn status(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.talk(text);
        }
    }

    /// What is waited for, at most once in a minute, where no line moves that says it. `--quiet` leaves it out.
    pub fn waits(&self, text: &str) {
        let mut said = self.waits_said.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.motion && said.is_none_or(|said| said.elapsed() >= BETWEEN_WAITS) {
            *said = Some(Instant::now());
            self.status(text);
        }
    }

    /// `warning: …`, always said; at once, unless warnings are held.
    pub fn warning(&self, text: &str) {
        match &mut *self.held() {
            Some(held) => held.push(text.to_owned()),
            None => self.talk(&format!("{}: {}", styled(CHANGE.bold(), "warning"), safe(text))),
        }
    }

    /// Holds warnings from now on, until they are taken.
    pub fn hold_warnings(&self) {
        self.held().get_or_insert_default();
    }

    /// The warnings that were held; later ones are said at once.
    pub fn take_warnings(&self) -> Vec<String> {
        self.held().take().unwrap_or_default()
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `error[NAME]: …` with its hints, always said. The name is a heading of docs/troubleshooting.md.
    pub fn error(&self, error: &Error) {
        self.talk(&format!("{}: {error}", styled(REMOVE.bold(), format_args!("error[{}]", error.topic()))));
        for (at, hint) in error.hints.iter().enumerate() {
            let gap = if at == 0 { "\n" } else { "" };
            self.talk(&format!("{gap}{}: {hint}", styled(HINT.bold(), "hint")));
        }
    }

    /// Asks a yes-or-no question; only `yes` is a yes.
    pub fn confirm(&self, question: &str) -> bool {
        self.talk(&format!("{question} Only {} is taken as a yes:", styled(HINT, "yes")));
        let mut answer = String::new();
        let read = || io::stdin().lock().read_line(&mut answer).is_ok();
        // The wait for an answer must not keep Ctrl-C from being heard.
        tokio::task::block_in_place(read) && answer.trim() == "yes"
    }

    /// Asks for a line of text; none at the end of the input.
    pub fn ask(&self, question: &str) -> Option<String> {
        if let Ok(mut stderr) = self.stderr.lock() {
            drop(write!(stderr, "{} ", harmless(question)).and_then(|()| stderr.flush()));
        }
        let mut answer = String::new();
        let read = || io::stdin().lock().read_line(&mut answer).is_ok_and(|length| length > 0);
        // As in `confirm`.
        tokio::task::block_in_place(read).then(|| answer.trim().to_owned())
    }

    /// Refuses where there is no terminal that can show a whole screen.
    pub fn can_show_screen(&self) -> Result<()> {
        let why = match std::env::var_os("TERM") {
            _ if self.json => "the answer is JSON",
            _ if !self.interactive => "stdin or stderr is not a terminal, or --no-input is given",
            Some(term) if term == "dumb" => "TERM is \"dumb\"",
            _ => return Ok(()),
        };
        Err(Error::new(Kind::Usage, format!("cannot open the plan to walk through: {why}"))
            .hint("choose a part of the plan with --only, or run it on a terminal"))
    }

    /// Takes the whole screen of the terminal, until the value goes.
    pub fn screen(&self) -> Result<Screen> {
        self.can_show_screen()?;
        Screen::open(io::stderr, self.colours_stderr())
            .map_err(|error| Error::from_source(Kind::Failed, error).context("taking the terminal's screen"))
    }

    /// A message, also with `--quiet`.
    pub fn talk(&self, text: &str) {
        if let Ok(mut stderr) = self.stderr.lock() {
            drop(writeln!(stderr, "{}", harmless(text)));
        }
    }
}

/// The columns and rows of the terminal, if stdout is one.
fn terminal() -> Option<(usize, usize)> {
    let (width, rows) = terminal_size::terminal_size_of(io::stdout())?;
    Some((width.0.into(), rows.0.into()))
}
