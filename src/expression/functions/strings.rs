//! `String.*` and its deprecated bare forms. Lengths and indexes count UTF-16 units, as Java does.

use std::borrow::Cow;

use super::call::{Call, Fault, LONGEST_TEXT, Outcome, failed};
use crate::expression::value::Value;

/// An argument as text. Null is an error: Okta doesn't document its text, and a wrong value is worse than
/// an error.
fn text<'a>(call: &mut Call<'_, 'a>, at: usize) -> Result<Cow<'a, str>, Fault> {
    match call.take(at) {
        Value::Null => failed(format!("argument {} must be a string, found null", at + 1)),
        Value::String(text) => Ok(text),
        Value::List(items) => joined(&items).map(Cow::Owned),
        value => match value.as_text() {
            Some(text) => Ok(Cow::Owned(text.into_owned())),
            None => failed(format!("argument {} must be a string, found {}", at + 1, value.kind())),
        },
    }
}

/// The texts of an array, separated by commas. An array converts to this where a text is expected (Spring:
/// `CollectionToStringConverter`; Okta's help center has `String.replace(getFilteredGroups(…), …)`).
pub fn joined(items: &[Value<'_>]) -> Result<String, Fault> {
    let texts: Option<Vec<_>> = items.iter().map(Value::as_text).collect();
    match texts {
        Some(texts) => Ok(texts.join(",")),
        None => failed("an element of the array is null, or has no text"),
    }
}

/// The text that a function returns, if it isn't too long.
pub fn made<'a>(text: impl Into<Cow<'a, str>>) -> Outcome<'a> {
    let text = text.into();
    if text.len() > LONGEST_TEXT {
        return failed(format!("the result is longer than {LONGEST_TEXT} bytes"));
    }
    Ok(Value::String(text))
}

pub fn append<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, suffix) = (text(call, 0)?, text(call, 1)?);
    made(format!("{text}{suffix}"))
}

pub fn join<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let separator = text(call, 0)?;
    let parts = (1..call.arguments.len()).map(|at| text(call, at)).collect::<Result<Vec<_>, _>>()?;
    made(parts.join(&separator))
}

pub fn len<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = text(call, 0)?;
    Ok(Value::Int(i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX)))
}

pub fn remove_spaces<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    made(text(call, 0)?.replace(' ', ""))
}

pub fn replace<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, found, new) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    // Checks the length before the result is built.
    let grown = text.len() + text.matches(&*found).count() * new.len();
    if grown > LONGEST_TEXT + text.len() {
        return failed(format!("the result is longer than {LONGEST_TEXT} bytes"));
    }
    made(text.replace(&*found, &new))
}

pub fn replace_first<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, found, new) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    made(text.replacen(&*found, &new, 1))
}

pub fn starts_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(text(call, 0)?.starts_with(&*text(call, 1)?)))
}

pub fn ends_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(text(call, 0)?.ends_with(&*text(call, 1)?)))
}

pub fn string_contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(text(call, 0)?.contains(&*text(call, 1)?)))
}

/// Pairs of key and value in order; the first key that the input contains wins.
pub fn string_switch<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if !call.arguments.len().is_multiple_of(2) {
        return failed("the last key has no value: keys and values come in pairs after the default");
    }
    let input = text(call, 0)?;
    for pair in (2..call.arguments.len()).step_by(2) {
        if input.contains(&*text(call, pair)?) {
            return Ok(call.take(pair + 1));
        }
    }
    Ok(call.take(1))
}

/// From start to end, the end not included, in UTF-16 units. An index outside the text is an error, as in Java.
pub fn substring<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let text = text(call, 0)?;
    let units: Vec<u16> = text.encode_utf16().collect();
    let place = |value: Value<'_>| match value {
        Value::Int(place) => usize::try_from(place).ok(),
        _ => None,
    };
    let given = call.arguments.len() > 2;
    let (Some(start), Some(end)) = (place(call.take(1)), if given { place(call.take(2)) } else { Some(units.len()) })
    else {
        return failed("the start and the end must be integers from 0");
    };
    match units.get(start..end) {
        Some(part) => made(String::from_utf16_lossy(part)),
        None => failed(format!("{start} to {end} isn't within a text of {} characters", units.len())),
    }
}

pub fn substring_after<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, search) = (text(call, 0)?, text(call, 1)?);
    made(text.split_once(&*search).map(|(_, after)| after.to_owned()).unwrap_or_default())
}

pub fn substring_before<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let (text, search) = (text(call, 0)?, text(call, 1)?);
    made(text.split_once(&*search).map_or_else(|| text.to_string(), |(before, _)| before.to_owned()))
}

pub fn to_upper_case<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    made(text(call, 0)?.to_uppercase())
}

pub fn to_lower_case<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    made(text(call, 0)?.to_lowercase())
}
