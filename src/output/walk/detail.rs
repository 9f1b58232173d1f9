//! One change with its why: what changes, the reason, and what else the plan does for the same user.

use std::collections::BTreeSet;

use super::super::explain_text::{next, section};
use super::super::plan_text::{change, members};
use super::super::text::{DIM, counted, safe, styled};
use super::{Walk, list};
use crate::plan::Plan;
use crate::plan::item::Item;
use crate::plan::op::{Attribute, ProjectOp, UserOp};
use crate::plan::part::{About, UserPart};

/// The whole text, with styles.
pub(super) fn text(walk: &Walk<'_>, item: Item) -> String {
    let plan = walk.document.plan;
    // Of an operation that loses a part of its own, what is left is shown.
    let (of, at) = walk.rest.place(item).map_or((plan, item), |place| (walk.rest.plan(), place));
    let row = list::row(of, at);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let what = match at {
        Item::User(at) => [lines(&row.what), given(&of.users[at])].concat(),
        Item::Project(at) => project(&of.projects[at]),
        _ => lines(&row.what),
    };
    let left_out = match (walk.rest.place(item), walk.left_out.contains(&item)) {
        (Some(_), _) => Vec::new(),
        (None, true) => vec!["press space to take it in again".to_owned()],
        (None, false) => vec![walk.rest.missing(item).to_string()],
    };
    let sections = [
        Some(format!("{} {}", row.mark, row.who)),
        section("Left out", &left_out),
        section("What", &what),
        section("Why", &lines(&row.why)),
        section("Expressions", &expressions(of, at)),
        section("All of the plan for this user", &of_user(plan, item)),
        section("Ids", &ids(of, at)),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// Each attribute of a new account, where the row has only its name and role.
fn given(op: &UserOp) -> Vec<String> {
    let is_told = |attribute: Attribute| attribute == Attribute::Active;
    let given = op.changes.iter().filter(|change| !is_told(change.attribute));
    if op.makes_account() { given.map(change).collect() } else { Vec::new() }
}

fn project(op: &ProjectOp) -> Vec<String> {
    let members = members(op, true);
    let before = format!("{} before", counted(op.members, "member", "members"));
    members.lines().map(str::to_owned).chain((op.project.is_some() && !op.is_deletion()).then_some(before)).collect()
}

/// Where the expressions of the attributes that change are, as far as some are in Okta.
fn expressions(plan: &Plan, item: Item) -> Vec<String> {
    let Item::User(at) = item else { return Vec::new() };
    let attributes = plan.users[at].changes.iter().map(|change| change.attribute.as_str());
    let places = attributes.filter_map(|name| Some((name, plan.expressions.get(name)?)));
    places.map(|(name, place)| format!("{name}: {}", safe(place))).collect()
}

fn of_user(plan: &Plan, item: Item) -> Vec<String> {
    let Some((name, Some(id))) = plan.user_of(item) else { return Vec::new() };
    let about = About { id, login: name, names: BTreeSet::from([name]), projects: BTreeSet::new() };
    next(&UserPart::of(plan, &about), Some(name))
}

fn ids(plan: &Plan, item: Item) -> Vec<String> {
    let user = plan.user_of(item).and_then(|(_, id)| id).map(|id| format!("Okta user {}", safe(id.as_str())));
    let account = match item {
        Item::User(at) => plan.users[at].account.as_ref(),
        _ => None,
    };
    let account = account.map(|id| format!("account {}", safe(id.as_str())));
    let project = item.project().map(|at| &plan.projects[at]);
    let group = project.map(|op| format!("Okta group {}", safe(op.group.as_str())));
    let project = project.and_then(|op| op.project.as_ref()).map(|id| format!("project {}", safe(id.as_str())));
    [user, account, group, project].into_iter().flatten().map(|id| styled(DIM, id)).collect()
}
