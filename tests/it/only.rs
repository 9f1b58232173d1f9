//! `--only`: a part of a plan.

use oktapieces_sandbox::company::Shape;

use crate::support::{Stage, operations};

#[tokio::test(flavor = "multi_thread")]
async fn a_first_apply_may_be_of_one_person_and_the_rest_follows() {
    let stage = Stage::seeded().await;
    let whole = operations(&stage.plan().await);
    let only = &["--only", "user=ADA.adler@example.com"];
    let part = stage.run(&["plan", "--json", only[0], only[1]]).await.json();
    assert_eq!((operations(&part), part["users"][0]["action"].as_str()), (1, Some("create")), "{part}");
    let applied = stage.run(&["apply", "--yes", only[0], only[1]]).await;
    assert!(applied.stderr.contains("Only a part of the plan, as --only asks: 1 of "), "{applied:#?}");
    let platform = stage.sandbox.platform();
    assert!(platform.user("ada.adler@example.com").unwrap().active);
    assert!(platform.user("dan.dorn@example.com").is_none(), "not chosen");
    let rest = stage.plan().await;
    assert_eq!(operations(&rest), whole - 1, "{rest}");
    // A part is no trusted run: the limits are still those of the first.
    assert_eq!(stage.run(&["apply", "--yes"]).await.code, 3, "the problems of the company");
    assert_eq!(operations(&stage.plan().await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_a_project_and_a_group_are_chosen_together() {
    let stage = Stage::seeded().await;
    let group = stage.sandbox.org().group_id("AP Finance").unwrap();
    let group = format!("group={group}");
    let choices = ["--only", "kind=deactivate", "--only", "project=Sales", "--only", group.as_str()];
    let part = stage.run(&[&["plan", "--json"][..], &choices].concat()).await.json();
    let users = part["users"].as_array().unwrap();
    assert!(users.len() == 6 && users.iter().all(|op| op["action"] == "deactivate"), "{part}");
    let names: Vec<&str> = part["projects"].as_array().unwrap().iter().filter_map(|op| op["name"].as_str()).collect();
    assert_eq!(names, ["Finance", "Sales"], "{part}");
    let members = part["projects"][0]["add"].as_array().unwrap();
    assert!(members.iter().all(|member| !member["account"].is_null()), "no account that another part makes: {part}");
    let applied = stage.run(&[&["apply", "--yes"][..], &choices].concat()).await;
    assert_eq!(applied.code, 3, "{applied:#?}");
    assert!(!stage.sandbox.platform().user("rita.rau@example.com").unwrap().active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_takes_nothing_is_named_and_a_wrong_one_refused() {
    let stage =
        Stage::of(Shape::Generated { users: 6, groups: 1, members: 3, existing: 0.0, drift: 0.0, seed: 1 }).await;
    let part = stage.run(&["plan", "--only", "user=nobody@example.com"]).await;
    assert!(part.stderr.contains("--only user=nobody@example.com: nothing of the plan"), "{part:#?}");
    assert!(part.stdout.contains("No changes"), "{part:#?}");
    for (choice, hint) in [("kind=demote", "role-down"), ("ada", "user=NAME"), ("who=ada", "can't be chosen by")] {
        let refused = stage.run(&["plan", "--only", choice]).await;
        assert!(refused.code == 64 && refused.stderr.contains(hint), "{refused:#?}");
    }
}
