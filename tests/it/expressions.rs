//! What expressions ask Okta for, by the real binary: read when asked for, and not otherwise.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use oktapieces::sandbox::company::{APP, Shape};
use serde_json::{Map, Value, json};

use crate::support::Stage;

const SHAPE: Shape = Shape::Generated { users: 12, groups: 1, members: 3, existing: 0.0, drift: 0.0, seed: 5 };

fn profile(value: Value) -> Map<String, Value> {
    let Value::Object(profile) = value else { panic!("an object was written") };
    profile
}

/// The logins and ids of everybody in scope, sorted by login.
async fn people(stage: &Stage) -> Vec<(String, String)> {
    let plan = stage.plan().await;
    let people = plan["users"].as_array().unwrap().iter().filter(|user| user["action"] == "create");
    let mut people: Vec<_> = people
        .map(|user| (user["user_name"].as_str().unwrap().to_owned(), user["okta_id"].as_str().unwrap().to_owned()))
        .collect();
    people.sort();
    assert!(people.len() > 6, "{people:?}");
    people
}

/// An org with a directory, whose first user has the second as his manager, and a linked object the same way.
async fn org() -> (Stage, Vec<(String, String)>) {
    let stage = Stage::of(SHAPE).await;
    let people = people(&stage).await;
    let org = stage.sandbox.org();
    org.seed_named_app("active_directory", "Example AD");
    org.seed_named_app("google", "Google Workspace");
    for (at, (login, id)) in people.iter().enumerate().take(4) {
        let mut entry = profile(json!({"dn": format!("CN={login},DC=Example"), "managerDn": null}));
        if at == 0 {
            entry.insert("managerDn".to_owned(), format!("cn={},dc=example", people[1].0).into());
        }
        org.import("Example AD", id, entry);
    }
    org.import("Google Workspace", &people[1].1, profile(json!({"title": "Boss"})));
    org.import(APP, &people[0].1, profile(json!({"platformRole": "OPERATOR"})));
    org.define_linked_object("mentor");
    org.link("mentor", &people[0].1, &people[2].1);
    (stage, people)
}

#[tokio::test(flavor = "multi_thread")]
async fn eval_reads_what_an_expression_asks_for() {
    let (stage, people) = org().await;
    let (first, last) = (&people[0].0, &people[6].0);
    let cases = [
        ("appuser.platformRole", first, "OPERATOR"),
        ("app.label", first, APP),
        ("org.subDomain + '/' + org.name", first, "example/Example"),
        ("user.getLinkedObject('mentor').login", first, people[2].0.as_str()),
        ("user.getLinkedObject('mentor') == null", last, "true"),
        ("getManagerUser('active_directory').login", first, people[1].0.as_str()),
        ("getManagerUser('active_directory') == null", last, "true"),
        ("getManagerAppUser('active_directory', 'google').title", first, "Boss"),
        ("hasDirectoryUser()", first, "true"),
        ("hasDirectoryUser()", last, "false"),
        ("findDirectoryUser().dn", &people[3].0, &format!("CN={},DC=Example", people[3].0)),
        ("hasWorkdayUser()", first, "false"),
        ("active_directory.dn", first, &format!("CN={first},DC=Example")),
        ("user.created < DateTime.now()", first, "true"),
        ("user.getGroups({'group.type': 'BUILT_IN'}).![description]", first, r#"["All users in your organization"]"#),
    ];
    for (expression, login, expected) in cases {
        let outcome = stage.run(&["eval", expression, "--user", login]).await;
        assert_eq!(outcome.stdout.trim(), expected, "{expression}: {outcome:?}");
    }
    for (expression, part) in [
        ("user.getLinkedObject('mentr')", "isn't defined in Okta"),
        ("getAssistantUser('active_directory')", "wasn't read"),
        ("zendesk.role", "isn't known here"),
    ] {
        let outcome = stage.run(&["eval", expression, "--user", first]).await;
        assert_ne!(outcome.code, 0, "{expression}: {outcome:?}");
        assert!(outcome.stderr.contains(part), "{expression}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_reads_what_expressions_ask_for_once_and_says_how_many_requests_that_took() {
    let (stage, people) = org().await;
    let role = |plan: &Value, login: &str| {
        let users = plan["users"].as_array().unwrap();
        users.iter().find(|user| user["user_name"] == login).unwrap()["attributes"]["platformRole"].clone()
    };
    let before = stage.run(&["plan"]).await;
    assert!(!before.stderr.contains("because expressions ask"), "{before:?}");
    let config = stage.sandbox.config();
    let start = config.find("platformRole").unwrap();
    let end = start + config[start..].find('\n').unwrap();
    let expression = "platformRole = '''getManagerUser(\"active_directory\") != null ? \"ADMIN\" : \
        user.getLinkedObject(\"mentor\") != null or hasDirectoryUser() ? \"OPERATOR\" : \"MEMBER\"'''";
    stage.configure(&format!("{}{expression}{}", &config[..start], &config[end..]));
    let asked = |path: &str| {
        let counts = stage.sandbox.okta_traffic().counts();
        counts
            .iter()
            .filter(|(route, _)| route.contains(path))
            .map(|(_, count)| usize::try_from(*count).unwrap())
            .sum::<usize>()
    };
    let plan = stage.plan().await;
    let linked = asked("linkedObjects");
    // Somebody in scope may have an account already; nobody is asked for twice.
    assert!((people.len() + 1..=12 + 1).contains(&linked), "{linked}");
    assert_eq!(role(&plan, &people[0].0), "ADMIN");
    assert_eq!(role(&plan, &people[1].0), "OPERATOR");
    assert_eq!(role(&plan, &people[6].0), "MEMBER");
    let after = stage.run(&["plan"]).await;
    let said = format!("({} of them because expressions ask for more than profiles)", linked + 2);
    assert!(after.stderr.contains(&said), "{said}: {after:?}");
    let check = stage.run(&["check"]).await;
    assert!(check.stdout.contains(&format!("more than profiles: {} requests more", linked + 2)), "{check:?}");
}
