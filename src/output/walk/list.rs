//! The changes of a plan as a list: their order, their rows, and what a filter and a search take.

use super::super::explain_text::membership_row;
use super::super::layout::Row;
use super::super::plan_text::{Weight, project_row, revocation, user_row};
use super::super::text::safe;
use crate::model::id::OktaUserId;
use crate::plan::Plan;
use crate::plan::item::Item;
use crate::plan::only::{KINDS, Kind};
use crate::plan::op::is_project_admin;
use crate::plan::part::MembershipChange;

/// Which changes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    All,
    Kind(&'static str, Kind),
    LeftOut,
}

impl Filter {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let kinds = KINDS.into_iter().map(|(name, kind)| Self::Kind(name, kind));
        std::iter::once(Self::All).chain(kinds).chain([Self::LeftOut])
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Kind(name, _) => name,
            Self::LeftOut => "left out",
        }
    }
}

/// All changes of the plan: what gives ADMIN and what takes away come first.
pub(super) fn in_order(plan: &Plan) -> Vec<Item> {
    let mut items: Vec<Item> = plan.items().collect();
    items.sort_by_cached_key(|item| rank(plan, *item));
    items
}

fn rank(plan: &Plan, item: Item) -> u8 {
    match item {
        Item::User(at) => match Weight::of(&plan.users[at]) {
            Weight::NewAdmin => 0,
            Weight::Deleted => 2,
            Weight::Role => 4,
            Weight::Deactivated => 5,
            Weight::Replaced => 6,
            Weight::Reactivated => 9,
            Weight::Routine => 10,
        },
        Item::Added(at, of) if plan.projects[at].add[of].role.as_deref().is_some_and(is_project_admin) => 1,
        Item::Role(at, of) if is_project_admin(&plan.projects[at].roles[of].to) => 1,
        Item::Project(at) if plan.projects[at].is_deletion() || plan.projects[at].is_archival() => 3,
        Item::Invitation(_) => 7,
        Item::Removed(..) | Item::Role(..) => 8,
        Item::Project(_) => 11,
        Item::Added(..) => 12,
    }
}

/// The row of a change, with styles.
pub(super) fn row(plan: &Plan, item: Item) -> Row {
    let member = |name: &str, membership: &MembershipChange| Row { who: safe(name), ..membership_row(membership) };
    match item {
        Item::Invitation(at) => revocation(&plan.invitations[at]),
        Item::User(at) => user_row(&plan.users[at], &plan.drift),
        Item::Project(at) => project_row(&plan.projects[at], &plan.drift),
        Item::Added(at, of) => {
            let (op, new) = (&plan.projects[at], &plan.projects[at].add[of]);
            member(&new.user_name, &MembershipChange::added(op, new))
        }
        Item::Removed(at, of) => {
            let (op, removal) = (&plan.projects[at], &plan.projects[at].remove[of]);
            member(&removal.user_name, &MembershipChange::removed(op, removal))
        }
        Item::Role(at, of) => {
            let (op, change) = (&plan.projects[at], &plan.projects[at].roles[of]);
            member(&change.user_name, &MembershipChange::changed(op, change))
        }
    }
}

/// Whether a user's name or Okta id, or the project's name has this text, which is lower case, in it.
pub(super) fn is_named(plan: &Plan, item: Item, wanted: &str) -> bool {
    let project = item.project().map(|at| plan.projects[at].name.as_str());
    let (name, id) = plan.user_of(item).unzip();
    let old = match item {
        Item::User(at) => plan.users[at].replaces.as_slice(),
        _ => &[],
    };
    let own = [project, name, id.flatten().map(OktaUserId::as_str)].into_iter().flatten();
    let mut texts = own.chain(old.iter().map(|left| left.user_name.as_str()));
    wanted.is_empty() || texts.any(|text| text.to_lowercase().contains(wanted))
}
