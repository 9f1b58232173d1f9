//! Users and what groups they are in.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::client::{Listing, Okta, OnPage};
use super::wire::{UserId, WireGroup};
use crate::http::{Failure, Request, segment};
use crate::model::id::OktaUserId;
use crate::model::okta::{Group, User};

/// The search that finds everybody, deactivated users included, and that can be paged through.
pub const EVERYBODY: &str = "status pr";
/// The most users on a page.
pub(super) const PAGE: u32 = 200;
/// Spares the server what isn't read here; it's faster only with all three (Okta API: Users, list).
const OMIT: &str =
    r#"application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus""#;

/// The header that leaves out what isn't read.
pub(super) fn omit() -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static(OMIT))
}

impl Okta {
    /// The users that a search finds, of all statuses, by Okta's search index (scope `okta.users.read`).
    pub async fn users(&self, search: &str) -> Result<Vec<User>, Failure> {
        self.users_as(search, &|_| (), &|user| user).await
    }

    /// The same, with what is kept of each.
    pub(super) async fn users_as<K>(
        &self,
        search: &str,
        on_page: OnPage<'_>,
        keep: &(dyn Fn(User) -> K + Send + Sync),
    ) -> Result<Vec<K>, Failure> {
        let params = [("search", search)];
        let listing =
            Listing { path: "/api/v1/users".into(), params: &params, limit: Some(PAGE), header: Some(omit()) };
        self.list_as(&listing, on_page, keep).await
    }

    /// Those of these users that exist, of any status: a filter shows deactivated ones too (Okta API: Users, list).
    pub(super) async fn users_there(&self, ids: &[OktaUserId]) -> Result<Vec<OktaUserId>, Failure> {
        let filter = ids.iter().map(|id| format!("id eq \"{id}\"")).collect::<Vec<_>>().join(" or ");
        let params = [("filter", filter.as_str())];
        let listing =
            Listing { path: "/api/v1/users".into(), params: &params, limit: Some(PAGE), header: Some(omit()) };
        let found: Vec<UserId> = self.list(&listing, &|_| ()).await?;
        Ok(found.into_iter().map(|user| user.id).collect())
    }

    /// A user by id or login, or none if there is no such user. A login with a slash in it finds nobody: Okta knows those
    /// by id only.
    pub async fn user(&self, id_or_login: &str) -> Result<Option<User>, Failure> {
        self.entity(Request::get(format!("/api/v1/users/{}", segment(id_or_login)))).await
    }

    /// The groups of a user, `Everyone` included; it pages although Okta's documents name no parameters for it.
    pub async fn user_groups(&self, user: &OktaUserId) -> Result<Vec<Group>, Failure> {
        let path = format!("/api/v1/users/{}/groups", segment(user.as_str()));
        let listing = Listing { path, params: &[], limit: None, header: None };
        let groups: Vec<WireGroup> = self.list(&listing, &|_| ()).await?;
        Ok(groups.into_iter().map(Group::from).collect())
    }

    /// Whether the token may list users: one page of one user.
    pub async fn probe_users(&self) -> Result<(), Failure> {
        self.probe("/api/v1/users").await
    }

    pub(super) async fn probe(&self, path: &str) -> Result<(), Failure> {
        self.http().json::<Vec<serde::de::IgnoredAny>>(&Request::get(path).param("limit", "1")).await.map(drop)
    }
}
