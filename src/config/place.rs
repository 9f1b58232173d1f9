//! The place in the config's text of a part of a string's value.

use std::ops::Range;

/// The bytes of `text` that give the bytes `part` of a string's value; `span` is the whole string, quotes included,
/// and `value` what TOML makes of it. It is the whole string if the two don't match.
pub(super) fn place(text: &str, span: &Range<usize>, value: &str, part: &Range<usize>) -> Range<usize> {
    let found = text.get(span.clone()).map(offsets).filter(|offsets| offsets.len() == value.len() + 1);
    match found.as_ref().map(|offsets| (offsets.get(part.start), offsets.get(part.end))) {
        Some((Some(start), Some(end))) => span.start + start..span.start + *end.max(start),
        _ => span.clone(),
    }
}

/// For each byte of the value, and for its end, the byte of the string that it comes from.
fn offsets(string: &str) -> Vec<usize> {
    let (quotes, literal) = delimiter(string);
    let mut start = quotes.min(string.len());
    let end = string.len().saturating_sub(quotes).max(start);
    if quotes == 3 {
        start += newline(&string[start..end]);
    }
    let body = &string[start..end];
    let mut offsets = Vec::with_capacity(body.len() + 1);
    let mut at = 0;
    while let Some(c) = body[at..].chars().next() {
        let (length, bytes) = if c == '\\' && !literal { escape(&body[at..]) } else { (c.len_utf8(), 0) };
        if c == '\\' && !literal {
            offsets.extend(std::iter::repeat_n(start + at, bytes));
        } else {
            offsets.extend(start + at..start + at + length);
        }
        at += length;
    }
    offsets.push(end);
    offsets
}

/// How many quotes a string starts with, and whether its backslashes are literal.
fn delimiter(string: &str) -> (usize, bool) {
    for (quotes, literal) in [("'''", true), ("\"\"\"", false), ("'", true), ("\"", false)] {
        if string.len() >= 2 * quotes.len() && string.starts_with(quotes) {
            return (quotes.len(), literal);
        }
    }
    (0, true)
}

/// The length of the line end that a text starts with.
fn newline(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with('\n')) }
}

/// An escape's length in the file, and in the value.
fn escape(text: &str) -> (usize, usize) {
    let digits = match text.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            let rest = text[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            return (text.len() - rest.len(), 0);
        }
        Some(_) => return (2, 1),
        None => return (1, 1),
    };
    let code = text.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
    (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::de::{DeTable, DeValue};

    use super::*;

    /// Parses `a = STRING` and gives the text that a needle in the value comes from.
    fn found(string: &str, needle: &str) -> String {
        let text = format!("a = {string}\n");
        let table = DeTable::parse(&text).unwrap();
        let value = &table.get_ref()["a"];
        let decoded = value.get_ref().as_str().unwrap();
        let start = decoded.find(needle).unwrap();
        text[place(&text, &value.span(), decoded, &(start..start + needle.len()))].to_owned()
    }

    #[test]
    fn literal_strings_are_read_as_they_are() {
        assert_eq!(found(r"'é \n + x'", r"\n +"), r"\n +");
        assert_eq!(found("'''\né\n+ x'''", "+"), "+");
    }

    #[test]
    fn escapes_count_as_what_they_mean() {
        assert_eq!(found(r#""user.a == \"é\u00e9\" + x""#, "\"éé\""), r#"\"é\u00e9\""#);
        assert_eq!(found(r#""\U0001F600\x41\t+""#, "+"), "+");
        assert_eq!(found("\"\"\"\r\na \\  \n   b\"\"\"", "b"), "b");
        assert_eq!(found("\"\"\"\na \\  \n   b\"\"\"", "a b"), "a \\  \n   b");
    }

    #[test]
    fn an_empty_part_at_the_end_is_before_the_closing_quote() {
        assert_eq!(place("a = 'x +'", &(4..9), "x +", &(3..3)), 8..8);
    }

    #[test]
    fn what_does_not_fit_is_the_whole_string() {
        assert_eq!(place("a = 'x'", &(4..7), "xyz", &(0..1)), 4..7);
        assert_eq!(place("a = 'x'", &(4..7), "x", &(0..5)), 4..7);
    }

    proptest! {
        #[test]
        fn every_character_is_found_again(value in any::<String>()) {
            let mut table = toml::Table::new();
            table.insert("a".to_owned(), value.into());
            let text = toml::to_string(&table).unwrap();
            let parsed = DeTable::parse(&text).unwrap();
            let string = &parsed.get_ref()["a"];
            let DeValue::String(decoded) = string.get_ref() else { panic!("not a string") };
            prop_assert_eq!(offsets(&text[string.span()]).len(), decoded.len() + 1);
            for (start, c) in decoded.char_indices() {
                let part = &text[place(&text, &string.span(), decoded, &(start..start + c.len_utf8()))];
                prop_assert!(part.starts_with(c) || part.starts_with('\\'), "{:?} for {:?}", part, c);
            }
        }
    }
}
