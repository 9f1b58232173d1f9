//! Okta's error bodies (Okta API: error codes).

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An error answer.
#[derive(Debug)]
pub struct ApiError {
    pub status: StatusCode,
    pub body: Value,
}

/// A refusal by OAuth's rules: at the token endpoint with a body, by the API in a header alone.
#[derive(Debug)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub why: String,
    /// The `WWW-Authenticate` header; then there is no body (okta-sdk-golang issue 145).
    pub challenge: Option<String>,
}

/// A refusal of the token endpoint (RFC 6749, section 5.2).
pub fn oauth(status: u16, code: &'static str, why: &str) -> Refusal {
    Refusal { status, code, why: why.to_owned(), challenge: None }
}

/// A refusal of the API, as recorded of a real org.
pub fn challenge(
    scheme: &str,
    host: &str,
    resource: &str,
    scope: &str,
    (status, code, why): (u16, &'static str, &str),
) -> Refusal {
    let kind = if scheme == "DPoP" { "DPoP algs=\"RS256 ES256\"," } else { "Bearer" };
    let challenge = format!(
        "{kind} authorization_uri=\"{host}/oauth2/v1/authorize\", realm=\"{host}\", scope=\"{scope}\", \
         error=\"{code}\", error_description=\"{why}\", resource=\"{resource}\""
    );
    Refusal { status, code, why: why.to_owned(), challenge: Some(challenge) }
}

fn error(status: StatusCode, code: &str, summary: &str, causes: &[String]) -> ApiError {
    let causes: Vec<Value> = causes.iter().map(|cause| json!({"errorSummary": cause})).collect();
    let id = format!("oae{:022x}", u64::from(status.as_u16()) ^ 0x5eed_0000);
    let body = json!({
        "errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": id, "errorCauses": causes,
    });
    ApiError { status, body }
}

pub fn invalid_token() -> ApiError {
    error(StatusCode::UNAUTHORIZED, "E0000011", "Invalid token provided", &[])
}

/// A resource that doesn't exist; `kind` is Okta's name of its type.
pub fn not_found(id: &str, kind: &str) -> ApiError {
    let summary = format!("Not found: Resource not found: {id} ({kind})");
    error(StatusCode::NOT_FOUND, "E0000007", &summary, &[])
}

pub fn no_such_path() -> ApiError {
    error(StatusCode::NOT_FOUND, "E0000008", "The requested path was not found", &[])
}

pub fn wrong_method() -> ApiError {
    let summary = "The endpoint does not support the provided HTTP method";
    error(StatusCode::METHOD_NOT_ALLOWED, "E0000022", summary, &[])
}

pub fn validation(field: &str, why: &str) -> ApiError {
    let summary = format!("Api validation failed: {field}");
    error(StatusCode::BAD_REQUEST, "E0000001", &summary, &[format!("{field}: {why}")])
}

pub fn invalid_search(cause: &str) -> ApiError {
    error(StatusCode::BAD_REQUEST, "E0000031", "Invalid search criteria.", &[cause.to_owned()])
}

/// Of listings that are searches; the others answer with E0000029.
pub fn invalid_cursor(is_search: bool) -> ApiError {
    if is_search {
        return invalid_search("Invalid cursor.");
    }
    error(StatusCode::BAD_REQUEST, "E0000029", "Invalid paging request.", &["Invalid cursor.".to_owned()])
}

pub fn too_many_requests() -> ApiError {
    let summary = "API call exceeded rate limit due to too many requests.";
    error(StatusCode::TOO_MANY_REQUESTS, "E0000047", summary, &[])
}

/// A feature that an app doesn't have.
pub fn no_provisioning() -> ApiError {
    validation("feature", "Provisioning is not supported by this application.")
}
