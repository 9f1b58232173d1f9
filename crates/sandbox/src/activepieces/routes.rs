//! Which endpoint a method and a path mean (docs/activepieces.md#routes).

use axum::http::Method;

use super::contents::Kind;

/// The longest id that the router takes; a longer one is an unknown route.
const LONGEST_ID: usize = 100;

/// Everything that the platform answers, with the id from the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    ServiceProviderConfig,
    ResourceTypes,
    Schemas,
    ListUsers,
    CreateUser,
    GetUser(String),
    PutUser(String),
    PatchUser(String),
    DeleteUser(String),
    ListGroups,
    CreateGroup,
    GetGroup(String),
    PutGroup(String),
    PatchGroup(String),
    DeleteGroup(String),
    RestListUsers,
    RestGetUser(String),
    RestUpdateUser(String),
    RestDeleteUser(String),
    RestListProjects,
    RestCreateProject,
    RestGetProject(String),
    RestUpdateProject(String),
    RestDeleteProject(String),
    RestListMembers,
    RestOwnRole,
    RestUpdateMember(String),
    RestDeleteMember(String),
    RestListRoles,
    RestListRoleMembers(String),
    RestCreateRole,
    RestUpdateRole(String),
    /// By its name, not by its id.
    RestDeleteRole(String),
    RestInvite,
    RestListInvitations,
    RestDeleteInvitation(String),
    RestListContents(Kind),
    RestCountFlows,
    RestGetPlatform(String),
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Endpoint(Endpoint),
    /// A path without the `/api` prefix: the single-page application's index page.
    IndexPage,
    /// A `%` without two hex digits after it.
    BadUrl,
    Nothing,
}

impl Endpoint {
    /// Whether it is one of SCIM's, which the plan can switch off.
    pub fn is_scim(&self) -> bool {
        self.is_discovery() || self.is_scim_resource()
    }

    /// Whether it is open to a user's session too, although it is one of SCIM's.
    pub fn is_discovery(&self) -> bool {
        matches!(self, Self::ServiceProviderConfig | Self::ResourceTypes | Self::Schemas)
    }

    fn is_scim_resource(&self) -> bool {
        matches!(
            self,
            Self::ListUsers
                | Self::CreateUser
                | Self::GetUser(_)
                | Self::PutUser(_)
                | Self::PatchUser(_)
                | Self::DeleteUser(_)
                | Self::ListGroups
                | Self::CreateGroup
                | Self::GetGroup(_)
                | Self::PutGroup(_)
                | Self::PatchGroup(_)
                | Self::DeleteGroup(_)
        )
    }

    /// Whether API keys may call it.
    pub fn takes_keys(&self) -> bool {
        *self != Self::RestOwnRole
    }

    /// Whether users' sessions may call it.
    pub fn takes_sessions(&self) -> bool {
        !self.is_scim_resource()
    }
}

/// Finds the endpoint. A trailing slash is accepted, and HEAD is GET.
pub(super) fn find(method: &Method, path: &str) -> Resolved {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let Some(path) = path.strip_prefix("/api/") else {
        return if [Method::GET, Method::POST].contains(method) { Resolved::IndexPage } else { Resolved::Nothing };
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(segments) = path.split('/').map(decoded).collect::<Option<Vec<_>>>() else {
        return Resolved::BadUrl;
    };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let endpoint = match segments.as_slice() {
        ["v1", "scim", "v2", rest @ ..] => scim(method, rest),
        ["v1", rest @ ..] => rest_route(method, rest),
        _ => None,
    };
    endpoint.map_or(Resolved::Nothing, Resolved::Endpoint)
}

fn scim(method: &Method, segments: &[&str]) -> Option<Endpoint> {
    let endpoint = match (method.as_str(), segments) {
        ("GET", ["ServiceProviderConfig"]) => Endpoint::ServiceProviderConfig,
        ("GET", ["ResourceTypes"]) => Endpoint::ResourceTypes,
        ("GET", ["Schemas"]) => Endpoint::Schemas,
        ("GET", ["Users"]) => Endpoint::ListUsers,
        ("POST", ["Users"]) => Endpoint::CreateUser,
        ("GET", ["Users", id]) => Endpoint::GetUser(param(id)?),
        ("PUT", ["Users", id]) => Endpoint::PutUser(param(id)?),
        ("PATCH", ["Users", id]) => Endpoint::PatchUser(param(id)?),
        ("DELETE", ["Users", id]) => Endpoint::DeleteUser(param(id)?),
        ("GET", ["Groups"]) => Endpoint::ListGroups,
        ("POST", ["Groups"]) => Endpoint::CreateGroup,
        ("GET", ["Groups", id]) => Endpoint::GetGroup(param(id)?),
        ("PUT", ["Groups", id]) => Endpoint::PutGroup(param(id)?),
        ("PATCH", ["Groups", id]) => Endpoint::PatchGroup(param(id)?),
        ("DELETE", ["Groups", id]) => Endpoint::DeleteGroup(param(id)?),
        _ => return None,
    };
    Some(endpoint)
}

fn rest_route(method: &Method, segments: &[&str]) -> Option<Endpoint> {
    let endpoint = match (method.as_str(), segments) {
        ("GET", ["users"]) => Endpoint::RestListUsers,
        ("GET", ["users", id]) => Endpoint::RestGetUser(param(id)?),
        ("POST", ["users", id]) => Endpoint::RestUpdateUser(param(id)?),
        ("DELETE", ["users", id]) => Endpoint::RestDeleteUser(param(id)?),
        ("GET", ["projects"]) => Endpoint::RestListProjects,
        ("POST", ["projects"]) => Endpoint::RestCreateProject,
        ("GET", ["projects", id]) => Endpoint::RestGetProject(param(id)?),
        ("POST", ["projects", id]) => Endpoint::RestUpdateProject(param(id)?),
        ("DELETE", ["projects", id]) => Endpoint::RestDeleteProject(param(id)?),
        ("GET", ["project-members"]) => Endpoint::RestListMembers,
        ("GET", ["project-members", "role"]) => Endpoint::RestOwnRole,
        ("POST", ["project-members", id]) => Endpoint::RestUpdateMember(param(id)?),
        ("DELETE", ["project-members", id]) => Endpoint::RestDeleteMember(param(id)?),
        ("GET", ["project-roles"]) => Endpoint::RestListRoles,
        ("GET", ["project-roles", id, "project-members"]) => Endpoint::RestListRoleMembers(param(id)?),
        ("POST", ["project-roles"]) => Endpoint::RestCreateRole,
        ("POST", ["project-roles", id]) => Endpoint::RestUpdateRole(param(id)?),
        ("DELETE", ["project-roles", name]) => Endpoint::RestDeleteRole(param(name)?),
        ("POST", ["user-invitations"]) => Endpoint::RestInvite,
        ("GET", ["user-invitations"]) => Endpoint::RestListInvitations,
        ("DELETE", ["user-invitations", id]) => Endpoint::RestDeleteInvitation(param(id)?),
        ("GET", ["flows"]) => Endpoint::RestListContents(Kind::Flows),
        ("GET", ["flows", "count"]) => Endpoint::RestCountFlows,
        ("GET", ["app-connections"]) => Endpoint::RestListContents(Kind::Connections),
        ("GET", ["flow-runs"]) => Endpoint::RestListContents(Kind::Runs),
        ("GET", ["tables"]) => Endpoint::RestListContents(Kind::Tables),
        ("GET", ["platforms", id]) => Endpoint::RestGetPlatform(param(id)?),
        _ => return None,
    };
    Some(endpoint)
}

/// An id from the path. `.search` and its like aren't told from unknown ids.
fn param(segment: &str) -> Option<String> {
    (!segment.is_empty() && segment.len() <= LONGEST_ID).then(|| segment.to_owned())
}

/// A path segment without its percent-encoding; `None` if that is broken.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let (hex, after) = after.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
