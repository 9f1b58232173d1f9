//! The config file: what may be typed ([`file`]), and what it means ([`settings`]).
//!
//! A file either gives complete [`Settings`] or one error with all of its faults, each with file, line, a picture of
//! the place and what to write instead. No secret is ever read from a config file, and none is shown that somebody
//! typed into one: it names where each secret comes from ([`SecretSource`]).

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use crate::error::{Error, Kind, Result};
use crate::files::{self, Refusal, Trusted};

mod accepted;
mod access;
mod file;
mod mask;
mod picture;
mod place;
mod reader;
mod resolve;
mod rules;
pub mod secret;
pub mod settings;
mod url;

pub use picture::Pictures;
pub use secret::SecretSource;
pub use settings::{ActivepiecesSettings, ConfigText, OktaAccess, OktaSettings, ServiceAppSettings, Settings};

use file::File;
use picture::{Fault, Faults};
use resolve::{Source, resolve};

/// More than any config has, in bytes.
const LARGEST: u64 = 512 << 10;

/// Reads a config file. Relative paths in it start at its own folder; `colour` is for the pictures of its faults.
///
/// Every error is of [`Kind::Config`]. One about the content is a summary line and the pictures below it.
pub fn load(path: &Path, colour: bool) -> Result<Settings> {
    let name = path.display().to_string();
    let Trusted { bytes, group_writes, .. } = trusted(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        Error::new(Kind::Config, format!("`{name}` is no UTF-8 text: line {line} is the first that can't be read"))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut settings = read(Source { name: &name, text: &text, folder }, colour)?;
    if group_writes {
        // Some systems give each user a group of their own and let it write by default, so this isn't refused.
        settings.warnings.push(format!("the group of `{name}` can write it (hint: run `chmod g-w {name}`)"));
    }
    Ok(settings)
}

/// Reads the text of a config file that is called `name`; relative paths in it start at the working directory.
pub fn parse(text: &str, name: &str) -> Result<Settings> {
    read(Source { name, text, folder: Path::new("") }, false)
}

/// The content of a config file.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    Ok(trusted(path)?.bytes)
}

fn trusted(path: &Path) -> Result<Trusted> {
    files::read_trusted(path, LARGEST).map_err(|refusal| unreadable(&path.display().to_string(), &refusal))
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
        .hint("copy config.example.toml, which explains every key, and fill in your own addresses")
        .hint("or run `oktapieces sandbox`, which prints a config to try things with")
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

/// The pictures of what turned out wrong after the file was read.
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
    faults.render(&config.name, &config.text, colour)
}

fn read(source: Source<'_>, colour: bool) -> Result<Settings> {
    let mut faults = Faults::default();
    let settings = settings_of(source, &mut faults);
    match settings {
        Some(settings) if faults.is_empty() => Ok(settings),
        _ => Err(Error::from_source(Kind::Config, faults.render(source.name, source.text, colour))),
    }
}

fn settings_of(source: Source<'_>, faults: &mut Faults) -> Option<Settings> {
    let (root, errors) = DeTable::parse_recoverable(source.text);
    for error in &errors {
        faults.push(Fault::at(error.span().unwrap_or_default(), error.message().replace('\n', ", ")));
    }
    if !errors.is_empty() {
        // What else is wrong can't be told before the file is TOML.
        for line in mask::suspicious_lines(source.text) {
            faults.hide(line);
        }
        return None;
    }
    let file = File::read(root.get_ref(), faults);
    resolve(&file, source, faults)
}
