//! The whole platform, or an error: a listing that contradicts itself is never planned from.

use std::collections::{BTreeMap, BTreeSet};

use super::client::{ALL_REST_USERS, ALL_USERS, Activepieces};
use super::wire::{ListResponse, Page, RestUser, ScimUser};
use crate::error::{Error, Kind, Result};
use crate::model::activepieces::{Platform, Project, User};
use crate::model::id::AccountId;

/// Groups are asked for in pages of this size: each group costs the server queries of its own (contract section 4.3).
const GROUPS_A_PAGE: usize = 100;
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
fn agree(scim: ListResponse<ScimUser>, rest: Page<RestUser>) -> std::result::Result<Vec<User>, String> {
    let count = scim.resources.len();
    if scim.total_results != count {
        return Err(format!("it says {} users and lists {count}", scim.total_results));
    }
    if rest.next.is_some() || rest.data.len() >= ALL_REST_USERS || count >= ALL_USERS {
        return Err("it is cut short".to_owned());
    }
    let ids: BTreeSet<&AccountId> = scim.resources.iter().map(|user| &user.id).collect();
    let names: BTreeSet<&str> = scim.resources.iter().map(|user| user.user_name.as_str()).collect();
    if ids.len() != count || names.len() != count {
        return Err("it lists a user twice".to_owned());
    }
    let roles: BTreeMap<AccountId, String> = rest.data.into_iter().map(|user| (user.id, user.platform_role)).collect();
    if roles.len() != count || !ids.iter().all(|id| roles.contains_key(id)) {
        return Err(format!("SCIM lists {count} users, REST {}", roles.len()));
    }
    Ok(scim
        .resources
        .into_iter()
        .map(|user| {
            let role = roles.get(&user.id).map(String::as_str);
            user.into_model(role)
        })
        .collect())
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

/// One pass over the pages; none where a project came, went or moved meanwhile.
async fn whole_listing(activepieces: &Activepieces) -> Result<Option<Vec<Project>>> {
    let mut projects: BTreeMap<_, Project> = BTreeMap::new();
    let mut read = 0;
    loop {
        let page = activepieces.groups(read + 1, GROUPS_A_PAGE).await?;
        let count = page.resources.len();
        read += count;
        projects.extend(page.resources.into_iter().map(|group| (group.id.clone(), Project::from(group))));
        if projects.len() != read || (count < GROUPS_A_PAGE && read != page.total_results) {
            return Ok(None);
        }
        if read >= page.total_results {
            return Ok((read == page.total_results).then(|| projects.into_values().collect()));
        }
    }
}

/// The owner of a platform without TEAM projects, which show them: whoever made the platform was its first user.
fn oldest_admin(users: &[User]) -> Option<AccountId> {
    let admins = users.iter().filter(|user| user.is_admin() && user.active);
    admins.min_by(|a, b| a.created.cmp(&b.created)).map(|user| user.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scim(total: usize, ids: &[&str]) -> ListResponse<ScimUser> {
        let resources = ids
            .iter()
            .map(|id| serde_json::from_value(serde_json::json!({"id": id, "userName": id, "active": true})).unwrap())
            .collect();
        ListResponse { total_results: total, resources }
    }

    fn rest(ids: &[&str]) -> Page<RestUser> {
        let user =
            |id: &&str| RestUser { id: (*id).into(), email: (*id).to_owned(), platform_role: "ADMIN".to_owned() };
        Page { data: ids.iter().map(user).collect(), next: None }
    }

    #[test]
    fn two_agreeing_listings_are_believed_and_rest_fills_in_the_role() {
        let users = agree(scim(2, &["a", "b"]), rest(&["b", "a"])).unwrap();
        assert_eq!(users.iter().map(|user| user.platform_role.as_str()).collect::<Vec<_>>(), ["ADMIN", "ADMIN"]);
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
