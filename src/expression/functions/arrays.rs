//! `Arrays.*`. A text stands for an array of its comma-separated parts.

use super::call::{Call, Fault, Outcome, failed};
use super::strings;
use crate::expression::value::Value;

/// The most elements that an array may grow to.
const MOST: usize = 10_000;

/// An argument as a list; null is none.
fn list<'a>(call: &mut Call<'_, 'a>, at: usize) -> Result<Option<Vec<Value<'a>>>, Fault> {
    match call.take(at) {
        Value::Null => Ok(None),
        Value::List(items) => Ok(Some(items)),
        Value::String(text) => Ok(Some(csv(&text))),
        other => failed(format!("argument {} is of type {}, where an array is wanted", at + 1, other.kind())),
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
        None => failed("argument 1 is null, where an array is wanted"),
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

/// Takes every element out that equals the value.
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
    let Value::Int(place) = call.take(1) else { return failed("the place must be an integer from 0") };
    match usize::try_from(place).ok().filter(|place| *place < items.len()) {
        Some(place) => Ok(items.swap_remove(place)),
        None => failed(format!("there is no element {place} in an array of {}", items.len())),
    }
}

/// One array out of values and arrays. A null or empty argument fails, as Okta's help says.
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

/// By equality; null is in no array that is null.
pub fn contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let items = list(call, 0)?.unwrap_or_default();
    let searched = call.take(1);
    Ok(Value::Bool(items.iter().any(|item| item.equals(&searched))))
}

/// `x.contains(y)`: of an array an element, of a text a part.
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

/// Null gives `""`: Okta's help center asks `Arrays.isEmpty(Arrays.toCsvString(Groups.startsWith(…)))` whether a user has
/// no such group, and `Groups.startsWith` gives null then.
pub fn to_csv_string<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    strings::made(strings::joined(&list(call, 0)?.unwrap_or_default())?)
}
