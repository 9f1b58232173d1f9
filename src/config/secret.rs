//! Where a secret comes from, and how it is read. Its value is in no error, no log and no `Debug`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::error::{Error, Kind, Result, Topic, without_number};
use crate::files::{self, Refusal, Trusted};

/// The most bytes of a secret; a bigger file or answer is something else.
const LONGEST: u64 = 64 * 1024;

/// How long a command may take, including a user's sign-in or fingerprint.
const COMMAND_TIME: Duration = Duration::from_mins(2);

/// Why a variable of the shell isn't here, and what to do instead.
const NOT_PASSED_ON: &str = "export it in the shell or the job that runs this; sudo and cron don't pass it on";
const OTHER_SOURCES: &str = "or name another source in the config file (`..._file`, `..._command`)";

/// How often a command that prints nothing is checked.
const LOOK: Duration = Duration::from_millis(5);
/// How long the last parts of a command's output may take to arrive after its end.
const LAST_PARTS: Duration = Duration::from_secs(1);

/// Where a secret comes from. `Display` names the source, as in "environment variable `OKTA_API_TOKEN`".
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of this name.
    Env(String),
    /// A file that holds nothing else. One that its group or others can read is refused, unless `allow_shared`.
    File {
        path: PathBuf,
        allow_shared: bool,
    },
    Command(SecretCommand),
}

/// A program and its arguments, run without a shell; its standard output is the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretCommand {
    pub words: Vec<String>,
    /// The environment variables that it gets in addition to those that any program may need.
    pub env: Vec<String>,
}

impl SecretCommand {
    /// Whether the command gets the environment variable of this name. No other passes: one of them may hold the secret of the
    /// other server.
    fn gets(&self, name: &OsStr) -> bool {
        let Some(name) = name.to_str() else { return false };
        let matches = |known: &str| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            // The names of Windows have no case.
            None if cfg!(windows) => name.eq_ignore_ascii_case(known),
            None => name == known,
        };
        ENVIRONMENT.iter().copied().any(matches) || self.env.iter().any(|given| given == name)
    }
}

/// The environment variables that a command gets: those to find its files, the user's session and the network.
const ENVIRONMENT: [&str; 50] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "COLORTERM",
    "TMPDIR",
    "XDG_*",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "GPG_AGENT_INFO",
    "GPG_TTY",
    "GNUPGHOME",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "NIX_SSL_CERT_FILE",
    "__CF_USER_TEXT_ENCODING",
    "SYSTEMROOT",
    "WINDIR",
    "SYSTEMDRIVE",
    "COMSPEC",
    "PATHEXT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "HOMEDRIVE",
    "HOMEPATH",
];

impl SecretSource {
    /// Reads the secret, without the white space around it. Blocks while a command runs.
    ///
    /// Errors are of [`Kind::Config`] and name the source: it isn't there, can't be read, is open to others, failed,
    /// is empty, or holds something that no token has.
    pub fn read(&self) -> Result<SecretString> {
        self.read_with(|name| std::env::var_os(name))
    }

    /// Reads a whole text, such as a key of several lines. Errors as with [`Self::read`].
    pub fn read_text(&self) -> Result<SecretString> {
        let bytes = self.bytes(|name| std::env::var_os(name))?;
        if bytes.len() as u64 > LONGEST {
            return Err(self.error("is longer than any key"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| self.error("is not UTF-8 text"))?;
        Ok(SecretString::from(text.to_owned()))
    }

    fn read_with(&self, env: impl Fn(&str) -> Option<OsString>) -> Result<SecretString> {
        self.checked(&self.bytes(env)?)
    }

    fn bytes(&self, env: impl Fn(&str) -> Option<OsString>) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::Env(name) => Ok(Zeroizing::new(self.read_env(env(name))?.into_encoded_bytes())),
            Self::File { path, allow_shared } => self.read_file(path, *allow_shared),
            Self::Command(command) => self.read_command(command, COMMAND_TIME),
        }
    }

    fn read_env(&self, value: Option<OsString>) -> Result<OsString> {
        value.ok_or_else(|| self.error("is not set").hint(NOT_PASSED_ON).hint(OTHER_SOURCES))
    }

    fn read_file(&self, path: &Path, allow_shared: bool) -> Result<Zeroizing<Vec<u8>>> {
        let Trusted { bytes, shared, .. } = files::read_trusted(path, LONGEST).map_err(|refusal| {
            let error = self.error(&refusal.to_string());
            match refusal {
                Refusal::Owner(_) => {
                    error.hint("its owner can read and replace it; keep the secret in a file of your own")
                }
                Refusal::Writable => error.hint(format!("run `chmod 600 {}`", path.display())),
                _ => error,
            }
        })?;
        let bytes = Zeroizing::new(bytes);
        if !allow_shared && shared {
            return Err(self
                .error("can be read by other users of this machine")
                .hint(format!("run `chmod 600 {}`", path.display()))
                .hint("or allow it with `allow_shared_secret_file = true` in the same section"));
        }
        Ok(bytes)
    }

    fn read_command(&self, command: &SecretCommand, time: Duration) -> Result<Zeroizing<Vec<u8>>> {
        let failed = |error: std::io::Error| self.error(&format!("can't be run: {}", without_number(&error)));
        let (program, arguments) = command.words.split_first().ok_or_else(|| self.error("is empty"))?;
        // It may ask on the terminal itself, but must not wait for input on stdin.
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| command.gets(name)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let deadline = Instant::now() + time;
        let parts = child.stdout.take().map(read_aside);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or_default()));
        let mut status = None;
        let read_whole = parts.is_none_or(|parts| {
            loop {
                // What the command wrote before its end is in the pipe already, and is read at once. A process that it leaves
                // behind may keep the pipe open for ever, so its end is not awaited.
                let wait = if status.is_some() { LAST_PARTS } else { LOOK };
                match parts.recv_timeout(wait) {
                    Ok(part) => bytes.extend_from_slice(&part),
                    Err(RecvTimeoutError::Disconnected) => return true,
                    Err(RecvTimeoutError::Timeout) if status.is_some() => return true,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if bytes.len() as u64 > LONGEST {
                    return true;
                }
                if status.is_none() {
                    status = child.try_wait().ok().flatten();
                }
                if status.is_none() && Instant::now() >= deadline {
                    return false;
                }
            }
        });
        let is_long = bytes.len() as u64 > LONGEST;
        if read_whole && !is_long && status.is_none() {
            status = wait_until(&mut child, deadline).map_err(failed)?;
        }
        let Some(status) = status else {
            // It may have ended by itself just now.
            drop(child.kill());
            child.wait().map_err(failed)?;
            if is_long {
                return Ok(bytes);
            }
            return Err(self
                .error(&format!("was stopped: it took longer than {} s", time.as_secs()))
                .hint("run it by hand: it may wait for a user to sign in"));
        };
        if !is_long && !status.success() {
            return Err(self.error(&format!("failed ({status})")).hint("see its own output above, if there is any"));
        }
        Ok(bytes)
    }

    /// The token in what was read: white space around it goes (a stray line end makes Okta answer 400 with HTML), and
    /// a value that an HTTP header can't have is refused here, where its source is known.
    fn checked(&self, bytes: &[u8]) -> Result<SecretString> {
        let token = bytes.trim_ascii();
        if token.is_empty() {
            return Err(match self {
                Self::Env(_) => self.error("is empty").hint(NOT_PASSED_ON).hint(OTHER_SOURCES),
                _ => self.error("is empty"),
            });
        }
        if token.starts_with(b"SSWS ") || token.starts_with(b"Bearer ") {
            return Err(self
                .error("holds a whole header")
                .hint("remove the word `SSWS` or `Bearer`, and keep only the token"));
        }
        if bytes.len() as u64 > LONGEST || !token.iter().all(u8::is_ascii_graphic) {
            return Err(self
                .error("holds more than a token: spaces, several lines, or characters that no token has")
                .hint("keep the token alone there, on one line and without quotes"));
        }
        Ok(SecretString::from(token.iter().copied().map(char::from).collect::<String>()))
    }

    /// An error about the secret, which says `what` is wrong with it.
    pub fn error(&self, what: &str) -> Error {
        Error::new(Kind::Config, format!("{self} {what}")).about(Topic::Secret)
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::File { path, .. } => write!(f, "file `{}`", path.display()),
            // Its arguments may hold a secret of their own.
            Self::Command(command) => write!(f, "command `{}`", command.words.first().map_or("", String::as_str)),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads what a command prints, up to the longest secret, part by part, without keeping this thread.
fn read_aside(stdout: ChildStdout) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stdout = stdout.take(LONGEST + 1);
        let mut part = Zeroizing::new(vec![0; 4096]);
        while let Ok(read @ 1..) = stdout.read(&mut part) {
            // The receiver is gone once the command was stopped.
            if sender.send(Zeroizing::new(part[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    receiver
}

/// How a command ended, if it did so in time.
fn wait_until(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= deadline {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const TOKEN: &str = "00aVerySecretToken";

    fn from_env(value: Option<&str>) -> Result<SecretString> {
        SecretSource::Env("T".to_owned()).read_with(|name| value.filter(|_| name == "T").map(OsString::from))
    }

    fn command(words: &[&str]) -> SecretSource {
        SecretSource::Command(SecretCommand { words: words.iter().map(ToString::to_string).collect(), env: Vec::new() })
    }

    #[test]
    fn white_space_around_a_secret_goes() {
        let secret = from_env(Some(&format!(" \t{TOKEN}\r\n"))).unwrap();
        assert_eq!(secret.expose_secret(), TOKEN);
        assert!(!format!("{secret:?}").contains(TOKEN));
    }

    #[test]
    fn a_source_without_a_token_is_an_error_that_names_it() {
        let error = from_env(None).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert_eq!(error.to_string(), "environment variable `T` is not set");
        assert_eq!(from_env(Some(" \n")).unwrap_err().to_string(), "environment variable `T` is empty");
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for value in ["two words-s3cret", "two\nlines-s3cret", "é-s3cret", "SSWS 00s3cret", "Bearer sk-s3cret"] {
            let error = from_env(Some(value)).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
        assert!(from_env(Some("SSWS 00x")).unwrap_err().hints[0].contains("SSWS"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_unless_allowed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
        let read = |mode: u32, allow_shared: bool| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            SecretSource::File { path: path.clone(), allow_shared }.read()
        };
        for mode in [0o640, 0o604, 0o660, 0o601] {
            let error = read(mode, false).unwrap_err();
            assert!(error.to_string().ends_with("can be read by other users of this machine"), "{error}");
            assert_eq!(error.hints[0], format!("run `chmod 600 {}`", path.display()));
            assert_eq!(read(mode, true).unwrap().expose_secret(), TOKEN);
        }
        assert_eq!(read(0o600, false).unwrap().expose_secret(), TOKEN);
        assert_eq!(read(0o400, false).unwrap().expose_secret(), TOKEN);
    }

    #[test]
    fn a_missing_file_is_named() {
        let source = SecretSource::File { path: "/nowhere/token".into(), allow_shared: false };
        assert!(source.read().unwrap_err().to_string().starts_with("file `/nowhere/token` can't be read: "));
    }

    #[cfg(unix)]
    #[test]
    fn a_commands_output_is_the_secret() {
        assert_eq!(command(&["printf", "%s\\n", TOKEN]).read().unwrap().expose_secret(), TOKEN);
        // No shell: the words reach the program as they are.
        assert_eq!(command(&["echo", "$HOME;x"]).read().unwrap().expose_secret(), "$HOME;x");
    }

    #[cfg(unix)]
    #[test]
    fn a_failing_command_shows_neither_its_output_nor_its_arguments() {
        let source = command(&["sh", "-c", "echo s3cret; exit 3"]);
        let error = source.read().unwrap_err();
        assert_eq!(error.to_string(), "command `sh` failed (exit status: 3)");
        assert!(!format!("{error:?} {source:?} {source}").contains("s3cret"));
        assert!(command(&["oktapieces-no-such-program"]).read().unwrap_err().to_string().contains("can't be run"));
        assert_eq!(command(&["true"]).read().unwrap_err().to_string(), "command `true` is empty");
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_hangs_is_stopped() {
        let short = Duration::from_millis(50);
        for words in [["sleep", "60"], ["sh", "exec >&-; sleep 60"]] {
            let words = if words[0] == "sh" { vec!["sh", "-c", words[1]] } else { words.to_vec() };
            let source = command(&words);
            let SecretSource::Command(owned) = &source else { panic!("{source}") };
            let error = source.read_command(owned, short).unwrap_err();
            assert!(error.to_string().contains("was stopped"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_command_has_ended_when_it_ends_itself() {
        // The process that it leaves behind has its output open for longer than a command may take.
        let source = command(&["sh", "-c", &format!("printf {TOKEN}; sleep 130 & exit 0")]);
        let before = Instant::now();
        assert_eq!(source.read().unwrap().expose_secret(), TOKEN);
        assert!(before.elapsed() < COMMAND_TIME);
    }

    #[test]
    fn a_command_gets_what_programs_need_and_what_it_is_given() {
        let gets = |name: &str, env: &[&str]| {
            let env = env.iter().map(ToString::to_string).collect();
            SecretCommand { words: Vec::new(), env }.gets(OsStr::new(name))
        };
        for name in ["PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR", "HTTPS_PROXY"] {
            assert!(gets(name, &[]), "{name}");
        }
        for name in ["OKTA_API_TOKEN", "ACTIVEPIECES_API_KEY", "SOME_SECRET", "PATH_TO_SECRET", "LD_PRELOAD"] {
            assert!(!gets(name, &[]), "{name}");
        }
        assert!(gets("VAULT_TOKEN", &["VAULT_TOKEN"]) && !gets("VAULT_ADDR", &["VAULT_TOKEN"]));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_file_of_everybody_is_no_source() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, TOKEN).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let source = SecretSource::File { path: path.clone(), allow_shared: true };
        assert!(source.read().unwrap_err().to_string().ends_with("can be written by other users of this machine"));
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(source.read().unwrap_err().to_string().ends_with("is a pipe, not a plain file"));
    }

    #[cfg(unix)]
    #[test]
    fn endless_output_is_cut_off() {
        assert!(command(&["yes"]).read().unwrap_err().to_string().contains("holds more than a token"));
    }
}
