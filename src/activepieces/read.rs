//! Reads a whole platform, or gives an error: no plan is made from a listing that contradicts itself.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::client::{ALL_REST_USERS, ALL_USERS, Activepieces};
use super::wire::{ListResponse, ListedGroup, ListedRole, ListedUser, Page, RestProject, RestUser};
use crate::error::{Error, Kind, Result, Topic};
use crate::http::Failure;
use crate::model::activepieces::{EmbeddedUser, KnownRoles, Platform, Project, StandingRoles, User};
use crate::model::id::{AccountId, OktaIds};

/// Groups are asked for in pages of this size: each group costs the server queries of its own (docs/activepieces.md#listing-groups).
const GROUPS_A_PAGE: usize = 100;
/// How many of these pages the server has to make at the same time.
const PAGES_AT_ONCE: usize = 4;
/// So many projects are looked through for one of a team.
const PROJECTS: usize = 1000;
/// How many accounts, or members of projects, are read by id at the same time.
pub const LOOKUPS_AT_ONCE: usize = 8;
/// So many of the accounts with a customer's externalId are asked for by id: a list that is cut short lacks them in a row,
/// and a mistake about one of them costs nothing, since such an account is never linked or deactivated for its externalId.
const SAMPLE: usize = 100;
/// How often a listing is read again when another admin changes the platform meanwhile.
const READS: usize = 3;

/// Reads all users, projects and members, and who the owner is.
pub async fn read(activepieces: &Activepieces) -> Result<Platform> {
    let ((users, embedded), projects, owner) =
        futures_util::future::try_join3(users(activepieces), projects(activepieces), owner(activepieces)).await?;
    let owner = owner.or_else(|| oldest_admin(&users));
    Ok(Platform { users, projects, owner, embedded, ..Platform::default() })
}

/// The same, with the project roles of all members where they are wanted.
pub async fn read_with_roles(activepieces: &Activepieces, roles: bool) -> Result<Platform> {
    if !roles {
        return read(activepieces).await;
    }
    let (platform, roles) = futures_util::future::try_join(read(activepieces), self::roles(activepieces)).await?;
    Ok(Platform { roles, ..platform })
}

/// All project roles with their members: one request for the roles, and one for the members of each, of all projects.
async fn roles(activepieces: &Activepieces) -> Result<StandingRoles> {
    let roles = match activepieces.project_roles().await {
        Ok(roles) => roles,
        Err(failure) if is_off(&failure) => return Ok(StandingRoles::Off),
        Err(failure) => return Err(Error::from(failure).context("reading the project roles")),
    };
    let lists = stream::iter(&roles).map(async |role| (role, activepieces.members_of_role(&role.id).await));
    let lists: Vec<_> = lists.buffered(LOOKUPS_AT_ONCE).collect().await;
    let mut known = KnownRoles::default();
    let mut moved = BTreeSet::new();
    for (role, members) in lists {
        let members = match members {
            Ok(members) => members,
            // The role was deleted since, and its memberships with it (docs/activepieces.md#rest).
            Err(failure) if failure.status() == Some(404) => continue,
            Err(failure) if is_off(&failure) => return Ok(StandingRoles::Off),
            Err(failure) => {
                return Err(Error::from(failure).context(format!("reading who has the project role {:?}", role.name)));
            }
        };
        if members.next.is_some() {
            return Err(Error::new(
                Kind::Failed,
                format!("the listing of who has the project role {:?} is cut short", role.name),
            )
            .hint("look for a proxy that cuts answers short"));
        }
        let place = known.names.len();
        known.names.push(role.name.clone());
        for member in members.data {
            let of_project = known.of.entry(member.project_id.clone()).or_default();
            if of_project.insert(member.user_id.clone(), place).is_some() {
                moved.insert((member.project_id, member.user_id));
            }
        }
    }
    for (project, account) in moved {
        if let Some(of_project) = known.of.get_mut(&project) {
            of_project.remove(&account);
        }
    }
    Ok(StandingRoles::Known(known))
}

/// Whether the server has no such route for keys, or no project roles in its plan.
pub(super) fn is_off(failure: &Failure) -> bool {
    matches!(failure.status(), Some(402..=404))
}

/// All users, as two listings agree on them: the one of SCIM and the one of REST have different faults, and a cap that
/// a proxy or a later version puts on one of them shows in the other. Since August 2026 SCIM hides embedded accounts, also
/// by id: these are the second list.
async fn users(activepieces: &Activepieces) -> Result<(Vec<User>, Vec<EmbeddedUser>)> {
    let mut contradiction = String::new();
    for _ in 0..READS {
        let (scim, rest) =
            futures_util::future::try_join(activepieces.users(ALL_USERS), activepieces.rest_users(ALL_REST_USERS))
                .await?;
        if scim.resources.iter().any(|ListedUser(user)| user.platform_role.is_empty()) {
            activepieces.note_hidden_roles();
        }
        let count = scim.resources.len();
        let (users, hidden) = match agree(scim, rest) {
            Ok(listed) => listed,
            Err(why) => {
                contradiction = why;
                continue;
            }
        };
        match embedded(activepieces, &hidden).await? {
            Ok(embedded) => return Ok((users, embedded)),
            Err(shown) => {
                contradiction = format!(
                    "SCIM lists {count} users, REST {}, and SCIM shows \"{shown}\" by id",
                    count + hidden.len()
                );
            }
        }
    }
    Err(Error::new(Kind::Failed, format!("the listing of the Activepieces users can't be trusted: {contradiction}"))
        .about(Topic::UnexpectedAnswer)
        .hint("run `oktapieces check`, and look for a proxy that cuts answers short"))
}

/// Which of the accounts that REST lists and SCIM doesn't are embedded: those that SCIM doesn't show by id either. Where it
/// shows one, its listing was cut short or is older than the account, and the account's name is given instead.
async fn embedded(
    activepieces: &Activepieces,
    hidden: &[AccountId],
) -> Result<std::result::Result<Vec<EmbeddedUser>, String>> {
    if hidden.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let mut accounts = activepieces.rest_accounts().await?.data;
    // One that isn't among them any more was deleted meanwhile.
    accounts.retain(|account| hidden.binary_search(&account.id).is_ok());
    let mut lookups = stream::iter(to_look_up(&accounts))
        .map(async |account| Ok::<_, Error>((account, activepieces.user(&account.id).await?)))
        .buffer_unordered(LOOKUPS_AT_ONCE);
    while let Some((account, found)) = lookups.try_next().await? {
        if found.is_some() {
            return Ok(Err(account.email.clone()));
        }
    }
    drop(lookups);
    let mut embedded: Vec<EmbeddedUser> =
        accounts.into_iter().map(|account| EmbeddedUser { id: account.id, user_name: account.email }).collect();
    embedded.sort_unstable_by(|a, b| (&a.user_name, &a.id).cmp(&(&b.user_name, &b.id)));
    embedded.dedup_by(|a, b| a.id == b.id);
    Ok(Ok(embedded))
}

/// The accounts to ask SCIM for by id: each that a sync could link or deactivate, because its externalId is Okta's or it has
/// none, and a sample of the others, evenly over the listing with both ends.
fn to_look_up(accounts: &[RestUser]) -> Vec<&RestUser> {
    let is_customers = |account: &&RestUser| {
        account.external_id.as_deref().is_some_and(|id| !id.is_empty() && !OktaIds::default().is_user(id))
    };
    let (customers, mut asked): (Vec<&RestUser>, Vec<&RestUser>) = accounts.iter().partition(is_customers);
    match customers.len() {
        all if all <= SAMPLE => asked.extend(customers),
        all => asked.extend((0..SAMPLE).map(|n| customers[n * (all - 1) / (SAMPLE - 1)])),
    }
    asked
}

/// What two listings agree on: the users, and the ids, sorted, that REST lists and SCIM doesn't.
type Agreed = (Vec<User>, Vec<AccountId>);

/// Joins the two listings, or says how they contradict each other.
fn agree(scim: ListResponse<ListedUser>, rest: Page<ListedRole>) -> std::result::Result<Agreed, String> {
    let count = scim.resources.len();
    if scim.total_results != count {
        return Err(format!("it says {} users and lists {count}", scim.total_results));
    }
    if rest.next.is_some() || rest.data.len() >= ALL_REST_USERS || count >= ALL_USERS {
        return Err("it is cut short".to_owned());
    }
    if count == 0 {
        return Err("it lists none, and every platform has its owner".to_owned());
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
    let hidden = roles.iter().map(|role| &role.id).filter(|id| !ids.contains(id)).cloned().collect();
    for user in &mut users {
        let role = roles.binary_search_by(|role| role.id.cmp(&user.id)).map_err(|_| differ.clone())?;
        if user.platform_role.is_empty() {
            user.platform_role.clone_from(&roles[role].platform_role);
        }
    }
    // Okta's users come in this order too: what a plan compares is next to each other.
    users.sort_unstable_by(|a, b| (&a.external_id, &a.id).cmp(&(&b.external_id, &b.id)));
    Ok((users, hidden))
}

/// All TEAM projects with their members.
async fn projects(activepieces: &Activepieces) -> Result<Vec<Project>> {
    for _ in 0..READS {
        if let Some(projects) = whole_listing(activepieces).await? {
            return Ok(projects);
        }
    }
    Err(Error::new(Kind::Failed, "the listing of the Activepieces projects kept changing while it was read")
        .hint("try again when no other client makes, renames or deletes projects"))
}

/// One pass over the pages; none where a project came, went or moved meanwhile. The first page tells how many there are, and
/// the others are read in parallel, unless the server makes pages of another size than it's asked for.
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

/// The owner, as the TEAM projects show them, all of which are theirs (docs/activepieces.md#groups); none without any.
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
        // The server doesn't know the filter, and a personal project came first.
    }
    Ok(None)
}

/// The owner of a platform without TEAM projects, which show them: the first user is the one who created the platform.
fn oldest_admin(users: &[User]) -> Option<AccountId> {
    let admins = users.iter().filter(|user| user.is_admin() && user.active);
    admins.min_by(|a, b| a.created.cmp(&b.created)).map(|user| user.id.clone())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::{Value, json};

    use super::*;
    use crate::http::scripted::{Act, ScriptedServer, Seen};
    use crate::http::{Client, Settings};

    fn activepieces(server: &ScriptedServer) -> Activepieces {
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
            let server = ScriptedServer::new(move |seen| groups(seen, total, most)).await;
            assert_eq!(projects(&activepieces(&server)).await.unwrap().len(), total, "{most}");
            assert_eq!(server.lines().len(), requests, "{total} by {most}");
        }
        let all = ScriptedServer::new(|seen| {
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
            let server = ScriptedServer::new(move |seen| {
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
        let server = ScriptedServer::new(|seen| {
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
            let server = ScriptedServer::new(move |seen| {
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
        let (users, hidden) = agree(scim(2, &["a", "b"]), rest(&["b", "a"])).unwrap();
        assert_eq!(hidden, []);
        assert_eq!(users.iter().map(|user| user.platform_role.as_ref()).collect::<Vec<_>>(), ["ADMIN", "ADMIN"]);
    }

    #[test]
    fn two_users_of_one_name_are_refused_whatever_its_case() {
        let why = agree(scim(2, &["a@x.io", "A@x.io"]), rest(&["a@x.io", "A@x.io"])).unwrap_err();
        assert!(why.contains("the same user name"), "{why}");
    }

    #[test]
    fn listings_that_contradict_themselves_or_each_other_are_not() {
        assert!(agree(scim(0, &[]), rest(&[])).is_err(), "every platform has its owner");
        assert!(agree(scim(3, &["a", "b"]), rest(&["a", "b"])).is_err());
        assert!(agree(scim(2, &["a", "a"]), rest(&["a"])).is_err());
        assert!(agree(scim(2, &["a", "b"]), rest(&["a"])).is_err());
        assert!(agree(scim(2, &["a", "b"]), rest(&["a", "c"])).is_err());
        assert!(agree(scim(1, &["a"]), Page { next: Some("cursor".to_owned()), ..rest(&["a"]) }).is_err());
    }

    #[test]
    fn accounts_that_scim_does_not_list_are_told_from_the_others() {
        let (users, hidden) = agree(scim(1, &["b"]), rest(&["c", "b", "a"])).unwrap();
        assert_eq!((users.len(), hidden), (1, vec!["a".into(), "c".into()]));
    }

    fn rest_user(id: &str, external_id: Option<&str>) -> RestUser {
        let (email, external_id) = (format!("{id}@x.io"), external_id.map(str::to_owned));
        let (first_name, last_name, status) = (String::new(), String::new(), "ACTIVE".to_owned());
        let platform_role = "MEMBER".to_owned();
        RestUser { id: id.into(), email, external_id, platform_role, first_name, last_name, status }
    }

    #[test]
    fn each_account_that_could_be_linked_is_looked_up_and_a_sample_of_the_others() {
        let okta = "00u1234567890abcdefg";
        let few = [rest_user("a", Some("customer-1")), rest_user("b", Some(okta)), rest_user("c", None)];
        assert_eq!(to_look_up(&few).len(), 3);
        let customers = (0..5000).map(|n| rest_user(&n.to_string(), Some("customer")));
        let linked = (5000..5150).map(|n| rest_user(&n.to_string(), Some(okta)));
        let many: Vec<RestUser> = customers.chain(linked).collect();
        let asked: BTreeSet<&str> = to_look_up(&many).into_iter().map(|account| account.id.as_str()).collect();
        assert_eq!(asked.len(), 150 + SAMPLE);
        assert!(asked.contains("0") && asked.contains("4999") && (5000..5150).all(|n| asked.contains(&*n.to_string())));
    }

    /// A server with one user that SCIM lists and one that it doesn't, and shows by id or not.
    async fn hiding(shows: bool) -> ScriptedServer {
        ScriptedServer::new(move |seen| {
            let scim = json!({"id": "a", "userName": "a@x.io", "active": true});
            let hidden = json!({"id": "b", "userName": "b@x.io", "active": true});
            let rest = [("a", "00u1"), ("b", "customer-1")].map(|(id, external_id)| {
                json!({"id": id, "email": format!("{id}@x.io"), "externalId": external_id, "platformRole": "MEMBER", "status": "ACTIVE"})
            });
            let answer = |status, body: Value| crate::http::scripted::json(status, &body.to_string());
            match seen.path() {
                "/api/v1/users" => answer(200, json!({"data": rest, "next": null})),
                "/api/v1/scim/v2/Users" => answer(200, json!({"totalResults": 1, "Resources": [scim]})),
                _ if shows => answer(200, hidden),
                _ => answer(404, json!({"statusCode": 404, "message": "User not found"})),
            }
        })
        .await
    }

    #[tokio::test]
    async fn an_account_that_scim_hides_by_id_too_is_embedded() {
        let (users, embedded) = users(&activepieces(&hiding(false).await)).await.unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!(embedded, [EmbeddedUser { id: "b".into(), user_name: "b@x.io".to_owned() }]);
    }

    #[tokio::test]
    async fn a_scim_listing_that_lacks_an_account_that_scim_shows_by_id_is_read_again_and_at_last_refused() {
        let server = hiding(true).await;
        let error = users(&activepieces(&server)).await.unwrap_err().to_string();
        assert!(error.contains("SCIM lists 1 users, REST 2, and SCIM shows \"b@x.io\" by id"), "{error}");
        let listings = server.seen().iter().filter(|seen| seen.path() == "/api/v1/scim/v2/Users").count();
        assert_eq!(listings, READS);
    }
}
