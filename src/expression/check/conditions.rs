//! Conditions that don't test what they seem to test.

use super::finding::Finding;
use super::parts::constant;
use super::schema::Schema;
use super::types::type_of;
use crate::expression::ast::{Kind, Node, Operator};
use crate::expression::functions::{Meaning, Type};
use crate::expression::value::Value;

pub fn check(root: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    // A chain is checked once as a whole, so that its tails aren't reported again.
    let mut seen_chains = Vec::new();
    root.visit(&mut |node| match &node.kind {
        Kind::Binary { operator: operator @ (Operator::And | Operator::Or), left, right, .. } => {
            condition(left, schema, findings);
            condition(right, schema, findings);
            if !seen_chains.contains(&node.span) {
                let mut parts = Vec::new();
                chain(*operator, node, &mut parts, &mut seen_chains);
                contradictions(*operator, &parts, node, findings);
            }
        }
        Kind::Binary { operator: operator @ (Operator::Equal | Operator::NotEqual), left, right, .. } => {
            findings.extend(wrong_case(*operator, left, right, node));
            findings.extend(wrong_case(*operator, right, left, node));
        }
        Kind::Not(operand) => condition(operand, schema, findings),
        Kind::Ternary { condition: asked, then, otherwise } => {
            condition(asked, schema, findings);
            if then.to_string() == otherwise.to_string() {
                findings.push(Finding::warning("both branches are the same", node));
            }
            asked_again(asked, otherwise, findings);
        }
        Kind::Call { function, arguments, .. } if function.meaning == Meaning::Switch => {
            shadowed_keys(arguments, findings);
        }
        _ => {}
    });
}

/// Reports a constant condition, and one of a type that isn't boolean.
fn condition(node: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    if let Some(Value::Bool(value)) = constant(node) {
        findings.push(Finding::warning(format!("this is always {value}"), node));
        return;
    }
    match type_of(node, schema) {
        Type::Any | Type::Bool => {}
        Type::Text => findings.push(Finding::warning("a condition must be true or false, found a string", node).hint(
            "only \"true\", \"on\", \"yes\", \"1\" and their opposites convert to a condition; any other text is an error",
        )),
        other => findings.push(Finding::error(format!("a condition must be true or false, found {other}"), node)),
    }
}

/// The parts of `a or b or c`.
fn chain<'n>(operator: Operator, node: &'n Node, parts: &mut Vec<&'n Node>, seen: &mut Vec<std::ops::Range<usize>>) {
    match &node.kind {
        Kind::Binary { operator: other, left, right, .. } if *other == operator => {
            seen.push(node.span.clone());
            chain(operator, left, parts, seen);
            chain(operator, right, parts, seen);
        }
        _ => parts.push(node),
    }
}

/// A comparison of a part with a constant, both printed.
struct Comparison {
    subject: String,
    constant: String,
    equal: bool,
}

fn comparison(node: &Node) -> Option<Comparison> {
    let Kind::Binary { operator, left, right, .. } = &node.kind else { return None };
    let equal = match operator {
        Operator::Equal => true,
        Operator::NotEqual => false,
        _ => return None,
    };
    let (subject, value) = match (constant(left), constant(right)) {
        (None, Some(value)) => (left, value),
        (Some(value), None) => (right, value),
        _ => return None,
    };
    Some(Comparison { subject: subject.to_string(), constant: value.to_json().to_string(), equal })
}

/// Reports repeated parts of a chain, and pairs of parts that make the whole chain constant.
fn contradictions(operator: Operator, parts: &[&Node], whole: &Node, findings: &mut Vec<Finding>) {
    let is_or = operator == Operator::Or;
    let printed: Vec<(String, Option<Comparison>)> =
        parts.iter().map(|part| (part.to_string(), comparison(part))).collect();
    for (at, (text, b)) in printed.iter().enumerate() {
        for (other, a) in &printed[..at] {
            if text == other {
                findings.push(Finding::warning("this condition is repeated", parts[at]));
                continue;
            }
            let (Some(a), Some(b)) = (a, b) else { continue };
            if a.subject != b.subject {
                continue;
            }
            let same = a.constant == b.constant;
            // `x != 1 or x != 2`, `x == 1 or x != 1`: true. `x == 1 and x == 2`, `x == 1 and x != 1`: false.
            let both = if is_or { !a.equal && !b.equal } else { a.equal && b.equal };
            if (both && !same) || (a.equal != b.equal && same) {
                let finding = Finding::silent(format!("this is always {is_or}, whatever {} is", a.subject), whole);
                findings.push(match (is_or, both) {
                    (true, true) => finding.hint("did you mean `and`?"),
                    (false, true) => finding.hint("did you mean `or`?"),
                    _ => finding,
                });
            }
        }
    }
}

/// `String.toLowerCase(x) == "Sales"` is never true.
fn wrong_case(operator: Operator, left: &Node, right: &Node, node: &Node) -> Option<Finding> {
    let (Kind::Call { function, .. } | Kind::Method { method: function, .. }) = &left.kind else { return None };
    let Kind::Text(text) = &right.kind else { return None };
    let right_case = match function.meaning {
        Meaning::LowerCase => text.to_lowercase(),
        Meaning::UpperCase => text.to_uppercase(),
        _ => return None,
    };
    let name = function.name.rsplit('.').next().unwrap_or_default();
    let always = operator == Operator::NotEqual;
    (right_case != *text).then(|| {
        Finding::silent(format!("this is always {always}: {name} never gives {text:?}"), node)
            .hint(format!("write {right_case:?}"))
    })
}

/// `a ? 1 : b ? 2 : a ? 3 : 4`: the second `a` is never true.
fn asked_again(asked: &Node, otherwise: &Node, findings: &mut Vec<Finding>) {
    let asked = asked.to_string();
    let mut rest = otherwise;
    while let Kind::Ternary { condition, otherwise, .. } = &rest.kind {
        if condition.to_string() == asked {
            findings.push(Finding::warning("this is never true: an earlier branch has the same condition", condition));
        }
        rest = otherwise;
    }
}

/// `String.stringSwitch(x, d, "op", 1, "operator", 2)`: a text with the second key contains the first key.
fn shadowed_keys(arguments: &[Node], findings: &mut Vec<Finding>) {
    let keys: Vec<&Node> = arguments.iter().skip(2).step_by(2).collect();
    for (at, node) in keys.iter().enumerate() {
        let Kind::Text(key) = &node.kind else { continue };
        let earlier = keys[..at].iter().find_map(|earlier| match &earlier.kind {
            Kind::Text(earlier) if key.contains(earlier.as_str()) => Some(earlier),
            _ => None,
        });
        if let Some(earlier) = earlier {
            let message = format!("this key never wins: the earlier key {earlier:?} is part of {key:?}");
            findings.push(Finding::warning(message, node).hint("put the longer key first"));
        }
    }
}
