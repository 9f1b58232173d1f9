//! Every environment variable that the program itself reads. Secrets' variables are named in the config; `NO_COLOR`,
//! `CLICOLOR_FORCE` and `TERM` are read by the colour library, `HTTPS_PROXY` and its kin by the HTTP library.

use std::path::PathBuf;

/// The config file, like `--config`.
pub const CONFIG: &str = "OKTAPIECES_CONFIG";
/// Set where nobody watches: no bars.
pub const CI: &str = "CI";
/// A filter for the log, such as `oktapieces=debug`.
pub const LOG: &str = "RUST_LOG";
/// The user's config folder.
const CONFIG_HOME: &str = "XDG_CONFIG_HOME";

/// `oktapieces/config.toml` in the user's config folder, if there is such a folder.
pub fn user_config() -> Option<PathBuf> {
    let folder = std::env::var_os(CONFIG_HOME).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| std::env::home_dir().map(|home| home.join(".config")))?;
    Some(folder.join("oktapieces").join("config.toml"))
}
