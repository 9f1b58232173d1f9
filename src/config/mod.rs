//! The config: a file and the environment variables that override its keys ([`keys`]), read into [`Settings`].
//!
//! A config either gives complete [`Settings`] or one error with all of its faults, each with file, line, a picture of
//! the place and what to write instead. No secret is read from a config file, and one that is in it by mistake is not
//! shown: the file names the source of each secret ([`SecretSource`]). A file with `[[target]]` entries gives settings for each
//! of them ([`targets`]).

use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use crate::error::{Error, Kind, Result};
use crate::files::{self, Refusal, Trusted};

mod accepted;
mod access;
mod draft;
pub mod example;
mod expressions;
pub mod keys;
mod mask;
pub mod monitoring;
mod pattern;
mod picture;
mod place;
mod reader;
mod resolve;
mod roles;
mod rules;
pub mod secret;
mod selection;
pub mod settings;
mod source;
pub mod targets;
mod types;
mod url;
pub mod variables;

pub use monitoring::{MonitoringSettings, WebhookFormat, WebhookOn};
pub use picture::Pictures;
pub use secret::SecretSource;
pub use settings::{ActivepiecesSettings, OktaAccess, OktaSettings, ServiceAppSettings, Settings};
pub use source::ConfigText;
pub use url::secret as secret_url;

use picture::{Fault, Faults};
use resolve::resolve;
use source::Source;
use targets::Own;
use variables::Override;

/// The most bytes of a config file.
const LARGEST: u64 = 512 << 10;

/// Reads a config file and the environment variables that override its keys. Relative paths in it start at its own
/// folder; `colour` is for the pictures of its faults.
///
/// The result is never empty: settings for each target in the order of the file, or one without a target's name.
///
/// Every error is of [`Kind::Config`]. One about the content is a summary line and the pictures below it.
pub fn load(path: &Path, colour: bool) -> Result<Vec<Settings>> {
    let name = name(path);
    let Trusted { bytes, group_writes, .. } = trusted(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        Error::new(Kind::Config, format!("`{name}` is not UTF-8 text: line {line} is the first that can't be read"))
    })?;
    let mut targets = load_text(&text, path, colour)?;
    if group_writes {
        // Some systems give each user a group of their own and let it write by default, so this isn't refused.
        let warning = format!("the group of `{name}` can write it (hint: run `chmod g-w {name}`)");
        for settings in &mut targets {
            settings.warnings.push(warning.clone());
        }
    }
    Ok(targets)
}

/// Reads a text as [`load`] reads the file at this path.
pub fn load_text(text: &str, path: &Path, colour: bool) -> Result<Vec<Settings>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    read(text, &name(path), folder, std::env::vars_os(), colour)
}

/// Reads the text of a config file that is called `name`, without the environment; relative paths in it start at the
/// working directory.
pub fn parse_all(text: &str, name: &str) -> Result<Vec<Settings>> {
    read(text, name, Path::new(""), [], false)
}

/// The same, of the first target.
pub fn parse(text: &str, name: &str) -> Result<Settings> {
    parse_all(text, name).map(|mut targets| targets.swap_remove(0))
}

/// The content of a config file.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    Ok(trusted(path)?.bytes)
}

/// What tells two configs apart: the content of the file, then the variables that override its keys.
pub fn identity(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = bytes(path)?;
    let mut variables_alone = ConfigText::new("", "");
    variables::add(&mut variables_alone, std::env::vars_os(), &mut Vec::new())?;
    bytes.extend(variables_alone.text.into_bytes());
    Ok(bytes)
}

fn name(path: &Path) -> String {
    if is_input(path) { "stdin".to_owned() } else { path.display().to_string() }
}

/// Whether this path stands for the standard input.
pub fn is_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn trusted(path: &Path) -> Result<Trusted> {
    if is_input(path) {
        let bytes = files::input(LARGEST).map_err(|refusal| unreadable(&name(path), &refusal))?.to_vec();
        return Ok(Trusted { bytes, group_writes: false, shared: false });
    }
    files::read_trusted(path, LARGEST).map_err(|refusal| unreadable(&name(path), &refusal))
}

fn unreadable(name: &str, refusal: &Refusal) -> Error {
    if refusal.io_kind() != Some(std::io::ErrorKind::NotFound) {
        let error = Error::new(Kind::Config, format!("the config file `{name}` {refusal}"));
        return match refusal {
            Refusal::Owner(_) => error.hint(format!(
                "its owner could make themselves ADMIN; run `chown` so that `{name}` belongs to the user who runs this, or to root"
            )),
            Refusal::Writable => error.hint(format!("run `chmod o-w {name}`")),
            _ => error,
        };
    }
    Error::new(Kind::Config, format!("there is no config file `{name}`"))
        .hint("run `oktapieces init`, which writes one")
        .hint("or run `oktapieces sandbox --write-config config.toml` to try things out")
}

/// An org's address as the config should have it, or what is wrong with the text and what to write instead.
pub fn org_url(text: &str) -> std::result::Result<String, String> {
    url::okta(text, false).map(|(url, _)| plain(&url)).map_err(|fault| told(&fault))
}

/// The same of a platform's address.
pub fn platform_url(text: &str) -> std::result::Result<String, String> {
    url::activepieces(text, false).map(|url| plain(&url)).map_err(|fault| told(&fault))
}

/// Whether a text holds something with the form of an Okta API token or an Activepieces API key.
pub fn looks_like_secret(text: &str) -> bool {
    mask::holds_secret(text)
}

fn plain(url: &reqwest::Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn told(fault: &url::UrlFault) -> String {
    format!("{} (hint: {})", fault.message, fault.help)
}

/// Something wrong with a part of a string in a config file.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// Lower-case, no full stop.
    pub message: String,
    /// The string in the file, quotes included, in bytes.
    pub span: Range<usize>,
    /// What TOML makes of the string, and the wrong part of it, in bytes.
    pub value: String,
    pub part: Range<usize>,
    pub hint: Option<String>,
}

/// The pictures of mistakes that were found after the file was read.
pub fn pictures(config: &ConfigText, mistakes: &[Mistake], colour: bool) -> Pictures {
    let mut faults = Faults::default();
    for mistake in mistakes {
        let place = place::place(&config.text, &mistake.span, &mistake.value, &mistake.part);
        let fault = Fault::at(place, mistake.message.as_str());
        faults.push(match &mistake.hint {
            Some(hint) => fault.help(hint.as_str()),
            None => fault,
        });
    }
    faults.render(config, colour)
}

fn read(
    text: &str,
    name: &str,
    folder: &Path,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    colour: bool,
) -> Result<Vec<Settings>> {
    let (mut config, mut warnings) = (ConfigText::new(name, text), Vec::new());
    let overrides = variables::add(&mut config, variables, &mut warnings)?;
    let mut faults = Faults::default();
    let source = Source { config: &config, folder };
    let targets = match DeTable::parse_recoverable(text) {
        (root, errors) if errors.is_empty() => read_targets(root.get_ref(), &overrides, source, &warnings, &mut faults),
        (_, errors) => {
            for error in errors {
                let span = error.span().unwrap_or_default();
                let fault = Fault::at(span.clone(), error.message().replace('\n', ", "));
                faults.push(if ends_at_a_quote(text, span.start) { fault.help(SINGLE_QUOTES) } else { fault });
            }
            // The other mistakes are unknown as long as the file is no TOML.
            for line in mask::suspicious_lines(text) {
                faults.hide(line);
            }
            Vec::new()
        }
    };
    if faults.is_empty() {
        return Ok(targets);
    }
    // A variable with a misspelt name may be why a key is missing.
    let error = Error::from_source(Kind::Config, faults.render(&config, colour));
    Err(warnings.into_iter().fold(error, Error::hint))
}

/// The settings of each target; of one without them there is a fault.
fn read_targets(
    root: &DeTable<'_>,
    overrides: &[Override],
    source: Source<'_>,
    warnings: &[String],
    faults: &mut Faults,
) -> Vec<Settings> {
    let (mut resolved, mut names, mut of_targets) = (Vec::new(), Vec::new(), Vec::new());
    let entries = targets::entries(root, faults);
    for entry in &entries {
        let mut found = Faults::default();
        entry.iter().filter(|_| entries.len() > 1).for_each(|entry| targets::own_credentials(entry, &mut found));
        let draft = reader::read(&targets::lay(root, *entry), overrides, source, &mut found);
        let own = Own::of(&draft);
        let settings = resolve(draft, source, &mut found, warnings.to_vec());
        of_targets.push((own.name(), found));
        names.push(own.clone());
        resolved.extend(settings.map(|settings| (own, settings)));
    }
    targets::check_names(&names, faults);
    targets::check_apart(&resolved, faults);
    faults.add_all(of_targets);
    resolved.into_iter().map(|(_, settings)| settings).collect()
}

const SINGLE_QUOTES: &str = "put a text that holds double quotes between single quotes: key = '...\"...\"...'";

/// Whether what can't be read at this place follows a text between double quotes on the same line, which then ended too early.
fn ends_at_a_quote(text: &str, at: usize) -> bool {
    let line = text.get(..at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    line.split_once('=')
        .is_some_and(|(_, value)| value.trim_start().starts_with('"') && value.matches('"').count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::policy::{Limit, OnLeave};

    const LEAST: &str =
        "[okta]\norg_url = 'a.okta.com'\n[activepieces]\nurl = 'ap.example.com'\n[scope]\neveryone = true";

    fn with(text: &str, variables: &[(&str, &str)]) -> Result<Settings> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        read(text, "config.toml", Path::new("folder"), variables, false).map(|mut targets| targets.swap_remove(0))
    }

    #[test]
    fn variables_override_keys_of_every_type() {
        let settings = with(
            LEAST,
            &[
                ("OKTAPIECES_OKTA_ORG_URL", "b-admin.okta.com"),
                ("OKTAPIECES_OKTA_CA_FILE", "ca.pem"),
                ("OKTAPIECES_OKTA_RATE_LIMIT_SHARE", "0.25"),
                ("OKTAPIECES_OKTA_TOKEN_COMMAND", "[\"op\", \"a, b\"]"),
                ("OKTAPIECES_SCOPE_EVERYONE", "false"),
                ("OKTAPIECES_SCOPE_GROUPS", "Sales, Engineering"),
                ("OKTAPIECES_ATTRIBUTES_PLATFORM_ROLE", "\"ADMIN\""),
                ("OKTAPIECES_LIFECYCLE_SUSPENDED", "keep"),
                ("OKTAPIECES_LIFECYCLE_DEACTIVATE_AFTER", "2d"),
                ("OKTAPIECES_SAFETY_MAX_DEACTIVATIONS", "7%"),
                ("OKTAPIECES_SAFETY_MAX_CREATIONS", "8"),
                ("OKTAPIECES_SAFETY_PROTECT", "[\"a@x.io\"]"),
                ("OKTAPIECES_PROJECTS_POLICY_DELETE_UNPUSHED", "true"),
            ],
        );
        let Settings { okta, scope, mapping, policy, warnings, .. } = settings.unwrap();
        assert_eq!(okta.org_url.as_str(), "https://b.okta.com/");
        assert!(warnings[0].starts_with("environment variable OKTAPIECES_OKTA_ORG_URL: "), "{warnings:?}");
        assert_eq!(okta.ca_file.as_deref(), Some(Path::new("folder/ca.pem")));
        assert!((okta.rate_limit_share - 0.25).abs() < f64::EPSILON);
        let OktaAccess::ApiToken(SecretSource::Command(command)) = okta.access else { panic!("{:?}", okta.access) };
        assert_eq!(command.words, ["op", "a, b"]);
        assert!(!scope.everyone && scope.groups == ["Sales", "Engineering"], "{scope:?}");
        let role = mapping.platform_role.unwrap();
        assert_eq!(role.expression.source(), "\"ADMIN\"");
        let location = role.source.location();
        assert_eq!(location.as_deref(), Some("environment variable OKTAPIECES_ATTRIBUTES_PLATFORM_ROLE"));
        assert_eq!((policy.suspended, policy.grace.time.as_hours()), (OnLeave::Keep, 48));
        assert_eq!(policy.limits.deactivations, Limit::Percent(7.0));
        assert_eq!(policy.limits.creations, Limit::Count(8));
        assert!(policy.protect.contains("a@x.io") && policy.delete_unpushed);
    }

    #[test]
    fn a_variable_gives_what_the_file_lacks_and_an_empty_one_is_not_set() {
        let file = "[activepieces]\nurl = 'ap.example.com'";
        let variables = [("OKTAPIECES_OKTA_ORG_URL", "a.okta.com"), ("OKTAPIECES_SCOPE_APP", "Activepieces")];
        assert_eq!(with(file, &variables).unwrap().scope.app.as_deref(), Some("Activepieces"));
        assert!(with(LEAST, &[("OKTAPIECES_OKTA_ORG_URL", "")]).unwrap().okta.org_url.as_str().contains("a.okta.com"));
    }

    #[test]
    fn a_missing_key_comes_with_the_variables_that_are_unknown() {
        let file = "[activepieces]\nurl = 'ap.example.com'\n[scope]\neveryone = true";
        let error = with(file, &[("OKTAPIECES_OKTA_ORGURL", "a.okta.com")]).unwrap_err();
        assert!(error.to_string().contains("`org_url` is missing"), "{error}");
        assert!(error.hints[0].contains("did you mean OKTAPIECES_OKTA_ORG_URL?"), "{:?}", error.hints);
    }

    #[test]
    fn mistakes_in_variables_are_shown_with_their_names() {
        let variables = [
            ("OKTAPIECES_OKTA_TOKEN_ENV", "00aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_AB"),
            ("OKTAPIECES_OKTA_TOKEN_FILE", "token"),
            ("OKTAPIECES_SAFETY_MAX_DEACTIVATIONS", "many"),
            ("OKTAPIECES_SAFETY_PROTECT", "[a"),
            ("OKTAPIECES_ATTRIBUTES_EMAIL", "user.email +"),
        ];
        let text = LEAST.replace("[activepieces]", "token_command = ['x']\n[activepieces]");
        insta::assert_snapshot!(with(&text, &variables).unwrap_err().to_string(), @r#"
        the environment has 5 mistakes

        error: expected a value, found the end (in the expression for `email`)
         --> environment:1:41
          |
        1 | OKTAPIECES_ATTRIBUTES_EMAIL=user.email +
          |                                         ^

        error: a secret has one source
         --> environment:2:27
          |
        2 | OKTAPIECES_OKTA_TOKEN_ENV=******************************************
          |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this is another one
          |
         ::: config.toml:3:17
          |
        3 | token_command = ['x']
          |                 ----- this is one
          |
          = help: keep one of `token_env`, `token_file` and `token_command`

        error: this is not the name of an environment variable
         --> environment:2:27
          |
        2 | OKTAPIECES_OKTA_TOKEN_ENV=******************************************
          |                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ its value isn't shown here
          |
          = help: write the name of the variable that holds the secret, such as "OKTA_API_TOKEN", not the secret

        error: this is not a limit
         --> environment:4:37
          |
        4 | OKTAPIECES_SAFETY_MAX_DEACTIVATIONS=many
          |                                     ^^^^
          |
          = help: write a number of users, such as 10, or a share from "0%" to "100%"

        error: `protect` must be a list of strings
         --> environment:5:27
          |
        5 | OKTAPIECES_SAFETY_PROTECT=[a
          |                           ^^ this is a string
          |
          = help: write it in square brackets: ["..."]
        "#);
    }
}
