//! What a plan leaves alone: deferred operations, problems, accepted problems, warnings, and accounts of others.

use std::collections::BTreeMap;

use super::super::layout::{Layout, Row};
use super::super::summary::without_account;
use super::super::text::{BOLD, CHANGE, DIM, REMOVE, count, counted, folded, listed, safe, styled};
use super::fold;
use super::kinds::{advice, title};
use crate::model::problem::{Accepted, Problem, ProblemKind};
use crate::plan::Plan;
use crate::plan::deferred::{Because, Deferred};

/// So many accepted problems are named.
const NAMED: usize = 3;

/// The deferred operations, and why nothing is removed if the source isn't trusted.
pub(super) fn held(plan: &Plan, layout: Layout) -> Option<String> {
    let row = |held: &Deferred| Row {
        mark: styled(CHANGE, "…"),
        who: safe(&held.subject),
        what: safe(&held.what),
        why: because(&held.because),
        ..Row::default()
    };
    let held = layout.section("Deferred", &fold::rows(plan.held.iter().map(row), layout, layout.all));
    if plan.shrunk.is_empty() {
        return held;
    }
    let mut lines = vec![styled(BOLD, "The Okta data looks incomplete: nothing is removed")];
    lines.extend(plan.shrunk.iter().map(|shrunk| format!("  {} {}", styled(REMOVE, "!"), safe(&shrunk.to_string()))));
    lines.push("  pass --trust-source to apply if the data is correct".to_owned());
    Some(lines.into_iter().chain(held.map(|held| format!("\n{held}"))).collect::<Vec<_>>().join("\n"))
}

pub(in super::super) fn because(because: &Because) -> String {
    match because {
        Because::SourceNotTrusted => "the Okta data looks incomplete".to_owned(),
        Because::ScopeNotFound => "a part of [scope] isn't in Okta".to_owned(),
        Because::Waiting { since, runs } => {
            format!("waits: missing since {since:.0}, in {}", counted(*runs, "run", "runs"))
        }
        Because::Grace { leave, since, until } => {
            format!("waits until {until:.0}: {}, first seen {since:.0}", leave.as_str())
        }
        Because::AnswersDisagree { about } => format!("Okta's answers disagree about {}", safe(about)),
        Because::RoleNotKnown => "the project role isn't known (see the problems)".to_owned(),
        Because::DoesNotStand => "written by an earlier run, and not kept by the server".to_owned(),
    }
}

/// The problems, those of one kind together under what to do about them.
pub(super) fn problems(plan: &Plan, layout: Layout) -> Option<String> {
    let mut kinds: BTreeMap<ProblemKind, Vec<Row>> = BTreeMap::new();
    for problem in &plan.problems {
        kinds.entry(problem.kind).or_default().push(problem_row(problem));
    }
    let head = styled(BOLD, format!("Problems: {}", count(plan.problems.len())));
    let blocks = kinds.into_iter().map(|(kind, rows)| {
        let title = layout.paragraph("  ", &format!("{} [{}]", title(kind), kind.as_str()));
        let rows = layout.rows(&fold::rows(rows.into_iter(), layout, layout.all));
        let advice = advice(kind).map(|advice| layout.paragraph("  do: ", advice));
        [vec![title], rows, advice.into_iter().collect()].concat().join("\n")
    });
    (!plan.problems.is_empty()).then(|| std::iter::once(head).chain(blocks).collect::<Vec<_>>().join("\n"))
}

fn problem_row(problem: &Problem) -> Row {
    Row {
        mark: styled(REMOVE, "!"),
        who: safe(&problem.subject),
        what: safe(&problem.message),
        why: safe(problem.location.as_deref().unwrap_or_default()),
        ..Row::default()
    }
}

/// One line, since nothing of it is new; each with its reason where all is shown.
pub(super) fn accepted(plan: &Plan, layout: Layout) -> Option<String> {
    if plan.accepted.is_empty() {
        return None;
    }
    if !layout.all {
        let of = |accepted: &Accepted| format!("{} ({})", accepted.problem.subject, accepted.problem.kind);
        let names: Vec<String> = plan.accepted.iter().map(of).collect();
        let problems = counted(names.len(), "accepted problem", "accepted problems");
        return Some(layout.paragraph("", &format!("{problems}: {}", folded(&names, NAMED))));
    }
    let row = |accepted: &Accepted| {
        let until = accepted.until.map(|until| format!(" (until {until})")).unwrap_or_default();
        let why = format!("{}{until}", safe(&accepted.why));
        Row { mark: styled(DIM, "·"), why, ..problem_row(&accepted.problem) }
    };
    layout.section("Accepted problems", &plan.accepted.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn warnings(plan: &Plan, layout: Layout) -> Option<String> {
    let row = |warning: String| Row { mark: styled(CHANGE, "!"), who: safe(&warning), ..Row::default() };
    // An ADMIN that Okta doesn't know is never cut.
    let mut rows: Vec<Row> = plan.drift.unknown_admins.iter().map(|name| row(unknown_admin(name, plan))).collect();
    rows.extend(fold::rows(plan.warnings.iter().cloned().map(row), layout, layout.all));
    layout.section("Warnings", &rows)
}

/// `zita@example.com is ADMIN here and no user of Okta's, since run 8`.
fn unknown_admin(name: &str, plan: &Plan) -> String {
    let is_new = plan.drift.new_unknown_admins.iter().any(|new| new == name);
    let since = plan.drift.since_run.filter(|_| is_new);
    let since = since.map(|run| format!(", and wasn't at run {run}")).unwrap_or_default();
    format!("{name} is ADMIN here and no user of Okta's{since}; left alone")
}

/// Side effects of the changes, and the accounts of others.
pub(super) fn notes(plan: &Plan, layout: Layout) -> Option<String> {
    let mut notes = Vec::new();
    let inactive = plan.users.iter().filter(|op| op.makes_inactive()).count();
    if inactive > 0 {
        let accounts = counted(inactive, "new account is", "new accounts are");
        notes.push(format!("{accounts} inactive for now; the welcome e-mails are sent all the same."));
    }
    let given = plan.projects.iter().flat_map(|op| &op.add).filter(|member| member.role.is_some()).count();
    if given > 0 {
        let members = counted(given, "new member has", "new members have");
        notes.push(format!("{members} the server's default project role for a moment, until theirs is set."));
    }
    let alone = [
        (&plan.standing.local, "local"),
        (&plan.standing.foreign, "linked to another directory"),
        (&plan.standing.embedded, "embedded"),
    ];
    for (names, what) in alone.into_iter().filter(|(names, _)| !names.is_empty()) {
        let of = if layout.all { format!(": {}", listed(names)) } else { String::new() };
        let accounts = counted(names.len(), "account is", "accounts are");
        notes.push(layout.paragraph("", &format!("{accounts} {what} and left alone{of}.")));
    }
    // The head of a plan with changes says it.
    let without = without_account(plan).filter(|_| plan.is_empty());
    notes.extend(without.map(|without| layout.paragraph("", &format!("{}.", safe(&without)))));
    (!notes.is_empty()).then(|| notes.join("\n"))
}
