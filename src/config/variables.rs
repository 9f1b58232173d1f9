//! The environment variables that override keys of the file: `OKTAPIECES_SECTION_KEY`.

use std::ffi::OsString;

use toml::Spanned;

use super::keys::{self, PREFIX, SECTIONS, Section};
use super::mask;
use super::source::ConfigText;
use crate::error::{Error, Kind, Result};

/// The variable that names the config file.
pub const CONFIG: &str = "OKTAPIECES_CONFIG";
/// The variable that limits the waits for both servers.
pub const TIMEOUT: &str = "OKTAPIECES_TIMEOUT";

/// A variable that overrides a key.
#[derive(Debug)]
pub(super) struct Override {
    section: &'static str,
    key: &'static str,
    pub(super) value: Spanned<String>,
}

impl Override {
    pub(super) fn is_of(&self, section: &Section, key: &str) -> bool {
        self.section == section.name && self.key == key
    }
}

/// Adds the variables that override keys to the config, sorted by name. An empty one counts as not set, because
/// containers and CI systems can't always leave a variable out. One whose name has the prefix and belongs to no key is a
/// warning.
pub(super) fn add(
    config: &mut ConfigText,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Override>> {
    let named = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let mut named: Vec<_> = named.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect();
    named.sort();
    let known = known();
    let mut overrides = Vec::new();
    for (name, value) in named {
        let Some(found) = known.iter().find(|known| known.0 == name) else {
            warnings.push(unknown(&name, &known));
            continue;
        };
        let Some((section, key)) = found.1 else { continue };
        let value = value
            .into_string()
            .map_err(|_| Error::new(Kind::Config, format!("the environment variable {name} is not UTF-8 text")))?;
        let span = config.add_variable(&name, &value);
        overrides.push(Override { section, key, value: Spanned::new(span, value) });
    }
    Ok(overrides)
}

/// A variable's name, and the section and key that it overrides, if it overrides one.
type Known = (String, Option<(&'static str, &'static str)>);

fn known() -> Vec<Known> {
    let keys = SECTIONS.iter().flat_map(|section| {
        let keys = section.keys.iter();
        keys.filter_map(|key| Some((section.variable(key)?, Some((section.name, key.name)))))
    });
    keys.chain([CONFIG, TIMEOUT].map(|name| (name.to_owned(), None))).collect()
}

fn unknown(name: &str, known: &[Known]) -> String {
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    // The prefix is the same everywhere and would bring all names near each other.
    let short: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(PREFIX)).collect();
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let list = SECTIONS.iter().find(|section| {
        section.is_list && rest.strip_prefix(&*section.name.to_uppercase()).is_some_and(|key| key.starts_with('_'))
    });
    let hint = match (keys::nearest(rest, &short), list) {
        _ if mask::may_hold_secret(rest) => {
            "secrets come from OKTA_API_TOKEN and ACTIVEPIECES_API_KEY, or from the sources that the config names"
                .to_owned()
        }
        (Some((near, _)), _) => format!("did you mean {PREFIX}{near}?"),
        (None, Some(section)) => format!("set {} in the file", section.header()),
        (None, None) => "docs/reference/config.md lists all variables".to_owned(),
    };
    format!("environment variable {name} is unknown and was ignored (hint: {hint})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(variables: &[(&str, &str)]) -> (Vec<Override>, Vec<String>, ConfigText) {
        let mut config = ConfigText::new("config.toml", "a = 1");
        let mut warnings = Vec::new();
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let overrides = add(&mut config, variables, &mut warnings).unwrap();
        (overrides, warnings, config)
    }

    #[test]
    fn a_variable_of_no_key_is_a_warning_with_the_nearest_name() {
        let warning = |name: &str| added(&[(name, "hunter2")]).1.concat();
        for (name, near) in [
            ("OKTAPIECES_OKTA_ORGURL", "did you mean OKTAPIECES_OKTA_ORG_URL?"),
            ("OKTAPIECES_ATTRIBUTES_PLATFORMROLE", "did you mean OKTAPIECES_ATTRIBUTES_PLATFORM_ROLE?"),
            ("OKTAPIECES_SAFETY_MAX_DEACTIVATION", "did you mean OKTAPIECES_SAFETY_MAX_DEACTIVATIONS?"),
            ("OKTAPIECES_CONFG", "did you mean OKTAPIECES_CONFIG?"),
            ("OKTAPIECES_PROJECTS_GROUP", "set [[projects]] in the file"),
            ("OKTAPIECES_OKTA_TOKEN", "OKTA_API_TOKEN"),
            ("OKTAPIECES_X", "docs/reference/config.md"),
        ] {
            assert!(warning(name).contains(near), "{}", warning(name));
            assert!(!warning(name).contains("hunter2") && warning(name).contains(name), "{}", warning(name));
        }
        for name in [CONFIG, TIMEOUT, "OKTA_API_TOKEN", "HOME"] {
            assert_eq!(warning(name), "");
        }
    }

    #[test]
    fn a_value_has_its_place_behind_the_file() {
        let (overrides, warnings, config) = added(&[
            ("OKTAPIECES_SCOPE_APP", "x"),
            ("OKTAPIECES_OKTA_ORG_URL", "acme.okta.com"),
            ("OKTAPIECES_SCOPE_SEARCH", ""),
        ]);
        assert_eq!(warnings, Vec::<String>::new());
        let keys: Vec<_> = overrides.iter().map(|found| (found.section, found.key)).collect();
        assert_eq!(keys, [("okta", "org_url"), ("scope", "app")]);
        for found in &overrides {
            assert_eq!(&config.text[found.value.span()], found.value.get_ref());
        }
        assert_eq!(config.location(&overrides[1].value.span()), "environment variable OKTAPIECES_SCOPE_APP");
    }

    #[test]
    fn no_two_keys_have_the_same_variable() {
        let mut names: Vec<String> = known().into_iter().map(|(name, _)| name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
