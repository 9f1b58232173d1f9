//! `Convert.*` and `Iso3166Convert.*`.

use rust_iso3166::CountryCode;

use super::{Call, Fault, Outcome, failed};
use crate::expression::value::Value;

/// A text, or a number that is rounded, to a 32-bit integer.
pub fn to_int<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let value = call.take(0);
    let number = match &value {
        Value::Int(number) => i32::try_from(*number).ok(),
        Value::Double(number) => rounded(*number),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(rounded))
        }
        _ => None,
    };
    match number {
        Some(number) => Ok(Value::Int(number.into())),
        None => failed(format!("{} is no integer of 32 bits", value.to_json())),
    }
}

/// Half up, as Java's `Math.round`.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn rounded(number: f64) -> Option<i32> {
    let rounded = (number + 0.5).floor();
    (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&rounded).then_some(rounded as i32)
}

pub fn to_num<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let value = call.take(0);
    let number = match &value {
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        other => other.as_double(),
    };
    match number {
        Some(number) => Ok(Value::Double(number)),
        None => failed(format!("{} is no number", value.to_json())),
    }
}

/// Any of the three codes.
fn country(call: &mut Call<'_, '_>) -> Result<CountryCode, Fault> {
    let value = call.take(0);
    let Value::String(text) = &value else { return failed(format!("{} is no country code", value.to_json())) };
    let text = text.trim().to_uppercase();
    let found = match text.len() {
        2 => rust_iso3166::from_alpha2(&text),
        3 if text.bytes().all(|byte| byte.is_ascii_digit()) => rust_iso3166::from_numeric_str(&text),
        _ => rust_iso3166::from_alpha3(&text),
    };
    found.map_or_else(|| failed(format!("{text:?} is no country code of ISO 3166-1")), Ok)
}

pub fn country_alpha2<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(country(call)?.alpha2.to_string()))
}

pub fn country_alpha3<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(country(call)?.alpha3.to_string()))
}

pub fn country_numeric<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(format!("{:03}", country(call)?.numeric)))
}

pub fn country_name<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::text(country(call)?.name.to_string()))
}
