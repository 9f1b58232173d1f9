//! Resolves which groups a `[[projects]]` entry takes: those that it names, or those of a pattern, a search, a type or Okta's group
//! push.

use std::ops::Range;

use regex::Regex;
use toml::Spanned;

use super::draft::Project;
use super::pattern::regex;
use super::picture::{Fault, Faults};
use super::source::Source;
use super::types::Text;
use crate::mapping::projects::{Filter, Selector};
use crate::model::okta::GroupType;

/// The value of `group_push`.
const FROM_OKTA: &str = "from_okta";

/// What the entry takes, and the place of the key that says it.
pub(super) fn of(
    typed: &Project,
    has_app: bool,
    source: Source<'_>,
    faults: &mut Faults,
) -> Option<(Selector, Range<usize>)> {
    if let Some(fault) = not_both(typed) {
        faults.push(fault);
        return None;
    }
    if let Some(group) = &typed.group {
        only_filters(typed, faults);
        return Some((Selector::group(group.get_ref()), group.span()));
    }
    if let Some(groups) = &typed.groups {
        only_filters(typed, faults);
        let names = named(groups, faults)?;
        return Some((Selector::Groups(names), groups.span()));
    }
    let Some(first) = typed.pattern.as_ref().or(typed.group_push.as_ref()).or(typed.search.as_ref()) else {
        if !typed.has_selector {
            let help = "add `group = \"...\"` for one group, or `match = '...'` for all groups of a pattern";
            faults.push(Fault::at(typed.header.clone(), "this entry selects no group").help(help));
        }
        return None;
    };
    Some((Selector::Match(filter(typed, has_app, source, faults)?), first.span()))
}

/// An entry names groups, or has what they are filtered by.
fn not_both(typed: &Project) -> Option<Fault> {
    let keys = [
        ("group", typed.group.as_ref().map(Spanned::span)),
        ("groups", typed.groups.as_ref().map(Spanned::span)),
        ("match", typed.pattern.as_ref().map(Spanned::span)),
        ("group_push", typed.group_push.as_ref().map(Spanned::span)),
        ("search", typed.search.as_ref().map(Spanned::span)),
    ];
    let mut given = keys.into_iter().filter_map(|(key, span)| Some((key, span?)));
    let ((first, at), (second, other)) = (given.next()?, given.next()?);
    if !["group", "groups"].contains(&first) {
        return None;
    }
    let fault = Fault::at(other, format!("an entry has `{first}` or `{second}`, not both"));
    Some(fault.context(at, format!("the {first}")).help("write two [[projects]] entries"))
}

/// What limits a pattern says nothing about groups that are named.
fn only_filters(typed: &Project, faults: &mut Faults) {
    let spans = [
        typed.kind.as_ref().map(Spanned::span),
        typed.exclude.as_ref().map(Spanned::span),
        typed.exclude_pattern.as_ref().map(Spanned::span),
        typed.exclude_search.as_ref().map(Spanned::span),
    ];
    for span in spans.into_iter().flatten() {
        let fault = Fault::at(span, "this limits `match`, `search` and `group_push`, and the entry names its groups");
        faults.push(fault.help("leave it out, or use `match` instead"));
    }
}

fn named(groups: &Spanned<Vec<Text>>, faults: &mut Faults) -> Option<Vec<String>> {
    let names: Vec<String> = groups.get_ref().iter().map(|group| group.get_ref().clone()).collect();
    if names.is_empty() {
        faults.push(Fault::at(groups.span(), "this names no group").help("name at least one, or leave the entry out"));
        return None;
    }
    Some(names)
}

fn filter(typed: &Project, has_app: bool, source: Source<'_>, faults: &mut Faults) -> Option<Filter> {
    let pattern = match &typed.pattern {
        Some(pattern) => regex(pattern, source, faults),
        // The whole name, for `name = "Team $0"`.
        None => Regex::new("(?s)^.*$").ok(),
    };
    let exclude_pattern = match &typed.exclude_pattern {
        Some(pattern) => Some(regex(pattern, source, faults)?),
        None => None,
    };
    let plain = |search: &Text| search.get_ref().trim().to_owned();
    let excluded = typed.exclude.iter().flat_map(Spanned::get_ref);
    Some(Filter {
        pattern: pattern?,
        kind: typed.kind.as_ref().and_then(|kind| group_type(kind, faults)),
        pushed_by_okta: typed.group_push.as_ref().is_some_and(|push| is_pushed(push, has_app, faults)),
        exclude: excluded.map(|group| group.get_ref().clone()).collect(),
        exclude_pattern,
        search: typed.search.as_ref().map(plain),
        exclude_search: typed.exclude_search.as_ref().map(plain),
    })
}

fn group_type(text: &Text, faults: &mut Faults) -> Option<GroupType> {
    let known = [GroupType::OktaGroup, GroupType::AppGroup];
    let found = known.into_iter().find(|kind| kind.as_str() == text.get_ref());
    if found.is_none() {
        let fault = Fault::at(text.span(), format!("`{}` is not a type of groups", text.get_ref()));
        faults.push(fault.help("write \"OKTA_GROUP\" or \"APP_GROUP\""));
    }
    found
}

fn is_pushed(text: &Text, has_app: bool, faults: &mut Faults) -> bool {
    let fault = if text.get_ref() != FROM_OKTA {
        let fault = Fault::at(text.span(), format!("`{}` is not a choice", text.get_ref()));
        fault.help("write \"from_okta\"")
    } else if has_app {
        return true;
    } else {
        Fault::at(text.span(), "[scope] names no app, whose pushed groups would be taken")
            .help("add `app = \"...\"` under [scope]")
    };
    faults.push(fault);
    true
}
