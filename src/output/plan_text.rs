//! Renders a plan as text: removals first, then additions and changes, then problems, and the totals in the last line.

use std::collections::BTreeMap;

use anstyle::Style;
use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::text::{ADD, BOLD, CHANGE, DIM, REMOVE, count, counted, folded, safe, styled};
use crate::model::activepieces::{Contents, LastRun};
use crate::model::desired::Attributes;
use crate::model::problem::Accepted;
use crate::model::problem::Problem;
use crate::plan::Plan;
use crate::plan::deferred::{Because, Deferred};
use crate::plan::guard::Refusal;
use crate::plan::op::{
    Attribute, Change, Copied, Fate, InvitationOp, Member, NewProjectAdmin, ProjectAction, ProjectOp, Reason, Removal,
    Replaced, RoleChange, UserAction, UserOp,
};

/// From this many rows on a list is folded.
const LONG: usize = 20;
/// So many rows of a folded list are shown.
const SHOWN: usize = 10;
/// So many members of a project are named.
const NAMED: usize = 3;

/// What is shown around a plan.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    pub okta: &'a str,
    pub activepieces: &'a str,
    /// Every row instead of the first ones.
    pub whole: bool,
    pub refusals: &'a [Refusal],
    /// By which the plan is approved.
    pub hash: &'a str,
}

/// The whole plan as text; with styles, which the printer takes out where they aren't wanted.
pub fn render(plan: &Plan, around: Around<'_>) -> String {
    let mut sections =
        vec![format!("{} → {}", styled(BOLD, safe(around.okta)), styled(BOLD, safe(around.activepieces)))];
    sections.extend(new_admins(plan));
    sections.extend(new_project_admins(plan));
    sections.extend(expressions(plan));
    sections.extend(users(plan, around.whole));
    sections.extend(projects(plan, around.whole));
    sections.extend(invitations(plan, around.whole));
    sections.extend(held(plan, around.whole));
    sections.extend(problems(plan, around.whole));
    sections.extend(accepted(plan, around.whole));
    sections.extend(warnings(plan, around.whole));
    sections.extend(notes(plan, around.whole));
    sections.extend(around.refusals.iter().map(|refusal| refused(refusal, around.hash)));
    if !plan.is_empty() {
        sections.push(format!("{} {}", styled(DIM, "Hash of this plan:"), safe(around.hash)));
    }
    sections.push(total(plan));
    sections.join("\n\n")
}

/// All users who become ADMIN, by name; never shortened.
fn new_admins(plan: &Plan) -> Option<String> {
    let mut table = table();
    let mut rows: Vec<_> = plan.new_admins().map(|op| [safe(&op.user_name), how_admin(op), why(op)]).collect();
    rows.extend(plan.standing.waiting_admins.iter().map(|user_name| {
        let how = "becomes ADMIN later: an accepted invitation waits".to_owned();
        [safe(user_name), how, "not by Okta".to_owned()]
    }));
    add_rows(&mut table, rows.into_iter(), &styled(REMOVE, "!"), true);
    section("New ADMINs", &table)
}

/// All users who become Admin of a project, by name; never shortened.
fn new_project_admins(plan: &Plan) -> Option<String> {
    let mut table = table();
    let what = |new: &NewProjectAdmin<'_>| match new.from {
        Some(from) => format!("becomes Admin of {}: project role {} → Admin", safe(new.project), safe(from)),
        None => format!("becomes Admin of {} as a new member", safe(new.project)),
    };
    let rows: Vec<_> =
        plan.new_project_admins().map(|new| [safe(new.user_name), what(&new), safe(new.reason)]).collect();
    add_rows(&mut table, rows.into_iter(), &styled(REMOVE, "!"), true);
    section("New project Admins", &table)
}

/// How an account becomes ADMIN.
fn how_admin(op: &UserOp) -> String {
    let gives_role = op.changes.iter().find(|change| change.attribute == Attribute::PlatformRole);
    match (op.action, gives_role) {
        (UserAction::Create, _) | (UserAction::Recreate, _) if op.account.is_none() => {
            "becomes ADMIN with a new account".to_owned()
        }
        (_, Some(change)) => format!("becomes ADMIN: role {} → ADMIN", safe(change.from.as_deref().unwrap_or("–"))),
        (UserAction::Reactivate, None) => "becomes ADMIN: the inactive account is ADMIN".to_owned(),
        _ => "becomes ADMIN: the account is ADMIN".to_owned(),
    }
}

fn refused(refusal: &Refusal, hash: &str) -> String {
    let way = match refusal.flag(hash) {
        Some(flag) => format!("{flag} allows exactly this"),
        None => "nothing allows this".to_owned(),
    };
    format!("{} {}\n  {way}", styled(REMOVE.bold(), "Refused:"), safe(&refusal.to_string()))
}

/// The order of reading: destruction first.
const ACTIONS: [(UserAction, &str, Style); 6] = [
    (UserAction::Deactivate, "-", REMOVE),
    (UserAction::Create, "+", ADD),
    (UserAction::Reactivate, "^", ADD),
    (UserAction::Adopt, "=", CHANGE),
    (UserAction::Recreate, "*", CHANGE),
    (UserAction::Update, "~", CHANGE),
];

/// Where the expressions stand, those at one place in one line.
fn expressions(plan: &Plan) -> Option<String> {
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (attribute, place) in &plan.expressions {
        places.entry(place).or_default().push(attribute);
    }
    let lines = places.iter().map(|(place, attributes)| format!("  {}: {}", safe(&attributes.join(", ")), safe(place)));
    (!places.is_empty()).then(|| format!("{}\n{}", styled(BOLD, "Expressions"), lines.collect::<Vec<_>>().join("\n")))
}

fn users(plan: &Plan, whole: bool) -> Option<String> {
    let mut table = table();
    for (action, mark, style) in ACTIONS {
        let ops: Vec<&UserOp> = plan.users.iter().filter(|op| op.action == action).collect();
        let rows = ops.iter().map(|op| [safe(&op.user_name), what(op), why(op)]);
        add_rows(&mut table, rows, &styled(style, format!("{mark} {}", action.as_str())), whole);
    }
    section("Users", &table)
}

/// What is done to an account: `OPERATOR → ADMIN`, one change a line.
fn what(op: &UserOp) -> String {
    if let (UserAction::Create, Some(attributes)) = (op.action, &op.attributes) {
        return format!("{}, {}", full_name(attributes), attributes.platform_role);
    }
    let mut lines = match (&op.account, &op.attributes) {
        (None, Some(attributes)) => {
            vec![format!("new account: {}, {}", full_name(attributes), attributes.platform_role)]
        }
        _ => op.changes.iter().map(change).collect(),
    };
    op.replaces.iter().for_each(|left| lines.extend(replaced(left)));
    lines.join("\n")
}

/// What becomes of an account that its user leaves.
fn replaced(left: &Replaced) -> Vec<String> {
    let old = safe(&left.user_name);
    let personal = parts(&left.personal).join(", ");
    let mut lines = match &left.fate {
        Fate::Close => vec![format!("the account {old} is closed")],
        Fate::Closed => vec![format!("the account {old} stays closed")],
        Fate::TakenOver { by } => vec![format!("the account {old} goes to {}", safe(by))],
    };
    lines.push(match left.fate {
        Fate::TakenOver { .. } => format!("its personal project goes with it: {personal}"),
        Fate::Close | Fate::Closed => format!("its personal project stays behind and can't be moved: {personal}"),
    });
    let copied = |joins: bool| -> Vec<String> {
        let copies = left.copies.iter().filter(|copied| copied.joins == joins);
        let role = |copied: &Copied| copied.role.as_ref().map(|role| format!(" ({role})")).unwrap_or_default();
        copies.map(|copied| format!("{}{}", copied.name, role(copied))).collect()
    };
    let (joins, roles) = (copied(true), copied(false));
    lines.extend((!joins.is_empty()).then(|| format!("joins {}", folded(&joins, NAMED))));
    lines.extend((!roles.is_empty()).then(|| format!("keeps the project role in {}", folded(&roles, NAMED))));
    lines
}

/// The flows, connections and tables of a project, as far as the server tells them.
fn parts(contents: &Contents) -> [String; 3] {
    let part = |number: Option<u64>, one: &str, many: &str| match number.map(usize::try_from) {
        Some(Ok(number)) => counted(number, one, many),
        _ => format!("{many} (number not known)"),
    };
    [
        part(contents.flows, "flow", "flows"),
        part(contents.connections, "connection", "connections"),
        part(contents.tables, "table", "tables"),
    ]
}

fn full_name(attributes: &Attributes) -> String {
    let names = [&attributes.given_name, &attributes.family_name].into_iter().flatten();
    let name = names.map(|name| safe(name)).collect::<Vec<_>>().join(" ");
    if name.trim().is_empty() { "no name".to_owned() } else { name }
}

fn change(change: &Change) -> String {
    let quoted = |text: &str| format!("\"{}\"", safe(text));
    match (change.attribute, change.from.as_deref()) {
        (Attribute::Active, Some("true")) => "active → inactive".to_owned(),
        (Attribute::Active, _) => "inactive → active".to_owned(),
        (Attribute::PlatformRole, from) => format!("role {} → {}", safe(from.unwrap_or("–")), safe(&change.to)),
        (Attribute::ExternalId, from) => format!("externalId {} → {}", safe(from.unwrap_or("–")), safe(&change.to)),
        (attribute, from) => {
            format!("{} {} → {}", attribute.as_str(), quoted(from.unwrap_or_default()), quoted(&change.to))
        }
    }
}

/// Why an account is changed; the attributes behind its role where the role is part of it.
pub(super) fn why(op: &UserOp) -> String {
    let because = || {
        let changes_role = op.changes.iter().any(|change| change.attribute == Attribute::PlatformRole);
        let because = op.attributes.as_ref().and_then(|attributes| attributes.role_because.as_deref());
        because.filter(|_| changes_role).map(|because| format!(": {}", safe(because))).unwrap_or_default()
    };
    match &op.reason {
        Reason::Assigned => format!("new in scope{}", because()),
        Reason::ActiveInOkta => format!("active in Okta{}", because()),
        Reason::SameEmail => "same e-mail address, not linked yet".to_owned(),
        Reason::Relinked => "same e-mail address, linked to a user who left".to_owned(),
        Reason::OtherDirectory => "same e-mail address, linked to another directory".to_owned(),
        Reason::EmailChanged => format!("the e-mail address changed in Okta{}", because()),
        Reason::AddressPassedOn => "the user who had this address has another one now".to_owned(),
        Reason::Profile => format!("differs from Okta{}", because()),
        Reason::Left(leave) => leave.as_str().to_owned(),
        Reason::Undo(run) => format!("undo of run {run}"),
    }
}

fn projects(plan: &Plan, whole: bool) -> Option<String> {
    let mut table = table();
    for (verb, style) in [
        ("- delete", REMOVE),
        ("+ create", ADD),
        ("= adopt", CHANGE),
        ("= relink", CHANGE),
        ("~ rename", CHANGE),
        ("~ members", CHANGE),
    ] {
        let ops: Vec<&ProjectOp> = plan.projects.iter().filter(|op| project_verb(&op.action) == verb).collect();
        let rows = ops.iter().map(|op| [safe(&op.name), members(op, whole), project_why(op)]);
        add_rows(&mut table, rows, &styled(style, verb), whole);
    }
    section("Projects", &table)
}

fn project_verb(action: &ProjectAction) -> &'static str {
    match action {
        ProjectAction::Create => "+ create",
        ProjectAction::Adopt => "= adopt",
        ProjectAction::Relink { .. } => "= relink",
        ProjectAction::Rename { .. } => "~ rename",
        ProjectAction::Members => "~ members",
        ProjectAction::Delete { .. } => "- delete",
    }
}

fn project_why(op: &ProjectOp) -> String {
    let group = safe(op.group.as_str());
    match &op.action {
        ProjectAction::Create => format!("group {group}"),
        ProjectAction::Adopt => format!("same name, not linked yet: externalId – → {group}"),
        ProjectAction::Relink { from } => {
            format!("the group was made again: externalId {} → {group}", safe(from.as_str()))
        }
        ProjectAction::Rename { from } => format!("name \"{}\" → \"{}\"", safe(from), safe(&op.name)),
        ProjectAction::Members => String::new(),
        ProjectAction::Delete { .. } => format!("group {group} isn't pushed any more"),
    }
}

/// `+3 amy@…, bo@…, cy@…`, and each reason for a removal with the members that it removes.
fn members(op: &ProjectOp, whole: bool) -> String {
    if let ProjectAction::Delete { contents } = &op.action {
        return destroyed(op.members, contents);
    }
    let shown = if whole { usize::MAX - 1 } else { NAMED };
    let mut lines = Vec::new();
    if !op.add.is_empty() {
        let names: Vec<String> = op.add.iter().map(as_member).collect();
        lines.push(styled(ADD, format!("+{} {}", count(names.len()), folded(&names, shown))));
    }
    let mut reasons: Vec<&str> = op.remove.iter().map(|removal| removal.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let leaving = op.remove.iter().filter(|removal| removal.reason == reason);
        let names: Vec<String> = leaving.map(with_role).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        lines.push(styled(REMOVE, format!("-{} {}: {}", count(names.len()), folded(&names, shown), safe(reason))));
    }
    let mut kinds: Vec<_> = op.roles.iter().map(kind_of_change).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind @ (from, to, reason) in kinds {
        let changed = op.roles.iter().filter(|change| kind_of_change(change) == kind);
        let names: Vec<&str> = changed.map(|change| change.user_name.as_str()).collect();
        let what = format!("~{} {} → {}", count(names.len()), safe(from), safe(to));
        lines.push(styled(CHANGE, format!("{what} {}: {}", folded(&names, shown), safe(reason))));
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
fn destroyed(members: usize, contents: &Contents) -> String {
    let [flows, connections, tables] = parts(contents);
    let parts = [flows, counted(members, "member", "members"), connections, tables];
    let last_run = match contents.last_run {
        Some(LastRun::On(day)) => format!("last run on {day}"),
        Some(LastRun::Never) => "no flow ever ran".to_owned(),
        None => "last run not known".to_owned(),
    };
    format!("destroys {}\n{last_run}; nothing of it can be recovered", parts.join(", "))
}

fn invitations(plan: &Plan, whole: bool) -> Option<String> {
    let mut table = table();
    let row =
        |op: &InvitationOp| [safe(&op.user_name), format!("as {}", safe(&op.grant.to_string())), safe(&op.reason)];
    add_rows(&mut table, plan.invitations.iter().map(row), &styled(REMOVE, "- revoke"), whole);
    section("Invitations", &table)
}

/// The deferred operations, and why nothing is removed if the source isn't trusted.
fn held(plan: &Plan, whole: bool) -> Option<String> {
    let mut table = table();
    let row = |held: &Deferred| [safe(&held.subject), safe(&held.what), because(&held.because)];
    add_rows(&mut table, plan.held.iter().map(row), &styled(CHANGE, "…"), whole);
    let held = section("Deferred", &table);
    if plan.shrunk.is_empty() {
        return held;
    }
    let mut lines = vec![styled(BOLD, "The Okta data looks incomplete: nothing is removed")];
    lines.extend(plan.shrunk.iter().map(|shrunk| format!("  {} {}", styled(REMOVE, "!"), safe(&shrunk.to_string()))));
    lines.push("  pass --trust-source to apply if the data is correct".to_owned());
    Some(lines.into_iter().chain(held.map(|held| format!("\n{held}"))).collect::<Vec<_>>().join("\n"))
}

pub(super) fn because(because: &Because) -> String {
    match because {
        Because::SourceNotTrusted => "the Okta data looks incomplete".to_owned(),
        Because::ScopeNotFound => "a part of [scope] isn't in Okta".to_owned(),
        Because::Waiting { since, runs } => {
            format!("waits: missing since {since:.0}, in {}", counted(*runs, "run", "runs"))
        }
        Because::AnswersDisagree { about } => format!("Okta's answers disagree about {}", safe(about)),
        Because::RoleNotKnown => "the project role isn't known (see the problems)".to_owned(),
        Because::DoesNotStand => "written by an earlier run, and not kept by the server".to_owned(),
    }
}

fn problems(plan: &Plan, whole: bool) -> Option<String> {
    let mut table = table();
    let row = |problem: &Problem| {
        [safe(&problem.subject), safe(&problem.message), safe(problem.location.as_deref().unwrap_or_default())]
    };
    add_rows(&mut table, plan.problems.iter().map(row), &styled(REMOVE, "!"), whole);
    section("Problems", &table)
}

/// One line, since nothing of it is new; each with its reason where all is shown.
fn accepted(plan: &Plan, whole: bool) -> Option<String> {
    if plan.accepted.is_empty() {
        return None;
    }
    if !whole {
        let of = |accepted: &Accepted| format!("{} ({})", accepted.problem.subject, accepted.problem.kind);
        let names: Vec<String> = plan.accepted.iter().map(of).collect();
        let problems = counted(names.len(), "accepted problem", "accepted problems");
        return Some(format!("{problems}: {}", folded(&names, NAMED)));
    }
    let mut table = table();
    let row = |accepted: &Accepted| {
        let until = accepted.until.map(|until| format!(" (until {until})")).unwrap_or_default();
        [safe(&accepted.problem.subject), safe(&accepted.problem.message), format!("{}{until}", safe(&accepted.why))]
    };
    add_rows(&mut table, plan.accepted.iter().map(row), &styled(DIM, "·"), whole);
    section("Accepted problems", &table)
}

fn warnings(plan: &Plan, whole: bool) -> Option<String> {
    let mut table = table();
    let rows = plan.warnings.iter().map(|warning| [safe(warning), String::new(), String::new()]);
    add_rows(&mut table, rows, &styled(CHANGE, "!"), whole);
    section("Warnings", &table)
}

/// Side effects of the changes.
fn notes(plan: &Plan, whole: bool) -> Option<String> {
    let mut notes = Vec::new();
    let mails = plan.welcome_emails();
    if mails > 0 {
        notes.push(format!("{} will be sent.", counted(mails, "welcome e-mail", "welcome e-mails")));
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
        let of = if whole { format!(": {}", folded(names, usize::MAX - 1)) } else { String::new() };
        let accounts = counted(names.len(), "account is", "accounts are");
        notes.push(format!("{accounts} {what} and left alone{of}."));
    }
    (!notes.is_empty()).then(|| notes.join("\n"))
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
    ];
    let projects = [
        (totals.projects_create, "to create"),
        (totals.projects_adopt, "to adopt"),
        (totals.projects_relink, "to relink"),
        (totals.projects_rename, "to rename"),
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

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// Adds a row for each, of a long list only the first ones.
fn add_rows(table: &mut Table, rows: impl ExactSizeIterator<Item = [String; 3]>, mark: &str, whole: bool) {
    let all = rows.len();
    let shown = if whole || all <= LONG { all } else { SHOWN };
    for [who, what, why] in rows.take(shown) {
        table.add_row([Cell::new(format!("  {mark}")), Cell::new(who), Cell::new(what), Cell::new(styled_lines(&why))]);
    }
    if shown < all {
        let more = format!("… and {} more, which --verbose shows", count(all - shown));
        table.add_row([Cell::new(format!("  {mark}")), Cell::new(styled(DIM, more)), Cell::new(""), Cell::new("")]);
    }
}

fn styled_lines(text: &str) -> String {
    if text.is_empty() { String::new() } else { styled(DIM, text) }
}

fn section(title: &str, table: &Table) -> Option<String> {
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    (!table.is_empty()).then(|| format!("{}\n{}", styled(BOLD, title), lines.join("\n")))
}
