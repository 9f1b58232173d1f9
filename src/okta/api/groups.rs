//! Groups and their members.

use std::collections::BTreeSet;

use crate::http::{Failure, Request, segment};
use crate::model::Members;
use crate::model::id::{OktaGroupId, OktaUserId};
use crate::model::okta::{Group, User};
use crate::okta::api::client::{Listing, Okta};
use crate::okta::api::users::quoted;
use crate::okta::api::wire::{UserId, WholeGroup, WireGroup};

/// Larger pages had inconsistent paging once (`docs/okta.md#pages-of-groups`).
const PAGE: u32 = 200;
/// The most members on a page (`docs/okta.md#page-sizes`).
pub(crate) const MEMBERS_PAGE: u32 = 1000;
/// So many groups are asked for by one search, which stays shorter than what proxies let through.
const NAMES: usize = 20;

impl Okta {
    /// All groups that the token sees (scope `okta.groups.read`).
    pub async fn groups(&self) -> Result<Vec<WireGroup>, Failure> {
        let listing = all_groups();
        self.shared(|| listing.recorded_as(), self.list(&listing, &|_| ())).await
    }

    /// All groups that the token sees, with all that Okta says of them.
    pub(crate) async fn whole_groups(&self) -> Result<Vec<WholeGroup>, Failure> {
        let listing = all_groups();
        self.shared(|| listing.recorded_as(), self.list(&listing, &|_| ())).await
    }

    /// A group by id, or none if there is no such group.
    pub async fn group(&self, id: &OktaGroupId) -> Result<Option<Group>, Failure> {
        let request = Request::get(format!("/api/v1/groups/{}", segment(id.as_str())));
        Ok(self.entity::<WireGroup>(request).await?.map(Group::from))
    }

    /// What is kept of each of a group's members, deactivated ones included
    /// (`docs/okta.md#members-of-any-status`).
    pub(crate) async fn group_members_as<K>(
        &self,
        group: &OktaGroupId,
        keep: &(dyn Fn(User) -> K + Send + Sync),
    ) -> Result<Vec<K>, Failure> {
        self.list_as(&members_of(group), &|_| (), keep).await
    }

    /// The groups with one of these names, whatever the case, by Okta's search index (`docs/okta.md#groups-by-name`).
    pub(crate) async fn groups_named(&self, names: &BTreeSet<&str>) -> Result<Vec<WholeGroup>, Failure> {
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = Vec::new();
        for some in names.chunks(NAMES) {
            let search: Vec<String> = some.iter().map(|name| format!("profile.name eq {}", quoted(name))).collect();
            let search = search.join(" or ");
            let params = [("search", search.as_str())];
            found.extend(self.list(&Listing { params: &params, ..all_groups() }, &|_| ()).await?);
        }
        Ok(found)
    }

    /// The groups that a search finds, by Okta's search index (scope `okta.groups.read`).
    pub(crate) async fn groups_found(&self, search: &str) -> Result<Vec<WireGroup>, Failure> {
        self.list(&Listing { params: &[("search", search)], ..all_groups() }, &|_| ()).await
    }

    /// The ids of a group's members, deactivated ones included.
    pub async fn group_member_ids(&self, group: &OktaGroupId) -> Result<Members<OktaUserId>, Failure> {
        let listing = members_of(group);
        let ask = async {
            let members: Vec<UserId> = self.list(&listing, &|_| ()).await?;
            Ok(members.into_iter().map(|member| member.id).collect())
        };
        self.shared(|| listing.recorded_as(), ask).await
    }

    /// Whether the token may list groups.
    pub async fn probe_groups(&self) -> Result<(), Failure> {
        self.probe("/api/v1/groups").await
    }
}

fn all_groups() -> Listing<'static> {
    Listing { path: "/api/v1/groups".into(), params: &[], limit: Some(PAGE), header: None }
}

fn members_of(group: &OktaGroupId) -> Listing<'static> {
    let path = format!("/api/v1/groups/{}/users", segment(group.as_str()));
    Listing { path, params: &[], limit: Some(MEMBERS_PAGE), header: None }
}
