//! The formats of a plan and of a run, each rendered from a `Document`.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::document::Document;
use super::json::FORMAT_VERSION;
use super::{Printer, history_text, html, json, jsonl, markdown, outcomes, plan_csv, plan_text, report_text};

/// The format of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal
    #[default]
    Text,
    /// One JSON object
    Json,
    /// A line of JSON for each change
    Jsonl,
    /// A row for each change, safe to open in a spreadsheet
    Csv,
    /// For a comment or a ticket
    Markdown,
    /// A file for a browser that needs no other file
    Html,
}

impl Format {
    /// JSON or text, as the printer has it.
    pub fn of(printer: &Printer) -> Self {
        if printer.json { Self::Json } else { Self::Text }
    }

    /// Answers with the document in this format.
    pub fn answer(self, document: &Document<'_>, printer: &Printer) {
        match self {
            Self::Text => text(document, printer),
            Self::Json => printer.answer_json(&as_json(document)),
            Self::Jsonl => lines(&jsonl::render(document), printer),
            Self::Csv => printer.answer_rendered(&plan_csv::render(document)),
            Self::Markdown => printer.answer_rendered(&markdown::render(document)),
            Self::Html => printer.answer_rendered(&html::render(document)),
        }
    }
}

/// A plan without changes has no line, not an empty one.
fn lines(text: &str, printer: &Printer) {
    if !text.is_empty() {
        printer.answer_rendered(text);
    }
}

fn text(document: &Document<'_>, printer: &Printer) {
    if let Some(run) = document.run {
        printer.answer(&format!("{}\n", history_text::heading(run)));
        if document.report.is_none() {
            printer.answer("It wrote nothing.");
            return;
        }
    }
    printer.answer_long(&plan_text::render(document, printer.layout()));
    if let (Some(report), Some(recorded)) = (document.report, document.recorded) {
        let each = outcomes::text(recorded, printer.all);
        printer.answer(&format!("\n{each}\n\n{}", report_text::ending(report)));
    }
}

fn as_json(document: &Document<'_>) -> Value {
    let plan = || json::plan(document);
    let Some(run) = document.run else {
        let mut answer = plan();
        if let Some(accounts) = document.accounts {
            answer["accounts"] = json!(accounts);
        }
        if let Some(snapshot) = document.snapshot {
            answer["snapshot"] =
                json!({ "file": snapshot.file, "read_at": document.made, "redacted": snapshot.redacted });
        }
        return answer;
    };
    let mut answer = match document.report {
        Some(report) => json::report(run.id, &plan(), report),
        None => json!({ "format_version": FORMAT_VERSION, "tool_version": env!("CARGO_PKG_VERSION"), "run": run.id }),
    };
    if let Some(recorded) = document.recorded {
        answer["outcomes"] = outcomes::json(recorded).into();
    }
    answer["record"] = json!(run);
    answer
}
