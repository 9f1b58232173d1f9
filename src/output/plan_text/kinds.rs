//! The title of each kind of problem, and what to do about it.

use crate::model::problem::ProblemKind;

/// What problems of the kind have in common.
pub(super) fn title(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::ExpressionFailed => "an expression fails",
        ProblemKind::NotEvaluable => "an expression needs what Okta's API doesn't tell",
        ProblemKind::InvalidRole => "the role isn't valid",
        ProblemKind::InvalidAttribute => "an attribute isn't valid",
        ProblemKind::UnknownAssignment => "the status of the assignment isn't known",
        ProblemKind::ClaimedTwice => "several Okta users have the address of one account",
        ProblemKind::TwoAccounts => "one Okta user has two accounts",
        ProblemKind::EmailChanged => "the e-mail address changed in Okta",
        ProblemKind::NotLinked => "an account of a user who left isn't linked to Okta",
        ProblemKind::EmbeddedAccount => "the address belongs to an embedded account",
        ProblemKind::AmbiguousProject => "several projects may be meant",
        ProblemKind::ProjectNameTwice => "several groups are to be projects of one name",
        ProblemKind::ProjectNotFound => "a project that the config names by an id isn't there",
        ProblemKind::ProjectTaken => "a project that the config names can't be linked",
        ProblemKind::GroupVanished => "a group was deleted during the read",
        ProblemKind::GroupMadeAgain => "a group may have been deleted and made again",
        ProblemKind::ScopeNotFound => "a part of [scope] isn't in Okta",
        ProblemKind::GroupNotFound => "a group of a rule isn't in Okta",
        ProblemKind::AmbiguousGroup => "several groups have the name in a rule",
        ProblemKind::EmptyProjectName => "a rule gives an empty project name",
        ProblemKind::UnknownProjectRole => "a project role isn't on the platform",
        ProblemKind::WaitingInvitation => "an accepted invitation waits",
        ProblemKind::ChangedSince => "a value changed since the run",
    }
}

/// What to do about problems of the kind, where their messages don't say it.
pub(super) fn advice(kind: ProblemKind) -> Option<&'static str> {
    match kind {
        ProblemKind::ExpressionFailed | ProblemKind::InvalidRole | ProblemKind::InvalidAttribute => Some(
            "correct the profile in Okta or the expression; oktapieces eval EXPRESSION --user LOGIN shows its parts",
        ),
        ProblemKind::NotEvaluable => Some("write the expression without it, or leave the attribute out of the config"),
        ProblemKind::UnknownAssignment => Some("look at the user's assignment to the app in Okta"),
        ProblemKind::NotLinked => Some("deactivate the account in Activepieces by hand"),
        ProblemKind::EmbeddedAccount => {
            Some("give the user another address in Okta, or leave the user out of the scope")
        }
        ProblemKind::GroupVanished => Some("run it again"),
        ProblemKind::ScopeNotFound | ProblemKind::GroupNotFound | ProblemKind::AmbiguousGroup => {
            Some("correct the name in the config, or use the id")
        }
        ProblemKind::EmptyProjectName => Some("change the rule's project name in the config"),
        ProblemKind::UnknownProjectRole => Some("correct the name in the config, or create the role in Activepieces"),
        ProblemKind::ChangedSince => Some("look at the current value; the undo leaves it as it is"),
        ProblemKind::ClaimedTwice
        | ProblemKind::TwoAccounts
        | ProblemKind::EmailChanged
        | ProblemKind::WaitingInvitation
        | ProblemKind::AmbiguousProject
        | ProblemKind::ProjectNameTwice
        | ProblemKind::ProjectNotFound
        | ProblemKind::ProjectTaken
        | ProblemKind::GroupMadeAgain => None,
    }
}
