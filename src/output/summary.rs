//! What a plan takes away and gives: the counts, and each change of access by name. Markdown and HTML show both.

use std::cmp::Reverse;

use super::contents;
use super::document::Document;
use super::plan_text::why;
use super::rows::{self, Row};
use super::text::{count, counted};
use crate::apply::Outcome;
use crate::model::PlatformRole;
use crate::model::role::is_lesser_project_role;
use crate::plan::Plan;
use crate::plan::census::{is_active_after, roles, was_active};
use crate::plan::op::{Fate, ProjectAction, ProjectOp, UserAction, UserOp};

/// A number, and what it counts in the singular and the plural.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub number: usize,
    one: &'static str,
    pub many: &'static str,
}

impl Count {
    fn new(number: usize, one: &'static str, many: &'static str) -> Self {
        Self { number, one, many }
    }

    /// What follows the number.
    pub fn what(self) -> &'static str {
        if self.number == 1 { self.one } else { self.many }
    }
}

/// Which list of changes of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    Role,
    Deactivation,
    AccountDeletion,
    Replacement,
    Invitation,
    Deletion,
    Removal,
    ProjectAdmin,
}

impl Risk {
    pub const ALL: [Self; 8] = [
        Self::Role,
        Self::Deactivation,
        Self::AccountDeletion,
        Self::Replacement,
        Self::Invitation,
        Self::Deletion,
        Self::Removal,
        Self::ProjectAdmin,
    ];

    /// The heading of its list.
    pub fn title(self) -> &'static str {
        match self {
            Self::Role => "ADMIN and OPERATOR",
            Self::Deactivation => "Deactivated accounts",
            Self::AccountDeletion => "Accounts deleted for good",
            Self::Replacement => "Replaced accounts",
            Self::Invitation => "Revoked invitations",
            Self::Deletion => "Deleted projects",
            Self::Removal => "Removed members",
            Self::ProjectAdmin => "New project Admins",
        }
    }

    /// The columns that name the user and the project.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Role | Self::Deactivation | Self::AccountDeletion | Self::Replacement | Self::Invitation => &["User"],
            Self::Deletion => &["Project"],
            Self::Removal | Self::ProjectAdmin => &["User", "Project"],
        }
    }
}

/// One change of access.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    pub risk: Risk,
    /// The user name; none for a project.
    pub user: Option<&'a str>,
    pub project: Option<&'a str>,
    pub before: String,
    pub after: String,
    pub why: String,
    pub outcome: Option<&'a Outcome>,
}

/// The changes of access of one kind, as a table.
#[derive(Clone, Debug)]
pub struct List {
    pub title: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// A list for each kind of change of access that occurs, with the outcomes where a run wrote the plan.
pub fn lists(document: &Document<'_>, changes: &[Change<'_>]) -> Vec<List> {
    let of_risk = |risk: Risk| {
        let rows: Vec<_> = changes.iter().filter(|change| change.risk == risk).map(|of| cells(of, document)).collect();
        let outcome: &[&str] = if document.report.is_some() { &["Outcome"] } else { &[] };
        let columns = [risk.names(), &["Before", "After", "Why"], outcome].concat();
        List { title: format!("{}: {}", risk.title(), count(rows.len())), columns, rows }
    };
    Risk::ALL.into_iter().map(of_risk).filter(|list| !list.rows.is_empty()).collect()
}

fn cells(change: &Change<'_>, document: &Document<'_>) -> Vec<String> {
    let names = change.user.into_iter().chain(change.project).map(str::to_owned);
    let rest = [change.before.clone(), change.after.clone(), change.why.clone()];
    names.chain(rest).chain(document.report.map(|_| told(change.outcome))).collect()
}

/// `failed: no answer`; nothing where there is no outcome.
pub fn told(outcome: Option<&Outcome>) -> String {
    let why = outcome.and_then(Outcome::why).map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}{why}", outcome.map(Outcome::as_str).unwrap_or_default())
}

/// Every change of access, however many there are, in the order of [`Risk::ALL`].
pub fn changes<'a>(document: &Document<'a>) -> Vec<Change<'a>> {
    let plan = document.plan;
    let users = plan.users.iter().enumerate().filter_map(|(at, op)| of_user(op, plan, document.outcome_of_user(at)));
    let mut changes: Vec<Change<'a>> = users.collect();
    for (at, op) in plan.users.iter().enumerate() {
        replaced(op, document.outcome_of_user(at), &mut changes);
    }
    for name in &plan.standing.waiting_admins {
        let (before, after) = ("an accepted invitation waits".to_owned(), "ADMIN at the next sign-in".to_owned());
        let why = "not by Okta".to_owned();
        changes.push(Change { risk: Risk::Role, user: Some(name), project: None, before, after, why, outcome: None });
    }
    for (at, op) in plan.invitations.iter().enumerate() {
        let (before, after) = (op.grant.to_string(), "no invitation".to_owned());
        let (why, outcome) = (op.reason.clone(), document.outcome_of_invitation(at));
        let user = Some(op.user_name.as_str());
        changes.push(Change { risk: Risk::Invitation, user, project: None, before, after, why, outcome });
    }
    for (at, op) in plan.projects.iter().enumerate() {
        of_project(op, at, document, &mut changes);
    }
    let place = |risk| Risk::ALL.iter().position(|known| *known == risk);
    changes.sort_by_key(|change| place(change.risk));
    changes
}

/// The accounts that a user leaves, and the project Admin that the new account gets from them.
fn replaced<'a>(op: &'a UserOp, outcome: Option<&'a Outcome>, changes: &mut Vec<Change<'a>>) {
    let user = Some(op.user_name.as_str());
    for left in &op.replaces {
        let after = match &left.fate {
            Fate::Close => "closed".to_owned(),
            Fate::Closed => "stays closed".to_owned(),
            Fate::TakenOver { by } => format!("goes to {by}"),
        };
        let (before, why) = (left.user_name.clone(), why(op));
        changes.push(Change { risk: Risk::Replacement, user, project: None, before, after, why, outcome });
    }
    for new in op.copied_project_admins() {
        let (before, after, why) = ("no member".to_owned(), new.role.to_owned(), new.reason.to_owned());
        let project = Some(new.project);
        changes.push(Change { risk: Risk::ProjectAdmin, user, project, before, after, why, outcome });
    }
}

fn of_user<'a>(op: &'a UserOp, plan: &Plan, outcome: Option<&'a Outcome>) -> Option<Change<'a>> {
    let risk = match op.action {
        UserAction::Deactivate => Risk::Deactivation,
        UserAction::Delete => Risk::AccountDeletion,
        _ if op.is_new_admin() || op.is_downgrade() || op.is_new_operator() => Risk::Role,
        _ => return None,
    };
    let [from, to] = roles(op, &plan.standing);
    let status = |active: bool| if active { "active" } else { "inactive" };
    if let Some(destroys) = &op.destroys {
        let before = format!("inactive {from}: {}", contents::whole(&destroys.contents, None));
        let (user, after) = (Some(op.user_name.as_str()), "no account".to_owned());
        return Some(Change { risk, user, project: None, before, after, why: why(op), outcome });
    }
    let before = op.account.as_ref().map_or("no account".to_owned(), |_| format!("{} {from}", status(was_active(op))));
    let after = format!("{} {to}", status(is_active_after(op)));
    Some(Change { risk, user: Some(&op.user_name), project: None, before, after, why: why(op), outcome })
}

fn of_project<'a>(op: &'a ProjectOp, at: usize, document: &Document<'a>, changes: &mut Vec<Change<'a>>) {
    let outcomes = document.outcomes_of_project(at);
    let none = "–".to_owned();
    let change = |risk, user: Option<&'a str>| Change {
        risk,
        user,
        project: Some(&op.name),
        before: none.clone(),
        after: none.clone(),
        why: String::new(),
        outcome: None,
    };
    if let ProjectAction::Delete { contents } = &op.action {
        let (before, why) = (contents::whole(contents, Some(op.members)), rows::GROUP_GONE.to_owned());
        let outcome = outcomes.and_then(|outcomes| outcomes.project.as_ref());
        changes.push(Change { before, why, outcome, after: "nothing".to_owned(), ..change(Risk::Deletion, None) });
    }
    for removal in &op.remove {
        let before = removal.role.clone().unwrap_or_else(|| "member".to_owned());
        let outcome = outcomes.and_then(|outcomes| outcomes.remove.as_ref());
        let change = change(Risk::Removal, Some(&removal.user_name));
        changes.push(Change { before, after: "no member".to_owned(), why: removal.reason.clone(), outcome, ..change });
    }
    for new in op.new_admins() {
        let outcome = outcomes.and_then(|outcomes| match new.from {
            Some(_) => outcomes.roles.as_ref(),
            None => outcomes.add.as_ref(),
        });
        let (before, after) = (new.from.unwrap_or("no member").to_owned(), new.role.to_owned());
        let why = new.reason.to_owned();
        changes.push(Change { before, after, why, outcome, ..change(Risk::ProjectAdmin, Some(new.user_name)) });
    }
}

/// What is taken away, zeros included.
pub fn taken(plan: &Plan) -> Vec<Count> {
    let totals = plan.totals();
    vec![
        Count::new(totals.deactivate, "deactivated account", "deactivated accounts"),
        Count::new(
            plan.users.iter().filter(|op| op.is_downgrade()).count(),
            "account that loses ADMIN or OPERATOR",
            "accounts that lose ADMIN or OPERATOR",
        ),
        Count::new(totals.delete, "account deleted for good", "accounts deleted for good"),
        Count::new(totals.recreate, "replaced account", "replaced accounts"),
        Count::new(totals.invitations_revoke, "revoked invitation", "revoked invitations"),
        Count::new(totals.members_remove, "removed member", "removed members"),
        Count::new(totals.projects_archive, "archived project", "archived projects"),
        Count::new(totals.projects_delete, "deleted project", "deleted projects"),
    ]
}

/// What is given, zeros included.
pub fn given(plan: &Plan) -> Vec<Count> {
    let totals = plan.totals();
    vec![
        Count::new(plan.new_admins().count(), "new ADMIN", "new ADMINs"),
        Count::new(plan.new_operators().count(), "new OPERATOR", "new OPERATORs"),
        Count::new(plan.new_project_admins().count(), "new project Admin", "new project Admins"),
        Count::new(
            plan.welcome_emails(),
            "new account, with a welcome e-mail",
            "new accounts, each with a welcome e-mail",
        ),
        Count::new(totals.reactivate, "reactivated account", "reactivated accounts"),
        Count::new(totals.members_add, "new member of a project", "new members of projects"),
    ]
}

/// The rest of the changes, without what there is none of.
pub fn routine(plan: &Plan) -> Vec<Count> {
    let totals = plan.totals();
    let counts = vec![
        Count::new(totals.adopt, "account linked to its user", "accounts linked to their users"),
        Count::new(totals.update, "updated account", "updated accounts"),
        Count::new(totals.projects_create, "new project", "new projects"),
        Count::new(
            totals.projects_adopt + totals.projects_relink,
            "project linked to its group",
            "projects linked to their groups",
        ),
        Count::new(totals.projects_rename, "renamed project", "renamed projects"),
        Count::new(totals.project_roles, "changed project role", "changed project roles"),
    ];
    counts.into_iter().filter(|count| count.number > 0).collect()
}

/// `12 users in scope have no account and get none: 6 staged, 3 suspended`; none where there is no such user.
pub fn without_account(plan: &Plan) -> Option<String> {
    let without = &plan.standing.without_account;
    let mut reasons: Vec<_> = without.iter().collect();
    reasons.sort_by_key(|(_, number)| Reverse(**number));
    let reasons =
        reasons.into_iter().map(|(status, number)| format!("{} {}", count(*number), status.replace('_', " ")));
    let users = counted(without.values().sum(), "user in scope has no account and gets none", USERS_WITHOUT);
    (!without.is_empty()).then(|| format!("{users}: {}", reasons.collect::<Vec<_>>().join(", ")))
}

const USERS_WITHOUT: &str = "users in scope have no account and get none";

/// What stays as it is, without what there is none of.
pub fn unchanged(plan: &Plan) -> Vec<Count> {
    let standing = &plan.standing;
    let counts = vec![
        Count::new(standing.unchanged_users, "unchanged user", "unchanged users"),
        Count::new(standing.unchanged_projects, "unchanged project", "unchanged projects"),
        Count::new(standing.local.len(), "local account, left alone", "local accounts, left alone"),
        Count::new(
            standing.foreign.len(),
            "account of another directory, left alone",
            "accounts of another directory, left alone",
        ),
        Count::new(standing.embedded.len(), "embedded account, left alone", "embedded accounts, left alone"),
        Count::new(plan.held.len(), "deferred operation", "deferred operations"),
        Count::new(plan.problems.len(), "problem", "problems"),
        Count::new(plan.accepted.len(), "accepted problem", "accepted problems"),
    ];
    counts.into_iter().filter(|count| count.number > 0).collect()
}

/// What a row does to access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Takes,
    Gives,
    Changes,
}

impl Effect {
    /// What the row of a change does; none for a row of what is left alone.
    pub fn of(row: &Row<'_>) -> Option<Self> {
        let lesser = |lesser: bool| if lesser { Self::Takes } else { Self::Gives };
        let parsed = |role: Option<&str>| role.and_then(PlatformRole::parse);
        Some(match (row.kind, row.action, row.attribute) {
            ("invitation", ..) => Self::Takes,
            ("user", "copy member", _) => Self::Gives,
            ("user", "create", _) | ("user", "reactivate", "active") | ("project", "create" | "add member", _) => {
                Self::Gives
            }
            ("user", "deactivate", "active") | ("user", "delete", _) | ("project", "delete" | "remove member", _) => {
                Self::Takes
            }
            // Roles are ordered from the mightiest to the least; a role that isn't known counts as the least.
            ("user", _, "platformRole") => {
                lesser(parsed(row.before).is_some_and(|before| parsed(row.after).is_none_or(|after| before < after)))
            }
            ("project", "set role", _) => {
                lesser(is_lesser_project_role(row.before.unwrap_or_default(), row.after.unwrap_or_default()))
            }
            ("user" | "project", ..) => Self::Changes,
            _ => return None,
        })
    }
}
