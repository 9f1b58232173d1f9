//! Numbers and times as Java prints them.

use jiff::ZonedDateTime;
use jiff::tz::Offset;

/// A double as Java prints it: `3.0`, `99.5`, `1.0E7`.
pub fn java_double(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
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

/// As `java.time.ZonedDateTime` writes it: `2015-08-01T02:18:37.979+09:00[Asia/Tokyo]`, without a zero fraction.
/// Seconds are always printed; Java omits them where they are zero.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_as_in_java() {
        let texts = [0.0, 3.0, 99.5, 0.001, 0.0001, 1e7, 12_345_678.9, -2.5].map(java_double);
        assert_eq!(texts, ["0.0", "3.0", "99.5", "0.001", "1.0E-4", "1.0E7", "1.23456789E7", "-2.5"]);
    }
}
