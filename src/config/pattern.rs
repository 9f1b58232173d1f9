//! Reads regular expressions; a mistake in one is shown in the file.

use std::ops::Range;

use regex::Regex;

use super::picture::{Fault, Faults};
use super::place::place;
use super::source::Source;
use super::types::Text;

/// The regular expression, or none with its fault noted.
pub(super) fn regex(pattern: &Text, source: Source<'_>, faults: &mut Faults) -> Option<Regex> {
    Regex::new(pattern.get_ref()).map_err(|error| faults.push(regex_fault(pattern, source, &error))).ok()
}

/// The regex crate's own message; its carets become carets into the file.
fn regex_fault(pattern: &Text, source: Source<'_>, error: &regex::Error) -> Fault {
    let text = error.to_string();
    let message = text.rsplit("error: ").next().unwrap_or_default().trim();
    let part = caret(&text, pattern.get_ref());
    let span =
        part.map_or(pattern.span(), |part| place(&source.config.text, &pattern.span(), pattern.get_ref(), &part));
    Fault::at(span, format!("invalid regular expression: {message}"))
}

/// The bytes of the pattern that the regex crate's carets point at. Its message has the pattern, indented, and the
/// carets below it; a pattern of several lines is shown differently, and gets no carets here.
fn caret(error: &str, pattern: &str) -> Option<Range<usize>> {
    let mut lines = error.lines().skip_while(|line| line.trim_start_matches(' ') != pattern.trim_start_matches(' '));
    let indent = lines.next()?.strip_suffix(pattern)?.len();
    let carets = lines.next()?.get(indent..)?;
    let start = carets.find('^')?;
    let length = carets[start..].chars().take_while(|c| *c == '^').count();
    let byte = |index| pattern.char_indices().nth(index).map_or(pattern.len(), |(byte, _)| byte);
    Some(byte(start)..byte(start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_of_the_regex_crate_are_found() {
        for (pattern, marked) in
            [("^AP (.+$", "("), ("é[z-a]", "z-a"), (r"\q", r"\q"), ("  (", "("), ("x{2,1}", "{2,1}")]
        {
            let error = Regex::new(pattern).unwrap_err();
            let part = caret(&error.to_string(), pattern).unwrap();
            assert_eq!(&pattern[part], marked, "{error}");
        }
        let pattern = ["(?x)a", "("].join("\n");
        assert_eq!(caret(&Regex::new(&pattern).unwrap_err().to_string(), &pattern), None);
    }
}
