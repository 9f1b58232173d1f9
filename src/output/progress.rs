//! Progress bars and spinners on stderr.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::Printer;

/// A bar, or nothing if no user watches.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    said: Mutex<Said>,
}

/// What the line says.
#[derive(Debug, Default)]
struct Said {
    message: String,
    /// What is waited for.
    waits: Option<String>,
}

impl Progress {
    /// A spinner with a text that changes.
    pub fn spinner(printer: &Printer, message: &str) -> Self {
        let bar = if printer.motion { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let progress = Self { bar, said: Mutex::default() };
        progress.message(message.to_owned());
        progress.bar.enable_steady_tick(Duration::from_millis(120));
        progress
    }

    pub fn message(&self, message: String) {
        let mut said = self.said();
        said.message = message;
        self.bar.set_message(said.line());
    }

    /// Says what is waited for behind the message, until it is nothing.
    pub fn waits(&self, waits: Option<String>) {
        let mut said = self.said();
        if said.waits != waits {
            said.waits = waits;
            self.bar.set_message(said.line());
        }
    }

    /// Becomes a bar of so many steps.
    pub fn steps(&self, steps: usize) {
        let template = "{spinner} {msg} {wide_bar} {pos}/{len} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(steps as u64);
    }

    pub fn step(&self) {
        self.bar.inc(1);
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    fn line(&self) -> String {
        let Self { message, waits } = self;
        waits.as_ref().map_or_else(|| message.clone(), |waits| format!("{message}, {waits}"))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_stands_behind_the_message_until_its_end() {
        let progress = Progress { bar: ProgressBar::hidden(), said: Mutex::default() };
        progress.message("Reading users".to_owned());
        progress.waits(Some("waiting 23 s for Okta's rate limit (/users)".to_owned()));
        assert_eq!(progress.bar.message(), "Reading users, waiting 23 s for Okta's rate limit (/users)");
        progress.message("Reading groups".to_owned());
        assert_eq!(progress.bar.message(), "Reading groups, waiting 23 s for Okta's rate limit (/users)");
        progress.waits(None);
        assert_eq!(progress.bar.message(), "Reading groups");
    }
}
