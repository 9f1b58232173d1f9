//! The environment variables that the program itself reads. Those that override keys of the config are in
//! [`crate::config::keys`]; the config names the variables of secrets; the colour library reads `NO_COLOR`,
//! `CLICOLOR_FORCE` and `TERM`, and knows no `FORCE_COLOR`; the HTTP library reads `NO_PROXY`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::variables;
use crate::error::{Error, Kind, Result, Topic};

/// The config file, like `--config`.
pub const CONFIG: &str = variables::CONFIG;
/// The most seconds to wait for a connection, for an answer to begin, and for the next part of it. Each request has a limit
/// of its own, which this shortens and never lengthens.
pub const TIMEOUT: &str = variables::TIMEOUT;
/// Set where no person watches: no bars.
pub const CI: &str = "CI";
/// A filter for the log, such as `oktapieces=debug`.
pub const LOG: &str = "RUST_LOG";
/// Proxies for URLs with https, and with http.
const HTTPS_PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const HTTP_PROXY: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The user's config folder.
const CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The user's folder for what programs remember.
pub const STATE_HOME: &str = "XDG_STATE_HOME";

/// The variables that the program and its libraries read, each with its use, for the help. Those that override keys follow
/// from the table of keys.
pub const VARIABLES: [(&str, &str); 12] = [
    ("OKTA_API_TOKEN", "The Okta API token. `token_env` in the config names another variable."),
    ("ACTIVEPIECES_API_KEY", "The Activepieces API key. `api_key_env` in the config names another variable."),
    (CONFIG, "The config file, like --config."),
    (
        TIMEOUT,
        "The most seconds to wait for a server: for a connection, for an answer to begin, and for the next part of it. A \
         whole answer has twice as long, and 1 s more for each 8 KB.",
    ),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY", "The proxy for each kind of URL; in lower case too."),
    ("NO_PROXY", "Hosts that are reached without a proxy, separated by commas."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificates that are trusted in place of the system's, on Linux."),
    (CONFIG_HOME, "The folder of `oktapieces/config.toml`. Default: ~/.config."),
    (STATE_HOME, "The folder of `oktapieces/` with the state files. Default: ~/.local/state."),
    (
        "NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM",
        "No colour, always colour (two names), and what the terminal can do; --color is stronger.",
    ),
    (CI, "Set where no user watches: no progress bars."),
    (LOG, "A filter for the log, such as `oktapieces=debug`."),
];

/// Whether colour is wanted where no terminal is, by the variable that other tools have for it.
pub fn forces_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    is_set("FORCE_COLOR") && !is_set("NO_COLOR")
}

/// The longest wait for a server; without end where it isn't set, or empty.
pub fn timeout() -> Result<Duration> {
    let Some(text) = std::env::var_os(TIMEOUT).filter(|text| !text.is_empty()) else { return Ok(Duration::MAX) };
    let seconds = text.to_str().and_then(|text| text.trim().parse().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    timeout.filter(|timeout| !timeout.is_zero()).ok_or_else(|| {
        Error::new(Kind::Usage, format!("{TIMEOUT} isn't a number of seconds above 0: {:?}", text.to_string_lossy()))
            .about(Topic::WaitLimit)
            .hint(format!("set it to a number alone, such as {TIMEOUT}=30, or unset it"))
    })
}

/// The proxy for URLs of this scheme and the name of its variable, in the order in which curl looks for them; an empty one is
/// none.
pub fn proxy(scheme: &str) -> Option<(&'static str, OsString)> {
    let names = if scheme == "http" { HTTP_PROXY } else { HTTPS_PROXY };
    let set = names.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    set.into_iter().find(|(_, value)| !value.is_empty())
}

/// `oktapieces/config.toml` in the user's config folder, if there is such a folder.
pub fn user_config() -> Option<PathBuf> {
    user_folder(CONFIG_HOME, ".config").map(|folder| folder.join("config.toml"))
}

/// `oktapieces` in the user's state folder, if there is such a folder.
pub fn user_state() -> Option<PathBuf> {
    user_folder(STATE_HOME, ".local/state")
}

/// Our folder in the one that the variable names, or in this one of the home folder.
fn user_folder(variable: &str, default: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(default)))?;
    Some(folder.join("oktapieces"))
}
