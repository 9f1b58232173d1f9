//! Tells what a project holds, as far as the server tells it (docs/activepieces.md#contents-of-a-project).

use super::text::counted;
use crate::model::activepieces::{Contents, LastRun};

/// `3 flows, 2 members, connections (number not known), 1 table`.
pub fn listed(contents: &Contents, members: Option<usize>) -> String {
    let part = |number: Option<u64>, one: &str, many: &str| match number.map(usize::try_from) {
        Some(Ok(number)) => counted(number, one, many),
        _ => format!("{many} (number not known)"),
    };
    let parts = [
        Some(part(contents.flows, "flow", "flows")),
        members.map(|members| counted(members, "member", "members")),
        Some(part(contents.connections, "connection", "connections")),
        Some(part(contents.tables, "table", "tables")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `last run on 2026-03-04`.
pub fn last_run(contents: &Contents) -> String {
    match contents.last_run {
        Some(LastRun::On(day)) => format!("last run on {day}"),
        Some(LastRun::Never) => "no flow ever ran".to_owned(),
        None => "last run not known".to_owned(),
    }
}

/// Both in one line.
pub fn whole(contents: &Contents, members: Option<usize>) -> String {
    format!("{}, {}", listed(contents, members), last_run(contents))
}
