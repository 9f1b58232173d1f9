//! Writes the journal of runs. The beginning of a step is committed before its request is sent, so that the journal
//! misses nothing that a server may have done, wherever the process is killed.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{StateFile, now, time};
use crate::apply::Outcome;
use crate::error::Result;
use crate::model::activepieces::moved_link;
use crate::plan::op::{Attribute, Change, ProjectAction, ProjectOp, Replaced, RoleChange, UserAction, UserOp};
use crate::plan::{Plan, Step};

/// So many runs that wrote are kept, and so many of the others.
const KEPT: u32 = 1000;

/// What is known of a run when it begins.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// `plan`, `apply`, `undo 12`.
    pub command: &'a str,
    pub started: Timestamp,
    /// A hash of the config file.
    pub config: &'a str,
    /// The hosts.
    pub okta: &'a str,
    pub activepieces: &'a str,
}

/// What is known of a run when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// `done`, `partial`, `refused`, `failed` or `interrupted`.
    pub outcome: &'static str,
    pub reason: Option<&'a str>,
    pub requests: u64,
}

impl StateFile {
    /// Begins a run and gives its number.
    pub fn begin(&self, run: &Beginning<'_>) -> Result<u32> {
        self.with(|connection| {
            connection.execute(
                "INSERT INTO runs (command, started, tool_version, config, okta, activepieces) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    run.command,
                    time(run.started),
                    env!("CARGO_PKG_VERSION"),
                    run.config,
                    run.okta,
                    run.activepieces
                ],
            )?;
            connection.query_row("SELECT last_insert_rowid()", [], |row| row.get(0))
        })
    }

    /// Notes what the run's plan comes to.
    pub fn planned(&self, run: u32, plan: &Plan) -> Result<()> {
        let update = "UPDATE runs SET changes = ?2, problems = ?3 WHERE id = ?1";
        self.with(|connection| {
            connection.execute(update, params![run, plan.steps().count(), plan.problems.len()]).map(drop)
        })
    }

    /// Writes down the whole plan and each of its steps, before the first of them begins. The hash is that of the plan
    /// as it was looked at, of which this one may be what still holds.
    pub fn writes(&self, run: u32, plan: &Plan, hash: &str) -> Result<()> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let update = "UPDATE runs SET plan = ?2, hash = ?3 WHERE id = ?1";
            transaction.execute(update, params![run, super::json(plan), hash])?;
            insert(&transaction, run, plan)?;
            transaction.commit()
        })
    }

    /// Notes that a step begins. It must not begin where this fails.
    pub fn begins(&self, run: u32, step: Step<'_>) -> Result<()> {
        let update =
            "UPDATE operations SET outcome = 'begun', begun = ?4 WHERE run = ?1 AND kind = ?2 AND okta_id = ?3";
        self.with(|connection| {
            let mut statement = connection.prepare_cached(update)?;
            match statement.execute(params![run, step.kind(), step.okta_id(), now()])? {
                1 => Ok(()),
                rows => Err(rusqlite::Error::StatementChangedRows(rows)),
            }
        })
    }

    /// Records the outcome of a step.
    pub fn ended(&self, run: u32, step: Step<'_>, outcome: &Outcome) -> Result<()> {
        let update = "UPDATE operations SET outcome = ?4, reason = ?5, ended = ?6 \
                      WHERE run = ?1 AND kind = ?2 AND okta_id = ?3";
        let word = match outcome {
            Outcome::Done => "done",
            Outcome::Kept(_) | Outcome::Failed(_) => "failed",
            Outcome::Stale(_) => "stale",
            Outcome::Skipped(_) => "skipped",
        };
        self.with(|connection| {
            let mut statement = connection.prepare_cached(update)?;
            statement.execute(params![run, step.kind(), step.okta_id(), word, outcome.why(), now()]).map(drop)
        })
    }

    /// Records where a later read differs from the server's answer to a step.
    pub fn diverged(&self, run: u32, step: Step<'_>, what: &str) -> Result<()> {
        let update = "UPDATE operations SET diverged = coalesce(diverged || ', ', '') || ?4 \
                      WHERE run = ?1 AND kind = ?2 AND okta_id = ?3";
        self.with(|connection| {
            connection.prepare_cached(update)?.execute(params![run, step.kind(), step.okta_id(), what]).map(drop)
        })
    }

    /// Ends a run, and forgets the oldest ones.
    pub fn end(&self, run: u32, ending: Ending<'_>) -> Result<()> {
        self.with(|connection| {
            let transaction = connection.transaction()?;
            let started: String =
                transaction.query_row("SELECT started FROM runs WHERE id = ?1", [run], |row| row.get(0))?;
            let ended = Timestamp::now();
            let duration = started.parse().map_or(SignedDuration::ZERO, |started| ended.duration_since(started));
            transaction.execute(
                "UPDATE runs SET ended = ?2, seconds = ?3, outcome = ?4, reason = ?5, requests = ?6 WHERE id = ?1",
                params![
                    run,
                    time(ended),
                    duration.as_millis_f64().round() / 1000.0,
                    ending.outcome,
                    ending.reason,
                    ending.requests
                ],
            )?;
            forget(&transaction)?;
            transaction.commit()
        })
    }
}

/// A row for each step, in the plan's order.
fn insert(connection: &Connection, run: u32, plan: &Plan) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO operations (run, kind, okta_id, subject, action, before, after, outcome) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'planned')",
    )?;
    for step in plan.steps() {
        let (before, after) = sides(step);
        let [before, after] = [before, after].map(|side| (!side.is_null()).then(|| side.to_string()));
        statement.execute(params![run, step.kind(), step.okta_id(), step.subject(), step.action(), before, after])?;
    }
    Ok(())
}

/// Keeps the newest runs, those that wrote apart from those that didn't: a job that finds nothing to do all day must
/// not push out what can be undone.
fn forget(connection: &Connection) -> rusqlite::Result<()> {
    for wrote in ["NOT NULL", "NULL"] {
        let delete = format!(
            "DELETE FROM runs WHERE plan IS {wrote} AND id <= \
             (SELECT id FROM runs WHERE plan IS {wrote} ORDER BY id DESC LIMIT 1 OFFSET {KEPT})"
        );
        connection.execute(&delete, [])?;
    }
    Ok(())
}

/// The current and the new value, as far as the step touches it; null if there was none.
fn sides(step: Step<'_>) -> (Value, Value) {
    match step {
        Step::Invitation(op) => (json!({ "invitation": op.grant }), Value::Null),
        Step::User(op) => {
            if op.is_deletion() {
                return (json!({ "userName": op.user_name, "externalId": op.okta_id }), Value::Null);
            }
            let before = match op.action {
                UserAction::Create => Value::Null,
                _ => attributes(&op.changes, |change| change.from.as_deref()),
            };
            (before, attributes(&op.changes, |change| Some(&change.to)))
        }
        Step::MoveLink(op) => {
            let side = |link: fn(&UserOp, &Replaced) -> String| -> Value {
                op.replaces
                    .iter()
                    .map(|left| (left.user_name.clone(), json!({ "externalId": link(op, left) })))
                    .collect()
            };
            (side(|_, left| left.link.clone()), side(|op, left| moved_link(&op.okta_id, &left.account)))
        }
        Step::CopyMemberships(op) => {
            let copies = op.replaces.iter().flat_map(|left| &left.copies);
            let roles: Value = copies.map(|copied| (copied.name.clone(), json!(copied.role))).collect();
            (Value::Null, json!({ "projects": roles }))
        }
        Step::CloseOld(op) => {
            let names: Vec<&str> = op.closed().map(|left| left.user_name.as_str()).collect();
            (json!({ "active": names }), json!({ "active": [] }))
        }
        Step::Project(op) => sides_of_project(op),
        Step::AddMembers(op) => {
            let names: Vec<&str> = op.add.iter().map(|member| member.user_name.as_str()).collect();
            (json!({ "members": [] }), json!({ "members": names }))
        }
        Step::RemoveMembers(op) => {
            let names: Vec<&str> = op.remove.iter().map(|removal| removal.user_name.as_str()).collect();
            (json!({ "members": names }), json!({ "members": [] }))
        }
        Step::SetRoles(op) => {
            let side = |role: fn(&RoleChange) -> &String| -> Value {
                op.roles.iter().map(|change| (change.user_name.clone(), json!(role(change)))).collect()
            };
            (json!({ "roles": side(|change| &change.from) }), json!({ "roles": side(|change| &change.to) }))
        }
    }
}

/// The same of what is done to a project itself.
fn sides_of_project(op: &ProjectOp) -> (Value, Value) {
    match &op.action {
        ProjectAction::Create => (Value::Null, json!({ "displayName": op.name, "externalId": op.group })),
        ProjectAction::Adopt => (json!({ "externalId": null }), json!({ "externalId": op.group })),
        ProjectAction::Relink { from, archived: None, .. } => {
            (json!({ "externalId": from }), json!({ "externalId": op.group }))
        }
        ProjectAction::Relink { from, archived, .. } => (
            json!({ "displayName": archived, "externalId": from }),
            json!({ "displayName": op.name, "externalId": op.group }),
        ),
        ProjectAction::Rename { from } | ProjectAction::Archive { from } => {
            (json!({ "displayName": from }), json!({ "displayName": op.name }))
        }
        ProjectAction::Members => (Value::Null, Value::Null),
        ProjectAction::Delete { .. } => (json!({ "displayName": op.name, "externalId": op.group }), Value::Null),
    }
}

/// `{"active": "true", "platformRole": "MEMBER"}`
fn attributes<'a>(changes: &'a [Change], side: impl Fn(&'a Change) -> Option<&'a str>) -> Value {
    let value = |change: &'a Change| {
        let side = side(change);
        match (change.attribute, side) {
            (Attribute::Active, Some(text)) => json!(text == "true"),
            _ => json!(side),
        }
    };
    changes.iter().map(|change| (change.attribute.as_str().to_owned(), value(change))).collect()
}
