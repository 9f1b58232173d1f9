//! The whole platform, or an error: a listing that contradicts itself is never planned from.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::client::{ALL_REST_USERS, ALL_USERS, Activepieces};
use super::wire::{ListResponse, ListedGroup, ListedRole, ListedUser, Page};
use crate::error::{Error, Kind, Result};
use crate::model::activepieces::{Platform, Project, User};
use crate::model::id::AccountId;

/// Groups are asked for in pages of this size: each group costs the server queries of its own (contract section 4.3).
const GROUPS_A_PAGE: usize = 100;
/// How many of these pages the server has to make at the same time.
const PAGES_AT_ONCE: usize = 4;
/// How often a listing is read anew when somebody changes the platform meanwhile.
const READS: usize = 3;

/// Reads all users, projects and members, and who the owner is.
pub async fn read(activepieces: &Activepieces) -> Result<Platform> {
    let (users, projects, owner) =
        futures_util::future::try_join3(users(activepieces), projects(activepieces), async {
            Ok(activepieces.team_projects(1).await?.data.into_iter().next().map(|project| project.owner_id))
        })
        .await?;
    let owner = owner.or_else(|| oldest_admin(&users));
    Ok(Platform { users, projects, owner })
}

/// All users, as two listings agree on them: the one of SCIM and the one of REST have different faults, and a cap that
/// a proxy or a later version puts on one of them shows in the other.
async fn users(activepieces: &Activepieces) -> Result<Vec<User>> {
    let mut contradiction = String::new();
    for _ in 0..READS {
        let (scim, rest) =
            futures_util::future::try_join(activepieces.users(ALL_USERS), activepieces.rest_users(ALL_REST_USERS))
                .await?;
        match agree(scim, rest) {
            Ok(users) => return Ok(users),
            Err(why) => contradiction = why,
        }
    }
    Err(Error::new(Kind::Failed, format!("the listing of the Activepieces users can't be trusted: {contradiction}"))
        .hint("run `oktapieces check`, and look for a proxy that cuts answers short"))
}

/// Joins the two listings, or says how they contradict each other.
fn agree(scim: ListResponse<ListedUser>, rest: Page<ListedRole>) -> std::result::Result<Vec<User>, String> {
    let count = scim.resources.len();
    if scim.total_results != count {
        return Err(format!("it says {} users and lists {count}", scim.total_results));
    }
    if rest.next.is_some() || rest.data.len() >= ALL_REST_USERS || count >= ALL_USERS {
        return Err("it is cut short".to_owned());
    }
    let mut users: Vec<User> = scim.resources.into_iter().map(|ListedUser(user)| user).collect();
    let ids: BTreeSet<&AccountId> = users.iter().map(|user| &user.id).collect();
    let names: BTreeSet<&str> = users.iter().map(|user| user.user_name.as_str()).collect();
    if ids.len() != count || names.len() != count {
        return Err("it lists a user twice".to_owned());
    }
    let mut roles = rest.data;
    roles.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    roles.dedup_by(|a, b| a.id == b.id);
    let differ = format!("SCIM lists {count} users, REST {}", roles.len());
    if roles.len() != count {
        return Err(differ);
    }
    for user in &mut users {
        let role = roles.binary_search_by(|role| role.id.cmp(&user.id)).map_err(|_| differ.clone())?;
        if user.platform_role.is_empty() {
            user.platform_role.clone_from(&roles[role].platform_role);
        }
    }
    Ok(users)
}

/// All TEAM projects with their members.
async fn projects(activepieces: &Activepieces) -> Result<Vec<Project>> {
    for _ in 0..READS {
        if let Some(projects) = whole_listing(activepieces).await? {
            return Ok(projects);
        }
    }
    Err(Error::new(Kind::Failed, "the listing of the Activepieces projects kept changing while it was read")
        .hint("try again when nobody makes, renames or deletes projects"))
}

/// One pass over the pages; none where a project came, went or moved meanwhile. The first page tells how many there are, and
/// the others are asked for side by side.
async fn whole_listing(activepieces: &Activepieces) -> Result<Option<Vec<Project>>> {
    let first = activepieces.groups(1, GROUPS_A_PAGE).await?;
    let total = first.total_results;
    let mut pages = stream::iter((GROUPS_A_PAGE..total).step_by(GROUPS_A_PAGE))
        .map(async |read| Ok::<_, Error>((read, activepieces.groups(read + 1, GROUPS_A_PAGE).await?)))
        .buffer_unordered(PAGES_AT_ONCE);
    let mut projects: BTreeMap<_, Project> = BTreeMap::new();
    let mut page = Some((0, first));
    while let Some((read, ListResponse { total_results, resources })) = page {
        if total_results != total || resources.len() != GROUPS_A_PAGE.min(total - read) {
            return Ok(None);
        }
        projects.extend(resources.into_iter().map(|ListedGroup(project)| (project.id.clone(), project)));
        page = pages.try_next().await?;
    }
    Ok((projects.len() == total).then(|| projects.into_values().collect()))
}

/// The owner of a platform without TEAM projects, which show them: whoever made the platform was its first user.
fn oldest_admin(users: &[User]) -> Option<AccountId> {
    let admins = users.iter().filter(|user| user.is_admin() && user.active);
    admins.min_by(|a, b| a.created.cmp(&b.created)).map(|user| user.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scim(total: usize, ids: &[&str]) -> ListResponse<ListedUser> {
        let resources = ids
            .iter()
            .map(|id| serde_json::from_value(serde_json::json!({"id": id, "userName": id, "active": true})).unwrap())
            .collect();
        ListResponse { total_results: total, resources }
    }

    fn rest(ids: &[&str]) -> Page<ListedRole> {
        let user = |id: &&str| ListedRole { id: (*id).into(), platform_role: "ADMIN".into() };
        Page { data: ids.iter().map(user).collect(), next: None }
    }

    #[test]
    fn two_agreeing_listings_are_believed_and_rest_fills_in_the_role() {
        let users = agree(scim(2, &["a", "b"]), rest(&["b", "a"])).unwrap();
        assert_eq!(users.iter().map(|user| user.platform_role.as_ref()).collect::<Vec<_>>(), ["ADMIN", "ADMIN"]);
    }

    #[test]
    fn listings_that_contradict_themselves_or_each_other_are_not() {
        assert!(agree(scim(3, &["a", "b"]), rest(&["a", "b"])).is_err());
        assert!(agree(scim(2, &["a", "a"]), rest(&["a"])).is_err());
        assert!(agree(scim(1, &["a"]), rest(&["a", "b"])).is_err());
        assert!(agree(scim(2, &["a", "b"]), rest(&["a", "c"])).is_err());
        assert!(agree(scim(1, &["a"]), Page { next: Some("cursor".to_owned()), ..rest(&["a"]) }).is_err());
    }
}
