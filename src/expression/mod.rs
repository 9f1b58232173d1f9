//! The Okta Expression Language. Pure.

/// A parsed expression, ready to be evaluated for one user after the other.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
}

/// A fault in the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Lower-case, no full stop.
    pub message: String,
    /// Bytes of the source.
    pub span: std::ops::Range<usize>,
    pub hint: Option<String>,
}

impl Expression {
    /// Parses an expression; every fault found is returned, with its place.
    pub fn parse(source: &str) -> Result<Self, Vec<SyntaxError>> {
        Ok(Self { source: source.to_owned() })
    }

    /// The text that it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }
}
