//! Conditions that don't ask what they seem to ask.

use super::finding::Finding;
use super::parts::constant;
use super::schema::Schema;
use super::types::type_of;
use crate::expression::ast::{Kind, Node, Operator};
use crate::expression::functions::{Meaning, Type};
use crate::expression::value::Value;

pub fn check(root: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    // The right end of a chain is looked at with the whole chain, or else each of its ends would be found again.
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

/// One condition: constants, and types that are neither true nor false.
fn condition(node: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    if let Some(Value::Bool(value)) = constant(node) {
        findings.push(Finding::warning(format!("this is always {value}"), node));
        return;
    }
    match type_of(node, schema) {
        Type::Any | Type::Bool => {}
        Type::Text => findings.push(Finding::warning("this is a string, and a condition is true or false", node).hint(
            "\"true\", \"on\", \"yes\" and \"1\" are taken as true; anything else than these and their opposites fails",
        )),
        other => findings.push(Finding::error(format!("a condition is true or false, and this is {other}"), node)),
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

/// What a comparison compares with which constant, both printed.
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

/// Pairs of parts that make a whole chain true or false whatever the user is, and parts that stand there twice.
fn contradictions(operator: Operator, parts: &[&Node], whole: &Node, findings: &mut Vec<Finding>) {
    let is_or = operator == Operator::Or;
    let printed: Vec<(String, Option<Comparison>)> =
        parts.iter().map(|part| (part.to_string(), comparison(part))).collect();
    for (at, (text, b)) in printed.iter().enumerate() {
        for (other, a) in &printed[..at] {
            if text == other {
                findings.push(Finding::warning("this is asked twice", parts[at]));
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
                    (true, true) => finding.hint("and is meant, most likely"),
                    (false, true) => finding.hint("or is meant, most likely"),
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
            findings.push(Finding::warning("this is never true here: it was asked before", condition));
        }
        rest = otherwise;
    }
}

/// `String.stringSwitch(x, d, "op", 1, "operator", 2)`: what contains the second key contains the first.
fn shadowed_keys(arguments: &[Node], findings: &mut Vec<Finding>) {
    let keys: Vec<&Node> = arguments.iter().skip(2).step_by(2).collect();
    for (at, node) in keys.iter().enumerate() {
        let Kind::Text(key) = &node.kind else { continue };
        let earlier = keys[..at].iter().find_map(|earlier| match &earlier.kind {
            Kind::Text(earlier) if key.contains(earlier.as_str()) => Some(earlier),
            _ => None,
        });
        if let Some(earlier) = earlier {
            let message = format!("this key never wins: what contains {key:?} contains {earlier:?}, which comes first");
            findings.push(Finding::warning(message, node).hint("put the longer key first"));
        }
    }
}
