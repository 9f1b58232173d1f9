//! Renders a plan as text, in the order in which it is read: the summary, everything that is dangerous and is never cut,
//! the routine, what is left alone, and the totals in the last line.

mod accounts;
mod fold;
mod head;
mod kinds;
mod left_alone;
mod projects;
mod users;

use std::collections::BTreeMap;

use super::document::Document;
use super::layout::Layout;
use super::text::{BOLD, REMOVE, count, counted, safe, styled};
use crate::plan::Plan;
use crate::plan::drift::Drift;

pub(super) use head::risks;
pub(super) use left_alone::because;
pub(super) use projects::{itself as project_row, members, of_project, project_verb, project_why};
pub use users::why;
pub(super) use users::{Weight, change, mark, revocation, row as user_row, what};

/// The whole plan as text; with styles, which the printer takes out where they aren't wanted.
pub fn render(document: &Document<'_>, layout: Layout) -> String {
    let plan = document.plan;
    let mut sections = vec![head::heading(document, layout)];
    sections.extend(head::summary(document, layout));
    sections.extend(refused(document));
    sections.extend(expressions(plan));
    sections.extend(users::sections(plan, document.accounts.is_none(), layout));
    sections.extend(document.accounts.into_iter().flat_map(|accounts| accounts::sections(accounts, layout)));
    sections.extend(projects::section(plan, layout));
    sections.extend(left_alone::held(plan, layout));
    sections.extend(left_alone::problems(plan, layout));
    sections.extend(left_alone::accepted(plan, layout));
    sections.extend(left_alone::warnings(plan, layout));
    sections.extend(left_alone::notes(plan, layout));
    sections.push(match document.accounts {
        Some(accounts) => accounts::total(accounts, plan),
        None => layout.paragraph("", &total(plan)),
    });
    sections.join("\n\n")
}

/// `changed on the platform since run 8`.
fn changed_here(drift: &Drift) -> String {
    let since = drift.since_run.map(|run| format!(" since run {run}")).unwrap_or_default();
    format!("changed on the platform{since}")
}

/// Each refusal of the guards, with what allows it.
pub fn refused(document: &Document<'_>) -> impl Iterator<Item = String> {
    document.refusals.iter().map(|refusal| {
        let way = match refusal.flag(document.hash) {
            Some(flag) => format!("{flag} allows exactly this"),
            None => "nothing allows this".to_owned(),
        };
        format!("{} {}\n  {way}", styled(REMOVE.bold(), "Refused:"), safe(&refusal.to_string()))
    })
}

/// Where the expressions are, those at one place in one line.
fn expressions(plan: &Plan) -> Option<String> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (attribute, place) in &plan.expressions {
        places.entry(place).or_default().push(attribute);
    }
    let lines = places.iter().map(|(place, attributes)| format!("  {}: {}", safe(&attributes.join(", ")), safe(place)));
    (!places.is_empty()).then(|| format!("{}\n{}", styled(BOLD, "Expressions"), lines.collect::<Vec<_>>().join("\n")))
}

/// The one line that says it all.
pub fn total(plan: &Plan) -> String {
    let totals = plan.totals();
    let parts = [
        (totals.create, "to create"),
        (totals.reactivate, "to reactivate"),
        (totals.adopt, "to adopt"),
        (totals.recreate, "to recreate"),
        (totals.update, "to update"),
        (totals.deactivate, "to deactivate"),
        (totals.delete, "to delete"),
    ];
    let projects = [
        (totals.projects_create, "to create"),
        (totals.projects_adopt, "to adopt"),
        (totals.projects_relink, "to relink"),
        (totals.projects_rename, "to rename"),
        (totals.projects_archive, "to archive"),
        (totals.projects_delete, "to delete"),
    ];
    let members = [(totals.members_add, "to add"), (totals.members_remove, "to remove")];
    let list = |parts: &[(usize, &str)], what: &str| {
        let parts: Vec<String> = parts
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, verb)| format!("{} {verb}", count(*number)))
            .collect();
        (!parts.is_empty()).then(|| format!("{what} {}", parts.join(", ")))
    };
    let roles = [(totals.project_roles, "to change")];
    let invitations = [(totals.invitations_revoke, "to revoke")];
    let lists = [
        list(&parts, "users"),
        list(&projects, "projects"),
        list(&members, "members"),
        list(&roles, "project roles"),
        list(&invitations, "invitations"),
    ];
    let changes: Vec<String> = lists.into_iter().flatten().collect();
    let unchanged = format!(
        "{} and {} unchanged",
        counted(plan.standing.unchanged_users, "user", "users"),
        counted(plan.standing.unchanged_projects, "project", "projects")
    );
    let problems = match plan.problems.len() {
        0 => String::new(),
        number => format!(", {}", counted(number, "problem", "problems")),
    };
    let held = match plan.held.len() {
        0 => String::new(),
        number => format!(", {} deferred", count(number)),
    };
    if changes.is_empty() {
        return format!("{}: {unchanged}{held}{problems}.", styled(BOLD, "No changes"));
    }
    format!("{}: {}; {unchanged}{held}{problems}.", styled(BOLD, "Plan"), changes.join("; "))
}
