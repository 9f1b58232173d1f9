//! The evaluation of one expression for one user.

use std::ops::Range;

use jiff::Timestamp;

use crate::expression::{Context, ErrorKind, Expression, Value};
use crate::model::okta::User;
use crate::model::org::Org;
use crate::model::problem::{Problem, ProblemKind};

/// An expression and its source, which problems name.
#[derive(Clone, Debug)]
pub struct Mapped {
    pub expression: Expression,
    pub source: Source,
    /// Whether the value is written only when an account is created (Okta: `DONT_PUSH`).
    pub on_create_only: bool,
}

/// The source of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A built-in default.
    Default,
    /// In the config file.
    File {
        /// `config.toml:21`.
        location: String,
        /// The string in the file, quotes included, in bytes.
        span: Range<usize>,
    },
    /// In Okta's profile mapping of this id, or, without one, in the app's user name format.
    Okta { mapping: Option<String> },
}

impl Source {
    /// `config.toml:21`; none for a default.
    pub fn location(&self) -> Option<String> {
        match self {
            Self::Default => None,
            Self::File { location, .. } => Some(location.clone()),
            Self::Okta { mapping: Some(id) } => Some(format!("Okta's profile mapping {id}")),
            Self::Okta { mapping: None } => Some("the user name format of the Okta app".to_owned()),
        }
    }
}

/// The evaluation of the mapping for one user.
pub(super) struct Evaluation<'a> {
    pub(super) user: &'a User,
    pub(super) org: &'a Org,
    pub(super) now: Timestamp,
}

impl Evaluation<'_> {
    /// A text, or none for null.
    pub(super) fn text(&self, attribute: &str, mapped: &Mapped) -> Result<Option<String>, Problem> {
        match self.value(attribute, mapped)? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.into_owned())),
            other => {
                let message = format!("{attribute} gives {} {}; it must be a string", other.kind(), other.to_json());
                Err(self.problem(ProblemKind::InvalidAttribute, message, mapped))
            }
        }
    }

    pub(super) fn value<'b>(&'b self, attribute: &str, mapped: &'b Mapped) -> Result<Value<'b>, Problem> {
        let groups = self.org.groups_of.get(&self.user.id).map(Vec::as_slice);
        if groups.is_none() && mapped.expression.needs().groups {
            let message = format!("{attribute}: the groups of this user weren't read");
            return Err(self.problem(ProblemKind::NotEvaluable, message, mapped));
        }
        let groups = groups.unwrap_or_default();
        mapped.expression.evaluate(&Context::new(self.user, groups).with_extra(&self.org.extra).at(self.now)).map_err(
            |error| {
                let kind = match error.kind {
                    ErrorKind::Failed => ProblemKind::ExpressionFailed,
                    ErrorKind::Unevaluable => ProblemKind::NotEvaluable,
                };
                self.problem(kind, format!("{attribute}: {}", error.message), mapped)
            },
        )
    }

    pub(super) fn problem(&self, kind: ProblemKind, message: String, mapped: &Mapped) -> Problem {
        Problem::new(self.user.login(), kind, message).at(mapped.source.location())
    }
}
