//! Helpers for text: colours, counts and escaping.

use std::borrow::Cow;
use std::fmt;

use anstyle::{AnsiColor, Style};

/// Something that creates or adds.
pub const ADD: Style = AnsiColor::Green.on_default();
/// Something that changes.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// Something that takes away, or went wrong.
pub const REMOVE: Style = AnsiColor::Red.on_default();
/// A name, a path or a hint.
pub const HINT: Style = AnsiColor::Cyan.on_default();
pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();

/// A text in a style. Where colour isn't wanted, the printer takes the style out again.
pub fn styled(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The most characters of one name or message that are shown. No real one is longer; a hostile one may have 100 KB.
const LONGEST: usize = 1000;

/// A name or a message for a person to read: [`visible`], and of a very long one the beginning and the end.
pub fn safe(text: &str) -> String {
    let length = text.chars().count();
    if length <= LONGEST {
        return visible(text);
    }
    let head: String = text.chars().take(LONGEST * 4 / 5).collect();
    let tail: String = text.chars().skip(length - LONGEST / 10).collect();
    format!("{}… ({} characters) …{}", visible(&head), count(length), visible(&tail))
}

/// A text from a server without what would move a terminal's cursor or turn the text around: control characters and
/// the marks of bidirectional text are shown as their code.
pub fn visible(text: &str) -> String {
    shown(text, is_harmful)
}

/// A whole text without the same, but for its line breaks and our own styles. The last guard, for what came into it
/// from elsewhere: only `ESC [ numbers m` passes, which sets a style and nothing more.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_harmful(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\u{1b}');
    let layout = |c: char| is_harmful(c) && !matches!(c, '\n' | '\t');
    let mut out = shown(parts.next().unwrap_or_default(), layout);
    for part in parts {
        out.push_str(if sets_a_style(part) { "\u{1b}" } else { "\\u{1b}" });
        out.push_str(&shown(part, layout));
    }
    Cow::Owned(out)
}

/// Whether what follows an escape character is the rest of a style: `[1;31m`.
fn sets_a_style(rest: &str) -> bool {
    let end = rest
        .strip_prefix('[')
        .and_then(|rest| rest.find(|c: char| !c.is_ascii_digit() && c != ';').map(|at| &rest[at..]));
    end.is_some_and(|end| end.starts_with('m'))
}

/// Whether a character could move the cursor, turn the text around, or make two names look the same: control characters, line and
/// paragraph separators, the marks of bidirectional text (Unicode's `Bidi_Control`), and what isn't shown.
pub(super) fn is_harmful(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}');
    c.is_control() || turns || (is_invisible(c) && !shapes_letters(c))
}

/// Whether an invisible character gives those next to it another shape: the joiners of Persian and Indian names and of emoji, and
/// the selectors of variants.
fn shapes_letters(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Whether a character isn't shown, and may be dropped by a program that reads the cell: Unicode's
/// `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, 16.0).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The text with the code in the place of each character of this kind.
fn shown(text: &str, kind: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if kind(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}

/// A count with separators: `4,210`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 project`, `2 projects`.
pub fn counted(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// The first few of a list, and how many more there are.
pub fn folded<T: AsRef<str>>(items: &[T], shown: usize) -> String {
    let shown = if items.len() <= shown + 1 { items.len() } else { shown };
    let text = items[..shown].iter().map(|item| safe(item.as_ref())).collect::<Vec<_>>().join(", ");
    if items.len() > shown { format!("{text} and {} more", count(items.len() - shown)) } else { text }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn two_names_that_differ_in_what_takes_no_place_look_different() {
        for hidden in ["\u{200b}", "\u{ad}", "\u{feff}", "\u{2060}", "\u{180e}", "\u{e0041}"] {
            let shown = visible(&format!("Zo{hidden}e"));
            assert!(shown.starts_with("Zo\\u{") && shown.ends_with("}e"), "{shown}");
        }
        assert_eq!(visible("\u{646}\u{200c}\u{647}"), "\u{646}\u{200c}\u{647}", "a letter of Persian names");
    }
    use super::*;

    #[test]
    fn counts_have_separators() {
        let texts = [0, 7, 999, 1000, 12_345, 1_234_567].map(count);
        assert_eq!(texts, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(safe("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(safe("Ünïcode 名"), "Ünïcode 名");
        for c in ['\u{7f}', '\u{9b}', '\u{61c}', '\u{200f}', '\u{2028}', '\u{202e}', '\u{2069}'] {
            assert_eq!(safe(&format!("a{c}b")), format!("a{}b", c.escape_unicode()));
        }
    }

    #[test]
    fn of_a_very_long_name_the_beginning_and_the_end_are_shown() {
        let longest = "ä".repeat(LONGEST);
        assert_eq!(safe(&longest), longest);
        let shown = safe(&format!("from{}\u{1b}to", "ä".repeat(100_000)));
        assert!(shown.starts_with("fromää") && shown.ends_with("ä\\u{1b}to"), "{shown}");
        assert!(shown.contains("(100,007 characters)") && shown.chars().count() < LONGEST + 50, "{shown}");
    }

    #[test]
    fn a_whole_text_keeps_its_lines_and_styles_alone() {
        let text = format!("a\n\t{}", styled(ADD.bold(), "b"));
        assert_eq!(harmless(&text), text);
        assert_eq!(harmless("plain"), "plain");
        let hostile = "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31\r\u{202e}\u{1b}";
        assert_eq!(harmless(hostile), "\\u{1b}]0;title\\u{7}\\u{1b}[2J\\u{1b}[31\\u{d}\\u{202e}\\u{1b}");
    }

    #[test]
    fn long_lists_are_folded_and_never_for_a_single_one() {
        assert_eq!(folded(&["a", "b", "c"], 2), "a, b, c");
        assert_eq!(folded(&["a", "b", "c", "d"], 2), "a, b and 2 more");
    }
}
