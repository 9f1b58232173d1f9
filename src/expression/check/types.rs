//! Types as far as they are known before any user is: of each part, and of what an operator or a function takes.

use std::fmt;

use super::{AttributeType, Finding, Schema, attribute};
use crate::expression::ast::{Kind, Node, Operator};

/// The type of a part, which may be null all the same. [`Type::Any`] is what can't be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Any,
    Null,
    Bool,
    Integer,
    Number,
    Text,
    List,
    Map,
    Time,
    /// A profile, or nobody's.
    Object,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "anything",
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "an array",
            Self::Map => "a map",
            Self::Time => "a time",
            Self::Object => "an object",
        })
    }
}

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Anything,
    /// A string, or what has a text: numbers, booleans, times.
    HasText,
    Text,
    Integer,
    /// A number, or a string that has one.
    Numeric,
    /// An array, or a string with commas.
    List,
    /// A list that may be null.
    ListOrNull,
    Map,
    Time,
}

impl Want {
    fn takes(self, given: Type) -> bool {
        use Type::{Any, Bool, Integer, List, Map, Null, Number, Text, Time};
        match (self, given) {
            (_, Any) | (Self::Anything, _) => true,
            (Self::HasText, kind) => matches!(kind, Text | Bool | Integer | Number | Time),
            (Self::Text, kind) => kind == Text,
            (Self::Integer, kind) => kind == Integer,
            (Self::Numeric, kind) => matches!(kind, Text | Integer | Number),
            (Self::List, kind) => matches!(kind, List | Text),
            (Self::ListOrNull, kind) => matches!(kind, List | Text | Null),
            (Self::Map, kind) => kind == Map,
            (Self::Time, kind) => matches!(kind, Time | Text),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::HasText | Self::Text => "a string",
            Self::Integer => "an integer",
            Self::Numeric => "a number",
            Self::List | Self::ListOrNull => "an array",
            Self::Map => "a criterion such as {'group.type': 'OKTA_GROUP'}",
            Self::Time => "a time",
        }
    }
}

/// What a function takes, the last for all further arguments too, and what it gives.
type Signature = (&'static [Want], Type);

fn of_function(name: &str) -> Signature {
    use Want::{Anything, HasText, Integer, List, ListOrNull, Map, Numeric, Text};
    match name {
        "String.len" => (&[HasText], Type::Integer),
        "String.startsWith" | "String.endsWith" | "String.stringContains" => (&[HasText], Type::Bool),
        "String.substring" | "substring" => (&[HasText, Integer], Type::Text),
        "String.stringSwitch" => (&[HasText, Anything], Type::Any),
        "Arrays.add" | "Arrays.remove" => (&[List, Anything], Type::List),
        "Arrays.clear" => (&[ListOrNull], Type::List),
        "Arrays.contains" => (&[ListOrNull, Anything], Type::Bool),
        "Arrays.flatten" => (&[Anything], Type::List),
        "Arrays.get" => (&[List, Integer], Type::Any),
        "Arrays.isEmpty" => (&[ListOrNull], Type::Bool),
        "Arrays.size" => (&[ListOrNull], Type::Integer),
        "Arrays.toCsvString" => (&[List], Type::Text),
        "Convert.toInt" => (&[Numeric], Type::Integer),
        "Convert.toNum" => (&[Numeric], Type::Number),
        "DateTime.now" => (&[Anything], Type::Time),
        "Groups.contains" | "Groups.endsWith" | "Groups.startsWith" => (&[Text, Text, Integer], Type::List),
        "getFilteredGroups" => (&[List, Text, Integer], Type::List),
        "user.getGroups" => (&[Map], Type::List),
        "user.isMemberOf" => (&[Map], Type::Bool),
        "hasDirectoryUser" | "hasWorkdayUser" => (&[Anything], Type::Bool),
        "user.getInternalProperty" => (&[Text], Type::Text),
        _ if name.starts_with("isMemberOf") => (&[Text], Type::Bool),
        _ if name.starts_with("Time.") => (&[HasText], Type::Text),
        _ if name.starts_with("Iso3166Convert.") => (&[Text], Type::Text),
        _ if name.starts_with("String.") || name.starts_with("substring") => (&[HasText], Type::Text),
        "toLowerCase" | "toUpperCase" => (&[HasText], Type::Text),
        // Manager, assistant, linked objects, directories.
        _ => (&[Text], Type::Object),
    }
}

/// The first is what stands before the dot.
fn of_method(name: &str) -> Signature {
    use Want::{Anything, HasText, Integer, List, ListOrNull, Numeric, Text, Time};
    match name {
        "add" | "remove" => (&[List, Anything], Type::List),
        "contains" => (&[Anything], Type::Bool),
        "flatten" => (&[Anything], Type::List),
        "get" => (&[List, Integer], Type::Any),
        "isEmpty" => (&[ListOrNull], Type::Bool),
        "size" => (&[ListOrNull], Type::Integer),
        "length" => (&[HasText], Type::Integer),
        "startsWith" | "endsWith" | "versionGreaterThan" | "versionLessThan" => (&[HasText], Type::Bool),
        "substring" => (&[HasText, Integer], Type::Text),
        "toInteger" => (&[Numeric], Type::Integer),
        "toNumber" => (&[Numeric], Type::Number),
        "parseWindowsTime" | "parseUnixTime" | "parseStringTime" => (&[HasText, Text], Type::Time),
        "toString" => (&[HasText, Text], Type::Text),
        "toUnix" | "toWindows" => (&[Time], Type::Text),
        "toZone" => (&[Time, Text], Type::Time),
        _ if name.starts_with("plus") || name.starts_with("minus") => (&[Time, Integer], Type::Time),
        _ if name.starts_with("within") => (&[Time, Integer], Type::Bool),
        "parseCountryCode" | "toAlpha2" | "toAlpha3" | "toNumeric" | "toName" => (&[Text], Type::Text),
        _ => (&[HasText], Type::Text),
    }
}

/// The type of a part.
pub fn type_of(node: &Node, schema: &Schema) -> Type {
    if let Some(name) = attribute(node) {
        return schema.get(name).map_or(Type::Any, |kind| match kind {
            AttributeType::String => Type::Text,
            AttributeType::Boolean => Type::Bool,
            AttributeType::Integer => Type::Integer,
            AttributeType::Number => Type::Number,
            AttributeType::Array => Type::List,
            AttributeType::Other => Type::Any,
        });
    }
    match &node.kind {
        Kind::Null => Type::Null,
        Kind::Bool(_) | Kind::Not(_) => Type::Bool,
        Kind::Int(_) => Type::Integer,
        Kind::Double(_) => Type::Number,
        Kind::Text(_) => Type::Text,
        Kind::List(_) | Kind::Projection { .. } => Type::List,
        Kind::Map(_) => Type::Map,
        Kind::Call { function, .. } => of_function(function.name).1,
        Kind::Method { method, safe, .. } if !safe => of_method(method.name).1,
        Kind::Method { .. } | Kind::Root(_) | Kind::Property { .. } | Kind::Index { .. } => Type::Any,
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

/// Operands and arguments of types that can't be.
pub fn check(root: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    root.visit(&mut |node| match &node.kind {
        Kind::Call { function, arguments, .. } => {
            let arguments: Vec<&Node> = arguments.iter().collect();
            self::arguments(function.name, of_function(function.name).0, &arguments, schema, findings);
        }
        Kind::Method { object, method, arguments, .. } => {
            let all: Vec<&Node> = std::iter::once(&**object).chain(arguments).collect();
            self::arguments(&format!(".{}", method.name), of_method(method.name).0, &all, schema, findings);
        }
        Kind::Binary { operator, left, right, .. } => operands(*operator, left, right, node, schema, findings),
        Kind::Negate(operand) => number("-", operand, schema, findings),
        _ => {}
    });
}

fn arguments(name: &str, wants: &[Want], given: &[&Node], schema: &Schema, findings: &mut Vec<Finding>) {
    for (at, argument) in given.iter().enumerate() {
        let Some(want) = wants.get(at).or(wants.last()) else { continue };
        let kind = type_of(argument, schema);
        if !want.takes(kind) {
            findings.push(Finding::error(format!("{name} wants {} here, and this is {kind}", want.name()), argument));
        }
    }
}

fn number(operator: &str, operand: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    let kind = type_of(operand, schema);
    if !matches!(kind, Type::Any | Type::Integer | Type::Number) {
        let finding = Finding::error(format!("{operator} wants a number here, and this is {kind}"), operand);
        findings.push(if kind == Type::Text { finding.hint("Convert.toInt(x) makes a number of it") } else { finding });
    }
}

fn operands(operator: Operator, left: &Node, right: &Node, node: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    let (a, b) = (type_of(left, schema), type_of(right, schema));
    let is_number = |kind| matches!(kind, Type::Integer | Type::Number);
    let alike = a == b || (is_number(a) && is_number(b)) || [a, b].iter().any(|k| matches!(k, Type::Any | Type::Null));
    match operator {
        Operator::Add if a == Type::Text || b == Type::Text => {
            for (kind, part) in [(a, left), (b, right)] {
                if matches!(kind, Type::Null | Type::List | Type::Map | Type::Object) {
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
            findings.push(Finding::error(format!("this is always {always}: {a} never equals {b}"), node));
        }
        Operator::Matches => {
            if !Want::HasText.takes(a) {
                findings.push(Finding::error(format!("{a} can't be matched"), left));
            }
            if !Want::Text.takes(b) {
                findings.push(Finding::error(format!("a pattern is a string, and this is {b}"), right));
            }
        }
        _ => {}
    }
}
