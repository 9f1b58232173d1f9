//! Reads a parsed TOML file by the table of keys ([`keys`]), and notes all unknown keys and wrong values.
//!
//! It walks the file itself because a derived reader stops at its first fault, and a config shows all of them at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::draft::Draft;
use super::keys::{self, Key, SECTIONS, Section};
use super::mask;
use super::picture::{Fault, Faults};
use super::source::Source;
use super::types::{Form, Given, Value, is_variable_name, wrong_type};
use super::variables::Override;

/// The most unknown keys of a table that are compared with the known ones; a file with more is probably not a config.
const COMPARED: usize = 100;

/// The values of all keys; faults are noted and left out.
pub(super) fn read(root: &DeTable<'_>, overrides: &[Override], source: Source<'_>, faults: &mut Faults) -> Draft {
    let root = Table { section: None, header: None, entries: Some(root) };
    root.check_keys(faults);
    let mut reader = Reader { overrides, source, faults, draft: Draft::default() };
    for section in SECTIONS {
        if section.is_list {
            for entry in root.tables(section, reader.faults) {
                reader.section(section, &entry);
            }
        } else {
            let table = root.table(section, reader.faults);
            reader.section(section, &table);
        }
    }
    reader.draft
}

struct Reader<'a> {
    overrides: &'a [Override],
    source: Source<'a>,
    faults: &'a mut Faults,
    draft: Draft,
}

impl<'a> Reader<'a> {
    fn section(&mut self, section: &'static Section, table: &Table<'_>) {
        table.check_keys(self.faults);
        for key in section.keys {
            match self.overridden(section, key) {
                Some(value) => self.key(key, &value),
                None => match table.get(key.name) {
                    Some(value) => self.key(key, value),
                    None => self.absent(key, table),
                },
            }
        }
        let overrides = self.overrides;
        let has = |name: &str| table.get(name).is_some() || overrides.iter().any(|one| one.is_of(section, name));
        self.draft.end(section.name, table.header.clone(), has);
    }

    /// The value of the variable that overrides a key.
    fn overridden(&self, section: &Section, key: &Key) -> Option<Value<'a>> {
        let found = self.overrides.iter().find(|found| found.is_of(section, key.name))?;
        let span = found.value.span();
        Some(Spanned::new(span.clone(), value_of(found.value.get_ref(), key.place.form(), &span)))
    }

    fn key(&mut self, key: &Key, value: &Value<'_>) {
        // The token itself is the usual mistake where only the name of its variable belongs.
        if key.name.ends_with("_env") && !value.get_ref().as_str().is_some_and(is_variable_name) {
            hide(value, self.faults);
        }
        key.place.read(&mut self.draft, Given { key: key.name, value, source: self.source }, self.faults);
    }

    /// A key that isn't there takes its default. Its place is empty, which no string of a file has.
    fn absent(&mut self, key: &Key, table: &Table<'_>) {
        if let Some(default) = key.default {
            let value = Spanned::new(0..0, value_of(default, Form::Scalar, &(0..0)));
            self.key(key, &value);
        } else if key.required && !table.has_misspelt(key.name) {
            let missing = format!("`{}` is missing in {}", key.name, table.shown());
            let fault = match table.header.clone() {
                Some(header) => Fault::at(header, missing),
                None => Fault::new(missing),
            };
            self.faults.push(fault.help(format!("add `{} = {}`", key.name, key.example)));
        }
    }
}

/// What a text that isn't in the file means; `span` is the place of all its parts.
fn value_of<'t>(text: &'t str, form: Form, span: &Range<usize>) -> DeValue<'t> {
    let placed = |value| Spanned::new(span.clone(), value);
    let parsed = if form == Form::Text { None } else { DeValue::parse(text.trim()).ok() };
    match (parsed.map(Spanned::into_inner), form) {
        (Some(DeValue::Array(items)), _) => {
            DeValue::Array(items.into_iter().map(|item| placed(item.into_inner())).collect())
        }
        (Some(value), Form::Scalar) => value,
        (Some(DeValue::Table(entries)), Form::Table) => DeValue::Table(
            entries
                .into_iter()
                .map(|(name, value)| (Spanned::new(span.clone(), name.into_inner()), placed(value.into_inner())))
                .collect(),
        ),
        (_, Form::List) if !text.trim_start().starts_with('[') => {
            DeValue::Array(text.split(',').map(|item| placed(DeValue::String(item.trim().into()))).collect())
        }
        _ => DeValue::String(text.into()),
    }
}

/// A table of the file; also one that isn't there.
#[derive(Clone, Debug)]
struct Table<'t> {
    /// None for the file itself.
    section: Option<&'static Section>,
    header: Option<Range<usize>>,
    entries: Option<&'t DeTable<'t>>,
}

impl<'t> Table<'t> {
    fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.entries?.get(key)
    }

    /// A section as its header is written.
    fn shown(&self) -> String {
        self.section.map(Section::header).unwrap_or_default()
    }

    fn known(&self) -> Vec<&'static str> {
        match self.section {
            Some(section) => {
                let sections = SECTIONS.iter().filter(|inner| section.holds_sections() && !inner.holds_sections());
                section.keys.iter().map(|key| key.name).chain(sections.map(|inner| inner.name)).collect()
            }
            None => SECTIONS.iter().map(|section| section.name).collect(),
        }
    }

    /// A table of the file; an empty one if it isn't there, or is something else.
    fn table(&self, section: &'static Section, faults: &mut Faults) -> Table<'t> {
        let absent = Table { section: Some(section), header: None, entries: None };
        match self.get(section.name).map(|value| (value, value.get_ref())) {
            None => absent,
            Some((value, DeValue::Table(entries))) => {
                Table { header: Some(value.span()), entries: Some(entries), ..absent }
            }
            Some((value, _)) => {
                hide(value, faults);
                let fault = wrong_type(section.name, "a table", value);
                faults.push(fault.help(format!("write `{}` on a line of its own", section.header())));
                Table { header: Some(value.span()), ..absent }
            }
        }
    }

    /// All tables of an array of tables.
    fn tables(&self, section: &'static Section, faults: &mut Faults) -> Vec<Table<'t>> {
        let Some(value) = self.get(section.name) else { return Vec::new() };
        let items = value.get_ref().as_array().map_or(std::slice::from_ref(value), |items| &items[..]);
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(entries) if value.get_ref().is_array() => {
                    tables.push(Table { section: Some(section), header: Some(item.span()), entries: Some(entries) });
                }
                _ => {
                    let fault = wrong_type(section.name, "a list of tables", item);
                    faults.push(fault.help(format!("write `{}` above each entry", section.header())));
                }
            }
        }
        tables
    }

    /// Notes every key that the table can't have.
    fn check_keys(&self, faults: &mut Faults) {
        let known = self.known();
        let server = self.section.is_some_and(|section| ["okta", "activepieces"].contains(&section.name));
        let mut unknown = 0;
        for (key, value) in self.entries.into_iter().flat_map(|entries| entries.iter()) {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let secret = mask::may_hold_secret(name);
            unknown += 1;
            if unknown > COMPARED && !secret {
                hide(value, faults);
                faults.push(Fault::at(key.span(), format!("unknown key `{name}`")));
                continue;
            }
            let harmless = keys::nearest(name, &known).is_some_and(|(near, _)| near.ends_with("url"));
            if secret || (server && !harmless) {
                hide(value, faults);
            }
            faults.push(if secret { self.literal_secret(key) } else { self.unknown(key, value, &known) });
        }
    }

    /// Whether an unknown key is probably this one, so that it is shown as that, and not as missing too.
    fn has_misspelt(&self, key: &str) -> bool {
        let known = self.known();
        let mut names = self.entries.into_iter().flat_map(|entries| entries.keys());
        names.any(|name| {
            let name: &str = name.get_ref();
            !known.contains(&name) && keys::nearest(name, &known).is_some_and(|(near, _)| near == key)
        })
    }

    fn literal_secret(&self, key: &Spanned<DeString<'_>>) -> Fault {
        let instead = match self.section.map(|section| section.name) {
            Some("okta") => "`token_env = \"OKTA_API_TOKEN\"` (or `token_file`, `token_command`)",
            Some("activepieces") => "`api_key_env = \"ACTIVEPIECES_API_KEY\"` (or `api_key_file`, `api_key_command`)",
            Some("monitoring") => {
                "`webhook_url_env` and `heartbeat_url_env` with the name of a variable (or `..._file`, `..._command`)"
            }
            _ => "`token_env` in [okta], `api_key_env` in [activepieces]",
        };
        Fault::at(key.span(), "a secret doesn't belong in this file")
            .label("its value isn't shown here")
            .help(format!("name the place that it comes from: {instead}"))
    }

    fn unknown(&self, key: &Spanned<DeString<'_>>, value: &Value<'_>, known: &[&'static str]) -> Fault {
        let name: &str = key.get_ref();
        let message = match self.section {
            None if value.get_ref().is_table() => format!("unknown section `{name}`"),
            None => format!("unknown key `{name}` outside of every section"),
            Some(section) => format!("unknown key `{name}` in {}", section.header()),
        };
        let help = match (keys::nearest(name, known), keys::section_of(name)) {
            (Some((near, 0)), _) | (Some((near, _)), None) => format!("did you mean `{near}`?"),
            (_, Some(section)) if self.section.is_some_and(Section::holds_sections) => {
                format!("`{name}` belongs in [target.{}]", section.name)
            }
            (_, Some(section)) => format!("`{name}` belongs in {}", section.header()),
            (None, None) => format!("the known names are: {}", known.join(", ")),
        };
        Fault::at(key.span(), message).help(help)
    }
}

/// Hides a value, and all values in it where it is a table: the place of that is only its header.
fn hide(value: &Value<'_>, faults: &mut Faults) {
    match value.get_ref() {
        DeValue::Table(entries) => entries.iter().for_each(|(_, value)| hide(value, faults)),
        _ => faults.hide(value.span()),
    }
}
