//! Parses a point in time by a pattern of [`crate::expression::functions::dates::pattern`].

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use crate::expression::functions::call::{Fault, failed, unevaluable};
use crate::expression::functions::dates::iso::{Moment, in_offset, offset};
use crate::expression::functions::dates::pattern::{MONTHS, Part, WEEKDAYS};

/// The fields read so far. Missing fields are those of 1970-01-01T00:00:00Z, as in Joda.
#[derive(Debug)]
struct Read {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    half: Option<i64>,
    minute: i64,
    second: i64,
    nanosecond: i64,
    offset: Offset,
}

/// Reads the whole text. A year of two digits is between 80 years before `this_year` and 19 after it (Joda-Time:
/// `DateTimeFormatter`, pivot year).
pub fn parse(text: &str, pattern: &[Part], this_year: Option<i16>) -> Result<Moment, Fault> {
    let mut read = Read {
        year: 1970,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        half: None,
        minute: 0,
        second: 0,
        nanosecond: 0,
        offset: Offset::UTC,
    };
    let mut rest = text;
    for (at, part) in pattern.iter().enumerate() {
        let left = match part {
            Part::Literal(literal) => rest.strip_prefix(literal.as_str()),
            Part::Field(letter, count) => {
                let most = widest(*letter, *count, pattern.get(at + 1));
                read.field(rest, (*letter, *count), most, this_year)?
            }
        };
        rest = match left {
            Some(left) => left,
            None => return failed(format!("{text:?} doesn't fit the pattern at {rest:?}")),
        };
    }
    if !rest.is_empty() {
        return failed(format!("{text:?} has {rest:?} left after the pattern"));
    }
    match read.time() {
        Some(time) => Ok(time),
        None => failed(format!("{text:?} is not an existing date")),
    }
}

/// The most digits of a number. If another number follows directly, it is the number of letters.
fn widest(letter: char, count: usize, next: Option<&Part>) -> usize {
    let followed = matches!(next, Some(Part::Field(next, width))
        if "CyYuxwDdHhKkmsS".contains(*next) || (*next == 'M' && *width < 3));
    match letter {
        _ if followed => count,
        'y' | 'Y' | 'u' | 'S' => 9,
        'D' => 3,
        _ => 2.max(count),
    }
}

/// The number at the beginning of a text, its number of digits, and the rest.
fn number(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let value = text[..digits].parse().ok()?;
    Some((value, digits, &text[digits..]))
}

/// The index of the name that begins the text, whole or by its first three letters, in any case, and the rest.
fn name<'t>(text: &'t str, names: &[&str]) -> Option<(i64, &'t str)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let whole = names.iter().position(|name| begins(name)).map(|at| (at, names[at].len()));
    let short = || names.iter().position(|name| begins(&name[..3])).map(|at| (at, 3));
    let (at, length) = whole.or_else(short)?;
    Some((i64::try_from(at).ok()?, &text[length..]))
}

impl Read {
    /// Reads a field from the beginning of the text; none if it doesn't fit.
    fn field<'t>(
        &mut self,
        text: &'t str,
        (letter, count): (char, usize),
        most: usize,
        this_year: Option<i16>,
    ) -> Result<Option<&'t str>, Fault> {
        let mut left = text;
        let mut take = |place: &mut i64| match number(left, most) {
            Some((value, _, rest)) => {
                (*place, left) = (value, rest);
                true
            }
            None => false,
        };
        let fits = match letter {
            'y' | 'Y' | 'u' => return self.year(text, count, most, this_year),
            'M' if count >= 3 => return Ok(name(text, &MONTHS).map(|(at, rest)| self.in_month(at + 1, rest))),
            'E' => return Ok(name(text, &WEEKDAYS).map(|(_, rest)| rest)),
            'a' => return Ok(half(text).map(|(half, rest)| self.in_half(half, rest))),
            'S' => return Ok(number(text, most).and_then(|(_, digits, rest)| self.fraction(&text[..digits], rest))),
            'Z' | 'X' => return Ok(self.offset(text)),
            'M' => take(&mut self.month),
            'd' => take(&mut self.day),
            'D' => take(self.day_of_year.insert(1)),
            'H' => take(&mut self.hour) && self.hour < 24,
            'k' => take(&mut self.hour) && (1..=24).contains(&self.hour) && self.rolled(24),
            'h' => take(&mut self.hour) && (1..=12).contains(&self.hour) && self.rolled(12),
            'K' => take(&mut self.hour) && self.hour < 12,
            'm' => take(&mut self.minute),
            's' => take(&mut self.second),
            _ => return failed(format!("{letter} can only format a date, not parse one")),
        };
        Ok(fits.then_some(left))
    }

    fn year<'t>(
        &mut self,
        text: &'t str,
        count: usize,
        most: usize,
        this_year: Option<i16>,
    ) -> Result<Option<&'t str>, Fault> {
        let Some((value, digits, rest)) = number(text, most) else { return Ok(None) };
        self.year = value;
        if count == 2 && digits == 2 {
            let Some(this_year) = this_year else {
                return unevaluable("the current time isn't available here");
            };
            let first = i64::from(this_year) - 80;
            self.year = first + (value - first).rem_euclid(100);
        }
        Ok(Some(rest))
    }

    fn in_month<'t>(&mut self, month: i64, rest: &'t str) -> &'t str {
        self.month = month;
        rest
    }

    fn in_half<'t>(&mut self, half: i64, rest: &'t str) -> &'t str {
        self.half = Some(half);
        rest
    }

    /// The last hour of a clock that counts from 1 is hour 0.
    fn rolled(&mut self, hours: i64) -> bool {
        self.hour %= hours;
        true
    }

    fn fraction<'t>(&mut self, digits: &str, rest: &'t str) -> Option<&'t str> {
        self.nanosecond = format!("{digits:0<9}").parse().ok()?;
        Some(rest)
    }

    fn offset<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix('Z') {
            return Some(rest);
        }
        let mut lengths = [6, 5, 3].into_iter().filter_map(|length| text.split_at_checked(length));
        let (found, rest) = lengths.find_map(|(start, rest)| Some((offset(start)?, rest)))?;
        self.offset = found;
        Some(rest)
    }

    fn time(&self) -> Option<Moment> {
        let small = |value: i64| i8::try_from(value).ok();
        let (year, cycles) = Moment::split_year(self.year)?;
        let year = i16::try_from(year).ok()?;
        let date = match self.day_of_year {
            Some(day) => Date::new(year, 1, 1).ok()?.with().day_of_year(i16::try_from(day).ok()?).build().ok()?,
            None => Date::new(year, small(self.month)?, small(self.day)?).ok()?,
        };
        let hour = self.hour + self.half.map_or(0, |half| if self.hour < 12 { half * 12 } else { 0 });
        let nanosecond = i32::try_from(self.nanosecond).ok()?;
        let time = Time::new(small(hour)?, small(self.minute)?, small(self.second)?, nanosecond).ok()?;
        let timestamp = self.offset.to_timestamp(date.to_datetime(time)).ok()?;
        // Joda drops the offset that it parses: the result is in its own zone, UTC.
        Some(Moment::from(in_offset(timestamp, Offset::UTC)).after_cycles(cycles))
    }
}

/// `AM` or `PM`.
fn half(text: &str) -> Option<(i64, &str)> {
    let start = text.get(..2)?;
    let half = ["AM", "PM"].iter().position(|half| start.eq_ignore_ascii_case(half))?;
    Some((i64::try_from(half).ok()?, &text[2..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::functions::dates::iso::joda_time;
    use crate::expression::functions::dates::pattern::parts;

    fn read(text: &str, pattern: &str) -> String {
        let time = parse(text, &parts(pattern).unwrap(), Some(2026));
        time.map_or_else(|fault| fault.message, |moment| joda_time(&moment).replace(".000Z", "Z"))
    }

    #[test]
    fn texts_that_fit() {
        let cases = [
            ("17 June 2015 00:23:19", "dd MMMM yyyy HH:mm:ss", "2015-06-17T00:23:19Z"),
            ("20150617", "yyyyMMdd", "2015-06-17T00:00:00Z"),
            ("6/7/2015", "MM/dd/yyyy", "2015-06-07T00:00:00Z"),
            ("06/07/15", "MM/dd/yy", "2015-06-07T00:00:00Z"),
            ("06/07/46", "MM/dd/yy", "1946-06-07T00:00:00Z"),
            ("06/07/45", "MM/dd/yy", "2045-06-07T00:00:00Z"),
            ("Wed, 17 jun 2015", "EEE, dd MMM yyyy", "2015-06-17T00:00:00Z"),
            ("12:30 am", "hh:mm a", "1970-01-01T00:30:00Z"),
            ("12:30 PM", "hh:mm a", "1970-01-01T12:30:00Z"),
            ("11:30 PM", "hh:mm a", "1970-01-01T23:30:00Z"),
            ("2015-06-17T02:00:00.5+0200", "yyyy-MM-dd'T'HH:mm:ss.SZ", "2015-06-17T00:00:00.500Z"),
            ("2015-06-17T02:00:00-05:00", "yyyy-MM-dd'T'HH:mm:ssZZ", "2015-06-17T07:00:00Z"),
            ("2015 168", "yyyy DDD", "2015-06-17T00:00:00Z"),
            ("24", "kk", "1970-01-01T00:00:00Z"),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(read(text, pattern), expected, "{text} by {pattern}");
        }
    }

    #[test]
    fn texts_that_do_not_fit() {
        let cases = [
            ("2015-06-17x", "yyyy-MM-dd", "left"),
            ("2015-06", "yyyy-MM-dd", "doesn't fit"),
            ("", "yyyy", "doesn't fit"),
            ("2015-02-29", "yyyy-MM-dd", "not an existing date"),
            ("13:00 PM", "hh:mm a", "doesn't fit"),
            ("999999999", "yyyy", "not an existing date"),
            ("Juny", "MMMM", "left"),
            ("Ju", "MMMM", "doesn't fit"),
            ("ü", "a", "doesn't fit"),
            ("20", "ww", "only format"),
        ];
        for (text, pattern, expected) in cases {
            assert!(read(text, pattern).contains(expected), "{text} by {pattern}: {}", read(text, pattern));
        }
    }
}
