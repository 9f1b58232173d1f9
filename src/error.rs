//! The error type of commands: kind, cause and hints.

use std::fmt;

mod topic;

pub use topic::Topic;

/// What kind of failure it is; each has an exit code that scripts can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Anything that isn't told apart below.
    Failed,
    /// Done, but some users or projects were left alone or failed.
    Partial,
    /// Okta or Activepieces refused the token or the key.
    Unauthorized,
    /// A guard refused the plan before the first write.
    Refused,
    /// Another run writes to the same platform.
    Locked,
    /// Okta's answer was much smaller than the last trusted one, so that nothing was removed.
    NotTrusted,
    /// Wrong usage of the command line.
    Usage,
    /// The config file, a secret's source or an expression is wrong.
    Config,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
}

/// Exit code for success; for `plan` without `--detailed-exitcode` also "there are changes".
pub const EXIT_OK: u8 = 0;
/// Exit code of `plan --detailed-exitcode` with changes waiting. Nothing else uses it.
pub const EXIT_CHANGES: u8 = 2;

/// All exit codes, each with its meaning.
pub const EXIT_CODES: [(u8, &str); 11] = [
    (EXIT_OK, "done; for `plan` also \"there are changes\""),
    (Kind::Failed.exit_code(), "failed"),
    (EXIT_CHANGES, "`plan --detailed-exitcode`: changes are waiting. Nothing else uses 2"),
    (
        Kind::Partial.exit_code(),
        "partly applied: there are open problems, or operations that failed, were stale or didn't persist",
    ),
    (
        Kind::Unauthorized.exit_code(),
        "not authorised by Okta or Activepieces, at the start or during an apply, which then starts no more operations",
    ),
    (Kind::Refused.exit_code(), "refused by a guard; nothing was written"),
    (Kind::Locked.exit_code(), "another run is writing to the same platform; `--wait` waits for its end"),
    (
        Kind::NotTrusted.exit_code(),
        "the source is not trusted: Okta's answer was much smaller than the last one, and nothing was removed for an absence",
    ),
    (Kind::Usage.exit_code(), "wrong usage"),
    (
        Kind::Config.exit_code(),
        "the config, a secret's source, an expression or a scope name that never worked is wrong",
    ),
    (
        Kind::Interrupted.exit_code(),
        "interrupted, by Ctrl-C or SIGTERM; requests in flight have ended, unless a second signal came",
    ),
];

/// The exit codes of a command with several targets, the worst first: its own is the first one here that a target has.
pub const WORST_FIRST: [u8; 11] = [
    Kind::Interrupted.exit_code(),
    Kind::Usage.exit_code(),
    Kind::Config.exit_code(),
    Kind::Failed.exit_code(),
    Kind::Unauthorized.exit_code(),
    Kind::Locked.exit_code(),
    Kind::Refused.exit_code(),
    EXIT_CHANGES,
    Kind::NotTrusted.exit_code(),
    Kind::Partial.exit_code(),
    EXIT_OK,
];

/// The worst of these exit codes.
pub fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    let place = |code: &u8| WORST_FIRST.iter().position(|known| known == code);
    codes.into_iter().min_by_key(place).unwrap_or(EXIT_OK)
}

impl Kind {
    /// The process's exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Partial => 3,
            Self::Unauthorized => 4,
            Self::Refused => 5,
            Self::Locked => 6,
            Self::NotTrusted => 7,
            Self::Usage => 64,
            Self::Config => 78,
            Self::Interrupted => 130,
        }
    }

    /// The name of an error that has no closer one.
    const fn topic(self) -> Topic {
        match self {
            Self::Failed => Topic::Failed,
            Self::Partial => Topic::LeftAlone,
            Self::Unauthorized => Topic::AccessDenied,
            Self::Refused => Topic::Refused,
            Self::Locked => Topic::Locked,
            Self::NotTrusted => Topic::SourceNotTrusted,
            Self::Usage => Topic::Usage,
            Self::Config => Topic::Config,
            Self::Interrupted => Topic::Interrupted,
        }
    }
}

/// An error at the edge, with its kind, its cause and hints on what to do next.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub cause: anyhow::Error,
    pub hints: Vec<String>,
    /// What it is about, where that says more than the kind.
    topic: Option<Topic>,
}

/// The result of anything at the edge.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: Kind, message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { kind, cause: anyhow::Error::msg(message), hints: Vec::new(), topic: None }
    }

    /// An error whose text is already a whole picture, such as a config error with its carets.
    pub fn from_source(kind: Kind, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { kind, cause: anyhow::Error::new(source), hints: Vec::new(), topic: None }
    }

    /// Adds what to do next: lower-case, no full stop.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, topic: Topic) -> Self {
        self.topic = Some(topic);
        self
    }

    /// What it is about: its heading in docs/troubleshooting.md.
    pub fn topic(&self) -> Topic {
        self.topic.unwrap_or(self.kind.topic())
    }

    /// Puts what was being done before the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.cause = self.cause.context(doing);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_number(&format_args!("{:#}", self.cause)))
    }
}

impl std::error::Error for Error {}

/// What the system says of an error, without its number for it: `No such file or directory`.
pub fn without_number(error: &(impl fmt::Display + ?Sized)) -> String {
    let text = error.to_string();
    let mut parts = text.split(" (os error ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| told + part.split_once(')').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_has_a_number_of_the_system() {
        let refused = std::io::Error::from_raw_os_error(2);
        let error = Error::from_source(Kind::Failed, refused).context("making the folder");
        let told = error.to_string();
        assert!(told.starts_with("making the folder: ") && !told.contains("os error"), "{told}");
        assert_eq!(without_number("a (os error 2): b (os error 13)"), "a: b");
    }

    #[test]
    fn two_means_changes_are_waiting_and_nothing_else() {
        let kinds = [
            Kind::Failed,
            Kind::Partial,
            Kind::Unauthorized,
            Kind::Refused,
            Kind::Locked,
            Kind::NotTrusted,
            Kind::Usage,
            Kind::Config,
            Kind::Interrupted,
        ];
        assert_eq!(kinds.map(Kind::exit_code), [1, 3, 4, 5, 6, 7, 64, 78, 130]);
        assert!(kinds.iter().all(|kind| kind.exit_code() != EXIT_CHANGES));
        let listed = EXIT_CODES.map(|(code, _)| code);
        assert!(listed.is_sorted_by(|one, other| one < other));
        assert!(kinds.iter().all(|kind| listed.contains(&kind.exit_code())));
        assert!(listed.iter().all(|code| WORST_FIRST.contains(code)));
    }

    #[test]
    fn several_targets_have_the_worst_of_their_codes() {
        assert_eq!(worst([0, 3, 5, 0]), 5);
        assert_eq!(worst([3, 2, 7]), EXIT_CHANGES, "as a plan with changes and problems");
        assert_eq!((worst([1, 2, 130]), worst([])), (130, EXIT_OK));
    }
}
