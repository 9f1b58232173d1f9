//! The buckets that Okta's rate limits count requests in.

/// The bucket of a path (`docs/okta.md#buckets`). Listings of an app's or a group's users count with the list of apps or
/// groups, and a user's groups with the list of users.
pub(crate) fn bucket_of(path: &str) -> &'static str {
    let Some((_, route)) = path.split_once("/api/v1/") else {
        return if path.contains("/oauth2/") { "token" } else { "other" };
    };
    let mut segments = route.trim_end_matches('/').split('/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("apps"), Some(_), None) => "apps/{id}",
        (Some("apps"), ..) => "apps",
        (Some("groups"), Some(_), None) => "groups/{id}",
        (Some("groups"), ..) => "groups",
        (Some("users"), Some(_), None) => "users/{id}",
        (Some("users"), ..) => "users",
        (Some("logs"), ..) => "logs",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_bucket() {
        let cases = [
            ("/api/v1/apps", "apps"),
            ("/api/v1/apps/0oa1/users", "apps"),
            ("/api/v1/apps/0oa1/users/00u1", "apps"),
            ("/api/v1/apps/0oa1", "apps/{id}"),
            ("/api/v1/groups", "groups"),
            ("/api/v1/groups/00g1", "groups/{id}"),
            ("/api/v1/groups/00g1/users", "groups"),
            ("/api/v1/users", "users"),
            ("/api/v1/users/00u1", "users/{id}"),
            ("/api/v1/users/00u1/groups", "users"),
            ("/api/v1/logs", "logs"),
            ("/api/v1/org", "other"),
            ("/.well-known/okta-organization", "other"),
            ("/oauth2/v1/token", "token"),
        ];
        for (path, bucket) in cases {
            assert_eq!(bucket_of(path), bucket, "{path}");
        }
    }
}
