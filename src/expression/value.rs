//! Values, borrowed from the profile wherever possible.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::ZonedDateTime;
use serde_json::{Map, Value as Json};

use super::java::{java_double, java_time};
use crate::model::okta::Group;

/// What an expression gives. `Null` (never populated) and `""` (populated, then cleared) are different.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    String(Cow<'a, str>),
    List(Vec<Value<'a>>),
    /// `{'key': value}`, which only the group functions take.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// An object with properties, such as a profile.
    Object(&'a Map<String, Json>),
    Group(&'a Group),
    /// A point in time with its zone, as the Identity Engine's date functions give it.
    Time(Box<ZonedDateTime>),
}

impl<'a> Value<'a> {
    /// The value of a profile attribute as Okta sent it.
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Self::Double(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            Json::String(text) => Self::String(Cow::Borrowed(text)),
            Json::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => Self::Object(map),
        }
    }

    /// The value as JSON; a group is shown by its id, type and name.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Double(value) => Json::from(*value),
            Self::String(text) => Json::String(text.to_string()),
            Self::List(items) => items.iter().map(Value::to_json).collect(),
            Self::Map(entries) => {
                Json::Object(entries.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect())
            }
            Self::Object(map) => Json::Object((*map).clone()),
            Self::Time(time) => Json::String(java_time(time)),
            Self::Group(group) => serde_json::json!({"id": group.id, "type": group.kind, "name": group.name}),
        }
    }

    /// A text of this value.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::String(text.into())
    }

    /// A point in time.
    pub fn time(time: ZonedDateTime) -> Self {
        Self::Time(Box::new(time))
    }

    /// The value as text; none for null and structures.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Self::Int(value) => Some(Cow::Owned(value.to_string())),
            Self::Double(value) => Some(Cow::Owned(java_double(*value))),
            Self::Time(time) => Some(Cow::Owned(java_time(time))),
            _ => None,
        }
    }

    /// The type's name, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Double(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "map",
            Self::Object(_) => "object",
            Self::Group(_) => "group",
            Self::Time(_) => "time",
        }
    }

    /// `==`: null equals null alone, numbers compare by value, and values of two types are never equal.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(_) | Self::Double(_), Self::Int(_) | Self::Double(_)) => {
                self.compare(other) == Some(Ordering::Equal)
            }
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b)),
            _ => self == other,
        }
    }

    /// The order for `<`, `<=`, `>` and `>=`. Null is below everything, and texts compare as in Java. None for values of two
    /// types.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            (Self::Null, _) => Some(Ordering::Less),
            (_, Self::Null) => Some(Ordering::Greater),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::String(a), Self::String(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
            _ => self.as_double()?.partial_cmp(&other.as_double()?),
        }
    }

    /// A number of either kind.
    #[expect(clippy::cast_precision_loss, reason = "Java compares an integer with a double the same way")]
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_equals_a_number() {
        assert!(!Value::text("1").equals(&Value::Int(1)));
        assert!(Value::Int(1).equals(&Value::Double(1.0)));
        assert!(!Value::Null.equals(&Value::text("")));
    }
}
