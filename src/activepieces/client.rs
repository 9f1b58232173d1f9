//! Single requests to Activepieces. No write is repeated here: callers read the current value first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::Method;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::wire::{
    FlowRun, GROUP_SCHEMA, GroupBody, GroupMember, ListResponse, ListedGroup, ListedRole, ListedUser, OfPlatform,
    Operation, PATCH_SCHEMA, Page, PatchBody, PlatformPlan, ProjectMember, ProjectRole, RestPlatform, RestProject,
    RestUser, RoleMember, ScimGroup, ScimUser, ServiceProviderConfig, UserBody, UserOperation, normal,
};
use crate::http::{Client, Failure, Request, Size, Waits, segment};
use crate::model::activepieces::{Contents, LastRun};
use crate::model::id::{AccountId, OktaGroupId, ProjectId};

const SCIM: &str = "/api/v1/scim/v2";
const SCIM_JSON: &str = "application/scim+json";
const JSON: &str = "application/json";

/// More than any platform has: the one listing of users that isn't cut short (docs/activepieces.md#listing-users).
pub const ALL_USERS: usize = 2_147_483_647;
/// More than any platform has; the REST listing has no maximum either, and loses rows over pages (docs/activepieces.md#rest).
pub const ALL_REST_USERS: usize = 1_000_000;
/// More than any project has; this listing loses rows over pages too (docs/activepieces.md#rest).
const ALL_MEMBERS: usize = 1_000_000;
/// More than any project holds of a kind, and than any platform has invitations of one; REST listings lose rows over pages
/// (docs/activepieces.md#rest).
pub(super) const ALL_CONTENTS: usize = 1_000_000;
/// The server sends nothing of a listing before it has all of it: 5.9 s were seen for 20,885 users
/// (docs/activepieces.md#listing-users), and a page of 100 groups costs 4.8 s for each group with 20,000 members
/// (docs/activepieces.md#groups).
const LISTING: Duration = Duration::from_mins(10);
/// One group: 24 s were seen for 20,000 members (docs/activepieces.md#throughput), with nothing else for the server to do.
const GROUP: Duration = Duration::from_mins(5);
/// A deletion takes far less than a second, or is never answered though it was done (docs/activepieces.md#load-and-outages).
const DELETION: Duration = Duration::from_secs(30);
/// A single user; the welcome e-mail is sent before the answer comes (docs/activepieces.md#creating-a-user).
const SHORT: Duration = Duration::from_mins(2);

/// The client of one platform.
#[derive(Clone, Debug)]
pub struct Activepieces {
    http: Client,
    /// Set once SCIM answered with a user without a role.
    hides_roles: Arc<AtomicBool>,
    /// The answer to a request that a read sends as well, until one has taken it.
    first_project: Arc<Mutex<Option<Page<RestProject>>>>,
}

impl Activepieces {
    /// The client's base URL is the platform's, without `/api`; its authorization is `Bearer sk-…`.
    pub fn new(http: Client) -> Self {
        Self { http, hides_roles: Arc::default(), first_project: Arc::default() }
    }

    /// The platform's own id, as its first TEAM project or else its newest user has it; none where the server shows none.
    pub async fn platform_id(&self) -> Result<Option<String>, Failure> {
        let page = self.team_projects(1).await?;
        let id = page.data.iter().find_map(|project| project.platform_id.clone());
        *self.first_project() = Some(page);
        if id.is_some() {
            return Ok(id);
        }
        let users: Page<OfPlatform> = self.read(Request::get("/api/v1/users").param("limit", "1")).await?;
        Ok(users.data.into_iter().find_map(|user| user.platform_id))
    }

    /// Forgets what [`Self::platform_id`] read: a run that has waited since reads it again.
    pub fn forget(&self) {
        *self.first_project() = None;
    }

    /// The first TEAM project: as [`Self::platform_id`] has just read it, or read now.
    pub async fn a_team_project(&self) -> Result<Page<RestProject>, Failure> {
        let known = self.first_project().take();
        match known {
            Some(page) => Ok(page),
            None => self.team_projects(1).await,
        }
    }

    fn first_project(&self) -> MutexGuard<'_, Option<Page<RestProject>>> {
        // What is in it is replaced as a whole.
        self.first_project.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests were sent so far.
    pub fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// The shortest time to an answer so far.
    pub fn shortest_answer(&self) -> Option<Duration> {
        self.http.shortest()
    }

    /// What its requests wait for.
    pub fn waits(&self) -> &Waits {
        self.http.pace().waits()
    }

    /// Whether SCIM leaves the platform role out of users, as versions before 0.84 do (docs/activepieces.md#generations). It is known after
    /// the first user that was read.
    pub fn hides_roles(&self) -> bool {
        self.hides_roles.load(Ordering::Relaxed)
    }

    /// Notes that a user of SCIM came without a role.
    pub(super) fn note_hidden_roles(&self) {
        self.hides_roles.store(true, Ordering::Relaxed);
    }

    /// Whether the server still takes the key. It is asked only if its last answer was 401.
    pub async fn takes_the_key(&self) -> bool {
        !self.http.is_refused() || self.team_projects(1).await.is_ok() || !self.http.is_refused()
    }

    /// The connector test: JSON with the right schema shows that the base URL is right (docs/activepieces.md#rules-for-clients).
    pub async fn service_provider_config(&self) -> Result<ServiceProviderConfig, Failure> {
        self.read(Request::get(format!("{SCIM}/ServiceProviderConfig"))).await
    }

    /// Whether discovery answers with bare lists, which only 0.79 to 0.83 do (docs/activepieces.md#generations).
    pub async fn has_bare_lists(&self) -> Result<bool, Failure> {
        let types: serde_json::Value = self.read(Request::get(format!("{SCIM}/ResourceTypes"))).await?;
        Ok(types.is_array())
    }

    /// What the platform's plan allows. None where the server doesn't say: it has no such route, or keeps it from keys.
    pub async fn platform_plan(&self) -> Result<Option<PlatformPlan>, Failure> {
        let users: Page<OfPlatform> = self.read(Request::get("/api/v1/users").param("limit", "1")).await?;
        let Some(id) = users.data.into_iter().find_map(|user| user.platform_id) else { return Ok(None) };
        let platform = self.read::<RestPlatform>(Request::get(format!("/api/v1/platforms/{}", segment(&id)))).await;
        match platform {
            Ok(platform) => Ok(Some(platform.plan)),
            Err(failure) if matches!(failure.status(), Some(402..=404)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The newest `count` users (docs/activepieces.md#listing-users).
    pub async fn users(&self, count: usize) -> Result<ListResponse<ListedUser>, Failure> {
        let request = Request::get(format!("{SCIM}/Users")).param("count", &count.to_string());
        self.read(request.timeout(LISTING).size(Size::LISTING)).await
    }

    /// One page of the REST listing, which has roles in every version.
    pub async fn rest_users(&self, limit: usize) -> Result<Page<ListedRole>, Failure> {
        let request = Request::get("/api/v1/users").param("limit", &limit.to_string());
        self.read(request.timeout(LISTING).size(Size::LISTING)).await
    }

    /// The REST listing with addresses and externalIds, which takes more memory.
    pub async fn rest_accounts(&self) -> Result<Page<RestUser>, Failure> {
        let request = Request::get("/api/v1/users").param("limit", &ALL_REST_USERS.to_string());
        self.read(request.timeout(LISTING).size(Size::LISTING)).await
    }

    /// The REST user with exactly this externalId.
    pub async fn rest_user_by_external_id(&self, external_id: &str) -> Result<Option<RestUser>, Failure> {
        let request = Request::get("/api/v1/users").param("externalId", external_id);
        let page: Page<RestUser> = self.read(request).await?;
        Ok(page.data.into_iter().find(|user| user.external_id.as_deref() == Some(external_id)))
    }

    /// A user by id, inactive ones too; none where the server says that there is none.
    pub async fn user(&self, id: &AccountId) -> Result<Option<ScimUser>, Failure> {
        found(self.read(Request::get(user_path(id))).await)
    }

    /// A user by user name: the only filter that works, and the answer is checked all the same (docs/activepieces.md#listing-users).
    pub async fn user_by_name(&self, user_name: &str) -> Result<Option<ScimUser>, Failure> {
        let filter = format!("userName eq \"{user_name}\"");
        let request = Request::get(format!("{SCIM}/Users")).param("filter", &filter).param("count", "1");
        let list: ListResponse<ScimUser> = self.read(request).await?;
        Ok(list.resources.into_iter().find(|user| normal(&user.user_name) == normal(user_name)))
    }

    /// Makes a user, who gets a welcome e-mail.
    pub async fn create_user(&self, body: &UserBody<'_>) -> Result<ScimUser, Failure> {
        self.write(Method::POST, format!("{SCIM}/Users"), SCIM_JSON, body, SHORT).await
    }

    /// Sets what the body has; all else of the user stays but `active` (docs/activepieces.md#put-of-a-user).
    pub async fn put_user(&self, id: &AccountId, body: &UserBody<'_>) -> Result<ScimUser, Failure> {
        self.write(Method::PUT, user_path(id), SCIM_JSON, body, SHORT).await
    }

    /// Changes single attributes of a user. The server also answers 200 if it ignores an operation
    /// (docs/activepieces.md#patch-of-a-user and docs/activepieces.md#generations), so the caller compares the answer.
    pub async fn patch_user(&self, id: &AccountId, operations: Vec<UserOperation<'_>>) -> Result<ScimUser, Failure> {
        let body = PatchBody { schemas: [PATCH_SCHEMA], operations };
        self.write(Method::PATCH, user_path(id), SCIM_JSON, &body, SHORT).await
    }

    /// A user by id over REST, which shows the role in every version (docs/activepieces.md#rest); none where there is none.
    pub async fn rest_user(&self, id: &AccountId) -> Result<Option<RestUser>, Failure> {
        match self.read(Request::get(rest_user_path(id))).await {
            Err(failure) if is_gone(&failure) => Ok(None),
            reply => reply.map(Some),
        }
    }

    /// Destroys an account with its personal project (docs/activepieces.md#deleted-accounts). One that is gone already counts as
    /// deleted: 204 before 0.86, and 404 since.
    pub async fn delete_user(&self, id: &AccountId) -> Result<(), Failure> {
        match self.remove(Request::new(Method::DELETE, rest_user_path(id))).await {
            Err(failure) if is_gone(&failure) => Ok(()),
            reply => reply,
        }
    }

    /// All personal projects.
    pub async fn personal_projects(&self) -> Result<Page<RestProject>, Failure> {
        let request = Request::get("/api/v1/projects").param("types", "PERSONAL");
        let request = request.param("limit", &ALL_REST_USERS.to_string());
        self.read(request.timeout(LISTING).size(Size::LISTING)).await
    }

    /// A slice of the groups, sorted by name; `start_index` counts from 1 (docs/activepieces.md#listing-groups).
    pub async fn groups(&self, start_index: usize, count: usize) -> Result<ListResponse<ListedGroup>, Failure> {
        let request = Request::get(format!("{SCIM}/Groups"))
            .param("startIndex", &start_index.to_string())
            .param("count", &count.to_string());
        self.read(request.timeout(LISTING).size(Size::LISTING)).await
    }

    /// A group by id; none where the server says that there is none.
    pub async fn group(&self, id: &ProjectId) -> Result<Option<ScimGroup>, Failure> {
        found(self.read(Request::get(group_path(id)).timeout(GROUP).size(Size::LISTING)).await)
    }

    /// Makes a project without members.
    pub async fn create_group(&self, name: &str, external_id: &OktaGroupId) -> Result<ScimGroup, Failure> {
        let body = GroupBody { schemas: [GROUP_SCHEMA], display_name: name, external_id };
        self.write(Method::POST, format!("{SCIM}/Groups"), SCIM_JSON, &body, SHORT).await
    }

    pub async fn rename_group(&self, id: &ProjectId, name: &str) -> Result<ScimGroup, Failure> {
        self.patch_group(id, vec![Operation::Replace { path: "displayName", value: name }]).await
    }

    /// Destroys a project with its flows, connections and members (docs/activepieces.md#deletion-of-a-group). A project that
    /// is gone already counts as deleted.
    pub async fn delete_group(&self, id: &ProjectId) -> Result<(), Failure> {
        match self.remove(Request::new(Method::DELETE, group_path(id))).await {
            Err(failure) if is_absence(&failure) => Ok(()),
            reply => reply,
        }
    }

    /// Adds members with the default project role. Ids of those who are members already must not be among them: their
    /// role would be reset (docs/activepieces.md#groups).
    pub async fn add_members(&self, id: &ProjectId, members: &[AccountId]) -> Result<ScimGroup, Failure> {
        let value = members.iter().map(|member| GroupMember { value: member.clone() }).collect();
        self.patch_group(id, vec![Operation::Add { path: "members", value }]).await
    }

    /// Removes members, one operation each, the only form that works (docs/activepieces.md#patch-of-a-group).
    pub async fn remove_members(&self, id: &ProjectId, members: &[AccountId]) -> Result<ScimGroup, Failure> {
        let remove = |member| Operation::Remove { path: format!("members[value eq \"{member}\"]") };
        self.patch_group(id, members.iter().map(remove).collect()).await
    }

    /// The TEAM projects, one page of them.
    pub async fn team_projects(&self, limit: usize) -> Result<Page<RestProject>, Failure> {
        let request = Request::get("/api/v1/projects").param("types", "TEAM").param("limit", &limit.to_string());
        self.read(request).await
    }

    /// The project with exactly this externalId: the filter of SCIM lower-cases it and finds none (docs/activepieces.md#listing-groups).
    pub async fn project_by_external_id(&self, external_id: &OktaGroupId) -> Result<Option<RestProject>, Failure> {
        let request = Request::get("/api/v1/projects").param("externalId", external_id.as_str());
        let page: Page<RestProject> = self.read(request).await?;
        Ok(page.data.into_iter().find(|project| project.external_id.as_deref() == Some(external_id.as_str())))
    }

    /// The TEAM projects that the account with this externalId reaches: those that it is a member of, and for an ADMIN or OPERATOR all
    /// (docs/activepieces.md#changed-addresses).
    pub async fn projects_reached(&self, external_id: &str) -> Result<Page<RestProject>, Failure> {
        self.every_team_project(("externalUserId", external_id)).await
    }

    /// The TEAM projects of exactly this name. The filter finds more: names that contain it, in any case (docs/activepieces.md#rest).
    pub async fn projects_named(&self, name: &str) -> Result<Vec<RestProject>, Failure> {
        let page = self.every_team_project(("displayName", name)).await?;
        Ok(page.data.into_iter().filter(|project| project.display_name == name && project.is_team()).collect())
    }

    async fn every_team_project(&self, (name, value): (&str, &str)) -> Result<Page<RestProject>, Failure> {
        let request = Request::get("/api/v1/projects").param("types", "TEAM").param(name, value);
        self.read(request.param("limit", &ALL_CONTENTS.to_string()).timeout(LISTING).size(Size::LISTING)).await
    }

    /// What a project holds: `flows` are those of its listing, the rest is asked for. A route that fails, as that of connections does
    /// for one that can't be decrypted, leaves its part unknown (docs/activepieces.md#contents-of-a-project).
    pub async fn contents(&self, project: &ProjectId, flows: Option<u64>) -> Contents {
        let (connections, tables, last_run) = futures_util::future::join3(
            self.count("app-connections", project),
            self.count("tables", project),
            self.last_run(project),
        )
        .await;
        Contents { flows, connections, tables, last_run }
    }

    /// What the personal project of an account holds: the one among the projects that the user of this externalId reaches that is
    /// the account's own (docs/activepieces.md#changed-addresses).
    pub async fn personal_contents(&self, account: &AccountId, external_id: &str) -> Contents {
        let request = Request::get("/api/v1/projects")
            .param("externalUserId", external_id)
            .param("limit", &ALL_CONTENTS.to_string());
        let page: Result<Page<RestProject>, Failure> = self.read(request.size(Size::LISTING).once()).await;
        let projects = page.inspect_err(|failure| tracing::debug!(%failure, "a personal project isn't known"));
        let own = |project: &RestProject| project.kind.as_deref() == Some("PERSONAL") && project.owner_id == *account;
        let Some(project) = projects.ok().and_then(|page| page.data.into_iter().find(own)) else {
            return Contents::default();
        };
        // When a flow ran there says nothing, and would make each plan another one.
        Contents { last_run: None, ..self.contents(&project.id, project.analytics.total_flows).await }
    }

    async fn count(&self, list: &str, project: &ProjectId) -> Option<u64> {
        let page: Page<IgnoredAny> = self.part_of(list, project, ALL_CONTENTS).await?;
        page.next.is_none().then(|| u64::try_from(page.data.len()).ok())?
    }

    async fn last_run(&self, project: &ProjectId) -> Option<LastRun> {
        let page: Page<FlowRun> = self.part_of("flow-runs", project, 1).await?;
        Some(page.data.first().map_or(LastRun::Never, |run| LastRun::On(TimeZone::UTC.to_datetime(run.created).date())))
    }

    async fn part_of<T>(&self, list: &str, project: &ProjectId, limit: usize) -> Option<Page<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let request = Request::get(format!("/api/v1/{list}"))
            .param("projectId", project.as_str())
            .param("limit", &limit.to_string());
        let answer = self.read(request.timeout(SHORT).size(Size::LISTING).once()).await;
        answer.inspect_err(|failure| tracing::debug!(%failure, list, "the contents of a project aren't known")).ok()
    }

    /// Sets a project's externalId by REST, which touches no member (docs/activepieces.md#rest).
    pub async fn adopt_project(&self, id: &ProjectId, external_id: &OktaGroupId) -> Result<RestProject, Failure> {
        let body = serde_json::json!({ "externalId": external_id });
        self.write(Method::POST, format!("/api/v1/projects/{}", segment(id.as_str())), JSON, &body, SHORT).await
    }

    /// The members of a project with their project roles, inactive ones too. None where the server doesn't tell: 402 without
    /// project roles in its plan (docs/activepieces.md#rest), 403 or 404 where a version or a proxy doesn't let keys at this route,
    /// and a listing that is cut short.
    pub async fn project_members(&self, project: &ProjectId) -> Result<Option<Vec<ProjectMember>>, Failure> {
        let request = Request::get("/api/v1/project-members")
            .param("projectId", project.as_str())
            .param("limit", &ALL_MEMBERS.to_string());
        match self.read::<Page<ProjectMember>>(request.timeout(LISTING).once()).await {
            Ok(page) => Ok(page.next.is_none().then_some(page.data)),
            Err(failure) if matches!(failure.status(), Some(402..=404)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// All project roles, default and custom: 20 ms, and no flag of the plan is needed (docs/activepieces.md#rest).
    pub async fn project_roles(&self) -> Result<Vec<ProjectRole>, Failure> {
        Ok(self.read::<Page<ProjectRole>>(Request::get("/api/v1/project-roles")).await?.data)
    }

    /// The members with a role, in all projects of the platform: about 3.6 ms for each (docs/activepieces.md#rest).
    pub async fn members_of_role(&self, role: &str) -> Result<Page<RoleMember>, Failure> {
        let request = Request::get(format!("/api/v1/project-roles/{}/project-members", segment(role)));
        self.read(request.param("limit", &ALL_MEMBERS.to_string()).timeout(LISTING).size(Size::LISTING)).await
    }

    /// Whether the plan lets project roles be set: the routes of members answer 402 without (docs/activepieces.md#rest).
    pub async fn sets_project_roles(&self, project: &ProjectId) -> Result<bool, Failure> {
        let request = Request::get("/api/v1/project-members").param("projectId", project.as_str()).param("limit", "1");
        match self.read::<Page<ProjectMember>>(request).await {
            Ok(_) => Ok(true),
            Err(failure) if matches!(failure.status(), Some(402 | 403)) => Ok(false),
            // The project was deleted since.
            Err(failure) if failure.status() == Some(404) => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// Gives a member the project role of this name, in any case; no e-mail is sent (docs/activepieces.md#rest).
    pub async fn set_project_role(&self, member_id: &str, role: &str) -> Result<(), Failure> {
        let body = serde_json::json!({ "role": role });
        let path = format!("/api/v1/project-members/{}", segment(member_id));
        let _row: serde_json::Value = self.write(Method::POST, path, JSON, &body, SHORT).await?;
        Ok(())
    }

    /// Sends a DELETE, whose answer has no body.
    pub(super) async fn remove(&self, request: Request) -> Result<(), Failure> {
        self.http.send(&request.timeout(DELETION)).await.map(drop)
    }

    async fn patch_group(&self, id: &ProjectId, operations: Vec<Operation<'_>>) -> Result<ScimGroup, Failure> {
        let body = PatchBody { schemas: [PATCH_SCHEMA], operations };
        self.write(Method::PATCH, group_path(id), SCIM_JSON, &body, GROUP).await
    }

    pub(super) async fn read<T: DeserializeOwned + Send + 'static>(&self, request: Request) -> Result<T, Failure> {
        Ok(self.http.json(&request).await?.0)
    }

    async fn write<T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        path: String,
        content_type: &'static str,
        body: &(impl Serialize + Sync),
        timeout: Duration,
    ) -> Result<T, Failure> {
        #[expect(clippy::expect_used, reason = "the bodies are structs of texts and flags, which always serialise")]
        let bytes = serde_json::to_vec(body).expect("a body of texts and flags");
        // The answer to a change of a group has all its members.
        let request = Request::new(method, path).body(content_type, bytes).timeout(timeout).size(Size::LISTING);
        Ok(self.http.json(&request).await?.0)
    }
}

/// Whether REST says that there is no such entity (docs/activepieces.md#rest).
pub(super) fn is_gone(failure: &Failure) -> bool {
    failure.status() == Some(404) && failure.code() == Some("ENTITY_NOT_FOUND")
}

fn rest_user_path(id: &AccountId) -> String {
    format!("/api/v1/users/{}", segment(id.as_str()))
}

fn user_path(id: &AccountId) -> String {
    format!("{SCIM}/Users/{}", segment(id.as_str()))
}

fn group_path(id: &ProjectId) -> String {
    format!("{SCIM}/Groups/{}", segment(id.as_str()))
}

/// Tells "there is none" from all other 404s, such as that of a wrong route (docs/activepieces.md#routes,
/// docs/activepieces.md#users and docs/activepieces.md#groups).
fn found<T>(reply: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match reply {
        Ok(value) => Ok(Some(value)),
        Err(failure) if is_absence(&failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn is_absence(failure: &Failure) -> bool {
    failure.status() == Some(404) && matches!(failure.message(), "User not found" | "Project not found")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Settings;
    use crate::http::scripted::{ScriptedServer, json};

    #[tokio::test]
    async fn filters_are_not_trusted() {
        let rest = r#"{"data": [
            {"id": "a", "email": "a@x.io", "platformRole": "ADMIN", "externalId": "00u1", "status": "ACTIVE"},
            {"id": "b", "email": "b@x.io", "platformRole": "ADMIN", "externalId": null, "status": "ACTIVE"}]}"#;
        let scim = r#"{"totalResults": 2, "Resources": [
            {"id": "a", "userName": "a@x.io", "active": true}, {"id": "b", "userName": "B@x.io ", "active": true}]}"#;
        let answer =
            |seen: &crate::http::scripted::Seen| json(200, if seen.path().contains("/scim/") { scim } else { rest });
        let server = ScriptedServer::new(answer).await;
        let activepieces = Activepieces::new(Client::new(Settings::new(&server.url)).unwrap());
        let linked = async |id: &str| activepieces.rest_user_by_external_id(id).await.unwrap().map(|user| user.id);
        assert_eq!((linked("00u1").await, linked("00u2").await), (Some("a".into()), None));
        let named = async |name: &str| activepieces.user_by_name(name).await.unwrap().map(|user| user.id);
        assert_eq!((named("b@x.io").await, named("c@x.io").await), (Some("b".into()), None));
    }

    #[tokio::test]
    async fn members_of_a_project_are_listed_with_their_roles_where_the_server_tells() {
        let page = r#"{"data": [{"id": "m1", "userId": "a", "projectRole": {"name": "Viewer", "permissions": []}}],
            "next": null, "previous": null}"#;
        let cut = r#"{"data": [], "next": "cursor"}"#;
        let refusal = r#"{"code": "FEATURE_DISABLED", "params": {"message": "Feature is disabled"}}"#;
        let member = ProjectMember { id: "m1".to_owned(), user_id: "a".into(), role: "Viewer".to_owned() };
        let is_none = |status| json(status, refusal);
        let acts = [json(200, page), json(200, cut), is_none(402), is_none(403), is_none(404), json(400, refusal)];
        let server = ScriptedServer::script(acts).await;
        let activepieces = Activepieces::new(Client::new(Settings::new(&server.url)).unwrap());
        let project = ProjectId::from("p 1");
        assert_eq!(activepieces.project_members(&project).await.unwrap(), Some(vec![member]));
        for _ in 0..4 {
            assert_eq!(activepieces.project_members(&project).await.unwrap(), None);
        }
        assert_eq!(activepieces.project_members(&project).await.unwrap_err().status(), Some(400));
        assert_eq!(server.seen()[0].param("projectId").as_deref(), Some("p 1"));
        assert_eq!(server.seen()[0].param("limit").as_deref(), Some("1000000"));
    }

    #[tokio::test]
    async fn a_project_role_is_set_by_the_id_of_the_membership() {
        let server =
            ScriptedServer::script([json(200, r#"{"id": "m1", "projectRoleId": "r"}"#), json(404, "{}")]).await;
        let activepieces = Activepieces::new(Client::new(Settings::new(&server.url)).unwrap());
        activepieces.set_project_role("m1", "Viewer").await.unwrap();
        let seen = &server.seen()[0];
        assert_eq!(
            (seen.line.as_str(), seen.body.as_str()),
            ("POST /api/v1/project-members/m1", r#"{"role":"Viewer"}"#)
        );
        assert_eq!(activepieces.set_project_role("m2", "Viewer").await.unwrap_err().status(), Some(404));
    }

    #[tokio::test]
    async fn a_platform_says_who_it_is_by_its_first_project_or_else_a_user() {
        let project = r#"{"id": "p", "displayName": "P", "ownerId": "a", "platformId": "of-project"}"#;
        let user = r#"{"id": "a", "email": "a@x.io", "platformId": "of-user"}"#;
        for (projects, users, expected, requests) in [
            (project, user, Some("of-project"), 1),
            ("", user, Some("of-user"), 2),
            ("", r#"{"id": "a", "email": "a@x.io"}"#, None, 2),
            (r#"{"id": "p", "displayName": "P", "ownerId": "a"}"#, "", None, 2),
        ] {
            let (projects, users) = [projects, users].map(|row| format!(r#"{{"data": [{row}]}}"#)).into();
            let answer = move |seen: &crate::http::scripted::Seen| {
                json(200, if seen.path().contains("/projects") { &projects } else { &users })
            };
            let server = ScriptedServer::new(answer).await;
            let activepieces = Activepieces::new(Client::new(Settings::new(&server.url)).unwrap());
            assert_eq!(activepieces.platform_id().await.unwrap().as_deref(), expected);
            assert_eq!(activepieces.requests(), requests);
            activepieces.a_team_project().await.unwrap();
            assert_eq!(activepieces.requests(), requests, "the first read has what was read");
            activepieces.a_team_project().await.unwrap();
            assert_eq!(activepieces.requests(), requests + 1, "a later one reads it again");
            activepieces.platform_id().await.unwrap();
            activepieces.forget();
            let before = activepieces.requests();
            activepieces.a_team_project().await.unwrap();
            assert_eq!(activepieces.requests(), before + 1, "a run that has waited reads it again");
        }
    }

    #[tokio::test]
    async fn the_plan_of_the_platform_is_read_where_the_server_shows_it() {
        let users = |id: &str| json(200, &format!(r#"{{"data": [{{"id": "a", "platformId": {id}}}], "next": null}}"#));
        let shown = r#"{"id": "p1", "plan": {"scimEnabled": true, "projectRolesEnabled": false}}"#;
        let acts = [users("\"p1\""), json(200, shown), users("null"), users("\"p1\""), json(404, "{}")];
        let server = ScriptedServer::script(acts).await;
        let activepieces = Activepieces::new(Client::new(Settings::new(&server.url)).unwrap());
        let plan = activepieces.platform_plan().await.unwrap().unwrap();
        assert_eq!(
            (plan.scim_enabled, plan.project_roles_enabled, plan.api_keys_enabled),
            (Some(true), Some(false), None)
        );
        assert_eq!(activepieces.platform_plan().await.unwrap(), None);
        assert_eq!(activepieces.platform_plan().await.unwrap(), None);
        assert_eq!(server.lines()[1], "GET /api/v1/platforms/p1");
    }
}
