//! Java's regular expressions in a linear-time engine. Features that need backtracking are refused by name.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

/// Okta's own limit on a pattern's length (Okta Expression Language: group rules).
const LONGEST: usize = 1000;
/// The most memory that a compiled pattern takes, in bytes.
const LARGEST: usize = 1 << 20;

/// The largest small pattern, in bytes. A small pattern costs a step for each byte of text.
const SMALL: usize = 1 << 16;
/// The steps for compiling a pattern that is computed for each user.
pub const COMPILING: usize = 20_000;

/// A pattern that matches a whole text.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Arc<Regex>,
    /// The steps for each byte of a text.
    weight: usize,
}

impl Pattern {
    /// Compiles a pattern. The error says why the pattern is refused.
    pub fn new(pattern: &str) -> Result<Self, String> {
        if pattern.chars().count() > LONGEST {
            return Err(format!("the pattern is longer than {LONGEST} characters"));
        }
        let whole = format!(r"\A(?:{})\z", ascii_classes(pattern));
        let with_limit = |size| RegexBuilder::new(&whole).size_limit(size).build();
        if let Ok(regex) = with_limit(SMALL) {
            return Ok(Self { regex: Arc::new(regex), weight: 1 });
        }
        let built = with_limit(LARGEST).map_err(|error| refusal(pattern, &error));
        built.map(|regex| Self { regex: Arc::new(regex), weight: LARGEST / SMALL })
    }

    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The most steps that a match takes.
    pub fn cost(&self, text: &str) -> usize {
        text.len().saturating_mul(self.weight)
    }
}

fn refusal(pattern: &str, error: &regex::Error) -> String {
    let looks = ["(?=", "(?!", "(?<=", "(?<!"].into_iter().find(|look| pattern.contains(look));
    match (looks, error) {
        (Some(look), _) => format!("look-around {look}…) isn't supported: it can't run in linear time"),
        (_, regex::Error::CompiledTooBig(_)) => "the pattern is too large".to_owned(),
        (_, regex::Error::Syntax(text)) => {
            let last = text.lines().last().unwrap_or_default();
            format!("the pattern isn't valid: {}", last.strip_prefix("error: ").unwrap_or(last))
        }
        _ => "the pattern isn't valid".to_owned(),
    }
}

/// In Java `\d`, `\w` and `\s` match ASCII characters only.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let (mut characters, mut depth) = (pattern.chars(), 0_usize);
    while let Some(character) = characters.next() {
        if character != '\\' {
            match character {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            out.push(character);
            continue;
        }
        let Some(escaped) = characters.next() else {
            out.push('\\');
            break;
        };
        let class = match escaped {
            'd' => "0-9",
            'w' => "a-zA-Z0-9_",
            's' => r"\t\n\x0B\x0C\r ",
            'D' => "^0-9",
            'W' => "^a-zA-Z0-9_",
            'S' => r"^\t\n\x0B\x0C\r ",
            'h' => r"\t \x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}",
            // The pattern must match the whole text, so `\Z` can't skip a line feed at the end.
            'Z' => {
                out.push_str(r"\z");
                continue;
            }
            'Q' => {
                let rest = characters.as_str();
                let (text, after) = rest.split_once(r"\E").unwrap_or((rest, ""));
                out.push_str(&regex::escape(text));
                characters = after.chars();
                continue;
            }
            other => {
                out.extend(['\\', other]);
                continue;
            }
        };
        // Within brackets a negated class must stay a nested class.
        if depth > 0 && !class.starts_with('^') { out.push_str(class) } else { out.extend(["[", class, "]"]) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_has_to_match() {
        let pattern = Pattern::new("Master|op").unwrap();
        assert!(pattern.matches("op") && !pattern.matches("opera") && !pattern.matches("co-op"));
    }

    #[test]
    fn classes_are_ascii_as_in_java() {
        assert!(!Pattern::new(r"\d").unwrap().matches("٣"));
        assert!(Pattern::new(r"[\w.]+").unwrap().matches("a_9."));
        assert!(Pattern::new(r"[^\s]\S").unwrap().matches("ab"));
        assert!(Pattern::new(r"\D").unwrap().matches("ü"));
    }

    #[test]
    fn quotations_and_blanks_are_as_in_java() {
        let pattern = Pattern::new(r"\Qa.b[c\E\h[\h\w]\d\Z").unwrap();
        assert!(pattern.matches("a.b[c\u{a0}x1") && !pattern.matches("axb[c x1") && !pattern.matches("a.b[c x1\n"));
        assert!(Pattern::new(r"\Q(.*").unwrap().matches("(.*"));
        assert!(Pattern::new("(?!a)b").unwrap_err().contains("(?!"));
    }

    #[test]
    fn what_is_not_linear_is_refused_by_name() {
        assert!(Pattern::new("a(?=b)").unwrap_err().contains("(?="));
        assert!(Pattern::new(r"(a)\1").unwrap_err().contains("backreference"));
        assert!(Pattern::new(&"a".repeat(1001)).is_err());
        assert!(Pattern::new("(a+)+$").unwrap().matches("aaaa"));
    }
}
