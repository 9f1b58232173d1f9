//! Limits for the size and the time of an answer, far above any real answer.

use std::time::Duration;

use memchr::memchr2;

/// How large an answer may be, once it's unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub bytes: u64,
    /// Values in lists and objects, each of which takes memory of its own: an empty one takes two bytes of an answer, and
    /// more than thirty here.
    pub values: u64,
}

impl Size {
    /// A page, or a single entity. A page of 1000 members with 100 attributes each has 5 MB and 120,000 values.
    pub const PAGE: Self = Self { bytes: 32 << 20, values: 1_000_000 };
    /// A listing without pages: a million users of Activepieces have 600 MB and 27 million values (docs/activepieces.md#listing-users),
    /// and a page of 100 groups with 20,000 members each has 220 MB and 6 million.
    pub const LISTING: Self = Self { bytes: 4 << 30, values: 48_000_000 };
}

/// The longest text in an answer, and the longest run of blanks between its values.
const LONGEST_TEXT: usize = 1 << 20;
/// An answer that comes more slowly than this many bytes a second is no answer.
const SLOWEST: u64 = 8 << 10;

/// Measures an answer of JSON while it arrives.
#[derive(Debug)]
pub(super) struct Meter {
    size: Size,
    bytes: u64,
    /// Without the blanks between values: these say nothing.
    solid: u64,
    values: u64,
    place: Place,
    /// How long the text, or the run of blanks, is so far.
    run: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Outside,
    Text,
    Escaped,
}

impl Meter {
    pub(super) fn new(size: Size) -> Self {
        Self { size, bytes: 0, solid: 0, values: 0, place: Place::Outside, run: 0 }
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next part in; the error says which limit the answer exceeds.
    pub(super) fn take(&mut self, part: &[u8]) -> Result<(), String> {
        self.bytes += part.len() as u64;
        let mut rest = part;
        while !rest.is_empty() {
            rest = match self.place {
                Place::Text => self.in_text(rest),
                Place::Escaped => {
                    (self.place, self.run, self.solid) = (Place::Text, self.run + 1, self.solid + 1);
                    &rest[1..]
                }
                Place::Outside => self.outside(rest),
            };
            if self.run > LONGEST_TEXT {
                let what = if self.place == Place::Outside { "blanks" } else { "a text" };
                return Err(format!("it has {what} of more than {}", megabytes(LONGEST_TEXT as u64)));
            }
        }
        if self.bytes > self.size.bytes {
            return Err(format!("it has more than {}", megabytes(self.size.bytes)));
        }
        if self.values > self.size.values {
            return Err(format!("it has more than {} values", self.size.values));
        }
        Ok(())
    }

    /// Goes on to the end of the text, to an escape in it, or to the end of the part.
    fn in_text<'p>(&mut self, part: &'p [u8]) -> &'p [u8] {
        let end = memchr2(b'"', b'\\', part);
        let length = end.map_or(part.len(), |end| end + 1);
        self.run += length;
        self.solid += length as u64;
        match end.map(|end| part[end]) {
            Some(b'\\') => self.place = Place::Escaped,
            Some(_) if self.run <= LONGEST_TEXT => (self.place, self.run) = (Place::Outside, 0),
            _ => {}
        }
        &part[length..]
    }

    /// Goes on to the beginning of a text, to too long a run of blanks, or to the end of the part.
    fn outside<'p>(&mut self, part: &'p [u8]) -> &'p [u8] {
        let (mut run, mut solid, mut values) = (self.run, 0, 0);
        let end = part.iter().position(|byte| {
            if byte.is_ascii_whitespace() {
                run += 1;
                return run > LONGEST_TEXT;
            }
            (run, solid) = (0, solid + 1);
            values += u64::from(matches!(byte, b',' | b'[' | b'{'));
            *byte == b'"'
        });
        (self.run, self.solid, self.values) = (run, self.solid + solid, self.values + values);
        let Some(end) = end else { return &[] };
        if part[end] == b'"' {
            self.place = Place::Text;
        }
        &part[end + 1..]
    }

    /// How long the answer may have taken by now, if its next part may take `idle`: what came of it counts, blanks don't.
    pub(super) fn allowed(&self, idle: Duration) -> Duration {
        idle.saturating_mul(2).saturating_add(Duration::from_secs(self.solid / SLOWEST))
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of an answer that comes in parts of this length.
    fn measured(answer: &str, length: usize, size: Size) -> Result<u64, String> {
        let mut meter = Meter::new(size);
        for part in answer.as_bytes().chunks(length) {
            meter.take(part)?;
        }
        Ok(meter.values)
    }

    #[test]
    fn values_are_counted_outside_of_texts() {
        let answer = r#"[{"a\"[,\\": "{,[\\"}, {"b" : [1, 2, {}]}]"#;
        for length in 1..answer.len() {
            // The list, two objects, a list, an object, and three commas.
            assert_eq!(measured(answer, length, Size::PAGE), Ok(8), "{length}");
        }
    }

    #[test]
    fn each_limit_is_kept_however_the_answer_comes() {
        let size = Size { bytes: 3 << 20, values: 100 };
        let (long, part) = (LONGEST_TEXT, 1 << 16);
        let cases = [
            (format!("[\"{}\"]", "x".repeat(long - 1)), None),
            (format!("[\"{}\"]", "x".repeat(long + 1)), Some("it has a text of more than 1 MB")),
            (format!("[\"{}\"]", "\\\"".repeat(long)), Some("it has a text of more than 1 MB")),
            (format!("[{}1]", " \n".repeat(long)), Some("it has blanks of more than 1 MB")),
            (format!("[{}]", "1".repeat(4 << 20)), Some("it has more than 3 MB")),
            (format!("[{}1]", "1,".repeat(98)), None),
            (format!("[{}1]", "1,".repeat(100)), Some("it has more than 100 values")),
            ("[".repeat(101), Some("it has more than 100 values")),
        ];
        for (answer, excess) in cases {
            let said = measured(&answer, part, size).err();
            assert_eq!(said.as_deref(), excess, "{answer:.20}");
        }
    }

    #[test]
    fn time_is_given_for_what_comes_and_not_for_blanks() {
        let idle = Duration::from_mins(1);
        let allowed = |part: &str| {
            let mut meter = Meter::new(Size::LISTING);
            meter.take(part.as_bytes()).unwrap();
            meter.allowed(idle)
        };
        assert_eq!(allowed(""), Duration::from_mins(2));
        assert_eq!(allowed(&" ".repeat(1 << 20)), Duration::from_mins(2));
        assert_eq!(allowed(&"1".repeat(80 << 10)), Duration::from_secs(130));
        assert_eq!(Meter::new(Size::PAGE).allowed(Duration::MAX), Duration::MAX);
    }
}
