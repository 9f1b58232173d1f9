//! Accepted invitations that wait: reads them, and deletes one (docs/activepieces.md#invitations).

use std::collections::BTreeMap;

use futures_util::future::try_join;
use reqwest::Method;
use serde::Deserialize;

use super::client::{ALL_CONTENTS, Activepieces, is_gone};
use super::read::is_off;
use super::wire::{Page, normal};
use crate::error::{Error, Kind, Result};
use crate::http::{Failure, Request, Size, segment};
use crate::model::activepieces::{Grant, Invitation, Invitations};
use crate::model::id::{InvitationId, ProjectId};

/// An invitation as `GET /v1/user-invitations` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestInvitation {
    id: InvitationId,
    email: String,
    /// `ACCEPTED` or `PENDING`.
    status: String,
    #[serde(default)]
    platform_role: Option<String>,
    #[serde(default)]
    project_id: Option<ProjectId>,
    #[serde(default)]
    project_role_id: Option<String>,
}

impl RestInvitation {
    /// Without the names of projects, which the caller knows. None for one that isn't accepted yet: that is for the invited
    /// person to do.
    fn waiting(self, roles: &BTreeMap<String, String>) -> Option<Invitation> {
        let grant = match (self.project_id, self.platform_role) {
            (Some(project), _) => {
                let role_id = self.project_role_id.unwrap_or_default();
                let role = roles.get(&role_id).unwrap_or(&role_id).clone();
                Grant::Project { name: project.to_string(), project, role_id, role }
            }
            (None, Some(role)) => Grant::Platform { role },
            (None, None) => return None,
        };
        (self.status == "ACCEPTED").then(|| Invitation { id: self.id, user_name: normal(&self.email), grant })
    }
}

impl Activepieces {
    /// All invitations of a type, `PLATFORM` or `PROJECT`.
    async fn invitations(&self, kind: &str) -> std::result::Result<Page<RestInvitation>, Failure> {
        let request =
            Request::get("/api/v1/user-invitations").param("type", kind).param("limit", &ALL_CONTENTS.to_string());
        self.read(request.size(Size::LISTING)).await
    }

    /// Deletes an invitation. One that is gone already counts as deleted.
    pub async fn delete_invitation(&self, id: &InvitationId) -> std::result::Result<(), Failure> {
        let path = format!("/api/v1/user-invitations/{}", segment(id.as_str()));
        match self.remove(Request::new(Method::DELETE, path)).await {
            Err(failure) if is_gone(&failure) => Ok(()),
            reply => reply,
        }
    }
}

/// All invitations that wait: one request for each of the two types, and one for the names of project roles if any is to a project.
pub async fn read(activepieces: &Activepieces) -> Result<Invitations> {
    let (platform, project) = try_join(listed(activepieces, "PLATFORM"), listed(activepieces, "PROJECT")).await?;
    let Some(platform) = platform else { return Ok(Invitations::Off) };
    // Without project roles in the platform's plan no invitation to a project can be made (docs/activepieces.md#invitations).
    let project = project.unwrap_or_default();
    let mut roles = BTreeMap::new();
    if !project.is_empty() {
        let all = activepieces.project_roles().await;
        let all = all.map_err(|failure| Error::from(failure).context("reading the project roles"))?;
        roles.extend(all.into_iter().map(|role| (role.id, role.name)));
    }
    let mut waiting: Vec<Invitation> =
        platform.into_iter().chain(project).filter_map(|row| row.waiting(&roles)).collect();
    waiting.sort_unstable_by(|a, b| (&a.user_name, &a.grant, &a.id).cmp(&(&b.user_name, &b.grant, &b.id)));
    Ok(Invitations::Known(waiting))
}

/// The invitations of a type; none where the server doesn't list them for keys.
async fn listed(activepieces: &Activepieces, kind: &str) -> Result<Option<Vec<RestInvitation>>> {
    match activepieces.invitations(kind).await {
        Ok(page) if page.next.is_some() => {
            Err(Error::new(Kind::Failed, format!("the listing of the {kind} invitations is cut short"))
                .hint("look for a proxy that cuts answers short"))
        }
        Ok(page) => Ok(Some(page.data)),
        Err(failure) if is_off(&failure) => Ok(None),
        Err(failure) => Err(Error::from(failure).context(format!("reading the {kind} invitations"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::scripted::{ScriptedServer, Seen, json};
    use crate::http::{Client, Settings};

    async fn activepieces(
        answer: impl Fn(&Seen) -> crate::http::scripted::Act + Send + Sync + 'static,
    ) -> (Activepieces, ScriptedServer) {
        let server = ScriptedServer::new(answer).await;
        (Activepieces::new(Client::new(Settings::new(&server.url)).unwrap()), server)
    }

    #[tokio::test]
    async fn accepted_invitations_are_read_with_the_names_of_their_roles() {
        let row = |id: &str, status: &str, more: serde_json::Value| {
            let mut row = json!({"id": id, "email": " Ada@X.io", "status": status});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let (activepieces, server) = activepieces(move |seen| {
            let data = match (seen.path(), seen.param("type").as_deref()) {
                ("/api/v1/project-roles", _) => json!([{"id": "r1", "name": "Viewer"}]),
                (_, Some("PLATFORM")) => json!([
                    row("i1", "ACCEPTED", json!({"platformRole": "ADMIN"})),
                    row("i2", "PENDING", json!({"platformRole": "ADMIN"})),
                ]),
                _ => json!([row(
                    "i3",
                    "ACCEPTED",
                    json!({"projectId": "p1", "projectRoleId": "r1", "platformRole": null})
                )]),
            };
            json(200, &json!({"data": data, "next": null}).to_string())
        })
        .await;
        let read = read(&activepieces).await.unwrap();
        let of = |id: &str, grant| Invitation { id: id.into(), user_name: "ada@x.io".to_owned(), grant };
        let (name, role_id, role) = ("p1".to_owned(), "r1".to_owned(), "Viewer".to_owned());
        let to_project = Grant::Project { project: "p1".into(), name, role_id, role };
        let admin = Grant::Platform { role: "ADMIN".to_owned() };
        assert_eq!(read, Invitations::Known(vec![of("i1", admin), of("i3", to_project)]));
        assert_eq!(server.lines().len(), 3);
    }

    #[tokio::test]
    async fn a_server_that_lists_none_is_no_failure_and_a_part_of_a_list_is() {
        let answer = |platform: u16, project: u16| {
            move |seen: &Seen| {
                let status = if seen.param("type").as_deref() == Some("PLATFORM") { platform } else { project };
                let next = if status == 299 { "\"cursor\"" } else { "null" };
                json(if status == 299 { 200 } else { status }, &format!(r#"{{"data": [], "next": {next}}}"#))
            }
        };
        for (platform, project, expected) in [
            (200, 402, Some(Invitations::Known(Vec::new()))),
            (403, 200, Some(Invitations::Off)),
            (404, 404, Some(Invitations::Off)),
            (299, 200, None),
            (200, 400, None),
        ] {
            let (activepieces, _server) = activepieces(answer(platform, project)).await;
            assert_eq!(read(&activepieces).await.ok(), expected, "{platform} {project}");
        }
    }

    #[tokio::test]
    async fn an_invitation_that_is_gone_is_deleted() {
        let gone = r#"{"code": "ENTITY_NOT_FOUND", "params": {"entityType": "user_invitation"}}"#;
        for (status, body, expected) in [(204, "", true), (404, gone, true), (404, "{}", false), (403, "{}", false)] {
            let (activepieces, server) = activepieces(move |_| json(status, body)).await;
            assert_eq!(activepieces.delete_invitation(&"i1".into()).await.is_ok(), expected, "{status}");
            assert_eq!(server.lines(), ["DELETE /api/v1/user-invitations/i1"]);
        }
    }
}
