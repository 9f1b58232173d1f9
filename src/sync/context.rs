//! What every command gets.

use std::path::PathBuf;

use crate::output::Printer;

/// What every command gets.
#[derive(Debug)]
pub struct Context {
    pub printer: Printer,
    pub config: Option<PathBuf>,
    /// The targets of the config that are wanted; all where none is named.
    pub targets: Vec<String>,
    /// The flags about output as they were typed, for a child process.
    #[cfg_attr(not(feature = "sandbox"), expect(dead_code, reason = "only the demo starts a child process"))]
    pub flags: Vec<&'static str>,
}
