//! Faults of a config file, and the picture of each: file, line, carets, and what to write instead.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str as shown,
};

use super::mask;

/// As many faults are shown as somebody reads; a file with more is probably another one.
const SHOWN: usize = 20;

/// One fault. Texts are lower-case, without a full stop, and never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    message: String,
    /// Bytes of the file; none where the fault is that something isn't there.
    span: Option<Range<usize>>,
    label: String,
    /// Another place that has to do with it; boxed, as few faults have one.
    context: Option<Box<(Range<usize>, String)>>,
    help: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), span: None, label: String::new(), context: None, help: None }
    }

    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::new(message) }
    }

    /// What stands beside the carets.
    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    pub(super) fn context(self, span: Range<usize>, label: impl Into<String>) -> Self {
        Self { context: Some(Box::new((span, label.into()))), ..self }
    }

    /// What to write instead.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn group<'a>(&'a self, name: &'a str, text: &'a str) -> Group<'a> {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group = match &self.span {
            Some(span) => title.element(
                Snippet::source(text)
                    .path(shown(name))
                    .annotation(annotation(AnnotationKind::Primary, span, &self.label))
                    .annotations(
                        self.context.as_deref().map(|(span, label)| annotation(AnnotationKind::Context, span, label)),
                    ),
            ),
            None => title.element(Origin::path(shown(name))),
        };
        match &self.help {
            Some(help) => group.element(Level::HELP.message(shown(help))),
            None => group,
        }
    }
}

fn annotation<'a>(kind: AnnotationKind, span: &Range<usize>, label: &str) -> Annotation<'a> {
    let annotation = kind.span(span.clone());
    if label.is_empty() { annotation } else { annotation.label(shown(label)) }
}

/// The faults of one file, as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    hidden: Vec<Range<usize>>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.found.push(fault);
    }

    /// Keeps this part of the file out of every picture: it may hold a secret.
    pub(super) fn hide(&mut self, span: Range<usize>) {
        self.hidden.push(span);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// All pictures, in the order of the file; faults without a place come last.
    pub(super) fn render(mut self, name: &str, text: &str, colour: bool) -> Pictures {
        let text = mask::mask(text, &self.hidden);
        self.found.sort_by_key(|fault| fault.span.as_ref().map_or((usize::MAX, 0), |span| (span.start, span.end)));
        self.found.dedup();
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let shown = self.found.iter().take(SHOWN);
        let mut pictures = shown.map(|fault| renderer.render(&[fault.group(name, &text)])).collect::<Vec<_>>();
        if let Some(more) = self.found.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            pictures.push(format!("and {more} more, which are shown when these are mended"));
        }
        Pictures(format!("{}\n\n{}", summary(name, self.found.len()), pictures.join("\n\n")))
    }
}

fn summary(name: &str, faults: usize) -> String {
    match faults {
        1 => format!("{} has a mistake", shown(name)),
        _ => format!("{} has {faults} mistakes", shown(name)),
    }
}

/// A summary line and all pictures: the text of the error that a wrong config file gives.
#[derive(Clone, PartialEq, Eq)]
pub struct Pictures(String);

impl fmt::Display for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Pictures {}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Faults {
        let mut faults = Faults::default();
        faults.push(Fault::new("c is missing"));
        faults.push(Fault::at(8..9, "b is wrong").label("this one").context(0..1, "because of a").help("write 3"));
        faults.push(Fault::at(4..5, "a is wrong"));
        faults
    }

    #[test]
    fn pictures_come_in_the_order_of_the_file() {
        insta::assert_snapshot!(faults().render("c.toml", "a = 1\nb = 2\n", false), @r"
        c.toml has 3 mistakes

        error: a is wrong
         --> c.toml:1:5
          |
        1 | a = 1
          |     ^

        error: b is wrong
         --> c.toml:2:3
          |
        1 | a = 1
          | - because of a
        2 | b = 2
          |   ^ this one
          |
          = help: write 3

        error: c is missing
        --> c.toml
        ");
    }

    #[test]
    fn a_file_of_mistakes_is_a_screen_of_text() {
        let pictures = |faults: usize| {
            let mut found = Faults::default();
            (0..faults).for_each(|at| found.push(Fault::at(at..at + 1, "wrong")));
            found.render("c.toml", &"x".repeat(faults), false).to_string()
        };
        assert_eq!(pictures(20).matches("error: wrong").count(), 20);
        assert!(!pictures(20).contains("more"));
        let many = pictures(1020);
        assert_eq!(many.matches("error: wrong").count(), 20);
        assert!(many.starts_with("c.toml has 1020 mistakes\n"), "{many}");
        assert!(many.ends_with("and 1000 more, which are shown when these are mended"), "{many}");
    }

    #[test]
    fn colour_is_only_used_when_asked_for() {
        let text = "a = 1\nb = 2\n";
        assert!(faults().render("c.toml", text, true).to_string().contains("\u{1b}["));
        assert!(!faults().render("c.toml", text, false).to_string().contains('\u{1b}'));
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let mut faults = Faults::default();
        faults.push(Fault::at(0..1, "bad \u{1b}[31m").label("\u{1b}[31m").help("\u{7}"));
        let picture = faults.render("c\u{1b}.toml", "a\u{1b}", false).to_string();
        assert!(picture.chars().all(|c| c == '\n' || !c.is_control()), "{picture:?}");
    }
}
