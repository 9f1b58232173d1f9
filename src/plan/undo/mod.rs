//! The plan that undoes a run: the reverse of what the run wrote, as far as it is still current.
//!
//! - `users` undoes access, roles, names and externalIds.
//! - `projects` undoes names and members.

use std::collections::BTreeMap;

use super::Comparison;
use super::op::{Plan, UserAction, UserOp};
use super::policy::Policy;
use super::step::Step;
use crate::model::activepieces::{KnownRoles, User};
use crate::model::desired::{DesiredState, DesiredUser};
use crate::model::id::{AccountId, OktaIds, OktaUserId};
use crate::model::problem::{Problem, ProblemKind};
use crate::plan::diff::protected::Protected;
use crate::plan::diff::users::keep_the_last_admin;

mod projects;
mod users;

/// What a step of the run has to do with the current state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Nothing: it was never begun.
    None,
    /// It was done, and is undone attribute by attribute.
    Done,
    /// It failed or was killed. What it wrote is undone, and nothing is reported about the rest.
    Perhaps,
    /// It failed or was killed, and a later run tried it again: the journal can't tell which run wrote the current
    /// value.
    Blurred,
}

/// A run that is undone.
#[derive(Clone, Copy)]
pub struct Undone<'a> {
    /// Its number.
    pub run: u32,
    /// Its plan.
    pub plan: &'a Plan,
    pub trace: &'a dyn Fn(Step<'_>) -> Trace,
}

/// The accounts, found by what an operation names, and what Okta says of their users today.
struct Accounts<'a> {
    by_id: BTreeMap<&'a AccountId, &'a User>,
    by_external_id: BTreeMap<&'a str, &'a User>,
    users: &'a BTreeMap<OktaUserId, DesiredUser>,
    ids: &'a OktaIds,
    roles: Option<&'a KnownRoles>,
}

impl<'a> Accounts<'a> {
    fn of(today: &'a Comparison<'a>) -> Self {
        let users = &today.platform.users;
        let linked = users.iter().filter_map(|user| Some((user.external_id.as_deref()?, user)));
        Self {
            by_id: users.iter().map(|user| (&user.id, user)).collect(),
            by_external_id: linked.collect(),
            users: &today.desired.users,
            ids: &today.desired.ids,
            roles: today.platform.roles.known(),
        }
    }

    /// Whether an externalId names a user of the org.
    fn is_okta_user(&self, id: &str) -> bool {
        self.ids.is_user(id)
    }

    /// Why this Okta user is to have no access today; none where access is right.
    fn no_access(&self, id: &str) -> Option<String> {
        match self.users.get(&OktaUserId::from(id)).map(|user| &user.state) {
            Some(DesiredState::Present(_)) => None,
            Some(DesiredState::Left(leave)) => Some(leave.as_str().to_owned()),
            Some(DesiredState::Untouched(status)) => Some(format!("{status} in Okta")),
            Some(DesiredState::Problem(_)) => Some("the mapping fails for the user".to_owned()),
            None => Some("not in scope in Okta".to_owned()),
        }
    }

    /// The account of an operation; that of a creation is known by what the creation gave it.
    fn of_op(&self, op: &UserOp) -> Option<&'a User> {
        match &op.account {
            Some(id) => self.by_id.get(id).copied(),
            None => self.by_external_id.get(op.okta_id.as_str()).copied().filter(|user| user.user_name == op.user_name),
        }
    }
}

/// Computes the plan that undoes a run, under the same laws as any other plan: no user gets access or a role back who has no
/// access in Okta today. What changed since the run is a problem, and left alone; what can't be undone is a warning.
pub fn undo(undone: Undone<'_>, today: &Comparison<'_>, policy: &Policy) -> Plan {
    let platform = today.platform;
    let mut plan = Plan { standing: today.plan(policy).standing, ..Plan::default() };
    let accounts = Accounts::of(today);
    users::undo(&mut plan, undone, &accounts);
    let protected = Protected::of(platform, policy);
    let ops = std::mem::take(&mut plan.users);
    for op in ops {
        let account = op.account.as_ref().and_then(|id| accounts.by_id.get(id).copied());
        plan.users.extend(protected.restrict(op, account, &mut plan.warnings));
    }
    keep_the_last_admin(&mut plan);
    projects::undo(&mut plan, undone, &platform.projects, &accounts);
    for op in undone.plan.invitations.iter().filter(|op| (undone.trace)(Step::Invitation(op)) != Trace::None) {
        plan.warnings.push(format!(
            "{}: the invitation as {} stays deleted: invite the user again if it was right",
            op.user_name, op.grant
        ));
    }
    plan.users.sort_by(|a, b| (a.action, &a.user_name).cmp(&(b.action, &b.user_name)));
    plan.projects.sort_by(|a, b| (&a.name, &a.group).cmp(&(&b.name, &b.group)));
    plan.problems.sort();
    plan.problems.dedup();
    plan.warnings.sort();
    plan.standing.unchanged_users = platform.users.len().saturating_sub(plan.users.len());
    plan.standing.unchanged_projects = platform.projects.len().saturating_sub(plan.projects.len());
    plan
}

impl Undone<'_> {
    /// Whether the run replaced the account of this user.
    fn replaces(&self, user: &OktaUserId) -> bool {
        self.plan.users.iter().any(|op| op.action == UserAction::Recreate && op.okta_id == *user)
    }

    /// Notes something that the step did and that isn't so any more.
    fn changed(&self, plan: &mut Plan, step: Step<'_>, what: &str) {
        if (self.trace)(step) == Trace::Done {
            let message = format!("{what}, which isn't as run {} left it", self.run);
            plan.problems.push(Problem::new(step.subject(), ProblemKind::ChangedSince, message));
        }
    }

    /// Notes a step of which it can't be told whose change is there.
    fn blurred(&self, plan: &mut Plan, step: Step<'_>) {
        let (run, kind) = (self.run, step.kind());
        let message = format!("run {run} didn't end this ({kind}), and a later run tried it again: undo that one");
        plan.problems.push(Problem::new(step.subject(), ProblemKind::ChangedSince, message));
    }
}
