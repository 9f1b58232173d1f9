//! Points in time as text: ISO 8601 as Joda and `java.time` write it, and the names of zones.

use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ZonedDateTime};

use super::{Fault, failed, unevaluable};

/// Zone ids of three letters, as Joda reads them: `EST` is New York with its daylight time, which Okta's example of
/// `Time.now("EST")` in July shows too (Okta Expression Language: time functions; Joda-Time: `DateTimeZone`).
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
    failed(format!("{id:?} is no time zone"))
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

/// A point in time from ISO 8601 text: with an offset, `Z` or a zone, or without one in UTC; without a time at midnight.
pub fn iso_time(text: &str) -> Option<ZonedDateTime> {
    // Joda wants a T between date and time.
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

/// A point in time at a fixed offset; an offset of zero is UTC.
pub fn in_offset(timestamp: Timestamp, offset: Offset) -> ZonedDateTime {
    timestamp.to_zoned_datetime(if offset == Offset::UTC { TimeZone::UTC } else { TimeZone::fixed(offset) })
}

/// `+02:00`, and `Z` for UTC.
pub fn offset_text(offset: Offset) -> String {
    if offset.seconds() == 0 { "Z".to_owned() } else { colon_offset(offset) }
}

/// `+02:00`, also for UTC.
pub fn colon_offset(offset: Offset) -> String {
    let minutes = offset.seconds().abs() / 60;
    let sign = if offset.seconds() < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// As `java.time.ZonedDateTime` writes it: `2015-08-01T02:18:37.979+09:00[Asia/Tokyo]`, without a fraction that is zero.
/// Seconds are always there, which Java leaves out where they are zero.
pub fn java_time(time: &ZonedDateTime) -> String {
    let nanoseconds = time.subsec_nanosecond();
    let fraction = match nanoseconds {
        0 => String::new(),
        _ if nanoseconds % 1_000_000 == 0 => format!(".{:03}", nanoseconds / 1_000_000),
        _ if nanoseconds % 1_000 == 0 => format!(".{:06}", nanoseconds / 1_000),
        _ => format!(".{nanoseconds:09}"),
    };
    let zone = time.time_zone().iana_name().filter(|name| *name != "UTC");
    let zone = zone.map(|name| format!("[{name}]")).unwrap_or_default();
    format!("{}{fraction}{}{zone}", time.strftime("%Y-%m-%dT%H:%M:%S"), offset_text(time.offset()))
}

/// As Joda's `ISODateTimeFormat.dateTime()` writes it: `2015-07-31T13:30:49.964-04:00`, always with milliseconds.
pub fn joda_time(time: &ZonedDateTime) -> String {
    format!("{}.{:03}{}", time.strftime("%Y-%m-%dT%H:%M:%S"), time.millisecond(), offset_text(time.offset()))
}

/// The seconds from 1601-01-01, where Windows begins to count, to 1970-01-01.
const WINDOWS_TO_UNIX: i128 = 11_644_473_600;

/// Ticks of 100 nanoseconds since 1601.
pub fn to_windows(time: &ZonedDateTime) -> i128 {
    time.timestamp().as_nanosecond().div_euclid(100) + WINDOWS_TO_UNIX * 10_000_000
}

pub fn from_windows(ticks: i64) -> Option<ZonedDateTime> {
    let nanoseconds = (i128::from(ticks) - WINDOWS_TO_UNIX * 10_000_000) * 100;
    Timestamp::from_nanosecond(nanoseconds).ok().map(|time| time.to_zoned_datetime(TimeZone::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(java_time(&time), "2015-07-31T17:18:37.979Z");
        assert_eq!(to_windows(&time), 130_828_367_179_790_000);
        assert_eq!(from_windows(i64::MAX), None);
    }
}
