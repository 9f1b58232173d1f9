//! Users and what groups they are in.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::http::{Failure, Request, segment};
use crate::model::id::OktaUserId;
use crate::model::okta::{Group, User};
use crate::okta::api::client::{Listing, Okta, OnPage};
use crate::okta::api::wire::{WholeGroup, WholeUser, WireGroup};

/// The search that finds every user, deactivated ones included, and that can be paged
/// (`docs/okta.md#deactivated-users-in-listings`).
pub const EVERYBODY: &str = "status pr";
/// The most users on a page.
pub(crate) const PAGE: u32 = 200;
/// So many users are asked for by one filter, which stays shorter than what proxies let through.
pub(crate) const IDS: usize = 25;
/// Leaves out what isn't read here; it's faster only with all three (`docs/okta.md#leaving-members-out-of-users`).
const OMIT: &str =
    r#"application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus""#;

/// The header that leaves out what isn't read.
pub(crate) fn omit() -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static(OMIT))
}

impl Okta {
    /// The users that a search finds, of all statuses, by Okta's search index (scope `okta.users.read`,
    /// `docs/okta.md#the-search-index-is-eventually-consistent`).
    pub async fn users(&self, search: &str) -> Result<Vec<User>, Failure> {
        self.users_as(search, &|_| (), &|user| user).await
    }

    /// The same, with what is kept of each.
    pub(crate) async fn users_as<K>(
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

    /// These users, each with the whole of what Okta says of them, or none if they don't exist. Several are asked for by one
    /// filter, which shows deactivated users too (`docs/okta.md#deactivated-users-in-listings`); a user that it misses is asked for by
    /// id. Users that a snapshot has no answer about aren't in the result.
    pub(crate) async fn users_by_id(
        &self,
        ids: &BTreeSet<OktaUserId>,
    ) -> Result<BTreeMap<OktaUserId, Option<WholeUser>>, Failure> {
        let all: Vec<&OktaUserId> = ids.iter().collect();
        let chunks: Vec<Vec<OktaUserId>> = all.chunks(IDS).map(|ids| ids.iter().copied().cloned().collect()).collect();
        let reads = stream::iter(chunks).map(async |ids| self.filtered(&ids).await);
        let found: Vec<_> = reads.buffer_unordered(self.at_once()).try_collect().await?;
        let mut found: BTreeMap<_, _> =
            found.into_iter().flatten().map(|whole| (whole.user.id.clone(), Some(whole))).collect();
        found.retain(|id, _| ids.contains(id));
        let missed: Vec<OktaUserId> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
        let reads = stream::iter(missed).map(async |id| match self.entity::<WholeUser>(by_id(id.as_str())).await {
            Err(failure) if failure.is_not_recorded() => Ok(None),
            whole => Ok(Some((id, whole?))),
        });
        let asked: Vec<_> = reads.buffer_unordered(self.at_once()).try_collect().await?;
        found.extend(asked.into_iter().flatten());
        Ok(found)
    }

    /// Those of a few users that a filter shows. One user is asked for by id, and so are all of them where the filter is refused.
    async fn filtered(&self, ids: &[OktaUserId]) -> Result<Vec<WholeUser>, Failure> {
        if ids.len() < 2 {
            return Ok(Vec::new());
        }
        let filter = any_of(ids);
        let params = [("filter", filter.as_str())];
        let listing =
            Listing { path: "/api/v1/users".into(), params: &params, limit: Some(PAGE), header: Some(omit()) };
        match self.list(&listing, &|_| ()).await {
            // A snapshot may hold the users, and not this filter.
            Err(failure) if failure.status() == Some(400) || failure.is_not_recorded() => Ok(Vec::new()),
            found => found,
        }
    }

    /// Those of these users that a search finds by its index.
    pub(crate) async fn found_among(&self, search: &str, ids: &[OktaUserId]) -> Result<BTreeSet<OktaUserId>, Failure> {
        let narrowed = format!("({search}) and ({})", any_of(ids));
        let found = self.users_as(&narrowed, &|_| (), &|user| user.id).await?;
        Ok(found.into_iter().filter(|id| ids.contains(id)).collect())
    }

    /// A user by id or login, or none if there is no such user. A login with a slash in it is never found
    /// (`docs/okta.md#users-by-id-or-login`).
    pub async fn user(&self, id_or_login: &str) -> Result<Option<User>, Failure> {
        self.entity(by_id(id_or_login)).await
    }

    /// A user by id or login with all that Okta says of them, or none if there is no such user.
    pub(crate) async fn whole_user(&self, id_or_login: &str) -> Result<Option<WholeUser>, Failure> {
        self.entity(by_id(id_or_login)).await
    }

    /// The users with one of these texts as their e-mail address or login, whatever the case and the status, by Okta's search index.
    pub(crate) async fn users_of_address(&self, addresses: &BTreeSet<&str>) -> Result<Vec<User>, Failure> {
        let attributes = ["email", "login"].into_iter();
        let of = |attribute| addresses.iter().map(move |text| format!("profile.{attribute} eq {}", quoted(text)));
        self.users(&attributes.flat_map(of).collect::<Vec<_>>().join(" or ")).await
    }

    /// Some of the users whose first name, last name or e-mail address begins like this, deactivated ones left out
    /// (`docs/okta.md#users-by-prefix`). One request.
    pub(crate) async fn users_beginning(&self, prefix: &str) -> Result<Vec<User>, Failure> {
        let request = Request::get("/api/v1/users").param("q", prefix).param("limit", &PAGE.to_string());
        Ok(self.http().json(&request).await?.0)
    }

    /// The groups of a user with all that Okta says of them.
    pub(crate) async fn whole_groups_of(&self, user: &OktaUserId) -> Result<Vec<WholeGroup>, Failure> {
        let path = format!("/api/v1/users/{}/groups", segment(user.as_str()));
        self.list(&Listing { path, params: &[], limit: None, header: None }, &|_| ()).await
    }

    /// The groups of a user, `Everyone` included; the listing is paged (`docs/okta.md#a-users-groups-are-paged`).
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

    pub(crate) async fn probe(&self, path: &str) -> Result<(), Failure> {
        self.http().json::<Vec<serde::de::IgnoredAny>>(&Request::get(path).param("limit", "1")).await.map(drop)
    }
}

fn by_id(id_or_login: &str) -> Request {
    Request::get(format!("/api/v1/users/{}", segment(id_or_login)))
}

/// A filter, or a part of a search, that takes these users.
fn any_of(ids: &[OktaUserId]) -> String {
    ids.iter().map(|id| format!("id eq \"{id}\"")).collect::<Vec<_>>().join(" or ")
}

/// A value in a search.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_search_ends_where_it_should() {
        assert_eq!(quoted(r#"a "b\" or id pr"#), r#""a \"b\\\" or id pr""#);
    }
}
