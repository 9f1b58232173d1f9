//! The users of a plan: who becomes ADMIN, whose role changes, who loses access, who gets it back, and the routine.

use super::super::contents;
use super::super::layout::{Layout, Row};
use super::super::text::{ADD, CHANGE, REMOVE, listed, safe, styled};
use super::{changed_here, fold};
use crate::model::desired::Attributes;
use crate::plan::Plan;
use crate::plan::drift::Drift;
use crate::plan::op::{
    Attribute, Change, Copied, Fate, InvitationOp, NewProjectAdmin, Reason, Replaced, UserAction, UserOp,
};

/// What a reader has to see of a user's operation; each is in one section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Weight {
    /// Becomes ADMIN.
    NewAdmin,
    /// Becomes OPERATOR, or gets a lesser role.
    Role,
    Deactivated,
    /// Deleted for good.
    Deleted,
    /// Gets the account of another address, and the old one is closed.
    Replaced,
    Reactivated,
    Routine,
}

impl Weight {
    pub(in super::super) fn of(op: &UserOp) -> Self {
        match op.action {
            _ if op.is_new_admin() => Self::NewAdmin,
            UserAction::Deactivate => Self::Deactivated,
            UserAction::Delete => Self::Deleted,
            UserAction::Recreate => Self::Replaced,
            _ if op.is_downgrade() || op.is_new_operator() => Self::Role,
            UserAction::Reactivate => Self::Reactivated,
            UserAction::Create | UserAction::Adopt | UserAction::Update => Self::Routine,
        }
    }
}

/// `routine`: whether users are listed too where only a name or a link changes.
pub(super) fn sections(plan: &Plan, routine: bool, layout: Layout) -> Vec<String> {
    let of = |weight| plan.users.iter().filter(move |op| Weight::of(op) == weight);
    let row = |op| row(op, &plan.drift);
    let admins = of(Weight::NewAdmin).map(row);
    let waiting = plan.standing.waiting_admins.iter().map(|name| waiting_admin(name));
    let rows = |weight, all| fold::rows(of(weight).map(row), layout, all);
    [
        layout.section("New ADMINs", &fold::rows(admins.chain(waiting), layout, true)),
        layout.section("New project Admins", &fold::rows(plan.new_project_admins().map(project_admin), layout, true)),
        layout.section("Accounts to delete for good", &rows(Weight::Deleted, true)),
        layout.section("Roles", &rows(Weight::Role, true)),
        layout.section("Deactivations", &rows(Weight::Deactivated, true)),
        layout.section("Replaced accounts", &rows(Weight::Replaced, true)),
        layout.section("Invitations", &fold::rows(plan.invitations.iter().map(revocation), layout, true)),
        layout.section("Reactivations", &rows(Weight::Reactivated, true)),
        if routine { layout.section("Other users", &rows(Weight::Routine, layout.all)) } else { None },
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn new_admin(op: &UserOp, drift: &Drift) -> Row {
    // All attributes of a new account are new.
    let others = op.changes.iter().filter(|_| !op.makes_account());
    let others = others.filter(|change| change.attribute != Attribute::PlatformRole).map(change);
    let left = op.replaces.iter().flat_map(replaced);
    let what: Vec<String> = std::iter::once(how_admin(op)).chain(others).chain(left).collect();
    Row {
        mark: styled(REMOVE, "!"),
        who: safe(&op.user_name),
        what: what.join("\n"),
        why: why_now(op, drift),
        ..Row::default()
    }
}

/// An invitation that is applied when the user signs in, and that the plan doesn't delete.
fn waiting_admin(user_name: &str) -> Row {
    Row {
        mark: styled(REMOVE, "!"),
        who: safe(user_name),
        what: "becomes ADMIN later: an accepted invitation waits".to_owned(),
        why: "not by Okta".to_owned(),
        ..Row::default()
    }
}

pub(in super::super) fn revocation(op: &InvitationOp) -> Row {
    let what = format!("as {}", safe(&op.grant.to_string()));
    Row { mark: styled(REMOVE, "- revoke"), who: safe(&op.user_name), what, why: safe(&op.reason), ..Row::default() }
}

fn project_admin(new: NewProjectAdmin<'_>) -> Row {
    let what = match new.from {
        Some(from) => format!("becomes Admin of {}: project role {} → Admin", safe(new.project), safe(from)),
        None => format!("becomes Admin of {} as a new member", safe(new.project)),
    };
    Row { mark: styled(REMOVE, "!"), who: safe(new.user_name), what, why: safe(new.reason), ..Row::default() }
}

/// An account that is deleted, with what goes with it.
fn account_deletion(op: &UserOp) -> Row {
    let what = match &op.destroys {
        Some(destroys) => {
            let (held, last_run) = (contents::listed(&destroys.contents, None), contents::last_run(&destroys.contents));
            format!("with the personal project: {held}\n{last_run}")
        }
        None => String::new(),
    };
    let why = format!("{}; can't be undone", why(op));
    Row { mark: mark(op.action), who: safe(&op.user_name), what, why, ..Row::default() }
}

/// How an account becomes ADMIN.
fn how_admin(op: &UserOp) -> String {
    match (op.action, op.role_change()) {
        (UserAction::Create, _) if op.makes_inactive() => "ADMIN of a new account that is inactive for now".to_owned(),
        _ if op.makes_account() => "becomes ADMIN with a new account".to_owned(),
        (_, Some(change)) => format!("becomes ADMIN: role {} → ADMIN", safe(change.from.as_deref().unwrap_or("–"))),
        (UserAction::Reactivate, None) => "becomes ADMIN: the inactive account is ADMIN".to_owned(),
        _ => "becomes ADMIN: the account is ADMIN".to_owned(),
    }
}

/// `+ create`
pub(in super::super) fn mark(action: UserAction) -> String {
    let (mark, style) = match action {
        UserAction::Deactivate | UserAction::Delete => ("-", REMOVE),
        UserAction::Create => ("+", ADD),
        UserAction::Reactivate => ("^", ADD),
        UserAction::Adopt => ("=", CHANGE),
        UserAction::Recreate => ("*", CHANGE),
        UserAction::Update => ("~", CHANGE),
    };
    styled(style, format!("{mark} {}", action.as_str()))
}

/// The row of an operation, as its section has it.
pub(in super::super) fn row(op: &UserOp, drift: &Drift) -> Row {
    match Weight::of(op) {
        Weight::NewAdmin => return new_admin(op, drift),
        Weight::Deleted => return account_deletion(op),
        _ => {}
    }
    let shared = match (op.action, &op.attributes) {
        (UserAction::Create, Some(attributes)) => new_account(attributes, op),
        _ => String::new(),
    };
    let (mark, who, why) = (mark(op.action), safe(&op.user_name), why_now(op, drift));
    Row { mark, who, what: what(op), why, shared, ..Row::default() }
}

/// Why an account is changed, and whether it was changed on the platform.
fn why_now(op: &UserOp, drift: &Drift) -> String {
    let since = drift.users.contains(&op.okta_id).then(|| changed_here(drift));
    [Some(why(op)), since].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What is done to an account: `OPERATOR → ADMIN`, one change a line.
pub(in super::super) fn what(op: &UserOp) -> String {
    if let (UserAction::Create, Some(attributes)) = (op.action, &op.attributes) {
        return format!("{}, {}", full_name(attributes), new_account(attributes, op));
    }
    let mut lines = match (&op.account, &op.attributes) {
        (None, Some(attributes)) => {
            vec![format!("new account: {}, {}", full_name(attributes), attributes.platform_role)]
        }
        _ if op.is_new_operator() && op.role_change().is_none() => {
            std::iter::once("the account is OPERATOR".to_owned()).chain(op.changes.iter().map(change)).collect()
        }
        _ => op.changes.iter().map(change).collect(),
    };
    lines.extend(op.replaces.iter().flat_map(replaced));
    lines.join("\n")
}

/// `MEMBER, inactive`
fn new_account(attributes: &Attributes, op: &UserOp) -> String {
    let inactive = if op.makes_inactive() { ", inactive" } else { "" };
    format!("{}{inactive}", attributes.platform_role)
}

/// What becomes of an account that its user leaves.
fn replaced(left: &Replaced) -> Vec<String> {
    let old = safe(&left.user_name);
    let personal = contents::listed(&left.personal, None);
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
    lines.extend((!joins.is_empty()).then(|| format!("joins {}", listed(&joins))));
    lines.extend((!roles.is_empty()).then(|| format!("keeps the project role in {}", listed(&roles))));
    lines
}

fn full_name(attributes: &Attributes) -> String {
    let names = [&attributes.given_name, &attributes.family_name].into_iter().flatten();
    let name = names.map(|name| safe(name)).collect::<Vec<_>>().join(" ");
    if name.trim().is_empty() { "no name".to_owned() } else { name }
}

/// `role MEMBER → OPERATOR`
pub(in super::super) fn change(change: &Change) -> String {
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
pub fn why(op: &UserOp) -> String {
    let because = || {
        let because = op.attributes.as_ref().and_then(|attributes| attributes.role_because.as_deref());
        because.filter(|_| op.role_change().is_some()).map(|because| format!(": {}", safe(because))).unwrap_or_default()
    };
    match &op.reason {
        Reason::Assigned => format!("new in scope{}", because()),
        Reason::Staged => format!("staged in Okta{}", because()),
        Reason::ActiveInOkta => format!("active in Okta{}", because()),
        Reason::SameEmail => "same e-mail address, not linked yet".to_owned(),
        Reason::Alias => "an alias of the user, not linked yet".to_owned(),
        Reason::Relinked => "same e-mail address, linked to a user who left".to_owned(),
        Reason::OtherDirectory => "same e-mail address, linked to another directory".to_owned(),
        Reason::EmailChanged => format!("the e-mail address changed in Okta{}", because()),
        Reason::AddressPassedOn => "the user who had this address has another one now".to_owned(),
        Reason::Profile => format!("differs from Okta{}", because()),
        Reason::Left(leave) => match &op.destroys {
            Some(destroys) => format!("{}, inactive since {:.0}", leave.as_str(), destroys.inactive_since),
            None => leave.as_str().to_owned(),
        },
        Reason::Undo(run) => format!("undo of run {run}"),
    }
}
