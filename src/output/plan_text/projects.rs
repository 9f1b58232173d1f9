//! The projects of a plan: deletions, then removed members, then everything else.

use anstyle::Style;

use super::super::contents;
use super::super::layout::{Layout, Row};
use super::super::text::{ADD, CHANGE, REMOVE, count, folded, listed, safe, styled};
use super::{changed_here, fold};
use crate::model::activepieces::Contents;
use crate::plan::Plan;
use crate::plan::drift::{Drift, ProjectDrift};
use crate::plan::op::{Member, ProjectAction, ProjectOp, Removal, RoleChange, name_before_archive};

/// So many members who are added to a project are named.
const NAMED: usize = 3;

pub(super) fn section(plan: &Plan, layout: Layout) -> Option<String> {
    let order = |op: &&ProjectOp| (rank(op), verb(&op.action).0);
    let mut ops: Vec<&ProjectOp> = plan.projects.iter().collect();
    ops.sort_by_key(order);
    let (losing, routine): (Vec<&ProjectOp>, Vec<&ProjectOp>) = ops.into_iter().partition(|op| rank(op) < 2);
    let mut rows = fold::rows(losing.into_iter().map(|op| row(op, &plan.drift, layout)), layout, true);
    rows.extend(fold::rows(routine.into_iter().map(|op| row(op, &plan.drift, layout)), layout, layout.all));
    layout.section("Projects", &rows)
}

/// What is taken away comes first: 0 for a deletion or an archive, 1 for a removed member or a changed project role.
fn rank(op: &ProjectOp) -> usize {
    let goes = op.is_deletion() || matches!(op.action, ProjectAction::Archive { .. });
    match (goes, op.remove.is_empty() && op.roles.is_empty()) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    }
}

fn row(op: &ProjectOp, drift: &Drift, layout: Layout) -> Row {
    Row { what: members(op, layout.all), ..itself(op, drift) }
}

/// What is done to a project, without its members.
pub(in super::super) fn itself(op: &ProjectOp, drift: &Drift) -> Row {
    let (_, text, style) = verb(&op.action);
    Row { mark: styled(style, text), who: safe(&op.name), why: why(op, drift), ..Row::default() }
}

/// Why a project is changed, and what of it was changed on the platform.
fn why(op: &ProjectOp, drift: &Drift) -> String {
    let here = drift.projects.get(&op.group).map(|found| format!("{}: {}", changed_here(drift), of_project(op, found)));
    let parts = [Some(project_why(op)).filter(|why| !why.is_empty()), here];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `renamed, dan@example.com added, eva@example.com removed`.
pub(in super::super) fn of_project(op: &ProjectOp, drift: &ProjectDrift) -> String {
    let added =
        op.remove.iter().filter(|removal| removal.okta_id.as_ref().is_some_and(|id| drift.members.contains(id)));
    let removed = op.add.iter().filter(|member| drift.members.contains(&member.okta_id));
    let roles = op.roles.iter().filter(|change| drift.roles.contains(&change.okta_id));
    let renamed = drift.renamed.then(|| "renamed".to_owned());
    let added = added.map(|removal| format!("{} added", safe(&removal.user_name)));
    let removed = removed.map(|member| format!("{} removed", safe(&member.user_name)));
    let roles = roles.map(|change| format!("project role of {} changed", safe(&change.user_name)));
    renamed.into_iter().chain(added).chain(removed).chain(roles).collect::<Vec<_>>().join(", ")
}

/// The mark and the word for what is done to a project.
pub(in super::super) fn project_verb(action: &ProjectAction) -> &'static str {
    verb(action).1
}

/// The place in the order of reading, the mark, and its style.
fn verb(action: &ProjectAction) -> (usize, &'static str, Style) {
    match action {
        ProjectAction::Delete { .. } => (0, "- delete", REMOVE),
        ProjectAction::Archive { .. } => (0, "- archive", REMOVE),
        ProjectAction::Create => (1, "+ create", ADD),
        ProjectAction::Adopt => (2, "= adopt", CHANGE),
        ProjectAction::Relink { .. } => (3, "= relink", CHANGE),
        ProjectAction::Rename { .. } => (4, "~ rename", CHANGE),
        ProjectAction::Members => (5, "~ members", CHANGE),
    }
}

pub(in super::super) fn project_why(op: &ProjectOp) -> String {
    let group = safe(op.group.as_str());
    match &op.action {
        ProjectAction::Create => format!("group {group}"),
        ProjectAction::Adopt => format!("not linked yet: externalId – → {group}"),
        ProjectAction::Relink { from, is_named, archived } => {
            let name = archived.as_ref().map(|from| renamed(from, &op.name)).unwrap_or_default();
            let why = if *is_named { "named in the config" } else { "the group was made again" };
            format!("{why}: externalId {} → {group}{name}", safe(from.as_str()))
        }
        ProjectAction::Archive { from } if *from == op.name => {
            format!("group {group} isn't pushed any more; the project is archived and all in it stays")
        }
        ProjectAction::Archive { from } => {
            format!("group {group} isn't pushed any more{}; all in it stays", renamed(from, &op.name))
        }
        ProjectAction::Rename { from } if name_before_archive(from).is_some() => {
            format!("the group is back{}", renamed(from, &op.name))
        }
        ProjectAction::Rename { from } => format!("name \"{}\" → \"{}\"", safe(from), safe(&op.name)),
        ProjectAction::Members => String::new(),
        ProjectAction::Delete { .. } => format!("group {group} isn't pushed any more"),
    }
}

/// `; name "Archived: Sales" → "Sales"`
fn renamed(from: &str, to: &str) -> String {
    format!("; name \"{}\" → \"{}\"", safe(from), safe(to))
}

/// `+3 amy@…, bo@…, cy@…`, and each reason for a removal with the members that it removes.
pub(in super::super) fn members(op: &ProjectOp, whole: bool) -> String {
    if let ProjectAction::Delete { contents } = &op.action {
        return destroyed(op.members, contents);
    }
    let mut lines = Vec::new();
    if !op.add.is_empty() {
        let names: Vec<String> = op.add.iter().map(as_member).collect();
        let shown = if whole { listed(&names) } else { folded(&names, NAMED) };
        lines.push(styled(ADD, format!("+{} {shown}", count(names.len()))));
    }
    let mut reasons: Vec<&str> = op.remove.iter().map(|removal| removal.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let leaving = op.remove.iter().filter(|removal| removal.reason == reason);
        let names: Vec<String> = leaving.map(with_role).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        lines.push(styled(REMOVE, format!("-{} {}: {}", count(names.len()), listed(&names), safe(reason))));
    }
    let mut kinds: Vec<_> = op.roles.iter().map(kind_of_change).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind @ (from, to, reason) in kinds {
        let changed = op.roles.iter().filter(|change| kind_of_change(change) == kind);
        let names: Vec<&str> = changed.map(|change| change.user_name.as_str()).collect();
        let what = format!("~{} {} → {}", count(names.len()), safe(from), safe(to));
        lines.push(styled(CHANGE, format!("{what} {}: {}", listed(&names), safe(reason))));
    }
    if lines.is_empty() { "no members".to_owned() } else { lines.join("\n") }
}

/// A new member with the project role that is given.
fn as_member(member: &Member) -> String {
    match &member.role {
        Some(role) => format!("{} ({role})", member.user_name),
        None => member.user_name.clone(),
    }
}

/// What changes of project roles share a line.
fn kind_of_change(change: &RoleChange) -> (&str, &str, &str) {
    (&change.from, &change.to, &change.reason)
}

/// A member with the project role that goes, where it is known.
fn with_role(removal: &Removal) -> String {
    let role = removal.role.as_ref().map(|role| format!(" (project role {role} goes)")).unwrap_or_default();
    format!("{}{role}", removal.user_name)
}

/// What goes with a project for good, as far as the server tells it (docs/activepieces.md#contents-of-a-project).
fn destroyed(members: usize, of: &Contents) -> String {
    let contents = contents::listed(of, Some(members));
    format!("destroys {contents}\n{}; nothing of it can be recovered", contents::last_run(of))
}
