//! Functions of groups, and of the user's id and status.

use serde_json::Value as Json;

use super::call::{Call, Fault, Outcome, failed, unevaluable};
use crate::expression::context::Context;
use crate::expression::pattern::{COMPILING, Pattern};
use crate::expression::value::Value;
use crate::model::okta::Group;

/// The texts of the arguments from `from` on.
fn texts(call: &mut Call<'_, '_>, from: usize) -> Result<Vec<String>, Fault> {
    let text = |value: Value<'_>| match value {
        Value::String(text) => Ok(text.into_owned()),
        other => failed(format!("expected a string, found {}", other.kind())),
    };
    let taken: Vec<Value<'_>> = (from..call.arguments.len()).map(|at| call.take(at)).collect();
    taken.into_iter().map(text).collect()
}

/// Whether the name of any group of the user passes the test with the text argument.
fn any_name<'a>(call: &mut Call<'_, 'a>, test: fn(&str, &str) -> bool) -> Outcome<'a> {
    let wanted = texts(call, 0)?.concat();
    Ok(Value::Bool(call.run.context.groups.iter().any(|group| test(&group.name, &wanted))))
}

pub fn is_member_of_any_group<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let ids = texts(call, 0)?;
    Ok(Value::Bool(call.run.context.groups.iter().any(|group| ids.iter().any(|id| id == group.id.as_str()))))
}

pub fn is_member_of_group_name<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    any_name(call, |name, wanted| name == wanted)
}

pub fn is_member_of_group_name_starts_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    any_name(call, |name, wanted| name.starts_with(wanted))
}

pub fn is_member_of_group_name_contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    any_name(call, |name, wanted| name.contains(wanted))
}

pub fn is_member_of_group_name_regex<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    if let Some(pattern) = call.pattern {
        return any_match(call, pattern);
    }
    let written = texts(call, 0)?.concat();
    call.spend(COMPILING)?;
    match Pattern::new(&written) {
        Ok(pattern) => any_match(call, &pattern),
        Err(why) => failed(why),
    }
}

fn any_match<'a>(call: &Call<'_, 'a>, pattern: &Pattern) -> Outcome<'a> {
    for group in call.run.context.groups {
        call.spend(pattern.cost(&group.name))?;
        if pattern.matches(&group.name) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// `Groups.startsWith(app, pattern, limit)`: names of the user's Okta groups; null if there are none. Groups of
/// another app aren't read.
fn named<'a>(call: &mut Call<'_, 'a>, test: fn(&str, &str) -> bool) -> Outcome<'a> {
    let limit = limit(&call.take(2))?;
    call.arguments.truncate(2);
    let texts = texts(call, 0)?;
    let [app, pattern, ..] = texts.as_slice() else { return failed("expected an app and a pattern") };
    if !app.eq_ignore_ascii_case("okta") {
        return unevaluable(format!("the groups of the app {app} aren't read; only those of \"OKTA\" are"));
    }
    let own = call.run.context.groups.iter().filter(|group| group.kind.as_str() != "APP_GROUP");
    let found: Vec<Value<'a>> = own
        .filter(|group| test(&group.name, pattern))
        .take(limit)
        .map(|group| Value::text(group.name.as_str()))
        .collect();
    Ok(if found.is_empty() { Value::Null } else { Value::List(found) })
}

fn limit(value: &Value<'_>) -> Result<usize, Fault> {
    match value {
        Value::Int(limit @ 1..=100) => Ok(usize::try_from(*limit).unwrap_or(100)),
        _ => failed("the limit must be an integer from 1 to 100"),
    }
}

pub fn groups_starts_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    named(call, |name, pattern| name.starts_with(pattern))
}

pub fn groups_ends_with<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    named(call, |name, pattern| name.ends_with(pattern))
}

pub fn groups_contains<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    named(call, |name, pattern| name.contains(pattern))
}

/// `getFilteredGroups({ids}, "group.name", limit)`
pub fn get_filtered_groups<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let limit = limit(&call.take(2))?;
    let Value::List(ids) = call.take(0) else { return failed("the first argument must be an array of group ids") };
    call.arguments.truncate(2);
    let wanted = texts(call, 1)?.concat();
    let of = |group: &'a Group| match wanted.as_str() {
        "group.name" => Ok(Value::text(group.name.as_str())),
        "group.id" => Ok(Value::text(group.id.as_str())),
        "group.type" => Ok(Value::text(group.kind.as_str())),
        other => unevaluable(format!("{other} isn't read; group.name, group.id and group.type are")),
    };
    let own = call.run.context.groups.iter();
    let listed = own.filter(|group| ids.iter().any(|id| id.equals(&Value::text(group.id.as_str()))));
    Ok(Value::List(listed.take(limit).map(|group| of(group)).collect::<Result<_, _>>()?))
}

pub fn get_groups<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let criteria = criteria(call)?;
    let mut found = Vec::new();
    for group in call.run.context.groups {
        if all(&criteria, group, call.run.context)? {
            found.push(Value::Group(group));
        }
    }
    Ok(Value::List(found))
}

pub fn is_member_of<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let criteria = criteria(call)?;
    for group in call.run.context.groups {
        if all(&criteria, group, call.run.context)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// A criterion: a key, its values, of which any may match, and whether names must match exactly.
struct Criterion {
    key: String,
    values: Vec<String>,
    exact: bool,
}

fn criteria(call: &mut Call<'_, '_>) -> Result<Vec<Criterion>, Fault> {
    let taken: Vec<Value<'_>> = (0..call.arguments.len()).map(|at| call.take(at)).collect();
    taken.into_iter().map(criterion).collect()
}

fn criterion(value: Value<'_>) -> Result<Criterion, Fault> {
    let Value::Map(entries) = value else { return failed(format!("expected a criterion, found {}", value.kind())) };
    let mut criterion = Criterion { key: String::new(), values: Vec::new(), exact: false };
    for (key, value) in entries {
        let values = match value {
            Value::String(text) => vec![text.into_owned()],
            Value::List(items) => items.iter().filter_map(|item| item.as_text().map(Into::into)).collect(),
            other => return failed(format!("{key} must be a string or an array, found {}", other.kind())),
        };
        match key.as_ref() {
            "operator" => criterion.exact = values.iter().any(|operator| operator.eq_ignore_ascii_case("EXACT")),
            "group.id" | "group.type" | "group.profile.name" | "group.source.id" => {
                (criterion.key, criterion.values) = (key.into_owned(), values);
            }
            other => return failed(format!("{other} is not a criterion key")),
        }
    }
    Ok(criterion)
}

/// Whether a group meets all criteria. A name matches the groups that begin with it, with or without `.*` at its end.
fn all(criteria: &[Criterion], group: &Group, context: &Context<'_>) -> Result<bool, Fault> {
    for Criterion { key, values, exact } in criteria {
        let met = match key.as_str() {
            "group.id" => values.iter().any(|id| id == group.id.as_str()),
            "group.type" => values.iter().any(|kind| kind == group.kind.as_str()),
            "group.profile.name" if *exact => values.contains(&group.name),
            "group.profile.name" => {
                values.iter().any(|name| group.name.starts_with(name.strip_suffix(".*").unwrap_or(name)))
            }
            "group.source.id" => {
                let object = context.extra.and_then(|extra| extra.group_objects.get(&group.id));
                let Some(object) = object else { return unevaluable("the sources of groups weren't read") };
                let source = object.get("source").and_then(|source| source.get("id")).and_then(Json::as_str);
                source.is_some_and(|source| values.iter().any(|id| id == source))
            }
            _ => return failed("a criterion has no key"),
        };
        if !met {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `user.getInternalProperty("id")`. Okta gives no status for a deactivated user here.
pub fn internal_property<'a>(call: &mut Call<'_, 'a>) -> Outcome<'a> {
    let user = call.run.context.user;
    match texts(call, 0)?.concat().as_str() {
        "id" => Ok(Value::text(user.id.as_str())),
        "status" => Ok(Value::text(user.status.as_str())),
        other => unevaluable(format!("the internal property {other} isn't read; \"id\" and \"status\" are")),
    }
}
