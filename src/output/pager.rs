//! Shows a long text in the user's pager, as git does.

use std::env;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// The variable that names another pager than `less`; empty or `cat` for none.
const PAGER: &str = "PAGER";

/// Shows the text in the pager. An error says that it wasn't shown.
pub fn page(text: &str) -> io::Result<()> {
    let wanted = env::var(PAGER).unwrap_or_else(|_| "less".to_owned());
    let mut words = wanted.split_whitespace();
    let program = words.next().filter(|program| *program != "cat").ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    if env::var_os("LESS").is_none() {
        // Ends by itself if the text fits, shows colours, and leaves the text on the screen.
        command.env("LESS", "FRX");
    }
    let mut child = command.args(words).stdin(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A pager that is left early closes its input: its reader has seen enough.
        drop(input.write_all(text.as_bytes()));
    }
    child.wait().map(drop)
}
