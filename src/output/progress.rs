//! Progress bars and spinners on stderr.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::Printer;

/// A bar, or nothing if no user watches.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A spinner with a text that changes.
    pub fn spinner(printer: &Printer, message: &str) -> Self {
        let bar = if printer.motion { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    pub fn message(&self, message: String) {
        self.0.set_message(message);
    }

    /// Becomes a bar of so many steps.
    pub fn steps(&self, steps: usize) {
        let template = "{spinner} {msg} {wide_bar} {pos}/{len} {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.set_length(steps as u64);
    }

    pub fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
