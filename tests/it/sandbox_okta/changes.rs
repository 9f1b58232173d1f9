//! What a change moves, and what it leaves as it was.

use serde_json::{Value, json};

use super::support::{APP, Server};

/// A user who is a member of a group and assigned to the app.
struct Scene {
    server: Server,
    user: String,
    group: String,
    app: String,
}

impl Scene {
    async fn set() -> Self {
        let server = Server::start().await;
        let user = server.user("ada@example.com", "ACTIVE");
        let group = server.group("Sales", std::slice::from_ref(&user));
        let app = server.app(std::slice::from_ref(&user));
        Self { server, user, group, app }
    }

    async fn user(&self) -> Value {
        self.server.get(&format!("users/{}", self.user)).await.body
    }

    async fn group(&self) -> Value {
        self.server.get(&format!("groups/{}", self.group)).await.body
    }

    async fn is_assigned(&self) -> bool {
        let alone = self.server.get(&format!("apps/{}/users/{}", self.app, self.user)).await;
        let listed = self.server.get(&format!("apps/{}/users", self.app)).await;
        let listed = listed.ids().contains(&self.user.as_str());
        assert_eq!(alone.status == 200, listed, "both say the same");
        listed
    }
}

#[tokio::test]
async fn deactivation_takes_app_assignments_away() {
    let scene = Scene::set().await;
    assert!(scene.is_assigned().await);
    scene.server.org.set_status(&scene.user, "DEPROVISIONED");
    assert!(!scene.is_assigned().await);
}

#[tokio::test]
async fn reactivation_doesnt_bring_them_back() {
    let scene = Scene::set().await;
    scene.server.org.set_status(&scene.user, "DEPROVISIONED");
    scene.server.org.set_status(&scene.user, "ACTIVE");
    assert!(!scene.is_assigned().await);
}

#[tokio::test]
async fn suspension_keeps_assignments_and_memberships() {
    let scene = Scene::set().await;
    scene.server.org.set_status(&scene.user, "SUSPENDED");
    assert!(scene.is_assigned().await);
    assert_eq!(scene.server.get(&format!("users/{}/groups", scene.user)).await.names(), ["Everyone", "Sales"]);
}

#[tokio::test]
async fn a_deactivated_user_is_never_assigned() {
    let server = Server::start().await;
    let id = server.user("gone@example.com", "DEPROVISIONED");
    let app = server.app(&[id]);
    assert_eq!(server.get(&format!("apps/{app}/users")).await.items().len(), 0);
}

#[tokio::test]
async fn a_membership_moves_the_groups_membership_time_alone() {
    let scene = Scene::set().await;
    let (user, group) = (scene.user().await, scene.group().await);
    scene.server.org.remove_member(&scene.group, &scene.user);
    let after = scene.group().await;
    assert!(after["lastMembershipUpdated"].as_str() > group["lastMembershipUpdated"].as_str());
    assert_eq!(after["lastUpdated"], group["lastUpdated"]);
    assert_eq!(scene.user().await, user);
}

#[tokio::test]
async fn a_new_name_moves_the_groups_own_time_alone() {
    let scene = Scene::set().await;
    let group = scene.group().await;
    scene.server.org.rename_group(&scene.group, "Trade");
    let after = scene.group().await;
    assert_eq!(after["profile"]["name"], "Trade");
    assert!(after["lastUpdated"].as_str() > group["lastUpdated"].as_str());
    assert_eq!(after["lastMembershipUpdated"], group["lastMembershipUpdated"]);
}

#[tokio::test]
async fn an_assignment_doesnt_move_the_user() {
    let scene = Scene::set().await;
    let user = scene.user().await;
    scene.server.org.unassign(APP, &scene.user);
    scene.server.org.assign(APP, &scene.user);
    assert_eq!(scene.user().await, user);
}

#[tokio::test]
async fn a_status_moves_both_times_and_a_profile_one() {
    let scene = Scene::set().await;
    let first = scene.user().await;
    scene.server.org.set_profile(&scene.user, "title", json!("Boss"));
    let second = scene.user().await;
    assert!(second["lastUpdated"].as_str() > first["lastUpdated"].as_str());
    assert_eq!(second["statusChanged"], first["statusChanged"]);
    scene.server.org.set_status(&scene.user, "SUSPENDED");
    let third = scene.user().await;
    assert!(third["statusChanged"].as_str() > first["statusChanged"].as_str());
    assert!(third["lastUpdated"].as_str() > first["lastUpdated"].as_str());
    assert_eq!(third["created"], first["created"]);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let (one, two) = (Scene::set().await, Scene::set().await);
    assert_eq!((&one.user, &one.group, &one.app), (&two.user, &two.group, &two.app));
    assert_eq!(one.server.org.token(), two.server.org.token());
    let other = Server::serve(oktapieces_sandbox::okta::Org::new(8, None)).await;
    assert_ne!(other.user("ada@example.com", "ACTIVE"), one.user);
}

#[tokio::test]
async fn ids_are_of_oktas_form() {
    let scene = Scene::set().await;
    for (id, prefix) in [(&scene.user, "00u"), (&scene.group, "00g"), (&scene.app, "0oa")] {
        assert!(id.starts_with(prefix) && id.len() == 20, "{id}");
        assert!(id.chars().all(|character| character.is_ascii_alphanumeric()), "{id}");
    }
}
