//! The check of an expression before any user is known: what can't be right whoever it is evaluated for. Pure.
//!
//! Faults of the text itself (unknown functions, wrong numbers of arguments, patterns) are found by the parser.

mod app_user;
mod branches;
mod conditions;
mod names;
mod types;
mod values;

pub use app_user::check_app_user;

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;

use super::Expression;
use super::ast::{Kind, Node, Root};
use super::context::Context;
use super::value::Value;
use crate::model::okta::{Status, User};

/// The attributes of the org's user profiles by their names (Okta API: Schemas, user). With none, nothing is said about
/// attributes.
pub type Schema = BTreeMap<String, Attribute>;

/// What the schema says of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub kind: AttributeType,
    /// The type of an array's elements.
    pub items: AttributeType,
    /// The only values that the attribute, or an array's element, can have (`enum`, `oneOf`); empty where any goes.
    pub values: Vec<Json>,
}

impl From<AttributeType> for Attribute {
    fn from(kind: AttributeType) -> Self {
        Self { kind, items: AttributeType::Other, values: Vec::new() }
    }
}

impl Attribute {
    /// From the schema's own words: `type`, `enum`, `oneOf` and `items` of a property (Okta API: Schemas, user).
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

    /// Whether a profile may have this value, by what the schema says.
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
    /// A type that isn't known here: it is taken for anything.
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

/// What an expression is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// A platform role.
    Role,
    /// A text, or null for none.
    Text,
    /// The condition of an Okta group rule, where fewer functions are allowed.
    GroupRule,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It fails, or does what can't be meant, for whoever gets there.
    Error,
    /// It is hardly meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// Something that an expression gets wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Lower-case, no full stop.
    pub message: String,
    /// Bytes of the source.
    pub span: Range<usize>,
    pub hint: Option<String>,
    pub severity: Severity,
    /// The attribute that the schema lacks, where that is the fault: its value would be null for everybody.
    pub missing: Option<String>,
    /// Whether users get a wrong value from it without any error: a condition that asks for what never is.
    pub silent: bool,
    /// Whether it rests on what the schema says of an attribute, which a profile may belie.
    pub by_schema: bool,
}

impl Finding {
    fn new(severity: Severity, message: impl Into<String>, node: &Node) -> Self {
        let (message, span) = (message.into(), node.span.clone());
        Self { message, span, hint: None, severity, missing: None, silent: false, by_schema: false }
    }

    fn error(message: impl Into<String>, node: &Node) -> Self {
        Self::new(Severity::Error, message, node)
    }

    fn warning(message: impl Into<String>, node: &Node) -> Self {
        Self::new(Severity::Warning, message, node)
    }

    fn note(message: impl Into<String>, node: &Node) -> Self {
        Self::new(Severity::Note, message, node)
    }

    /// An error that gives users a wrong value and that no evaluation shows.
    fn silent(message: impl Into<String>, node: &Node) -> Self {
        Self { silent: true, ..Self::error(message, node) }
    }

    /// The same, as long as no profile belies the schema.
    fn by_schema(self) -> Self {
        Self { by_schema: true, ..self }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// All findings, in the order of the source.
pub fn check(expression: &Expression, schema: &Schema, wants: Wants) -> Vec<Finding> {
    let root = expression.ast();
    let mut findings = Vec::new();
    names::check(root, schema, wants, &mut findings);
    types::check(root, schema, &mut findings);
    conditions::check(root, schema, &mut findings);
    branches::check(root, schema, wants, &mut findings);
    values::check(root, schema, &mut findings);
    findings.sort_by_key(|finding| (finding.span.start, finding.span.end, finding.severity));
    findings.dedup();
    findings
}

/// The value of a part that is the same for everybody; none where it isn't, or fails.
fn constant(node: &Node) -> Option<Value<'static>> {
    let mut names_somebody = false;
    node.visit(&mut |node| names_somebody |= matches!(node.kind, Kind::Root(_)));
    if names_somebody || !rests_on_names_alone(node) {
        return None;
    }
    scalar(node, serde_json::Map::new())
}

/// Whether the value follows from the names that the part has in it: no groups, other people or clock.
fn rests_on_names_alone(node: &Node) -> bool {
    let mut alone = true;
    node.visit(&mut |node| {
        alone &= match &node.kind {
            Kind::Call { function, .. } => {
                let pure = ["String.", "Arrays.", "Convert.", "Iso3166Convert."];
                let bare = ["substring", "toLowerCase", "toUpperCase"];
                pure.iter().chain(&bare).any(|prefix| function.name.starts_with(prefix))
            }
            Kind::Method { method, .. } => !method.name.starts_with("within"),
            _ => true,
        };
    });
    alone
}

/// What the part gives for a profile, if it is a single value.
fn scalar(node: &Node, profile: serde_json::Map<String, Json>) -> Option<Value<'static>> {
    let nobody = User::new("nobody".into(), Status::Active, profile);
    let context = Context::new(&nobody, &[]);
    let value = super::eval::evaluate(node, &super::trace::Run::new(&context)).ok()?;
    match value {
        Value::Null => Some(Value::Null),
        Value::Bool(value) => Some(Value::Bool(value)),
        Value::Int(value) => Some(Value::Int(value)),
        Value::Double(value) => Some(Value::Double(value)),
        Value::String(text) => Some(Value::text(text.into_owned())),
        _ => None,
    }
}

/// The attribute of the user's profile that a node is: `user.x`, `user.profile.x`, `user['x']`.
fn attribute(node: &Node) -> Option<&str> {
    let (object, name) = match &node.kind {
        Kind::Property { object, name, .. } => (object, name),
        Kind::Index { object, index } => match &index.kind {
            Kind::Text(name) => (object, name),
            _ => return None,
        },
        _ => return None,
    };
    let is_user = |node: &Node| matches!(node.kind, Kind::Root(Root::User));
    let of_profile =
        matches!(&object.kind, Kind::Property { object, name, .. } if name == "profile" && is_user(object));
    (of_profile || (is_user(object) && !super::beside_the_profile(name))).then_some(name)
}

/// The name most like one that isn't known, if any is like it.
fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = wanted.to_lowercase();
    let scored = names.map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
