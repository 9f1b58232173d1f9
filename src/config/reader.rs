//! Reads a parsed TOML table key by key, and notes everything that can't be meant: unknown keys and wrong types.
//!
//! It walks the table itself because a derived reader stops at its first fault, and a config file shows all of its
//! faults at once.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

use super::file;
use super::mask;
use super::picture::{Fault, Faults};

/// A string and the bytes of the file where it stands, quotes included.
pub(super) type Text = Spanned<String>;

/// A number, or a string that may stand for one, such as `"10%"`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Amount {
    Integer(i64),
    Float(f64),
    Text(String),
}

/// A table of the file; also one that isn't there.
#[derive(Clone, Debug)]
pub(super) struct Table<'t> {
    /// `okta`; empty for the file itself.
    name: &'static str,
    header: Option<Range<usize>>,
    entries: Option<&'t DeTable<'t>>,
}

/// So many unknown keys of a table are compared with those that it may have; a file with more is another one by mistake.
const COMPARED: usize = 100;

type Value<'t> = Spanned<DeValue<'t>>;

impl<'t> Table<'t> {
    /// The file itself.
    pub(super) fn root(entries: &'t DeTable<'t>) -> Self {
        Self { name: "", header: None, entries: Some(entries) }
    }

    /// Where the table's header stands; none if the table isn't there.
    pub(super) fn header(&self) -> Option<Range<usize>> {
        self.header.clone()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A fault about the table as a whole.
    pub(super) fn fault(&self, message: impl Into<String>) -> Fault {
        match self.header() {
            Some(header) => Fault::at(header, message),
            None => Fault::new(message),
        }
    }

    pub(super) fn text(&self, key: &str, faults: &mut Faults) -> Option<Text> {
        let value = self.get(key)?;
        let text = text(value);
        if text.is_none() {
            faults.push(wrong_type(key, "a string", value).help("write it in quotes"));
        }
        text
    }

    /// A string that has to be there.
    pub(super) fn required_text(&self, key: &str, example: &str, faults: &mut Faults) -> Option<Text> {
        if !self.has(key) && !self.has_misspelt(key) {
            let missing = format!("`{key}` is missing in {}", shown(self.name));
            faults.push(self.fault(missing).help(format!("add `{key} = \"{example}\"`")));
        }
        self.text(key, faults)
    }

    pub(super) fn texts(&self, key: &str, faults: &mut Faults) -> Option<Spanned<Vec<Text>>> {
        let value = self.get(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            let fault = wrong_type(key, "a list of strings", value);
            let is_text = value.get_ref().is_str();
            faults.push(if is_text { fault.help("write it in square brackets: [\"...\"]") } else { fault });
            return None;
        };
        let texts = items.iter().filter_map(|item| {
            let text = text(item);
            if text.is_none() {
                faults.push(wrong_type(key, "a list of strings", item).help("write it in quotes"));
            }
            text
        });
        Some(Spanned::new(value.span(), texts.collect()))
    }

    /// A date, with or without quotes, as its text.
    pub(super) fn date(&self, key: &str, faults: &mut Faults) -> Option<Text> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Datetime(date) => Some(Spanned::new(value.span(), date.to_string())),
            DeValue::String(text) => Some(Spanned::new(value.span(), text.to_string())),
            _ => {
                faults.push(wrong_type(key, "a date", value).help("write a date, such as 2027-01-31"));
                None
            }
        }
    }

    pub(super) fn flag(&self, key: &str, faults: &mut Faults) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            faults.push(wrong_type(key, "true or false", value).help("write `true` or `false`, without quotes"));
        }
        flag
    }

    /// A number, or a string; `wanted` says which, as in "a number or a share".
    pub(super) fn amount(&self, key: &str, wanted: &str, faults: &mut Faults) -> Option<Spanned<Amount>> {
        let value = self.get(key)?;
        let amount = match value.get_ref() {
            DeValue::String(text) => Some(Amount::Text(text.to_string())),
            DeValue::Integer(number) => integer(number).map(Amount::Integer),
            DeValue::Float(number) => number.as_str().parse().ok().map(Amount::Float),
            _ => None,
        };
        if amount.is_none() {
            faults.push(wrong_type(key, wanted, value));
        }
        amount.map(|amount| Spanned::new(value.span(), amount))
    }

    /// A table of the file; an empty one if it isn't there, or is something else.
    pub(super) fn table(&self, name: &'static str, faults: &mut Faults) -> Table<'t> {
        let absent = Table { name, header: None, entries: None };
        match self.get(name).map(|value| (value, value.get_ref())) {
            None => absent,
            Some((value, DeValue::Table(entries))) => {
                Table { header: Some(value.span()), entries: Some(entries), ..absent }
            }
            Some((value, _)) => {
                hide(value, faults);
                faults.push(wrong_type(name, "a table", value).help(format!("write `[{name}]` on a line of its own")));
                Table { header: Some(value.span()), ..absent }
            }
        }
    }

    /// All tables of an array of tables.
    pub(super) fn tables(&self, name: &'static str, faults: &mut Faults) -> Vec<Table<'t>> {
        let Some(value) = self.get(name) else { return Vec::new() };
        let items = value.get_ref().as_array().map_or(std::slice::from_ref(value), |items| &items[..]);
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(entries) if value.get_ref().is_array() => {
                    tables.push(Table { name, header: Some(item.span()), entries: Some(entries) });
                }
                _ => faults.push(
                    wrong_type(name, "a list of tables", item).help(format!("write `[[{name}]]` above each entry")),
                ),
            }
        }
        tables
    }

    /// Notes every key that isn't one of those that the table may have.
    pub(super) fn check_keys(&self, faults: &mut Faults) {
        let known = file::keys_of(self.name);
        let server = ["okta", "activepieces"].contains(&self.name);
        let mut unknown = 0;
        for (key, value) in self.entries.into_iter().flat_map(|entries| entries.iter()) {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                // The token itself is the usual mistake where only the name of its variable belongs.
                if name.ends_with("_env") && !value.get_ref().as_str().is_some_and(is_variable_name) {
                    hide(value, faults);
                }
                continue;
            }
            let secret = mask::may_hold_secret(name);
            unknown += 1;
            if unknown > COMPARED && !secret {
                hide(value, faults);
                faults.push(Fault::at(key.span(), format!("unknown key `{name}`")));
                continue;
            }
            let harmless = nearest(name, known).is_some_and(|(near, _)| near.ends_with("url"));
            if secret || (server && !harmless) {
                hide(value, faults);
            }
            faults.push(if secret { self.literal_secret(key) } else { self.unknown(key, value, known) });
        }
    }

    /// Whether an unknown key is probably meant to be this one: it is shown as that, and not as missing too.
    fn has_misspelt(&self, key: &str) -> bool {
        let known = file::keys_of(self.name);
        let mut names = self.entries.into_iter().flat_map(|entries| entries.keys());
        names.any(|name| {
            !known.contains(&&**name.get_ref()) && nearest(name.get_ref(), known).is_some_and(|(near, _)| near == key)
        })
    }

    fn literal_secret(&self, key: &Spanned<DeString<'_>>) -> Fault {
        let instead = match self.name {
            "okta" => "`token_env = \"OKTA_API_TOKEN\"` (or `token_file`, `token_command`)",
            "activepieces" => "`api_key_env = \"ACTIVEPIECES_API_KEY\"` (or `api_key_file`, `api_key_command`)",
            _ => "`token_env` in [okta], `api_key_env` in [activepieces]",
        };
        Fault::at(key.span(), "a secret doesn't belong in this file")
            .label("its value isn't shown here")
            .help(format!("name the place that it comes from: {instead}"))
    }

    fn unknown(&self, key: &Spanned<DeString<'_>>, value: &Value<'_>, known: &[&str]) -> Fault {
        let name: &str = key.get_ref();
        let message = match self.name {
            "" if value.get_ref().is_table() => format!("unknown section `{name}`"),
            "" => format!("unknown key `{name}` outside of every section"),
            table => format!("unknown key `{name}` in {}", shown(table)),
        };
        let help = match (nearest(name, known), file::section_of(name)) {
            (Some((near, 0)), _) | (Some((near, _)), None) => format!("did you mean `{near}`?"),
            (_, Some(section)) => format!("`{name}` belongs in {}", shown(section)),
            (None, None) => format!("what may stand here: {}", known.join(", ")),
        };
        Fault::at(key.span(), message).help(help)
    }

    fn get(&self, key: &str) -> Option<&'t Value<'t>> {
        self.entries?.get(key)
    }
}

/// Hides a value, and all values in it where it is a table: the place of that is only its header.
fn hide(value: &Value<'_>, faults: &mut Faults) {
    match value.get_ref() {
        DeValue::Table(entries) => entries.iter().for_each(|(_, value)| hide(value, faults)),
        _ => faults.hide(value.span()),
    }
}

fn text(value: &Value<'_>) -> Option<Text> {
    value.get_ref().as_str().map(|text| Spanned::new(value.span(), text.to_owned()))
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn wrong_type(key: &str, wanted: &str, value: &Value<'_>) -> Fault {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(number) if integer(number).is_none() => "too large a number",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Fault::at(value.span(), format!("`{key}` must be {wanted}")).label(format!("this is {found}"))
}

/// A section as its header is written.
fn shown(section: &str) -> String {
    if ["projects", "accepted"].contains(&section) { format!("[[{section}]]") } else { format!("[{section}]") }
}

/// Whether an environment variable can have this name: letters, digits and `_`, and no digit first.
pub(super) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The candidate that was probably meant, and how far it is from what stands there; case, `-` and `_` don't count.
fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<(&'a str, usize)> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let name = plain(name);
    let distances = candidates.iter().map(|known| (*known, strsim::damerau_levenshtein(&name, &plain(known))));
    distances.min_by_key(|(_, distance)| *distance).filter(|(_, distance)| *distance <= (name.len() / 3).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_found_whatever_its_spelling() {
        let known = ["org_url", "token_env", "token_file"];
        assert_eq!(nearest("orgUrl", &known), Some(("org_url", 0)));
        assert_eq!(nearest("org-ulr", &known), Some(("org_url", 1)));
        assert_eq!(nearest("token_fil", &known), Some(("token_file", 1)));
        assert_eq!(nearest("client_id", &known), None);
    }

    #[test]
    fn a_token_is_no_name_of_a_variable() {
        assert!(is_variable_name("OKTA_API_TOKEN") && is_variable_name("_x1"));
        for name in ["", "00abc", "sk-abc", "A B", "A=B"] {
            assert!(!is_variable_name(name), "{name}");
        }
    }
}
