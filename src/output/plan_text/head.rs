//! The beginning of a plan: which servers, when and from what it was made, and what it takes away and gives in counts.

use std::collections::BTreeSet;

use super::super::document::{Document, shown_time};
use super::super::estimate_text;
use super::super::layout::Layout;
use super::super::summary::without_account;
use super::super::text::{BOLD, DIM, count, counted, safe, styled};
use crate::model::PlatformRole;
use crate::model::activepieces::Census;
use crate::plan::Plan;
use crate::plan::census;
use crate::plan::op::{Attribute, UserOp};

/// `org → platform`, and below it when the plan was made, by which version and config, and its hash.
pub(super) fn heading(document: &Document<'_>, layout: Layout) -> String {
    let servers = format!("{} → {}", styled(BOLD, safe(document.okta)), styled(BOLD, safe(document.activepieces)));
    let made = document.made.map(shown_time);
    let version = made.is_some().then(|| format!("oktapieces {}", safe(document.tool_version)));
    let hash = (!document.plan.is_empty()).then(|| format!("plan {}", safe(document.hash)));
    let about: Vec<String> = [made, version, document.config.map(safe), hash].into_iter().flatten().collect();
    if about.is_empty() {
        return servers;
    }
    format!("{servers}\n{}", styled(DIM, layout.paragraph("", &about.join(" · "))))
}

/// What the plan takes away, what it gives, the routine, and what it leaves alone, in counts.
pub(super) fn summary(document: &Document<'_>, layout: Layout) -> Option<String> {
    let plan = document.plan;
    let lines = [
        ("routine", routine(plan)),
        ("unchanged", unchanged(plan)),
        ("left alone", left_alone(plan)),
        ("takes", document.estimate.map(estimate_text::render).into_iter().collect()),
    ];
    let lines = lines.into_iter().filter_map(|line| paragraph(line, layout));
    (!plan.is_empty()).then(|| risks(document, layout).into_iter().chain(lines).collect::<Vec<_>>().join("\n"))
}

/// What the plan takes away, what it gives, and how many have each role before and after, a paragraph each.
pub(in super::super) fn risks(document: &Document<'_>, layout: Layout) -> Vec<String> {
    let plan = document.plan;
    let lines = [("takes away", takes(document)), ("gives", gives(plan)), ("roles", roles(plan))];
    lines.into_iter().filter_map(|line| paragraph(line, layout)).collect()
}

fn paragraph((title, parts): (&str, Vec<String>), layout: Layout) -> Option<String> {
    let first = format!("  {title:<12}");
    (!parts.is_empty()).then(|| layout.paragraph(&first, &parts.join(" · ")))
}

/// A part with its count; none for none.
fn part(number: usize, one: &str, several: &str) -> Option<String> {
    (number > 0).then(|| counted(number, one, several))
}

fn takes(document: &Document<'_>) -> Vec<String> {
    let plan = document.plan;
    let totals = plan.totals();
    let loses = |role: PlatformRole| {
        let is_lost = |op: &&UserOp| {
            let from = op.role_change().and_then(|change| PlatformRole::parse(change.from.as_deref()?));
            op.is_downgrade() && from == Some(role)
        };
        plan.users.iter().filter(is_lost).count()
    };
    [
        deactivations(document),
        part(loses(PlatformRole::Admin), "user loses ADMIN", "users lose ADMIN"),
        part(loses(PlatformRole::Operator), "user loses OPERATOR", "users lose OPERATOR"),
        part(totals.recreate, "account for that of a new address", "accounts for those of new addresses"),
        part(totals.invitations_revoke, "waiting invitation", "waiting invitations"),
        part(totals.members_remove, "project membership", "project memberships"),
        part(totals.delete, "account for good", "accounts for good"),
        part(totals.projects_archive, "archived project", "archived projects"),
        part(totals.projects_delete, "project with all that is in it", "projects with all that is in them"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `5 deactivations (19 % of 26 managed users, limit 10 %)`.
fn deactivations(document: &Document<'_>) -> Option<String> {
    let plan = document.plan;
    let number = plan.totals().deactivate;
    let of = plan.standing.managed_active;
    let share = share(number, of);
    let limit = document.limits.map(|limits| limits.deactivations.to_string().replace('"', "").replace('%', " %"));
    let limit = limit.map(|limit| format!(", limit {limit}")).unwrap_or_default();
    let share = format!(" ({share} % of {}{limit})", counted(of, "managed user", "managed users"));
    part(number, "deactivation", "deactivations").map(|part| part + &share)
}

/// A share in percent, rounded down; below one to a tenth: `0.3`.
fn share(number: usize, of: usize) -> String {
    match (number * 1000).checked_div(of).unwrap_or_default() {
        tenths @ 1..10 => format!("0.{tenths}"),
        tenths => (tenths / 10).to_string(),
    }
}

/// `ADMIN 4 → 5`: the active accounts of a role before and after, where an account gets or loses it.
fn roles(plan: &Plan) -> Vec<String> {
    let (before, after) = (&plan.standing.accounts, plan.accounts_after());
    let changes = |op: &UserOp| op.is_new_admin() || op.is_new_operator() || op.is_downgrade();
    let touched: BTreeSet<&str> =
        plan.users.iter().filter(|op| changes(op)).flat_map(|op| census::roles(op, &plan.standing)).collect();
    let part = |role: &PlatformRole| {
        let active = |census: &Census| count(census.get(role.as_str()).map_or(0, |count| count.active));
        format!("{role} {} → {}", active(before), active(&after))
    };
    let shown = [PlatformRole::Admin, PlatformRole::Operator];
    shown.iter().filter(|role| !before.is_empty() && touched.contains(role.as_str())).map(part).collect()
}

fn gives(plan: &Plan) -> Vec<String> {
    let totals = plan.totals();
    let new = plan.welcome_emails();
    let mails = counted(new, "welcome e-mail", "welcome e-mails");
    let created = part(new, "account", "accounts").map(|created| format!("{created} with {mails}"));
    [
        part(plan.new_admins().count(), "new ADMIN", "new ADMINs"),
        part(plan.standing.waiting_admins.len(), "ADMIN by a waiting invitation", "ADMINs by waiting invitations"),
        part(plan.new_project_admins().count(), "new project Admin", "new project Admins"),
        part(plan.new_operators().count(), "new OPERATOR", "new OPERATORs"),
        created,
        part(totals.reactivate, "reactivation", "reactivations"),
        part(totals.members_add, "project membership", "project memberships"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn routine(plan: &Plan) -> Vec<String> {
    let totals = plan.totals();
    let is_name = |attribute: Attribute| matches!(attribute, Attribute::GivenName | Attribute::FamilyName);
    let renamed = |op: &&UserOp| !op.makes_account() && op.changes.iter().any(|change| is_name(change.attribute));
    let projects = [
        (totals.projects_create, "created"),
        (totals.projects_adopt, "adopted"),
        (totals.projects_relink, "relinked"),
        (totals.projects_rename, "renamed"),
    ];
    let done = projects.into_iter().filter(|(number, _)| *number > 0);
    let done: Vec<String> = done.map(|(number, verb)| format!("{} {verb}", count(number))).collect();
    [
        part(totals.adopt, "account adopted", "accounts adopted"),
        part(plan.users.iter().filter(renamed).count(), "name changed", "names changed"),
        (!done.is_empty()).then(|| format!("projects: {}", done.join(", "))),
        part(totals.project_roles, "project role changed", "project roles changed"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn unchanged(plan: &Plan) -> Vec<String> {
    let standing = &plan.standing;
    [
        part(standing.unchanged_users, "user", "users"),
        part(standing.unchanged_projects, "project", "projects"),
        without_account(plan).map(|without| safe(&without)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn left_alone(plan: &Plan) -> Vec<String> {
    let standing = &plan.standing;
    [
        part(plan.problems.len(), "problem", "problems"),
        part(plan.accepted.len(), "accepted problem", "accepted problems"),
        part(plan.held.len(), "deferred", "deferred"),
        part(standing.local.len(), "local account", "local accounts"),
        part(standing.foreign.len(), "account of another directory", "accounts of another directory"),
        part(standing.embedded.len(), "embedded account", "embedded accounts"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
