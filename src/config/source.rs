//! The text that the settings come from: the config file, and the variables that override its keys.

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// A config file as it was read. It may hold a secret by mistake, so `Debug` doesn't show it.
#[derive(Clone)]
pub struct ConfigText {
    /// As the admin gave it.
    pub(super) name: String,
    /// The file, then one line `NAME=value` for each variable: a span says which of the two a value came from.
    pub(super) text: String,
    /// The length of the file in `text`.
    file: usize,
    /// Where each variable's line starts, and its name.
    variables: Vec<(usize, String)>,
}

/// What a picture of a variable's value calls its place.
pub(super) const ENVIRONMENT: &str = "environment";

impl ConfigText {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), file: text.len(), variables: Vec::new() }
    }

    /// The file's path as the admin gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a variable; the result is the place of its value.
    pub(super) fn add_variable(&mut self, name: &str, value: &str) -> Range<usize> {
        self.variables.push((self.text.len(), name.to_owned()));
        self.text.extend([name, "=", value, "\n"]);
        let end = self.text.len() - 1;
        end - value.len()..end
    }

    /// Whether a place is in the value of a variable. The name stands before it, so it starts after the file's end.
    pub(super) fn is_variable(&self, span: &Range<usize>) -> bool {
        span.start > self.file
    }

    /// The part of the text that a place is in: its bytes, and what a picture calls it.
    pub(super) fn part(&self, span: &Range<usize>) -> (Range<usize>, &str) {
        if self.is_variable(span) { (self.file..self.text.len(), ENVIRONMENT) } else { (0..self.file, &self.name) }
    }

    /// `config.toml:21`, or the name of the variable.
    pub(super) fn location(&self, span: &Range<usize>) -> String {
        if let Some((_, name)) = self.variables.iter().rev().find(|(start, _)| *start < span.start) {
            return format!("environment variable {name}");
        }
        let before = &self.text.as_bytes()[..span.start];
        format!("{}:{}", self.name, before.split(|byte| *byte == b'\n').count())
    }
}

impl fmt::Debug for ConfigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The config that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) config: &'a ConfigText,
    /// Relative paths start here.
    pub(super) folder: &'a Path,
}
