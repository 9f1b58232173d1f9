//! What expressions ask Okta for, by the real binary: read when asked for, and not otherwise.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use oktapieces_sandbox::company::{APP, Shape};
use serde_json::{Map, Value, json};

use crate::support::Stage;

const SHAPE: Shape = Shape::Generated { users: 12, groups: 1, members: 3, existing: 0.0, drift: 0.0, seed: 5 };

fn profile(value: Value) -> Map<String, Value> {
    let Value::Object(profile) = value else { panic!("an object was written") };
    profile
}

/// The logins and ids of all users in scope, sorted by login.
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
pub async fn org() -> (Stage, Vec<(String, String)>) {
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
        ("active_directory.hasDirectoryUser()", first, "true"),
        ("active_directory.findDirectoryUser() == null", last, "true"),
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
        ("zendesk.role", "unknown name zendesk"),
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
    // A user in scope may have an account already; no user is asked for twice.
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

/// The config without expressions of its own, and with Okta's in their place.
pub fn from_okta(stage: &Stage, more: &str) {
    let config = stage.sandbox.config();
    let start = config.find("[attributes]").unwrap();
    let end = start + config[start..].find("\n[").unwrap();
    stage.configure(&format!("{}[attributes]\nfrom_okta = true\n{more}\n{}", &config[..start], &config[end..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mapping_that_stands_in_okta_is_used_and_the_plan_says_so() {
    let stage = Stage::of(SHAPE).await;
    let people = people(&stage).await;
    from_okta(&stage, "");
    let org = stage.sandbox.org();
    org.set_mapping(APP, "platformRole", "String.startsWith(user.login, 'x') ? 'ADMIN' : 'OPERATOR'", "PUSH");
    org.set_mapping(APP, "givenName", "String.toUpperCase(user.firstName)", "DONT_PUSH");
    org.set_mapping(APP, "familyName", "", "PUSH");
    let plan = stage.run(&["plan"]).await;
    assert!(
        plan.stdout.contains("displayName, email, givenName, platformRole: Okta's profile mapping prm"),
        "{plan:?}"
    );
    assert!(plan.stdout.contains("familyName: not mapped"), "{plan:?}");
    assert!(plan.stdout.contains("userName: the user name format of the Okta app"), "{plan:?}");
    let applied = stage.run(&["apply", "--yes"]).await;
    assert_eq!(applied.code, 0, "{applied:?}");
    let accounts = stage.sandbox.platform().users();
    let first = accounts.iter().find(|account| account.email == people[0].0).unwrap();
    assert_eq!(first.role, "OPERATOR");
    assert_eq!(first.first_name, first.first_name.to_uppercase());
    // What is only set when an account is made isn't touched later, and what isn't mapped never is.
    org.set_mapping(APP, "givenName", "'Somebody'", "DONT_PUSH");
    org.set_mapping(APP, "platformRole", "'ADMIN'", "DONT_PUSH");
    let again = stage.run(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.total().starts_with("No changes: "), "{again:?}");
    // A key in the file wins.
    from_okta(&stage, "platformRole = '\"MEMBER\"'");
    let plan = stage.plan().await;
    assert_eq!(plan["expressions"]["platformRole"], "config.toml:14");
    let role = &plan["users"][0]["changes"][0];
    assert_eq!((&role["attribute"], &role["to"]), (&json!("platformRole"), &json!("MEMBER")), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_okta_is_listed_with_a_verdict_and_refused_by_name_where_it_cannot_run() {
    let stage = Stage::of(SHAPE).await;
    let good = stage.run(&["eval", "--from-okta"]).await;
    assert_eq!(good.code, 0, "{good:?}");
    from_okta(&stage, "");
    let org = stage.sandbox.org();
    org.set_mapping(APP, "platformRole", "session.amr == 'x' ? 'ADMIN' : 'MEMBER'", "PUSH");
    org.set_mapping(APP, "givenName", "String.upper(user.firstName)", "PUSH");
    org.set_mapping(APP, "familyName", "user.lastname", "PUSH");
    org.set_mapping(APP, "nickName", "user.nickName", "PUSH");
    let listed = stage.run(&["eval", "--from-okta", "--json"]).await;
    assert_eq!(listed.code, 1, "{listed:?}");
    let listed = listed.json();
    let verdict = |attribute: &str| {
        let list = listed["expressions"].as_array().unwrap();
        list.iter().find(|listed| listed["attribute"] == attribute).unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    assert!(verdict("platformRole").contains("session exists only in a sign-in"), "{listed}");
    assert!(verdict("givenName").contains("there is no function String.upper()"), "{listed}");
    assert!(verdict("familyName").contains("the user schema has no attribute lastname"), "{listed}");
    assert!(verdict("nickName").contains("keeps no such attribute"), "{listed}");
    assert_eq!(verdict("email"), "runs here");
    let plan = stage.run(&["plan"]).await;
    assert_eq!(plan.code, 78, "{plan:?}");
    for part in ["session exists only", "String.upper()", "no attribute lastname", "a similar one is lastName"] {
        assert!(plan.stderr.contains(part), "{part}: {plan:?}");
    }
    assert_eq!(stage.sandbox.platform().users().len(), 1, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_that_only_the_schema_shows_have_their_carets_in_the_file() {
    let stage = Stage::of(SHAPE).await;
    let config = stage.sandbox.config();
    let start = config.find("[attributes]").unwrap();
    let end = start + config[start..].find("\n[").unwrap();
    let keys =
        "[attributes]\ngivenName = \"user.firstname\"\nplatformRole = 'user.login == \"x\" ? \"ADMIN\" : \"OWNER\"'\n";
    stage.configure(&format!("{}{keys}{}", &config[..start], &config[end..]));
    for command in ["plan", "check"] {
        let outcome = stage.run(&[command]).await;
        assert_eq!(outcome.code, 78, "{outcome:?}");
        assert!(
            outcome.stderr.contains("13 | givenName = \"user.firstname\"\n   |              ^^^^^^^^^^^^^^"),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("\"OWNER\""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("2 mistakes"), "{}", outcome.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_is_never_true_is_refused_before_anything_is_written() {
    let stage = Stage::of(SHAPE).await;
    let config = stage.sandbox.config();
    let start = config.find("platformRole").unwrap();
    let end = start + config[start..].find('\n').unwrap();
    let role = |expression: &str| stage.configure(&format!("{}{expression}{}", &config[..start], &config[end..]));
    let accounts = stage.sandbox.platform().users().len();
    role("platformRole = 'user.login == 5 ? \"ADMIN\" : \"MEMBER\"'");
    for command in [&["check"][..], &["plan"], &["apply", "--yes"]] {
        let outcome = stage.run(command).await;
        assert_eq!(outcome.code, 78, "{outcome:?}");
        assert!(outcome.stderr.contains("this is always false: a string never equals an integer"), "{outcome:?}");
        assert!(outcome.stderr.contains("^^^^^^^^^^^^^^^"), "{outcome:?}");
    }
    assert_eq!(stage.sandbox.platform().users().len(), accounts, "nothing is written");
    role("platformRole = 'isMemberOfGroupName(\"none\") ? \"ADMIN\" : null'");
    let summary = stage.run(&["eval", "--summary"]).await;
    assert!(summary.code == 0 && summary.stdout.contains("0 MEMBER, "), "{summary:?}");
    assert!(summary.stdout.contains(" null, 0 problems."), "{summary:?}");
    let outcome = stage.run(&["apply", "--yes"]).await;
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(stage.sandbox.platform().users().len() > accounts, "a user without a role gets an account");
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_of_the_app_are_checked_against_its_schema_and_the_profiles_of_its_users() {
    let stage = Stage::of(SHAPE).await;
    let config = stage.sandbox.config();
    let start = config.find("platformRole").unwrap();
    let end = start + config[start..].find('\n').unwrap();
    let role = |expression: &str| {
        let role = format!("platformRole = '{expression} == \"x\" ? \"ADMIN\" : \"MEMBER\"'");
        stage.configure(&format!("{}{role}{}", &config[..start], &config[end..]));
    };
    let route = "/api/v1/meta/schemas/apps/";
    let schemas = || {
        let counts = stage.sandbox.okta_traffic().counts();
        counts.iter().filter(|(path, _)| path.contains(route)).map(|(_, count)| count).sum::<u64>()
    };
    role("user.login");
    assert_eq!((stage.run(&["plan"]).await.code, schemas()), (0, 0), "it is read where an expression needs it");
    for name in ["appuser.userName", "appUser[\"platformRole\"]"] {
        role(name);
        assert_eq!(stage.run(&["check"]).await.code, 0, "{name}");
    }
    role("appuser.builderRole");
    for command in [&["check"][..], &["plan"], &["apply", "--yes"]] {
        let before = schemas();
        let outcome = stage.run(command).await;
        assert_eq!(outcome.code, 78, "{outcome:?}");
        assert!(outcome.stderr.contains("the schema of the app has no attribute builderRole"), "{outcome:?}");
        assert!(outcome.stderr.contains("^^^^^^^^^^^^^^^^^^^"), "{outcome:?}");
        assert_eq!(schemas(), before + 1, "{command:?}");
    }
    let (org, profile) = (stage.sandbox.org(), profile(json!({"builderRole": "y"})));
    let user = org.assigned("Activepieces").into_iter().next().unwrap();
    org.import("Activepieces", &user, profile);
    let plan = stage.run(&["plan"]).await;
    assert_eq!(plan.code, 0, "a profile has it: {plan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_is_no_app_is_an_error() {
    let (stage, people) = org().await;
    for expression in ["nonsense.hasDirectoryUser()", "'foo'.hasDirectoryUser()", "user.hasWorkdayUser()"] {
        let outcome = stage.run(&["eval", expression, "--user", &people[0].0]).await;
        assert!([1, 78].contains(&outcome.code), "{expression}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mapping_tests_name_logins_and_count_roles() {
    let stage = Stage::of(SHAPE).await;
    let people = people(&stage).await;
    let config = stage.sandbox.config();
    let start = config.find("platformRole").unwrap();
    let end = start + config[start..].find('\n').unwrap();
    let expression = format!("platformRole = '''user.login == \"{}\" ? \"ADMIN\" : \"MEMBER\"'''", people[0].0);
    stage.configure(&format!("{}{expression}{}", &config[..start], &config[end..]));
    let cases =
        format!("login,expected role\n{},ADMIN\n\"{}\",ADMIN\nnobody@example.com,error\n", people[0].0, people[1].0);
    std::fs::write(stage.folder().join("cases.csv"), cases).unwrap();
    let outcome = stage.run(&["eval", "--cases", "cases.csv", "--summary"]).await;
    assert_eq!(outcome.code, 1, "{outcome:?}");
    let expected = format!("line 3: {}\n  expected ADMIN\n  gives    MEMBER\n3 cases, 1 difference.", people[1].0);
    assert!(outcome.stdout.contains(&expected), "{outcome:?}");
    assert!(outcome.stdout.contains("1 ADMIN, 0 OPERATOR, "), "{outcome:?}");
    assert!(outcome.total().ends_with(" MEMBER, 0 problems."), "{outcome:?}");
    for (text, told) in [
        (b"login;role\r\na@example.com;ADMIN\r\n".as_slice(), "cases.csv:1: the fields are separated by semicolons"),
        (b"\xff\xfea\0,\0".as_slice(), "the file is in UTF-16"),
        (b"\xef\xbb\xbflogin,role\r\n\r\na@example.com,GOD\r\n".as_slice(), "cases.csv:3: "),
    ] {
        std::fs::write(stage.folder().join("cases.csv"), text).unwrap();
        let outcome = stage.run(&["eval", "--cases", "cases.csv"]).await;
        assert!(outcome.code == 78 && outcome.stderr.contains(told), "{told}: {outcome:?}");
    }
    std::fs::write(stage.folder().join("cases.csv"), "a@example.com,OWNER\n,ADMIN\nb@example.com\n").unwrap();
    let outcome = stage.run(&["eval", "--cases", "cases.csv"]).await;
    assert_eq!(outcome.code, 78, "{outcome:?}");
    for line in ["cases.csv:1: ", "cases.csv:2: ", "cases.csv:3: "] {
        assert!(outcome.stderr.contains(line), "{line}: {outcome:?}");
    }
}
