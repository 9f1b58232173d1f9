//! The call of a function, and its outcome.

use std::ops::Range;

use crate::expression::error::ErrorKind;
use crate::expression::pattern::Pattern;
use crate::expression::trace::Run;
use crate::expression::value::Value;

/// The longest text that a function makes, in bytes.
pub const LONGEST_TEXT: usize = 1 << 16;

/// The result of a function: a value, or a fault.
pub type Outcome<'a> = Result<Value<'a>, Fault>;

/// Why a function gives no value. The evaluator adds the place.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: ErrorKind,
    pub message: String,
}

/// A call.
#[derive(Debug)]
pub struct Call<'c, 'a> {
    pub run: &'c Run<'c, 'a>,
    /// The app instance before the dot: `workday_abc1234.hasWorkdayUser()`.
    pub owner: Option<&'c str>,
    pub arguments: Vec<Value<'a>>,
    /// The literal pattern among the arguments, compiled with the expression.
    pub pattern: Option<&'c Pattern>,
    /// The place of the call.
    pub span: &'c Range<usize>,
}

/// A fault that Okta reports too.
pub fn failed<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { kind: ErrorKind::Failed, message: message.into() })
}

/// A fault because data isn't available here.
pub fn unevaluable<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { kind: ErrorKind::Unevaluable, message: message.into() })
}

impl<'a> Call<'_, 'a> {
    /// Subtracts from the remaining steps of the evaluation.
    pub fn spend(&self, steps: usize) -> Result<(), Fault> {
        self.run.spend(steps, self.span).map_err(|error| Fault { kind: error.kind, message: error.message })
    }

    /// Takes an argument out of the call; null where there is none.
    pub fn take(&mut self, at: usize) -> Value<'a> {
        self.arguments.get_mut(at).map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }
}
