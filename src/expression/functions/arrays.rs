//! `Arrays.*`. A text converts to an array of its comma-separated parts.

use super::call::{Call, Fault, Outcome, failed};
use super::strings;
use crate::expression::value::Value;

/// The most elements of an array.
const MOST: usize = 10_000;

/// An argument as a list; none for null.
fn list<'a>(call: &mut Call<'_, 'a>, at: usize) -> Result<Option<Vec<Value<'a>>>, Fault> {
    match call.take(at) {
        Value::Null => Ok(None),
        Value::List(items) => Ok(Some(items)),
        Value::String(text) => Ok(Some(csv(&text))),
        other => failed(format!("argument {} must be an array, found {}", at + 1, other.kind())),
    }
}

/// The parts of a comma-separated text, without the spaces around them; an empty text has none.
fn csv<'a>(text: &str) -> Vec<Value<'a>> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(|part| Value::text(part.trim().to_owned())).collect()
}

fn not_null<'a>(call: &mut Call<'_, 'a>) -> Result<Vec<Value<'a>>, Fault> {
    match list(call, 0)? {
        Some(items) => Ok(items),
        None => failed("argument 1 must be an array, found null"),
    }
}

pub fn add<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let mut items = not_null(call)?;
    items.push(call.take(1));
    if items.len() > MOST {
        return failed(format!("the array has more than {MOST} elements"));
    }
    Ok(Value::List(items))
}

/// Removes every element that equals the value.
pub fn remove<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let mut items = not_null(call)?;
    let gone = call.take(1);
    items.retain(|item| !item.equals(&gone));
    Ok(Value::List(items))
}

pub fn clear<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    list(call, 0)?;
    Ok(Value::List(Vec::new()))
}

pub fn get<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let mut items = not_null(call)?;
    let Value::Int(place) = call.take(1) else { return failed("the index must be an integer from 0") };
    match usize::try_from(place).ok().filter(|place| *place < items.len()) {
        Some(place) => Ok(items.swap_remove(place)),
        None => failed(format!("there is no element {place} in an array of {}", items.len())),
    }
}

/// One array of values and arrays. A null or empty argument is an error, as Okta's help says.
pub fn flatten<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let mut flat = Vec::new();
    for at in 0..call.arguments.len() {
        match call.take(at) {
            Value::Null => return failed(format!("argument {} is null", at + 1)),
            Value::String(text) if text.is_empty() => return failed(format!("argument {} is empty", at + 1)),
            Value::String(text) if text.contains(',') => flat.extend(csv(&text).into_iter().map(number_or_text)),
            value => flatten_into(value, &mut flat)?,
        }
    }
    if flat.len() > MOST {
        return failed(format!("the array has more than {MOST} elements"));
    }
    Ok(Value::List(flat))
}

/// The elements of an array, and of the arrays in it; anything else is its own element.
fn flatten_into<'a>(value: Value<'a>, flat: &mut Vec<Value<'a>>) -> Result<(), Fault> {
    match value {
        Value::List(items) => items.into_iter().try_for_each(|item| flatten_into(item, flat)),
        _ if flat.len() >= MOST => failed(format!("the array has more than {MOST} elements")),
        value => {
            flat.push(value);
            Ok(())
        }
    }
}

/// Okta's documents print `Arrays.flatten('10, 20')` as an array of numbers.
fn number_or_text(value: Value<'_>) -> Value<'_> {
    match &value {
        Value::String(text) => text.parse().map_or(value, Value::Int),
        _ => value,
    }
}

/// By equality. A null array contains nothing.
pub fn contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let items = list(call, 0)?.unwrap_or_default();
    let searched = call.take(1);
    Ok(Value::Bool(items.iter().any(|item| item.equals(&searched))))
}

/// `x.contains(y)`: an element of an array, or a part of a text.
pub fn contains_either<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if matches!(call.arguments.first(), Some(Value::List(_))) { contains(call) } else { strings::string_contains(call) }
}

pub fn size<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let size = list(call, 0)?.unwrap_or_default().len();
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

pub fn is_empty<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(list(call, 0)?.is_none_or(|items| items.is_empty())))
}

/// Null gives `""`: Okta's help center uses `Arrays.isEmpty(Arrays.toCsvString(Groups.startsWith(…)))` to test whether a user
/// has no such group, and `Groups.startsWith` gives null then.
pub fn to_csv_string<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    strings::made(strings::joined(&list(call, 0)?.unwrap_or_default())?)
}
