//! Patterns of dates such as `yyyy-MM-dd HH:mm:ss`, in Joda-Time's language (Joda-Time: `DateTimeFormat`).

use crate::expression::functions::call::{Fault, failed};
use crate::expression::functions::dates::iso::Moment;
use crate::expression::java::{colon_offset, offset_text};

/// The longest pattern, in characters.
const LONGEST: usize = 100;
/// The most repetitions of a letter.
const WIDEST: usize = 9;

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// A letter, and how often it is repeated.
    Field(char, usize),
}

/// Splits a pattern. The error names the part that isn't supported.
pub fn parts(pattern: &str) -> Result<Vec<Part>, Fault> {
    if pattern.is_empty() || pattern.chars().count() > LONGEST {
        return failed(format!("a date pattern has 1 to {LONGEST} characters"));
    }
    let mut parts = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(first) = characters.next() {
        if first == '\'' {
            parts.push(Part::Literal(quoted(&mut characters)?));
        } else if first.is_ascii_alphabetic() {
            let mut count = 1;
            while characters.next_if_eq(&first).is_some() {
                count += 1;
            }
            parts.push(field(first, count)?);
        } else {
            parts.push(Part::Literal(first.to_string()));
        }
    }
    Ok(parts)
}

/// The text between two quotes; `''` is a quote.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, Fault> {
    let mut text = String::new();
    while let Some(character) = characters.next() {
        if character != '\'' {
            text.push(character);
        } else if text.is_empty() {
            return Ok("'".to_owned());
        } else if characters.next_if_eq(&'\'').is_some() {
            text.push('\'');
        } else {
            return Ok(text);
        }
    }
    failed("a quote in the date pattern isn't closed")
}

fn field(letter: char, count: usize) -> Result<Part, Fault> {
    match letter {
        'z' => failed("z, the name of a zone, isn't supported in a pattern; Z gives its offset"),
        _ if !"GCyYuxwDMdEeaKhHkmsSZX".contains(letter) => {
            failed(format!("{letter} is not a date pattern letter; put text in quotes"))
        }
        _ if count > WIDEST => failed(format!("{letter} is repeated more than {WIDEST} times in the date pattern")),
        _ => Ok(Part::Field(letter, count)),
    }
}

/// Formats a point in time.
pub fn format(time: &Moment, pattern: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Field(letter, count) => format_field(time, *letter, *count),
    };
    pattern.iter().map(part).collect()
}

fn format_field(moment: &Moment, letter: char, count: usize) -> String {
    let time = &moment.time;
    let number = |value: i64| format!("{value:0count$}");
    let hour = i64::from(time.hour());
    let year_of_era = if moment.year() > 0 { moment.year() } else { 1 - moment.year() };
    let text = |name: &str| if count >= 4 { name.to_owned() } else { name.chars().take(3).collect() };
    let name = |names: &[&str], at: i8| names.get(usize::try_from(at).unwrap_or(0)).map_or(String::new(), |n| text(n));
    match letter {
        'G' => (if time.year() > 0 { "AD" } else { "BC" }).to_owned(),
        'C' => number(year_of_era / 100),
        'y' | 'u' => year(moment.year(), count),
        'Y' => year(year_of_era, count),
        'x' => year(moment.later(time.date().iso_week_date().year()), count),
        'w' => number(time.date().iso_week_date().week().into()),
        'D' => number(time.day_of_year().into()),
        'M' if count >= 3 => name(&MONTHS, time.month() - 1),
        'M' => number(time.month().into()),
        'd' => number(time.day().into()),
        'E' => name(&WEEKDAYS, time.weekday().to_monday_zero_offset()),
        'e' => number(time.weekday().to_monday_one_offset().into()),
        'a' => (if hour < 12 { "AM" } else { "PM" }).to_owned(),
        'K' => number(hour % 12),
        'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'H' => number(hour),
        'k' => number(if hour == 0 { 24 } else { hour }),
        'm' => number(time.minute().into()),
        's' => number(time.second().into()),
        'S' => format!("{:09}", time.subsec_nanosecond()).chars().take(count).collect(),
        'Z' if count == 1 => colon_offset(time.offset()).replace(':', ""),
        'Z' if count == 2 => colon_offset(time.offset()),
        'Z' => time.time_zone().iana_name().map_or_else(|| colon_offset(time.offset()), str::to_owned),
        'X' if count < 3 => offset_text(time.offset()).replace(':', ""),
        _ => offset_text(time.offset()),
    }
}

/// Two letters give the last two digits. Any other number of letters is the fewest digits.
fn year(year: i64, count: usize) -> String {
    if count == 2 { format!("{:02}", year.rem_euclid(100)) } else { format!("{year:0count$}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::functions::dates::iso::iso_time;

    fn formatted(pattern: &str) -> String {
        let time = iso_time("2015-07-05T00:08:09.0371+02:00").unwrap();
        parts(pattern).map_or_else(|fault| fault.message, |parts| format(&time.into(), &parts))
    }

    #[test]
    fn every_letter() {
        let cases = [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "2015-07-05T00:08:09.037+02:00"),
            ("yy y Y YYYY C G", "15 2015 2015 2015 20 AD"),
            ("M MM MMM MMMM", "7 07 Jul July"),
            ("d dd D DDD", "5 05 186 186"),
            ("E EEEE e", "Sun Sunday 7"),
            ("h hh H HH k K a", "12 12 0 00 24 0 AM"),
            ("m mm s ss S SS SSS SSSS", "8 08 9 09 0 03 037 0371"),
            ("x ww", "2015 27"),
            ("Z ZZ ZZZ X XXX", "+0200 +02:00 +02:00 +0200 +02:00"),
            ("'o''clock' ''", "o'clock '"),
            ("dd/MM/yyyy", "05/07/2015"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(formatted(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let long = "y".repeat(101);
        let cases = [
            ("b", "b is not a date pattern letter"),
            ("z", "the name of a zone"),
            ("'x", "isn't closed"),
            ("", "1 to 100"),
            (long.as_str(), "1 to 100"),
            ("yyyyyyyyyy", "repeated more than 9"),
        ];
        for (pattern, expected) in cases {
            assert!(formatted(pattern).contains(expected), "{pattern}: {}", formatted(pattern));
        }
    }
}
