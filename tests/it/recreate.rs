//! Accounts of users whose e-mail address changed, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeMap;
use std::time::Duration;

use oktapieces_sandbox::activepieces::Contents;
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::SeedUser;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::{Outcome, Stage};

const NOBODY: Shape = Shape::Generated { users: 0, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 3 };
const NAMES: [&str; 2] = ["ada", "bob"];

fn mail(name: &str) -> String {
    format!("{name}@example.com")
}

/// A company of two users with accounts, both in the pushed group `AP Sales`; ada is Viewer of its project, and of one that an
/// admin made.
struct Company {
    stage: Stage,
    ids: BTreeMap<&'static str, String>,
}

impl Company {
    async fn new() -> Self {
        let stage = Stage::of(NOBODY).await;
        let org = stage.sandbox.org();
        let mut ids = BTreeMap::new();
        for name in NAMES {
            let profile = json!({"login": format!("{name}@login.example.com"), "email": mail(name), "firstName": name, "lastName": "X"});
            let Value::Object(profile) = profile else { panic!("an object") };
            let id = org.seed_user(SeedUser { id: None, status: "ACTIVE".to_owned(), profile });
            org.assign("Activepieces", &id);
            ids.insert(name, id);
        }
        let all: Vec<String> = ids.values().cloned().collect();
        org.seed_group(None, "AP Sales", "OKTA_GROUP", &all);
        stage.reconfigure("platformRole = ", "platformRole = '\"MEMBER\"' # ");
        stage.reconfigure("[safety]", "[lifecycle]\nemail_change = \"recreate\"\n\n[safety]");
        let company = Self { stage, ids };
        company.applies(0).await;
        let platform = company.stage.sandbox.platform();
        let ada = platform.user(&mail("ada")).unwrap().id;
        let sales = platform.projects()[0].id.clone();
        platform.set_project_role(&sales, &ada, "Viewer");
        platform.seed_project("Own", None, &[(ada, "Viewer")]);
        platform.fill_personal_project(
            &mail("ada"),
            Contents { flows: 3, connections: 2, tables: 1, ..Contents::default() },
        );
        company
    }

    async fn applies(&self, code: i32) -> Outcome {
        let applied = self.stage.run(&["apply", "--yes", "--parallelism", "1"]).await;
        assert_eq!(applied.code, code, "{applied:#?}");
        applied
    }

    fn moves(&self, name: &str, address: &str) {
        self.stage.sandbox.org().set_profile(&self.ids[name], "email", mail(address).into());
    }

    /// The open accounts as `lovelace=ada`, each with the user that it is linked to.
    fn open(&self) -> Vec<String> {
        let name_of =
            |id: &str| self.ids.iter().find(|(_, known)| *known == id).map_or("–", |(name, _)| name).to_owned();
        let users = self.stage.sandbox.platform().users().into_iter().filter(|user| user.active);
        let named = users.filter(|user| user.email != "owner@example.com").map(|user| {
            let user_name = user.email.split('@').next().unwrap().to_owned();
            format!("{user_name}={}", name_of(user.external_id.as_deref().unwrap_or_default()))
        });
        let mut named: Vec<String> = named.collect();
        named.sort();
        named
    }

    /// The projects of the account of this address, as `Own=Viewer Sales=Viewer`.
    fn projects(&self, name: &str) -> String {
        let platform = self.stage.sandbox.platform();
        let id = platform.user(&mail(name)).unwrap().id;
        let of = platform
            .projects()
            .into_iter()
            .filter_map(|project| Some(format!("{}={}", project.name, project.members.get(&id)?)));
        of.collect::<Vec<_>>().join(" ")
    }

    /// Kills an apply while it waits for the answer to a write of this method, after so many of them; whether it came so far.
    async fn killed(&self, method: &str, after: usize) -> bool {
        let traffic = self.stage.sandbox.activepieces_traffic();
        let (path, kind) = ("/api/v1/".to_owned(), FaultKind::HangAfter(Duration::from_mins(10)));
        let befallen = traffic.befallen();
        traffic.fault(Fault { method: Some(method.to_owned()), path, kind, after, times: 1 });
        let mut child = self.stage.spawn(&["apply", "--yes", "--parallelism", "1"]);
        while traffic.befallen() == befallen && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let is_killed = traffic.befallen() > befallen;
        child.kill().await.unwrap();
        traffic.mend();
        is_killed
    }

    /// Okta gives this role to these users, and MEMBER to all others.
    fn give(&self, role: &str, names: &str) {
        let config = self.stage.sandbox.config();
        let start = config.find("platformRole").unwrap();
        let end = start + config[start..].find('\n').unwrap();
        let role = format!("platformRole = \"{{{names}}}.contains(user.firstName) ? '{role}' : 'MEMBER'\"");
        self.stage.configure(&format!("{}{role}{}", &config[..start], &config[end..]));
        self.stage.reconfigure("[safety]", "[lifecycle]\nemail_change = \"recreate\"\n\n[safety]");
    }

    fn role(&self, name: &str) -> String {
        self.stage.sandbox.platform().user(&mail(name)).unwrap().role
    }

    async fn is_settled(&self) {
        let plan = self.stage.run(&["plan", "--detailed-exitcode"]).await;
        assert_eq!(plan.code, 0, "{plan:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_account_has_what_the_old_one_had_and_the_plan_names_what_is_lost() {
    let company = Company::new().await;
    company.moves("ada", "lovelace");
    let plan = company.stage.plan().await;
    let op = &plan["users"][0];
    assert_eq!((&op["action"], &op["user_name"]), (&json!("recreate"), &json!(mail("lovelace"))));
    let left = &op["replaces"][0];
    assert_eq!(left["personal"], json!({"flows": 3, "connections": 2, "tables": 1}));
    let copies = json!([["Own", true, "Viewer"], ["Sales", false, "Viewer"]]);
    let listed = left["copies"].as_array().unwrap().iter();
    assert_eq!(listed.map(|copy| json!([copy["name"], copy["joins"], copy["role"]])).collect::<Value>(), copies);
    assert_eq!((&plan["totals"]["recreate"], &plan["welcome_emails"]), (&json!(1), &json!(1)));
    let text = company.stage.run(&["plan"]).await.stdout;
    for part in [
        "* recreate",
        "the account ada@example.com is closed",
        "its personal project stays behind and can't be moved: 3 flows, 2 connections, 1 table",
        "joins Own (Viewer)",
        "keeps the project role in Sales (Viewer)",
        "the e-mail address changed in Okta",
        "users 1 to recreate",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let csv = company.stage.run(&["plan", "--csv"]).await.stdout;
    let row = r#""user","recreate","lovelace@example.com","","userName","ada@example.com","lovelace@example.com""#;
    assert!(csv.contains(row), "{csv}");
    company.applies(0).await;
    assert_eq!(company.open(), ["bob=bob", "lovelace=ada"]);
    assert_eq!(company.projects("lovelace"), "Own=Viewer Sales=Viewer");
    assert_eq!(company.stage.sandbox.platform().mails().last().unwrap(), &mail("lovelace"));
    company.is_settled().await;
    let run = company.stage.run(&["history", "--json"]).await.json()["runs"][1]["id"].to_string();
    let shown = company.stage.run(&["show", &run, "--json"]).await.json();
    assert_eq!(shown["users"][0]["result"]["outcome"], "done", "{shown:#}");
    let undone = company.stage.run(&["undo", &run, "--yes"]).await;
    assert_eq!(undone.code, 0, "{undone:#?}");
    assert_eq!(company.open(), ["ada=ada", "bob=bob"]);
    assert_eq!(company.projects("ada"), "Own=Viewer Sales=Viewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_at_any_write_is_completed_by_the_next_one() {
    // The link, two projects and the old account; the account and two project roles.
    for (method, writes) in [("PATCH", 4), ("POST", 3)] {
        for after in 0..writes {
            let company = Company::new().await;
            company.moves("ada", "lovelace");
            assert!(company.killed(method, after).await, "{method} {after}");
            let open = company.open();
            assert!(open.contains(&"bob=bob".to_owned()) && open.len() <= 3, "{method} {after}: {open:?}");
            let next = company.applies(0).await;
            assert!(next.stderr.contains("was cut short"), "{next:#?}");
            assert_eq!(company.open(), ["bob=bob", "lovelace=ada"], "{method} {after}: {next:#?}");
            assert_eq!(company.projects("lovelace"), "Own=Viewer Sales=Viewer", "{method} {after}: {next:#?}");
            company.is_settled().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_suspended_after_a_killed_run_has_no_open_account() {
    for (method, after) in [("PATCH", 0), ("POST", 0), ("PATCH", 1)] {
        let company = Company::new().await;
        company.moves("ada", "lovelace");
        assert!(company.killed(method, after).await);
        company.stage.sandbox.org().set_status(&company.ids["ada"], "SUSPENDED");
        company.applies(0).await;
        assert_eq!(company.open(), ["bob=bob"], "{method} {after}");
        company.is_settled().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_who_swap_addresses_swap_accounts_also_over_a_killed_run() {
    for killed_after in [None, Some(0), Some(1), Some(2)] {
        let company = Company::new().await;
        company.moves("ada", "bob");
        company.moves("bob", "ada");
        let text = company.stage.run(&["plan"]).await.stdout;
        assert!(text.contains("the account ada@example.com goes to bob@login.example.com"), "{text}");
        assert!(text.contains("its personal project goes with it: 3 flows, 2 connections, 1 table"), "{text}");
        if let Some(after) = killed_after {
            assert!(company.killed("PATCH", after).await);
        }
        company.applies(0).await;
        assert_eq!(company.open(), ["ada=bob", "bob=ada"], "{killed_after:?}");
        company.is_settled().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_is_refused_and_the_flag_allows_exactly_that() {
    let company = Company::new().await;
    company.stage.reconfigure("[safety]", "[safety]\nmax_recreations = 1");
    company.moves("ada", "lovelace");
    company.moves("bob", "dylan");
    let refused = company.applies(5).await;
    assert!(refused.stderr.contains("--allow-recreations 2 allows exactly this"), "{refused:#?}");
    assert_eq!(company.open(), ["ada=ada", "bob=bob"]);
    let allowed = company.stage.run(&["apply", "--yes", "--allow-recreations", "2"]).await;
    assert_eq!(allowed.code, 0, "{allowed:#?}");
    assert_eq!(company.open(), ["dylan=bob", "lovelace=ada"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_the_user_made_by_signing_in_is_adopted() {
    let company = Company::new().await;
    company.moves("ada", "lovelace");
    let platform = company.stage.sandbox.platform();
    platform.seed_user(oktapieces_sandbox::activepieces::SeedUser {
        email: mail("lovelace"),
        first_name: "ada".to_owned(),
        last_name: "X".to_owned(),
        external_id: None,
        role: "MEMBER".to_owned(),
        active: true,
    });
    company.applies(0).await;
    assert_eq!(company.open(), ["bob=bob", "lovelace=ada"]);
    assert_eq!(company.projects("lovelace"), "Own=Viewer Sales=Viewer");
    assert_eq!(platform.mails().len(), 2, "no other welcome e-mail");
    company.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_account_stays_until_its_memberships_are_on_the_new_one() {
    let company = Company::new().await;
    company.give("OPERATOR", "'ada'");
    company.applies(0).await;
    company.moves("ada", "lovelace");
    company.stage.sandbox.platform().configure(|settings| settings.roles_stay = true);
    let kept = company.applies(3).await;
    assert_eq!(company.open(), ["ada=–", "bob=bob", "lovelace=ada"], "{kept:#?}");
    company.stage.sandbox.platform().configure(|settings| settings.roles_stay = false);
    company.applies(0).await;
    assert_eq!(
        (company.open(), company.role("lovelace").as_str()),
        (vec!["bob=bob".to_owned(), "lovelace=ada".to_owned()], "OPERATOR")
    );
    assert_eq!(company.projects("lovelace"), "Own=Viewer Sales=Viewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_account_of_an_admin_stays_until_the_new_one_is_admin() {
    let company = Company::new().await;
    company.give("ADMIN", "'ada'");
    let allowed = ["apply", "--yes", "--allow-new-admins", "1"];
    assert_eq!(company.stage.run(&allowed).await.code, 0);
    company.moves("ada", "lovelace");
    let platform = company.stage.sandbox.platform();
    platform.seed_user(oktapieces_sandbox::activepieces::SeedUser {
        email: mail("lovelace"),
        first_name: "ada".to_owned(),
        last_name: "X".to_owned(),
        external_id: None,
        role: "MEMBER".to_owned(),
        active: true,
    });
    platform.configure(|settings| settings.roles_stay = true);
    let kept = company.stage.run(&allowed).await;
    assert_eq!((kept.code, company.role("lovelace").as_str()), (3, "MEMBER"), "{kept:#?}");
    assert_eq!(
        (company.open(), company.role("ada").as_str()),
        (vec!["ada=–".to_owned(), "bob=bob".to_owned(), "lovelace=ada".to_owned()], "ADMIN")
    );
    platform.configure(|settings| settings.roles_stay = false);
    let done = company.stage.run(&allowed).await;
    assert_eq!((done.code, company.role("lovelace").as_str()), (0, "ADMIN"), "{done:#?}");
    assert_eq!(company.open(), ["bob=bob", "lovelace=ada"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_account_of_the_last_admin_is_closed_where_no_other_became_one() {
    let company = Company::new().await;
    company.give("ADMIN", "'ada'");
    let allowed = ["apply", "--yes", "--allow-new-admins", "1"];
    assert_eq!(company.stage.run(&allowed).await.code, 0);
    let platform = company.stage.sandbox.platform();
    platform.set_role(&platform.user("owner@example.com").unwrap().id, "MEMBER");
    company.moves("ada", "lovelace");
    assert!(company.killed("POST", 0).await);
    company.give("ADMIN", "'bob'");
    company.stage.sandbox.org().set_status(&company.ids["ada"], "SUSPENDED");
    platform.configure(|settings| settings.roles_stay = true);
    let kept = company.stage.run(&allowed).await;
    assert_eq!(kept.code, 3, "{kept:#?}");
    assert_eq!(company.open(), ["ada=–", "bob=bob", "lovelace=ada"], "{kept:#?}");
    assert!(kept.stdout.contains("no other was created"), "{kept:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_gives_the_same_plan_in_the_middle_of_it() {
    let company = Company::new().await;
    company.moves("ada", "lovelace");
    assert!(company.killed("PATCH", 0).await);
    for flags in [&["--redact"][..], &[]] {
        let exported = company.stage.run(&[&["export", "snapshot.json"], flags].concat()).await;
        assert_eq!(exported.code, 0, "{exported:#?}");
        let from = company.stage.run(&["plan", "--from", "snapshot.json", "--json"]).await.json();
        assert_eq!(from["totals"]["recreate"], 1, "{from:#}");
    }
}
