//! Sets the project roles of a project's members. Each part reads first: a role that has changed since the plan was made is
//! left alone. A role is set by POST project-members, which sends no e-mail; the invitation would
//! (docs/activepieces.md#rest).

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};
use tokio::time::sleep;

use super::adapt::Writer;
use super::report::Outcome;
use super::retry::pauses;
use crate::activepieces::wire::ProjectMember;
use crate::http::Failure;
use crate::model::id::{AccountId, ProjectId};
use crate::model::role::is_same_project_role;

/// The server sets 139 roles in a second with 8 requests side by side, 80 with one, and 125 with 50 (docs/activepieces.md#rest).
pub const AT_ONCE: usize = 8;
/// So many roles are set after one look, which takes the server 2 to 4 ms for each member of the project.
const ROLES_A_LOOK: usize = 500;
/// So many members are named where roles weren't set.
const NAMED: usize = 3;

/// A role to give.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    pub account: AccountId,
    pub user_name: &'a str,
    /// The role of a member by the plan; none for a member who was just added.
    pub from: Option<&'a str>,
    pub to: &'a str,
}

/// Gives all these roles, or says which weren't given and why.
pub async fn give(writer: Writer<'_>, project: &ProjectId, given: &[Given<'_>]) -> Result<(), Outcome> {
    let mut undone = Vec::new();
    for part in given.chunks(ROLES_A_LOOK) {
        undone.extend(give_part(writer, project, part).await?);
    }
    summary(&undone)
}

type Undone<'a> = (&'a str, Outcome);

async fn give_part<'a>(
    writer: Writer<'_>,
    project: &ProjectId,
    part: &'a [Given<'a>],
) -> Result<Vec<Undone<'a>>, Outcome> {
    let mut pauses = pauses();
    let mut undone = Vec::new();
    let mut left: Vec<&Given<'_>> = part.iter().collect();
    loop {
        let members = writer.see(writer.activepieces.project_members(project)).await?;
        let members = members.ok_or_else(no_roles)?;
        let members: BTreeMap<&AccountId, &ProjectMember> =
            members.iter().map(|member| (&member.user_id, member)).collect();
        let mut due = Vec::new();
        for given in left {
            match member_to_set(given, &members) {
                Ok(member) => due.extend(member.map(|member| (given, member))),
                Err(outcome) => undone.push((given.user_name, outcome)),
            }
        }
        let sent = stream::iter(due).map(async |(given, member): (&'a Given<'a>, &ProjectMember)| {
            let _turn = writer.roles.acquire().await;
            if writer.contact.is_lost() {
                let why = "Activepieces doesn't answer any more".to_owned();
                return (given, Ok(Some(Outcome::Skipped(why))));
            }
            (given, writer.send(writer.activepieces.set_project_role(&member.id, given.to)).await.map(|()| None))
        });
        let mut lost = Vec::new();
        for (given, answer) in sent.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            match answer {
                Ok(outcome) => undone.extend(outcome.map(|outcome| (given.user_name, outcome))),
                Err(failure) if failure.is_lost_answer() => lost.push((given, failure)),
                Err(failure) if failure.status() == Some(402) => return Err(no_roles()),
                Err(failure) => undone.push((given.user_name, failed(writer, given, &failure))),
            }
        }
        if lost.is_empty() {
            return Ok(undone);
        }
        let Some(pause) = pauses.next() else {
            undone.extend(lost.iter().map(|(given, failure)| (given.user_name, writer.failed(failure))));
            return Ok(undone);
        };
        left = lost.into_iter().map(|(given, _)| given).collect();
        sleep(pause).await;
    }
}

/// The membership whose role is to be set; none where the member has the role.
fn member_to_set<'a>(
    given: &Given<'_>,
    members: &BTreeMap<&AccountId, &'a ProjectMember>,
) -> Result<Option<&'a ProjectMember>, Outcome> {
    let Some(member) = members.get(&given.account) else {
        return Err(Outcome::Stale("isn't a member of the project any more".to_owned()));
    };
    if is_same_project_role(&member.role, given.to) {
        return Ok(None);
    }
    match given.from {
        Some(from) if !is_same_project_role(&member.role, from) => {
            Err(Outcome::Stale(format!("changed meanwhile: the project role is {:?} now, not {from:?}", member.role)))
        }
        _ => Ok(Some(member)),
    }
}

fn no_roles() -> Outcome {
    Outcome::Kept("the server doesn't let project roles be set: its plan has none".to_owned())
}

fn failed(writer: Writer<'_>, given: &Given<'_>, failure: &Failure) -> Outcome {
    if failure.status() != Some(404) {
        return writer.failed(failure);
    }
    // The answer names what is gone (docs/activepieces.md#rest).
    if failure.message().contains("project_role") {
        return Outcome::Failed(format!("the platform has no project role {:?} any more", given.to));
    }
    Outcome::Stale("isn't a member of the project any more".to_owned())
}

/// One outcome for all: the weightiest, with the members whose roles weren't set.
fn summary(undone: &[Undone<'_>]) -> Result<(), Outcome> {
    if undone.is_empty() {
        return Ok(());
    }
    let told = |(name, outcome): &Undone<'_>| format!("{name}: {}", outcome.why().unwrap_or_default());
    let mut names: Vec<String> = undone.iter().take(NAMED).map(told).collect();
    names.extend((undone.len() > NAMED).then(|| format!("and {} more", undone.len() - NAMED)));
    let why = names.join("; ");
    let is = |test: fn(&Outcome) -> bool| undone.iter().any(|(_, outcome)| test(outcome));
    Err(if is(|outcome| matches!(outcome, Outcome::Failed(_))) {
        Outcome::Failed(why)
    } else if is(|outcome| matches!(outcome, Outcome::Kept(_))) {
        Outcome::Kept(why)
    } else if is(|outcome| matches!(outcome, Outcome::Stale(_))) {
        Outcome::Stale(why)
    } else {
        Outcome::Skipped(why)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::activepieces::Activepieces;
    use crate::apply::adapt::{Contact, Limit};
    use crate::http::scripted::{self, Act, Seen};
    use crate::http::{Client, Settings};

    /// Gives bob and ada a role by a server that answers like this to what is set, and gives the outcome and the requests.
    async fn give_by(answer: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> (Result<(), Outcome>, Vec<String>) {
        let server = scripted::ScriptedServer::new(move |seen| {
            if seen.line.starts_with("GET") {
                let row = |name: &str, role: &str| json!({"id": name, "userId": name, "projectRole": {"name": role}});
                let rows = [row("ada", "Editor"), row("bob", "Editor"), row("cy", "Admin")];
                return scripted::json(200, &json!({"data": rows, "next": null}).to_string());
            }
            answer(seen)
        })
        .await;
        let activepieces = Activepieces::new(Client::new(Settings::new(&server.url)).unwrap());
        let (limit, contact, roles) = (Limit::new(4), Contact::default(), Semaphore::new(AT_ONCE));
        let writer = Writer { activepieces: &activepieces, limit: &limit, contact: &contact, roles: &roles };
        let given = [("ada", Some("Editor")), ("bob", None), ("cy", Some("Viewer")), ("dan", Some("Editor"))];
        let given = given.map(|(name, from)| Given { account: name.into(), user_name: name, from, to: "Lead" });
        let outcome = give(writer, &"p1".into(), &given).await;
        (outcome, server.lines())
    }

    #[tokio::test]
    async fn a_role_is_set_where_it_is_that_of_the_plan_and_what_changed_is_named() {
        let (outcome, lines) = give_by(|_| scripted::json(200, "{}")).await;
        assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 2, "{lines:?}");
        let Err(Outcome::Stale(why)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(
            why,
            "cy: changed meanwhile: the project role is \"Admin\" now, not \"Viewer\"; dan: isn't a member of the project any more"
        );
    }

    #[tokio::test]
    async fn a_role_that_vanished_fails_by_its_name() {
        let gone = r#"{"code":"ENTITY_NOT_FOUND","params":{"entityType":"project_role","entityId":"Lead"}}"#;
        let (outcome, _) = give_by(move |_| scripted::json(404, gone)).await;
        let Err(Outcome::Failed(why)) = outcome else { panic!("{outcome:?}") };
        assert!(why.contains("ada: the platform has no project role \"Lead\" any more"), "{why}");
    }

    #[tokio::test]
    async fn a_member_who_vanished_is_no_failure_and_a_plan_without_roles_ends_it() {
        let gone = r#"{"code":"ENTITY_NOT_FOUND","params":{"entityType":"project_member","entityId":"ada"}}"#;
        let (outcome, _) = give_by(move |_| scripted::json(404, gone)).await;
        assert!(matches!(outcome, Err(Outcome::Stale(_))), "{outcome:?}");
        let off = r#"{"code":"FEATURE_DISABLED","params":{"message":"Feature is disabled"}}"#;
        let (outcome, _) = give_by(move |_| scripted::json(402, off)).await;
        assert_eq!(outcome, Err(no_roles()));
    }
}
