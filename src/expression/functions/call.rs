//! What a function is called with, and what it gives.

use std::ops::Range;

use crate::expression::error::ErrorKind;
use crate::expression::pattern::Pattern;
use crate::expression::trace::Run;
use crate::expression::value::Value;

/// The longest text that a function makes, in bytes.
pub const LONGEST_TEXT: usize = 1 << 16;

/// What a function gives: a value, or why there is none.
pub type Outcome<'a> = Result<Value<'a>, Fault>;

/// Why a function gives no value; the evaluator adds the place.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: ErrorKind,
    pub message: String,
}

/// What a function is called with.
#[derive(Debug)]
pub struct Call<'c, 'a> {
    pub run: &'c Run<'c, 'a>,
    /// The app instance before the dot: `workday_abc1234.hasWorkdayUser()`.
    pub owner: Option<&'c str>,
    pub arguments: Vec<Value<'a>>,
    /// The pattern of a function that takes one as a literal, compiled with the expression.
    pub pattern: Option<&'c Pattern>,
    /// The place of the call.
    pub span: &'c Range<usize>,
}

/// A fault of the kind that Okta has too.
pub fn failed<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { kind: ErrorKind::Failed, message: message.into() })
}

/// What can't be had here.
pub fn unevaluable<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { kind: ErrorKind::Unevaluable, message: message.into() })
}

impl<'a> Call<'_, 'a> {
    /// Takes steps off what the evaluation may still do.
    pub fn spend(&self, steps: usize) -> Result<(), Fault> {
        self.run.spend(steps, self.span).map_err(|error| Fault { kind: error.kind, message: error.message })
    }

    /// Takes an argument out of the call; null where there is none.
    pub fn take(&mut self, at: usize) -> Value<'a> {
        self.arguments.get_mut(at).map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }
}
