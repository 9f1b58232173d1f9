//! The whole platform, or an error: a listing that contradicts itself is never planned from.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::client::{ALL_REST_USERS, ALL_USERS, Activepieces};
use super::wire::{ListResponse, ListedGroup, ListedRole, ListedUser, Page, RestProject};
use crate::error::{Error, Kind, Result};
use crate::model::activepieces::{Platform, Project, User};
use crate::model::id::AccountId;

/// Groups are asked for in pages of this size: each group costs the server queries of its own (contract section 4.3).
const GROUPS_A_PAGE: usize = 100;
/// How many of these pages the server has to make at the same time.
const PAGES_AT_ONCE: usize = 4;
/// So many projects are looked through for one of a team.
const PROJECTS: usize = 1000;
/// How often a listing is read anew when somebody changes the platform meanwhile.
const READS: usize = 3;

/// Reads all users, projects and members, and who the owner is.
pub async fn read(activepieces: &Activepieces) -> Result<Platform> {
    let (users, projects, owner) =
        futures_util::future::try_join3(users(activepieces), projects(activepieces), owner(activepieces)).await?;
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
        if scim.resources.iter().any(|ListedUser(user)| user.platform_role.is_empty()) {
            activepieces.note_hidden_roles();
        }
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
    if ids.len() != count {
        return Err("it lists a user twice".to_owned());
    }
    if names.len() != count {
        return Err("two of its users have the same user name but for case and spaces".to_owned());
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
    // Okta's users come in this order too: what a plan compares stands side by side.
    users.sort_unstable_by(|a, b| (&a.external_id, &a.id).cmp(&(&b.external_id, &b.id)));
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
/// the others are asked for side by side, unless the server makes pages of another size than it's asked for.
async fn whole_listing(activepieces: &Activepieces) -> Result<Option<Vec<Project>>> {
    let ListResponse { total_results: total, resources } = activepieces.groups(1, GROUPS_A_PAGE).await?;
    let first = resources.len();
    let mut groups = resources;
    let rest = match first {
        GROUPS_A_PAGE => pages_side_by_side(activepieces, total).await?,
        _ => pages_in_sequence(activepieces, first, total).await?,
    };
    let Some(rest) = rest else { return Ok(None) };
    groups.extend(rest);
    let projects: BTreeMap<_, Project> =
        groups.into_iter().map(|ListedGroup(group)| (group.id.clone(), group)).collect();
    Ok((projects.len() == total).then(|| projects.into_values().collect()))
}

/// All pages behind the first one.
async fn pages_side_by_side(activepieces: &Activepieces, total: usize) -> Result<Option<Vec<ListedGroup>>> {
    let mut pages = stream::iter((GROUPS_A_PAGE..total).step_by(GROUPS_A_PAGE))
        .map(async |read| Ok::<_, Error>((read, activepieces.groups(read + 1, GROUPS_A_PAGE).await?)))
        .buffer_unordered(PAGES_AT_ONCE);
    let mut groups = Vec::new();
    while let Some((read, page)) = pages.try_next().await? {
        if page.total_results != total || page.resources.len() != GROUPS_A_PAGE.min(total - read) {
            return Ok(None);
        }
        groups.extend(page.resources);
    }
    Ok(Some(groups))
}

/// All that is behind the first `read` groups, page by page, each as long as it is: a proxy may cap them.
async fn pages_in_sequence(activepieces: &Activepieces, read: usize, total: usize) -> Result<Option<Vec<ListedGroup>>> {
    let mut groups = Vec::new();
    while read + groups.len() < total {
        let page = activepieces.groups(read + groups.len() + 1, GROUPS_A_PAGE).await?;
        if page.total_results != total || page.resources.is_empty() {
            return Ok(None);
        }
        groups.extend(page.resources);
    }
    Ok(Some(groups))
}

/// The owner, as the TEAM projects show them, all of which are theirs (contract section 4); none without any.
async fn owner(activepieces: &Activepieces) -> Result<Option<AccountId>> {
    for limit in [1, PROJECTS] {
        let projects = match limit {
            1 => activepieces.a_team_project().await?.data,
            _ => activepieces.team_projects(limit).await?.data,
        };
        let is_empty = projects.is_empty();
        let team = projects.into_iter().find(RestProject::is_team);
        if is_empty || team.is_some() {
            return Ok(team.map(|project| project.owner_id));
        }
        // The server doesn't know the filter, and somebody's own project came first.
    }
    Ok(None)
}

/// The owner of a platform without TEAM projects, which show them: whoever made the platform was its first user.
fn oldest_admin(users: &[User]) -> Option<AccountId> {
    let admins = users.iter().filter(|user| user.is_admin() && user.active);
    admins.min_by(|a, b| a.created.cmp(&b.created)).map(|user| user.id.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::{Value, json};

    use super::*;
    use crate::http::scripted::{Act, Seen, Server};
    use crate::http::{Client, Settings};

    fn activepieces(server: &Server) -> Activepieces {
        Activepieces::new(Client::new(Settings::new(&server.url)).unwrap())
    }

    /// A page of so many groups, of which a server makes pages of `most`.
    fn groups(seen: &Seen, total: usize, most: usize) -> Act {
        let number = |name: &str| seen.param(name).unwrap().parse::<usize>().unwrap();
        let start = number("startIndex") - 1;
        let end = (start + number("count").min(most)).min(total);
        let group = |at: usize| json!({"id": format!("p{at:05}"), "displayName": format!("P{at}"), "members": []});
        let groups: Vec<Value> = (start..end).map(group).collect();
        crate::http::scripted::json(200, &json!({"totalResults": total, "Resources": groups}).to_string())
    }

    #[tokio::test]
    async fn projects_are_read_whole_whatever_the_size_of_pages() {
        for (total, most, requests) in
            [(0, 100, 1), (30, 100, 1), (100, 100, 1), (250, 100, 3), (250, 50, 5), (201, 200, 3)]
        {
            let server = Server::new(move |seen| groups(seen, total, most)).await;
            assert_eq!(projects(&activepieces(&server)).await.unwrap().len(), total, "{most}");
            assert_eq!(server.lines().len(), requests, "{total} by {most}");
        }
        let all = Server::new(|seen| {
            let whole = Seen { line: "GET /?startIndex=1&count=250".to_owned(), ..seen.clone() };
            groups(&whole, 250, 250)
        });
        let all = all.await;
        assert_eq!(projects(&activepieces(&all)).await.unwrap().len(), 250);
        assert_eq!(all.lines().len(), 1);
    }

    #[tokio::test]
    async fn a_platform_that_changes_while_it_is_read_is_read_again_and_at_last_refused() {
        for (changes, most, is_read) in [(1, 100, true), (usize::MAX, 100, false), (usize::MAX, 50, false)] {
            let asked = AtomicUsize::new(0);
            let server = Server::new(move |seen| {
                let asked = asked.fetch_add(1, Ordering::SeqCst);
                groups(seen, 150 + asked.min(changes), most)
            })
            .await;
            match projects(&activepieces(&server)).await {
                Ok(projects) => assert!(is_read && projects.len() == 151),
                Err(error) => assert!(!is_read && error.to_string().contains("kept changing"), "{error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_listing_that_ends_before_its_total_is_refused() {
        let server = Server::new(|seen| {
            let start: usize = seen.param("startIndex").unwrap().parse().unwrap();
            let groups = if start == 1 { json!([{"id": "p", "displayName": "P"}]) } else { json!([]) };
            crate::http::scripted::json(200, &json!({"totalResults": 2, "Resources": groups}).to_string())
        })
        .await;
        assert!(projects(&activepieces(&server)).await.is_err());
    }

    #[tokio::test]
    async fn the_owner_of_somebodys_own_project_is_not_the_platforms() {
        let project =
            |kind: &str| json!({"id": kind, "displayName": kind, "type": kind, "ownerId": format!("owner-{kind}")});
        let (personal, team) = (project("PERSONAL"), project("TEAM"));
        for (all, expected) in [
            (vec![team.clone()], Some("owner-TEAM")),
            (vec![personal.clone(), team], Some("owner-TEAM")),
            (vec![personal], None),
            (vec![], None),
        ] {
            let server = Server::new(move |seen| {
                let limit: usize = seen.param("limit").unwrap().parse().unwrap();
                let data = &all[..all.len().min(limit)];
                crate::http::scripted::json(200, &json!({"data": data, "next": null}).to_string())
            })
            .await;
            assert_eq!(owner(&activepieces(&server)).await.unwrap(), expected.map(AccountId::from));
        }
    }

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
    fn two_users_of_one_name_are_refused_whatever_its_case() {
        let why = agree(scim(2, &["a@x.io", "A@x.io"]), rest(&["a@x.io", "A@x.io"])).unwrap_err();
        assert!(why.contains("the same user name"), "{why}");
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
