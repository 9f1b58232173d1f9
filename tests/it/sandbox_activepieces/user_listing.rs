//! GET of users (docs/activepieces.md#users and docs/activepieces.md#listing-users).

use serde_json::{Value, json};

use super::support::{Answer, SCIM, Server, UNKNOWN};

/// The owner and 141 more.
async fn with_142_users() -> Server {
    let server = Server::start().await;
    for number in 1..142 {
        server.seed(&format!("user{number}@example.com"), Some(&format!("00u{number}")));
    }
    server
}

async fn listed(server: &Server, query: &str) -> Answer {
    server.get(&format!("{SCIM}/Users?{query}")).await
}

#[tokio::test]
async fn every_query_without_a_filter_gives_the_newest_users() {
    let server = with_142_users().await;
    let all = listed(&server, "count=1000").await;
    let all = all.ids();
    assert_eq!(all.last(), Some(&server.owner_id().as_str()));
    let cases = [
        ("", 100, json!(1), json!(100)),
        ("count=5", 5, json!(1), json!(5)),
        ("startIndex=6&count=5", 5, json!(6), json!(5)),
        ("startIndex=99999", 100, json!(99999), json!(100)),
        ("startIndex=0", 100, json!(0), json!(100)),
        ("startIndex=", 100, json!(0), json!(100)),
        ("count=0", 100, json!(1), json!(0)),
        ("count=", 100, json!(1), json!(0)),
        ("count=1000", 142, json!(1), json!(1000)),
        ("count=100000", 142, json!(1), json!(100_000)),
        ("count=2147483648", 142, json!(1), json!(2_147_483_648_i64)),
        ("count=1.5", 2, json!(1), json!(1.5)),
        ("count=-1", 142, json!(1), json!(-1)),
    ];
    for (query, items, start_index, items_per_page) in cases {
        let answer = listed(&server, query).await;
        assert_eq!(answer.ids(), all[..items], "{query}");
        assert_eq!(answer.body["totalResults"], items, "{query}");
        assert_eq!(answer.body["startIndex"], start_index, "{query}");
        assert_eq!(answer.body["itemsPerPage"], items_per_page, "{query}");
    }
}

#[tokio::test]
async fn a_count_below_minus_one_is_500() {
    let server = Server::start().await;
    let answer = listed(&server, "count=-5").await;
    assert_eq!(answer.failure(), (500, "2201W", "LIMIT must not be negative"));
}

#[tokio::test]
async fn a_count_that_is_no_number_is_400() {
    let server = Server::start().await;
    for name in ["count", "startIndex"] {
        let answer = listed(&server, &format!("{name}=abc")).await;
        let message = format!("querystring/{name} Invalid input: expected number, received NaN");
        assert_eq!(answer.failure(), (400, "FST_ERR_VALIDATION", message.as_str()));
    }
}

#[tokio::test]
async fn a_repeated_filter_is_400() {
    let server = Server::start().await;
    assert_eq!(listed(&server, "filter=a&filter=b").await.status, 400);
}

#[tokio::test]
async fn other_parameters_are_ignored() {
    let server = with_142_users().await;
    let answer = listed(&server, "count=2&attributes=userName&excludedAttributes=name&sortBy=userName&cursor=x").await;
    assert_eq!(answer.ids(), listed(&server, "count=2").await.ids());
    assert!(answer.body["Resources"][0]["name"].is_object());
}

#[tokio::test]
async fn user_name_eq_anywhere_in_the_filter_finds_one_user() {
    let server = with_142_users().await;
    let inactive = server.seed_inactive("bob@example.com", None);
    let filters = [
        r#"userName eq "bob@example.com""#,
        r#"USERNAME EQ "BOB@Example.com""#,
        r#"userName  eq   " bob@example.com ""#,
        r#"active eq true and userName eq "bob@example.com""#,
        r#"not (userName eq "bob@example.com")"#,
        r#"userName eq "bob@example.com" or userName eq "user1@example.com""#,
        r#"xuserName eq "bob@example.com""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "bob@example.com""#,
    ];
    for filter in filters {
        let answer = server.filtered("Users", filter).await;
        assert_eq!(answer.ids(), [&inactive], "{filter}");
        assert_eq!(answer.body["totalResults"], 1, "{filter}");
    }
}

#[tokio::test]
async fn user_name_eq_without_a_hit_gives_nothing() {
    let server = with_142_users().await;
    server.platform.seed_user_elsewhere("elsewhere@example.com", "A", "B");
    for filter in
        [r#"userName eq "nobody@example.com""#, r#"userName eq "a\"b""#, r#"userName eq "elsewhere@example.com""#]
    {
        let answer = server.filtered("Users", filter).await;
        assert_eq!((answer.ids().len(), &answer.body["totalResults"]), (0, &json!(0)), "{filter}");
    }
}

#[tokio::test]
async fn every_other_filter_gives_the_unfiltered_list() {
    let server = with_142_users().await;
    let filters = [
        r#"externalId eq "00u1""#,
        r#"id eq "x""#,
        r#"emails.value eq "user1@example.com""#,
        r#"emails[value eq "user1@example.com"]"#,
        "active eq false",
        r#"name.givenName eq "Given""#,
        r#"displayName eq "Given""#,
        r#"meta.created gt "2020-01-01""#,
        r#"userName sw "user1""#,
        r#"userName co "user1""#,
        r#"userName ne "user1@example.com""#,
        "userName pr",
        "userName eq 'user1@example.com'",
        "userName eq user1@example.com",
        r#"userName eq """#,
        "garbage",
    ];
    for filter in filters {
        assert_eq!(server.filtered("Users", filter).await.ids().len(), 100, "{filter}");
    }
}

#[tokio::test]
async fn start_index_and_count_dont_matter_to_a_hit() {
    let server = with_142_users().await;
    let query = "filter=userName%20eq%20%22user1@example.com%22&count=0&startIndex=2";
    let answer = listed(&server, query).await;
    assert_eq!(answer.ids().len(), 1);
    assert_eq!(answer.body["startIndex"], 2);
    assert_eq!(answer.body["itemsPerPage"], 0);
}

#[tokio::test]
async fn a_plus_in_the_url_is_a_space() {
    let server = Server::start().await;
    server.seed("a+b@example.com", None);
    let found = async |filter: &str| listed(&server, &format!("filter={filter}")).await.ids().len();
    assert_eq!(found("userName+eq+%22a%2Bb@example.com%22").await, 1);
    assert_eq!(found("userName%20eq%20%22a%2Bb@example.com%22").await, 1);
    assert_eq!(found("userName+eq+%22a+b@example.com%22").await, 0);
}

#[tokio::test]
async fn users_of_other_platforms_and_groups_are_never_listed() {
    let server = Server::start().await;
    server.platform.seed_user_elsewhere("elsewhere@example.com", "A", "B");
    let answer = listed(&server, "count=1000").await;
    assert_eq!(answer.ids(), [server.owner_id()]);
    assert_eq!(answer.body["Resources"][0].get("groups"), None::<&Value>);
}

#[tokio::test]
async fn an_unknown_id_or_one_of_another_platform_is_404() {
    let server = Server::start().await;
    let elsewhere = server.platform.seed_user_elsewhere("elsewhere@example.com", "A", "B");
    for id in [UNKNOWN, "short", &elsewhere] {
        let answer = server.get(&format!("{SCIM}/Users/{id}")).await;
        let body = json!({"statusCode": 404, "error": "Not Found", "message": "User not found"});
        assert_eq!((answer.status, answer.body), (404, body), "{id}");
    }
}

#[tokio::test]
async fn a_deactivated_user_is_still_shown() {
    let server = Server::start().await;
    let id = server.seed_inactive("a@example.com", None);
    assert_eq!(server.get(&format!("{SCIM}/Users/{id}")).await.body["active"], false);
}

#[tokio::test]
async fn one_request_lists_twenty_thousand_users() {
    let server = Server::start().await;
    for number in 0..20_000 {
        server.seed(&format!("user{number}@example.com"), None);
    }
    let answer = listed(&server, "count=100000").await;
    assert_eq!(answer.ids().len(), 20_001);
}
