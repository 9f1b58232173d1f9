//! What is in a project besides its members (docs/activepieces.md#contents-of-a-project).

use serde_json::{Value, json};

use super::errors::Failure;
use super::paging;
use super::platform::Platform;
use super::query::Query;
use super::rest_projects::known;
use super::state::{Project, Time};
use super::transport::Reply;

const DEFAULT_LIMIT: usize = 10;

/// What users made in a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub flows: u64,
    pub connections: u64,
    pub tables: u64,
    /// When a flow ran last.
    pub last_run: Option<jiff::Timestamp>,
    /// Whether one of the connections can't be decrypted, so that their listing fails.
    pub broken_connection: bool,
}

/// A kind of content that has a listing of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flows,
    Connections,
    Runs,
    Tables,
}

/// The rows of one kind in the project that the query names.
pub(super) fn list(platform: &Platform, kind: Kind, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let project = &state.projects[known(&state, query.text("projectId").unwrap_or_default())?];
    let contents = &project.contents;
    if kind == Kind::Connections && contents.broken_connection {
        let message = "The first argument must be of type string or an instance of Buffer. Received undefined";
        return Err(Failure::coded(500, "ERR_INVALID_ARG_TYPE", message));
    }
    let count = match kind {
        Kind::Flows => contents.flows,
        Kind::Connections => contents.connections,
        Kind::Runs => u64::from(contents.last_run.is_some()),
        Kind::Tables => contents.tables,
    };
    let rows: Vec<u64> = (0..count).collect();
    let page = paging::page(query, DEFAULT_LIMIT, &rows, |&row| i64::try_from(row).unwrap_or(i64::MAX))?;
    Reply::ok(&page.map(|row| row_json(project, kind, row)))
}

fn row_json(project: &Project, kind: Kind, row: u64) -> Value {
    let mut item = json!({"id": format!("{}{row:09}", &project.id.as_str()[..12]), "projectId": project.id});
    match (kind, project.contents.last_run) {
        (Kind::Runs, Some(last_run)) => {
            item["created"] = json!(Time::at(last_run));
            item["status"] = json!("SUCCEEDED");
        }
        _ => item["created"] = json!(project.created),
    }
    item
}

/// The number of flows, as a bare number.
pub(super) fn count_flows(platform: &Platform, query: &Query) -> Result<Reply, Failure> {
    let state = platform.state();
    let row = known(&state, query.text("projectId").unwrap_or_default())?;
    Reply::ok(&state.projects[row].contents.flows)
}
