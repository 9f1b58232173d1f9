//! Okta's search and filter expressions.

use serde_json::json;

use super::support::Server;

/// Three people with logins of one letter.
async fn people() -> Server {
    let server = Server::start().await;
    let profile = |login: &str, department: &str, level: i32, skills: &[&str]| {
        json!({"login": login, "email": format!("{login}@example.com"), "firstName": format!("First-{login}"),
            "department": department, "level": level, "skills": skills})
    };
    server.person("ACTIVE", &profile("a", "IT", 2, &["rust", "scim"]));
    server.person("SUSPENDED", &profile("b", "IT Support", 10, &["scim"]));
    server.person("DEPROVISIONED", &profile("c", "Sales", 3, &[]));
    server
}

/// Each expression with the logins that it finds.
async fn find(server: &Server, cases: &[(&str, &[&str])]) {
    for (search, expected) in cases {
        let page = server.search(search).await;
        assert_eq!((page.status, page.logins().as_slice()), (200, *expected), "{search}");
    }
}

#[tokio::test]
async fn every_operator_compares() {
    let cases: [(&str, &[&str]); 9] = [
        (r#"profile.department eq "IT""#, &["a"]),
        (r#"profile.department sw "IT""#, &["a", "b"]),
        (r#"profile.firstName co "rst-""#, &["a", "b", "c"]),
        (r#"profile.department gt "IT""#, &["b", "c"]),
        (r#"profile.department ge "IT""#, &["a", "b", "c"]),
        (r#"profile.department lt "IT Support""#, &["a"]),
        (r#"profile.department le "IT Support""#, &["a", "b"]),
        ("profile.department pr", &["a", "b", "c"]),
        ("profile.nickName pr", &[]),
    ];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn numbers_compare_as_numbers() {
    let cases: [(&str, &[&str]); 3] =
        [("profile.level gt 3", &["b"]), ("profile.level lt 10", &["a", "c"]), ("profile.level eq 10", &["b"])];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn times_compare() {
    let cases: [(&str, &[&str]); 3] = [
        (r#"lastUpdated gt "2020-01-01T00:00:00.000Z""#, &["a", "b", "c"]),
        (r#"lastUpdated gt "2999-01-01T00:00:00.000Z""#, &[]),
        (r#"created lt "2999-01-01T00:00:00.000Z" and statusChanged pr"#, &["a", "b", "c"]),
    ];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn and_binds_more_than_or() {
    let cases: [(&str, &[&str]); 3] = [
        (r#"profile.login eq "c" or profile.login eq "a" and status eq "SUSPENDED""#, &["c"]),
        (r#"status eq "SUSPENDED" and profile.login eq "a" or profile.login eq "c""#, &["c"]),
        (r#"profile.login eq "a" or profile.login eq "b" or profile.login eq "c""#, &["a", "b", "c"]),
    ];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn parentheses_bind_most() {
    let cases: [(&str, &[&str]); 2] = [
        (r#"(profile.login eq "c" or profile.login eq "b") and status eq "SUSPENDED""#, &["b"]),
        (r#"status pr and ((profile.login eq "a") or (profile.login eq "b" and level pr))"#, &["a"]),
    ];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn values_and_operators_have_no_case_and_names_have() {
    let cases: [(&str, &[&str]); 4] = [
        (r#"profile.department EQ "it" AND status Eq "active""#, &["a"]),
        (r#"profile.department sw "it s""#, &["b"]),
        (r#"profile.Department eq "IT""#, &[]),
        (r#"Status eq "ACTIVE""#, &[]),
    ];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn an_array_is_met_by_one_of_its_values() {
    let cases: [(&str, &[&str]); 5] = [
        (r#"profile.skills eq "scim""#, &["a", "b"]),
        (r#"profile.skills eq "rust" and (created gt "2021-01-01T00:00:00.000Z")"#, &["a"]),
        (r#"profile.skills eq "rust,scim""#, &[]),
        (r#"profile.skills sw "ru""#, &["a"]),
        ("profile.skills pr", &["a", "b"]),
    ];
    find(&people().await, &cases).await;
}

#[tokio::test]
async fn a_backslash_escapes_a_quote() {
    let server = Server::start().await;
    server.person("ACTIVE", &json!({"login": "a", "nickName": r#"The "Boss""#}));
    server.person("ACTIVE", &json!({"login": "b", "nickName": r"back\slash"}));
    let cases: [(&str, &[&str]); 3] = [
        (r#"profile.nickName eq "the \"boss\"""#, &["a"]),
        (r#"profile.nickName sw "The \"""#, &["a"]),
        (r#"profile.nickName eq "back\\slash""#, &["b"]),
    ];
    find(&server, &cases).await;
}

#[tokio::test]
async fn parentheses_and_operators_in_a_value_are_text() {
    let server = Server::start().await;
    server.person("ACTIVE", &json!({"login": "a", "title": "Head (and or eq) of IT"}));
    find(&server, &[(r#"profile.title eq "Head (and or eq) of IT""#, &["a"])]).await;
}

#[tokio::test]
async fn ne_is_refused() {
    let answer = people().await.search(r#"profile.department ne "IT""#).await;
    assert_eq!(answer.failure(), (400, "E0000031"));
    assert_eq!(answer.body["errorSummary"], "Invalid search criteria.");
    assert!(answer.cause().contains("'ne'"), "{}", answer.cause());
}

#[tokio::test]
async fn co_is_for_names_and_addresses_with_three_characters_at_least() {
    let server = people().await;
    find(&server, &[(r#"profile.email co "b@ex""#, &["b"])]).await;
    for search in [r#"profile.department co "Support""#, r#"profile.email co "b@""#] {
        assert_eq!(server.search(search).await.failure(), (400, "E0000031"), "{search}");
    }
}

#[tokio::test]
async fn what_is_no_expression_is_refused() {
    let server = people().await;
    for search in [
        "",
        "status",
        "status eq",
        r#"status eq "ACTIVE"#,
        r#"(status eq "ACTIVE""#,
        r#"status eq "ACTIVE")"#,
        r#"status eq "ACTIVE" and"#,
        r#"not (status eq "ACTIVE")"#,
        r#"status eq "ACTIVE" status eq "STAGED""#,
    ] {
        assert_eq!(server.search(search).await.failure(), (400, "E0000031"), "{search}");
    }
}

#[tokio::test]
async fn a_filter_knows_few_attributes() {
    let server = people().await;
    for (filter, found) in [
        (r#"status eq "SUSPENDED""#, 1),
        (r#"profile.login eq "a" or profile.email eq "c@example.com""#, 2),
        (r#"profile.firstName eq "First-a" and status eq "ACTIVE""#, 1),
        (r#"lastUpdated gt "2020-01-01T00:00:00.000Z""#, 3),
    ] {
        assert_eq!(server.query("users", &[("filter", filter)]).await.items().len(), found, "{filter}");
    }
    for filter in [r#"profile.department eq "IT""#, r#"created gt "2020-01-01T00:00:00.000Z""#, "status pr"] {
        assert_eq!(server.query("users", &[("filter", filter)]).await.failure(), (400, "E0000031"), "{filter}");
    }
}

#[tokio::test]
async fn a_filter_knows_eq_and_inequalities_of_times() {
    let server = people().await;
    for filter in [r#"profile.login sw "a""#, r#"status gt "A""#, r#"profile.firstName co "First""#] {
        assert_eq!(server.query("users", &[("filter", filter)]).await.failure(), (400, "E0000031"), "{filter}");
    }
}

#[tokio::test]
async fn the_case_of_values_counts_in_a_filter() {
    let server = people().await;
    for (filter, found) in [(r#"status eq "ACTIVE""#, 1), (r#"status EQ "ACTIVE""#, 1), (r#"status eq "active""#, 0)] {
        assert_eq!(server.query("users", &[("filter", filter)]).await.items().len(), found, "{filter}");
    }
}

#[tokio::test]
async fn fields_leave_out_what_they_do_not_name_and_stay_in_the_link() {
    let server = people().await;
    let shown = async |fields: &str| {
        let page = server.query("users", &[("search", "profile.login eq \"a\""), ("fields", fields)]).await;
        assert_eq!(page.status, 200);
        assert!(page.link("self").is_some_and(|link| link.contains("fields=id")), "{fields}");
        page.body[0].clone()
    };
    let some = shown("id,status,profile:(login,level,nickName)").await;
    assert_eq!(some, json!({"id": some["id"], "status": "ACTIVE", "profile": {"login": "a", "level": 2}}));
    let whole = shown("id,profile,created").await;
    assert_eq!((whole.as_object().unwrap().len(), &whole["profile"]["department"]), (3, &json!("IT")));
}
