//! Faults of a config file, and the picture of each: file, line, carets, and what to write instead.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str as shown,
};

use super::mask;
use super::source::{ConfigText, ENVIRONMENT};

/// The most faults that are shown; a file with more is probably not a config.
const SHOWN: usize = 20;

/// One fault. Texts are lower-case, without a full stop, and never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    message: String,
    /// Bytes of the config's text; none if something is missing.
    span: Option<Range<usize>>,
    label: String,
    /// Another place that belongs to it; boxed, because few faults have one.
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

    /// The order of the file, then without a place.
    fn order(&self) -> ((usize, usize), &str, &str, Option<&str>) {
        let place = self.span.as_ref().map_or((usize::MAX, 0), |span| (span.start, span.end));
        (place, &self.message, &self.label, self.help.as_deref())
    }

    /// The text next to the carets.
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

    /// The picture; `text` is that of the config with all secrets masked.
    fn group<'a>(&'a self, config: &'a ConfigText, text: &'a str) -> Group<'a> {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let Some(span) = &self.span else {
            return self.with_help(title.element(Origin::path(shown(&config.name))));
        };
        let (part, name) = config.part(span);
        let inside = |span: &Range<usize>| span.start - part.start..span.end - part.start;
        let snippet = Snippet::source(&text[part.clone()]).path(shown(name));
        let snippet = snippet.annotation(annotation(AnnotationKind::Primary, &inside(span), &self.label));
        let Some((other, label)) = self.context.as_deref() else { return self.with_help(title.element(snippet)) };
        if config.is_variable(other) == config.is_variable(span) {
            let snippet = snippet.annotation(annotation(AnnotationKind::Context, &inside(other), label));
            return self.with_help(title.element(snippet));
        }
        let (part, name) = config.part(other);
        let inside = other.start - part.start..other.end - part.start;
        let second = Snippet::source(&text[part]).path(shown(name));
        let second = second.annotation(annotation(AnnotationKind::Context, &inside, label));
        self.with_help(title.element(snippet).element(second))
    }

    fn with_help<'a>(&'a self, group: Group<'a>) -> Group<'a> {
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

    /// Masks this part in every picture: it may hold a secret.
    pub(super) fn hide(&mut self, span: Range<usize>) {
        self.hidden.push(span);
    }

    /// Adds the faults of targets, each with its name. One that all of them have is one fault; any other names those that have it.
    pub(super) fn add_all(&mut self, targets: Vec<(String, Self)>) {
        let all = targets.len();
        let mut all_faults = Vec::new();
        for (name, mut faults) in targets {
            faults.sort();
            self.hidden.append(&mut faults.hidden);
            all_faults.extend(faults.found.into_iter().map(|fault| (fault, name.clone())));
        }
        all_faults.sort_by(|(one, _), (other, _)| one.order().cmp(&other.order()));
        for same in all_faults.chunk_by(|(one, _), (other, _)| one == other) {
            let mut fault = same[0].0.clone();
            let names: Vec<&str> = same.iter().map(|(_, name)| name.as_str()).filter(|name| !name.is_empty()).collect();
            if same.len() < all && !names.is_empty() {
                fault.message = format!("{} (target {})", fault.message, names.join(", "));
            }
            self.push(fault);
        }
    }

    fn sort(&mut self) {
        self.found.sort_by(|one, other| one.order().cmp(&other.order()));
        self.found.dedup();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// All pictures, in the order of the file, then those of variables, then faults without a place.
    pub(super) fn render(mut self, config: &ConfigText, colour: bool) -> Pictures {
        let text = mask::mask(&config.text, &self.hidden);
        self.sort();
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let shown = self.found.iter().take(SHOWN);
        let mut pictures = shown.map(|fault| renderer.render(&[fault.group(config, &text)])).collect::<Vec<_>>();
        if let Some(more) = self.found.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            pictures.push(format!("and {more} more, which are shown once these are fixed"));
        }
        Pictures(format!("{}\n\n{}", self.summary(config), pictures.join("\n\n")))
    }

    fn summary(&self, config: &ConfigText) -> String {
        let in_variables = self.found.iter().filter_map(|fault| fault.span.as_ref());
        let in_variables = in_variables.filter(|span| config.is_variable(span)).count();
        let name = shown(&config.name);
        match self.found.len() {
            1 if in_variables == 1 => format!("the {ENVIRONMENT} has a mistake"),
            1 => format!("{name} has a mistake"),
            all if in_variables == all => format!("the {ENVIRONMENT} has {all} mistakes"),
            all if in_variables > 0 => format!("{name} and the {ENVIRONMENT} have {all} mistakes"),
            all => format!("{name} has {all} mistakes"),
        }
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

    fn config(text: &str) -> ConfigText {
        ConfigText::new("c.toml", text)
    }

    fn faults() -> Faults {
        let mut faults = Faults::default();
        faults.push(Fault::new("c is missing"));
        faults.push(Fault::at(8..9, "b is wrong").label("this one").context(0..1, "because of a").help("write 3"));
        faults.push(Fault::at(4..5, "a is wrong"));
        faults
    }

    #[test]
    fn pictures_come_in_the_order_of_the_file() {
        insta::assert_snapshot!(faults().render(&config("a = 1\nb = 2\n"), false), @r"
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
    fn a_mistake_in_a_variable_is_shown_with_its_name() {
        let mut config = config("a = 1");
        let value = config.add_variable("OKTAPIECES_B", "2");
        let mut faults = Faults::default();
        faults.push(Fault::at(value.clone(), "b is wrong").label("this one").context(0..1, "because of a"));
        insta::assert_snapshot!(faults.render(&config, false), @r"
        the environment has a mistake

        error: b is wrong
         --> environment:1:14
          |
        1 | OKTAPIECES_B=2
          |              ^ this one
          |
         ::: c.toml:1:1
          |
        1 | a = 1
          | - because of a
        ");
        let mut faults = Faults::default();
        faults.push(Fault::at(value, "b is wrong"));
        faults.push(Fault::at(0..1, "a is wrong").context(4..5, "for this"));
        let pictures = faults.render(&config, false).to_string();
        assert!(pictures.starts_with("c.toml and the environment have 2 mistakes"), "{pictures}");
    }

    #[test]
    fn a_file_of_mistakes_is_a_screen_of_text() {
        let pictures = |faults: usize| {
            let mut found = Faults::default();
            (0..faults).for_each(|at| found.push(Fault::at(at..at + 1, "wrong")));
            found.render(&config(&"x".repeat(faults)), false).to_string()
        };
        assert_eq!(pictures(20).matches("error: wrong").count(), 20);
        assert!(!pictures(20).contains("more"));
        let many = pictures(1020);
        assert_eq!(many.matches("error: wrong").count(), 20);
        assert!(many.starts_with("c.toml has 1020 mistakes\n"), "{many}");
        assert!(many.ends_with("and 1000 more, which are shown once these are fixed"), "{many}");
    }

    #[test]
    fn colour_is_only_used_when_asked_for() {
        let text = config("a = 1\nb = 2\n");
        assert!(faults().render(&text, true).to_string().contains("\u{1b}["));
        assert!(!faults().render(&text, false).to_string().contains('\u{1b}'));
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let mut faults = Faults::default();
        faults.push(Fault::at(0..1, "bad \u{1b}[31m").label("\u{1b}[31m").help("\u{7}"));
        let picture = faults.render(&ConfigText::new("c\u{1b}.toml", "a\u{1b}"), false).to_string();
        assert!(picture.chars().all(|c| c == '\n' || !c.is_control()), "{picture:?}");
    }
}
