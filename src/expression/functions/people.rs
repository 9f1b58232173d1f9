//! Other people and other directories: linked objects, manager, assistant, directory and Workday assignments. Each is
//! taken from what was read for the expression; what wasn't read can't be evaluated.

use serde_json::{Map, Value as Json};

use super::{Call, Fault, Outcome, failed, unevaluable};
use crate::expression::context::Relation;
use crate::expression::value::Value;

fn text(call: &mut Call<'_, '_>, at: usize) -> Result<String, Fault> {
    match call.take(at) {
        Value::String(text) => Ok(text.into_owned()),
        other => failed(format!("argument {} is of type {}, where a string is wanted", at + 1, other.kind())),
    }
}

/// The profile of somebody related to the user; null where there is nobody.
fn related<'a>(call: &Call<'_, 'a>, relation: &Relation, what: &str) -> Outcome<'a> {
    match call.run.context.extra.and_then(|extra| extra.related.get(relation)) {
        Some(profile) => Ok(profile.as_ref().map_or(Value::Null, Value::Object)),
        None => unevaluable(format!("{what} wasn't read")),
    }
}

pub fn linked_object<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let name = text(call, 0)?;
    let what = format!("the linked object {name:?}");
    related(call, &Relation::LinkedObject(name), &what)
}

/// The only source that there is (Okta Expression Language: manager and assistant functions).
fn check_source(call: &mut Call<'_, '_>) -> Result<(), Fault> {
    match text(call, 0)?.as_str() {
        "active_directory" => Ok(()),
        other => failed(format!("{other:?} is no source; \"active_directory\" is the only one")),
    }
}

pub fn manager<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    check_source(call)?;
    related(call, &Relation::Manager, "the manager")
}

pub fn manager_app<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    check_source(call)?;
    let app = text(call, 1)?;
    let what = format!("the manager's profile in {app}");
    related(call, &Relation::ManagerApp(app), &what)
}

pub fn assistant<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    check_source(call)?;
    related(call, &Relation::Assistant, "the assistant")
}

pub fn assistant_app<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    check_source(call)?;
    let app = text(call, 1)?;
    let what = format!("the assistant's profile in {app}");
    related(call, &Relation::AssistantApp(app), &what)
}

type Assignments<'a> = &'a [Map<String, Json>];

fn directory<'a>(call: &Call<'_, 'a>) -> Result<Assignments<'a>, Fault> {
    let read = call.run.context.extra.and_then(|extra| extra.directory_users.as_deref());
    read.map_or_else(|| unevaluable("assignments in Active Directory weren't read, which only Okta reaches"), Ok)
}

fn workday<'a>(call: &Call<'_, 'a>) -> Result<Assignments<'a>, Fault> {
    let read = call.run.context.extra.and_then(|extra| extra.workday_users.as_deref());
    read.map_or_else(|| unevaluable("assignments in Workday weren't read, which only Okta reaches"), Ok)
}

/// Exactly one is one; none and several are null (Okta Expression Language: directory and Workday functions).
fn only(assignments: Assignments<'_>) -> Value<'_> {
    match assignments {
        [only] => Value::Object(only),
        _ => Value::Null,
    }
}

pub fn has_directory_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(directory(call)?.len() == 1))
}

pub fn find_directory_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(only(directory(call)?))
}

pub fn has_workday_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(workday(call)?.len() == 1))
}

pub fn find_workday_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(only(workday(call)?))
}
