//! The environment variables that override keys of the config file, as the real binary reads them.

use crate::support::{Outcome, Stage, run};

async fn with(stage: &Stage, variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let token = stage.sandbox.okta_token();
    let secrets = [("OKTA_API_TOKEN", token.as_str()), ("ACTIVEPIECES_API_KEY", stage.sandbox.api_key())];
    run(stage.folder(), &[&secrets, variables].concat(), arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_its_settings_from_variables_too() {
    let stage = Stage::seeded().await;
    let plain = with(&stage, &[], &["check"]).await;
    assert!(!plain.stdout.contains("OKTAPIECES_"), "{plain:#?}");
    let other = with(&stage, &[("OKTAPIECES_SCOPE_APP", "No such app")], &["plan"]).await;
    assert_eq!(other.code, 3, "{other:#?}");
    assert!(other.stdout.contains("no app in Okta has the id or the label \"No such app\""), "{other:#?}");
    let wrong = with(&stage, &[("OKTAPIECES_SAFETY_MAX_DEACTIVATIONS", "many")], &["plan"]).await;
    assert_eq!(wrong.code, 78, "{wrong:#?}");
    assert!(wrong.stderr.contains("OKTAPIECES_SAFETY_MAX_DEACTIVATIONS=many"), "{wrong:#?}");
    let unknown = with(&stage, &[("OKTAPIECES_SAFETY_MAX_DEACTIVATION", "5")], &["check"]).await;
    assert_eq!(unknown.code, plain.code, "{unknown:#?}");
    assert!(unknown.stdout.contains("did you mean OKTAPIECES_SAFETY_MAX_DEACTIVATIONS?"), "{unknown:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_tells_that_it_was_made_with_other_variables() {
    let stage = Stage::seeded().await;
    let plan = async |variables: &[(&str, &str)], path: &str| {
        with(&stage, variables, &["plan", "--out", path]).await;
        let text = std::fs::read_to_string(stage.folder().join(path)).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["made_from"]["config"].clone()
    };
    let without = plan(&[], "a.json").await;
    assert!(without.is_string(), "{without}");
    assert_eq!(plan(&[("OKTAPIECES_CONFIG", "config.toml"), ("OKTAPIECES_SCOPE_APP", "")], "b.json").await, without);
    assert_ne!(plan(&[("OKTAPIECES_SAFETY_MAX_CREATIONS", "50")], "c.json").await, without);
}
