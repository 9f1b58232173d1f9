//! Renders the explanation of a user as text.

use super::explained::{
    ExplainedAccount, ExplainedAttribute, ExplainedGroup, ExplainedOktaUser, ExplainedProject, ExplainedUser,
    ExpressionPart, GroupUse, Link, PastOperation, PastWhat, UserOutcome,
};
use super::layout::Row;
use super::plan_text::{because, change, mark, what, why};
use super::text::{ADD, BOLD, CHANGE, DIM, HINT, REMOVE, folded, safe, styled};
use crate::plan::op::UserOp;
use crate::plan::part::{MembershipAction, MembershipChange, UserPart};

/// So many groups that nothing asks for are named.
const NAMED: usize = 10;
/// The width of the words before the values.
const LABEL: usize = 13;

/// The whole explanation, with styles, which the printer takes out where they aren't wanted.
pub fn user(explained: &ExplainedUser, verbose: bool) -> String {
    let ExplainedUser { user, attributes, accounts, projects, next_apply, runs, not_looked_at } = explained;
    let mut sections = vec![section("Okta", &okta(user.as_ref(), verbose))];
    sections.push(section("Attributes", &attributes.iter().flat_map(attribute).collect::<Vec<_>>()));
    let accounts =
        if accounts.is_empty() { vec!["no account".to_owned()] } else { accounts.iter().map(account).collect() };
    sections.push(section("Activepieces", &accounts));
    sections.push(section("Projects", &projects.iter().map(project).collect::<Vec<_>>()));
    sections.push(section("Next apply", &next(next_apply, user.as_ref().map(|user| user.login.as_str()))));
    sections.push(section("Earlier runs", &runs.iter().map(past).collect::<Vec<_>>()));
    sections
        .push(section("Not looked at", &not_looked_at.iter().map(|what| styled(DIM, safe(what))).collect::<Vec<_>>()));
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

/// A heading over indented lines; none without lines.
pub(super) fn section(title: &str, lines: &[String]) -> Option<String> {
    let lines: Vec<String> = lines.iter().flat_map(|lines| lines.lines()).map(|line| format!("  {line}")).collect();
    (!lines.is_empty()).then(|| format!("{}\n{}", styled(BOLD, title), lines.join("\n")))
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:<LABEL$} {text}")
}

fn okta(user: Option<&ExplainedOktaUser>, verbose: bool) -> Vec<String> {
    let Some(user) = user else { return vec!["no user has this login, e-mail address or id".to_owned()] };
    let status = user.status.as_deref().map_or_else(|| "deleted".to_owned(), safe);
    let mut lines = vec![
        labelled("login", &format!("{} {}", safe(&user.login), styled(DIM, safe(user.id.as_str())))),
        labelled("status", &status),
    ];
    if let Some(email) = user.email.as_deref().filter(|email| *email != user.login) {
        lines.push(labelled("e-mail", &safe(email)));
    }
    if user.status.is_some() {
        lines.push(labelled("in scope", &scope(user)));
    }
    lines.extend(user.groups.iter().flat_map(|groups| self::groups(groups, verbose)));
    let style = match user.outcome {
        UserOutcome::Access => ADD,
        UserOutcome::NoAccess => REMOVE,
        UserOutcome::LeftAlone => CHANGE,
    };
    let outcome = match user.outcome {
        UserOutcome::Access => "has access",
        UserOutcome::NoAccess => "no access",
        UserOutcome::LeftAlone => "left alone",
    };
    lines.push(labelled("so", &format!("{}: {}", styled(style, outcome), safe(&user.because))));
    lines
}

fn scope(user: &ExplainedOktaUser) -> String {
    let assigned = |part: &str| match &user.assignment {
        Some(assignment) if part.starts_with("assigned") => {
            let by = if assignment.by_group { ", by a group" } else { "" };
            format!(" ({}{by})", safe(&assignment.status))
        }
        _ => String::new(),
    };
    let of = |within: Option<bool>| {
        let parts = user.scope.iter().filter(move |part| part.within == within);
        parts.map(|part| format!("{}{}", safe(&part.part), assigned(&part.part))).collect::<Vec<_>>().join(", ")
    };
    match user.in_scope {
        Some(true) => format!("yes: {}", of(Some(true))),
        Some(false) => format!("no: not {}", of(Some(false)).replace(", ", ", not ")),
        None => format!("Okta's answers don't tell: {}", of(None)),
    }
}

fn groups(groups: &[ExplainedGroup], verbose: bool) -> Vec<String> {
    let (used, others): (Vec<&ExplainedGroup>, Vec<_>) = groups.iter().partition(|group| !group.uses.is_empty());
    let mut lines: Vec<String> = used
        .iter()
        .map(|group| {
            let purposes: Vec<String> = group.uses.iter().map(group_use).collect();
            labelled("group", &format!("{} → {}", safe(&group.name), purposes.join(", ")))
        })
        .collect();
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|group| group.name.as_str()).collect();
        let shown = if verbose { names.len() } else { NAMED };
        lines.push(labelled("other groups", &styled(DIM, folded(&names, shown))));
    }
    lines
}

fn group_use(used: &GroupUse) -> String {
    let at = |rule: &Option<String>| rule.as_ref().map(|rule| format!(" ({})", safe(rule))).unwrap_or_default();
    match used {
        GroupUse::Scope => "scope".to_owned(),
        GroupUse::Project { project, rule } => format!("project {}{}", safe(project), at(rule)),
        GroupUse::ProjectRole { role, rule } => format!("project role {}{}", safe(role), at(rule)),
    }
}

fn attribute(attribute: &ExplainedAttribute) -> Vec<String> {
    let ExplainedAttribute { attribute: name, expression, place, value, error, parts, current, on_create_only } =
        attribute;
    let outcome = match (value, error) {
        (Some(value), _) => safe(&value.to_string()),
        (None, Some(error)) => styled(REMOVE, format!("fails: {}", safe(error))),
        (None, None) => String::new(),
    };
    let place = place.as_deref().map_or_else(|| "default".to_owned(), safe);
    let differs = current.as_ref().filter(|current| value.as_ref().and_then(|value| value.as_str()) != Some(current));
    let current = differs.map(|current| format!(", is {:?} now", safe(current))).unwrap_or_default();
    let once = if *on_create_only { ", written on creation only" } else { "" };
    let mut lines = vec![labelled(
        name,
        &format!("{outcome}{} {}", styled(CHANGE, current), styled(DIM, format!("({place}{once})"))),
    )];
    lines.push(format!("{:<LABEL$} {}", "", styled(HINT, safe(expression))));
    lines.extend(parts.iter().filter(|part| part.part.trim() != expression.trim()).map(expression_part));
    lines
}

fn expression_part(part: &ExpressionPart) -> String {
    format!("{:<LABEL$}   {} → {}", "", safe(&part.part), safe(&part.gives))
}

fn account(account: &ExplainedAccount) -> String {
    let state = if account.active { styled(ADD, "active") } else { styled(REMOVE, "inactive") };
    let role = if account.platform_role.is_empty() { "role not known" } else { &account.platform_role };
    let link = match (account.link, account.external_id.as_deref()) {
        (Link::ThisUser, _) => "linked to this user".to_owned(),
        (Link::AnotherUser, id) => format!("linked to another Okta user, {}", safe(id.unwrap_or_default())),
        (Link::AnotherDirectory, id) => format!("linked to another directory, {}", safe(id.unwrap_or_default())),
        (Link::None, _) => "not linked: no externalId".to_owned(),
    };
    let marks = [
        (account.owner, "the platform's owner"),
        (account.protected, "protected (safety.protect)"),
        (account.embedded, "embedded: SCIM hides it"),
        (!account.is_the_users, "not the account of this user"),
    ];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark);
    let told = [state, safe(role), link].into_iter().chain(marks.map(str::to_owned)).collect::<Vec<_>>().join(", ");
    format!("{}  {told}", safe(&account.user_name))
}

fn project(project: &ExplainedProject) -> String {
    let membership = match (project.member, &project.role) {
        (true, Some(role)) => format!("member, {}", safe(role)),
        (true, None) => "member".to_owned(),
        (false, _) if project.id.is_none() => "not there yet".to_owned(),
        (false, _) => "not a member".to_owned(),
    };
    let wanted = project.desired_role.as_ref().filter(|wanted| project.role.as_ref() != Some(wanted));
    let wanted = wanted.map(|role| {
        let because =
            project.desired_role_because.as_deref().map(|why| format!(" ({})", safe(why))).unwrap_or_default();
        format!("; Okta gives {}{because}", safe(role))
    });
    format!("{}  {membership}: {}{}", safe(&project.name), safe(&project.because), wanted.unwrap_or_default())
}

/// What a part of a plan does for its user. Problems of another subject than the `login` name it.
pub(super) fn next(part: &UserPart, login: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = part.operation.iter().map(operation).collect();
    lines.extend(part.memberships.iter().map(membership));
    for held in &part.deferred {
        let about = format!("{}, {}", safe(&held.subject), safe(&held.what));
        lines.push(format!("{} deferred: {about}: {}", styled(CHANGE, "…"), because(&held.because)));
    }
    for problem in &part.problems {
        let place = problem.location.as_ref().map(|place| format!(" ({})", safe(place))).unwrap_or_default();
        let subject = login.filter(|login| *login != problem.subject).map(|_| format!("{}: ", safe(&problem.subject)));
        let message = format!("{}{}{place}", subject.unwrap_or_default(), safe(&problem.message));
        lines.push(format!("{} problem: {message} {}", styled(REMOVE, "!"), styled(DIM, problem.kind)));
    }
    for accepted in &part.accepted {
        let until = accepted.until.map(|until| format!(" until {until}")).unwrap_or_default();
        let message = format!("{} ({}{until})", safe(&accepted.problem.message), safe(&accepted.why));
        lines.push(format!("{} accepted: {message}", styled(DIM, "!")));
    }
    lines.extend(part.warnings.iter().map(|warning| format!("{} {}", styled(CHANGE, "!"), safe(warning))));
    if part.is_empty() {
        lines.insert(0, "changes nothing for this user".to_owned());
    }
    lines
}

fn operation(op: &UserOp) -> String {
    let what = what(op).lines().collect::<Vec<_>>().join(", ");
    format!("{} {what} ({})", mark(op.action), why(op))
}

fn membership(membership: &MembershipChange) -> String {
    let Row { mark, what, why, .. } = membership_row(membership);
    let why = if why.is_empty() { why } else { format!(" ({why})") };
    format!("{mark} {what}{why}")
}

/// `+ add`, `to project Sales as Editor`, `group AP Leads`; without the user.
pub(super) fn membership_row(membership: &MembershipChange) -> Row {
    let MembershipChange { project, action, role, from, reason, .. } = membership;
    let (project, role) = (safe(project), role.as_deref().map(safe));
    let (mark, what) = match action {
        MembershipAction::Add => {
            let role = role.map(|role| format!(" as {role}")).unwrap_or_default();
            (styled(ADD, "+ add"), format!("to project {project}{role}"))
        }
        MembershipAction::Remove => {
            let role = role.map(|role| format!(", project role {role} goes")).unwrap_or_default();
            (styled(REMOVE, "- remove"), format!("from project {project}{role}"))
        }
        MembershipAction::SetRole => {
            let from = from.as_deref().map(safe).unwrap_or_default();
            let what = format!("in project {project}: {from} → {}", role.unwrap_or_default());
            (styled(CHANGE, "~ project role"), what)
        }
    };
    Row { mark, what, why: safe(reason), ..Row::default() }
}

fn past(past: &PastOperation) -> String {
    let what = match &past.what {
        PastWhat::User { action, changes, reason } => {
            let changes: Vec<String> = changes.iter().map(change).collect();
            format!("{action} {} ({})", changes.join(", "), safe(reason))
        }
        PastWhat::Membership { action, project, role, reason } => {
            let role = role.as_ref().map(|role| format!(" as {}", safe(role))).unwrap_or_default();
            let reason = if reason.is_empty() { String::new() } else { format!(" ({})", safe(reason)) };
            let project = safe(project);
            match action {
                MembershipAction::Add => format!("add to project {project}{role}{reason}"),
                MembershipAction::Remove => format!("remove from project {project}{reason}"),
                MembershipAction::SetRole => format!("project role in {project}{role}{reason}"),
            }
        }
    };
    let why = past.outcome_reason.as_ref().map(|why| format!(": {}", safe(why))).unwrap_or_default();
    let style = if past.outcome == "done" { ADD } else { REMOVE };
    let when = past.started.split('.').next().unwrap_or_default().replace('T', " ");
    format!(
        "run {} {}, {}: {what}: {}{why}",
        past.run,
        styled(DIM, when),
        safe(&past.command),
        styled(style, past.outcome)
    )
}
