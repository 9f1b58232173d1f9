//! The service app of `[okta]`: all of its keys, or an API token, and never both.

use std::ops::Range;

use toml::Spanned;

use super::draft::{App, Secret};
use super::mask;
use super::picture::{Fault, Faults};
use super::secret::SecretSource;
use super::settings::ServiceAppSettings;
use super::types::Text;

/// A service app with all required keys.
pub(super) struct Complete<'a> {
    client_id: &'a Text,
    key_id: &'a Text,
    pub(super) key_file: &'a Text,
    scopes: Option<Vec<String>>,
}

/// The place of the first key of a service app, if there is one.
pub(super) fn first_key(app: &App) -> Option<Range<usize>> {
    let texts = [&app.client_id, &app.key_file, &app.key_id].into_iter().flatten().map(Spanned::span);
    texts.chain(app.scopes.as_ref().map(Spanned::span)).min_by_key(|span| span.start)
}

/// The fault of naming both an API token and a service app.
pub(super) fn both(app: &Range<usize>, token: &Secret) -> Option<Fault> {
    let texts = [&token.env, &token.file].into_iter().flatten().map(Spanned::span);
    let token = texts.chain(token.command.as_ref().map(Spanned::span)).min_by_key(|span| span.start)?;
    Some(
        Fault::at(token, "Okta takes an API token or a service app, not both")
            .label("this is the API token")
            .context(app.clone(), "this is the service app")
            .help("keep `token_env`, `token_file` or `token_command`, or else `client_id`, `key_id` and `key_file`"),
    )
}

/// The service app, unless a key is missing or has an impossible value.
pub(super) fn complete<'a>(app: &'a App, first: &Range<usize>, faults: &mut Faults) -> Option<Complete<'a>> {
    let before = faults.len();
    for (key, text) in [("client_id", &app.client_id), ("key_id", &app.key_id), ("key_file", &app.key_file)] {
        match text {
            None => faults
                .push(Fault::at(first.clone(), format!("a service app needs `{key}` too")).help(
                    "its settings in Okta show the client id and the key id; the key file holds its private key",
                )),
            Some(text) if text.get_ref().trim().is_empty() || mask::holds_secret(text.get_ref()) => {
                faults.push(Fault::at(text.span(), format!("this can't be the `{key}`")));
            }
            Some(_) => {}
        }
    }
    let scopes = app.scopes.as_ref().map(|scopes| scopes.get_ref().iter());
    let scopes = scopes.map(|scopes| scopes.map(|scope| read_scope(scope, faults)).collect::<Vec<_>>());
    if scopes.as_ref().is_some_and(Vec::is_empty) {
        let fault = Fault::at(first.clone(), "`scopes` names no scope");
        faults.push(fault.help("leave it out to ask for the fewest scopes that the config needs"));
    }
    let complete = Complete {
        client_id: app.client_id.as_ref()?,
        key_id: app.key_id.as_ref()?,
        key_file: app.key_file.as_ref()?,
        scopes,
    };
    (faults.len() == before).then_some(complete)
}

/// A scope; one that would let this program change something is refused.
fn read_scope(scope: &Text, faults: &mut Faults) -> String {
    let text = scope.get_ref();
    if text.strip_prefix("okta.").and_then(|rest| rest.strip_suffix(".read")).is_none() {
        faults.push(
            Fault::at(scope.span(), format!("`{text}` is not a read-only scope"))
                .help("name read scopes of Okta's API, such as \"okta.users.read\": nothing in Okta is ever changed"),
        );
    }
    text.clone()
}

impl Complete<'_> {
    pub(super) fn settings(self, key: SecretSource) -> ServiceAppSettings {
        let text = |text: &Text| text.get_ref().trim().to_owned();
        ServiceAppSettings { client_id: text(self.client_id), key_id: text(self.key_id), key, scopes: self.scopes }
    }
}
