//! Errors in the text of an expression, and in its evaluation for a user.

use std::ops::Range;

/// A fault in the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Lower-case, no full stop.
    pub message: String,
    /// Bytes of the source.
    pub span: Range<usize>,
    pub hint: Option<String>,
}

impl SyntaxError {
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span, hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The error of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    pub kind: ErrorKind,
    /// Lower-case, no full stop.
    pub message: String,
    /// Bytes of the source.
    pub span: Range<usize>,
}

/// The kinds of evaluation errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Okta gives an error too.
    Failed,
    /// It needs data that isn't available here, such as a directory or a session.
    Unevaluable,
}

/// An error of an evaluation, as a result.
pub fn failed<T>(message: impl Into<String>, span: &Range<usize>) -> Result<T, EvalError> {
    Err(EvalError { kind: ErrorKind::Failed, message: message.into(), span: span.clone() })
}
