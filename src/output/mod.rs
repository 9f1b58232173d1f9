//! Renders answers in every format. Only `printer` writes to the terminal.
//!
//! A plan or a run is a `document`, and `format` picks its renderer. CSV, JSON lines and markdown show the rows of `rows` and
//! the counts of `summary`; text and JSON show the plan itself.

pub mod document;
pub mod format;
pub mod history_text;
pub mod json;
pub mod jsonl;
pub mod markdown;
pub mod picture;
pub mod plan_answer;
pub mod plan_csv;
pub mod plan_text;
pub mod printer;
pub mod progress;
pub mod report_text;
pub mod rows;
pub mod summary;
pub mod text;

pub use printer::{Printer, Verbosity};
