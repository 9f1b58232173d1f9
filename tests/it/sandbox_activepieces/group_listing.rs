//! GET of groups (docs/activepieces.md#listing-groups).

use serde_json::json;

use super::support::{SCIM, Server, group};

/// Groups `A` to `G`, made in another order.
async fn with_seven_groups() -> Server {
    let server = Server::start().await;
    for name in ["D", "B", "G", "A", "F", "C", "E"] {
        server.platform.seed_project(name, None, &[]);
    }
    server
}

async fn names(server: &Server, query: &str) -> String {
    let body = server.get(&format!("{SCIM}/Groups?{query}")).await.body;
    body["Resources"].as_array().unwrap().iter().map(|group| group["displayName"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_are_slices_by_name() {
    let server = with_seven_groups().await;
    let cases = [
        ("", "ABCDEFG"),
        ("startIndex=1&count=3", "ABC"),
        ("startIndex=4&count=3", "DEF"),
        ("startIndex=7&count=3", "G"),
        ("startIndex=8", ""),
        ("count=0", ""),
        ("count=", ""),
        ("count=-1", "ABCDEF"),
        ("count=-2", "ABCDE"),
        ("count=1.5", "A"),
        ("startIndex=0", "G"),
        ("startIndex=", "G"),
        ("startIndex=0&count=2", ""),
        ("startIndex=-2&count=2", "EF"),
        ("count=100000", "ABCDEFG"),
    ];
    for (query, expected) in cases {
        assert_eq!(names(&server, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn the_total_is_true_and_the_query_is_echoed() {
    let server = with_seven_groups().await;
    let body = server.get(&format!("{SCIM}/Groups?startIndex=3&count=2")).await.body;
    assert_eq!((&body["totalResults"], &body["startIndex"], &body["itemsPerPage"]), (&json!(7), &json!(3), &json!(2)));
    assert_eq!(server.get(&format!("{SCIM}/Groups")).await.body["itemsPerPage"], 100);
}

#[tokio::test]
async fn upper_case_comes_before_lower_case_and_equal_names_go_by_id() {
    let server = Server::start().await;
    for name in ["b", "a", "B", "b"] {
        server.platform.seed_project(name, None, &[]);
    }
    assert_eq!(names(&server, "").await, "Babb");
    let answer = server.get(&format!("{SCIM}/Groups")).await;
    assert!(answer.ids()[2] < answer.ids()[3]);
}

#[tokio::test]
async fn renamed_groups_are_listed_in_their_new_place() {
    let server = with_seven_groups().await;
    let first = server.get(&format!("{SCIM}/Groups")).await.ids()[0].to_owned();
    server.put(&format!("{SCIM}/Groups/{first}"), &group("Z", None, &[])).await;
    assert_eq!(names(&server, "").await, "BCDEFGZ");
}

#[tokio::test]
async fn personal_projects_are_not_listed_and_members_always_are() {
    let server = Server::start().await;
    let ada = server.seed("ada@example.com", None);
    server.platform.seed_project("Team", None, &[(ada, "Editor")]);
    let body = server.get(&format!("{SCIM}/Groups?excludedAttributes=members&attributes=id")).await.body;
    assert_eq!((&body["totalResults"], body["Resources"][0]["members"].as_array().unwrap().len()), (&json!(1), 1));
}

#[tokio::test]
async fn display_name_eq_looks_up_the_external_id_in_lower_case() {
    let server = Server::start().await;
    server.platform.seed_project("Eng Team", Some("g-eng"), &[]);
    server.platform.seed_project("Upper", Some("G-UP"), &[]);
    server.platform.seed_project("g-none", None, &[]);
    let cases = [("Eng Team", 0), ("g-eng", 1), ("G-ENG", 1), (" g-eng ", 1), ("G-UP", 0), ("g-up", 0), ("g-none", 0)];
    for (value, hits) in cases {
        let answer = server.filtered("Groups", &format!("displayName eq \"{value}\"")).await;
        assert_eq!((answer.ids().len(), &answer.body["totalResults"]), (hits, &json!(hits)), "{value}");
    }
}

#[tokio::test]
async fn a_hit_is_given_whatever_the_page() {
    let server = with_seven_groups().await;
    server.platform.seed_project("Team", Some("g-1"), &[]);
    let body =
        server.get(&format!("{SCIM}/Groups?startIndex=5&count=0&filter=displayName%20eq%20%22g-1%22")).await.body;
    assert_eq!((&body["totalResults"], body["Resources"].as_array().unwrap().len()), (&json!(1), 1));
}

#[tokio::test]
async fn every_other_filter_gives_the_unfiltered_list() {
    let server = with_seven_groups().await;
    let filters = [
        r#"externalId eq "x""#,
        r#"id eq "x""#,
        r#"displayName co "A""#,
        r#"members.value eq "x""#,
        r#"displayName eq """#,
        "garbage",
    ];
    for filter in filters {
        assert_eq!(server.filtered("Groups", filter).await.ids().len(), 7, "{filter}");
    }
}
