//! The guards: refuse plans that exceed the limits of the config. Each refusal has its number and the flag that allows
//! exactly it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::op::{Plan, ProjectOp, Standing, UserAction, UserOp};
use super::past::Past;
use super::policy::{Limit, Limits, Policy};
use crate::model::id::OktaUserId;
use crate::plan::hold::resumed::Resumed;

/// A named refusal, with the numbers behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "guard")]
pub enum Refusal {
    /// The plan isn't the one that was approved.
    AnotherPlan {
        approved: String,
        plan: String,
    },
    /// The platform's owner would lose ADMIN or the account. Nothing allows it.
    OwnerRole {
        user_name: String,
    },
    /// No active ADMIN would be left. Nothing allows it.
    LastAdmin {
        admins: usize,
    },
    /// The scope is empty, and yet accounts would be deactivated: more likely a mistake, or a source that answers with
    /// nothing, than a company without users.
    EmptyScope {
        deactivations: usize,
    },
    /// Projects would be deleted, with all that is in them. The limit of this is always none.
    ProjectDeletions {
        deletions: usize,
    },
    /// Accounts would be deleted, with their personal projects. The limit of this is always none.
    AccountDeletions {
        deletions: usize,
    },
    MaxDeactivations(Over),
    MaxRoleDowngrades(Over),
    MaxRoleOrEmailChanges(Over),
    /// Users who become ADMIN.
    MaxNewAdmins(Over),
    /// Accounts that are replaced because of a changed address.
    MaxRecreations(Over),
    /// More creations than a platform that should be in sync already can need.
    MaxCreations(Over),
    /// Of one project, or, as a share, of all of them together.
    MaxMembersRemoved {
        project: Option<String>,
        #[serde(flatten)]
        over: Over,
    },
    /// Members whose project role changes: of one project, or, as a share, of all of them together.
    MaxProjectRoleChanges {
        project: Option<String>,
        /// All changes of project roles of the plan, which the flag allows.
        changes: usize,
        #[serde(flatten)]
        over: Over,
    },
}

/// A number over its limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    pub number: usize,
    /// What the limit comes to.
    pub allowed: usize,
    /// The limit as written in the config.
    pub limit: String,
    /// What a share is taken of.
    pub of: usize,
}

/// What the admin allows for this run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Exactly so many deactivations.
    pub deactivations: Option<usize>,
    /// Exactly so many users who become ADMIN.
    pub new_admins: Option<usize>,
    /// Exactly so many accounts that are replaced.
    pub recreations: Option<usize>,
    /// Exactly so many changes of project roles.
    pub project_roles: Option<usize>,
    /// Exactly so many deletions of projects.
    pub project_deletions: Option<usize>,
    /// Exactly so many deletions of accounts.
    pub account_deletions: Option<usize>,
    /// An empty scope.
    pub empty_scope: bool,
    /// The plan of this hash, over all limits.
    pub approved: Option<String>,
    /// What the last run was allowed to do and didn't.
    pub resumed: Resumed,
}

impl Refusal {
    /// The flag that allows exactly this refusal in the plan of this hash; none if no flag does.
    pub fn flag(&self, hash: &str) -> Option<String> {
        match self {
            Self::AnotherPlan { .. } | Self::OwnerRole { .. } | Self::LastAdmin { .. } => None,
            Self::EmptyScope { .. } => Some("--allow-empty-scope".to_owned()),
            Self::ProjectDeletions { deletions } => Some(format!("--allow-project-deletions {deletions}")),
            Self::AccountDeletions { deletions } => Some(format!("--allow-account-deletions {deletions}")),
            Self::MaxDeactivations(over) => Some(format!("--allow-deactivations {}", over.number)),
            Self::MaxNewAdmins(over) => Some(format!("--allow-new-admins {}", over.number)),
            Self::MaxRecreations(over) => Some(format!("--allow-recreations {}", over.number)),
            Self::MaxProjectRoleChanges { changes, .. } => Some(format!("--allow-project-role-changes {changes}")),
            Self::MaxRoleDowngrades(_)
            | Self::MaxRoleOrEmailChanges(_)
            | Self::MaxCreations(_)
            | Self::MaxMembersRemoved { .. } => Some(format!("--approve {hash}")),
        }
    }

    /// Whether it is about a limit, which the approval of a plan goes over.
    fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::MaxDeactivations(_)
                | Self::MaxNewAdmins(_)
                | Self::MaxRecreations(_)
                | Self::MaxRoleDowngrades(_)
                | Self::MaxRoleOrEmailChanges(_)
                | Self::MaxCreations(_)
                | Self::MaxMembersRemoved { .. }
                | Self::MaxProjectRoleChanges { .. }
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let managed = "managed active users";
        match self {
            Self::MaxDeactivations(over) => {
                over.tell(f, ["deactivation", "deactivations"], "max_deactivations", managed)
            }
            Self::MaxRoleDowngrades(over) => {
                let what = ["user who loses ADMIN or OPERATOR", "users who lose ADMIN or OPERATOR"];
                over.tell(f, what, "max_role_downgrades", "managed active users with these roles")
            }
            Self::MaxRoleOrEmailChanges(over) => {
                let what =
                    ["user whose role or e-mail address changes", "users whose roles or e-mail addresses change"];
                over.tell(f, what, "max_role_or_email_changes", managed)
            }
            Self::MaxNewAdmins(over) => {
                over.tell(f, ["user who becomes ADMIN", "users who become ADMIN"], "max_new_admins", managed)
            }
            Self::MaxRecreations(over) => {
                let what = ["account that is replaced", "accounts that are replaced"];
                over.tell(f, what, "max_recreations", managed)
            }
            Self::MaxCreations(over) => over.tell(f, ["creation", "creations"], "max_creations", managed),
            Self::MaxProjectRoleChanges { project, over, .. } => {
                let place = of_projects(project.as_deref());
                let what =
                    ["change of a project role", "changes of project roles"].map(|what| format!("{what} in {place}"));
                over.tell(f, what.each_ref().map(String::as_str), "max_project_role_changes", "members")
            }
            Self::MaxMembersRemoved { project, over } => {
                let whence = of_projects(project.as_deref());
                let what = ["member", "members"].map(|what| format!("{what} removed from {whence}"));
                over.tell(f, what.each_ref().map(String::as_str), "max_members_removed", "members")
            }
            Self::AnotherPlan { approved, plan } => {
                write!(f, "the plan that was approved is {approved}, and this one is {plan}")
            }
            Self::OwnerRole { user_name } => {
                write!(f, "the platform's owner {user_name} would lose ADMIN or the account")
            }
            Self::LastAdmin { admins } => write!(f, "this would leave no active ADMIN ({admins} today)"),
            Self::EmptyScope { deactivations } => {
                let accounts = if *deactivations == 1 { "account" } else { "accounts" };
                write!(f, "the scope is empty; this would deactivate {deactivations} {accounts}")
            }
            Self::AccountDeletions { deletions: 1 } => {
                write!(f, "1 account would be deleted with its personal project, for good")
            }
            Self::AccountDeletions { deletions } => {
                write!(f, "{deletions} accounts would be deleted with their personal projects, for good")
            }
            Self::ProjectDeletions { deletions: 1 } => write!(f, "1 project would be deleted with all that is in it"),
            Self::ProjectDeletions { deletions } => {
                write!(f, "{deletions} projects would be deleted with all that is in them")
            }
        }
    }
}

/// `the project Sales`, or all of them.
fn of_projects(project: Option<&str>) -> String {
    project.map_or("all projects".to_owned(), |name| format!("the project {name}"))
}

impl Over {
    /// None where the number is within what is allowed.
    fn of(number: usize, allowed: usize, limit: Limit, of: usize) -> Option<Self> {
        (number > allowed).then(|| Self { number, allowed, limit: limit.to_string(), of })
    }

    /// `what` for one and for several, the key of the limit, and what its share is taken of.
    fn tell(&self, f: &mut fmt::Formatter<'_>, [one, several]: [&str; 2], key: &str, of: &str) -> fmt::Result {
        let Self { number, allowed, limit, of: total } = self;
        let is_more = if *number == 1 { format!("{one} is") } else { format!("{several} are") };
        write!(f, "{number} {is_more} more than the {allowed} that safety.{key} = {limit} allows with {total} {of}")
    }
}

/// All refusals of the plan of this hash; none means that it may be written.
pub fn check(plan: &Plan, hash: &str, policy: &Policy, past: &Past, allowed: &Allowed) -> Vec<Refusal> {
    let approved = allowed.approved.as_deref();
    if let Some(approved) = approved.filter(|approved| *approved != hash) {
        return vec![Refusal::AnotherPlan { approved: approved.to_owned(), plan: hash.to_owned() }];
    }
    let mut refusals: Vec<Refusal> = owner_role(plan).into_iter().chain(last_admin(plan)).collect();
    let totals = plan.totals();
    let is_empty = plan.standing.in_scope == 0 && !plan.standing.scope_is_incomplete;
    if is_empty && totals.deactivate + totals.delete > 0 && !allowed.empty_scope {
        refusals.push(Refusal::EmptyScope { deactivations: totals.deactivate });
    }
    let deletions = totals.projects_delete;
    if deletions > 0 && allowed.project_deletions != Some(deletions) {
        refusals.push(Refusal::ProjectDeletions { deletions });
    }
    let deletions = totals.delete;
    if deletions > 0 && allowed.account_deletions != Some(deletions) {
        refusals.push(Refusal::AccountDeletions { deletions });
    }
    refusals.extend(over_limits(plan, policy, past, &allowed.resumed).into_iter().filter(|refusal| match refusal {
        Refusal::MaxDeactivations(over) => allowed.deactivations != Some(over.number),
        Refusal::MaxNewAdmins(over) => allowed.new_admins != Some(over.number),
        Refusal::MaxRecreations(over) => allowed.recreations != Some(over.number),
        Refusal::MaxProjectRoleChanges { changes, .. } => allowed.project_roles != Some(*changes),
        _ => true,
    }));
    refusals.retain(|refusal| approved.is_none() || !refusal.is_limit());
    refusals
}

/// Operations that the last run was allowed to do count in no limit.
fn over_limits(plan: &Plan, policy: &Policy, past: &Past, resumed: &Resumed) -> Vec<Refusal> {
    let limits = &policy.limits;
    let managed = plan.standing.managed_active;
    let users =
        |is_counted: fn(&UserOp) -> bool| plan.users.iter().filter(|op| is_counted(op) && !resumed.user(op)).count();
    let removed = |op: &ProjectOp| op.remove.iter().filter(|removal| !resumed.removal(op, removal)).count();
    let over_floor = |number, limit: Limit, of: usize, floor: usize| Over::of(number, limit.of(of, floor), limit, of);
    let deactivations = users(|op| op.action == UserAction::Deactivate);
    let deactivations = over_floor(deactivations, limits.deactivations, managed, limits.floor_of_deactivations());
    let deactivations = deactivations.map(Refusal::MaxDeactivations);
    let is_first = past.trusted.is_none();
    let new_admins = limits.new_admins.or((!is_first).then_some(Limits::NEW_ADMINS));
    let new_admins = new_admins.and_then(|limit| over_floor(users(UserOp::is_new_admin), limit, managed, 0));
    let new_admins = new_admins.map(Refusal::MaxNewAdmins);
    // What has begun is completed: it was allowed before.
    let begins = |op: &UserOp| op.replaces.iter().any(|left| left.is_linked_to(&op.okta_id));
    let recreations = over_floor(users(begins), limits.recreations, managed, 0).map(Refusal::MaxRecreations);
    let always = deactivations.into_iter().chain(new_admins).chain(recreations);
    if is_first {
        // The first run may find anything, and the admin who applies it sees the plan.
        return always.collect();
    }
    let over = |number, limit, of| over_floor(number, limit, of, limits.floor());
    let downgrades = users(UserOp::is_downgrade);
    let whole = [
        over_downgrades(downgrades, limits, &plan.standing).map(Refusal::MaxRoleDowngrades),
        over(role_or_email_changes(plan, past, resumed), limits.role_or_email_changes, managed)
            .map(Refusal::MaxRoleOrEmailChanges),
        over(users(|op| op.action == UserAction::Create), limits.creations, managed).map(Refusal::MaxCreations),
    ];
    let removals = over_in_projects(plan, limits.members_removed, limits.floor(), &removed);
    let removals = removals.into_iter().map(|(project, over)| Refusal::MaxMembersRemoved { project, over });
    let set_roles = |op: &ProjectOp| op.roles.iter().filter(|change| !resumed.role(op, change)).count();
    let changes = plan.projects.iter().map(set_roles).sum();
    let roles = over_in_projects(plan, limits.project_role_changes, limits.floor(), &set_roles);
    let roles = roles.into_iter().map(|(project, over)| Refusal::MaxProjectRoleChanges { project, changes, over });
    always.chain(whole.into_iter().flatten()).chain(removals).chain(roles).collect()
}

/// The projects in which a number is over its limit, which counts each project apart. Each of many small projects may be within a
/// share, but not all of them together.
fn over_in_projects(
    plan: &Plan,
    limit: Limit,
    floor: usize,
    number: &dyn Fn(&ProjectOp) -> usize,
) -> Vec<(Option<String>, Over)> {
    let over = |number, of| Over::of(number, limit.of(of, floor), limit, of);
    let of_project = |op: &ProjectOp| Some((Some(op.name.clone()), over(number(op), op.members)?));
    let mut found: Vec<_> = plan.projects.iter().filter_map(of_project).collect();
    if found.is_empty() && matches!(limit, Limit::Percent(_)) {
        let all = over(plan.projects.iter().map(number).sum(), plan.standing.members);
        found.extend(all.map(|over| (None, over)));
    }
    found
}

/// A few people have these roles even in a large company: the floor is one for the company, and one lesser role is always
/// within a share.
fn over_downgrades(number: usize, limits: &Limits, standing: &Standing) -> Option<Over> {
    let (limit, of) = (limits.role_downgrades, standing.privileged_active);
    let allowed = match limit {
        Limit::Percent(percent) if percent > 0.0 && standing.managed_active < limits.floor() => usize::MAX,
        Limit::Percent(percent) if percent > 0.0 => limit.of(of, 0).max(1),
        Limit::Percent(_) | Limit::Count(_) => limit.of(of, 0),
    };
    Over::of(number, allowed, limit, of)
}

/// Users whose current role or e-mail address isn't the desired one. A changed address that an earlier
/// run told of already doesn't count again: it can't be written, and would refuse every plan for good.
fn role_or_email_changes(plan: &Plan, past: &Past, resumed: &Resumed) -> usize {
    let changes_role =
        |op: &&UserOp| op.action != UserAction::Create && op.account.is_some() && op.role_change().is_some();
    let roles = plan.users.iter().filter(changes_role).filter(|op| !resumed.user(op)).map(|op| &op.okta_id);
    let emails = plan.standing.email_changed.difference(&past.email_changed);
    roles.chain(emails).collect::<BTreeSet<&OktaUserId>>().len()
}

fn owner_role(plan: &Plan) -> Option<Refusal> {
    let standing = &plan.standing;
    let owner = standing.owner.as_ref().filter(|owner| standing.admins.contains(*owner))?;
    let op = plan.users.iter().find(|op| op.account.as_ref() == Some(owner) && !op.makes_admin())?;
    Some(Refusal::OwnerRole { user_name: op.user_name.clone() })
}

fn last_admin(plan: &Plan) -> Option<Refusal> {
    let made = plan.users.iter().any(UserOp::makes_admin);
    let admins = plan.standing.admins.len();
    (plan.takes_all_admins() && !made).then_some(Refusal::LastAdmin { admins })
}
