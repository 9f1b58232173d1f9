//! The items of a plan, each of which can be left out, and the part that is left: what depends on what.

use std::collections::BTreeSet;
use std::fmt;

use super::diff::users::keep_the_last_admin;
use super::op::{Fate, Plan, ProjectAction, ProjectOp, Replaced, UserAction, UserOp};
use crate::model::id::{AccountId, OktaGroupId, OktaUserId};

/// What can be left out of a plan, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Invitation(usize),
    User(usize),
    /// What is done to a project itself.
    Project(usize),
    /// A new member: the place of the project, and that among its new members. The same for the two below.
    Added(usize, usize),
    Removed(usize, usize),
    Role(usize, usize),
}

/// What is left of a plan.
#[derive(Clone, Debug)]
pub struct Rest<'a> {
    whole: &'a Plan,
    /// None where nothing is left out.
    part: Option<Part>,
}

/// A part of a plan, and where it has each item of the plan that it has, sorted.
#[derive(Clone, Debug)]
struct Part {
    plan: Plan,
    places: Vec<(Item, Item)>,
}

/// What an item depends on that isn't in the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Account,
    Deactivation,
    Project,
    Link,
    Exchange,
    OtherAdmin,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "a member is added only together with the operation that makes the account",
            Self::Deactivation => "this removal belongs to the deactivation of the account",
            Self::Project => "the members of this project change only together with the project itself",
            Self::Link => "the project that has the link of this group is moved first",
            Self::Exchange => "an account goes from one user to another only with the operations of both",
            Self::OtherAdmin => "the last active ADMIN stays so",
        })
    }
}

impl Item {
    /// The place of the project that it is about.
    pub fn project(self) -> Option<usize> {
        match self {
            Self::Project(at) | Self::Added(at, _) | Self::Removed(at, _) | Self::Role(at, _) => Some(at),
            Self::Invitation(_) | Self::User(_) => None,
        }
    }
}

impl Plan {
    /// The user name and, where it is known, the Okta id that an item is about; none for a project itself.
    pub fn user_of(&self, item: Item) -> Option<(&str, Option<&OktaUserId>)> {
        match item {
            Item::Invitation(at) => Some((&self.invitations[at].user_name, Some(&self.invitations[at].okta_id))),
            Item::User(at) => Some((&self.users[at].user_name, Some(&self.users[at].okta_id))),
            Item::Project(_) => None,
            Item::Added(at, of) => {
                let member = &self.projects[at].add[of];
                Some((&member.user_name, Some(&member.okta_id)))
            }
            Item::Removed(at, of) => {
                let removal = &self.projects[at].remove[of];
                Some((&removal.user_name, removal.okta_id.as_ref()))
            }
            Item::Role(at, of) => {
                let change = &self.projects[at].roles[of];
                Some((&change.user_name, Some(&change.okta_id)))
            }
        }
    }

    /// All items, in the order of the plan.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let invitations = (0..self.invitations.len()).map(Item::Invitation);
        let users = (0..self.users.len()).map(Item::User);
        let projects = self.projects.iter().enumerate().flat_map(|(at, op)| op.items(at));
        invitations.chain(users).chain(projects)
    }
}

impl ProjectOp {
    /// Its items, where it is at this place of its plan.
    fn items(&self, at: usize) -> impl Iterator<Item = Item> {
        let itself = (self.action != ProjectAction::Members).then_some(Item::Project(at));
        let add = (0..self.add.len()).map(move |of| Item::Added(at, of));
        let remove = (0..self.remove.len()).map(move |of| Item::Removed(at, of));
        let roles = (0..self.roles.len()).map(move |of| Item::Role(at, of));
        itself.into_iter().chain(add).chain(remove).chain(roles)
    }

    /// Whether the project is linked to its group already, so that its members can change without it.
    pub fn is_linked(&self) -> bool {
        matches!(self.action, ProjectAction::Members | ProjectAction::Rename { .. })
    }
}

/// Leaves in the plan the items that are wanted, as far as they don't depend on the others. A member is added only if the account
/// exists or is made by the same part, and an account goes to another user only if the one who leaves it is in the part too.
pub fn keep(plan: &mut Plan, wants: impl Fn(&Plan, Item) -> bool) {
    let given_up: BTreeSet<OktaGroupId> = plan.projects.iter().filter_map(ProjectOp::moved_from).cloned().collect();
    let wanted: Vec<bool> = plan.items().map(|item| wants(plan, item)).collect();
    let mut wanted = wanted.into_iter();
    let mut next = || wanted.next().unwrap_or_default();
    plan.invitations.retain(|_| next());
    let left_out: Vec<UserOp> = plan.users.extract_if(.., |_| !next()).collect();
    plan.projects.iter_mut().for_each(|op| keep_wanted(op, &mut next));
    plan.leave_out(left_out.into_iter().filter(|op| op.action == UserAction::Recreate).collect());
    leave_out_given(plan);
    keep_the_last_admin(plan);
    plan.keep_members_of_open_accounts();
    let made: BTreeSet<&OktaUserId> = plan.users.iter().map(|op| &op.okta_id).collect();
    for op in &mut plan.projects {
        op.add.retain(|member| member.account.is_some() || made.contains(&member.okta_id));
    }
    plan.projects.retain(|op| !op.is_empty());
    drop_what_waits(plan, &given_up);
}

/// Leaves the wanted items of an operation on a project in it; `next` says in their order whether each is wanted.
fn keep_wanted(op: &mut ProjectOp, next: &mut impl FnMut() -> bool) {
    let itself = op.action == ProjectAction::Members || next();
    let members = itself || op.is_linked();
    op.add.retain(|_| next() && members);
    op.remove.retain(|_| next() && members);
    op.roles.retain(|_| next() && members);
    if !itself {
        op.action = ProjectAction::Members;
    }
}

/// Leaves out projects that would be linked to a group whose project isn't moved away by the same part: an externalId is unique.
fn drop_what_waits(plan: &mut Plan, given_up_by_all: &BTreeSet<OktaGroupId>) {
    loop {
        let free: BTreeSet<OktaGroupId> = plan.projects.iter().filter_map(ProjectOp::moved_from).cloned().collect();
        let links = |op: &ProjectOp| {
            matches!(op.action, ProjectAction::Create | ProjectAction::Adopt | ProjectAction::Relink { .. })
        };
        let waits = |op: &ProjectOp| links(op) && given_up_by_all.contains(&op.group) && !free.contains(&op.group);
        let all = plan.projects.len();
        plan.projects.retain(|op| !waits(op));
        if plan.projects.len() == all {
            return;
        }
    }
}

/// Leaves out the users whose old account is to go to a user that isn't in the part: it would stay open without a user.
fn leave_out_given(plan: &mut Plan) {
    loop {
        let taken: BTreeSet<AccountId> = plan.users.iter().filter_map(|op| op.account.clone()).collect();
        let waits = |left: &Replaced| matches!(left.fate, Fate::TakenOver { .. }) && !taken.contains(&left.account);
        let gone: Vec<UserOp> = plan.users.extract_if(.., |op| op.replaces.iter().any(waits)).collect();
        if gone.is_empty() {
            return;
        }
        let names = gone.iter().map(|op| &op.user_name);
        let told =
            names.map(|name| format!("{name} keeps the old account: it is to go to a user that isn't in the part"));
        plan.warnings.extend(told);
        plan.leave_out(gone);
    }
}

impl<'a> Rest<'a> {
    /// The plan without these items, and without what depends on them.
    pub fn without(whole: &'a Plan, left_out: &BTreeSet<Item>) -> Self {
        let part = (!left_out.is_empty()).then(|| {
            let mut plan = whole.clone();
            keep(&mut plan, |_, item| !left_out.contains(&item));
            Part { places: places(whole, &plan), plan }
        });
        Self { whole, part }
    }

    pub fn plan(&self) -> &Plan {
        self.part.as_ref().map_or(self.whole, |part| &part.plan)
    }

    /// How many items it has, of so many of the plan.
    pub fn items(&self, of: usize) -> usize {
        self.part.as_ref().map_or(of, |part| part.places.len())
    }

    /// Where the rest has an item of the plan; none where it is left out.
    pub fn place(&self, item: Item) -> Option<Item> {
        let Some(Part { places, .. }) = &self.part else { return Some(item) };
        let at = places.binary_search_by_key(&item, |(item, _)| *item).ok()?;
        Some(places[at].1)
    }

    /// What an item of the plan depends on, where it is left out although it is wanted.
    pub fn missing(&self, item: Item) -> Missing {
        let plan = self.whole;
        let is_without = |at: usize| !plan.projects[at].is_linked() && self.place(Item::Project(at)).is_none();
        match item {
            Item::Added(at, _) | Item::Removed(at, _) | Item::Role(at, _) if is_without(at) => Missing::Project,
            Item::Added(..) => Missing::Account,
            Item::Removed(..) | Item::Role(..) => Missing::Deactivation,
            Item::Project(_) | Item::Invitation(_) => Missing::Link,
            Item::User(at) if exchanges(plan, &plan.users[at]) => Missing::Exchange,
            Item::User(_) => Missing::OtherAdmin,
        }
    }
}

/// Whether the user leaves an account to another one, or gets one that another user leaves.
fn exchanges(plan: &Plan, op: &UserOp) -> bool {
    let gives = op.replaces.iter().any(|left| matches!(left.fate, Fate::TakenOver { .. }));
    let mut left = plan.users.iter().flat_map(|other| &other.replaces);
    gives || left.any(|left| Some(&left.account) == op.account.as_ref())
}

/// Where a part has each item of its plan, sorted. It has them in the order of the plan.
fn places(plan: &Plan, part: &Plan) -> Vec<(Item, Item)> {
    let same_user = |a: &UserOp, b: &UserOp| (a.action, &a.okta_id, &a.account) == (b.action, &b.okta_id, &b.account);
    let same_project =
        |a: &ProjectOp, b: &ProjectOp| (&a.group, &a.project, &a.name) == (&b.group, &b.project, &b.name);
    let invitations = pairs(&plan.invitations, &part.invitations, |a, b| a.id == b.id);
    let users = pairs(&plan.users, &part.users, same_user);
    let invitations = invitations.map(|(at, to)| (Item::Invitation(at), Item::Invitation(to)));
    let users = users.map(|(at, to)| (Item::User(at), Item::User(to)));
    let projects = pairs(&plan.projects, &part.projects, same_project);
    let projects = projects.flat_map(|(at, to)| places_of_project((at, &plan.projects[at]), (to, &part.projects[to])));
    let mut places: Vec<(Item, Item)> = invitations.chain(users).chain(projects).collect();
    places.sort_unstable();
    places
}

fn places_of_project<'a>(
    (at, op): (usize, &'a ProjectOp),
    (to, kept): (usize, &'a ProjectOp),
) -> impl Iterator<Item = (Item, Item)> + 'a {
    let itself = (kept.action != ProjectAction::Members).then_some((Item::Project(at), Item::Project(to)));
    let add = pairs(&op.add, &kept.add, |a, b| a.okta_id == b.okta_id);
    let remove = pairs(&op.remove, &kept.remove, |a, b| a.account == b.account);
    let roles = pairs(&op.roles, &kept.roles, |a, b| a.account == b.account);
    let add = add.map(move |(of, is)| (Item::Added(at, of), Item::Added(to, is)));
    let remove = remove.map(move |(of, is)| (Item::Removed(at, of), Item::Removed(to, is)));
    let roles = roles.map(move |(of, is)| (Item::Role(at, of), Item::Role(to, is)));
    itself.into_iter().chain(add).chain(remove).chain(roles)
}

/// The places of those of a list that are also in a part of it, and their places there.
fn pairs<'a, T>(
    all: &'a [T],
    part: &'a [T],
    same: impl Fn(&T, &T) -> bool + 'a,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let mut rest = part.iter().enumerate().peekable();
    let place = move |(at, one): (usize, &T)| Some((at, rest.next_if(|(_, kept)| same(one, kept))?.0));
    all.iter().enumerate().filter_map(place)
}
