//! Conditions on attributes whose values the schema lists. Each listed value is tried.

use serde_json::{Map, Value as Json};

use super::finding::Finding;
use super::parts::{attribute, rests_on_names_alone, scalar};
use super::schema::{Attribute, AttributeType, Schema};
use super::types::{item_of, never_equal, type_of};
use crate::expression::ast::{Kind, Node, Operator};
use crate::expression::functions::{Meaning, Type};
use crate::expression::value::Value;

pub fn check(root: &Node, schema: &Schema, findings: &mut Vec<Finding>) {
    root.visit(&mut |node| {
        let is_told = findings.iter().any(|finding| finding.span == node.span);
        if !is_told && is_question(node, schema) {
            findings.extend(other_item(node, schema).or_else(|| always(node, schema)));
        }
        if let Kind::Call { function, arguments, .. } = &node.kind
            && function.meaning == Meaning::Switch
        {
            unlisted_keys(arguments, schema, findings);
        }
    });
}

/// Whether the part is a condition, and not a combination of conditions.
fn is_question(node: &Node, schema: &Schema) -> bool {
    match &node.kind {
        Kind::Binary { operator: Operator::And | Operator::Or, .. } => false,
        Kind::Binary { .. } | Kind::Call { .. } | Kind::Method { .. } => type_of(node, schema) == Type::Bool,
        _ => false,
    }
}

/// Reports a search for an element of another type than the array's.
fn other_item(node: &Node, schema: &Schema) -> Option<Finding> {
    let (list, searched) = searched(node)?;
    let is_list = matches!(node.kind, Kind::Call { .. }) || type_of(list, schema) == Type::List;
    let (item, kind) = (item_of(list, schema), type_of(searched, schema));
    (is_list && never_equal(item, kind)).then(|| {
        Finding::warning(format!("this is always false: each element of the array is {item}, not {kind}"), node)
            .by_schema()
    })
}

/// The array of `Arrays.contains(array, x)` or `array.contains(x)`, and the searched value.
fn searched(node: &Node) -> Option<(&Node, &Node)> {
    match &node.kind {
        Kind::Call { function, arguments, .. } if function.meaning == Meaning::Contains => match arguments.as_slice() {
            [list, searched] => Some((list, searched)),
            _ => None,
        },
        Kind::Method { object, method, arguments, .. } if method.meaning == Meaning::Contains => {
            arguments.first().map(|searched| (&**object, searched))
        }
        _ => None,
    }
}

/// Reports a condition that is the same for each value of its only attribute.
fn always(node: &Node, schema: &Schema) -> Option<Finding> {
    let (name, known) = only_attribute(node, schema)?;
    // The schema lists the elements of an array, not their order.
    if known.kind == AttributeType::Array && searched(node).is_none() {
        return None;
    }
    let profiles = known.profiles(name)?;
    let answer = |profile| match scalar(node, profile) {
        Some(Value::Bool(answer)) => Some(answer),
        _ => None,
    };
    let unset = answer(Map::new());
    let mut answers = profiles.map(answer);
    let first = answers.next()??;
    let is_same = answers.all(|answer| answer == Some(first)) && unset.is_none_or(|unset| unset == first);
    is_same.then(|| {
        let message = format!("this is always {first}: {name} is {}", known.told());
        let finding =
            if known.values.is_empty() { Finding::silent(message, node) } else { Finding::warning(message, node) };
        finding.by_schema()
    })
}

/// `String.stringSwitch(x, d, key, value)` with keys that no listed value of x contains.
fn unlisted_keys(arguments: &[Node], schema: &Schema, findings: &mut Vec<Finding>) {
    let Some((subject, (name, known))) = arguments.first().and_then(|node| Some((node, only_attribute(node, schema)?)))
    else {
        return;
    };
    let Some(profiles) = known.profiles(name).filter(|_| known.kind != AttributeType::Array) else { return };
    let texts: Option<Vec<String>> = profiles
        .map(|profile| match scalar(subject, profile)? {
            Value::String(text) => Some(text.into_owned()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        })
        .collect();
    let Some(texts) = texts else { return };
    for node in arguments.iter().skip(2).step_by(2) {
        if let Kind::Text(key) = &node.kind
            && !texts.iter().any(|text| text.contains(key.as_str()))
        {
            let message = format!("this key never wins: {name} is {}", known.told());
            findings.push(Finding::warning(message, node).by_schema());
        }
    }
}

/// The attribute that a part reads, if it reads only one.
fn only_attribute<'s>(node: &Node, schema: &'s Schema) -> Option<(&'s str, &'s Attribute)> {
    let (mut roots, mut names) = (0_usize, Vec::new());
    node.visit(&mut |part| {
        roots += usize::from(matches!(part.kind, Kind::Root(_)));
        names.extend(attribute(part).map(str::to_owned));
    });
    let name = names.first()?;
    if roots != names.len() || names.iter().any(|other| other != name) || !rests_on_names_alone(node) {
        return None;
    }
    schema.get_key_value(name).map(|(name, known)| (name.as_str(), known))
}

impl Attribute {
    /// A profile for each value that the schema lists for the attribute; none if it lists none.
    fn profiles(&self, name: &str) -> Option<impl Iterator<Item = Map<String, Json>>> {
        let booleans = || vec![Json::Bool(true), Json::Bool(false)];
        let values = match self.kind {
            AttributeType::Array if !self.values.is_empty() => vec![Json::Array(self.values.clone())],
            AttributeType::Array => return None,
            AttributeType::Boolean => booleans(),
            _ if self.values.is_empty() => return None,
            _ => self.values.clone(),
        };
        let name = name.to_owned();
        Some(values.into_iter().map(move |value| Map::from_iter([(name.clone(), value)])))
    }

    /// The possible values, for messages.
    fn told(&self) -> String {
        const MOST: usize = 10;
        if self.values.is_empty() {
            return "true or false".to_owned();
        }
        let shown: Vec<String> = self.values.iter().take(MOST).map(Json::to_string).collect();
        let more = if self.values.len() > MOST { ", …" } else { "" };
        format!("one of {}{more} by the schema", shown.join(", "))
    }
}
