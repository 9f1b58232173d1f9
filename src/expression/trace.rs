//! The state of one evaluation: how much work it may still do, and what each part gave where somebody wants to see it.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::ops::Range;

use super::context::Context;
use super::error::{EvalError, failed};
use super::value::Value;

/// The most steps of an evaluation. A node is a step; a function takes more for long texts and arrays, a pattern the
/// length of its text. An expression that people write takes less than a thousandth of it.
pub const MOST_STEPS: u32 = 1_000_000;

/// One part of an expression, with what it gave.
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

    /// One that keeps what each part gives.
    pub fn traced(context: &'c Context<'a>) -> Self {
        Self { seen: Some(RefCell::default()), ..Self::new(context) }
    }

    /// Takes steps off what is left; an error where there aren't that many.
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

    /// Whether [`Run::saw`] keeps anything. The body of a projection has a value for each element, so it isn't traced.
    pub fn is_traced(&self) -> bool {
        self.seen.is_some() && self.elements.borrow().is_empty()
    }

    /// Keeps what a part gave.
    pub fn saw(&self, span: &Range<usize>, outcome: &Result<Value<'a>, EvalError>) {
        if let Some(seen) = &self.seen {
            seen.borrow_mut().push(Step { span: span.clone(), text: "", outcome: outcome.clone() });
        }
    }

    /// What was kept, in the order of the source; the whole before its parts.
    pub fn steps(self, source: &'a str) -> Vec<Step<'a>> {
        let mut steps = self.seen.map(RefCell::into_inner).unwrap_or_default();
        // A part is kept before the whole that begins at the same place with the same length, as with parentheses.
        steps.reverse();
        steps.sort_by_key(|step| (step.span.start, Reverse(step.span.end)));
        for step in &mut steps {
            step.text = source.get(step.span.clone()).unwrap_or_default();
        }
        steps
    }
}
