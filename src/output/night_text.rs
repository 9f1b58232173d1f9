//! Renders a run as the one line that a night with news has under `--quiet`.

use super::run_summary::{Applied, Planned, Summary};
use super::text::{count, counted, safe};
use crate::plan::op::Totals;

/// The most lines of one kind below the line of the run.
const MOST: usize = 50;

/// The line, and below it one for each operation that isn't done, each refusal and each new problem.
pub fn render(summary: &Summary) -> String {
    let started = summary.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let run = summary.run.map(|run| format!("run {run}"));
    let target = summary.target.as_ref().map(|name| format!("{}: ", safe(name))).unwrap_or_default();
    let servers = format!("{target}{} → {}", safe(&summary.okta), safe(&summary.activepieces));
    let users = summary.planned.as_ref().map(|planned| counted(planned.users, "user", "users"));
    let known = summary.planned.as_ref().and_then(known);
    let parts = [
        Some(started),
        run,
        Some(servers),
        Some(outcome(summary)),
        users,
        known,
        Some(format!("{:.1} s", summary.seconds)),
    ];
    let mut lines = vec![parts.into_iter().flatten().collect::<Vec<_>>().join("  ")];
    if let Some(applied) = &summary.applied {
        let undone = applied.undone.iter().map(|(subject, why)| format!("not done: {}: {}", safe(subject), safe(why)));
        below(&mut lines, undone, summary);
    }
    if let Some(planned) = &summary.planned {
        below(
            &mut lines,
            planned.refusals.iter().map(|refusal| format!("apply refuses this: {}", safe(refusal))),
            summary,
        );
        let new = planned.new_problems.iter().map(|problem| {
            format!("new problem: {}: {} ({})", safe(&problem.subject), safe(&problem.message), problem.kind)
        });
        below(&mut lines, new, summary);
    }
    lines.join("\n")
}

fn below(lines: &mut Vec<String>, more: impl ExactSizeIterator<Item = String>, summary: &Summary) {
    let rest = more.len().saturating_sub(MOST);
    lines.extend(more.take(MOST).map(|line| format!("  {line}")));
    if rest > 0 {
        let show = summary.run.filter(|_| summary.applied.is_some());
        let show = show.map_or_else(|| "plan".to_owned(), |run| format!("show {run}"));
        lines.push(format!("  and {} more, which oktapieces {show} names", count(rest)));
    }
}

/// `apply done: 2 created, 1 deactivated`, `plan: no changes`.
pub fn outcome(summary: &Summary) -> String {
    let command = &summary.command;
    match (&summary.applied, &summary.planned, summary.outcome) {
        (Some(applied), _, "done") if applied.all() == 0 => "no changes".to_owned(),
        (Some(applied), _, word) => {
            let of = if word == "done" { String::new() } else { format!(", {} done", of(applied)) };
            format!("{command} {word}{of}{}", listed(": ", &applied.changes))
        }
        (None, Some(Planned { operations: 0, .. }), "done") => "no changes".to_owned(),
        (None, Some(planned), word) => {
            let changes = listed(": ", &planned.changes);
            match (command.as_str(), word) {
                ("plan", "done") => format!("planned{changes}"),
                (command, "done") => format!("{command} planned{changes}"),
                (command, word) => format!("{command} {word}, planned{changes}"),
            }
        }
        (None, None, word) => format!("{command} {word}"),
    }
}

/// `3 of 5 operations`
pub fn of(applied: &Applied) -> String {
    format!("{} of {}", count(applied.done), counted(applied.all(), "operation", "operations"))
}

/// `2 created, 1 deactivated` after a lead; nothing where nothing was.
fn listed(lead: &str, changes: &Totals) -> String {
    let listed: Vec<String> = kinds(changes)
        .into_iter()
        .filter(|(_, number, ..)| *number > 0)
        .map(|(_, number, one, several)| counted(number, one, several))
        .collect();
    if listed.is_empty() { String::new() } else { format!("{lead}{}", listed.join(", ")) }
}

/// `15 problems, 1 new, 3 accepted, 2 deferred`; none where there is nothing of these.
fn known(planned: &Planned) -> Option<String> {
    let new = planned.new_problems.len();
    let parts = [
        (planned.problems > 0).then(|| counted(planned.problems, "problem", "problems")),
        (new > 0).then(|| format!("{} new", count(new))),
        (planned.accepted > 0).then(|| format!("{} accepted", count(planned.accepted))),
        (planned.deferred > 0).then(|| format!("{} deferred", count(planned.deferred))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Each kind of change: its name in JSON, its number, and the words for one and for several.
pub fn kinds(changes: &Totals) -> [(&'static str, usize, &'static str, &'static str); 17] {
    [
        ("create", changes.create, "created", "created"),
        ("reactivate", changes.reactivate, "reactivated", "reactivated"),
        ("adopt", changes.adopt, "linked", "linked"),
        ("recreate", changes.recreate, "replaced", "replaced"),
        ("update", changes.update, "updated", "updated"),
        ("deactivate", changes.deactivate, "deactivated", "deactivated"),
        ("delete", changes.delete, "account deleted", "accounts deleted"),
        ("projects_create", changes.projects_create, "project created", "projects created"),
        ("projects_adopt", changes.projects_adopt, "project linked", "projects linked"),
        ("projects_relink", changes.projects_relink, "project relinked", "projects relinked"),
        ("projects_rename", changes.projects_rename, "project renamed", "projects renamed"),
        ("projects_archive", changes.projects_archive, "project archived", "projects archived"),
        ("projects_delete", changes.projects_delete, "project deleted", "projects deleted"),
        ("members_add", changes.members_add, "member added", "members added"),
        ("members_remove", changes.members_remove, "member removed", "members removed"),
        ("project_roles", changes.project_roles, "project role set", "project roles set"),
        ("invitations_revoke", changes.invitations_revoke, "invitation revoked", "invitations revoked"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::{Problem, ProblemKind};

    fn summary() -> Summary {
        Summary {
            command: "apply".to_owned(),
            target: None,
            run: Some(4128),
            started: "2026-11-27T02:00:04.5Z".parse().unwrap(),
            seconds: 1.23,
            okta: "acme.okta.com".to_owned(),
            activepieces: "flows.acme.com".to_owned(),
            outcome: "done",
            exit_code: 0,
            error: None,
            planned: Some(Planned { users: 2818, accepted: 14, ..Planned::default() }),
            applied: Some(Applied::default()),
            requests: 40,
            waited: 0.0,
        }
    }

    #[test]
    fn a_night_without_changes_is_no_news_and_has_a_line_all_the_same() {
        let summary = summary();
        assert!(!summary.is_news());
        assert_eq!(
            render(&summary),
            "2026-11-27 02:00:04 UTC  run 4128  acme.okta.com → flows.acme.com  no changes  2,818 users  14 accepted  1.2 s"
        );
        let of_target = render(&Summary { target: Some("staging".to_owned()), ..summary });
        assert!(of_target.contains("  run 4128  staging: acme.okta.com → flows.acme.com  "), "{of_target}");
    }

    #[test]
    fn what_is_not_done_and_what_is_new_have_lines_of_their_own() {
        let mut summary = summary();
        let planned = summary.planned.as_mut().unwrap();
        (planned.problems, planned.operations) = (2, 3);
        planned.new_problems =
            vec![Problem::new("bob@example.com", ProblemKind::InvalidAttribute, "e-mail is \"bob\"")];
        let changes = Totals { create: 1, members_add: 2, ..Totals::default() };
        let undone = vec![("ada@example.com".to_owned(), "answered 500".to_owned())];
        summary.applied = Some(Applied { done: 2, failed: 1, changes, undone, ..Applied::default() });
        (summary.outcome, summary.exit_code) = ("partial", 3);
        assert!(summary.is_news());
        assert_eq!(
            render(&summary),
            "2026-11-27 02:00:04 UTC  run 4128  acme.okta.com → flows.acme.com  \
             apply partial, 2 of 3 operations done: 1 created, 2 members added  2,818 users  \
             2 problems, 1 new, 14 accepted  1.2 s\n\
             \x20 not done: ada@example.com: answered 500\n\
             \x20 new problem: bob@example.com: e-mail is \"bob\" (invalid_attribute)"
        );
    }

    #[test]
    fn very_many_lines_are_cut_with_the_command_that_names_the_rest() {
        let mut summary = summary();
        let undone = (0..60).map(|n| (format!("u{n}"), "answered 500".to_owned())).collect();
        summary.applied = Some(Applied { failed: 60, undone, ..Applied::default() });
        let text = render(&summary);
        assert_eq!(text.lines().count(), 52);
        assert!(text.ends_with("\n  and 10 more, which oktapieces show 4128 names"), "{text}");
    }

    #[test]
    fn a_run_that_failed_before_its_plan_says_so() {
        let summary = Summary { outcome: "failed", exit_code: 1, planned: None, applied: None, run: None, ..summary() };
        assert_eq!(render(&summary), "2026-11-27 02:00:04 UTC  acme.okta.com → flows.acme.com  apply failed  1.2 s");
    }
}
