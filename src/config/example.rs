//! The text of a config file with comments, from the table of keys: config.example.toml, and the file that `init` writes.

use std::collections::BTreeMap;

use super::keys::{Key, SECTIONS, Section};

/// The width of a line.
const WIDTH: usize = 120;

const ABOUT_ALL: &str = "\
# A config file for oktapieces with every key.
#
# `oktapieces init` writes one with the keys that most configs have. Keys behind a `#` are optional and show their
# default, or an example if they have none. This file holds no secret, only the places that secrets come from. Environment
# variables can override most keys; docs/reference/config.md lists them.
";

const ABOUT_MADE: &str = "\
# The config of oktapieces. `oktapieces check` tests it, and `oktapieces help config` explains every key.
#
# Keys behind a `#` show their default, or an example if they have none. This file holds no secret, only the places that
# secrets come from.
";

/// The values that a made config sets, in TOML.
#[derive(Debug, Default)]
pub struct Values {
    keys: BTreeMap<(&'static str, &'static str), String>,
    /// The entries of lists, each with the section and the values of its keys.
    entries: Vec<(&'static str, BTreeMap<&'static str, String>)>,
}

impl Values {
    pub fn set(&mut self, section: &'static str, key: &'static str, value: impl Into<toml::Value>) {
        self.keys.insert((section, key), value.into().to_string());
    }

    /// Adds an entry with one key to a section that is a list.
    pub fn add(&mut self, section: &'static str, key: &'static str, value: impl Into<toml::Value>) {
        self.entries.push((section, BTreeMap::from([(key, value.into().to_string())])));
    }
}

/// A file with every key: the common ones with their default, or with the example if there is none; the others as comments.
pub fn whole() -> String {
    let sections = SECTIONS.iter().map(|section| introduction(section) + &with_all_keys(section));
    ABOUT_ALL.to_owned() + &sections.collect::<String>()
}

fn with_all_keys(section: &Section) -> String {
    let all = |keys: &[&Key], mark: &str| keys.iter().map(|key| lines(key, None, mark)).collect::<String>();
    let header = section.header();
    if !section.is_list {
        let keys = section.keys.iter().map(|key| lines(key, None, if key.common { "" } else { "# " }));
        return format!("{header}\n{}", keys.collect::<String>());
    }
    // The other keys don't go with the common ones: they are an entry of their own.
    let (common, other): (Vec<&Key>, Vec<&Key>) = section.keys.iter().partition(|key| key.common);
    let first = if common.is_empty() { String::new() } else { format!("{header}\n{}\n", all(&common, "")) };
    format!("{first}# {header}\n{}", all(&other, "# "))
}

/// A file with these values, and with the keys that most configs have as comments.
pub fn of(values: &Values) -> String {
    let sections =
        SECTIONS.iter().map(|section| if section.is_list { list(section, values) } else { table(section, values) });
    ABOUT_MADE.to_owned() + &sections.collect::<String>()
}

fn table(section: &Section, values: &Values) -> String {
    let lines = section.keys.iter().filter_map(|key| {
        let value = values.keys.get(&(section.name, key.name));
        let mark = if value.is_some() { "" } else { "# " };
        (value.is_some() || key.common).then(|| lines(key, value.map(String::as_str), mark))
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("{}{}\n{lines}", introduction(section), section.header()) }
}

/// The entries of a list; the first one has the comments. Without any the common keys are an example.
fn list(section: &Section, values: &Values) -> String {
    let entries: Vec<_> =
        values.entries.iter().filter(|(name, _)| *name == section.name).map(|(_, keys)| keys).collect();
    let mut parts = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let lines = section.keys.iter().filter_map(|key| {
            let value = entry.get(key.name)?;
            Some(if at == 0 { lines(key, Some(value), "") } else { format!("{} = {value}\n", key.name) })
        });
        parts.push(format!("{}\n{}", section.header(), lines.collect::<String>()));
    }
    if entries.is_empty() {
        let lines: String = section.keys.iter().filter(|key| key.common).map(|key| lines(key, None, "# ")).collect();
        parts.extend((!lines.is_empty()).then(|| format!("# {}\n{lines}", section.header())));
    }
    if parts.is_empty() { String::new() } else { introduction(section) + &parts.join("\n") }
}

fn introduction(section: &Section) -> String {
    let title = format!("# --- {} ", section.title);
    format!("\n{title:-<WIDTH$}\n\n{}", comment(section.docs))
}

/// A key with its docs, and with this value, its default, or its example.
fn lines(key: &Key, value: Option<&str>, mark: &str) -> String {
    let absent = key.absent.map(|absent| format!(" Default: {absent}.")).unwrap_or_default();
    let docs = comment(&format!("{}{absent}", key.docs));
    format!("{docs}{mark}{} = {}\n", key.name, value.or(key.default).unwrap_or(key.example))
}

/// The text as comments of TOML.
fn comment(text: &str) -> String {
    let options = textwrap::Options::new(WIDTH).initial_indent("# ").subsequent_indent("# ").break_words(false);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options.word_separator(textwrap::WordSeparator::AsciiSpace)) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn a_made_file_has_its_values_and_reads_as_them() {
        let mut values = Values::default();
        values.set("okta", "org_url", "https://a.okta.com");
        values.set("activepieces", "url", "https://ap.example.com");
        values.set("scope", "app", "The \"App\" \\ 'x'");
        values.set("attributes", "from_okta", true);
        values.add("projects", "group", "AP Sales");
        values.add("projects", "group", "AP 'Ops'");
        let text = of(&values);
        let settings = config::parse(&text, "config.toml").unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(settings.scope.app.as_deref(), Some("The \"App\" \\ 'x'"));
        assert!(settings.from_okta && settings.projects.len() == 2, "{text}");
        assert_eq!(text.matches("\n# One group: ").count(), 1, "{text}");
        assert!(text.contains("\n# userName = \"user.email\"\n") && !text.contains("accepted"), "{text}");
    }

    #[test]
    fn a_made_file_without_groups_shows_how_to_name_one() {
        assert!(of(&Values::default()).contains("\n# [[projects]]\n"));
    }
}
