//! A request's way from the socket to its handler and back (docs/activepieces.md#order-of-checks).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode, Version};
use serde::Serialize;
use serde_json::Value;

use super::errors::Failure;
use super::platform::Platform;
use super::query::Query;
use super::routes::{Endpoint, Resolved};
use super::settings::Outage;
use super::{
    auth, body, contents, discovery, groups, rest_invitations, rest_members, rest_projects, rest_users, routes, users,
};
use super::{group_patch, rest_platform, user_patch, validate};

/// What a browser gets for every path of the single-page application.
const INDEX_PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"UTF-8\"><title>Activepieces</title>\
                          </head><body><div id=\"root\"></div></body></html>\n";

/// The headers of every answer (docs/activepieces.md#response-headers); no `ETag`, `Location`, `Retry-After` or request id is among them.
const HEADERS: [(&str, &str); 5] = [
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "*"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=15552000; includeSubDomains"),
    ("content-security-policy", "frame-ancestors 'self'"),
];

/// A successful answer.
#[derive(Debug)]
pub(super) enum Reply {
    Json(StatusCode, Vec<u8>),
    IndexPage,
    NoContent,
}

impl Reply {
    /// 200 with a body.
    pub fn ok(body: &impl Serialize) -> Result<Self, Failure> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a body, and no Location.
    pub fn created(body: &impl Serialize) -> Result<Self, Failure> {
        Self::json(StatusCode::CREATED, body)
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Failure> {
        let bytes = serde_json::to_vec(body).map_err(|error| Failure::http(500, error.to_string()))?;
        Ok(Self::Json(status, bytes))
    }
}

/// Answers any request.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, request: Request) -> Response<Body> {
    let is_http1 = request.version() < Version::HTTP_2;
    let closing = platform.settings().outage == Outage::ShuttingDown;
    let mut response = match answer(&platform, request).await {
        Ok(Reply::Json(status, bytes)) => json_response(status, bytes),
        Ok(Reply::IndexPage) => {
            let mut response = Response::new(Body::from(INDEX_PAGE));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            response
        }
        Ok(Reply::NoContent) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            json_response(status, failure.body.to_string().into_bytes())
        }
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if closing {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    } else if is_http1 {
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.insert("keep-alive", HeaderValue::from_static("timeout=72"));
    }
    response
}

fn json_response(status: StatusCode, bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// The checks in the server's order: route, body, validation, authentication, authorization, plan, handler
/// (docs/activepieces.md#order-of-checks).
async fn answer(platform: &Platform, request: Request) -> Result<Reply, Failure> {
    let settings = platform.settings();
    if settings.outage == Outage::ShuttingDown {
        return Err(Failure::http(503, "Service Unavailable"));
    }
    let (parts, body) = request.into_parts();
    let endpoint = match routes::find(&parts.method, parts.uri.path()) {
        Resolved::Endpoint(endpoint) => endpoint,
        Resolved::IndexPage => return Ok(Reply::IndexPage),
        Resolved::BadUrl => {
            let message = format!("'{}' is not a valid url component", parts.uri.path());
            return Err(Failure::coded(400, "FST_ERR_BAD_URL", message));
        }
        Resolved::Nothing => return Err(Failure::route_not_found()),
    };
    let body = body::read(&parts.method, &parts.headers, body).await?;
    let query = Query::of(&parts.uri);
    validate::check(&endpoint, &query, body.as_ref(), settings.generation)?;
    if settings.outage == Outage::Database {
        return Err(Failure::coded(500, "ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:5432"));
    }
    auth::check(platform, &endpoint, &parts.headers)?;
    if parts.uri.path().contains("%00") || query.has_nul() || body.as_ref().is_some_and(has_nul) {
        return Err(Failure::nul_byte());
    }
    let body = body.unwrap_or_default();
    platform.work.on_request(platform, &endpoint, &body).await;
    dispatch(platform, endpoint, &query, &body).await
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.values().any(has_nul),
        _ => false,
    }
}

async fn dispatch(platform: &Platform, endpoint: Endpoint, query: &Query, body: &Value) -> Result<Reply, Failure> {
    match endpoint {
        Endpoint::ServiceProviderConfig => discovery::service_provider_config(),
        Endpoint::ResourceTypes => discovery::resource_types(platform),
        Endpoint::Schemas => discovery::schemas(platform),
        Endpoint::ListUsers => users::list(platform, query),
        Endpoint::CreateUser => users::create(platform, body).await,
        Endpoint::GetUser(id) => users::get(platform, &id),
        Endpoint::PutUser(id) => users::put(platform, &id, body),
        Endpoint::PatchUser(id) => user_patch::patch(platform, &id, body),
        Endpoint::DeleteUser(id) => users::delete(platform, &id),
        Endpoint::ListGroups => groups::list(platform, query),
        Endpoint::CreateGroup => groups::create(platform, body).await,
        Endpoint::GetGroup(id) => groups::get(platform, &id),
        Endpoint::PutGroup(id) => groups::put(platform, &id, body).await,
        Endpoint::PatchGroup(id) => group_patch::patch(platform, &id, body).await,
        Endpoint::DeleteGroup(id) => groups::delete(platform, &id).await,
        Endpoint::RestListUsers => rest_users::list(platform, query),
        Endpoint::RestGetUser(id) => rest_users::get(platform, &id),
        Endpoint::RestUpdateUser(id) => rest_users::update(platform, &id, body),
        Endpoint::RestDeleteUser(id) => rest_users::delete(platform, &id),
        Endpoint::RestListProjects => rest_projects::list(platform, query),
        Endpoint::RestCreateProject => rest_projects::create(platform, body),
        Endpoint::RestGetProject(id) => rest_projects::get(platform, &id),
        Endpoint::RestUpdateProject(id) => rest_projects::update(platform, &id, body),
        Endpoint::RestDeleteProject(id) => rest_projects::delete(platform, &id),
        Endpoint::RestListMembers => rest_members::list(platform, query),
        Endpoint::RestOwnRole => rest_members::own_role(platform),
        Endpoint::RestUpdateMember(id) => rest_members::update(platform, &id, body),
        Endpoint::RestDeleteMember(id) => rest_members::delete(platform, &id),
        Endpoint::RestListRoles => rest_members::list_roles(platform),
        Endpoint::RestListRoleMembers(id) => rest_members::list_of_role(platform, &id, query),
        Endpoint::RestCreateRole => rest_members::create_role(platform, body),
        Endpoint::RestUpdateRole(id) => rest_members::update_role(platform, &id, body),
        Endpoint::RestDeleteRole(name) => rest_members::delete_role(platform, &name),
        Endpoint::RestInvite => rest_invitations::create(platform, body),
        Endpoint::RestListInvitations => rest_invitations::list(platform, query),
        Endpoint::RestDeleteInvitation(id) => rest_invitations::delete(platform, &id),
        Endpoint::RestListContents(kind) => contents::list(platform, kind, query),
        Endpoint::RestCountFlows => contents::count_flows(platform, query),
        Endpoint::RestGetPlatform(id) => rest_platform::get(platform, &id),
    }
}
