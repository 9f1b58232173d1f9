//! Profile mappings.

use super::support::{Server, UNKNOWN};

/// The id of the only mapping that a query finds.
async fn only(server: &Server, query: &str) -> String {
    let page = server.get(&format!("mappings?{query}")).await;
    assert_eq!(page.items().len(), 1, "{query}");
    page.ids()[0].to_owned()
}

#[tokio::test]
async fn mappings_in_a_list_have_no_properties() {
    let server = Server::start().await;
    server.app(&[]);
    let page = server.get("mappings").await;
    assert_eq!(page.items().len(), 6, "two of each app");
    assert!(page.items().iter().all(|mapping| mapping.get("properties").is_none()));
}

#[tokio::test]
async fn a_mapping_alone_has_properties() {
    let server = Server::start().await;
    let app = server.app(&[]);
    let id = only(&server, &format!("targetId={app}")).await;
    let mapping = server.get(&format!("mappings/{id}")).await.body;
    assert_eq!(mapping["properties"]["givenName"]["expression"], "user.firstName");
    assert_eq!(mapping["properties"]["givenName"]["pushStatus"], "PUSH");
    let role = mapping["properties"]["platformRole"]["expression"].as_str().unwrap();
    assert!(role.starts_with("user.okta_role == \"Master\" ? \"ADMIN\""), "{role}");
}

#[tokio::test]
async fn a_mapping_leads_from_the_user_type_to_the_app_and_an_import_back() {
    let server = Server::start().await;
    let app = server.app(&[]);
    for (query, kinds) in [("targetId", ["user", "appuser"]), ("sourceId", ["appuser", "user"])] {
        let id = only(&server, &format!("{query}={app}")).await;
        let mapping = server.get(&format!("mappings/{id}")).await.body;
        assert_eq!([&mapping["source"]["type"], &mapping["target"]["type"]], kinds);
    }
}

#[tokio::test]
async fn a_source_or_target_that_isnt_there_has_no_mappings() {
    let server = Server::start().await;
    for query in ["sourceId", "targetId"] {
        assert_eq!(server.get(&format!("mappings?{query}={UNKNOWN}")).await.items().len(), 0, "{query}");
    }
}

#[tokio::test]
async fn a_mapping_that_isnt_there_is_not_found() {
    let server = Server::start().await;
    assert_eq!(server.get("mappings/prm00000000000000000").await.failure(), (404, "E0000007"));
}
