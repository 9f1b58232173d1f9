//! The Okta Expression Language, as attribute mappings have it. Pure.
//!
//! `lexer` → `parser` → `ast` → `eval`, which calls `functions` and gives a `value`. Where Okta documents nothing, the
//! engine that its language comes from decides (Spring's); `docs/expressions.md` has each decision and its source.

pub mod ast;
pub mod cases;
pub mod context;
pub mod error;
mod eval;
mod functions;
mod lexer;
mod parser;
mod pattern;
pub mod value;

use std::collections::BTreeSet;
use std::fmt;

pub use context::Context;
pub use error::{ErrorKind, EvalError, SyntaxError};
pub use value::Value;

use ast::{Kind, Node, Root};

/// A parsed expression, ready to be evaluated for one user after the other.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    root: Node,
    needs: Needs,
}

/// What an evaluation needs beside the user's own profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The groups that the user is a member of.
    pub groups: bool,
}

impl Expression {
    /// Parses an expression; every fault that can be told apart is returned, with its place.
    pub fn parse(source: &str) -> Result<Self, Vec<SyntaxError>> {
        let root = parser::parse(source)?;
        let mut needs = Needs::default();
        root.visit(&mut |node| {
            if let Kind::Call { function, .. } = &node.kind {
                needs.groups |= function.needs_groups;
            }
        });
        Ok(Self { source: source.to_owned(), root, needs })
    }

    /// The text that it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The parsed form.
    pub fn ast(&self) -> &Node {
        &self.root
    }

    /// What has to be read before an evaluation.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// The attributes of the user's profile that it reads, sorted.
    pub fn attributes(&self) -> BTreeSet<String> {
        let mut attributes = BTreeSet::new();
        self.root.visit(&mut |node| {
            if let Kind::Property { object, name, .. } = &node.kind {
                let of_user = matches!(object.kind, Kind::Root(Root::User));
                let of_profile = matches!(&object.kind, Kind::Property { object, name, .. }
                    if name == "profile" && matches!(object.kind, Kind::Root(Root::User)));
                if of_profile || (of_user && name != "profile") {
                    attributes.insert(name.clone());
                }
            }
        });
        attributes
    }

    /// Evaluates the expression for one user. An error is never a value: whoever gets one writes nothing.
    pub fn evaluate<'a>(&'a self, context: &Context<'a>) -> Result<Value<'a>, EvalError> {
        eval::evaluate(&self.root, context)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

#[cfg(test)]
mod tests;
