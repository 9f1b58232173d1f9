//! Parses the expressions of a config, with their mistakes at their places in the file.

use super::picture::{Fault, Faults};
use super::place::place;
use super::source::Source;
use super::types::Text;
use crate::expression::{Expression, SyntaxError};
use crate::mapping::attributes::{self as mapping, Mapped};

/// The expression for an attribute, or none, with its mistakes noted. `hint` is for a mistake that has none of its own.
pub(super) fn mapped(
    attribute: &str,
    text: &Text,
    hint: Option<&str>,
    source: Source<'_>,
    faults: &mut Faults,
) -> Option<Mapped> {
    let span = text.span();
    // A default has no place.
    let from = if span.is_empty() {
        mapping::Source::Default
    } else {
        mapping::Source::File { location: source.config.location(&span), span }
    };
    match Expression::parse(text.get_ref()) {
        Ok(expression) => Some(Mapped { expression, source: from, on_create_only: false }),
        Err(errors) => {
            for error in &errors {
                let fault = expression_fault(attribute, text, source, error);
                faults.push(match hint.filter(|_| error.hint.is_none()) {
                    Some(hint) => fault.help(hint),
                    None => fault,
                });
            }
            None
        }
    }
}

/// A syntax error of an expression, at its place in the config.
fn expression_fault(attribute: &str, text: &Text, source: Source<'_>, error: &SyntaxError) -> Fault {
    let message = format!("{} (in the expression for `{attribute}`)", error.message);
    let fault = Fault::at(place(&source.config.text, &text.span(), text.get_ref(), &error.span), message);
    match &error.hint {
        Some(hint) => fault.help(hint),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml::Spanned;
    use toml::de::DeTable;

    use super::super::source::ConfigText;
    use super::*;

    /// The picture of a syntax error at `part` of the value of `a`.
    fn picture(text: &str, part: &str) -> String {
        let table = DeTable::parse(text).unwrap();
        let value = &table.get_ref()["a"];
        let text_of = Spanned::new(value.span(), value.get_ref().as_str().unwrap().to_owned());
        let start = text_of.get_ref().find(part).unwrap();
        let error = SyntaxError {
            message: "that is wrong".to_owned(),
            span: start..start + part.len(),
            hint: Some("write it right".to_owned()),
        };
        let mut faults = Faults::default();
        let config = ConfigText::new("c.toml", text);
        let source = Source { config: &config, folder: Path::new("") };
        faults.push(expression_fault("platformRole", &text_of, source, &error));
        faults.render(&config, false).to_string()
    }

    #[test]
    fn a_syntax_error_in_a_literal_string_has_its_carets_in_the_file() {
        insta::assert_snapshot!(picture("a = 'user.x == \"é\" ? \"ADMIN\"'\n", "\"ADMIN\""), @r#"
        c.toml has a mistake

        error: that is wrong (in the expression for `platformRole`)
         --> c.toml:1:22
          |
        1 | a = 'user.x == "é" ? "ADMIN"'
          |                      ^^^^^^^
          |
          = help: write it right
        "#);
    }

    #[test]
    fn a_syntax_error_behind_escapes_has_its_carets_in_the_file() {
        insta::assert_snapshot!(picture("a = \"user.x == \\\"\\u00e9\\\" ? \\\"ADMIN\\\"\"\n", "\"ADMIN\""), @r#"
        c.toml has a mistake

        error: that is wrong (in the expression for `platformRole`)
         --> c.toml:1:29
          |
        1 | a = "user.x == \"\u00e9\" ? \"ADMIN\""
          |                             ^^^^^^^^^
          |
          = help: write it right
        "#);
    }

    #[test]
    fn a_syntax_error_in_a_string_of_several_lines_has_its_carets_in_the_file() {
        insta::assert_snapshot!(picture("a = \'\'\'\nuser.x\n  ? \"ADMIN\"\'\'\'\n", "? \"ADMIN\""), @r#"
        c.toml has a mistake

        error: that is wrong (in the expression for `platformRole`)
         --> c.toml:3:3
          |
        3 |   ? "ADMIN"'''
          |   ^^^^^^^^^
          |
          = help: write it right
        "#);
    }
}
