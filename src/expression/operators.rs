//! The operators on two values. Pure and total: an operation without a result is an error.

use std::cmp::Ordering;

use super::ast::{Node, Operator};
use super::error::{EvalError, failed};
use super::functions::{LONGEST_TEXT, joined};
use super::pattern::{COMPILING, Pattern};
use super::trace::Run;
use super::value::Value;

type Evaluated<'a> = Result<Value<'a>, EvalError>;

/// Applies an operator to two values. `and` and `or` are evaluated elsewhere, because they may skip their right side.
pub fn apply<'a>(
    operator: Operator,
    (a, b): (&Value<'a>, &Value<'a>),
    (left, right): (&Node, &Node),
    pattern: Option<&Pattern>,
    node: &Node,
    run: &Run<'_, 'a>,
) -> Evaluated<'a> {
    match operator {
        Operator::Equal => Ok(Value::Bool(a.equals(b))),
        Operator::NotEqual => Ok(Value::Bool(!a.equals(b))),
        Operator::Matches => matches((a, b), (left, right), pattern, run),
        Operator::Less => order(a, b, node, Ordering::is_lt),
        Operator::LessOrEqual => order(a, b, node, Ordering::is_le),
        Operator::Greater => order(a, b, node, Ordering::is_gt),
        Operator::GreaterOrEqual => order(a, b, node, Ordering::is_ge),
        Operator::Add if matches!(a, Value::String(_)) || matches!(b, Value::String(_)) => {
            concatenate((a, b), (left, right), node, run)
        }
        _ => arithmetic(operator, a, b, node),
    }
}

/// `-x`
pub fn negate<'a>(value: &Value<'a>, operand: &Node) -> Evaluated<'a> {
    match value {
        Value::Int(value) => value
            .checked_neg()
            .map_or_else(|| failed("the number is too large", &operand.span), |value| Ok(Value::Int(value))),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => failed(format!("a {} has no negative", other.kind()), &operand.span),
    }
}

fn order<'a>(a: &Value<'_>, b: &Value<'_>, node: &Node, test: fn(Ordering) -> bool) -> Evaluated<'a> {
    match a.compare(b) {
        Some(ordering) => Ok(Value::Bool(test(ordering))),
        None => failed(format!("a {} can't be compared with a {}", a.kind(), b.kind()), &node.span),
    }
}

fn matches<'a>(
    (a, b): (&Value<'_>, &Value<'_>),
    (left, right): (&Node, &Node),
    pattern: Option<&Pattern>,
    run: &Run<'_, 'a>,
) -> Evaluated<'a> {
    let Some(text) = a.as_text() else { return failed(format!("a {} can't be matched", a.kind()), &left.span) };
    let whether = |pattern: &Pattern| {
        run.spend(pattern.cost(&text), &left.span)?;
        Ok(Value::Bool(pattern.matches(&text)))
    };
    match (pattern, b) {
        (Some(pattern), _) => whether(pattern),
        (None, Value::String(written)) => {
            run.spend(COMPILING, &right.span)?;
            Pattern::new(written).map_or_else(|why| failed(why, &right.span), |pattern| whether(&pattern))
        }
        (None, other) => failed(format!("a pattern must be a string, found {}", other.kind()), &right.span),
    }
}

/// `+` with a text on either side. Spring converts null to the text "null"; here it is an error, because no directory
/// should hold that text.
fn concatenate<'a>(
    (a, b): (&Value<'_>, &Value<'_>),
    (left, right): (&Node, &Node),
    node: &Node,
    run: &Run<'_, 'a>,
) -> Evaluated<'a> {
    let part = |value: &Value<'_>, node: &Node| match (value, value.as_text()) {
        (_, Some(text)) => Ok(text.into_owned()),
        (Value::List(items), None) => joined(items).or_else(|fault| failed(fault.message, &node.span)),
        (Value::Null, None) => {
            failed(format!("{node} is null, which has no text; give another with ?: or a condition"), &node.span)
        }
        (other, None) => failed(format!("a {} can't be joined to a text", other.kind()), &node.span),
    };
    let text = part(a, left)? + &part(b, right)?;
    if text.len() > LONGEST_TEXT {
        return failed(format!("the result is longer than {LONGEST_TEXT} bytes"), &node.span);
    }
    run.spend(text.len() / 64, &node.span)?;
    Ok(Value::text(text))
}

/// Arithmetic. Two integers give an integer, as in Java. An overflow is an error and doesn't wrap.
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
        return failed(format!("{symbol} needs numbers, found {} and {}", a.kind(), b.kind()), &node.span);
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
