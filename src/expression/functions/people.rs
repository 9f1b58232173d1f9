//! Other people and other directories: linked objects, manager, assistant, directory and Workday assignments. Each
//! comes from the data that was read for the expression; without that data it can't be evaluated.

use super::call::{Call, Fault, Outcome, failed, unevaluable};
use crate::expression::value::Value;
use crate::model::okta::Profile;
use crate::model::org::{Instances, Relation};

/// The name of Active Directory apps.
pub const DIRECTORY: &str = "active_directory";
/// The name of Workday apps.
pub const WORKDAY: &str = "workday";

fn text(call: &mut Call<'_, '_>, at: usize) -> Result<String, Fault> {
    match call.take(at) {
        Value::String(text) => Ok(text.into_owned()),
        other => failed(format!("argument {} must be a string, found {}", at + 1, other.kind())),
    }
}

/// The profile of a person related to the user; null if there is none.
fn related<'a>(call: &Call<'_, 'a>, relation: &Relation, what: &str) -> Outcome<'a> {
    let context = call.run.context;
    match context.extra.and_then(|extra| extra.related.get(relation)) {
        Some(people) => Ok(people.get(&context.user.id).map_or(Value::Null, |profile| Value::Object(profile))),
        None => unevaluable(format!("{what} wasn't read")),
    }
}

pub fn linked_object<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let name = text(call, 0)?;
    let what = format!("the linked object {name:?}");
    related(call, &Relation::LinkedObject(name), &what)
}

/// Checks for the only source that Okta knows (Okta Expression Language: manager and assistant functions).
fn check_source(call: &mut Call<'_, '_>) -> Result<(), Fault> {
    match text(call, 0)?.as_str() {
        "active_directory" => Ok(()),
        other => failed(format!("{other:?} is not a source; the only one is \"active_directory\"")),
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

/// The user's assignments in the app before the dot, or in all apps of this name.
fn assignments<'a>(call: &Call<'_, 'a>, app: &'static str) -> Result<&'a [Profile], Fault> {
    let context = call.run.context;
    let instances = call.owner.map_or(Instances::All(app), |owner| Instances::Named(owner.to_owned()));
    match context.extra.and_then(|extra| extra.assignments.get(&instances)) {
        Some(assignments) => Ok(assignments.get(&context.user.id).map_or(&[], Vec::as_slice)),
        None => unevaluable(format!("assignments in {} weren't read", call.owner.unwrap_or(app))),
    }
}

/// The only assignment; null for none or several (Okta Expression Language: directory and Workday functions).
fn only(assignments: &[Profile]) -> Value<'_> {
    match assignments {
        [only] => Value::Object(only),
        _ => Value::Null,
    }
}

pub fn has_directory_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(assignments(call, DIRECTORY)?.len() == 1))
}

pub fn find_directory_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(only(assignments(call, DIRECTORY)?))
}

pub fn has_workday_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(Value::Bool(assignments(call, WORKDAY)?.len() == 1))
}

pub fn find_workday_user<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    Ok(only(assignments(call, WORKDAY)?))
}
