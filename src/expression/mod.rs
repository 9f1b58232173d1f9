//! The Okta Expression Language, as attribute mappings use it. Pure.
//!
//! `lexer` → `parser` → `ast` → `eval`, which calls `functions` and gives a `value`. Where Okta documents nothing, the
//! behaviour is that of Spring's engine, which the language comes from. `docs/expressions.md` lists each decision and its source.

pub mod ast;
pub mod cases;
pub mod check;
pub mod context;
pub mod error;
mod eval;
mod functions;
mod java;
mod lexer;
mod needs;
mod operators;
mod parser;
mod pattern;
mod template;
mod trace;
pub mod value;

use std::collections::BTreeSet;
use std::fmt;

pub use context::Context;
pub use error::{ErrorKind, EvalError, SyntaxError};
pub use functions::{DIRECTORY, WORKDAY, signatures};
pub use needs::Needs;
pub use trace::{MOST_STEPS, Step};
pub use value::Value;

use ast::{Kind, Node, Root};
use template::Form;

use crate::model::okta::Times;

/// A parsed expression, which can be evaluated for any number of users.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    root: Node,
    /// Boxed, because expressions are moved more often than this is read.
    needs: Box<Needs>,
    attributes: BTreeSet<String>,
}

impl Expression {
    /// Parses an expression, or a template. Returns all faults, with their places.
    pub fn parse(source: &str) -> Result<Self, Vec<SyntaxError>> {
        Self::of(source, Form::Typed)
    }

    /// Parses the user name format of an app, where everything outside of `${…}` is text (Okta API: Applications,
    /// `credentials.userNameTemplate`).
    pub fn parse_format(source: &str) -> Result<Self, Vec<SyntaxError>> {
        Self::of(source, Form::UserNameFormat)
    }

    fn of(source: &str, form: Form) -> Result<Self, Vec<SyntaxError>> {
        let root = parser::parse(source, form)?;
        let needs = Box::new(Needs::of(&root));
        let attributes = profile_attributes(&root);
        Ok(Self { source: source.to_owned(), root, needs, attributes })
    }

    /// The text that it was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The parsed form.
    pub fn ast(&self) -> &Node {
        &self.root
    }

    /// The data to read before an evaluation.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The attributes of the user's profile that it reads, sorted.
    pub fn attributes(&self) -> &BTreeSet<String> {
        &self.attributes
    }

    /// The texts that it may give whatever the user is.
    pub fn constants(&self) -> Vec<String> {
        check::constants(&self.root)
    }

    /// Evaluates the expression for one user. An error is never a value: the caller must write nothing.
    pub fn evaluate<'a>(&'a self, context: &Context<'a>) -> Result<Value<'a>, EvalError> {
        eval::evaluate(&self.root, &trace::Run::new(context))
    }

    /// The value of each part that was evaluated for this user, in the order of the source, the whole before its parts.
    pub fn trace<'a>(&'a self, context: &Context<'a>) -> Vec<Step<'a>> {
        let run = trace::Run::traced(context);
        // The outcome of the whole is the first step, unless the whole is a literal.
        drop(eval::evaluate(&self.root, &run));
        run.steps(&self.source)
    }
}

fn profile_attributes(root: &Node) -> BTreeSet<String> {
    let mut attributes = BTreeSet::new();
    root.visit(&mut |node| {
        if let Kind::Property { object, name, .. } = &node.kind {
            let of_user = matches!(object.kind, Kind::Root(Root::User));
            let of_profile = matches!(&object.kind, Kind::Property { object, name, .. }
                if name == "profile" && matches!(object.kind, Kind::Root(Root::User)));
            if of_profile || (of_user && !is_outside_the_profile(name)) {
                attributes.insert(name.clone());
            }
        }
    });
    attributes
}

/// Whether a property of `user` isn't an attribute of the profile.
fn is_outside_the_profile(name: &str) -> bool {
    ["profile", "id", "status"].contains(&name) || Times::NAMES.contains(&name)
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;
