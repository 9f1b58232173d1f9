//! Keeps secrets out of the pictures of a config: those that were typed into it instead of their source.

use std::ops::Range;

/// The text with every character of the ranges, and of everything that looks like an API token, made a `*`. Quotes and line
/// ends stay, and so does the length in bytes, so that spans still fit.
pub(super) fn mask(text: &str, hidden: &[Range<usize>]) -> String {
    let mut ranges = hidden.iter().cloned().chain(secret_looking(text)).collect::<Vec<_>>();
    // Each character is compared with one range only, since a file may have as many of them as lines.
    ranges.sort_unstable_by_key(|range| range.start);
    let mut ranges = ranges.into_iter().peekable();
    let mut hidden_to = 0;
    let mut masked = String::with_capacity(text.len());
    for (offset, c) in text.char_indices() {
        while let Some(range) = ranges.next_if(|range| range.start <= offset) {
            hidden_to = hidden_to.max(range.end);
        }
        if offset < hidden_to && !matches!(c, '\n' | '\r' | '"' | '\'') {
            masked.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            masked.push(c);
        }
    }
    masked
}

/// Whether a text holds something with the form of an Okta API token (`00` and 40 more) or an Activepieces API key
/// (`sk-` and more).
pub(super) fn holds_secret(text: &str) -> bool {
    secret_looking(text).next().is_some()
}

fn secret_looking(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).filter_map(move |word| {
        let range = start..start + word.len();
        // Every separator is one character, but not one byte.
        start = range.end + text[range.end..].chars().next().map_or(0, char::len_utf8);
        let okta = word.starts_with("00") && word.len() == 42;
        let activepieces = word.starts_with("sk-") && word.len() >= 24;
        (okta || activepieces).then_some(range)
    })
}

/// The values of keys that may hold a secret, in a file that isn't valid TOML, up to the end of the line, or of a
/// string of several lines. Names of sources (`token_env` and its like) may be seen.
pub(super) fn suspicious_lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut ranges = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some((key, value)) = line.split_once('=')
            && may_hold_secret(key)
        {
            let value_start = start + key.len() + 1;
            let several = ["\"\"\"", "'''"].into_iter().find(|quotes| value.trim_start().starts_with(quotes));
            let end = several.map_or(Some(start + line.len()), |quotes| closing(text, value_start, quotes));
            ranges.push(value_start..end.unwrap_or(text.len()));
        }
        start += line.len();
    }
    ranges
}

/// Where a string that starts behind `start` ends, if it does.
fn closing(text: &str, start: usize, quotes: &str) -> Option<usize> {
    let open = start + text[start..].find(quotes)? + quotes.len();
    Some(open + text[open..].find(quotes)? + quotes.len())
}

/// Whether a key's name says that its value is a secret.
pub(super) fn may_hold_secret(key: &str) -> bool {
    let key = key.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let source = ["_env", "_file", "_command"].iter().any(|end| key.ends_with(end));
    !source
        && ["token", "key", "secret", "password", "credential", "webhook", "heartbeat"]
            .iter()
            .any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OKTA: &str = "00aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_AB";

    #[test]
    fn tokens_are_masked_wherever_they_are() {
        let text = format!("é # {OKTA}\nx = \"sk-0123456789abcdefghijklmn\"\n");
        let masked = mask(&text, &[]);
        assert_eq!(masked, format!("é # {}\nx = \"{}\"\n", "*".repeat(42), "*".repeat(27)));
    }

    #[test]
    fn ids_are_not_taken_for_tokens() {
        assert!(!holds_secret("00u1a2b3c4d5e6f7g8h9 sk-short"));
        assert!(holds_secret(&format!("SSWS {OKTA}")));
    }

    #[test]
    fn masking_keeps_the_length_and_the_line_ends() {
        let text = "a = \"é\nb\"\n";
        let hidden = 4..text.len();
        let masked = mask(text, std::slice::from_ref(&hidden));
        assert_eq!(masked, "a = \"**\n*\"\n");
        assert_eq!(masked.len(), text.len());
    }

    #[test]
    fn parts_that_overlap_are_hidden_to_the_last_of_their_ends() {
        assert_eq!(mask("abcdefghij", &[6..7, 1..4, 2..3, 3..5]), "a****f*hij");
    }

    #[test]
    fn lines_that_hold_a_secret_are_found_without_toml() {
        let text = "token = abc\ntoken_env = X\n api_key=def";
        let found = suspicious_lines(text).into_iter().map(|range| &text[range]).collect::<Vec<_>>();
        assert_eq!(found, [" abc\n", "def"]);
    }

    #[test]
    fn a_secret_of_several_lines_is_hidden_to_its_end() {
        let text = "token = \"\"\"\nabc\n\"\"\"\nb = 1\nkey = '''\ndef\n";
        let found = suspicious_lines(text).into_iter().map(|range| &text[range]).collect::<Vec<_>>();
        assert_eq!(found, [" \"\"\"\nabc\n\"\"\"", " '''\ndef\n"]);
    }
}
