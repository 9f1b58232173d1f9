//! Points in time as text: ISO 8601 as Joda and `java.time` write it, and the names of zones.

use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ZonedDateTime};

use crate::expression::functions::call::{Fault, failed, unevaluable};
use crate::expression::java::offset_text;

/// Zone ids of three letters, as Joda reads them: `EST` is New York with daylight time, as Okta's example of
/// `Time.now("EST")` in July shows (Okta Expression Language: time functions; Joda-Time: `DateTimeZone`).
const SHORT_ZONES: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "America/New_York"),
    ("HST", "Pacific/Honolulu"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "America/Denver"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// A zone by its id: `UTC`, `EST`, `Europe/Berlin`, `+02:00`.
pub fn zone(id: &str) -> Result<TimeZone, Fault> {
    if ["UTC", "GMT", "Z", "Etc/UTC"].contains(&id) {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(id) {
        return Ok(TimeZone::fixed(offset));
    }
    let long = SHORT_ZONES.iter().find(|(short, _)| *short == id).map_or(id, |(_, long)| long);
    if let Ok(zone) = TimeZone::get(long) {
        return Ok(zone);
    }
    if jiff::tz::db().is_definitively_empty() {
        return unevaluable("this machine has no time zone data; install the package tzdata");
    }
    failed(format!("{id:?} is not a time zone"))
}

/// `+02:00`, `-0530`, `+02`
pub fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let number = |text: &str| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// A point in time from ISO 8601 text: with an offset, `Z` or a zone, else in UTC; without a time, at midnight.
pub fn iso_time(text: &str) -> Option<ZonedDateTime> {
    // Joda requires a T between date and time.
    if text.contains(|c: char| c.is_whitespace()) {
        return None;
    }
    if let Ok(zoned) = text.parse() {
        return Some(zoned);
    }
    let pieces = Pieces::parse(text).ok().filter(|pieces| pieces.time_zone_annotation().is_none())?;
    let datetime = pieces.date().to_datetime(pieces.time().unwrap_or(jiff::civil::Time::midnight()));
    let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
    Some(in_offset(offset.to_timestamp(datetime).ok()?, offset))
}

/// A point in time in any year that Joda supports (Joda-Time: `DateTime`, milliseconds of 64 bits). A time from 9999 on,
/// such as "no end date" 12/31/9999 or the "never" of Windows, is stored as the same day some cycles of 400 years earlier:
/// the calendar repeats after 400 years, weekdays included.
#[derive(Clone, Debug)]
pub struct Moment {
    pub time: ZonedDateTime,
    cycles: i64,
}

/// The first year that [`Timestamp`] doesn't cover in every zone.
const FIRST_LATE_YEAR: i64 = 9999;
/// The last year of a 64-bit number of milliseconds.
const LAST_YEAR: i64 = 292_278_994;
const CYCLE_YEARS: i64 = 400;
const CYCLE_NANOSECONDS: i128 = 146_097 * 86_400 * 1_000_000_000;

impl From<ZonedDateTime> for Moment {
    fn from(time: ZonedDateTime) -> Self {
        Self { time, cycles: 0 }
    }
}

impl Moment {
    /// The point in time at this many nanoseconds after 1970, in UTC.
    pub fn from_nanoseconds(nanoseconds: i128) -> Option<Self> {
        let late = nanoseconds - (Timestamp::MAX.as_nanosecond() - 366 * 86_400 * 1_000_000_000);
        let cycles = if late > 0 { 1 + late / CYCLE_NANOSECONDS } else { 0 };
        let timestamp = Timestamp::from_nanosecond(nanoseconds - cycles * CYCLE_NANOSECONDS).ok()?;
        let moment = Self { time: timestamp.to_zoned_datetime(TimeZone::UTC), cycles: i64::try_from(cycles).ok()? };
        (moment.year() <= LAST_YEAR).then_some(moment)
    }

    /// Splits a year into a year that the calendar covers and a number of cycles.
    pub fn split_year(year: i64) -> Option<(i64, i64)> {
        let cycles = if year < FIRST_LATE_YEAR { 0 } else { 1 + (year - FIRST_LATE_YEAR) / CYCLE_YEARS };
        (year <= LAST_YEAR).then_some((year - cycles * CYCLE_YEARS, cycles))
    }

    pub fn after_cycles(self, cycles: i64) -> Self {
        Self { cycles: self.cycles + cycles, ..self }
    }

    pub fn year(&self) -> i64 {
        self.later(self.time.year())
    }

    /// Adds the cycles to a year of the calendar.
    pub fn later(&self, year: i16) -> i64 {
        i64::from(year) + self.cycles * CYCLE_YEARS
    }

    pub fn nanoseconds(&self) -> i128 {
        self.time.timestamp().as_nanosecond() + i128::from(self.cycles) * CYCLE_NANOSECONDS
    }

    pub fn utc(&self) -> Self {
        Self { time: self.time.with_time_zone(TimeZone::UTC), cycles: self.cycles }
    }

    /// The time for the Identity Engine's functions, which support the years of [`Timestamp`].
    pub fn near(self) -> Option<ZonedDateTime> {
        if self.cycles == 0 {
            return Some(self.time);
        }
        let timestamp = Timestamp::from_nanosecond(self.nanoseconds()).ok()?;
        Some(timestamp.to_zoned_datetime(self.time.time_zone().clone()))
    }
}

/// [`iso_time`] for any year; one after 9999 has more than four digits.
pub fn iso_moment(text: &str) -> Option<Moment> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[..digits].parse() {
        Ok(year) if year >= FIRST_LATE_YEAR && text[digits..].starts_with('-') => {
            let (early, cycles) = Moment::split_year(year)?;
            Some(Moment::from(iso_time(&format!("{early:04}{}", &text[digits..]))?).after_cycles(cycles))
        }
        _ => iso_time(text).map(Moment::from),
    }
}

/// A point in time at a fixed offset; an offset of zero is UTC.
pub fn in_offset(timestamp: Timestamp, offset: Offset) -> ZonedDateTime {
    timestamp.to_zoned_datetime(if offset == Offset::UTC { TimeZone::UTC } else { TimeZone::fixed(offset) })
}

/// As Joda's `ISODateTimeFormat.dateTime()` writes it: `2015-07-31T13:30:49.964-04:00`, always with milliseconds.
pub fn joda_time(moment: &Moment) -> String {
    let (time, year) = (&moment.time, moment.year());
    let rest = format!("{}.{:03}{}", time.strftime("-%m-%dT%H:%M:%S"), time.millisecond(), offset_text(time.offset()));
    if year < 0 { format!("-{:04}{rest}", -year) } else { format!("{year:04}{rest}") }
}

/// The seconds from 1601-01-01, the epoch of Windows, to 1970-01-01.
const WINDOWS_TO_UNIX: i128 = 11_644_473_600;

/// Ticks of 100 nanoseconds since 1601.
pub fn to_windows(moment: &Moment) -> i128 {
    moment.nanoseconds().div_euclid(100) + WINDOWS_TO_UNIX * 10_000_000
}

pub fn from_windows(ticks: i64) -> Option<Moment> {
    Moment::from_nanoseconds((i128::from(ticks) - WINDOWS_TO_UNIX * 10_000_000) * 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::java::java_time;

    #[test]
    fn iso_texts_with_and_without_parts() {
        let cases = [
            ("2015-06-17T00:23:19.676Z", "2015-06-17T00:23:19.676Z"),
            ("2015-06-17T00:23:19+02:00", "2015-06-17T00:23:19+02:00"),
            ("2015-06-17T00:23:19", "2015-06-17T00:23:19Z"),
            ("2015-06-17", "2015-06-17T00:00:00Z"),
            ("2015-06-17T00:23:19.000001Z", "2015-06-17T00:23:19.000001Z"),
            ("2015-08-01T02:18:37.979+09:00[Asia/Tokyo]", "2015-08-01T02:18:37.979+09:00[Asia/Tokyo]"),
        ];
        for (text, expected) in cases {
            assert_eq!(iso_time(text).map(|time| java_time(&time)).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "x", "2015-06-17 00:23:19", "2015-13-01", "17", "2015-06-17T25:00:00Z", "T10:00:00Z"] {
            assert_eq!(iso_time(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_and_zones() {
        assert_eq!(offset("+02:00").map(offset_text).as_deref(), Some("+02:00"));
        assert_eq!(offset("-0530").map(offset_text).as_deref(), Some("-05:30"));
        for text in ["", "02:00", "+2", "+ü0", "+02:60", "+99:00"] {
            assert_eq!(offset(text), None, "{text}");
        }
        assert_eq!(zone("EST").unwrap().iana_name(), Some("America/New_York"));
        assert!(zone("Nowhere/Else").is_err() && zone("../etc/passwd").is_err());
    }

    #[test]
    fn windows_ticks_go_both_ways() {
        let time = from_windows(130_828_367_179_790_000).unwrap();
        assert_eq!(joda_time(&time), "2015-07-31T17:18:37.979Z");
        assert_eq!(to_windows(&time), 130_828_367_179_790_000);
        let never = from_windows(i64::MAX).unwrap();
        assert_eq!((joda_time(&never).as_str(), to_windows(&never)), ("30828-09-14T02:48:05.477Z", i64::MAX.into()));
    }

    #[test]
    fn what_is_after_9999_reads_and_prints() {
        for text in [
            "9998-12-31T23:59:59.999Z",
            "9999-01-01T00:00:00.000Z",
            "9999-12-30T22:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59.999-12:00",
            "10000-02-29T00:00:00.000Z",
            "30828-09-14T02:48:05.477Z",
        ] {
            let moment = iso_moment(text).unwrap();
            assert_eq!(joda_time(&moment), text);
            let again = Moment::from_nanoseconds(moment.nanoseconds()).unwrap();
            assert_eq!((again.nanoseconds(), again.year()), (moment.nanoseconds(), moment.utc().year()), "{text}");
        }
        assert!(iso_moment("10001-02-29").is_none() && iso_moment("999999999-01-01").is_none());
    }
}
