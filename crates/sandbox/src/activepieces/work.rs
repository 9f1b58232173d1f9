//! How long a real server works on a request: a queue in front of a few CPUs, where more requests in parallel
//! only make answers slower.
//!
//! The costs are those of a server on two CPUs (docs/activepieces.md#throughput), good for the order of magnitude. Listings cost
//! nothing here, and neither does a request that is refused before it reaches its handler.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::platform::Platform;
use super::routes::Endpoint;

/// Mostly the hash of a password that is never used: 9 a second one by one, 16 with eight in parallel.
const CREATE_USER: Duration = Duration::from_millis(110);
/// 165 a second one by one, 405 with eight side by side.
const WRITE: Duration = Duration::from_millis(5);
/// 80 a second one by one, 139 with eight side by side.
const SET_PROJECT_ROLE: Duration = Duration::from_millis(12);
/// 45 a second one by one, 77 with eight side by side.
const INVITE: Duration = Duration::from_millis(22);
/// 250 a second one by one, 475 with eight side by side.
const READ: Duration = Duration::from_millis(4);
/// 20,000 in one request took 20 s, of which the answer that shows them all took 4.
const ADD_MEMBER: Duration = Duration::from_micros(800);
/// 1,000 of a group of 20,000 took 4.5 s, of which the answer took 4.
const REMOVE_MEMBER: Duration = Duration::from_micros(500);
/// 20,000 took 24 s.
const PUT_MEMBER: Duration = Duration::from_micros(1200);
/// A group with 20,000 took 4 s to be shown.
const SHOW_MEMBER: Duration = Duration::from_micros(200);

/// The CPUs of a server, if it has to share them.
#[derive(Debug, Default)]
pub(super) struct Work(Option<Semaphore>);

impl Work {
    /// With none everything takes no time at all.
    pub fn on(cpus: Option<usize>) -> Self {
        Self(cpus.map(Semaphore::new))
    }

    /// Waits in the queue for a CPU, and keeps it for as long as the request costs.
    pub async fn on_request(&self, platform: &Platform, endpoint: &Endpoint, body: &Value) {
        if let Some(cpus) = &self.0 {
            // The queue is never closed, so that there is nothing to fail.
            let _cpu = cpus.acquire().await;
            sleep(cost(platform, endpoint, body)).await;
        }
    }
}

fn cost(platform: &Platform, endpoint: &Endpoint, body: &Value) -> Duration {
    match endpoint {
        Endpoint::CreateUser => CREATE_USER,
        Endpoint::GetUser(_) | Endpoint::RestGetUser(_) | Endpoint::RestGetProject(_) => READ,
        Endpoint::GetGroup(id) => READ + SHOW_MEMBER * standing(platform, id),
        Endpoint::CreateGroup | Endpoint::PutGroup(_) => WRITE + PUT_MEMBER * length(&body["members"]),
        Endpoint::PatchGroup(id) => {
            let operations = body["Operations"].as_array().map_or(&[][..], Vec::as_slice);
            let is_removal =
                |operation: &&Value| operation["op"].as_str().is_some_and(|op| matches!(op, "remove" | "Remove"));
            let removed = number(operations.iter().filter(is_removal).count());
            let added = operations.iter().map(|operation| length(&operation["value"])).sum::<u32>();
            WRITE + REMOVE_MEMBER * removed + ADD_MEMBER * added + SHOW_MEMBER * (standing(platform, id) + added)
        }
        Endpoint::PutUser(_)
        | Endpoint::PatchUser(_)
        | Endpoint::DeleteUser(_)
        | Endpoint::DeleteGroup(_)
        | Endpoint::RestUpdateUser(_)
        | Endpoint::RestDeleteUser(_)
        | Endpoint::RestCreateProject
        | Endpoint::RestUpdateProject(_)
        | Endpoint::RestDeleteProject(_)
        | Endpoint::RestDeleteMember(_)
        | Endpoint::RestCreateRole
        | Endpoint::RestUpdateRole(_)
        | Endpoint::RestDeleteRole(_)
        | Endpoint::RestDeleteInvitation(_) => WRITE,
        Endpoint::RestUpdateMember(_) => SET_PROJECT_ROLE,
        Endpoint::RestInvite => INVITE,
        Endpoint::ServiceProviderConfig
        | Endpoint::ResourceTypes
        | Endpoint::Schemas
        | Endpoint::ListUsers
        | Endpoint::ListGroups
        | Endpoint::RestListUsers
        | Endpoint::RestListProjects
        | Endpoint::RestListMembers
        | Endpoint::RestOwnRole
        | Endpoint::RestListRoles
        | Endpoint::RestListInvitations
        | Endpoint::RestListContents(_)
        | Endpoint::RestCountFlows
        | Endpoint::RestGetPlatform(_)
        | Endpoint::RestListRoleMembers(_) => Duration::ZERO,
    }
}

/// The members that a group has before the request.
fn standing(platform: &Platform, id: &str) -> u32 {
    let state = platform.state();
    state.team(id).map_or(0, |row| number(state.projects[row].members.len()))
}

fn length(list: &Value) -> u32 {
    list.as_array().map_or(0, |items| number(items.len()))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    async fn time_of(users: usize, cpus: Option<usize>) -> Duration {
        let (work, platform) = (Work::on(cpus), Platform::new(1));
        let start = Instant::now();
        join_all((0..users).map(|_| work.on_request(&platform, &Endpoint::CreateUser, &Value::Null))).await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn more_at_once_than_there_are_cpus_only_wait() {
        assert_eq!(time_of(1, Some(2)).await, ms(110));
        assert_eq!(time_of(2, Some(2)).await, ms(110));
        assert_eq!(time_of(64, Some(2)).await, ms(32 * 110));
        assert_eq!(time_of(64, None).await, ms(0));
    }

    #[test]
    fn members_cost_by_their_number() {
        let platform = Platform::new(1);
        let owner = platform.users().remove(0).id;
        let group = platform.seed_project("Sales", None, &[(owner, "Editor")]);
        let patch = |operations: Value| {
            cost(&platform, &Endpoint::PatchGroup(group.clone()), &json!({ "Operations": operations }))
        };
        let many = vec![json!({ "value": "x" }); 500];
        assert_eq!(patch(json!([{ "op": "add", "path": "members", "value": many }])), ms(505) + SHOW_MEMBER);
        let gone = vec![json!({ "op": "remove", "path": "members[value eq \"x\"]" }); 500];
        let renamed = patch(json!([{ "op": "add", "path": "displayName", "value": "Sales 2" }]));
        assert_eq!(renamed, WRITE + SHOW_MEMBER);
        assert_eq!(patch(json!(gone)), ms(255) + SHOW_MEMBER);
        assert_eq!(cost(&platform, &Endpoint::GetGroup(group), &Value::Null), READ + SHOW_MEMBER);
    }
}
