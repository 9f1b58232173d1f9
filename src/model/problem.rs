//! Problems: reasons why a user or a project isn't synced.

use std::fmt;

use jiff::civil::Date;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as UnknownName, StrDeserializer};
use serde::{Deserialize, Serialize};

/// A named problem. Its subject is left alone, the run goes on, and the exit code reports it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// A login, a user name or a project's name.
    pub subject: String,
    pub kind: ProblemKind,
    /// Lower-case, no full stop.
    pub message: String,
    /// Where in the config the expression is: `config.toml:21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// The name of a problem, the same in text and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// An expression failed for this user.
    ExpressionFailed,
    /// An expression needs what can't be had here, such as a directory or a session.
    NotEvaluable,
    /// The role is none of ADMIN, MEMBER and OPERATOR.
    InvalidRole,
    /// The user name is no e-mail address, or another attribute no text.
    InvalidAttribute,
    /// The status of the user's assignment to the app isn't known.
    UnknownAssignment,
    /// One account that several Okta users claim.
    ClaimedTwice,
    /// Two accounts that one Okta user claims.
    TwoAccounts,
    /// The e-mail address changed in Okta, and can't be changed in Activepieces.
    EmailChanged,
    /// A user left, and their account has no externalId of Okta's: an admin has to deactivate it.
    NotLinked,
    /// The user's e-mail address is that of an embedded account, which SCIM hides.
    EmbeddedAccount,
    /// Several projects of the name, none of them linked to the group.
    AmbiguousProject,
    /// Several groups that are to be projects of one name, or several rules that name one project.
    ProjectNameTwice,
    /// The config names a project by an id that no project has.
    ProjectNotFound,
    /// A project that the config names can't be linked: it belongs to another group or directory, or the group has another
    /// project.
    ProjectTaken,
    /// A group that was deleted while it was read.
    GroupVanished,
    /// A project of a deleted group, which a group of another id may be made again of.
    GroupMadeAgain,
    /// A part of `[scope]` names an app or a group that isn't in Okta, or that several have the name of.
    ScopeNotFound,
    /// A rule names a group that isn't in Okta.
    GroupNotFound,
    /// A rule names a group by a name that several groups have.
    AmbiguousGroup,
    /// A rule's pattern gives a group an empty project name.
    EmptyProjectName,
    /// The platform has no project role of the name that the config or an expression gives.
    UnknownProjectRole,
    /// An accepted invitation waits for a user, and gives another role than Okta.
    WaitingInvitation,
    /// A value that a run wrote has changed since, so that an undo leaves it alone.
    ChangedSince,
}

impl ProblemKind {
    /// The name as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExpressionFailed => "expression_failed",
            Self::NotEvaluable => "not_evaluable",
            Self::InvalidRole => "invalid_role",
            Self::InvalidAttribute => "invalid_attribute",
            Self::UnknownAssignment => "unknown_assignment",
            Self::ClaimedTwice => "claimed_twice",
            Self::TwoAccounts => "two_accounts",
            Self::EmailChanged => "email_changed",
            Self::NotLinked => "not_linked",
            Self::EmbeddedAccount => "embedded_account",
            Self::AmbiguousProject => "ambiguous_project",
            Self::ProjectNameTwice => "project_name_twice",
            Self::ProjectNotFound => "project_not_found",
            Self::ProjectTaken => "project_taken",
            Self::GroupVanished => "group_vanished",
            Self::GroupMadeAgain => "group_made_again",
            Self::ScopeNotFound => "scope_not_found",
            Self::GroupNotFound => "group_not_found",
            Self::AmbiguousGroup => "ambiguous_group",
            Self::EmptyProjectName => "empty_project_name",
            Self::UnknownProjectRole => "unknown_project_role",
            Self::WaitingInvitation => "waiting_invitation",
            Self::ChangedSince => "changed_since",
        }
    }
}

impl ProblemKind {
    /// The kind of this name, or a text that lists the names that there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let name: StrDeserializer<'_, UnknownName> = name.into_deserializer();
        Self::deserialize(name).map_err(|error| error.to_string())
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Problem {
    pub fn new(subject: impl Into<String>, kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { subject: subject.into(), kind, message: message.into(), location: None }
    }

    /// Says where in the config the expression is.
    #[must_use]
    pub fn at(mut self, location: Option<String>) -> Self {
        self.location = location;
        self
    }
}

/// One `[[accepted]]` entry of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    pub kind: ProblemKind,
    /// The subject of the problem; case and surrounding spaces don't count.
    pub who: String,
    /// The last day on which it is accepted.
    pub until: Option<Date>,
    pub why: String,
    /// `config.toml:40`
    pub location: Option<String>,
}

/// A problem that is accepted, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    #[serde(flatten)]
    pub problem: Problem,
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

impl Acceptance {
    /// Whether the problem is the accepted one.
    pub fn is_of(&self, problem: &Problem) -> bool {
        let plain = |text: &str| text.trim().to_lowercase();
        self.kind == problem.kind && plain(&self.who) == plain(&problem.subject)
    }
}
