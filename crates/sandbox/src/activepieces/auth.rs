//! Who may call what (docs/activepieces.md#authentication).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::errors::Failure;
use super::platform::Platform;
use super::routes::Endpoint;

/// Who a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Principal {
    /// No caller: no header, or one that isn't exactly `Bearer ` and a token.
    Unknown,
    /// The platform, by its API key.
    Service,
    /// A person, by a session token.
    User,
}

/// Authentication, then authorization, then the plan, in this order.
pub(super) fn check(platform: &Platform, endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Failure> {
    let allowed = match principal(platform, headers)? {
        Principal::Unknown => false,
        Principal::Service => endpoint.takes_keys(),
        Principal::User => endpoint.takes_sessions(),
    };
    if !allowed {
        return Err(Failure::product_message(403, "AUTHORIZATION", "principal is not allowed for this route"));
    }
    let settings = platform.settings();
    let is_member_route =
        matches!(endpoint, Endpoint::RestListMembers | Endpoint::RestUpdateMember(_) | Endpoint::RestDeleteMember(_));
    if endpoint.is_scim() && !settings.scim_enabled || is_member_route && !settings.project_roles_enabled {
        return Err(Failure::feature_disabled());
    }
    Ok(())
}

fn principal(platform: &Platform, headers: &HeaderMap) -> Result<Principal, Failure> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Ok(Principal::Unknown);
    };
    if token.starts_with("sk-") {
        if token == platform.api_key() && !platform.settings().api_key_deleted {
            return Ok(Principal::Service);
        }
        return Err(Failure::product_message(401, "AUTHENTICATION", "invalid api key"));
    }
    if token == platform.admin_token() {
        return Ok(Principal::User);
    }
    Err(Failure::product_message(401, "INVALID_BEARER_TOKEN", "invalid access token or session expired"))
}
