//! Findings: what an expression gets wrong, and where.

use std::ops::Range;

use crate::expression::ast::Node;

/// The purpose of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// A platform role.
    Role,
    /// A text or null.
    Text,
    /// A text, a list of texts or null.
    Texts,
    /// The condition of an Okta group rule, where fewer functions are allowed.
    GroupRule,
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The part fails, or has an effect that can't be intended.
    Error,
    /// The part is probably a mistake.
    Warning,
    /// Worth knowing.
    Note,
}

/// A mistake in an expression, or a note about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Lower-case, no full stop.
    pub message: String,
    /// Bytes of the source.
    pub span: Range<usize>,
    pub hint: Option<String>,
    pub severity: Severity,
    /// The attribute that the schema lacks, if that is the error. Its value is null for all users.
    pub missing: Option<String>,
    /// Whether it gives users a wrong value without an error, such as a condition that is never true.
    pub silent: bool,
    /// Whether it depends on the schema of an attribute. A value in a profile may disprove it.
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

    /// An error that gives users a wrong value, and that no evaluation reports.
    pub fn silent(message: impl Into<String>, node: &Node) -> Self {
        Self { silent: true, ..Self::error(message, node) }
    }

    /// Marks a finding that a value in a profile may disprove.
    #[must_use]
    pub fn by_schema(self) -> Self {
        Self { by_schema: true, ..self }
    }

    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
