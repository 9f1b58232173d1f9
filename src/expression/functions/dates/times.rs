//! `Time.*`, `DateTime.now` and the Identity Engine's methods of dates. The context has the current time.

use jiff::tz::TimeZone;
use jiff::{Span, ZonedDateTime};

use crate::expression::functions::call::{Call, Fault, Outcome, failed, unevaluable};
use crate::expression::functions::dates::iso::{Moment, from_windows, iso_moment, joda_time, to_windows, zone};
use crate::expression::functions::dates::parse;
use crate::expression::functions::dates::pattern::{Part, format, parts};
use crate::expression::java::java_time;
use crate::expression::value::Value;

fn now(call: &Call<'_, '_>) -> Result<ZonedDateTime, Fault> {
    match call.run.context.now {
        Some(now) => Ok(now.to_zoned_datetime(TimeZone::UTC)),
        None => unevaluable("the current time isn't available here"),
    }
}

fn text(call: &mut Call<'_, '_>, at: usize) -> Result<String, Fault> {
    let value = call.take(at);
    match value.as_text().filter(|text| !text.is_empty()) {
        Some(text) => Ok(text.into_owned()),
        None if matches!(value, Value::String(_)) => failed(format!("argument {} is empty", at + 1)),
        None => failed(format!("argument {} must be a string, found {}", at + 1, value.kind())),
    }
}

/// A point in time: the result of a function, or ISO 8601 text.
fn moment(call: &mut Call<'_, '_>) -> Result<Moment, Fault> {
    if let Some(Value::Time(time)) = call.arguments.first() {
        return Ok((**time).clone().into());
    }
    let text = text(call, 0)?;
    iso_moment(&text).map_or_else(|| failed(format!("{text:?} is not an ISO 8601 date and time")), Ok)
}

fn time(call: &mut Call<'_, '_>) -> Result<ZonedDateTime, Fault> {
    near(moment(call)?)
}

/// A time within the years that the Identity Engine's functions support.
fn near(moment: Moment) -> Result<ZonedDateTime, Fault> {
    moment.near().map_or_else(|| failed("the time is outside the supported years of this function"), Ok)
}

fn pattern(call: &mut Call<'_, '_>, at: usize) -> Result<Vec<Part>, Fault> {
    parts(&text(call, at)?)
}

/// `Time.now()`, `Time.now("EST")`, `Time.now("EST", "YYYY-MM-dd HH:mm:ss")`: a text.
pub fn now_text<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let mut time = now(call)?;
    if !call.arguments.is_empty() {
        time = time.with_time_zone(zone(&text(call, 0)?)?);
    }
    if call.arguments.len() > 1 {
        return Ok(Value::text(format(&time.into(), &pattern(call, 1)?)));
    }
    Ok(Value::text(joda_time(&time.into())))
}

/// `DateTime.now()`: a point in time.
pub fn now_time<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::time(now(call)?))
}

fn number(call: &mut Call<'_, '_>) -> Result<i64, Fault> {
    let text = text(call, 0)?;
    text.trim().parse().or_else(|_| failed(format!("{text:?} is not a whole number")))
}

fn windows(call: &mut Call<'_, '_>) -> Result<Moment, Fault> {
    let ticks = number(call)?;
    from_windows(ticks).map_or_else(|| failed(format!("{ticks} is outside the supported years")), Ok)
}

fn unix(call: &mut Call<'_, '_>) -> Result<Moment, Fault> {
    let milliseconds = number(call)?;
    Moment::from_nanoseconds(i128::from(milliseconds) * 1_000_000)
        .map_or_else(|| failed(format!("{milliseconds} is outside the supported years")), Ok)
}

fn by_pattern(call: &mut Call<'_, '_>) -> Result<Moment, Fault> {
    let (text, pattern) = (text(call, 0)?, pattern(call, 1)?);
    let this_year = call.run.context.now.map(|now| now.to_zoned_datetime(TimeZone::UTC).year());
    parse::parse(&text, &pattern, this_year)
}

pub fn from_windows_to_iso<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(joda_time(&windows(call)?)))
}

/// Unix time in milliseconds.
pub fn from_unix_to_iso<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(joda_time(&unix(call)?)))
}

pub fn from_string_to_iso<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(joda_time(&by_pattern(call)?)))
}

pub fn to_windows_text<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(to_windows(&moment(call)?).to_string()))
}

pub fn to_unix_text<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text((moment(call)?.nanoseconds() / 1_000_000).to_string()))
}

/// `Time.fromIso8601ToString(time, pattern)`: in UTC, as Joda reads a time into its own zone.
pub fn from_iso_to_string<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let time = moment(call)?.utc();
    Ok(Value::text(format(&time, &pattern(call, 1)?)))
}

pub fn parse_windows_time<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::time(near(windows(call)?)?))
}

pub fn parse_unix_time<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::time(near(unix(call)?)?))
}

/// `.parseStringTime()` of ISO 8601, `.parseStringTime(pattern)`.
pub fn parse_string_time<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::time(if call.arguments.len() > 1 { near(by_pattern(call)?)? } else { time(call)? }))
}

/// `.toString()` as Java writes it, `.toString(pattern)`. `Y` is refused: it is the year of a week there,
/// which differs from the calendar year around New Year.
pub fn to_string<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if call.arguments.len() == 1 && !matches!(call.arguments.first(), Some(Value::Time(_))) {
        return Ok(Value::text(text(call, 0)?));
    }
    let time = time(call)?;
    if call.arguments.len() < 2 {
        return Ok(Value::text(java_time(&time)));
    }
    let pattern = pattern(call, 1)?;
    if pattern.iter().any(|part| matches!(part, Part::Field('Y', _))) {
        return failed("Y is the year of a week; use y for the calendar year");
    }
    Ok(Value::text(format(&time.into(), &pattern)))
}

pub fn to_zone<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let time = time(call)?;
    Ok(Value::time(time.with_time_zone(zone(&text(call, 1)?)?)))
}

/// Units of a date, as the Identity Engine's methods name them.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// The amount in the second argument as a span, negated for a negative `sign`.
fn span(call: &mut Call<'_, '_>, unit: Unit, sign: i64) -> Result<Span, Fault> {
    let Value::Int(amount) = call.take(1) else { return failed("argument 1 must be an integer") };
    let amount = amount.saturating_mul(sign);
    // Beyond this every result is outside the supported years.
    if !(-400_000_000_000..=400_000_000_000).contains(&amount) {
        return failed(format!("{amount} is too far away"));
    }
    let span = match unit {
        Unit::Seconds => Span::new().try_seconds(amount),
        Unit::Minutes => Span::new().try_minutes(amount),
        Unit::Hours => Span::new().try_hours(amount),
        Unit::Days => Span::new().try_days(amount),
    };
    span.or_else(|_| failed(format!("{amount} is too far away")))
}

fn moved<'a>(call: &mut Call<'_, 'a>, unit: Unit, sign: i64) -> Outcome<'a> {
    let time = time(call)?;
    let span = span(call, unit, sign)?;
    time.checked_add(span).map(Value::time).or_else(|_| failed("the result is outside the supported years"))
}

/// Whether a time is within the amount before or after now.
fn within<'a>(call: &mut Call<'_, 'a>, unit: Unit) -> Outcome<'a> {
    let (now, time) = (now(call)?, time(call)?);
    let span = span(call, unit, 1)?;
    if span.is_negative() {
        return Ok(Value::Bool(false));
    }
    let far = || failed("the result is outside the supported years");
    let (Ok(first), Ok(last)) = (now.checked_sub(span), now.checked_add(span)) else { return far() };
    Ok(Value::Bool((first..=last).contains(&time)))
}

macro_rules! units {
    ($($plus:ident $minus:ident $within:ident $unit:ident),*) => {$(
        pub fn $plus<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
            moved(call, Unit::$unit, 1)
        }
        pub fn $minus<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
            moved(call, Unit::$unit, -1)
        }
        pub fn $within<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
            within(call, Unit::$unit)
        }
    )*};
}

units!(
    plus_seconds minus_seconds within_seconds Seconds,
    plus_minutes minus_minutes within_minutes Minutes,
    plus_hours minus_hours within_hours Hours,
    plus_days minus_days within_days Days
);
