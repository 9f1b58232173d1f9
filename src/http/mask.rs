//! Masks secrets in server text, before any of it becomes part of an error, a log line or a row.
//!
//! A server that echoes a secret may change its form: escapes, percent-encoding, base64 or hexadecimal digits, characters in
//! between, a cut, another case. So only the letters and digits of both sides are compared, any `FRAGMENT` of them in a row
//! counts, and a text is searched in each form that it can be decoded to.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use memchr::memchr3;
use memchr::memmem::Finder;
use secrecy::{ExposeSecret, SecretString};

/// So many letters and digits of a secret in a row are hidden. Of a random token they can't be a coincidence.
const FRAGMENT: usize = 12;
/// How often a text is decoded again: JSON in base64 in JSON is three.
const DEPTH: usize = 4;
/// Shorter runs of base64 hold no fragment.
const SHORTEST_BASE64: usize = FRAGMENT * 4 / 3;
/// A longer text is searched and shown without its middle.
const LONGEST: usize = 16 << 10;
/// How much is searched for one text, decoded forms included. A text that needs more is hidden as a whole.
const MOST_WORK: usize = 4 << 20;
/// How many secrets of single attempts are remembered.
const PASSING: usize = 256;
/// Replaces a secret.
const REDACTED: &str = "(redacted)";

/// The secrets of one server's clients. Clones share them.
#[derive(Clone, Default)]
pub struct Mask(Arc<Mutex<Secrets>>);

#[derive(Default)]
struct Secrets {
    /// Kept as long as the process.
    lasting: Vec<SecretString>,
    /// Sent by single attempts: the last ones.
    passing: VecDeque<SecretString>,
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mask")
    }
}

impl Mask {
    /// Hides this secret in all texts from now on.
    pub fn keep(&self, secret: &SecretString) {
        let mut secrets = self.secrets();
        if !contains(&secrets.lasting, secret) {
            secrets.lasting.push(secret.clone());
        }
    }

    /// Hides what one attempt sent, until many others have followed it.
    pub(super) fn keep_for_a_while(&self, sent: &[SecretString]) {
        let mut secrets = self.secrets();
        for secret in sent {
            if contains(&secrets.lasting, secret) || contains(&secrets.passing, secret) {
                continue;
            }
            if secrets.passing.len() == PASSING {
                secrets.passing.pop_front();
            }
            secrets.passing.push_back(secret.clone());
        }
    }

    /// The text on one line, without secrets, control characters and the marks of bidirectional text.
    pub(crate) fn masked(&self, text: &str) -> String {
        let fragments = Fragments::of(&self.secrets());
        if text.len() <= LONGEST {
            return fragments.masked(text);
        }
        let (head, tail) = (floor(text, LONGEST / 2), floor(text, text.len() - LONGEST / 2));
        format!("{}…{}", fragments.masked(&text[..head]), fragments.masked(&text[tail..]))
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the secrets of one attempt in a good answer while it arrives: as they are, escaped, in base64 or in hexadecimal
/// digits. A server has no reason to send them back, and the value that it sends them in, such as a user's name, would be shown
/// and kept.
pub(super) struct Echo {
    needles: Vec<Finder<'static>>,
    /// How much of the end of what came may belong to a secret in the next part: six characters for each that is escaped.
    kept: usize,
    end: Vec<u8>,
    found: bool,
}

/// Shorter ones may be in an answer by chance.
const SHORTEST_ECHO: usize = 16;

impl Echo {
    pub(super) fn of(sent: &[SecretString]) -> Self {
        let long = sent.iter().map(|secret| secret.expose_secret().as_bytes());
        let forms: Vec<_> = long.filter(|secret| secret.len() >= SHORTEST_ECHO).flat_map(written).collect();
        let longest = forms.iter().map(Vec::len).max().unwrap_or_default();
        let needles = forms.iter().map(|form| Finder::new(form).into_owned()).collect();
        Self { needles, kept: longest * 6, end: Vec::new(), found: false }
    }

    /// Whether one was found so far.
    pub(super) fn is_found(&self) -> bool {
        self.found
    }

    /// Looks through the next part.
    pub(super) fn look(&mut self, part: &[u8]) {
        let kept = self.kept;
        self.end.extend_from_slice(&part[..part.len().min(kept)]);
        self.found = self.found || self.is_in(&self.end) || self.is_in(part);
        if part.len() >= kept {
            self.end.clear();
            self.end.extend_from_slice(&part[part.len() - kept..]);
        } else {
            let surplus = self.end.len().saturating_sub(kept);
            self.end.drain(..surplus);
        }
    }

    fn is_in(&self, part: &[u8]) -> bool {
        let holds = |bytes: &[u8]| self.needles.iter().any(|needle| needle.find(bytes).is_some());
        holds(part) || unescaped(part).is_some_and(|text| holds(&text))
    }
}

/// The text with its escapes decoded. None if it has none.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(places) => plain.extend_from_slice(&text[places]),
            Piece::Escaped(character, _) => plain.push(character),
        }
    }
    Some(plain)
}

/// The forms of a secret that are looked for as they are.
fn written(secret: &[u8]) -> Vec<Vec<u8>> {
    let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
    let hexadecimal: Vec<u8> = secret.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let mut forms = vec![secret.to_vec(), hexadecimal.to_ascii_uppercase(), hexadecimal];
    for before in 0..3 {
        let text = [&[0; 2][..before], secret].concat();
        // Digits that also hold bits of what is before or behind differ from place to place.
        let digits = (before * 8).div_ceil(6)..text.len() * 8 / 6;
        for alphabet in [BASE64_STANDARD, BASE64_URL_SAFE] {
            forms.push(alphabet.encode(&text).as_bytes()[digits.clone()].to_vec());
        }
    }
    forms
}

fn contains<'a>(known: impl IntoIterator<Item = &'a SecretString>, secret: &SecretString) -> bool {
    known.into_iter().any(|known| known.expose_secret() == secret.expose_secret())
}

/// The next smaller place where a character begins.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A text of at most so many characters: of a longer one its beginning and its end.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let tail = most / 3;
    let head: String = text.chars().take(most - tail).collect();
    let tail: String = text.chars().skip(count - tail).collect();
    format!("{head}…{tail}")
}

/// Without control characters, characters that aren't seen, and the marks of bidirectional text, which could rewrite or turn
/// around what the terminal shows.
pub(super) fn printable(text: &str) -> String {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|character| !harmful(*character)).collect()
}

/// What is looked for: the letters and digits of all secrets, lower-cased.
struct Fragments {
    /// All that are [`FRAGMENT`] long.
    long: BTreeSet<[u8; FRAGMENT]>,
    /// Secrets that are shorter as a whole.
    short: Vec<Vec<u8>>,
}

/// A decoded form of a text. Each byte has the range of the original that it came from.
#[derive(Default)]
struct Form {
    bytes: Vec<u8>,
    from: Vec<(usize, usize)>,
}

/// A digit of base64 or of a hexadecimal number, and where it is.
struct Digit {
    value: u8,
    from: (usize, usize),
}

/// The search through one text.
struct Search<'a> {
    fragments: &'a Fragments,
    hidden: Vec<(usize, usize)>,
    work: usize,
}

impl Fragments {
    fn of(secrets: &Secrets) -> Self {
        let mut fragments = Self { long: BTreeSet::new(), short: Vec::new() };
        for secret in secrets.lasting.iter().chain(&secrets.passing) {
            let plain: Vec<u8> = letters(secret.expose_secret().as_bytes()).map(|(_, byte)| byte).collect();
            if plain.len() < FRAGMENT {
                fragments.short.extend((!plain.is_empty()).then_some(plain));
            } else {
                fragments.long.extend(plain.array_windows().copied());
            }
        }
        fragments
    }

    fn masked(&self, text: &str) -> String {
        let mut search = Search { fragments: self, hidden: Vec::new(), work: 0 };
        search.look(&Form::of(text.as_bytes()), DEPTH);
        if search.work > MOST_WORK {
            return REDACTED.to_owned();
        }
        let mut hidden = search.hidden;
        hidden.sort_unstable();
        let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
        for (from, to) in hidden {
            if from > end || (from == 0 && end == 0) {
                shown.push_str(&text[end..from]);
                shown.push_str(REDACTED);
            }
            end = end.max(to);
        }
        shown.push_str(&text[end..]);
        printable(&shown)
    }
}

impl Search<'_> {
    /// Marks what of this form is secret, in itself and in all that it can be decoded to.
    fn look(&mut self, form: &Form, depth: usize) {
        self.work += form.bytes.len();
        if self.work > MOST_WORK {
            return;
        }
        let (places, plain): (Vec<usize>, Vec<u8>) = letters(&form.bytes).unzip();
        let mut found = Vec::new();
        for (at, window) in plain.array_windows::<FRAGMENT>().enumerate() {
            if self.fragments.long.contains(window) {
                found.push((places[at], places[at + FRAGMENT - 1]));
            }
        }
        for short in &self.fragments.short {
            let starts = plain.windows(short.len()).enumerate().filter(|(_, window)| window == short);
            found.extend(starts.map(|(at, _)| (places[at], places[at + short.len() - 1])));
        }
        self.hidden.extend(found.into_iter().map(|(first, last)| (form.from[first].0, form.from[last].1)));
        if depth == 0 {
            return;
        }
        if let Some(unescaped) = form.unescaped() {
            self.look(&unescaped, depth - 1);
        }
        for digits in form.runs(base64_digit, SHORTEST_BASE64) {
            // A secret may begin at any byte of a group, and a run in the middle of one.
            for offset in 0..4 {
                self.look(&Form::decoded(&digits[offset..], 4, 6), depth - 1);
            }
        }
        for digits in form.runs(hex_digit, FRAGMENT * 2) {
            for offset in 0..2 {
                self.look(&Form::decoded(&digits[offset..], 2, 4), depth - 1);
            }
        }
    }
}

impl Form {
    /// A text as it is.
    fn of(text: &[u8]) -> Self {
        Self { from: (0..text.len()).map(|at| (at, at + 1)).collect(), bytes: text.to_vec() }
    }

    fn push(&mut self, byte: u8, from: (usize, usize)) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    /// What digits of so many bits stand for, in groups of so many. Each byte comes from all digits of its group.
    fn decoded(digits: &[Digit], group: usize, bits: usize) -> Self {
        let mut form = Self::default();
        for digits in digits.chunks(group) {
            let value = digits.iter().fold(0_u32, |value, digit| value << bits | u32::from(digit.value));
            let value = value << (bits * (group - digits.len()));
            let [.., first, second, third] = value.to_be_bytes();
            let bytes = if group == 2 { &[third][..] } else { &[first, second, third] };
            let from = (digits[0].from.0, digits[digits.len() - 1].from.1);
            for byte in &bytes[..digits.len() * bits / 8] {
                form.push(*byte, from);
            }
        }
        form
    }

    /// The runs of digits of at least this length. What may be between the digits in a broken line doesn't end one.
    fn runs(&self, digit: fn(u8) -> Option<u8>, shortest: usize) -> Vec<Vec<Digit>> {
        let (mut runs, mut run) = (Vec::new(), Vec::new());
        for (byte, from) in self.bytes.iter().zip(&self.from) {
            if let Some(value) = digit(*byte) {
                run.push(Digit { value, from: *from });
            } else if !(byte.is_ascii_whitespace() || byte.is_ascii_control() || matches!(byte, b':' | b'%' | 0x80..)) {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs.push(run);
        runs.retain(|run| run.len() >= shortest);
        runs
    }

    /// The text with its escapes decoded. None if it has none.
    fn unescaped(&self) -> Option<Self> {
        let mut form = Self::default();
        for piece in pieces(&self.bytes)? {
            match piece {
                Piece::Plain(places) => places.for_each(|at| form.push(self.bytes[at], self.from[at])),
                Piece::Escaped(character, places) => {
                    form.push(character, (self.from[places.start].0, self.from[places.end - 1].1));
                }
            }
        }
        Some(form)
    }
}

/// A part of a text, by its place.
enum Piece {
    Plain(Range<usize>),
    /// A character that is escaped as in URLs, JSON, C or HTML.
    Escaped(u8, Range<usize>),
}

/// The text in pieces. None if it has no escape.
fn pieces(text: &[u8]) -> Option<impl Iterator<Item = Piece>> {
    let next = |at: usize| memchr3(b'%', b'\\', b'&', &text[at..]).map(|length| at + length);
    next(0)?;
    let mut at = 0;
    Some(std::iter::from_fn(move || {
        let start = at;
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        if let Some((character, length)) = escape(rest) {
            at += length;
            return Some(Piece::Escaped(character, start..at));
        }
        at = next(start + 1).unwrap_or(text.len());
        Some(Piece::Plain(start..at))
    }))
}

/// The character that a text begins with an escape of, and the escape's length. One that no token has is a blank.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let ascii = |code: u32| u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(b' ');
    let number = |digits: &[u8], radix| u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok();
    let fixed = |start: usize, length: usize, radix| {
        let code = number(text.get(start..start + length)?, radix)?;
        Some((ascii(code), start + length))
    };
    let until = |start: usize, end: u8, radix| {
        let length = text.get(start..)?.iter().take(9).position(|byte| *byte == end)?;
        Some((ascii(number(&text[start..start + length], radix)?), start + length + 1))
    };
    match text {
        [b'%', ..] => fixed(1, 2, 16),
        [b'\\', b'u', b'{', ..] => until(3, b'}', 16),
        [b'\\', b'u', ..] => fixed(2, 4, 16),
        [b'\\', b'U', ..] => fixed(2, 8, 16),
        [b'\\', b'x', ..] => fixed(2, 2, 16),
        [b'\\', b'0'..=b'3', ..] => fixed(1, 3, 8),
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => Some((b' ', 2)),
        [b'\\', other, ..] if other.is_ascii_punctuation() => Some((*other, 2)),
        [b'&', b'#', b'x' | b'X', ..] => until(3, b';', 16),
        [b'&', b'#', ..] => until(2, b';', 10),
        _ => None,
    }
}

/// The letters and digits, lower-cased, each with its place.
fn letters(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let letters = bytes.iter().enumerate().filter(|(_, byte)| byte.is_ascii_alphanumeric());
    letters.map(|(at, byte)| (at, byte.to_ascii_lowercase()))
}

/// The value of a digit of base64, in the alphabet of URLs or the other one.
fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::scripted::FORMS;

    const TOKEN: &str = "00aVery-Secret_Token0123456789abcdef-_XYZq";

    fn mask(secret: &str) -> Mask {
        let mask = Mask::default();
        mask.keep(&secret.into());
        mask
    }

    fn masked(text: &str) -> String {
        mask(TOKEN).masked(text)
    }

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        for (name, form) in FORMS {
            let written = form(TOKEN);
            let shown = masked(&format!("the token '{written}' has expired"));
            let around = shown.starts_with("the token '") && shown.ends_with("' has expired");
            assert!(around && shown.contains(REDACTED), "{name}: {shown}");
            let part =
                written.as_bytes().windows(16).find(|part| shown.contains(std::str::from_utf8(part).unwrap_or("\0")));
            assert_eq!(part, None, "{name}: {shown}");
        }
    }

    #[test]
    fn a_part_of_a_secret_is_hidden_and_other_texts_stay() {
        assert_eq!(masked(&format!("bad {}", &TOKEN[..20])), "bad (redacted)");
        assert_eq!(masked(&format!("{} and {}", &TOKEN[..21], &TOKEN[21..])), "(redacted) and (redacted)");
        for text in [
            "",
            "Api validation failed: login",
            "00u1a2b3c4d5e6f7g8h9",
            "caf\u{e9} %41 \\u0041 &amp; QUJDREVGR0hJSktMTU5PUA==",
        ] {
            assert_eq!(masked(text), text);
        }
        assert_eq!(masked("a\u{1b}[2J\u{202e}b"), "a[2Jb");
    }

    #[test]
    fn a_secret_at_the_cut_of_a_long_text_is_hidden() {
        for at in (LONGEST / 2 - TOKEN.len())..=(LONGEST / 2) {
            let shown = masked(&format!("{}{TOKEN}{}", ".".repeat(at), ".".repeat(LONGEST)));
            let left = shown.bytes().filter(u8::is_ascii_alphanumeric).count();
            assert!(left < "redacted".len() + FRAGMENT, "{at}: {left} of it are shown");
        }
    }

    #[test]
    fn a_text_that_takes_too_much_work_is_hidden_as_a_whole() {
        let mut text = TOKEN.repeat(200);
        while text.len() < LONGEST / 2 {
            text = BASE64_STANDARD.encode(text);
        }
        assert!(!masked(&text).contains(&TOKEN[..FRAGMENT]));
    }

    /// Whether the token is found in an answer that comes in parts of this length.
    fn is_echo(answer: &str, length: usize) -> bool {
        let mut echo = Echo::of(&[TOKEN.into(), "short".into()]);
        answer.as_bytes().chunks(length).for_each(|part| echo.look(part));
        echo.is_found()
    }

    #[test]
    fn an_echo_in_a_good_answer_is_found_however_it_arrives() {
        // Nothing but a mask that takes out single characters finds these, and it would take too long for a whole answer.
        let apart = ["upper case", "control characters", "zero-width characters", "base64 twice", "base64 in percent"];
        let half = format!("{}\\u{:04x}{}", &TOKEN[..9], TOKEN.as_bytes()[9], &TOKEN[10..]);
        let forms = FORMS.iter().filter(|(name, _)| !apart.contains(name)).map(|(_, form)| form(TOKEN));
        let forms: Vec<String> = forms.chain([half]).collect();
        assert_eq!(forms.len(), FORMS.len() - apart.len() + 1);
        for length in [1, 7, 41, 100, 252, 1000] {
            for written in &forms {
                let text = format!("[{}\"name\": \"{written}\"{}", "\"ä\u{20ac}\", ".repeat(90), ", 1".repeat(400));
                assert!(is_echo(&text, length), "{length}: {written}");
            }
            assert!(!is_echo(&format!("[\"short\", \"\\u0041\", \"{}\"]", &TOKEN[1..]).repeat(30), length));
        }
    }

    #[test]
    fn only_the_last_secrets_of_attempts_are_kept() {
        let mask = Mask::default();
        let secret = |number: usize| SecretString::from(format!("proof-number-{number:06}"));
        for number in 0..=PASSING {
            mask.keep_for_a_while(&[secret(number), secret(number)]);
        }
        assert_eq!(mask.masked("number000256"), "(redacted)");
        assert_eq!(mask.secrets().passing.len(), PASSING);
        assert_eq!(format!("{mask:?}"), "Mask");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_fragment_of_a_secret_is_left(
            secret in "[A-Za-z0-9_-]{40,60}", before in "[ -~]{0,9}", after in "[ -~]{0,9}", form in 0..FORMS.len(),
        ) {
            let written = FORMS[form].1(&secret);
            let shown = mask(&secret).masked(&format!("{before} {written} {after}"));
            prop_assert!(!shown.contains(&written), "{}: {shown}", FORMS[form].0);
            prop_assert!(!shown.contains(&secret[14..26]), "{}: {shown}", FORMS[form].0);
        }

        #[test]
        fn any_text_can_be_masked(text in "\\PC{0,200}", secret in ".{0,30}") {
            mask(&secret).masked(&text);
        }
    }
}
