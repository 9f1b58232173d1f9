//! The lines of `check`: each is shown as soon as it is known.

use serde::Serialize;

use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::model::problem::ProblemKind;
use crate::output::json::FORMAT_VERSION;
use crate::output::text::{ADD, CHANGE, DIM, HINT, REMOVE, counted, styled};
use crate::sync::context::Context;

/// One thing that was tested.
#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    state: LineState,
    detail: String,
    /// The heading of docs/troubleshooting.md that it is about.
    #[serde(rename = "kind", skip_serializing_if = "Option::is_none")]
    topic: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fix: Vec<String>,
    #[serde(skip)]
    exit: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LineState {
    Ok,
    Note,
    Warning,
    Failed,
}

/// The lines so far, each shown as soon as it's known.
pub(super) struct Lines<'a> {
    pub context: &'a Context,
    lines: Vec<Line>,
}

impl<'a> Lines<'a> {
    pub fn new(context: &'a Context) -> Self {
        Self { context, lines: Vec::new() }
    }

    pub fn ok(&mut self, name: &'static str, detail: String) {
        self.add(name, LineState::Ok, detail, Vec::new());
    }

    /// A warning, and what to do about it.
    pub fn warn(&mut self, name: &'static str, detail: String, fix: Option<&str>) {
        self.add(name, LineState::Warning, detail, fix.map(str::to_owned).into_iter().collect());
    }

    /// A problem that the config is the cause of.
    pub fn problem(&mut self, name: &'static str, kind: ProblemKind, detail: String, fix: &str) {
        self.failed(name, (kind, Kind::Config), detail, fix);
    }

    /// An error.
    pub fn fail(&mut self, name: &'static str, error: &Error) {
        let (topic, fix, exit) = (Some(error.topic().as_str()), error.hints.clone(), Some(error.kind));
        self.push(Line { name, state: LineState::Failed, detail: error.to_string(), topic, fix, exit });
    }

    /// A failure of its own kind.
    pub fn failed(&mut self, name: &'static str, (kind, exit): (ProblemKind, Kind), detail: String, fix: &str) {
        let (fix, topic) = (vec![fix.to_owned()], Some(kind.as_str()));
        self.push(Line { name, state: LineState::Failed, detail, topic, fix, exit: Some(exit) });
    }

    /// A line for a result, which is given back where it's good.
    pub fn result<T>(&mut self, name: &'static str, result: Result<T>, shown: impl FnOnce(&T) -> String) -> Option<T> {
        match result {
            Ok(value) => {
                self.ok(name, shown(&value));
                Some(value)
            }
            Err(error) => {
                self.fail(name, &error);
                None
            }
        }
    }

    pub fn add(&mut self, name: &'static str, state: LineState, detail: String, fix: Vec<String>) {
        self.push(Line { name, state, detail, topic: None, fix, exit: None });
    }

    fn push(&mut self, line: Line) {
        if !self.context.printer.json {
            self.context.printer.answer(&line.render());
        }
        self.lines.push(line);
    }

    /// The total and the exit code: that of the first failure.
    pub fn finish(self) -> u8 {
        let count = |state| self.lines.iter().filter(|line| line.state == state).count();
        let (warnings, failed) = (count(LineState::Warning), count(LineState::Failed));
        if self.context.printer.json {
            let answer = serde_json::json!({
                "format_version": FORMAT_VERSION, "lines": self.lines, "warnings": warnings, "failed": failed,
            });
            self.context.printer.answer_json(&answer);
        } else {
            let warnings = counted(warnings, "warning", "warnings");
            let named = self.lines.iter().any(|line| line.topic.is_some());
            let more = if named { " docs/troubleshooting.md explains the names in brackets." } else { "" };
            self.context.printer.answer(&format!("\n{failed} failed, {warnings}.{more}"));
        }
        let kind = self.lines.iter().find_map(|line| line.exit);
        kind.map_or(EXIT_OK, Kind::exit_code)
    }
}

impl Line {
    fn render(&self) -> String {
        let state = match self.state {
            LineState::Ok => styled(ADD, "ok     "),
            LineState::Note => styled(HINT, "note   "),
            LineState::Warning => styled(CHANGE, "warning"),
            LineState::Failed => styled(REMOVE, "failed "),
        };
        let fixes = self.fix.iter().map(|fix| format!("\n         {}: {fix}", styled(HINT, "fix")));
        let topic = self.topic.map(|topic| styled(DIM, format_args!(" [{topic}]"))).unwrap_or_default();
        format!("{state}  {:<22} {}{topic}{}", self.name, self.detail, fixes.collect::<String>())
    }
}
