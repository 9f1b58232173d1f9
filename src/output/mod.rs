//! Renders answers as text, JSON and CSV. Only `printer` writes to the terminal.

pub mod drift_text;
pub mod explain_text;
pub mod explain_whole_text;
pub mod explained;
pub mod history_text;
pub mod json;
pub mod layout;
mod pager;
pub mod picture;
pub mod plan_answer;
pub mod plan_csv;
pub mod plan_text;
pub mod printer;
pub mod progress;
pub mod report_text;
pub mod text;
pub mod who_text;

pub use printer::{Printer, Verbosity};
