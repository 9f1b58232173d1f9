//! Project roles from Okta, by the real binary.
#![expect(clippy::unwrap_used, reason = "what is missing fails the test")]

use std::collections::BTreeMap;
use std::time::Duration;

use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::{Listing, SeedUser};
use oktapieces_sandbox::serve::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::state::until;
use crate::support::Stage;

const NOBODY: Shape = Shape::Generated { users: 0, groups: 0, members: 0, existing: 0.0, drift: 0.0, seed: 3 };
const NAMES: [&str; 6] = ["ada", "bob", "cy", "dan", "eve", "flo"];
const BY_GROUP: &str = "roles = { Admin = \"Leads\", Viewer = [\"Guests\"] }";
const LIST: &str = "GET /api/v1/project-members";
const SET: &str = "POST /api/v1/project-members/{id}";

/// A company of six users who are all in the pushed group `AP Sales`; ada leads, and eve and flo are guests.
struct Company {
    stage: Stage,
    ids: BTreeMap<&'static str, String>,
    sales: String,
    leads: String,
    guests: String,
}

fn mail(name: &str) -> String {
    format!("{name}@example.com")
}

impl Company {
    /// The keys are those of the rule that pushes the group.
    async fn with(keys: &str) -> Self {
        let stage = Stage::of(NOBODY).await;
        let org = stage.sandbox.org();
        let mut ids = BTreeMap::new();
        for name in NAMES {
            let profile = json!({"login": mail(name), "email": mail(name), "firstName": name, "lastName": "X"});
            let Value::Object(profile) = profile else { panic!("an object") };
            let id = org.seed_user(SeedUser { id: None, status: "ACTIVE".to_owned(), profile });
            org.assign("Activepieces", &id);
            ids.insert(name, id);
        }
        let of = |names: &[&str]| names.iter().map(|name| ids[name].clone()).collect::<Vec<_>>();
        let sales = org.seed_group(None, "AP Sales", "OKTA_GROUP", &of(&NAMES));
        let leads = org.seed_group(None, "Leads", "OKTA_GROUP", &of(&["ada"]));
        let guests = org.seed_group(None, "Guests", "OKTA_GROUP", &of(&["eve", "flo"]));
        // Platform roles stay as they are.
        stage.reconfigure("platformRole = ", "# ");
        stage.reconfigure("name = \"$1\"", &format!("name = \"$1\"\n{keys}"));
        Self { stage, ids, sales, leads, guests }
    }

    /// The same after a first apply.
    async fn applied(keys: &str) -> Self {
        let company = Self::with(keys).await;
        let applied = company.stage.run(&["apply", "--yes"]).await;
        assert_eq!(applied.code, 0, "{applied:#?}");
        company
    }

    /// The project roles as `ada=Admin bob=Editor`, by name.
    fn roles(&self) -> String {
        let platform = self.stage.sandbox.platform();
        let names: BTreeMap<_, _> = platform.users().into_iter().map(|user| (user.id, user.email)).collect();
        let members = platform.projects().into_iter().flat_map(|project| project.members);
        let mut roles: Vec<String> =
            members.map(|(id, role)| format!("{}={role}", names[&id].split('@').next().unwrap_or_default())).collect();
        roles.sort();
        roles.join(" ")
    }

    /// Sets a role as an admin does.
    fn set(&self, name: &str, role: &str) {
        let platform = self.stage.sandbox.platform();
        let (project, user) = (platform.projects()[0].id.clone(), platform.user(&mail(name)).unwrap().id);
        platform.set_project_role(&project, &user, role);
    }

    /// The changes of roles on a plan: `bob: Editor → Viewer (group Guests)`.
    async fn changes(&self) -> Vec<String> {
        changes(&self.stage.plan().await)
    }

    async fn applies(&self, code: i32) -> crate::support::Outcome {
        let applied = self.stage.run(&["apply", "--yes"]).await;
        assert_eq!(applied.code, code, "{applied:#?}");
        applied
    }

    async fn is_settled(&self) {
        let plan = self.stage.run(&["plan", "--detailed-exitcode"]).await;
        assert_eq!(plan.code, 0, "{plan:#?}");
    }
}

fn changes(plan: &Value) -> Vec<String> {
    let changes = plan["projects"].as_array().unwrap().iter().filter_map(|op| op["roles"].as_array()).flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    changes
        .map(|change| {
            let name = text(&change["user_name"]).replace("@example.com", "");
            format!("{name}: {} → {} ({})", text(&change["from"]), text(&change["to"]), text(&change["reason"]))
        })
        .collect()
}

fn problems(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problems = plan["problems"].as_array().unwrap().iter();
    problems.map(|problem| (text(&problem["kind"]), text(&problem["message"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_of_the_config_gives_new_members_their_roles_and_settles() {
    let everybody = |role: &str| NAMES.map(|name| format!("{name}={role}")).join(" ");
    let by_group = "ada=Admin bob=Editor cy=Editor dan=Editor eve=Viewer flo=Viewer".to_owned();
    for (keys, expected) in [
        ("", everybody("Editor")),
        ("role = \"viewer\"", everybody("Viewer")),
        (BY_GROUP, by_group.clone()),
        ("roles = { VIEWER = \"Guests\", admin = \"Leads\" }\nrole = \"Editor\"", by_group),
        (
            "roles = { Admin = \"Leads\" }\nrole = \"Viewer\"",
            "ada=Admin bob=Viewer cy=Viewer dan=Viewer eve=Viewer flo=Viewer".to_owned(),
        ),
        (
            "role = 'isMemberOfGroupName(\"Leads\") ? \"Admin\" : user.firstName == \"bob\" ? null : \"Viewer\"'",
            "ada=Admin bob=Editor cy=Viewer dan=Viewer eve=Viewer flo=Viewer".to_owned(),
        ),
        ("role = '\"Viewer\"'", everybody("Viewer")),
    ] {
        let company = Company::applied(keys).await;
        assert_eq!(company.roles(), expected, "{keys}");
        company.is_settled().await;
        let sent = company.stage.sandbox.activepieces_traffic().count("POST /api/v1/user-invitations");
        assert_eq!(sent, 0, "an invitation would mail each member");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_role_counts_and_custom_roles_need_an_order() {
    let company = Company::with("roles = { Lead = \"Leads\", Viewer = \"AP Sales\" }").await;
    company.stage.sandbox.platform().add_project_role("Lead");
    let refused = company.stage.run(&["plan"]).await;
    assert_eq!(refused.code, 78, "{refused:#?}");
    assert!(refused.stderr.contains("`Lead` is higher than the others") && refused.stderr.contains("role_order"));
    company.stage.reconfigure("[safety]", "[projects_policy]\nrole_order = [\"Lead\", \"Viewer\"]\n\n[safety]");
    company.applies(0).await;
    assert_eq!(company.roles(), "ada=Lead bob=Viewer cy=Viewer dan=Viewer eve=Viewer flo=Viewer");
    company.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_role_in_the_config_no_request_is_about_roles() {
    let company = Company::applied("").await;
    company.set("bob", "Viewer");
    company.is_settled().await;
    let counts = company.stage.sandbox.activepieces_traffic().counts();
    let about_roles: Vec<_> =
        counts.keys().filter(|route| route.contains("project-members") || route.contains("project-roles")).collect();
    assert_eq!(about_roles, Vec::<&String>::new());
    assert_eq!(company.roles(), "ada=Editor bob=Viewer cy=Editor dan=Editor eve=Editor flo=Editor");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_read_by_one_request_a_role_and_set_by_one_a_member() {
    let company = Company::applied(BY_GROUP).await;
    let traffic = company.stage.sandbox.activepieces_traffic();
    // Three of the six don't get the server's default; the members are listed once.
    assert_eq!((traffic.count(SET), traffic.count(LIST)), (3, 1));
    let before = traffic.counts();
    company.is_settled().await;
    let new = |route: &str| traffic.counts()[route] - before.get(route).copied().unwrap_or_default();
    assert_eq!(new("GET /api/v1/project-roles"), 1);
    assert_eq!(new("GET /api/v1/project-roles/{id}/project-members"), 3, "Admin, Editor and Viewer");
    assert_eq!(traffic.count(LIST), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_changed_by_hand_is_brought_back_with_its_reason() {
    let company = Company::applied(BY_GROUP).await;
    company.set("ada", "Viewer");
    company.set("bob", "Viewer");
    company.set("eve", "Admin");
    let plan = company.stage.plan().await;
    assert_eq!(changes(&plan), ["ada: Viewer → Admin (group Leads)", "eve: Admin → Viewer (group Guests)"]);
    assert_eq!(plan["new_project_admins"][0]["user_name"], "ada@example.com");
    assert_eq!(plan["totals"]["project_roles"], 2);
    let text = company.stage.run(&["plan"]).await.stdout;
    assert!(text.contains("New project Admins"), "{text}");
    assert!(text.contains("becomes Admin of Sales: project role Viewer → Admin"), "{text}");
    assert!(text.contains("~1 Admin → Viewer eve@example.com: group Guests"), "{text}");
    let csv = company.stage.run(&["plan", "--csv"]).await.stdout;
    let row = r#""project","set role","eve@example.com","Sales","projectRole","Admin","Viewer","group Guests""#;
    assert!(csv.contains(row), "{csv}");
    company.applies(0).await;
    assert_eq!(company.roles(), "ada=Admin bob=Viewer cy=Editor dan=Editor eve=Viewer flo=Viewer");
    company.is_settled().await;
    let shown = company.stage.run(&["show", "5"]).await;
    assert!(shown.stdout.contains("~1 Admin → Viewer eve@example.com: group Guests"), "{shown:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_add_leaves_a_role_alone_that_was_changed_by_hand() {
    let company = Company::applied(&format!("{BY_GROUP}\nroles_managed = \"on_add\"")).await;
    assert_eq!(company.roles(), "ada=Admin bob=Editor cy=Editor dan=Editor eve=Viewer flo=Viewer");
    company.set("ada", "Viewer");
    company.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_between_groups_changes_the_role() {
    let company = Company::applied(BY_GROUP).await;
    let org = company.stage.sandbox.org();
    org.remove_member(&company.leads, &company.ids["ada"]);
    org.add_member(&company.leads, &company.ids["eve"]);
    org.add_member(&company.guests, &company.ids["bob"]);
    assert_eq!(
        company.changes().await,
        ["bob: Editor → Viewer (group Guests)", "eve: Viewer → Admin (group Leads)"],
        "a member of none of the groups keeps the role"
    );
    company.applies(0).await;
    company.is_settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_loses_a_role_because_one_listing_missed_them() {
    let company = Company::applied(&format!("{BY_GROUP}\nrole = \"Editor\"")).await;
    let org = company.stage.sandbox.org();
    org.miss(Listing::Members(company.leads.clone()), &company.ids["ada"], 1);
    // A change of the group makes its listing worth reading.
    org.add_member(&company.leads, &company.ids["bob"]);
    assert_eq!(company.changes().await, ["bob: Editor → Admin (group Leads)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_name_of_a_role_is_a_problem_and_names_what_is_like_it() {
    for keys in
        ["role = \"Viewr\"", "roles = { Viewr = \"Guests\" }", "role = 'user.firstName == \"ada\" ? \"Viewr\" : null'"]
    {
        let company = Company::with(keys).await;
        let plan = company.stage.run(&["plan", "--json"]).await;
        assert_eq!(plan.code, 3, "{keys}: {plan:#?}");
        let found = problems(&plan.json());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "unknown_project_role", "{keys}");
        let message = "no project role is named \"Viewr\"; did you mean \"Viewer\"?";
        assert!(found[0].1.contains(message), "{keys}: {found:?}");
        let check = company.stage.run(&["check"]).await;
        assert_eq!(check.code, 78, "{keys}: {check:#?}");
        assert!(check.stdout.contains(message), "{keys}: {check:#?}");
        company.applies(3).await;
        assert_eq!(company.stage.people().len(), NAMES.len(), "all else is done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_not_in_okta_is_never_an_empty_one() {
    let company = Company::applied(&format!("{BY_GROUP}\nrole = \"Viewer\"")).await;
    let org = company.stage.sandbox.org();
    org.rename_group(&company.leads, "Team Leads");
    org.set_status(&company.ids["bob"], "SUSPENDED");
    let plan = company.stage.run(&["plan", "--json"]).await;
    assert_eq!(plan.code, 3, "{plan:#?}");
    let plan = plan.json();
    assert_eq!(problems(&plan).len(), 1);
    assert_eq!(problems(&plan)[0].0, "group_not_found");
    assert_eq!(changes(&plan), Vec::<String>::new(), "ada stays Admin");
    assert_eq!(plan["totals"]["deactivate"], 1, "no offboarding waits for it");
    let check = company.stage.run(&["check"]).await;
    assert_eq!(check.code, 78, "{check:#?}");
    assert!(check.stdout.contains("no group in Okta has the id or the name \"Leads\""), "{check:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_project_roles_is_one_warning_and_the_rest_goes_on() {
    let company = Company::with(BY_GROUP).await;
    company.applies(0).await;
    company.stage.sandbox.platform().configure(|settings| settings.project_roles_enabled = false);
    company.set("ada", "Viewer");
    company.stage.sandbox.org().set_status(&company.ids["bob"], "SUSPENDED");
    let plan = company.stage.run(&["plan", "--json"]).await;
    assert_eq!(plan.code, 0, "{plan:#?}");
    let warnings = plan.json()["warnings"].to_string();
    assert_eq!(warnings.matches("the platform's plan has no project roles").count(), 1, "{warnings}");
    company.applies(0).await;
    assert_eq!(company.stage.people().len(), NAMES.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_somebody_changes_meanwhile_is_left_alone() {
    let company = Company::applied(BY_GROUP).await;
    company.set("eve", "Editor");
    company.set("flo", "Editor");
    let kept = company.stage.run(&["plan", "--out", "plan.json"]).await;
    assert_eq!(kept.code, 0, "{kept:#?}");
    company.set("flo", "Admin");
    let applied = company.stage.run(&["apply", "plan.json"]).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    assert_eq!(company.roles(), "ada=Admin bob=Editor cy=Editor dan=Editor eve=Viewer flo=Admin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_and_a_killed_run_leave_nothing_undone() {
    let company = Company::with(BY_GROUP).await;
    let path = "/api/v1/project-members/".to_owned();
    let fault = Fault { method: Some("POST".to_owned()), path, kind: FaultKind::CutAfter, after: 0, times: 2 };
    company.stage.sandbox.activepieces_traffic().fault(fault);
    company.applies(0).await;
    let settled = "ada=Admin bob=Editor cy=Editor dan=Editor eve=Viewer flo=Viewer";
    assert_eq!(company.roles(), settled);
    for keys in [BY_GROUP.to_owned(), format!("{BY_GROUP}\nroles_managed = \"on_add\"")] {
        let company = Company::with(&keys).await;
        let traffic = company.stage.sandbox.activepieces_traffic();
        let kind = FaultKind::Hang(Duration::from_mins(10));
        let path = "/api/v1/project-members/".to_owned();
        let before = traffic.befallen();
        traffic.fault(Fault { method: Some("POST".to_owned()), path, kind, after: 0, times: usize::MAX });
        let mut killed = company.stage.spawn(&["apply", "--yes"]);
        until(async || traffic.befallen() > before).await;
        killed.kill().await.unwrap();
        traffic.mend();
        assert_eq!(company.roles(), NAMES.map(|name| format!("{name}=Editor")).join(" "), "killed before any role");
        company.applies(0).await;
        assert_eq!(company.roles(), settled, "{keys}");
        company.is_settled().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_gives_the_roles_of_before_back_but_no_more_than_today_allows() {
    let company = Company::applied(BY_GROUP).await;
    company.set("ada", "Viewer");
    company.set("eve", "Admin");
    company.set("flo", "Editor");
    company.applies(0).await;
    company.set("flo", "Admin");
    company.stage.sandbox.org().set_status(&company.ids["eve"], "SUSPENDED");
    let undone = company.stage.run(&["undo", "2", "--yes"]).await;
    assert_eq!(undone.code, 3, "{undone:#?}");
    assert_eq!(company.roles(), "ada=Viewer bob=Editor cy=Editor dan=Editor eve=Viewer flo=Admin");
    assert!(undone.stdout.contains("the project role of flo@example.com is \"Admin\" now"), "{undone:#?}");
    assert!(undone.stdout.contains("stays \"Viewer\": the user is suspended in Okta"), "{undone:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_shows_the_role_that_goes_and_an_admin_of_the_platform_that_there_is_no_effect() {
    let company = Company::applied("role = \"Viewer\"").await;
    let platform = company.stage.sandbox.platform();
    company.stage.sandbox.org().remove_member(&company.sales, &company.ids["dan"]);
    platform.set_role(&platform.user(&mail("ada")).unwrap().id, "ADMIN");
    company.set("ada", "Editor");
    let plan = company.stage.run(&["plan", "--all"]).await.stdout;
    assert!(plan.contains("dan@example.com (project role Viewer goes)"), "{plan}");
    assert!(
        plan.contains("Editor → Viewer ada@example.com: rule")
            && plan.contains("no effect while the user is platform ADMIN"),
        "{plan}"
    );
    assert_eq!(
        company.stage.sandbox.activepieces_traffic().count(LIST),
        2,
        "one for the apply, one before roles are set"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_that_gives_everybody_a_wrong_role_is_refused() {
    let company = Company::with("role = 'user.nope == \"x\" ? \"Admin\" : \"Viewer\"'").await;
    for arguments in [&["plan"][..], &["apply", "--yes"], &["check"]] {
        let run = company.stage.run(arguments).await;
        assert_eq!(run.code, 78, "{run:#?}");
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(told.contains("the user schema has no attribute nope"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_keys_of_roles_are_shown_at_their_places() {
    let company = Company::with("").await;
    for (keys, expected) in [
        ("role = \"QA (read)\"", "needs its own quotes: '\"QA (read)\"'"),
        ("roles = \"Admin\"", "`roles` must be a table of groups by role"),
        ("roles = { Admin = [] }", "`Admin` names no group"),
        ("roles = { Admin = \"Leads\", admin = \"Guests\" }", "the role `admin` is named twice"),
        ("roles_managed = \"never\"", "`never` is not a choice"),
        ("role_order = [\"Admin\"]", "`role_order` belongs in [projects_policy]"),
    ] {
        company
            .stage
            .configure(&company.stage.sandbox.config().replace("name = \"$1\"", &format!("name = \"$1\"\n{keys}")));
        let run = company.stage.run(&["plan"]).await;
        assert_eq!(run.code, 78, "{keys}: {run:#?}");
        assert!(run.stderr.contains(expected), "{keys}: {}", run.stderr);
    }
}
