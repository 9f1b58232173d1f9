//! The types of values and of arguments, as known before an evaluation.

use std::fmt;

/// The type of a part. A part of any type may be null. [`Type::Any`] is an unknown type.
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
    /// A profile.
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

/// The type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    Anything,
    /// A string, or a value with a text: a number, a boolean, a time.
    HasText,
    /// The same, or an array, which converts to its texts separated by commas.
    Joinable,
    Text,
    /// The name of an app, with quotes or without.
    App,
    Integer,
    /// A number, or a string that holds one.
    Numeric,
    /// An array, or a string with commas.
    List,
    /// A list that may be null.
    ListOrNull,
    Map,
    Time,
}

impl Want {
    /// Whether an argument of this type can be valid.
    pub fn takes(self, given: Type) -> bool {
        use Type::{Any, Bool, Integer, List, Map, Null, Number, Text, Time};
        match (self, given) {
            (_, Any) | (Self::Anything, _) => true,
            (Self::HasText, kind) => matches!(kind, Text | Bool | Integer | Number | Time),
            (Self::Joinable, kind) => matches!(kind, Text | Bool | Integer | Number | Time | List),
            (Self::Text | Self::App, kind) => kind == Text,
            (Self::Integer, kind) => kind == Integer,
            (Self::Numeric, kind) => matches!(kind, Text | Integer | Number),
            (Self::List, kind) => matches!(kind, List | Text),
            (Self::ListOrNull, kind) => matches!(kind, List | Text | Null),
            (Self::Map, kind) => kind == Map,
            (Self::Time, kind) => matches!(kind, Time | Text),
        }
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::HasText | Self::Joinable | Self::Text | Self::App => "a string",
            Self::Integer => "an integer",
            Self::Numeric => "a number",
            Self::List | Self::ListOrNull => "an array",
            Self::Map => "a criterion such as {'group.type': 'OKTA_GROUP'}",
            Self::Time => "a time",
        }
    }
}
