//! The check of an expression before any user is known: what can't be right whoever it is evaluated for. Pure.
//!
//! Faults of the text itself (unknown functions, wrong numbers of arguments, patterns) are found by the parser.

mod branches;
mod conditions;
mod names;
mod types;

use std::collections::BTreeMap;
use std::ops::Range;

use super::Expression;
use super::ast::{Kind, Node, Root};
use super::context::Context;
use super::value::Value;
use crate::model::okta::{Status, User};

/// The attributes of the org's user profiles by their names (Okta API: Schemas, user). With none, nothing is said about
/// attributes.
pub type Schema = BTreeMap<String, AttributeType>;

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
}

impl Finding {
    fn new(severity: Severity, message: impl Into<String>, node: &Node) -> Self {
        Self { message: message.into(), span: node.span.clone(), hint: None, severity, missing: None }
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
    findings.sort_by_key(|finding| (finding.span.start, finding.span.end, finding.severity));
    findings.dedup();
    findings
}

/// The value of a part that is the same for everybody; none where it isn't, or fails.
fn constant(node: &Node) -> Option<Value<'static>> {
    let mut depends = false;
    node.visit(&mut |node| {
        depends |= match &node.kind {
            Kind::Root(_) => true,
            Kind::Call { function, .. } => {
                let pure = ["String.", "Arrays.", "Convert.", "Iso3166Convert."];
                let bare = ["substring", "toLowerCase", "toUpperCase"];
                !pure.iter().chain(&bare).any(|prefix| function.name.starts_with(prefix))
            }
            Kind::Method { method, .. } => method.name.starts_with("within"),
            _ => false,
        };
    });
    if depends {
        return None;
    }
    let nobody = User::new("nobody".into(), Status::Active, serde_json::Map::new());
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
