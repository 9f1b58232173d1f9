//! The parsed form and a user to a value. What the engine that Okta's language comes from does is done here, except
//! where a null would become a text: that is an error.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::ast::{Kind, Node, Operator, Root};
use super::context::Context;
use super::error::{ErrorKind, EvalError};
use super::functions::{Call, LONGEST_TEXT};
use super::pattern::Pattern;
use super::value::{Value, java_double};

type Evaluated<'a> = Result<Value<'a>, EvalError>;

/// Evaluates a node for the user of the context.
pub fn evaluate<'a>(node: &'a Node, context: &Context<'a>) -> Evaluated<'a> {
    match &node.kind {
        Kind::Null => Ok(Value::Null),
        Kind::Bool(value) => Ok(Value::Bool(*value)),
        Kind::Int(value) => Ok(Value::Int(*value)),
        Kind::Double(value) => Ok(Value::Double(*value)),
        Kind::Text(text) => Ok(Value::String(Cow::Borrowed(text))),
        Kind::List(items) => Ok(Value::List(all(items, context)?)),
        Kind::Map(entries) => {
            let entry = |(key, value): &'a (String, Node)| Ok((Cow::Borrowed(key.as_str()), evaluate(value, context)?));
            Ok(Value::Map(entries.iter().map(entry).collect::<Result<_, _>>()?))
        }
        Kind::Root(root) => self::root(root, node, context),
        Kind::Property { object, name, safe } => property(object, name, *safe, node, context),
        Kind::Index { object, index } => self::index(object, index, node, context),
        Kind::Projection { object, path } => projection(object, path, node, context),
        Kind::Call { function, arguments, pattern } => {
            let call = Call { context, arguments: all(arguments, context)?, pattern: pattern.as_ref() };
            run(function.run, function.name, call, node)
        }
        Kind::Method { object, method, arguments, safe } => {
            let object = evaluate(object, context)?;
            if object == Value::Null && *safe {
                return Ok(Value::Null);
            }
            let mut values = vec![object];
            values.extend(all(arguments, context)?);
            run(method.run, method.name, Call { context, arguments: values, pattern: None }, node)
        }
        Kind::Not(operand) => Ok(Value::Bool(!condition(operand, context)?)),
        Kind::Negate(operand) => negate(operand, context),
        Kind::Binary { operator, left, right, pattern } => {
            binary(*operator, left, right, pattern.as_ref(), node, context)
        }
        Kind::Ternary { condition: asked, then, otherwise } => {
            evaluate(if condition(asked, context)? { then } else { otherwise }, context)
        }
        Kind::Elvis { value, otherwise } => match evaluate(value, context)? {
            Value::Null => evaluate(otherwise, context),
            Value::String(text) if text.is_empty() => evaluate(otherwise, context),
            value => Ok(value),
        },
    }
}

/// A value as text, where it has one: null and structures have none.
pub fn text_of<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Int(value) => Some(Cow::Owned(value.to_string())),
        Value::Double(value) => Some(Cow::Owned(java_double(*value))),
        _ => None,
    }
}

fn failed<T>(message: impl Into<String>, span: &Range<usize>) -> Result<T, EvalError> {
    Err(EvalError { kind: ErrorKind::Failed, message: message.into(), span: span.clone() })
}

fn all<'a>(nodes: &'a [Node], context: &Context<'a>) -> Result<Vec<Value<'a>>, EvalError> {
    nodes.iter().map(|node| evaluate(node, context)).collect()
}

fn run<'a>(
    function: for<'c> fn(&mut Call<'c, 'a>) -> super::functions::Outcome<'a>,
    name: &str,
    mut call: Call<'_, 'a>,
    node: &Node,
) -> Evaluated<'a> {
    function(&mut call).map_err(|fault| EvalError {
        kind: fault.kind,
        message: format!("{name}: {}", fault.message),
        span: node.span.clone(),
    })
}

fn root<'a>(root: &'a Root, node: &Node, context: &Context<'a>) -> Evaluated<'a> {
    match root {
        Root::User => Ok(Value::Object(&context.user.profile)),
        Root::Name(name) => match context.names.and_then(|names| names.get(name)) {
            Some(json) => Ok(Value::from_json(json)),
            None => Err(EvalError {
                kind: ErrorKind::Unevaluable,
                message: format!("{name} isn't known here; user and its attributes are"),
                span: node.span.clone(),
            }),
        },
    }
}

fn property<'a>(object: &'a Node, name: &'a str, safe: bool, node: &Node, context: &Context<'a>) -> Evaluated<'a> {
    if matches!(object.kind, Kind::Root(Root::User)) {
        return Ok(of_user(name, context));
    }
    let value = evaluate(object, context)?;
    match value {
        Value::Null if safe => Ok(Value::Null),
        Value::Null => failed(format!("there is no {name} of null"), &node.span),
        value => match member(&value, name) {
            Some(found) => Ok(found),
            None => failed(format!("a value of type {} has no {name}", value.kind()), &node.span),
        },
    }
}

/// An attribute of the user's own profile; one that was never populated is null. `user.profile`, `user.id` and
/// `user.status` are the Identity Engine's way to say it.
fn of_user<'a>(name: &str, context: &Context<'a>) -> Value<'a> {
    let user = context.user;
    match (user.profile.get(name), name) {
        (None | Some(Json::Null), "displayName") => display_name(&user.profile),
        (Some(json), _) => Value::from_json(json),
        (None, "profile") => Value::Object(&user.profile),
        (None, "id") => Value::text(user.id.as_str()),
        (None, "status") => Value::text(user.status.as_str()),
        (None, _) => Value::Null,
    }
}

/// The API leaves `displayName` out until somebody edits it, while the expression language sees first and last name
/// (Okta help: about profile attributes).
fn display_name(profile: &Map<String, Json>) -> Value<'_> {
    let name = |attribute| profile.get(attribute).and_then(Json::as_str).filter(|name| !name.is_empty());
    match (name("firstName"), name("lastName")) {
        (Some(first), Some(last)) => Value::text(format!("{first} {last}")),
        (Some(only), None) | (None, Some(only)) => Value::text(only),
        (None, None) => Value::Null,
    }
}

/// A property of something; none where such a thing has none of this name.
fn member<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match value {
        Value::Object(map) => Some(map.get(name).map_or(Value::Null, Value::from_json)),
        Value::Group(group) => match name {
            "id" => Some(Value::text(group.id.as_str())),
            "type" => Some(Value::text(group.kind.as_str())),
            "name" => Some(Value::text(group.name.as_str())),
            // `profile.name`: the group's own properties stand under both.
            "profile" => Some(Value::Group(group)),
            _ => None,
        },
        Value::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()),
        _ => None,
    }
}

fn index<'a>(object: &'a Node, index: &'a Node, node: &Node, context: &Context<'a>) -> Evaluated<'a> {
    let value = evaluate(object, context)?;
    let place = evaluate(index, context)?;
    match (value, place) {
        (Value::List(mut items), Value::Int(place)) => match usize::try_from(place).ok().filter(|at| *at < items.len())
        {
            Some(at) => Ok(items.swap_remove(at)),
            None => failed(format!("there is no element {place} in an array of {}", items.len()), &node.span),
        },
        (value @ (Value::Object(_) | Value::Map(_)), Value::String(name)) => {
            Ok(member(&value, &name).unwrap_or(Value::Null))
        }
        (value, place) => failed(format!("a {} has no element at a {}", value.kind(), place.kind()), &node.span),
    }
}

fn projection<'a>(object: &'a Node, path: &'a [String], node: &Node, context: &Context<'a>) -> Evaluated<'a> {
    let items = match evaluate(object, context)? {
        Value::Null => return Ok(Value::Null),
        Value::List(items) => items,
        other => return failed(format!("a {} has no elements to take properties of", other.kind()), &node.span),
    };
    let of = |item: Value<'a>| {
        let step = |value: Value<'a>, name: &String| match member(&value, name) {
            Some(found) => Ok(found),
            None if matches!(value, Value::Group(_)) => Err(EvalError {
                kind: ErrorKind::Unevaluable,
                message: format!("the {name} of a group isn't read; id, type and name are"),
                span: node.span.clone(),
            }),
            None => failed(format!("a {} has no {name}", value.kind()), &node.span),
        };
        path.iter().try_fold(item, step)
    };
    Ok(Value::List(items.into_iter().map(of).collect::<Result<_, _>>()?))
}

/// A value as a condition. Texts are taken as Spring takes them; null is an error.
fn condition<'a>(node: &'a Node, context: &Context<'a>) -> Result<bool, EvalError> {
    match evaluate(node, context)? {
        Value::Bool(value) => Ok(value),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Ok(true),
            "false" | "off" | "no" | "0" => Ok(false),
            _ => failed(format!("{text:?} is neither true nor false"), &node.span),
        },
        other => failed(format!("a condition must be true or false, and this is {}", other.kind()), &node.span),
    }
}

fn negate<'a>(operand: &'a Node, context: &Context<'a>) -> Evaluated<'a> {
    match evaluate(operand, context)? {
        Value::Int(value) => value
            .checked_neg()
            .map_or_else(|| failed("the number is too large", &operand.span), |value| Ok(Value::Int(value))),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => failed(format!("a {} has no negative", other.kind()), &operand.span),
    }
}

fn binary<'a>(
    operator: Operator,
    left: &'a Node,
    right: &'a Node,
    pattern: Option<&Pattern>,
    node: &Node,
    context: &Context<'a>,
) -> Evaluated<'a> {
    match operator {
        Operator::Or => return Ok(Value::Bool(condition(left, context)? || condition(right, context)?)),
        Operator::And => return Ok(Value::Bool(condition(left, context)? && condition(right, context)?)),
        _ => {}
    }
    let (a, b) = (evaluate(left, context)?, evaluate(right, context)?);
    match operator {
        Operator::Equal => Ok(Value::Bool(a.equals(&b))),
        Operator::NotEqual => Ok(Value::Bool(!a.equals(&b))),
        Operator::Matches => matches(&a, &b, pattern, left, right),
        Operator::Less => order(&a, &b, node, Ordering::is_lt),
        Operator::LessOrEqual => order(&a, &b, node, Ordering::is_le),
        Operator::Greater => order(&a, &b, node, Ordering::is_gt),
        Operator::GreaterOrEqual => order(&a, &b, node, Ordering::is_ge),
        Operator::Add if matches!(a, Value::String(_)) || matches!(b, Value::String(_)) => {
            concatenate(&a, &b, left, right, node)
        }
        _ => arithmetic(operator, &a, &b, node),
    }
}

fn order<'a>(a: &Value<'_>, b: &Value<'_>, node: &Node, test: fn(Ordering) -> bool) -> Evaluated<'a> {
    match a.compare(b) {
        Some(ordering) => Ok(Value::Bool(test(ordering))),
        None => failed(format!("a {} can't be compared with a {}", a.kind(), b.kind()), &node.span),
    }
}

fn matches<'a>(a: &Value<'_>, b: &Value<'_>, pattern: Option<&Pattern>, left: &Node, right: &Node) -> Evaluated<'a> {
    let Some(text) = text_of(a) else { return failed(format!("a {} can't be matched", a.kind()), &left.span) };
    match (pattern, b) {
        (Some(pattern), _) => Ok(Value::Bool(pattern.matches(&text))),
        (None, Value::String(written)) => match Pattern::new(written) {
            Ok(pattern) => Ok(Value::Bool(pattern.matches(&text))),
            Err(why) => failed(why, &right.span),
        },
        (None, other) => failed(format!("a pattern must be a string, and this is a {}", other.kind()), &right.span),
    }
}

/// `+` with a text on either side. Spring makes the text "null" of a null; that is never wanted in a directory.
fn concatenate<'a>(a: &Value<'_>, b: &Value<'_>, left: &Node, right: &Node, node: &Node) -> Evaluated<'a> {
    let part = |value, node: &Node| match (value, text_of(value)) {
        (_, Some(text)) => Ok(text.into_owned()),
        (Value::Null, None) => {
            failed(format!("{node} is null, which has no text; give another with ?: or a condition"), &node.span)
        }
        (other, None) => failed(format!("a {} can't be joined to a text", other.kind()), &node.span),
    };
    let text = part(a, left)? + &part(b, right)?;
    if text.len() > LONGEST_TEXT {
        return failed(format!("the result is longer than {LONGEST_TEXT} bytes"), &node.span);
    }
    Ok(Value::text(text))
}

/// Numbers; with integers on both sides the result is one, as in Java. Instead of wrapping around it fails.
fn arithmetic<'a>(operator: Operator, a: &Value<'_>, b: &Value<'_>, node: &Node) -> Evaluated<'a> {
    let symbol = operator.as_str();
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        let result = match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            Operator::Modulo => a.checked_rem(*b),
            Operator::Power => u32::try_from(*b).ok().and_then(|b| a.checked_pow(b)),
            _ => None,
        };
        let result = result.map(Value::Int);
        return result.map_or_else(|| failed(format!("{a} {symbol} {b} has no integer result"), &node.span), Ok);
    }
    let (Some(x), Some(y)) = (a.as_double(), b.as_double()) else {
        return failed(format!("{symbol} needs numbers, and these are {} and {}", a.kind(), b.kind()), &node.span);
    };
    let result = match operator {
        Operator::Add => x + y,
        Operator::Subtract => x - y,
        Operator::Multiply => x * y,
        Operator::Divide => x / y,
        Operator::Modulo => x % y,
        _ => x.powf(y),
    };
    if result.is_finite() {
        Ok(Value::Double(result))
    } else {
        failed(format!("{x} {symbol} {y} has no result"), &node.span)
    }
}
