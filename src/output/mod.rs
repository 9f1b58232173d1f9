//! Renders answers in every format. Only `printer` writes to the terminal.
//!
//! A plan or a run is a `document`, and `format` picks its renderer. CSV, JSON lines, markdown and HTML show the rows of `rows` and
//! the counts of `summary`; text and JSON show the plan itself. `walk` is a plan on a whole `screen`, to leave a part of it out.

pub mod chart;
mod contents;
mod csv_table;
pub mod document;
pub mod drift_text;
pub mod estimate_text;
pub mod explain_text;
pub mod explain_whole_text;
pub mod explained;
pub mod format;
pub mod history_text;
pub mod html;
pub mod json;
pub mod jsonl;
pub mod layout;
pub mod markdown;
pub mod markup;
pub mod metrics;
pub mod night_text;
pub mod outcomes;
mod pager;
pub mod picture;
pub mod plan_csv;
pub mod plan_text;
pub mod printer;
pub mod progress;
pub mod report_text;
pub mod rows;
pub mod run_summary;
pub mod screen;
pub mod summary;
pub mod targets_text;
pub mod text;
pub mod walk;
pub mod webhook;
pub mod who_text;

pub use printer::{Printer, Verbosity};
