//! Types as far as they are known before any user is: of each part, and of what an operator or a function takes.

use std::fmt;

use super::{AttributeType, Finding, Schema, attribute};
use crate::expression::ast::{Kind, Node, Operator, Root};
use crate::model::okta::Times;

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
    /// The same, or an array, which stands for its texts between commas.
    Joinable,
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
            (Self::Joinable, kind) => matches!(kind, Text | Bool | Integer | Number | Time | List),
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
            Self::HasText | Self::Joinable | Self::Text => "a string",
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
    use Want::{Anything, HasText, Integer, Joinable, List, ListOrNull, Map, Numeric, Text};
    match name {
        "String.len" => (&[Joinable], Type::Integer),
        "String.startsWith" | "String.endsWith" | "String.stringContains" => (&[Joinable], Type::Bool),
        "String.substring" | "substring" => (&[Joinable, Integer], Type::Text),
        "String.stringSwitch" => (&[Joinable, Anything], Type::Any),
        "Arrays.add" | "Arrays.remove" => (&[List, Anything], Type::List),
        "Arrays.clear" => (&[ListOrNull], Type::List),
        "Arrays.contains" => (&[ListOrNull, Anything], Type::Bool),
        "Arrays.flatten" => (&[Anything], Type::List),
        "Arrays.get" => (&[List, Integer], Type::Any),
        "Arrays.isEmpty" => (&[ListOrNull], Type::Bool),
        "Arrays.size" => (&[ListOrNull], Type::Integer),
        "Arrays.toCsvString" => (&[ListOrNull], Type::Text),
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
        _ if name.starts_with("String.") || name.starts_with("substring") => (&[Joinable], Type::Text),
        "toLowerCase" | "toUpperCase" => (&[Joinable], Type::Text),
        // Manager, assistant, linked objects, directories.
        _ => (&[Text], Type::Object),
    }
}

/// The first is what stands before the dot.
fn of_method(name: &str) -> Signature {
    use Want::{Anything, HasText, Integer, Joinable, List, ListOrNull, Numeric, Text, Time};
    match name {
        "add" | "remove" => (&[List, Anything], Type::List),
        "contains" => (&[Anything], Type::Bool),
        "flatten" => (&[Anything], Type::List),
        "get" => (&[List, Integer], Type::Any),
        "isEmpty" => (&[ListOrNull], Type::Bool),
        "size" => (&[ListOrNull], Type::Integer),
        "length" => (&[Joinable], Type::Integer),
        "startsWith" | "endsWith" => (&[Joinable], Type::Bool),
        "versionGreaterThan" | "versionLessThan" => (&[HasText], Type::Bool),
        "substring" => (&[Joinable, Integer], Type::Text),
        "toInteger" => (&[Numeric], Type::Integer),
        "toNumber" => (&[Numeric], Type::Number),
        "parseWindowsTime" | "parseUnixTime" | "parseStringTime" => (&[HasText, Text], Type::Time),
        "toString" => (&[HasText, Text], Type::Text),
        "toUnix" | "toWindows" => (&[Time], Type::Text),
        "toZone" => (&[Time, Text], Type::Time),
        _ if name.starts_with("plus") || name.starts_with("minus") => (&[Time, Integer], Type::Time),
        _ if name.starts_with("within") => (&[Time, Integer], Type::Bool),
        "parseCountryCode" | "toAlpha2" | "toAlpha3" | "toNumeric" | "toName" => (&[Text], Type::Text),
        _ => (&[Joinable], Type::Text),
    }
}

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

/// The type of an array's elements; of a text, which stands for an array, those are texts.
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
        Kind::Call { function, .. } if function.name.starts_with("Groups.") => Type::Text,
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

/// Whether the part has a value other than null whenever it has one.
fn never_null(node: &Node) -> bool {
    match &node.kind {
        Kind::Call { function, .. } => {
            let may_be = ["String.stringSwitch", "Arrays.get"];
            let never = ["String.", "Arrays.", "Convert.", "Iso3166Convert.", "Time.", "isMemberOf", "has"];
            let named = ["user.getGroups", "user.isMemberOf", "getFilteredGroups"];
            !may_be.contains(&function.name)
                && never.iter().chain(&named).any(|prefix| function.name.starts_with(prefix))
        }
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
        Kind::Call { function, arguments, .. } if function.name == "Arrays.get" => {
            arguments.first().map_or(Type::Any, |list| item_of(list, schema))
        }
        Kind::Call { function, .. } => of_function(function.name).1,
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
        Kind::Method { object, method, safe: false, .. } if method.name == "get" => item_of(object, schema),
        Kind::Method { method, safe, .. } if !safe => of_method(method.name).1,
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
                findings.push(Finding::error(format!("a pattern is a string, and this is {b}"), right));
            }
        }
        _ => {}
    }
}
