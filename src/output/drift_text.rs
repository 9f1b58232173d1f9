//! Renders what was changed on the platform since the last run.

use super::layout::{Layout, Row};
use super::plan_text::of_project;
use super::text::{BOLD, CHANGE, DIM, REMOVE, counted, safe, styled};
use crate::plan::Plan;
use crate::plan::op::{Attribute, Change, UserOp};

/// The changes since the run of this number, the ADMINs that Okta doesn't know, and the count in the last line.
pub fn render(plan: &Plan, (okta, activepieces): (&str, &str), since: Option<u32>, layout: Layout) -> String {
    let drift = &plan.drift;
    let users = plan.users.iter().filter(|op| drift.users.contains(&op.okta_id)).map(user);
    let projects = plan.projects.iter().filter_map(|op| {
        let what = of_project(op, drift.projects.get(&op.group)?);
        Some(Row { mark: styled(CHANGE, "~"), who: safe(&op.name), what, ..Row::default() })
    });
    let admins = drift.unknown_admins.iter().map(|name| {
        let is_new = drift.new_unknown_admins.contains(name);
        let mark = styled(if is_new { REMOVE } else { DIM }, if is_new { "!" } else { "·" });
        let what = if is_new { "is ADMIN since then" } else { "is ADMIN, as before" };
        Row { mark, who: safe(name), what: what.to_owned(), ..Row::default() }
    });
    let since = since.map(|run| format!(" since run {run}")).unwrap_or_default();
    let changes = drift.users.len() + drift.projects.len() + drift.new_unknown_admins.len();
    let total = match changes {
        0 => format!("{}: nothing was changed in Activepieces{since}.", styled(BOLD, "No drift")),
        _ => format!("{}: {} in Activepieces{since}.", styled(BOLD, "Drift"), counted(changes, "change", "changes")),
    };
    let sections = [
        Some(format!("{} → {}", styled(BOLD, safe(okta)), styled(BOLD, safe(activepieces)))),
        layout.section("Users", &users.collect::<Vec<_>>()),
        layout.section("Projects", &projects.collect::<Vec<_>>()),
        layout.section("ADMINs that Okta doesn't know", &admins.collect::<Vec<_>>()),
        Some(total),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// What an account is, and what it is in Okta.
fn user(op: &UserOp) -> Row {
    let what: Vec<String> = op.changes.iter().map(changed).collect();
    Row { mark: styled(CHANGE, "~"), who: safe(&op.user_name), what: what.join("\n"), ..Row::default() }
}

fn changed(change: &Change) -> String {
    let is = safe(change.from.as_deref().unwrap_or("–"));
    match change.attribute {
        Attribute::Active if change.to == "false" => "was reactivated; has no access in Okta".to_owned(),
        Attribute::Active => "was deactivated; has access in Okta".to_owned(),
        Attribute::PlatformRole => format!("role is {is}; {} by Okta", safe(&change.to)),
        Attribute::ExternalId => format!("externalId is {is}; {} by Okta", safe(&change.to)),
        attribute => format!("{} is \"{is}\"; \"{}\" by Okta", attribute.as_str(), safe(&change.to)),
    }
}
