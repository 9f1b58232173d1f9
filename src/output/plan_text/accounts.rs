//! How accounts are matched: those to link, those in conflict, and those that no user matches.

use super::super::layout::{Layout, Row};
use super::super::text::{ADD, BOLD, DIM, REMOVE, count, counted, safe, styled};
use super::{change, fold};
use crate::plan::Plan;
use crate::plan::adoption::{AccountMatch, MatchState};

/// A section for each state. Accounts that are linked already are counted, and listed where all rows are wanted.
pub(super) fn sections(accounts: &[AccountMatch], layout: Layout) -> Vec<String> {
    let of = |state| accounts.iter().filter(move |account| account.state == state).map(row);
    let section = |title, state| layout.section(title, &fold::rows(of(state), layout, layout.all));
    let sections = [
        section("Accounts to link", MatchState::Link),
        section("Conflicts: not linked", MatchState::Conflict),
        section("Accounts that no user matches", MatchState::NoUser),
        if layout.all { section("Linked already", MatchState::Linked) } else { None },
    ];
    sections.into_iter().flatten().collect()
}

fn row(account: &AccountMatch) -> Row {
    let mark = match account.state {
        MatchState::Link => styled(ADD, "+"),
        MatchState::Conflict => styled(REMOVE, "!"),
        MatchState::NoUser | MatchState::Linked => styled(DIM, "·"),
    };
    let role = if account.role.is_empty() { String::new() } else { format!(", {}", safe(&account.role)) };
    let inactive = if account.active { "" } else { ", inactive" };
    Row {
        mark,
        who: format!("{}{}", safe(&account.user_name), styled(DIM, format!("{role}{inactive}"))),
        what: matched(account),
        why: why(account),
        ..Row::default()
    }
}

/// `ada@example.com (00u1…) by alias`.
fn matched(account: &AccountMatch) -> String {
    let users: Vec<String> =
        account.users.iter().map(|user| format!("{} ({})", safe(&user.login), safe(user.id.as_str()))).collect();
    let by = account.by.map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{}{by}", users.join(", "))
}

fn why(account: &AccountMatch) -> String {
    let external_id = account.external_id.as_deref().filter(|_| account.state == MatchState::NoUser);
    let mut parts: Vec<String> = account.conflicts.iter().map(|conflict| safe(&conflict.to_string())).collect();
    parts.extend(external_id.map(|id| format!("externalId {}", safe(id))));
    let changes: Vec<String> = account.next_apply.iter().map(change).collect();
    parts.extend((!changes.is_empty()).then(|| format!("the next apply changes {}", changes.join(", "))));
    parts.join("; ")
}

/// The one line that says it all.
pub(super) fn total(accounts: &[AccountMatch], plan: &Plan) -> String {
    let number = |state| accounts.iter().filter(|account| account.state == state).count();
    let rest = format!(
        "{}, {} without a user, {} linked already",
        counted(number(MatchState::Conflict), "conflict", "conflicts"),
        count(number(MatchState::NoUser)),
        count(number(MatchState::Linked))
    );
    match plan.users.len() {
        0 => format!("{}: {rest}.", styled(BOLD, "Nothing to link")),
        links => format!("{}: {} to link; {rest}.", styled(BOLD, "Plan"), counted(links, "account", "accounts")),
    }
}
