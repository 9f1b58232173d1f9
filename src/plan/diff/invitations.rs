//! Accepted invitations that wait for users that Okta knows: which of them Okta contradicts.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::PlatformRole;
use crate::model::activepieces::{Grant, Invitation, Invitations, Platform, User};
use crate::model::desired::{Attributes, Desired, DesiredState, DesiredUser, Leave};
use crate::model::id::OktaUserId;
use crate::model::problem::{Problem, ProblemKind};
use crate::model::role::is_same_project_role;
use crate::plan::diff::leaving::effective;
use crate::plan::diff::matching::Matches;
use crate::plan::op::{InvitationOp, Plan};
use crate::plan::policy::{OnInvitation, OnLeave, Policy};

/// The user that an invitation is for.
#[derive(Clone, Copy)]
struct Subject<'a> {
    id: &'a OktaUserId,
    user: &'a DesiredUser,
    account: Option<&'a User>,
}

/// What Okta says of an invitation.
enum Verdict {
    /// The user has, or gets, what it gives.
    Agrees,
    /// Okta gives something else, or the user has no access.
    Contradicts { reason: String, left: Option<Leave> },
    /// Okta doesn't say what the user should have.
    Unknown(String),
}

impl Verdict {
    fn contradicts(reason: impl Into<String>) -> Self {
        Self::Contradicts { reason: reason.into(), left: None }
    }
}

/// Adds the operations that delete invitations, or the problems that name them. Invitations of addresses that Okta doesn't know
/// are left alone.
pub fn diff(plan: &mut Plan, desired: &Desired, platform: &Platform, matches: &Matches<'_>, policy: &Policy) {
    if platform.invitations == Invitations::Off {
        plan.warnings.push("the server doesn't list invitations for API keys: those that wait aren't known".to_owned());
    }
    for (invitation, subject) in of_users(desired, platform, matches) {
        let grant = named(&invitation.grant, platform);
        let verdict = verdict(subject, &grant, desired, platform, matches, policy);
        let user_name = &invitation.user_name;
        let (reason, left) = match verdict {
            Verdict::Agrees => {
                plan.warnings.push(format!("{user_name}: an accepted invitation as {grant} waits, as Okta has it"));
                continue;
            }
            Verdict::Contradicts { reason, left } if policy.invitations == OnInvitation::Revoke => {
                let (id, user_name, okta_id) = (invitation.id.clone(), user_name.clone(), subject.id.clone());
                plan.invitations.push(InvitationOp { id, user_name, okta_id, grant, reason, left });
                continue;
            }
            Verdict::Contradicts { reason, left } => (reason, left),
            Verdict::Unknown(reason) => (reason, None),
        };
        if grant.is_admin() && left.is_none() {
            plan.standing.waiting_admins.insert(user_name.clone());
        }
        let message = format!(
            "an accepted invitation as {grant} waits and is applied at the next sign-in: {reason}; delete it there, or \
             have it deleted by safety.invitations = \"revoke\""
        );
        plan.problems.push(Problem::new(user_name, ProblemKind::WaitingInvitation, message));
    }
}

/// The users whose invitations Okta contradicts by an absence in a group, or by a role that may follow from one.
pub fn doubted(desired: &Desired, platform: &Platform, matches: &Matches<'_>) -> BTreeSet<OktaUserId> {
    let policy = Policy::default();
    let of_users = of_users(desired, platform, matches).into_iter();
    let doubted = of_users.filter(|(invitation, subject)| {
        let verdict = verdict(*subject, &invitation.grant, desired, platform, matches, &policy);
        matches!(verdict, Verdict::Contradicts { left: None, .. })
    });
    doubted.map(|(_, subject)| subject.id.clone()).collect()
}

/// The users of linked accounts that have an invitation, and that the read doesn't know.
pub fn unknown_users(desired: &Desired, platform: &Platform, unknown: &[&User]) -> BTreeSet<OktaUserId> {
    let invited: BTreeSet<&str> = platform.invitations.known().iter().map(|waiting| &*waiting.user_name).collect();
    let accounts = unknown.iter().filter(|account| invited.contains(account.user_name.as_str()));
    accounts.filter_map(|account| account.okta_id(&desired.ids)).collect()
}

/// The invitations of users that Okta knows: by the account of the address, else by the address.
fn of_users<'a>(
    desired: &'a Desired,
    platform: &'a Platform,
    matches: &Matches<'a>,
) -> Vec<(&'a Invitation, Subject<'a>)> {
    let waiting = platform.invitations.known();
    if waiting.is_empty() {
        return Vec::new();
    }
    let invited: BTreeSet<&str> = waiting.iter().map(|waiting| waiting.user_name.as_str()).collect();
    let mut subjects: BTreeMap<&str, Subject<'a>> = BTreeMap::new();
    for ((id, user), account) in desired.users.iter().zip(&matches.account_of) {
        if let Some(name) = user.user_name.as_deref().filter(|name| invited.contains(name)) {
            subjects.insert(name, Subject { id, user, account: *account });
        }
    }
    let accounts = platform.users.iter().zip(&matches.user_of);
    for (account, owner) in accounts.filter(|(account, _)| invited.contains(account.user_name.as_str())) {
        let owner = owner.cloned().or_else(|| account.okta_id(&desired.ids));
        if let Some((id, user)) = owner.and_then(|owner| desired.users.get_key_value(&owner)) {
            subjects.insert(&account.user_name, Subject { id, user, account: Some(account) });
        }
    }
    waiting.iter().filter_map(|waiting| Some((waiting, *subjects.get(waiting.user_name.as_str())?))).collect()
}

/// The grant with the name of its project.
fn named(grant: &Grant, platform: &Platform) -> Grant {
    let mut grant = grant.clone();
    if let Grant::Project { project, name, .. } = &mut grant
        && let Some(known) = platform.projects.iter().find(|known| known.id == *project)
    {
        name.clone_from(&known.display_name);
    }
    grant
}

fn verdict(
    subject: Subject<'_>,
    grant: &Grant,
    desired: &Desired,
    platform: &Platform,
    matches: &Matches<'_>,
    policy: &Policy,
) -> Verdict {
    let Subject { id, user, account } = subject;
    match &user.state {
        DesiredState::Present(_) if matches.blocked.contains(id) => unknown(),
        DesiredState::Present(attributes) => match grant {
            Grant::Platform { role } => of_platform(role, attributes, account, desired),
            Grant::Project { .. } => of_project(id, grant, desired, platform),
        },
        DesiredState::Left(leave) => {
            let leave = effective(*leave, user, policy);
            match policy.on_leave(leave) {
                OnLeave::Deactivate => Verdict::Contradicts { reason: leave.as_str().to_owned(), left: Some(leave) },
                OnLeave::Keep => Verdict::Unknown(format!("the user is {}", leave.as_str())),
            }
        }
        DesiredState::Untouched(status) => Verdict::Unknown(format!("the user is {status} in Okta")),
        DesiredState::Problem(_) => unknown(),
    }
}

fn unknown() -> Verdict {
    Verdict::Unknown("what the user should have isn't known (see the other problems)".to_owned())
}

/// Where Okta gives no role, the account's own role is the admins' business, and so is the invitation.
fn of_platform(role: &str, attributes: &Attributes, account: Option<&User>, desired: &Desired) -> Verdict {
    let is_given = !attributes.role_is_null && !desired.on_create_only.platform_role;
    let current = account.map_or(PlatformRole::Member.as_str(), |account| &account.platform_role);
    let given = attributes.platform_role.as_str();
    match is_given {
        true if given == role => Verdict::Agrees,
        true => Verdict::contradicts(format!("Okta gives {given}")),
        false if current == role => Verdict::Agrees,
        false => Verdict::Unknown(format!("Okta gives no role, and the account is {current}")),
    }
}

/// Okta decides only about projects of pushed groups.
fn of_project(id: &OktaUserId, grant: &Grant, desired: &Desired, platform: &Platform) -> Verdict {
    let Grant::Project { project, role, .. } = grant else { return Verdict::Agrees };
    let linked = platform.projects.iter().find(|known| known.id == *project);
    let link = linked.and_then(|known| known.external_id.as_deref());
    let Some(pushed) = link.and_then(|link| desired.project_of(link)) else {
        return Verdict::Unknown("Okta doesn't decide about this project".to_owned());
    };
    if !pushed.members.contains(id) {
        return Verdict::contradicts(format!("isn't in group {}", pushed.group_name));
    }
    let wanted = pushed.roles.as_ref().and_then(|roles| roles.of.get(id)).and_then(|wanted| wanted.role.as_deref());
    match wanted {
        Some(wanted) if !is_same_project_role(wanted, role) => {
            Verdict::contradicts(format!("Okta gives the project role {wanted}"))
        }
        _ => Verdict::Agrees,
    }
}
