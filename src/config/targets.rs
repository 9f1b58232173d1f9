//! `[[target]]`: several platforms and orgs in one file. Each target is the file with the target's own tables laid over it, and
//! is read as a file of its own.
//!
//! All of it happens on the parsed file, so that every value keeps its place there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::draft::{Draft, Secret};
use super::keys::{CREDENTIALS, SECTIONS, Section, TARGETS};
use super::picture::{Fault, Faults};
use super::settings::Settings;
use super::types::{Text, Value};

/// The most targets of a file; one with more is probably not a config.
const MOST: usize = 100;
/// The most letters of a name.
const LONGEST: usize = 40;

/// The lists whose entries a target adds to those of the file. A project is made by the first entry that takes a group, so that
/// two lists of these have no order.
const ADDED: &str = "accepted";

/// The `[[target]]` entries of a file; one that is none where the file has no targets.
pub(super) fn entries<'t>(root: &'t DeTable<'t>, faults: &mut Faults) -> Vec<Option<&'t Value<'t>>> {
    let Some(targets) = root.get(TARGETS) else { return vec![None] };
    let items = targets.get_ref().as_array().map_or(std::slice::from_ref(targets), |items| &items[..]);
    if items.is_empty() {
        faults.push(Fault::at(targets.span(), "`target` names no target").help("write `[[target]]` above each target"));
    }
    if let Some(more) = items.get(MOST) {
        faults.push(Fault::at(more.span(), format!("a file has at most {MOST} targets")));
        return Vec::new();
    }
    items.iter().map(Some).collect()
}

/// The file as the target has it: with this entry alone, and its tables over those of the file.
pub(super) fn lay<'t>(root: &'t DeTable<'t>, entry: Option<&Value<'t>>) -> Cow<'t, DeTable<'t>> {
    let (Some(entry), Some((key, targets))) = (entry, root.get_key_value(TARGETS)) else { return Cow::Borrowed(root) };
    let mut laid = root.clone();
    let is_list = targets.get_ref().is_array();
    let only = if is_list { DeValue::Array([entry.clone()].into_iter().collect()) } else { entry.get_ref().clone() };
    laid.insert(key.clone(), Spanned::new(targets.span(), only));
    if let DeValue::Table(own) = entry.get_ref() {
        lay_over(&mut laid, own);
    }
    Cow::Owned(laid)
}

/// Lays a target's tables over those of the file.
fn lay_over<'t>(file: &mut DeTable<'t>, own: &DeTable<'t>) {
    for section in SECTIONS.iter().filter(|section| !section.holds_sections()) {
        let Some((key, value)) = own.get_key_value(section.name) else { continue };
        let laid = match (file.remove(section.name).map(Spanned::into_inner), value.get_ref()) {
            (Some(DeValue::Table(inherited)), DeValue::Table(own)) => DeValue::Table(table(section, inherited, own)),
            (Some(DeValue::Array(inherited)), DeValue::Array(own)) if section.name == ADDED => {
                DeValue::Array(inherited.into_iter().chain(own.iter().cloned()).collect())
            }
            (_, own) => own.clone(),
        };
        file.insert(key.clone(), Spanned::new(value.span(), laid));
    }
}

/// The keys of a section. Those that say one thing together are inherited together or not at all.
fn table<'t>(section: &Section, mut inherited: DeTable<'t>, own: &DeTable<'t>) -> DeTable<'t> {
    let set = section.keys.iter().filter(|key| own.contains_key(key.name));
    let bundles: Vec<&str> = set.filter_map(|key| key.bundle).collect();
    for key in section.keys.iter().filter(|key| key.bundle.is_some_and(|bundle| bundles.contains(&bundle))) {
        inherited.remove(key.name);
    }
    for (key, value) in own {
        // The key goes too: its place is that of the value.
        inherited.remove(key.get_ref().as_ref());
        inherited.insert(key.clone(), value.clone());
    }
    inherited
}

/// A token is for one server: a target with an address of its own never sends it the secret of another one.
pub(super) fn own_credentials(entry: &Value<'_>, faults: &mut Faults) {
    let Some(own) = entry.get_ref().as_table() else { return };
    for (section, url, example) in
        [("okta", "org_url", "token_env = \"...\""), ("activepieces", "url", "api_key_env = \"...\"")]
    {
        let Some(DeValue::Table(table)) = own.get(section).map(Spanned::get_ref) else { continue };
        let Some(address) = table.get(url) else { continue };
        let section = SECTIONS.iter().find(|known| known.name == section);
        let mut named = section.into_iter().flat_map(|section| section.keys);
        if !named.any(|key| key.bundle == Some(CREDENTIALS) && table.contains_key(key.name)) {
            let fault = Fault::at(address.span(), "this target has an address of its own, and no secret of its own");
            faults.push(fault.help(format!("name the place of its secret next to it, such as `{example}`")));
        }
    }
}

/// What of a target has to be its own.
#[derive(Clone)]
pub(super) struct Own {
    name: Option<Text>,
    platform: Option<Range<usize>>,
    heartbeat: Option<Range<usize>>,
}

impl Own {
    pub(super) fn of(draft: &Draft) -> Self {
        let platform = draft.activepieces.url.as_ref().map(Spanned::span);
        Self { name: draft.target.clone(), platform, heartbeat: place(&draft.monitoring.heartbeat) }
    }

    /// What messages call the target.
    pub(super) fn name(&self) -> String {
        self.name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default()
    }
}

fn place(secret: &Secret) -> Option<Range<usize>> {
    let texts = [&secret.env, &secret.file].into_iter().flatten().map(Spanned::span);
    texts.chain(secret.command.as_ref().map(Spanned::span)).next()
}

/// Notes names that no target can have, or that two have.
pub(super) fn check_names(targets: &[Own], faults: &mut Faults) {
    let mut known: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for name in targets.iter().filter_map(|target| target.name.as_ref()) {
        let text = name.get_ref();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !(1..=LONGEST).contains(&text.len()) || !text.chars().all(is_plain) || text.starts_with('-') {
            let help = format!("write up to {LONGEST} letters, digits, `-` and `_`, such as \"production\"");
            faults.push(Fault::at(name.span(), "this can't be the name of a target").help(help));
        } else if let Some(first) = known.get(&text.to_lowercase()) {
            let fault = Fault::at(name.span(), "two targets have this name");
            faults.push(fault.context(first.clone(), "this is the other one"));
        } else {
            known.insert(text.to_lowercase(), name.span());
        }
    }
}

/// Notes what two targets have in common and that would do harm: a platform takes its users from one scope of one org, and a
/// heartbeat of one target would hide that another one fails.
pub(super) fn check_apart(targets: &[(Own, Settings)], faults: &mut Faults) {
    for (at, (own, settings)) in targets.iter().enumerate().filter(|(_, (own, _))| own.name.is_some()) {
        let earlier = || targets[..at].iter().filter(|(other, _)| other.name.is_some());
        let is_same_platform = |(_, other): &&(Own, Settings)| other.activepieces.url == settings.activepieces.url;
        if let Some((other, _)) = earlier().find(is_same_platform) {
            let message = format!("the targets {} and {} have the same platform", other.name(), own.name());
            let help = "give each its own `url` in [target.activepieces]: a platform takes its users from one scope of one org";
            faults.push(both(own.platform.clone(), other.platform.clone(), message).help(help));
        }
        let is_same_heartbeat = |(_, other): &&(Own, Settings)| {
            settings.monitoring.heartbeat.is_some() && other.monitoring.heartbeat == settings.monitoring.heartbeat
        };
        if let Some((other, _)) = earlier().find(is_same_heartbeat) {
            let message = format!("the targets {} and {} have the same heartbeat", other.name(), own.name());
            let help = "name an address for each in [target.monitoring]: one that works would hide one that fails";
            faults.push(both(own.heartbeat.clone(), other.heartbeat.clone(), message).help(help));
        }
    }
}

/// A fault of two places, which may be one.
fn both(own: Option<Range<usize>>, other: Option<Range<usize>>, message: String) -> Fault {
    match (own, other) {
        (Some(own), Some(other)) if own != other => Fault::at(own, message).context(other, "this is the other one"),
        (Some(own), _) => Fault::at(own, message),
        (None, _) => Fault::new(message),
    }
}

/// Where a target ends in the text: behind the last value of it.
pub fn end_of(text: &str, target: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let targets = root.get_ref().get(TARGETS)?.get_ref().as_array()?;
    let of_name =
        |item: &&Value<'_>| item.get_ref().get("name").and_then(|name| name.get_ref().as_str()) == Some(target);
    targets.iter().find(of_name).map(last)
}

fn last(value: &Value<'_>) -> usize {
    let inner = match value.get_ref() {
        DeValue::Table(entries) => entries.values().map(last).max(),
        DeValue::Array(items) => items.iter().map(last).max(),
        _ => None,
    };
    value.span().end.max(inner.unwrap_or_default())
}
