//! Renders who has which role and project, as a table and as CSV.

use super::csv_table::CsvTable;
use super::layout;
use super::text::{CHANGE, DIM, REMOVE, safe, styled};
use crate::model::PlatformRole;
use crate::model::id::ProjectId;
use crate::plan::access::{Access, MemberReason, Membership, RoleReason};

/// What is shown, and how.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub accounts: &'a [&'a Access],
    /// The project whose members are shown.
    pub project: Option<&'a ProjectId>,
    /// The place of the expression for the platform role: `config.toml:21`.
    pub place: Option<&'a str>,
}

/// A row for each account.
pub fn table(shown: &Shown<'_>) -> String {
    let titles = [Some("account"), Some("role"), shown.project.map(|_| "project role"), Some("because")];
    let titles: Vec<&str> = titles.into_iter().flatten().collect();
    let rows = shown.accounts.iter().map(|access| {
        let membership = shown.project.and_then(|id| access.projects.iter().find(|membership| membership.id == *id));
        row(access, membership, shown)
    });
    layout::table(&titles, rows)
}

/// The cells of an account.
pub(super) fn row(access: &Access, membership: Option<&Membership>, shown: &Shown<'_>) -> Vec<String> {
    let role = match PlatformRole::parse(&access.role) {
        Some(PlatformRole::Admin) => styled(REMOVE, safe(&access.role)),
        Some(PlatformRole::Operator) => styled(CHANGE, safe(&access.role)),
        Some(PlatformRole::Member) => safe(&access.role),
        None => {
            if access.role.is_empty() {
                "?".to_owned()
            } else {
                safe(&access.role)
            }
        }
    };
    let inactive = if access.active { "" } else { " (inactive)" };
    let next = access.next_apply.as_ref().map(|next| format!("; next apply: {next}")).unwrap_or_default();
    let mut cells = vec![format!("{}{}", safe(&access.user_name), styled(DIM, inactive)), role];
    if shown.project.is_some() {
        let role = membership.and_then(|membership| membership.role.as_deref()).unwrap_or("?");
        cells.push(safe(role));
        cells.push(membership.map(member_reason).unwrap_or_default());
        return cells;
    }
    cells.push(format!("{}{}", safe(&reason(access, shown.place)), styled(CHANGE, safe(&next))));
    cells
}

/// Why an account has its role.
pub fn reason(access: &Access, place: Option<&str>) -> String {
    let marks = [(access.owner, "the platform's owner"), (access.protected, "protected")];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so).flat_map(|(_, mark)| ["; ", mark]).collect::<String>();
    let gives = |role: PlatformRole, because: &Option<String>| match because {
        Some(because) => format!("Okta gives {role}: {because}"),
        None => format!("Okta gives {role}"),
    };
    let known = if access.not_in_okta { "; Okta doesn't know this account" } else { "" };
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    match &access.reason {
        RoleReason::Okta { because: Some(because) } => format!("{because}{place}{marks}"),
        RoleReason::Okta { because: None } => format!("the expression{place}{marks}"),
        RoleReason::SetByHand { okta_gives, because } => format!("set by hand; {}{marks}", gives(*okta_gives, because)),
        RoleReason::NotAppliedYet { okta_gives, because } => {
            format!("not applied yet; {}{marks}", gives(*okta_gives, because))
        }
        RoleReason::NotManaged => format!("set by hand; the config gives no role{marks}"),
        RoleReason::Null => format!("set by hand; the expression gives null{place}{marks}"),
        RoleReason::Owner { okta_gives } => kept("the platform's owner", *okta_gives, known),
        RoleReason::Protected { okta_gives } => kept("protected (safety.protect)", *okta_gives, known),
        RoleReason::Left { leave } => format!("set earlier; {}", leave.as_str()),
        RoleReason::NotRead => "set earlier; not in scope, or deleted in Okta".to_owned(),
        RoleReason::LeftAlone { why } => format!("left alone; {why}"),
        RoleReason::Local => "set by hand; Okta doesn't know this account".to_owned(),
        RoleReason::AnotherDirectory => {
            let id = access.external_id.as_deref().unwrap_or_default();
            format!("Okta doesn't know this account; externalId {id:?} is of another directory")
        }
        RoleReason::Embedded => "embedded: a customer's token made it, and its role isn't read".to_owned(),
    }
}

fn kept(who: &str, gives: Option<PlatformRole>, known: &str) -> String {
    let gives = gives.map(|role| format!("; Okta gives {role}")).unwrap_or_default();
    format!("{who}{gives}{known}")
}

/// Why an account is a member of a project, and has its project role.
pub fn member_reason(membership: &Membership) -> String {
    let member = match &membership.reason {
        MemberReason::Group { group } => format!("in group {group}"),
        MemberReason::NotInGroup { group } => format!("isn't in group {group}"),
        MemberReason::NotInOkta => "added by hand; Okta doesn't know this account".to_owned(),
        MemberReason::NotPushed => "no rule pushes the project's group, or it isn't in Okta".to_owned(),
        MemberReason::NoGroup => "added by hand; the project has no Okta group".to_owned(),
    };
    let role = match (&membership.okta_gives, &membership.role_because) {
        (Some(gives), Some(because)) => format!("; Okta gives {gives}: {because}"),
        (None, Some(because)) => format!("; role by {because}"),
        _ => String::new(),
    };
    safe(&format!("{member}{role}"))
}

const COLUMNS: [&str; 15] = [
    "kind",
    "account",
    "active",
    "role",
    "project",
    "project_role",
    "reason",
    "because",
    "okta_login",
    "okta_id",
    "in_scope",
    "external_id",
    "owner",
    "protected",
    "next_apply",
];

/// A row for the role of each account, and one for each project that it is a member of, after a line of column names.
pub fn csv(shown: &Shown<'_>) -> String {
    let mut table = CsvTable::new("", COLUMNS);
    for access in shown.accounts {
        if shown.project.is_none() {
            let (word, because) = (word(&access.reason), reason(access, shown.place));
            table.add(cells(access, ["role", "", "", &word, &because]));
        }
        for membership in access.projects.iter().filter(|of| shown.project.is_none_or(|id| of.id == *id)) {
            let (word, because) = (word(&membership.reason), member_reason(membership));
            let role = membership.role.as_deref().unwrap_or_default();
            table.add(cells(access, ["membership", &membership.project, role, &word, &because]));
        }
    }
    table.text()
}

/// A row: kind, project, project role, and the reason as a word and in full, with what is the same in all rows of an account.
fn cells<'a>(access: &'a Access, [kind, project, project_role, reason, because]: [&'a str; 5]) -> [&'a str; 15] {
    let yes = |is_so: bool| if is_so { "yes" } else { "no" };
    let (login, id, in_scope) = match &access.okta {
        Some(user) => (user.login.as_str(), user.id.as_str(), yes(user.in_scope)),
        None => ("", "", ""),
    };
    let optional = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
    [
        kind,
        &access.user_name,
        yes(access.active),
        &access.role,
        project,
        project_role,
        reason,
        because,
        login,
        id,
        in_scope,
        optional(&access.external_id),
        yes(access.owner),
        yes(access.protected),
        optional(&access.next_apply),
    ]
}

/// The word that JSON has for a reason.
fn word(reason: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(reason).unwrap_or_default();
    value["kind"].as_str().unwrap_or_default().to_owned()
}
