//! The stages of an apply and their workers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::adapt::{Contact, Limit, Writer, cost_of_members};
use super::report::{Outcome, ProjectOutcome, Report};
use super::{invitation, project, recreate, roles, user};
use crate::activepieces::Activepieces;
use crate::model::id::{AccountId, OktaGroupId, OktaUserId, ProjectId};
use crate::plan::op::{InvitationOp, Member, ProjectAction, ProjectOp, UserAction, UserOp};
use crate::plan::{Plan, Step};

/// What an apply tells while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A stage of so many steps begins.
    Stage { name: &'static str, steps: usize },
    /// The first request of a step is about to be sent.
    Begins(Step<'a>),
    /// A step ended, or was skipped without having begun.
    Ended { step: Step<'a>, outcome: &'a Outcome },
}

/// Hears of every event. An error to [`Event::Begins`] keeps the step from beginning; to others it means nothing. It is
/// the reason: lower-case, no full stop.
pub type Tell<'a> = dyn Fn(Event<'_>) -> Result<(), String> + Sync + 'a;

/// An apply under way.
struct Run<'a> {
    activepieces: &'a Activepieces,
    /// How many users may be written in parallel, and how many projects.
    users: Limit,
    projects: Limit,
    /// Asked before each operation: those in flight end, no other begins.
    stop: &'a CancellationToken,
    tell: &'a Tell<'a>,
    /// The key isn't accepted any more: what hasn't begun would only fail, one by one.
    unauthorized: AtomicBool,
    contact: Contact,
    roles: Semaphore,
}

/// Writes the plan, at most `parallelism` operations in parallel, fewer if the server takes no more, and never two to
/// one project, and reports the outcome of each operation. The plan's guards were checked before.
pub async fn run<'p>(
    plan: &'p Plan,
    activepieces: &Activepieces,
    parallelism: u32,
    stop: &CancellationToken,
    tell: &Tell<'_>,
) -> Report<'p> {
    let most = parallelism as usize;
    let (users, projects) = (Limit::new(most), Limit::new(most));
    let (unauthorized, contact) = (AtomicBool::new(false), Contact::default());
    let roles = Semaphore::new(most.min(roles::AT_ONCE));
    let run = Run { activepieces, users, projects, stop, tell, unauthorized, contact, roles };
    // Before any account is made that they could be applied to.
    let invitations = run.invitations(plan).await;
    let accounts = Mutex::new(BTreeMap::new());
    let (doomed, others): (Vec<_>, Vec<_>) = plan.users.iter().partition(|op| op.is_deletion());
    let (leaving, coming): (Vec<_>, Vec<_>) = others.into_iter().partition(|op| op.action == UserAction::Deactivate);
    let unmoved = run.move_links(plan).await;
    let (coming, mut users) = run.without(coming, &unmoved);
    let (waiting, coming) = demotions_that_wait(coming, plan);
    users.extend(run.users("users", coming, &accounts).await);
    let (leaving, abandoned) = match succession(plan, &users) {
        Succession::Failed => leaving.into_iter().chain(waiting).partition(|op| !op.takes_admin(&plan.standing.admins)),
        Succession::Stands => {
            users.extend(run.users("roles", waiting, &accounts).await);
            (leaving, Vec::new())
        }
    };
    users.extend(abandoned.into_iter().map(|op| run.abandoned(op)));
    let (last, leaving) = those_who_join(leaving, &plan.projects);
    let accounts = Accounts { inactive: still_inactive(&users), written: accounts.into_inner().unwrap_or_default() };
    // In parallel: users who left must not keep their access for as long as large projects take.
    let projects = Box::pin(run.projects(&plan.projects, &accounts));
    let (left, mut projects) = join(run.deactivations(leaving), projects).await;
    users.extend(left);
    users.extend(run.deactivations(last).await);
    run.leave_old_accounts(&mut users, &accounts.written, &plan.standing.admins).await;
    run.deletions(&mut projects).await;
    users.extend(run.users("accounts to delete", doomed, &Mutex::new(BTreeMap::new())).await);
    let unreachable = run.contact.is_lost();
    let unauthorized = !unreachable && !run.is_let_in().await;
    Report {
        invitations,
        users,
        projects,
        interrupted: stop.is_cancelled(),
        unauthorized,
        unreachable,
        unsent_mails: run.contact.unsent_mails(),
        ..Report::default()
    }
}

/// Parts those who leave, after they were added to a project, from those who only leave. A server passes inactive users over
/// when members are added (docs/activepieces.md#groups), and an undo may bring back an inactive member.
fn those_who_join<'p>(leaving: Vec<&'p UserOp>, projects: &[ProjectOp]) -> (Vec<&'p UserOp>, Vec<&'p UserOp>) {
    let ids: BTreeSet<_> = leaving.iter().map(|op| &op.okta_id).collect();
    let added = projects.iter().flat_map(|op| &op.add).map(|member| &member.okta_id);
    let joining: BTreeSet<_> = added.filter(|id| ids.contains(id)).collect();
    leaving.into_iter().partition(|op| joining.contains(&op.okta_id))
}

/// Whether there is another ADMIN before the last ones lose the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Succession {
    Stands,
    /// All ADMINs would lose the role, and no account became one.
    Failed,
}

/// Takes out those who lose ADMIN where another account has to become one first.
fn demotions_that_wait<'p>(coming: Vec<&'p UserOp>, plan: &Plan) -> (Vec<&'p UserOp>, Vec<&'p UserOp>) {
    let waits = plan.takes_all_admins();
    coming.into_iter().partition(|op| waits && op.takes_admin(&plan.standing.admins))
}

fn succession(plan: &Plan, written: &[(&UserOp, Outcome)]) -> Succession {
    let is_admin = |(op, outcome): &(&UserOp, Outcome)| op.makes_admin() && outcome.is_done();
    if plan.takes_all_admins() && !written.iter().any(is_admin) { Succession::Failed } else { Succession::Stands }
}

/// Users whose account may be inactive: the server skips them when it adds members, and still answers 200
/// (docs/activepieces.md#groups).
fn still_inactive<'p>(written: &[(&'p UserOp, Outcome)]) -> BTreeSet<&'p OktaUserId> {
    let is_activated =
        |op: &UserOp| matches!(op.action, UserAction::Create | UserAction::Reactivate | UserAction::Recreate);
    let failed = written.iter().filter(|(op, outcome)| is_activated(op) && !outcome.is_done());
    failed.map(|(op, _)| &op.okta_id).collect()
}

/// The results for the accounts that are created or kept.
struct Accounts<'p> {
    written: BTreeMap<OktaUserId, AccountId>,
    inactive: BTreeSet<&'p OktaUserId>,
}

impl Accounts<'_> {
    /// The account to add as a member, if there is one.
    fn of(&self, member: &Member) -> Option<AccountId> {
        if self.inactive.contains(&member.okta_id) {
            return None;
        }
        member.account.clone().or_else(|| self.written.get(&member.okta_id).cloned())
    }
}

impl Run<'_> {
    /// Deletes the invitations that the plan revokes.
    async fn invitations<'p>(&self, plan: &'p Plan) -> Vec<(&'p InvitationOp, Outcome)> {
        let writer = self.to(&self.users);
        let waiting = if plan.invitations.is_empty() { Ok(Vec::new()) } else { invitation::look(writer).await };
        let ops = plan.invitations.iter().collect();
        self.stage("invitations", &self.users, Step::Invitation, ops, async |op: &'p InvitationOp| match &waiting {
            Ok(waiting) => outcome(&invitation::revoke(writer, op, waiting).await),
            Err(failed) => failed.clone(),
        })
        .await
    }

    /// Applies the operations in parallel and keeps their order in the report.
    async fn users<'p>(
        &self,
        stage: &'static str,
        ops: Vec<&'p UserOp>,
        accounts: &Mutex<BTreeMap<OktaUserId, AccountId>>,
    ) -> Vec<(&'p UserOp, Outcome)> {
        // Of an account that was made before, only what is left has to be done.
        let (ops, there): (Vec<_>, Vec<_>) =
            ops.into_iter().partition(|op| op.steps().any(|step| matches!(step, Step::User(_))));
        let there = there.into_iter().map(|op| (op, Outcome::Done));
        let written = self.stage(stage, &self.users, Step::User, ops, async |op: &'p UserOp| {
            let written = user::write(self.to(&self.users), op).await;
            let outcome = outcome(&written);
            if let (Ok(id), Ok(mut accounts)) = (written, accounts.lock()) {
                accounts.insert(op.okta_id.clone(), id);
            }
            outcome
        });
        written.await.into_iter().chain(there).collect()
    }

    /// Moves the externalIds of accounts that are left, before any other account gets them. Gives the users of which that failed.
    async fn move_links<'p>(&self, plan: &'p Plan) -> BTreeMap<&'p OktaUserId, Outcome> {
        let ops = has_step(plan.users.iter(), |step| matches!(step, Step::MoveLink(_)));
        let moved = self
            .stage("old accounts", &self.users, Step::MoveLink, ops, async |op: &'p UserOp| {
                outcome(&recreate::move_links(self.to(&self.users), op).await)
            })
            .await;
        moved
            .into_iter()
            .filter(|(_, outcome)| !outcome.is_done())
            .map(|(op, outcome)| (&op.okta_id, outcome))
            .collect()
    }

    /// Parts the operations of users whose old account couldn't be left, with their outcomes, from the others.
    fn without<'p>(
        &self,
        ops: Vec<&'p UserOp>,
        unmoved: &BTreeMap<&'p OktaUserId, Outcome>,
    ) -> (Vec<&'p UserOp>, Vec<(&'p UserOp, Outcome)>) {
        let (failed, ops): (Vec<_>, Vec<_>) = ops.into_iter().partition(|op| unmoved.contains_key(&op.okta_id));
        let skipped = |op: &'p UserOp| {
            let outcome = Outcome::Skipped("the old account couldn't be left".to_owned());
            for step in op.steps().filter(|step| !matches!(step, Step::MoveLink(_))) {
                drop((self.tell)(Event::Ended { step, outcome: &outcome }));
            }
            (op, unmoved[&op.okta_id].clone())
        };
        (ops, failed.into_iter().map(skipped).collect())
    }

    /// Copies memberships from the accounts that are left and closes them, for each user who has the new account. Of users without
    /// access they are closed whatever came of the rest. One stays open as long as what it has isn't on the new account: its
    /// memberships, and ADMIN.
    async fn leave_old_accounts(
        &self,
        users: &mut [(&UserOp, Outcome)],
        written: &BTreeMap<OktaUserId, AccountId>,
        admins: &BTreeSet<AccountId>,
    ) {
        let was_admin = |op: &UserOp| op.replaces.iter().any(|left| admins.contains(&left.account));
        let may_go = |(op, outcome): &&(&UserOp, Outcome)| match op.action {
            UserAction::Deactivate => !matches!(outcome, Outcome::Skipped(_)),
            _ => outcome.is_done() || (outcome.is_answered() && !was_admin(op)),
        };
        // One after the other: two of them may be members of one project.
        let one = Limit::new(1);
        let there = users.iter().filter(may_go).map(|(op, _)| *op);
        let copying = has_step(there, |step| matches!(step, Step::CopyMemberships(_)));
        let copied = self
            .stage("memberships to copy", &one, Step::CopyMemberships, copying, async |op: &UserOp| {
                match op.account.as_ref().or_else(|| written.get(&op.okta_id)) {
                    Some(account) => outcome(&Box::pin(recreate::copy(self.to(&self.projects), op, account)).await),
                    None => Outcome::Skipped("the new account isn't there".to_owned()),
                }
            })
            .await;
        let failed = copied.iter().filter(|(_, outcome)| !outcome.is_answered());
        let uncopied: BTreeSet<&OktaUserId> = failed.map(|(op, _)| &op.okta_id).collect();
        Self::merge(users, copied);
        let there = users.iter().filter(may_go).map(|(op, _)| *op).filter(|op| !uncopied.contains(&op.okta_id));
        let closing = has_step(there, |step| matches!(step, Step::CloseOld(_)));
        let closed = self
            .stage("old accounts to close", &self.users, Step::CloseOld, closing, async |op: &UserOp| {
                outcome(&recreate::close(self.to(&self.users), op).await)
            })
            .await;
        Self::merge(users, closed);
    }

    /// The first step of an operation that isn't done tells how far it came; the steps after it are skipped.
    fn merge(users: &mut [(&UserOp, Outcome)], ended: Vec<(&UserOp, Outcome)>) {
        for (op, outcome) in ended.into_iter().filter(|(_, outcome)| !outcome.is_done()) {
            if let Some((_, whole)) =
                users.iter_mut().find(|(other, whole)| other.okta_id == op.okta_id && whole.is_done())
            {
                *whole = outcome;
            }
        }
    }

    /// Leaves out who would have been the last ADMIN.
    fn abandoned<'p>(&self, op: &'p UserOp) -> (&'p UserOp, Outcome) {
        let outcome = Outcome::Skipped(
            "this is the last ADMIN and no other was created, so that the account stays ADMIN".to_owned(),
        );
        drop((self.tell)(Event::Ended { step: Step::User(op), outcome: &outcome }));
        (op, outcome)
    }

    async fn deactivations<'p>(&self, ops: Vec<&'p UserOp>) -> Vec<(&'p UserOp, Outcome)> {
        self.users("deactivations", ops, &Mutex::new(BTreeMap::new())).await
    }

    /// Destroys what is to be destroyed, after everything else.
    async fn deletions(&self, projects: &mut [(&ProjectOp, ProjectOutcome)]) {
        let doomed = projects.iter().map(|(op, _)| *op).filter(|op| op.is_deletion()).collect();
        let deleted = self
            .stage("projects to delete", &self.projects, Step::Project, doomed, async |op: &ProjectOp| {
                outcome(&project::write(self.to(&self.projects), op).await)
            })
            .await;
        let mut deleted = by_group(deleted);
        for (op, outcomes) in projects.iter_mut().filter(|(op, _)| op.is_deletion()) {
            outcomes.project = deleted.remove(&op.group);
        }
    }

    /// Projects themselves, then all additions, then all removals.
    async fn projects<'p>(
        &self,
        ops: &'p [ProjectOp],
        accounts: &Accounts<'_>,
    ) -> Vec<(&'p ProjectOp, ProjectOutcome)> {
        self.release(ops).await;
        let ids = Mutex::new(BTreeMap::new());
        let changed = ops.iter().filter(|op| op.action != ProjectAction::Members && !op.is_deletion()).collect();
        let themselves = self
            .stage("projects", &self.projects, Step::Project, changed, async |op: &'p ProjectOp| {
                let written = project::write(self.to(&self.projects), op).await;
                let outcome = outcome(&written);
                if let (Ok(id), Ok(mut ids)) = (written, ids.lock()) {
                    ids.insert(op.group.clone(), id);
                }
                outcome
            })
            .await;
        let ids = ids.into_inner().unwrap_or_default();
        let id_of = |op: &ProjectOp| match op.action {
            ProjectAction::Members => op.project.clone(),
            _ => ids.get(&op.group).cloned(),
        };
        // The largest first: a member costs the server its time (docs/activepieces.md#throughput), and nothing should wait for one
        // large project at the end.
        let mut adding: Vec<_> = ops.iter().filter(|op| !op.add.is_empty()).collect();
        adding.sort_by_key(|op| Reverse(cost_of_members(op.add.len(), op.members)));
        let added = self
            .stage("members to add", &self.projects, Step::AddMembers, adding, async |op: &'p ProjectOp| {
                self.add(op, id_of(op), accounts).await
            })
            .await;
        let mut removing: Vec<_> = ops.iter().filter(|op| !op.remove.is_empty()).collect();
        removing.sort_by_key(|op| Reverse(cost_of_members(op.remove.len(), op.members)));
        let removed = self
            .stage("members to remove", &self.projects, Step::RemoveMembers, removing, async |op: &'p ProjectOp| {
                self.remove(op, id_of(op)).await
            })
            .await;
        let changing = ops.iter().filter(|op| !op.roles.is_empty()).collect();
        let roles = self
            .stage("project roles", &self.projects, Step::SetRoles, changing, async |op: &'p ProjectOp| {
                self.set_roles(op, id_of(op)).await
            })
            .await;
        let [themselves, added, removed, roles] = [themselves, added, removed, roles].map(by_group);
        ops.iter()
            .map(|op| {
                let [project, add, remove, roles] =
                    [&themselves, &added, &removed, &roles].map(|outcomes| outcomes.get(&op.group).cloned());
                (op, ProjectOutcome { project, add, remove, roles })
            })
            .collect()
    }

    /// Frees externalIds that other projects of the plan get, before any of them is linked, so that two groups can swap their
    /// projects. The step that follows finds the project in either state; one that isn't released makes it fail.
    async fn release(&self, ops: &[ProjectOp]) {
        let wanted: BTreeSet<&OktaGroupId> = ops.iter().map(|op| &op.group).collect();
        let moved = |op: &&ProjectOp| matches!(op.action, ProjectAction::Relink { is_named: true, .. });
        let frees = |op: &&ProjectOp| op.moved_from().is_some_and(|from| wanted.contains(from));
        let between: BTreeSet<OktaGroupId> =
            ops.iter().filter(moved).filter(frees).map(|op| op.group.moving()).collect();
        // A run that ended early may have left a project with the value that another one needs now: it goes on first.
        let blocks =
            |op: &&ProjectOp| op.moved_from().is_some_and(|from| *from != op.group.moving() && between.contains(from));
        let first = ops.iter().filter(moved).filter(blocks);
        for op in first.chain(ops.iter().filter(moved).filter(frees)) {
            let (Some(from), Some(id)) = (op.moved_from(), &op.project) else { continue };
            if self.begins(Step::Project(op)).await.is_ok() {
                let released = project::release(self.to(&self.projects), op, id, from).await;
                tracing::debug!(project = op.name, ?released, "its externalId is freed for another project");
            }
        }
    }

    async fn add(&self, op: &ProjectOp, id: Option<ProjectId>, accounts: &Accounts<'_>) -> Outcome {
        let Some(id) = id else { return Outcome::Skipped("the project itself failed".to_owned()) };
        let wanted: BTreeSet<AccountId> = op.add.iter().filter_map(|member| accounts.of(member)).collect();
        let missing = op.add.len() - wanted.len();
        let writer = self.to(&self.projects);
        let (absent, added) = project::add(writer, op, &id, &wanted).await;
        let role_of = |member| Self::role_of_new(member, accounts.of(member).filter(|id| absent.contains(id))?);
        let given: Vec<roles::Given<'_>> = op.add.iter().filter_map(role_of).collect();
        // Where the server passed some over, the others have the server's default role now.
        let has_added = matches!(added, Ok(()) | Err(Outcome::Kept(_)));
        let added = if has_added && !given.is_empty() {
            added.and(Box::pin(roles::give(writer, &id, &given)).await)
        } else {
            added
        };
        match added {
            Ok(()) if missing > 0 => {
                Outcome::Failed(format!("{missing} of the members weren't added, since their accounts failed"))
            }
            result => outcome(&result),
        }
    }

    /// The role of a member who wasn't one before. An earlier member has a role already.
    fn role_of_new(member: &Member, account: AccountId) -> Option<roles::Given<'_>> {
        let to = member.role.as_deref()?;
        Some(roles::Given { account, user_name: &member.user_name, from: None, to })
    }

    async fn set_roles(&self, op: &ProjectOp, id: Option<ProjectId>) -> Outcome {
        let Some(id) = id else { return Outcome::Skipped("the project itself failed".to_owned()) };
        let writer = self.to(&self.projects);
        if let Err(outcome) = project::still_linked(writer, op, &id).await {
            return outcome;
        }
        let given = op.roles.iter().map(|change| roles::Given {
            account: change.account.clone(),
            user_name: &change.user_name,
            from: Some(&change.from),
            to: &change.to,
        });
        outcome(&Box::pin(roles::give(writer, &id, &given.collect::<Vec<_>>())).await)
    }

    async fn remove(&self, op: &ProjectOp, id: Option<ProjectId>) -> Outcome {
        let Some(id) = id else { return Outcome::Skipped("the project itself failed".to_owned()) };
        let leaving = op.remove.iter().map(|removal| removal.account.clone()).collect();
        outcome(&project::remove(self.to(&self.projects), op, &id, &leaving).await)
    }

    /// Whether the server still takes the key. What was refused once more when it was asked again stays refused.
    async fn is_let_in(&self) -> bool {
        if !self.unauthorized.load(Ordering::Relaxed) && !self.activepieces.takes_the_key().await {
            self.unauthorized.store(true, Ordering::Relaxed);
        }
        !self.unauthorized.load(Ordering::Relaxed)
    }

    /// Whether a step may begin; the error says why not.
    async fn begins(&self, step: Step<'_>) -> Result<(), String> {
        if self.stop.is_cancelled() {
            return Err("the run was stopped".to_owned());
        }
        if self.contact.is_lost() {
            return Err("Activepieces doesn't answer any more".to_owned());
        }
        if !self.is_let_in().await {
            return Err("the API key is not accepted any more".to_owned());
        }
        (self.tell)(Event::Begins(step))
    }

    /// Runs one stage to its end.
    async fn stage<'p, O>(
        &self,
        name: &'static str,
        limit: &Limit,
        step: fn(&'p O) -> Step<'p>,
        ops: Vec<&'p O>,
        work: impl AsyncFn(&'p O) -> Outcome,
    ) -> Vec<(&'p O, Outcome)> {
        if !ops.is_empty() {
            drop((self.tell)(Event::Stage { name, steps: ops.len() }));
        }
        let work = &work;
        limit
            .each(ops, async |op| {
                let outcome = match self.begins(step(op)).await {
                    Ok(()) => work(op).instrument(span(step(op))).await,
                    Err(why) => Outcome::Skipped(why),
                };
                log(step(op), &outcome);
                drop((self.tell)(Event::Ended { step: step(op), outcome: &outcome }));
                (op, outcome)
            })
            .await
    }

    fn to<'s>(&'s self, limit: &'s Limit) -> Writer<'s> {
        Writer { activepieces: self.activepieces, limit, contact: &self.contact, roles: &self.roles }
    }
}

/// The operations that have such a step.
fn has_step<'p>(ops: impl Iterator<Item = &'p UserOp>, is_it: fn(Step<'_>) -> bool) -> Vec<&'p UserOp> {
    ops.filter(|op| op.steps().any(is_it)).collect()
}

/// What the lines of the log about a step begin with. It has no name and no id.
fn span(step: Step<'_>) -> tracing::Span {
    tracing::info_span!("operation", operation = step.kind(), action = step.action())
}

/// Tells the log what came of a step; only at the level of debug whose it is and why, which may hold names.
fn log(step: Step<'_>, outcome: &Outcome) {
    let (operation, action) = (step.kind(), step.action());
    let word = outcome.as_str();
    tracing::info!(operation, action, outcome = word, "operation ended");
    tracing::debug!(operation, action, okta_id = step.okta_id(), why = outcome.why(), "operation ended");
}

fn by_group(outcomes: Vec<(&ProjectOp, Outcome)>) -> BTreeMap<&OktaGroupId, Outcome> {
    outcomes.into_iter().map(|(op, outcome)| (&op.group, outcome)).collect()
}

fn outcome<T>(result: &Result<T, Outcome>) -> Outcome {
    result.as_ref().err().cloned().unwrap_or(Outcome::Done)
}
