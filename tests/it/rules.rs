//! Which groups make which projects: several groups, filters, Okta's group push, named projects and swaps, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::SeedUser;
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::support::{Outcome, Stage, operations};

const NOBODY: Shape = Shape::Generated { users: 0, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 3 };
const RULE: &str = "[[projects]]\nmatch = '^AP (.+)$'\nname = \"$1\"\n";
const APP: &str = "Activepieces";

/// A company with ada and bob in `AP EMEA`, bob and cy in `AP US`, and cy in `Field`, which was imported.
struct Company {
    stage: Stage,
    groups: BTreeMap<&'static str, String>,
}

/// A user of the app in no group, by the id.
fn person(stage: &Stage, name: &str) -> String {
    let mail = format!("{name}@example.com");
    let Value::Object(profile) = json!({"login": mail, "email": mail, "firstName": name, "lastName": "X"}) else {
        panic!("an object");
    };
    let org = stage.sandbox.org();
    let id = org.seed_user(SeedUser { id: None, status: "ACTIVE".to_owned(), profile });
    org.assign(APP, &id);
    id
}

impl Company {
    /// The entries take the place of the sandbox's own.
    async fn with(entries: &str) -> Self {
        let stage = Stage::of(NOBODY).await;
        let org = stage.sandbox.org();
        let mut ids = BTreeMap::new();
        for name in ["ada", "bob", "cy"] {
            ids.insert(name, person(&stage, name));
        }
        let group = |name: &str, kind: &str, members: &[&str]| {
            let members: Vec<String> = members.iter().map(|name| ids[name].clone()).collect();
            org.seed_group(None, name, kind, &members)
        };
        let groups = [
            ("emea", group("AP EMEA", "OKTA_GROUP", &["ada", "bob"])),
            ("us", group("AP US", "OKTA_GROUP", &["bob", "cy"])),
            ("field", group("Field", "APP_GROUP", &["cy"])),
        ];
        stage.reconfigure("platformRole = ", "# ");
        let company = Self { stage, groups: groups.into() };
        company.rules(entries);
        company
    }

    /// Replaces the entries of the config.
    fn rules(&self, entries: &str) {
        let config = self.stage.sandbox.config().replace("platformRole = ", "# ");
        assert!(config.contains(RULE), "{config}");
        self.stage.configure(&config.replace(RULE, entries));
    }

    async fn applies(&self, code: i32) -> Outcome {
        let applied = self.stage.run(&["apply", "--yes"]).await;
        assert_eq!(applied.code, code, "{applied:#?}");
        applied
    }

    /// Nothing is left to do.
    async fn is_settled(&self) {
        let plan = self.stage.plan().await;
        assert_eq!(operations(&plan), 0, "{plan:#}");
    }

    /// The projects as `Sales [emea]: ada=Editor bob=Editor`, by name.
    fn projects(&self) -> Vec<String> {
        let platform = self.stage.sandbox.platform();
        let names: BTreeMap<_, _> = platform.users().into_iter().map(|user| (user.id, user.email)).collect();
        let mut shown = Vec::new();
        for project in platform.projects() {
            let mut members: Vec<String> = project
                .members
                .iter()
                .map(|(id, role)| format!("{}={role}", &names[id].split('@').next().unwrap()))
                .collect();
            members.sort();
            let mut link = project.external_id.unwrap_or_default();
            for (name, id) in &self.groups {
                link = link.replace(id.as_str(), name);
            }
            shown.push(format!("{} [{link}]: {}", project.name, members.join(" ")));
        }
        shown.sort();
        shown
    }
}

fn kinds(plan: &Value) -> Vec<&str> {
    plan["problems"].as_array().unwrap().iter().map(|problem| problem["kind"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_groups_make_one_project_with_the_highest_role_of_each_member() {
    let company = Company::with("[[projects]]\ngroup = \"AP EMEA\"\nproject = \"Sales\"\nrole = \"Viewer\"\n\n[[projects]]\ngroup = \"AP US\"\nproject = \"Sales\"\nrole = \"Admin\"\n").await;
    company.applies(0).await;
    assert_eq!(company.projects(), ["Sales [emea]: ada=Viewer bob=Admin cy=Admin"]);
    company.is_settled().await;
    // Another order and another spelling make no second project.
    company.rules("[[projects]]\ngroups = [\"AP US\", \"AP EMEA\"]\nproject = \"Sales\"\n");
    company.is_settled().await;
    // A user who left one of the groups stays by the other.
    let org = company.stage.sandbox.org();
    let (bob, cy) = (org.user_id("bob@example.com").unwrap(), org.user_id("cy@example.com").unwrap());
    org.remove_member(&company.groups["us"], &bob);
    org.remove_member(&company.groups["us"], &cy);
    company.applies(0).await;
    assert_eq!(company.projects(), ["Sales [emea]: ada=Viewer bob=Admin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_several_groups_loses_no_member_for_a_group_that_is_not_found() {
    let company = Company::with("[[projects]]\ngroups = [\"AP EMEA\", \"AP US\"]\nproject = \"Sales\"\n").await;
    company.applies(0).await;
    company.stage.sandbox.org().rename_group(&company.groups["us"], "AP Americas");
    let plan = company.stage.plan().await;
    assert_eq!((operations(&plan), kinds(&plan)), (0, vec!["group_not_found"]), "{plan:#}");
    company.applies(3).await;
    // The linked group is deleted, and the config no longer names it: the project stays, for the other group.
    company.stage.sandbox.org().delete_group(&company.groups["emea"]);
    company.rules(
        "[[projects]]\ngroups = [\"AP Americas\"]\nproject = \"Sales\"\n\n[projects_policy]\ndelete_unpushed = true\n",
    );
    company.applies(0).await;
    assert_eq!(company.projects(), ["Sales [us]: bob=Editor cy=Editor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_taken_by_pattern_type_and_exclusion() {
    for (more, expected) in [
        ("type = \"APP_GROUP\"", vec!["Field [field]: cy=Editor"]),
        ("exclude = [\"Field\"]\nexclude_match = 'US$'", vec!["AP EMEA [emea]: ada=Editor bob=Editor"]),
    ] {
        let company = Company::with(&format!("[[projects]]\nmatch = '.'\n{more}\n")).await;
        company.applies(0).await;
        assert_eq!(company.projects(), expected, "{more}");
        company.is_settled().await;
    }
    let company = Company::with("[[projects]]\nmatch = '^AP'\nexclude = [\"AP Gone\"]\n").await;
    let plan = company.stage.run(&["plan"]).await;
    assert!(plan.stderr.contains("\"AP Gone\", so `exclude` leaves out nothing"), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_that_oktas_app_pushes_need_no_list() {
    let company = Company::with("[[projects]]\ngroup_push = \"from_okta\"\nname = \"Team $0\"\n").await;
    let org = company.stage.sandbox.org();
    org.push_group(APP, &company.groups["us"]);
    org.push_group(APP, &company.groups["field"]);
    company.applies(0).await;
    assert_eq!(company.projects(), ["Team AP US [us]: bob=Editor cy=Editor", "Team Field [field]: cy=Editor"]);
    company.is_settled().await;
    // A snapshot has what it needs.
    let exported = company.stage.run(&["export", "snapshot.json"]).await;
    assert_eq!(exported.code, 0, "{exported:#?}");
    let offline = company.stage.run(&["plan", "--from", "snapshot.json", "--json"]).await.json();
    assert_eq!(operations(&offline), 0, "{offline:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_project_is_linked_by_name_or_id_and_two_groups_swap_theirs() {
    let company = Company::with("").await;
    let platform = company.stage.sandbox.platform();
    let id = platform.seed_project("Europe", None, &[]);
    platform.seed_flows(&id, 3);
    let rules = |emea: &str, us: &str| {
        format!(
            "[[projects]]\ngroup = \"AP EMEA\"\nproject = \"{emea}\"\n\n[[projects]]\ngroup = \"AP US\"\nproject = \"{us}\"\n"
        )
    };
    company.rules(&rules(&id, "America"));
    company.applies(0).await;
    let before = ["America [us]: bob=Editor cy=Editor", "Europe [emea]: ada=Editor bob=Editor"];
    assert_eq!(company.projects(), before);
    company.rules(&rules("America", "Europe"));
    let plan = company.stage.plan().await;
    let actions = plan["projects"].as_array().unwrap().iter().map(|op| op["action"]["relink"]["is_named"].clone());
    assert_eq!(actions.collect::<Vec<_>>(), [true, true], "{plan:#}");
    company.applies(0).await;
    assert_eq!(company.projects(), ["America [emea]: ada=Editor bob=Editor", "Europe [us]: bob=Editor cy=Editor"]);
    company.is_settled().await;
    assert!(platform.projects().iter().any(|project| project.id == id && project.name == "Europe"));
    // Another group takes the project over, with what is in it.
    company.rules("[[projects]]\ngroup = \"Field\"\nproject = \"Europe\"\n");
    company.applies(0).await;
    let after = ["America [emea]: ada=Editor bob=Editor", "Europe [field]: cy=Editor"];
    assert_eq!(company.projects(), after, "the project of a group that isn't pushed stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_that_is_killed_at_any_write_is_completed_or_goes_back() {
    let rules = |emea: &str, us: &str| {
        format!(
            "[[projects]]\ngroup = \"AP EMEA\"\nproject = \"{emea}\"\n\n[[projects]]\ngroup = \"AP US\"\nproject = \"{us}\"\n"
        )
    };
    let (first, swapped) = (rules("One", "Two"), rules("Two", "One"));
    let before = ["One [emea]: ada=Editor bob=Editor", "Two [us]: bob=Editor cy=Editor"];
    let after = ["One [us]: bob=Editor cy=Editor", "Two [emea]: ada=Editor bob=Editor"];
    let mut halves = BTreeSet::new();
    for (write, completes) in (0..4).flat_map(|write| [(write, true), (write, false)]) {
        let company = Company::with(&first).await;
        company.applies(0).await;
        company.rules(&swapped);
        let traffic = company.stage.sandbox.activepieces_traffic();
        let (path, kind) = ("/api/v1/projects/".to_owned(), FaultKind::HangAfter(Duration::from_mins(10)));
        traffic.fault(Fault { method: Some("POST".to_owned()), path, kind, after: write, times: usize::MAX });
        let mut child = company.stage.spawn(&["apply", "--yes", "--parallelism", "1"]);
        while traffic.befallen() == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the run ended before write {write}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().await.unwrap();
        traffic.mend();
        halves.insert(company.projects().join(", "));
        if !completes {
            company.rules(&first);
        }
        company.applies(0).await;
        assert_eq!(company.projects(), if completes { after } else { before }, "write {write}");
        company.is_settled().await;
    }
    assert!(
        halves.iter().any(|half| half.contains("One [us-moving]") && half.contains("Two [emea-moving]")),
        "{halves:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_a_further_project_and_what_collides_is_named() {
    let entries = "[[projects]]\nmatch = '^AP (.+)$'\nname = \"$1\"\n\n[[projects]]\nmatch = '^AP (.+)$'\nname = \"$1 Prod\"\nalso = \"prod\"\n";
    let company = Company::with(entries).await;
    company.applies(0).await;
    let expected = [
        "EMEA Prod [emea:prod]: ada=Editor bob=Editor",
        "EMEA [emea]: ada=Editor bob=Editor",
        "US Prod [us:prod]: bob=Editor cy=Editor",
        "US [us]: bob=Editor cy=Editor",
    ];
    assert_eq!(company.projects(), expected);
    company.is_settled().await;
    company.rules(&entries.replace("$1 Prod", "$1 Live"));
    company.applies(0).await;
    assert_eq!(company.projects()[0], "EMEA Live [emea:prod]: ada=Editor bob=Editor", "renamed, not made again");
    // The rule is gone: the project stays.
    company.rules(&format!("{RULE}\n[projects_policy]\ndelete_unpushed = true\n"));
    company.is_settled().await;
    let company = Company::with(
        "[[projects]]\ngroup = \"AP US\"\nname = \"X\"\n\n[[projects]]\ngroup = \"Field\"\nname = \"X\"\n",
    )
    .await;
    let plan = company.stage.plan().await;
    assert_eq!(kinds(&plan), ["project_name_twice"; 2]);
}

const TOGETHER: &str = "[[projects]]\ngroups = [\"AP EMEA\", \"AP US\"]\nproject = \"Sales\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_project_of_several_groups_is_explained_by_the_groups_of_the_user() {
    let company = Company::with(TOGETHER).await;
    company.applies(0).await;
    let explained = async |arguments: &[&str]| {
        let outcome = company.stage.run(&[&["explain", "--json"], arguments].concat()).await;
        assert_eq!(outcome.code, 0, "{outcome:#?}");
        outcome.json()
    };
    let cy = explained(&["cy@example.com"]).await;
    let project = &cy["projects"][0];
    assert_eq!((&project["name"], &project["group_name"]), (&json!("Sales"), &json!("AP US")), "{project}");
    assert_eq!((&project["member"], &project["in_group"]), (&json!(true), &json!(true)), "{project}");
    assert_eq!(cy["next_apply"]["memberships"], json!([]), "linked to the other group, which cy isn't in: {cy}");
    let us = explained(&["--group", "AP US"]).await;
    assert_eq!(us["entrants"]["members"], json!(["bob@example.com", "cy@example.com"]), "{us}");
    assert_eq!((&us["project_name"], &us["current_name"]), (&json!("Sales"), &json!("Sales")), "{us}");
    assert!(us["taken_by"][0].as_str().unwrap().starts_with("groups = [\"AP EMEA\", \"AP US\"]"), "{us}");
    let sales = explained(&["--project", "Sales"]).await;
    assert_eq!(sales["group_name"], "AP EMEA or AP US", "{sales}");
    // A user who is in none of the groups any more.
    company.stage.sandbox.org().remove_member(&company.groups["emea"], &id_of(&company, "ada"));
    let ada = explained(&["ada@example.com"]).await;
    assert_eq!(ada["next_apply"]["memberships"][0]["action"], "remove", "{ada}");
}

/// The Okta id of a person.
fn id_of(company: &Company, name: &str) -> String {
    let account = company.stage.sandbox.platform().user(&format!("{name}@example.com")).unwrap();
    account.external_id.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whom_an_admin_added_to_a_project_of_several_groups_is_drift() {
    let company = Company::with(TOGETHER).await;
    let (org, platform) = (company.stage.sandbox.org(), company.stage.sandbox.platform());
    let dan = person(&company.stage, "dan");
    company.applies(0).await;
    let bob = id_of(&company, "bob");
    let drift = async || company.stage.run(&["drift", "--json"]).await;
    assert_eq!(drift().await.code, 0);
    let project = platform.projects().into_iter().find(|project| project.name == "Sales").unwrap();
    platform.set_project_role(&project.id, &platform.user("dan@example.com").unwrap().id, "Editor");
    // And one that Okta removed.
    org.remove_member(&company.groups["emea"], &bob);
    org.remove_member(&company.groups["us"], &bob);
    let found = drift().await;
    let members = found.json()["drift"]["projects"][&company.groups["emea"]]["members"].clone();
    assert_eq!((found.code, members), (2, json!([dan])), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_comes_by_another_group_of_the_rule_is_no_drift() {
    let rule = |group: &str, project: &str| format!("[[projects]]\ngroup = \"{group}\"\nproject = \"{project}\"\n\n");
    let company = Company::with(&(rule("AP EMEA", "Sales") + &rule("AP US", "US"))).await;
    company.applies(0).await;
    company.rules(TOGETHER);
    let drift = company.stage.run(&["drift", "--json"]).await;
    assert_eq!(drift.code, 0, "{drift:#?}");
    company.applies(0).await;
    let expected =
        ["Sales [emea]: ada=Editor bob=Editor cy=Editor", "US [us]: bob=Editor cy=Editor"].map(str::to_owned);
    assert_eq!(company.projects(), expected, "the other project stays as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_goes_on_where_the_value_between_belongs_to_the_other_project() {
    let company = Company::with("").await;
    let platform = company.stage.sandbox.platform();
    platform.seed_project("A", Some(&format!("{}-moving", company.groups["emea"])), &[]);
    platform.seed_project("B", Some(&company.groups["us"]), &[]);
    let rule = |group: &str, project: &str| format!("[[projects]]\ngroup = \"{group}\"\nproject = \"{project}\"\n\n");
    company.rules(&(rule("AP EMEA", "B") + &rule("AP US", "A")));
    let applied = company.stage.run(&["apply", "--yes", "--parallelism", "1"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    assert_eq!(company.projects(), ["A [us]: bob=Editor cy=Editor", "B [emea]: ada=Editor bob=Editor"]);
    company.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_taken_by_a_search_of_their_profiles() {
    let rule =
        "[[projects]]\nsearch = 'profile.department eq \"Sales\"'\nexclude_search = 'profile.stage eq \"old\"'\n";
    let company = Company::with(rule).await;
    let org = company.stage.sandbox.org();
    for (group, attribute, value) in [
        ("emea", "department", "Sales"),
        ("field", "department", "Sales"),
        ("field", "stage", "old"),
        ("us", "department", "Ops"),
    ] {
        org.set_group_profile(&company.groups[group], attribute, json!(value));
    }
    company.applies(0).await;
    assert_eq!(company.projects(), ["AP EMEA [emea]: ada=Editor bob=Editor"]);
    company.is_settled().await;
    let shown = company.stage.run(&["explain", "ada@example.com"]).await;
    assert!(shown.code == 0 && shown.stdout.contains("AP EMEA"), "{shown:#?}");
    // A snapshot holds what the searches found.
    assert_eq!(company.stage.run(&["export", "all.json"]).await.code, 0);
    let planned = company.stage.run(&["plan", "--from", "all.json", "--json"]).await;
    assert_eq!((planned.code, operations(&planned.json())), (0, 0), "{planned:#?}");
    // A group that the search finds no more keeps its project and its members, also where projects are deleted.
    org.set_group_profile(&company.groups["emea"], "department", json!("Ops"));
    company.rules(&format!("{rule}\n[projects_policy]\ndelete_unpushed = true\n"));
    company.is_settled().await;
    assert_eq!(company.projects(), ["AP EMEA [emea]: ada=Editor bob=Editor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_okta_refuses_ends_the_run_and_names_the_line_of_its_rule() {
    let company = Company::with("[[projects]]\nsearch = 'profile.department co \"Sal\"'\n").await;
    for command in [&["plan"][..], &["apply", "--yes"], &["explain", "ada@example.com"]] {
        let refused = company.stage.run(command).await;
        assert_ne!(refused.code, 0, "{refused:#?}");
        for said in ["config.toml:", "[[projects]]: the search of groups", "`co` on profile.name"] {
            assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
        }
    }
    assert!(company.projects().is_empty());
    for (rule, said) in [
        ("[[projects]]\nsearch = ' '\n", "this is empty"),
        (
            "[[projects]]\ngroup = \"AP US\"\nsearch = 'profile.name sw \"AP\"'\n",
            "an entry has `group` or `search`, not both",
        ),
        (
            "[[projects]]\ngroup = \"AP US\"\nexclude_search = 'profile.name sw \"AP\"'\n",
            "this limits `match`, `search` and `group_push`",
        ),
        ("[[projects]]\nsearch = 'profile.name sw \"AP\"'\nproject = \"Sales\"\n", "can't be found by a search"),
    ] {
        company.rules(rule);
        let refused = company.stage.run(&["plan"]).await;
        assert!(refused.code == 78 && refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
}
