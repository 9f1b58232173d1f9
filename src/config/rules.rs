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
use super::selection;
use super::source::Source;
use super::types::Text;
use crate::mapping::projects::{ProjectRule, Selector};

/// The rules without a fault, in the order of the file.
pub(super) fn resolve(
    typed: &[Project],
    role_order: Option<&Spanned<Vec<Text>>>,
    has_app: bool,
    source: Source<'_>,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Vec<ProjectRule> {
    no_group_twice(typed, faults);
    let order = Order::of(role_order, faults);
    roles::agree(typed, &order, faults);
    let rules = typed.iter().filter_map(|project| rule(project, &order, has_app, source, faults, warnings));
    rules.collect()
}

/// A group has one entry, and one for each of its further projects.
fn no_group_twice(typed: &[Project], faults: &mut Faults) {
    let mut seen = BTreeMap::<(Option<&str>, &str), Range<usize>>::new();
    for project in typed {
        let also = project.also.as_ref().map(|also| also.get_ref().as_str());
        let groups = project.groups.iter().flat_map(Spanned::get_ref);
        for group in project.group.iter().chain(groups) {
            match seen.get(&(also, group.get_ref().as_str())) {
                None => drop(seen.insert((also, group.get_ref()), group.span())),
                Some(first) => faults.push(
                    Fault::at(group.span(), format!("the group `{}` is named twice", group.get_ref()))
                        .context(first.clone(), "here first")
                        .help("keep one of the two entries; for a further project of the group add `also = \"...\"` to one"),
                ),
            }
        }
    }
}

fn rule(
    typed: &Project,
    order: &Order,
    has_app: bool,
    source: Source<'_>,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> Option<ProjectRule> {
    let (selector, selected_by) = selection::of(typed, has_app, source, faults)?;
    if let Some(name) = &typed.name {
        check_name(name, &selector, source, faults, warnings);
    }
    check_project(typed, &selector, faults);
    let plain = |text: &Text| text.get_ref().trim().to_owned();
    Some(ProjectRule {
        selector,
        name: typed.name.as_ref().map(|name| name.get_ref().clone()),
        project: typed.one_for_all.as_ref().map(plain),
        also: typed.also.as_ref().and_then(|also| also_name(also, faults)),
        location: Some(source.config.location(&selected_by)),
        roles: roles::resolve(typed, order, source, faults).map(Arc::new),
    })
}

/// One project for all groups of an entry, or a name for each.
fn check_project(typed: &Project, selector: &Selector, faults: &mut Faults) {
    match (&typed.one_for_all, &typed.name) {
        (Some(project), Some(name)) => faults.push(
            Fault::at(name.span(), "an entry has `project` or `name`, not both")
                .context(project.span(), "the project")
                .help(
                    "`project` is the name or the id of one project, and `name` the name of each group's own project",
                ),
        ),
        (Some(project), None)
            if matches!(selector, Selector::Match(_)) && !references(project.get_ref()).is_empty() =>
        {
            let fault = Fault::at(project.span(), "`project` is one project for all groups of the entry");
            faults.push(fault.help("write `name` instead: it names a project for each group"));
        }
        (None, _) => {
            if let Some(groups) = &typed.groups {
                let fault = Fault::at(groups.span(), "`groups` make one project together, which isn't named");
                faults.push(fault.help("add `project = \"...\"`, or write an entry with `group` for each group"));
            }
        }
        (Some(_), None) => {}
    }
    // A group that the index misses would cost its members the project that others make too.
    let searches = typed.search.iter().chain(&typed.exclude_search);
    for (search, project) in searches.zip(typed.one_for_all.iter().cycle()) {
        let fault = Fault::at(search.span(), "the groups of one `project` can't be found by a search");
        faults.push(fault.context(project.span(), "the project").help("name them in `groups`, or use `match`"));
    }
}

/// The name of a further project, which becomes a part of an externalId.
fn also_name(also: &Text, faults: &mut Faults) -> Option<String> {
    let name = also.get_ref();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.is_empty() && name.chars().all(is_plain) {
        return Some(name.clone());
    }
    let fault = Fault::at(also.span(), format!("`{name}` can't be the name of a further project"));
    faults.push(fault.help("use small letters and digits alone, such as \"prod\""));
    None
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
            Selector::Groups(_) => faults.push(
                at("there is no pattern to refer to".to_owned())
                    .help("write the name itself, or use `match` instead of `group`"),
            ),
            Selector::Match(filter) if !has_group(&filter.pattern, reference.name) => faults.push(
                at(format!("the pattern has no group `{}`", reference.name))
                    .help(suggestion(&filter.pattern, reference.name)),
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
}
