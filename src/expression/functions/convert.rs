//! `Convert.*`, the Identity Engine's conversions, and versions.

use std::cmp::Ordering;

use super::call::{Call, Fault, Outcome, failed};
use crate::expression::value::Value;

/// Converts a text or a number to a 32-bit integer, rounded.
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
        None => failed(format!("{} is not a 32-bit integer", value.to_json())),
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
        None => failed(format!("{} is not a number", value.to_json())),
    }
}

/// `.toInteger()` of the Identity Engine: rounded, and wrapped to 32 bits, as Okta's examples show
/// (Okta Expression Language in Identity Engine: conversion functions).
pub fn to_integer<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let value = call.take(0);
    let number = match &value {
        Value::Int(number) => Some(*number),
        Value::Double(number) => rounded_long(*number),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(rounded_long))
        }
        _ => None,
    };
    match number {
        Some(number) => Ok(Value::Int(wrapped(number).into())),
        None => failed(format!("{} is not a number", value.to_json())),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "Java keeps the low 32 bits")]
fn wrapped(number: i64) -> i32 {
    number as i32
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, as Java's `Math.round` does")]
fn rounded_long(number: f64) -> Option<i64> {
    number.is_finite().then(|| (number + 0.5).floor() as i64)
}

/// `a.versionGreaterThan(b)`: numbers separated by dots, compared one by one; missing ones are 0.
pub fn version_greater<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(versions(call)?.is_gt()))
}

pub fn version_less<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(versions(call)?.is_lt()))
}

fn versions(call: &mut Call<'_, '_>) -> Result<Ordering, Fault> {
    let (mut a, mut b) = (version(&call.take(0))?, version(&call.take(1))?);
    let length = a.len().max(b.len());
    a.resize(length, 0);
    b.resize(length, 0);
    Ok(a.cmp(&b))
}

fn version(value: &Value<'_>) -> Result<Vec<u64>, Fault> {
    let parts = match value.as_text() {
        Some(text) => text.split('.').map(|part| part.trim().parse().ok()).collect(),
        None => None,
    };
    parts.map_or_else(|| failed(format!("{} is not a version", value.to_json())), Ok)
}
