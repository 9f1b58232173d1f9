//! The state of one evaluation: its remaining steps, and for a trace the value of each part.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::ops::Range;

use super::context::Context;
use super::error::{EvalError, failed};
use super::value::Value;

/// The most steps of an evaluation. A node is a step; a function takes more for long texts and arrays, a pattern the
/// length of its text. Real expressions take less than a thousandth of it.
pub const MOST_STEPS: u32 = 1_000_000;

/// A part of an expression and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<'a> {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// The part as it is written.
    pub text: &'a str,
    pub outcome: Result<Value<'a>, EvalError>,
}

/// One evaluation.
#[derive(Debug)]
pub struct Run<'c, 'a> {
    pub context: &'c Context<'a>,
    left: Cell<u32>,
    seen: Option<RefCell<Vec<Step<'a>>>>,
    /// The current elements of the projections around the part, the innermost last.
    elements: RefCell<Vec<Value<'a>>>,
}

impl<'c, 'a> Run<'c, 'a> {
    pub fn new(context: &'c Context<'a>) -> Self {
        Self { context, left: Cell::new(MOST_STEPS), seen: None, elements: RefCell::default() }
    }

    /// An evaluation that records the value of each part.
    pub fn traced(context: &'c Context<'a>) -> Self {
        Self { seen: Some(RefCell::default()), ..Self::new(context) }
    }

    /// Subtracts from the remaining steps; an error if too few remain.
    pub fn spend(&self, steps: usize, span: &Range<usize>) -> Result<(), EvalError> {
        match u32::try_from(steps).ok().and_then(|steps| self.left.get().checked_sub(steps)) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => failed(format!("the evaluation takes more than {MOST_STEPS} steps"), span),
        }
    }

    /// Evaluates the body of a projection for one element.
    pub fn with_element<T>(&self, element: Value<'a>, body: impl FnOnce() -> T) -> T {
        self.elements.borrow_mut().push(element);
        let outcome = body();
        self.elements.borrow_mut().pop();
        outcome
    }

    /// The current element of the innermost projection.
    pub fn element(&self) -> Option<Value<'a>> {
        self.elements.borrow().last().cloned()
    }

    /// Whether [`Run::saw`] records anything. The body of a projection has a value for each element, so it isn't traced.
    pub fn is_traced(&self) -> bool {
        self.seen.is_some() && self.elements.borrow().is_empty()
    }

    /// Records the value of a part.
    pub fn saw(&self, span: &Range<usize>, outcome: &Result<Value<'a>, EvalError>) {
        if let Some(seen) = &self.seen {
            seen.borrow_mut().push(Step { span: span.clone(), text: "", outcome: outcome.clone() });
        }
    }

    /// The recorded steps, in the order of the source; the whole before its parts.
    pub fn steps(self, source: &'a str) -> Vec<Step<'a>> {
        let mut steps = self.seen.map(RefCell::into_inner).unwrap_or_default();
        // A part is recorded before a whole with the same span, as with parentheses.
        steps.reverse();
        steps.sort_by_key(|step| (step.span.start, Reverse(step.span.end)));
        for step in &mut steps {
            step.text = source.get(step.span.clone()).unwrap_or_default();
        }
        steps
    }
}
