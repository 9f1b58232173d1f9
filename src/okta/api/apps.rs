//! Apps and who is assigned to them.

use crate::http::{Failure, Request, segment};
use crate::model::id::{OktaAppId, OktaUserId};
use crate::okta::api::client::{Listing, Okta, OnPage};
use crate::okta::api::wire::{App, AppUser, GroupPush};

/// The most apps on a page (`docs/okta.md#page-sizes`).
const PAGE: u32 = 200;
/// The most assignments on a page.
const USERS_PAGE: u32 = 500;
/// The most pushed groups on a page.
const PUSHES_PAGE: u32 = 1000;

impl Okta {
    /// The apps whose name or label starts with the text, or all of them (scope `okta.apps.read`).
    pub async fn apps(&self, prefix: Option<&str>) -> Result<Vec<App>, Failure> {
        let params: Vec<_> = prefix.map(|prefix| ("q", prefix)).into_iter().collect();
        let listing = Listing { path: "/api/v1/apps".into(), params: &params, limit: Some(PAGE), header: None };
        self.shared(|| listing.recorded_as(), self.list(&listing, &|_| ())).await
    }

    /// An app by id, or none if there is no such app.
    pub async fn app(&self, id: &OktaAppId) -> Result<Option<App>, Failure> {
        self.entity(Request::get(format!("/api/v1/apps/{}", segment(id.as_str())))).await
    }

    /// What is kept of each assignment of an app, those through groups included (`docs/okta.md#assignments`), with the Okta user
    /// embedded where Okta sends it.
    pub(crate) async fn app_users_as<K>(
        &self,
        app: &OktaAppId,
        on_page: OnPage<'_>,
        keep: &(dyn Fn(AppUser) -> K + Send + Sync),
    ) -> Result<Vec<K>, Failure> {
        let path = format!("/api/v1/apps/{}/users", segment(app.as_str()));
        let params = [("expand", "user")];
        self.list_as(&Listing { path, params: &params, limit: Some(USERS_PAGE), header: None }, on_page, keep).await
    }

    /// All assignments of an app without the Okta users.
    pub(crate) async fn app_profiles(&self, app: &OktaAppId) -> Result<Vec<AppUser>, Failure> {
        let path = format!("/api/v1/apps/{}/users", segment(app.as_str()));
        self.list(&Listing { path, params: &[], limit: Some(USERS_PAGE), header: None }, &|_| ()).await
    }

    /// A user's assignment to an app, or none if the user isn't assigned, or if there is no such app.
    pub async fn app_user(&self, app: &OktaAppId, user: &OktaUserId) -> Result<Option<AppUser>, Failure> {
        let path = format!("/api/v1/apps/{}/users/{}", segment(app.as_str()), segment(user.as_str()));
        self.entity(Request::get(path)).await
    }

    /// The groups that an app pushes, whatever became of the pushes (`docs/okta.md#pushed-groups`).
    pub(crate) async fn group_pushes(&self, app: &OktaAppId) -> Result<Vec<GroupPush>, Failure> {
        let path = format!("/api/v1/apps/{}/group-push/mappings", segment(app.as_str()));
        let listing = Listing { path, params: &[], limit: Some(PUSHES_PAGE), header: None };
        self.shared(|| listing.recorded_as(), self.list(&listing, &|_| ())).await
    }

    /// Whether the token may list apps.
    pub async fn probe_apps(&self) -> Result<(), Failure> {
        self.probe("/api/v1/apps").await
    }
}
