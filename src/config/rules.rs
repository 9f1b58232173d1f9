//! Resolves `[[projects]]`: which groups are pushed, and under which names.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use regex::Regex;
use toml::Spanned;

use super::draft::Project;
use super::picture::{Fault, Faults};
use super::place::place;
use super::roles::{self, Order};
use super::source::Source;
use super::types::Text;
use crate::mapping::projects::{ProjectRule, Selector};

/// The rules without a fault, in the order of the file.
pub(super) fn resolve(
    typed: &[Project],
    role_order: Option<&Spanned<Vec<Text>>>,
    source: Source<'_>,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Vec<ProjectRule> {
    no_group_twice(typed, faults);
    let order = Order::of(role_order, faults);
    typed.iter().filter_map(|project| rule(project, &order, source, faults, warnings)).collect()
}

fn no_group_twice(typed: &[Project], faults: &mut Faults) {
    let mut seen = BTreeMap::<&str, Range<usize>>::new();
    for group in typed.iter().filter_map(|project| project.group.as_ref()) {
        match seen.get(group.get_ref().as_str()) {
            None => drop(seen.insert(group.get_ref(), group.span())),
            Some(first) => faults.push(
                Fault::at(group.span(), format!("the group `{}` is named twice", group.get_ref()))
                    .context(first.clone(), "here first")
                    .help("keep one of the two entries"),
            ),
        }
    }
}

fn rule(
    typed: &Project,
    order: &Order,
    source: Source<'_>,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Option<ProjectRule> {
    let (selector, selected_by) = match (&typed.group, &typed.pattern) {
        (Some(group), Some(pattern)) => {
            faults.push(
                Fault::at(pattern.span(), "an entry has `group` or `match`, not both")
                    .context(group.span(), "the group")
                    .help("write two [[projects]] entries"),
            );
            return None;
        }
        (Some(group), None) => (Selector::Group(group.get_ref().clone()), group),
        (None, Some(pattern)) => (Selector::Match(regex(pattern, source, faults)?), pattern),
        (None, None) if !typed.has_selector => {
            let help = "add `group = \"...\"` for one group, or `match = '...'` for all groups of a pattern";
            faults.push(Fault::at(typed.header.clone(), "this entry selects no group").help(help));
            return None;
        }
        (None, None) => return None,
    };
    if let Some(name) = &typed.name {
        check_name(name, &selector, source, faults, warnings);
    }
    let location = Some(source.config.location(&selected_by.span()));
    let name = typed.name.as_ref().map(|name| name.get_ref().clone());
    let roles = roles::resolve(typed, order, source, faults).map(Arc::new);
    Some(ProjectRule { selector, name, location, roles })
}

fn regex(pattern: &Text, source: Source<'_>, faults: &mut Faults) -> Option<Regex> {
    Regex::new(pattern.get_ref()).map_err(|error| faults.push(regex_fault(pattern, source, &error))).ok()
}

/// The regex crate's own message; its carets become carets into the file.
fn regex_fault(pattern: &Text, source: Source<'_>, error: &regex::Error) -> Fault {
    let text = error.to_string();
    let message = text.rsplit("error: ").next().unwrap_or_default().trim();
    let part = caret(&text, pattern.get_ref());
    let span =
        part.map_or(pattern.span(), |part| place(&source.config.text, &pattern.span(), pattern.get_ref(), &part));
    Fault::at(span, format!("invalid regular expression: {message}"))
}

/// The bytes of the pattern that the regex crate's carets point at. Its message has the pattern, indented, and the
/// carets below it; a pattern of several lines is shown differently, and gets no carets here.
fn caret(error: &str, pattern: &str) -> Option<Range<usize>> {
    let mut lines = error.lines().skip_while(|line| line.trim_start_matches(' ') != pattern.trim_start_matches(' '));
    let indent = lines.next()?.strip_suffix(pattern)?.len();
    let carets = lines.next()?.get(indent..)?;
    let start = carets.find('^')?;
    let length = carets[start..].chars().take_while(|c| *c == '^').count();
    let byte = |index| pattern.char_indices().nth(index).map_or(pattern.len(), |(byte, _)| byte);
    Some(byte(start)..byte(start + length))
}

/// A name's references (`$1`, `${name}`) must be to groups that the pattern has.
fn check_name(name: &Text, selector: &Selector, source: Source<'_>, faults: &mut Faults, warnings: &mut Vec<String>) {
    let references = references(name.get_ref());
    if let Selector::Match(_) = selector
        && references.is_empty()
    {
        warnings.push(format!(
            "{}: every group that matches gets the same project name; `$1` is the pattern's first group",
            source.config.location(&name.span())
        ));
    }
    for reference in references {
        let at = |message: String| {
            Fault::at(place(&source.config.text, &name.span(), name.get_ref(), &reference.span), message)
        };
        match selector {
            Selector::Group(_) => faults.push(
                at("there is no pattern to refer to".to_owned())
                    .help("write the name itself, or use `match` instead of `group`"),
            ),
            Selector::Match(regex) if !has_group(regex, reference.name) => faults.push(
                at(format!("the pattern has no group `{}`", reference.name)).help(suggestion(regex, reference.name)),
            ),
            Selector::Match(_) => {}
        }
    }
}

fn has_group(regex: &Regex, name: &str) -> bool {
    match name.parse::<usize>() {
        Ok(index) => index < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|known| known == name),
    }
}

fn suggestion(regex: &Regex, name: &str) -> String {
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (index, rest) = name.split_at(digits);
    if !index.is_empty() && !rest.is_empty() && has_group(regex, index) {
        return format!("write `${{{index}}}{rest}`");
    }
    let numbers = (1..regex.captures_len()).map(|index| format!("`${index}`"));
    let names = regex.capture_names().flatten().map(|name| format!("`${{{name}}}`"));
    let known = numbers.chain(names).collect::<Vec<_>>();
    if known.is_empty() {
        return "put that part of the pattern into parentheses".to_owned();
    }
    format!("use one of {}", known.join(", "))
}

struct Reference<'a> {
    /// Bytes of the name, `$` included.
    span: Range<usize>,
    name: &'a str,
}

/// The references in a project's name, as the regex crate's `Captures::expand` reads them: `$$` is a dollar sign,
/// `$word` takes the longest run of letters, digits and `_`, and braces end it earlier.
fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|offset| at + offset) {
        let rest = &text[dollar + 1..];
        let (name, length) = if let Some((name, _)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            (name, name.len() + 2)
        } else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (&rest[..end], end)
        };
        if length > 0 {
            found.push(Reference { span: dollar..dollar + 1 + length, name });
        }
        at = dollar + 1 + if rest.starts_with('$') { 1 } else { length };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_those_that_the_regex_crate_replaces() {
        let regex = Regex::new("(?<team>a)(b)").unwrap();
        let captures = regex.captures("ab").unwrap();
        for (template, expected) in [
            ("$1 and ${2}", vec!["1", "2"]),
            ("${team}s $teams", vec!["team", "teams"]),
            ("$1a", vec!["1a"]),
            ("$$1 costs $", vec![]),
            ("$$$1", vec!["1"]),
            ("${1", vec![]),
            ("${}x$-", vec![""]),
        ] {
            let names = references(template).iter().map(|reference| reference.name).collect::<Vec<_>>();
            assert_eq!(names, expected, "{template}");
            let mut expanded = String::new();
            captures.expand(template, &mut expanded);
            assert_eq!(expanded == template, expected.is_empty() && !template.contains("$$"), "{template}");
        }
    }

    #[test]
    fn carets_of_the_regex_crate_are_found() {
        for (pattern, marked) in
            [("^AP (.+$", "("), ("é[z-a]", "z-a"), (r"\q", r"\q"), ("  (", "("), ("x{2,1}", "{2,1}")]
        {
            let error = Regex::new(pattern).unwrap_err();
            let part = caret(&error.to_string(), pattern).unwrap();
            assert_eq!(&pattern[part], marked, "{error}");
        }
        let pattern = ["(?x)a", "("].join("\n");
        assert_eq!(caret(&Regex::new(&pattern).unwrap_err().to_string(), &pattern), None);
    }
}
