//! Apps.

use super::support::{APP, Server, UNKNOWN};

#[tokio::test]
async fn built_in_apps_are_listed() {
    let server = Server::start().await;
    server.app(&[]);
    let page = server.get("apps").await;
    let mut names: Vec<_> = page.items().iter().map(|app| app["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["okta_enduser", "saasure", "scim2headerauth"]);
}

#[tokio::test]
async fn q_is_a_prefix_of_the_name_or_the_label_in_any_case() {
    let server = Server::start().await;
    let app = server.app(&[]);
    let other = server.org.seed_app("Activepieces Test", &[]);
    let mut both = vec![app.clone(), other.clone()];
    both.sort();
    assert_eq!(server.get("apps?q=activepieces").await.ids(), both, "it isn't equality");
    assert_eq!(server.get("apps?q=SCIM2").await.ids(), both, "the name");
    assert_eq!(server.get("apps?q=Activepieces+T").await.ids(), [&other]);
    assert_eq!(server.get("apps?q=pieces").await.items().len(), 0);
}

#[tokio::test]
async fn filter_knows_few_attributes() {
    let server = Server::start().await;
    let app = server.app(&[]);
    let by_name = server.query("apps", &[("filter", r#"name eq "scim2headerauth""#)]).await;
    assert_eq!(by_name.ids(), [&app]);
    assert_eq!(server.query("apps", &[("filter", r#"status eq "ACTIVE""#)]).await.items().len(), 3);
    assert_eq!(server.query("apps", &[("filter", r#"status eq "INACTIVE""#)]).await.items().len(), 0);
    let by_label = server.query("apps", &[("filter", r#"label eq "Activepieces""#)]).await;
    assert_eq!(by_label.failure(), (400, "E0000031"));
}

#[tokio::test]
async fn an_app_is_found_by_id_and_not_by_label() {
    let server = Server::start().await;
    let app = server.app(&[]);
    assert_eq!(server.get(&format!("apps/{app}")).await.body["label"], APP);
    for id in [APP, UNKNOWN] {
        assert_eq!(server.get(&format!("apps/{id}")).await.failure(), (404, "E0000007"), "{id}");
    }
}

#[tokio::test]
async fn features_of_an_app_without_provisioning_are_an_error() {
    let server = Server::start().await;
    let app = server.app(&[]);
    let features = server.get(&format!("apps/{app}/features")).await;
    assert_eq!(features.body[0]["name"], "USER_PROVISIONING");
    let builtin = server.get("apps?q=saasure").await.ids()[0].to_owned();
    assert_eq!(server.get(&format!("apps/{builtin}/features")).await.failure(), (400, "E0000001"));
}

#[tokio::test]
async fn everything_below_an_app_that_isnt_there_is_not_found() {
    let server = Server::start().await;
    for below in ["", "/users", "/groups", "/features", "/group-push/mappings"] {
        assert_eq!(server.get(&format!("apps/{UNKNOWN}{below}")).await.failure(), (404, "E0000007"), "{below}");
    }
}
