//! The three shapes of error bodies, none of which is a SCIM Error (docs/activepieces.md#error-bodies).

use serde_json::{Value, json};

/// An answer that isn't a success.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub status: u16,
    pub body: Value,
}

/// The name that Node.js gives to a status.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        402 => "Payment Required",
        404 => "Not Found",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

impl Failure {
    /// Shape H: raised by SCIM routes and by the router.
    pub fn http(status: u16, message: impl Into<String>) -> Self {
        let body = json!({"statusCode": status, "error": reason(status), "message": message.into()});
        Self { status, body }
    }

    /// Shape F: raised by the HTTP framework and the database.
    pub fn coded(status: u16, code: &str, message: impl Into<String>) -> Self {
        let body = json!({"statusCode": status, "code": code, "error": reason(status), "message": message.into()});
        Self { status, body }
    }

    /// Shape A: raised by the product's own services.
    pub fn product(status: u16, code: &str, params: Value) -> Self {
        let mut body = json!({"code": code});
        body["params"] = params;
        Self { status, body }
    }

    /// Shape A with nothing but a message.
    pub fn product_message(status: u16, code: &str, message: &str) -> Self {
        Self::product(status, code, json!({"message": message}))
    }

    /// All problems of a request's params, query or body, in one message.
    pub fn validation(problems: &[String]) -> Self {
        Self::coded(400, "FST_ERR_VALIDATION", problems.join(", "))
    }

    pub fn route_not_found() -> Self {
        Self::http(404, "Route not found")
    }

    pub fn user_not_found() -> Self {
        Self::http(404, "User not found")
    }

    pub fn group_not_found() -> Self {
        Self::http(404, "Project not found")
    }

    /// The REST routes' 404.
    pub fn entity_not_found(entity_type: &str, entity_id: &str) -> Self {
        Self::product(404, "ENTITY_NOT_FOUND", json!({"entityType": entity_type, "entityId": entity_id}))
    }

    /// The database refused a second row; the constraint's name leaks.
    pub fn unique_violation(constraint: &str) -> Self {
        Self::coded(500, "23505", format!("duplicate key value violates unique constraint \"{constraint}\""))
    }

    pub fn null_violation(column: &str, table: &str) -> Self {
        let message = format!("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint");
        Self::coded(500, "23502", message)
    }

    /// Postgres can't store a NUL byte (docs/activepieces.md#routes).
    pub fn nul_byte() -> Self {
        Self::coded(500, "22021", "invalid byte sequence for encoding \"UTF8\": 0x00")
    }

    pub fn negative_limit() -> Self {
        Self::coded(500, "2201W", "LIMIT must not be negative")
    }

    /// The platform's plan doesn't have it.
    pub fn feature_disabled() -> Self {
        Self::product_message(402, "FEATURE_DISABLED", "Feature is disabled")
    }

    pub fn owner_stays_active() -> Self {
        Self::product_message(409, "VALIDATION", "Admin cannot be deactivated")
    }

    pub fn project_external_id_taken(external_id: &str) -> Self {
        Self::product(409, "PROJECT_EXTERNAL_ID_ALREADY_EXISTS", json!({"externalId": external_id}))
    }

    /// The error of a second, simultaneous insert of the same member (docs/activepieces.md#creating-a-group and
    /// docs/activepieces.md#groups).
    pub fn member_race(project: &str, user: &str) -> Self {
        let matching = json!({"projectId": project, "userId": user});
        let message = format!("Could not find any entity of type \"project_member\" matching: {matching:#}");
        Self::http(500, message)
    }
}
