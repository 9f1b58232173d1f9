//! The parts of the user schema that expressions are checked against.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// The attributes of the org's user profiles by their names (Okta API: Schemas, user). If it is empty, attributes
/// aren't checked.
pub type Schema = BTreeMap<String, Attribute>;

/// An attribute in the schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub kind: AttributeType,
    /// The type of an array's elements.
    pub items: AttributeType,
    /// The only values that the attribute, or an array's element, can have (`enum`, `oneOf`); empty if any value is allowed.
    pub values: Vec<Json>,
}

impl From<AttributeType> for Attribute {
    fn from(kind: AttributeType) -> Self {
        Self { kind, items: AttributeType::Other, values: Vec::new() }
    }
}

impl Attribute {
    /// Parses the schema's JSON: `type`, `enum`, `oneOf` and `items` of a property (Okta API: Schemas, user).
    pub fn parse(property: &Json) -> Self {
        let kind = |part: &Json| part["type"].as_str().map_or(AttributeType::Other, AttributeType::parse);
        let listed = |part: &Json| {
            let constants = part["oneOf"].as_array().into_iter().flatten().filter_map(|one| one.get("const"));
            let values =
                part["enum"].as_array().into_iter().flatten().chain(constants).filter(|value| !value.is_null());
            values.cloned().collect::<Vec<Json>>()
        };
        let (kind, items) = (kind(property), kind(&property["items"]));
        let values = if kind == AttributeType::Array { listed(&property["items"]) } else { listed(property) };
        Self { kind, items, values }
    }

    /// Whether the schema allows this value.
    pub fn allows(&self, value: &Json) -> bool {
        let listed = |value: &Json| self.values.is_empty() || self.values.contains(value);
        match (self.kind, value) {
            (_, Json::Null) => true,
            (AttributeType::Array, Json::Array(items)) => {
                items.iter().all(|item| self.items.allows(item) && listed(item))
            }
            (kind, value) => kind.allows(value) && listed(value),
        }
    }
}

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    String,
    Boolean,
    Integer,
    Number,
    Array,
    /// An unknown type, which allows any value.
    Other,
}

impl AttributeType {
    /// The schema's own spelling, `type` of an attribute.
    pub fn parse(text: &str) -> Self {
        match text {
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "array" => Self::Array,
            _ => Self::Other,
        }
    }

    fn allows(self, value: &Json) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Integer | Self::Number => value.is_number(),
            Self::Array => value.is_array(),
            Self::Other => true,
        }
    }
}
