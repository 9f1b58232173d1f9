//! Draws carets under a part of an expression.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// The source with carets under the part, and what is said of it.
pub fn of(source: &str, part: &Range<usize>, label: &str) -> String {
    let annotation = AnnotationKind::Primary.span(part.clone()).label(label);
    let snippet = Snippet::source(source).annotation(annotation);
    Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)])
}
