//! Evaluates the parsed form for a user. It follows Spring's engine, which Okta's language comes from, except that null
//! never becomes the text "null": that is an error.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::ast::{Kind, Node, Operator, Root};
use super::context::Context;
use super::error::{ErrorKind, EvalError, failed};
use super::functions::{Call, Function, Outcome};
use super::operators;
use super::pattern::Pattern;
use super::trace::Run;
use super::value::Value;

type Evaluated<'a> = Result<Value<'a>, EvalError>;

/// Evaluates a node for the user of the run's context.
pub fn evaluate<'a>(node: &'a Node, run: &Run<'_, 'a>) -> Evaluated<'a> {
    run.spend(1, &node.span)?;
    let outcome = of_kind(node, run);
    if run.is_traced() && explains_something(node) {
        run.saw(&node.span, &outcome);
    }
    outcome
}

/// Whether the value of a part is worth a step of the trace: literals and whole profiles are not.
fn explains_something(node: &Node) -> bool {
    match &node.kind {
        Kind::Null
        | Kind::Bool(_)
        | Kind::Int(_)
        | Kind::Double(_)
        | Kind::Text(_)
        | Kind::Map(_)
        | Kind::Root(Root::User) => false,
        Kind::Property { object, name, .. } => name != "profile" || !matches!(object.kind, Kind::Root(Root::User)),
        _ => true,
    }
}

fn of_kind<'a>(node: &'a Node, run: &Run<'_, 'a>) -> Evaluated<'a> {
    match &node.kind {
        Kind::Null => Ok(Value::Null),
        Kind::Bool(value) => Ok(Value::Bool(*value)),
        Kind::Int(value) => Ok(Value::Int(*value)),
        Kind::Double(value) => Ok(Value::Double(*value)),
        Kind::Text(text) => Ok(Value::String(Cow::Borrowed(text))),
        Kind::List(items) => Ok(Value::List(all(items, run)?)),
        Kind::Map(entries) => map(entries, run),
        Kind::Root(root) => self::root(root, node, run),
        Kind::Property { object, name, safe } => property(object, name, *safe, node, run),
        Kind::Index { object, index } => self::index(object, index, node, run),
        Kind::Projection { object, body } => projection(object, body, node, run),
        Kind::Element => run.element().map_or_else(|| failed("no element outside a projection", &node.span), Ok),
        Kind::Call { function, owner, arguments, pattern } => {
            let (arguments, owner, pattern) = (all(arguments, run)?, owner.as_deref(), pattern.as_ref());
            let call = Call { run, owner, arguments, pattern, span: &node.span };
            self::call(function.run, function.name, call)
        }
        Kind::Method { object, method, arguments, safe } => self::method(object, method, arguments, *safe, node, run),
        Kind::Not(operand) => Ok(Value::Bool(!condition(operand, run)?)),
        Kind::Negate(operand) => operators::negate(&evaluate(operand, run)?, operand),
        Kind::Binary { operator, left, right, pattern } => binary(*operator, left, right, pattern.as_ref(), node, run),
        Kind::Ternary { condition: asked, then, otherwise } => {
            evaluate(if condition(asked, run)? { then } else { otherwise }, run)
        }
        Kind::Elvis { value, otherwise } => match evaluate(value, run)? {
            Value::Null => evaluate(otherwise, run),
            Value::String(text) if text.is_empty() => evaluate(otherwise, run),
            value => Ok(value),
        },
    }
}

fn map<'a>(entries: &'a [(String, Node)], run: &Run<'_, 'a>) -> Evaluated<'a> {
    let entry = |(key, value): &'a (String, Node)| Ok((Cow::Borrowed(key.as_str()), evaluate(value, run)?));
    Ok(Value::Map(entries.iter().map(entry).collect::<Result<_, _>>()?))
}

fn method<'a>(
    object: &'a Node,
    method: &'static Function,
    arguments: &'a [Node],
    safe: bool,
    node: &Node,
    run: &Run<'_, 'a>,
) -> Evaluated<'a> {
    let object = evaluate(object, run)?;
    if object == Value::Null && safe {
        return Ok(Value::Null);
    }
    let mut values = vec![object];
    values.extend(all(arguments, run)?);
    call(method.run, method.name, Call { run, owner: None, arguments: values, pattern: None, span: &node.span })
}

fn all<'a>(nodes: &'a [Node], run: &Run<'_, 'a>) -> Result<Vec<Value<'a>>, EvalError> {
    nodes.iter().map(|node| evaluate(node, run)).collect()
}

fn call<'a>(
    function: for<'c> fn(&mut Call<'c, 'a>) -> Outcome<'a>,
    name: &str,
    mut call: Call<'_, 'a>,
) -> Evaluated<'a> {
    call.run.spend(call.arguments.iter().map(weight).sum(), call.span)?;
    let span = call.span.clone();
    function(&mut call).map_err(|fault| EvalError {
        kind: fault.kind,
        message: format!("{name}: {}", fault.message),
        span,
    })
}

/// The steps for reading a value.
fn weight(value: &Value<'_>) -> usize {
    match value {
        Value::String(text) => text.len() / 64,
        Value::List(items) => items.len() + items.iter().map(weight).sum::<usize>(),
        _ => 0,
    }
}

fn root<'a>(root: &'a Root, node: &Node, run: &Run<'_, 'a>) -> Evaluated<'a> {
    match root {
        Root::User => Ok(Value::Object(&run.context.user.profile)),
        Root::Name(name) => match run.context.name(name) {
            Some(value) => Ok(value),
            None => Err(EvalError {
                kind: ErrorKind::Unevaluable,
                message: format!("unknown name {name}; a text needs quotes: \"{name}\""),
                span: node.span.clone(),
            }),
        },
    }
}

fn property<'a>(object: &'a Node, name: &'a str, safe: bool, node: &Node, run: &Run<'_, 'a>) -> Evaluated<'a> {
    if matches!(object.kind, Kind::Root(Root::User)) {
        return Ok(of_user(name, run));
    }
    let value = evaluate(object, run)?;
    match value {
        Value::Null if safe => Ok(Value::Null),
        Value::Null => failed(format!("there is no {name} of null"), &node.span),
        value => match member(&value, name, run.context) {
            Some(found) => Ok(found),
            None if matches!(value, Value::Group(_)) => Err(EvalError {
                kind: ErrorKind::Unevaluable,
                message: format!("the {name} of a group isn't read; id, type and name are"),
                span: node.span.clone(),
            }),
            None => failed(format!("a value of type {} has no {name}", value.kind()), &node.span),
        },
    }
}

/// An attribute of the user's own profile; one that was never populated is null. `user.profile`, `user.id`,
/// `user.status` and times such as `user.created` are the Identity Engine's forms.
fn of_user<'a>(name: &str, run: &Run<'_, 'a>) -> Value<'a> {
    let user = run.context.user;
    match (user.profile.get(name), name) {
        (None | Some(Json::Null), "displayName") => display_name(&user.profile),
        (Some(json), _) => Value::from_json(json),
        (None, "profile") => Value::Object(&user.profile),
        (None, "id") => Value::text(user.id.as_str()),
        (None, "status") => Value::text(user.status.as_str()),
        (None, _) => {
            user.times.named(name).map_or(Value::Null, |time| Value::time(time.to_zoned_datetime(TimeZone::UTC)))
        }
    }
}

/// The API omits `displayName` until an admin edits it, while the expression language gives first and last name (Okta
/// help: about profile attributes).
fn display_name(profile: &Map<String, Json>) -> Value<'_> {
    let name = |attribute| profile.get(attribute).and_then(Json::as_str).filter(|name| !name.is_empty());
    match (name("firstName"), name("lastName")) {
        (Some(first), Some(last)) => Value::text(format!("{first} {last}")),
        (Some(only), None) | (None, Some(only)) => Value::text(only),
        (None, None) => Value::Null,
    }
}

/// A property of a value; none if the value has no such property.
fn member<'a>(value: &Value<'a>, name: &str, context: &Context<'a>) -> Option<Value<'a>> {
    match value {
        Value::Object(map) => Some(map.get(name).map_or(Value::Null, Value::from_json)),
        Value::Group(group) => match name {
            "id" => Some(Value::text(group.id.as_str())),
            "type" => Some(Value::text(group.kind.as_str())),
            "name" => Some(Value::text(group.name.as_str())),
            // The group's own properties are also those of its `profile`.
            "profile" => Some(Value::Group(group)),
            other => {
                let object = context.extra?.group_objects.get(&group.id)?;
                let profile = object.get("profile").and_then(Json::as_object);
                let found = object.get(other).or_else(|| profile.and_then(|profile| profile.get(other)));
                Some(found.map_or(Value::Null, Value::from_json))
            }
        },
        Value::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
        _ => None,
    }
}

fn index<'a>(object: &'a Node, index: &'a Node, node: &Node, run: &Run<'_, 'a>) -> Evaluated<'a> {
    let value = evaluate(object, run)?;
    let place = evaluate(index, run)?;
    match (value, place) {
        (Value::List(mut items), Value::Int(place)) => match usize::try_from(place).ok().filter(|at| *at < items.len())
        {
            Some(at) => Ok(items.swap_remove(at)),
            None => failed(format!("there is no element {place} in an array of {}", items.len()), &node.span),
        },
        (value @ (Value::Object(_) | Value::Map(_)), Value::String(name)) => {
            Ok(member(&value, &name, run.context).unwrap_or(Value::Null))
        }
        (value, place) => failed(format!("a {} has no element at a {}", value.kind(), place.kind()), &node.span),
    }
}

fn projection<'a>(object: &'a Node, body: &'a Node, node: &Node, run: &Run<'_, 'a>) -> Evaluated<'a> {
    let items = match evaluate(object, run)? {
        Value::Null => return Ok(Value::Null),
        Value::List(items) => items,
        other => return failed(format!("a {} has no elements", other.kind()), &node.span),
    };
    let of = |item: Value<'a>| {
        let value = run.with_element(item, || evaluate(body, run))?;
        if let Value::String(Cow::Owned(text)) = &value {
            run.spend(text.len() / 4, &body.span)?;
        }
        Ok(value)
    };
    Ok(Value::List(items.into_iter().map(of).collect::<Result<_, _>>()?))
}

/// A value as a condition. Texts convert as in Spring; null is an error.
fn condition<'a>(node: &'a Node, run: &Run<'_, 'a>) -> Result<bool, EvalError> {
    if let Kind::Binary { operator, left, right, .. } = &node.kind
        && let Some(same) = same_text(*operator, left, right, run)
    {
        run.spend(1, &node.span)?;
        return Ok(same);
    }
    match evaluate(node, run)? {
        Value::Bool(value) => Ok(value),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Ok(true),
            "false" | "off" | "no" | "0" => Ok(false),
            _ => failed(format!("{text:?} is neither true nor false"), &node.span),
        },
        other => failed(format!("a condition must be true or false, found {}", other.kind()), &node.span),
    }
}

fn binary<'a>(
    operator: Operator,
    left: &'a Node,
    right: &'a Node,
    pattern: Option<&Pattern>,
    node: &Node,
    run: &Run<'_, 'a>,
) -> Evaluated<'a> {
    match operator {
        Operator::Or => Ok(Value::Bool(condition(left, run)? || condition(right, run)?)),
        Operator::And => Ok(Value::Bool(condition(left, run)? && condition(right, run)?)),
        _ => {
            if let Some(same) = same_text(operator, left, right, run) {
                return Ok(Value::Bool(same));
            }
            let (a, b) = (evaluate(left, run)?, evaluate(right, run)?);
            operators::apply(operator, (&a, &b), (left, right), pattern, node, run)
        }
    }
}

/// A shortcut for `user.x == 'text'`, the most frequent comparison: it creates no values. None for any other form.
fn same_text(operator: Operator, left: &Node, right: &Node, run: &Run<'_, '_>) -> Option<bool> {
    let equal = match operator {
        Operator::Equal => true,
        Operator::NotEqual => false,
        _ => return None,
    };
    let (Kind::Property { object, name, .. }, Kind::Text(text)) = (&left.kind, &right.kind) else { return None };
    if !matches!(object.kind, Kind::Root(Root::User)) || run.is_traced() {
        return None;
    }
    match run.context.user.profile.get(name) {
        Some(Json::String(value)) => Some((value == text) == equal),
        _ => None,
    }
}
