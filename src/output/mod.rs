//! Renders answers as text, JSON and CSV. Only `printer` writes to the terminal.

pub mod history_text;
pub mod json;
pub mod metrics;
pub mod night_text;
pub mod outcomes;
pub mod picture;
pub mod plan_answer;
pub mod plan_csv;
pub mod plan_text;
pub mod printer;
pub mod progress;
pub mod report_text;
pub mod summary;
pub mod text;
pub mod webhook;

pub use printer::{Printer, Verbosity};
