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
    let unset = with(&stage, &[("OKTAPIECES_TIMEOUT", ""), ("HTTPS_PROXY", "")], &["check"]).await;
    assert_eq!(unset.code, plain.code, "an empty variable counts as none: {unset:#?}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_config_may_come_from_the_standard_input() {
    let stage = Stage::of(crate::state::COMPANY).await;
    let path = stage.folder().join("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let piped = async |text: &str, arguments: &[&str]| stage.run_with_input(text, arguments).await;
    let applied = piped(&text, &["apply", "--yes", "--config", "-"]).await;
    assert_eq!(applied.code, 0, "{applied:#?}");
    assert!(applied.stdout.contains("· stdin · plan "), "{applied:#?}");
    let saved = piped(&text, &["plan", "--config", "-", "--out", "plan.json"]).await;
    assert_eq!(saved.code, 0, "its fingerprint is of the same text: {saved:#?}");
    let wrong = piped(&text.replace("org_url", "org_ulr"), &["plan", "--config", "-"]).await;
    assert!(wrong.code == 78 && wrong.stderr.contains("--> stdin:2:1"), "{wrong:#?}");
    for writes in [&["init"][..], &["accept", "email_changed", "x", "--why", "y"]] {
        let refused = piped(&text, &[writes, &["--config", "-"]].concat()).await;
        assert!(refused.code == 64 && refused.stderr.contains("name a file by --config"), "{refused:#?}");
    }
    let asks = piped(&text, &["apply", "--config", "-"]).await;
    assert!(asks.code == 64 && asks.stderr.contains("--yes"), "{asks:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn colour_is_forced_by_either_variable_and_by_none_where_it_is_unwanted() {
    let stage = Stage::of(crate::state::COMPANY).await;
    let colours = async |variables: &[(&str, &str)]| with(&stage, variables, &["plan"]).await.stdout.contains('\u{1b}');
    assert!(!colours(&[("FORCE_COLOR", "0")]).await, "0 forces nothing");
    for forced in ["FORCE_COLOR", "CLICOLOR_FORCE"] {
        assert!(colours(&[(forced, "1")]).await, "{forced}");
        assert!(!colours(&[(forced, "1"), ("NO_COLOR", "1")]).await, "{forced} and NO_COLOR");
    }
}
