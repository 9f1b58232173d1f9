//! Renders the explanations of a group and of a project as text.

use super::explain_text::section;
use super::explained::{ExplainedPushedGroup, ExplainedWholeProject};
use super::plan_text::{members, project_verb, project_why};
use super::text::{ADD, BOLD, CHANGE, DIM, REMOVE, counted, folded, safe, styled};
use super::who_text::{Shown, table};
use crate::model::problem::Problem;
use crate::plan::access::Access;
use crate::plan::op::ProjectOp;

/// So many names are shown of each kind.
const NAMED: usize = 5;

/// The explanation of a group.
pub fn group(explained: &ExplainedPushedGroup, verbose: bool) -> String {
    let shown = if verbose { usize::MAX - 1 } else { NAMED };
    let mut lines = vec![format!("{} {}", safe(&explained.name), styled(DIM, safe(explained.id.as_str())))];
    match explained.taken_by.split_first() {
        None => lines.push("no rule takes it, so it becomes no project".to_owned()),
        Some((first, others)) => {
            lines.push(format!("rule      {}", safe(first)));
            lines.extend(
                others
                    .iter()
                    .map(|other| format!("          {} {}", safe(other), styled(DIM, "(an earlier rule wins)"))),
            );
        }
    }
    let project = match (&explained.project_name, &explained.current_name) {
        (Some(name), Some(current)) if name == current => Some(safe(name)),
        (Some(name), Some(current)) => Some(format!("{}, called {} now", safe(name), safe(current))),
        (Some(name), None) => Some(format!("{}, not there yet", safe(name))),
        (None, Some(current)) => Some(format!("{}, linked to this group and left as it is", safe(current))),
        (None, None) => None,
    };
    lines.extend(project.map(|project| format!("project   {project}")));
    let sections = [
        section("Group", &lines),
        section("Members", &members_of(explained, shown)),
        next(explained.operation.as_ref(), &explained.problems, verbose),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// How many members get in, and why the others don't.
fn members_of(explained: &ExplainedPushedGroup, shown: usize) -> Vec<String> {
    let Some(entrants) = &explained.entrants else { return Vec::new() };
    let mut lines = vec![counted(explained.members.unwrap_or_default(), "member in Okta", "members in Okta")];
    let mut row = |style, what: &str, names: &[String]| {
        if !names.is_empty() {
            let count = styled(style, format!("{:>5}", names.len()));
            lines.push(format!("{count} {what}: {}", folded(names, shown)));
        }
    };
    row(BOLD, "in the project", &entrants.members);
    row(ADD, "the next apply adds", &entrants.to_add);
    for (why, names) in &entrants.not {
        row(CHANGE, &format!("not: {}", safe(why)), names);
    }
    lines
}

/// The explanation of a project.
pub fn project(explained: &ExplainedWholeProject, verbose: bool) -> String {
    let mut lines = vec![format!("{} {}", safe(&explained.name), styled(DIM, safe(explained.id.as_str())))];
    let rule = explained.rule.as_ref().map(|rule| format!(" ({})", safe(rule))).unwrap_or_default();
    lines.push(match (&explained.group, &explained.group_name, &explained.external_id) {
        (Some(id), Some(name), _) => {
            let pushed = if explained.rule.is_some() { rule } else { "; no rule pushes it".to_owned() };
            format!("group     {}{pushed} {}", safe(name), styled(DIM, safe(id.as_str())))
        }
        (Some(id), None, _) => format!("group     {}, which isn't in Okta", safe(id.as_str())),
        (None, _, Some(id)) => format!("group     none; externalId {:?} is of another directory", safe(id)),
        (None, ..) => "group     none: made by hand".to_owned(),
    });
    let (unknown, known): (Vec<&Access>, Vec<&Access>) =
        explained.members.iter().partition(|access| access.not_in_okta);
    let of = |accounts: &[&Access]| {
        let shown = Shown { accounts, project: Some(&explained.id), place: None };
        if accounts.is_empty() { Vec::new() } else { vec![table(&shown)] }
    };
    let sections = [
        section("Project", &lines),
        section("Members", &of(&known)),
        section("Members that Okta doesn't know", &of(&unknown)),
        next(explained.operation.as_ref(), &explained.problems, verbose),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

fn next(op: Option<&ProjectOp>, problems: &[Problem], verbose: bool) -> Option<String> {
    let mut lines = Vec::new();
    match op {
        None => lines.push("changes nothing".to_owned()),
        Some(op) => {
            lines.push([project_verb(&op.action).to_owned(), project_why(op)].join("  ").trim_end().to_owned());
            lines.extend(members(op, verbose).lines().map(|line| format!("  {line}")));
        }
    }
    for problem in problems {
        lines.push(format!(
            "{} problem: {} {}",
            styled(REMOVE, "!"),
            safe(&problem.message),
            styled(DIM, problem.kind)
        ));
    }
    section("Next apply", &lines)
}
