//! The type of each part as known before an evaluation, and the check of operands and arguments.

use super::finding::Finding;
use super::parts::attribute;
use super::schema::{AttributeType, Schema};
use crate::expression::ast::{Kind, Node, Operator, Root};
use crate::expression::functions::{Function, Gives, Type, Want};
use crate::model::okta::Times;

fn of_attribute(kind: AttributeType) -> Type {
    match kind {
        AttributeType::String => Type::Text,
        AttributeType::Boolean => Type::Bool,
        AttributeType::Integer => Type::Integer,
        AttributeType::Number => Type::Number,
        AttributeType::Array => Type::List,
        AttributeType::Other => Type::Any,
    }
}

/// The type of an array's elements. A text converts to an array of texts.
pub fn item_of(list: &Node, schema: &Schema) -> Type {
    if let Some(known) =
        attribute(list).and_then(|name| schema.get(name)).filter(|known| known.kind == AttributeType::Array)
    {
        return of_attribute(known.items);
    }
    match &list.kind {
        Kind::List(items) => {
            let mut kinds = items.iter().map(|item| type_of(item, schema));
            let first = kinds.next().unwrap_or(Type::Any);
            if kinds.all(|kind| kind == first) { first } else { Type::Any }
        }
        Kind::Call { function, .. } if function.gives == Gives::Texts => Type::Text,
        Kind::Projection { body, .. } => type_of(body, schema),
        _ if type_of(list, schema) == Type::Text => Type::Text,
        _ => Type::Any,
    }
}

/// Whether values of the two types are never equal; null may be of any type.
pub fn never_equal(a: Type, b: Type) -> bool {
    let is_number = |kind| matches!(kind, Type::Integer | Type::Number);
    a != b && !(is_number(a) && is_number(b)) && ![a, b].iter().any(|kind| matches!(kind, Type::Any | Type::Null))
}

/// Whether the value of the part is never null.
fn never_null(node: &Node) -> bool {
    match &node.kind {
        Kind::Call { function, .. } | Kind::Method { method: function, safe: false, .. } => !function.may_be_null,
        Kind::Not(_) | Kind::Negate(_) | Kind::Binary { .. } | Kind::List(_) => true,
        _ => false,
    }
}

/// The type of a part.
pub fn type_of(node: &Node, schema: &Schema) -> Type {
    if let Some(name) = attribute(node) {
        return schema.get(name).map_or(Type::Any, |attribute| of_attribute(attribute.kind));
    }
    match &node.kind {
        Kind::Null => Type::Null,
        Kind::Bool(_) | Kind::Not(_) => Type::Bool,
        Kind::Int(_) => Type::Integer,
        Kind::Double(_) => Type::Number,
        Kind::Text(_) => Type::Text,
        Kind::List(_) | Kind::Projection { .. } => Type::List,
        Kind::Map(_) => Type::Map,
        Kind::Call { function, arguments, .. } => result_of(function, arguments.first(), schema),
        Kind::Index { object, .. } => match type_of(object, schema) {
            Type::List => item_of(object, schema),
            _ => Type::Any,
        },
        Kind::Property { object, name, .. }
            if matches!(object.kind, Kind::Root(Root::User)) && !schema.contains_key(name) =>
        {
            match name.as_str() {
                "id" | "status" => Type::Text,
                name if Times::NAMES.contains(&name) => Type::Time,
                _ => Type::Any,
            }
        }
        Kind::Method { object, method, safe: false, .. } => result_of(method, Some(object), schema),
        Kind::Method { .. } | Kind::Root(_) | Kind::Element | Kind::Property { .. } => Type::Any,
        Kind::Negate(operand) => type_of(operand, schema),
        Kind::Binary { operator, left, right, .. } => of_binary(*operator, left, right, schema),
        Kind::Ternary { then: a, otherwise: b, .. } | Kind::Elvis { value: a, otherwise: b } => {
            let (a, b) = (type_of(a, schema), type_of(b, schema));
            match (a, b) {
                _ if a == b => a,
                (Type::Null, other) | (other, Type::Null) => other,
                _ => Type::Any,
            }
        }
    }
}

fn result_of(function: &Function, first: Option<&Node>, schema: &Schema) -> Type {
    match (function.gives, first) {
        (Gives::Item, Some(list)) => item_of(list, schema),
        (gives, _) => gives.kind(),
    }
}

fn of_binary(operator: Operator, left: &Node, right: &Node, schema: &Schema) -> Type {
    let (a, b) = (type_of(left, schema), type_of(right, schema));
    match operator {
        Operator::Add if a == Type::Text || b == Type::Text => Type::Text,
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo
        | Operator::Power => match (a, b) {
            (Type::Integer, Type::Integer) => Type::Integer,
            (Type::Integer | Type::Number, Type::Integer | Type::Number) => Type::Number,
            _ => Type::Any,
        },
        _ => Type::Bool,
    }
}

/// Reports operands and arguments of wrong types.
pub fn check(root: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    root.visit(&mut |node| match &node.kind {
        Kind::Call { function, arguments, .. } => {
            let arguments: Vec<&Node> = arguments.iter().collect();
            self::arguments(function, function.name, &arguments, schema, findings);
        }
        Kind::Method { object, method, arguments, .. } => {
            let all: Vec<&Node> = std::iter::once(&**object).chain(arguments).collect();
            self::arguments(method, &format!(".{}", method.name), &all, schema, findings);
        }
        Kind::Binary { operator, left, right, .. } => operands(*operator, left, right, node, schema, findings),
        Kind::Negate(operand) => number("-", operand, schema, findings),
        _ => {}
    });
}

fn arguments(function: &Function, name: &str, given: &[&Node], schema: &Schema, findings: &mut Vec<Finding>) {
    for (at, argument) in given.iter().enumerate() {
        let Some(want) = function.want(at) else { continue };
        let kind = type_of(argument, schema);
        if !want.takes(kind) {
            findings.push(Finding::error(format!("{name} expects {}, found {kind}", want.name()), argument));
        }
    }
}

fn number(operator: &str, operand: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    let kind = type_of(operand, schema);
    if !matches!(kind, Type::Any | Type::Integer | Type::Number) {
        let finding = Finding::error(format!("{operator} expects a number, found {kind}"), operand);
        findings.push(if kind == Type::Text {
            finding.hint("use Convert.toInt(x) to convert it to a number")
        } else {
            finding
        });
    }
}

fn operands(operator: Operator, left: &Node, right: &Node, node: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    let (a, b) = (type_of(left, schema), type_of(right, schema));
    let alike = !never_equal(a, b);
    match operator {
        Operator::Add if a == Type::Text || b == Type::Text => {
            for (kind, part) in [(a, left), (b, right)] {
                if matches!(kind, Type::Null | Type::Map | Type::Object) {
                    findings.push(Finding::error(format!("{kind} can't be joined to a text"), part));
                }
            }
        }
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::Modulo
        | Operator::Power => {
            number(operator.as_str(), left, schema, findings);
            number(operator.as_str(), right, schema, findings);
        }
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual if !alike => {
            findings.push(Finding::error(format!("{a} can't be compared with {b}"), node));
        }
        Operator::Equal | Operator::NotEqual if !alike => {
            let always = operator == Operator::NotEqual;
            let message = format!("this is always {always}: {a} never equals {b}");
            findings.push(Finding::silent(message, node).by_schema());
        }
        Operator::Equal | Operator::NotEqual
            if (b == Type::Null && never_null(left)) || (a == Type::Null && never_null(right)) =>
        {
            let (always, part) = (operator == Operator::NotEqual, if b == Type::Null { left } else { right });
            findings.push(Finding::silent(format!("this is always {always}: {part} is never null"), node));
        }
        Operator::Matches => {
            if !Want::HasText.takes(a) {
                findings.push(Finding::error(format!("{a} can't be matched"), left));
            }
            if !Want::Text.takes(b) {
                findings.push(Finding::error(format!("a pattern must be a string, found {b}"), right));
            }
        }
        _ => {}
    }
}
