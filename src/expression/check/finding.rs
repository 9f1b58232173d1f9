//! Findings: what an expression gets wrong, and where.

use std::ops::Range;

use crate::expression::ast::Node;

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
    pub fn new(severity: Severity, message: impl Into<String>, node: &Node) -> Self {
        let (message, span) = (message.into(), node.span.clone());
        Self { message, span, hint: None, severity, missing: None, silent: false, by_schema: false }
    }

    pub fn error(message: impl Into<String>, node: &Node) -> Self {
        Self::new(Severity::Error, message, node)
    }

    pub fn warning(message: impl Into<String>, node: &Node) -> Self {
        Self::new(Severity::Warning, message, node)
    }

    pub fn note(message: impl Into<String>, node: &Node) -> Self {
        Self::new(Severity::Note, message, node)
    }

    /// An error that gives users a wrong value and that no evaluation shows.
    pub fn silent(message: impl Into<String>, node: &Node) -> Self {
        Self { silent: true, ..Self::error(message, node) }
    }

    /// The same, as long as no profile belies the schema.
    pub fn by_schema(self) -> Self {
        Self { by_schema: true, ..self }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
