//! How the tool gets in: service apps, bound tokens, and what is never shown of all that.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

use std::os::unix::fs::PermissionsExt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use oktapieces_sandbox::company::Shape;
use oktapieces_sandbox::okta::RegisteredApp;
use serde_json::{Value, json};

use crate::support::{Outcome, Stage, run};

const SMALL: Shape = Shape::Generated { users: 40, groups: 4, members: 8, existing: 0.5, drift: 0.5, seed: 5 };
const TOKEN: &str = "token_env = \"OKTA_API_TOKEN\"\n";
const SERVICE_APP: &str = "client_id = \"0oaservice\"\nkey_id = \"key-1\"\nkey_file = \"app.pem\"\n";
const LEAST: [&str; 4] = ["okta.apps.read", "okta.groups.read", "okta.schemas.read", "okta.users.read"];

/// A PEM file's text.
fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
}

pub fn ec_key() -> (String, Jwk) {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let public = Jwk::from_encoding_key(&EncodingKey::from_ec_der(der.as_ref()), Algorithm::ES256).unwrap();
    (pem("PRIVATE KEY", der.as_ref()), public)
}

/// An RSA key as PKCS#8, and the PKCS#1 that is inside of it.
fn rsa_key() -> (String, String, Jwk) {
    let pkcs8 = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&KeyPair::generate(KeySize::Rsa2048).unwrap());
    let pkcs8 = pkcs8.unwrap().as_ref().to_vec();
    let (outer, inner) = (pem("PRIVATE KEY", &pkcs8), pem("RSA PRIVATE KEY", &pkcs8[26..]));
    let key = EncodingKey::from_rsa_pem(inner.as_bytes()).unwrap();
    (outer, inner, Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap())
}

/// Registers a service app in the org and puts it into the config in place of the token.
pub fn configure(stage: &Stage, pem: &str, public_key: Jwk, change: impl FnOnce(&mut RegisteredApp)) {
    let mut app = RegisteredApp {
        client_id: "0oaservice".to_owned(),
        key_id: "key-1".to_owned(),
        public_key,
        scopes: LEAST.map(str::to_owned).to_vec(),
        demands_dpop: false,
        token_seconds: 3600,
    };
    change(&mut app);
    stage.sandbox.org().access(|access| access.apps.insert(app.client_id.clone(), app));
    write_key(stage, pem, 0o600);
    stage.reconfigure(TOKEN, SERVICE_APP);
}

fn write_key(stage: &Stage, pem: &str, mode: u32) {
    let path = stage.folder().join("app.pem");
    std::fs::write(&path, pem).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A stage whose config names a service app with these properties.
pub async fn service_app(change: impl FnOnce(&mut RegisteredApp)) -> Stage {
    let stage = Stage::of(SMALL).await;
    let (pem, public) = ec_key();
    configure(&stage, &pem, public, change);
    stage
}

/// Runs without an API token in the environment.
pub async fn without_token(stage: &Stage, arguments: &[&str]) -> Outcome {
    run(stage.folder(), &[("ACTIVEPIECES_API_KEY", stage.sandbox.api_key())], arguments).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_app_plans_what_a_token_plans_with_every_kind_of_key() {
    let stage = Stage::of(SMALL).await;
    let by_token = stage.plan().await;
    let (pkcs8, pkcs1, public) = rsa_key();
    configure(&stage, &pkcs8, public, |_| ());
    assert_eq!(without_token(&stage, &["plan", "--json"]).await.json(), by_token);
    write_key(&stage, &pkcs1, 0o600);
    assert_eq!(without_token(&stage, &["plan", "--json"]).await.json(), by_token);
    assert_eq!(stage.sandbox.org().access(|access| access.given), 2, "one token for each run");
    let checked = without_token(&stage, &["check"]).await;
    assert_eq!(checked.code, 0, "{checked:#?}");
    assert!(checked.stdout.contains(&LEAST.join(" ")), "the scopes are named: {checked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_dies_in_mid_run_is_renewed_once_for_all() {
    let stage = service_app(|_| ()).await;
    stage.sandbox.org().access(|access| access.requests_per_token = Some(3));
    let plan = without_token(&stage, &["plan", "--json"]).await;
    assert_eq!(plan.code, 0, "{plan:#?}");
    let reads = stage.sandbox.okta_traffic().count("GET /api/v1/");
    let given = stage.sandbox.org().access(|access| access.given);
    assert!(given >= 2 && given <= reads / 3 + 1, "{given} tokens for {reads} requests");
    // A token that is refused at once isn't asked for again and again.
    stage.sandbox.org().access(|access| {
        access.requests_per_token = None;
        access.apps.values_mut().for_each(|app| app.token_seconds = 0);
    });
    let refused = without_token(&stage, &["plan"]).await;
    assert_eq!(refused.code, 4, "{refused:#?}");
    assert!(refused.stderr.contains("invalid_token"), "{refused:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_no_obstacle() {
    for ahead in [-7200, 7200] {
        let stage = service_app(|app| app.demands_dpop = true).await;
        stage.sandbox.org().access(|access| access.ahead = ahead);
        let plan = without_token(&stage, &["plan"]).await;
        assert_eq!(plan.code, 0, "{ahead}: {plan:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_done_without_where_its_scope_is_not_granted() {
    let stage = service_app(|app| app.scopes.retain(|scope| scope != "okta.schemas.read")).await;
    let plan = without_token(&stage, &["plan"]).await;
    assert_eq!(plan.code, 0, "{plan:#?}");
    assert!(plan.stderr.contains("a service app needs okta.schemas.read"), "{plan:#?}");
    let named = LEAST.map(|scope| format!("{scope:?}")).join(", ");
    stage.reconfigure("key_file", &format!("scopes = [{named}]\nkey_file"));
    let plan = without_token(&stage, &["plan"]).await;
    assert_eq!(plan.code, 4, "scopes that are named are asked for as they are: {plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_of_user_types_is_asked_for_apart_and_only_where_the_default_type_lacks_an_attribute() {
    let stage = service_app(|_| ()).await;
    let given = || stage.sandbox.org().access(|access| access.given);
    let (used, unused) = ("GET /api/v1/meta/types/user", "okta.userTypes.read");
    let checked = without_token(&stage, &["check"]).await;
    assert_eq!((checked.code, given()), (0, 1), "{checked:#?}");
    assert!(!checked.stdout.contains(unused), "{checked:#?}");
    stage.reconfigure("[attributes]", "[attributes]\ndisplayName = \"user.onlyOfContractors\"");
    let refused = without_token(&stage, &["check"]).await;
    assert_eq!((refused.code, given()), (78, 2), "the org doesn't grant it: {refused:#?}");
    assert!(refused.stdout.contains("(a service app needs okta.userTypes.read)"), "{refused:#?}");
    assert_eq!(stage.sandbox.okta_traffic().count(used), 0);
    stage.sandbox.org().access(|access| {
        access.apps.values_mut().for_each(|app| app.scopes.push(unused.to_owned()));
    });
    let granted = without_token(&stage, &["check"]).await;
    assert_eq!((granted.code, given()), (78, 4), "no type of the sandbox has it: {granted:#?}");
    assert!(granted.stdout.contains("okta.userTypes.read for [attributes]"), "{granted:#?}");
    assert!(!granted.stdout.contains("(a service app needs"), "{granted:#?}");
    assert_eq!(stage.sandbox.okta_traffic().count(used), 1);
    let named = LEAST.map(|scope| format!("{scope:?}")).join(", ");
    stage.reconfigure("key_file", &format!("scopes = [{named}]\nkey_file"));
    let named = without_token(&stage, &["check"]).await;
    assert_eq!((named.code, given()), (78, 5), "scopes that are named are all that is asked for: {named:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_at_the_org_is_named() {
    let stage = service_app(|app| app.scopes.retain(|scope| scope != "okta.groups.read")).await;
    let plan = without_token(&stage, &["plan"]).await;
    assert_eq!(plan.code, 4, "{plan:#?}");
    assert!(plan.stderr.contains("invalid_scope") && plan.stderr.contains("Okta API Scopes"), "{plan:#?}");
    stage.reconfigure("key_file", "scopes = [\"okta.users.read\", \"okta.apps.read\"]\nkey_file");
    let plan = without_token(&stage, &["plan"]).await;
    assert_eq!(plan.code, 4, "{plan:#?}");
    assert!(plan.stderr.contains("insufficient_scope") && plan.stderr.contains("okta.groups.read"), "{plan:#?}");
    let (other, _) = ec_key();
    write_key(&stage, &other, 0o600);
    let plan = without_token(&stage, &["plan"]).await;
    assert_eq!(plan.code, 4, "{plan:#?}");
    assert!(plan.stderr.contains("invalid_client") && plan.stderr.contains("key_id"), "{plan:#?}");
    write_key(&stage, &other, 0o640);
    let plan = without_token(&stage, &["plan"]).await;
    assert_eq!(plan.code, 78, "{plan:#?}");
    assert!(plan.stderr.contains("app.pem") && plan.stderr.contains("chmod 600"), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bound_tokens_follow_the_orgs_nonces() {
    let stage = service_app(|app| app.demands_dpop = true).await;
    stage.sandbox.org().access(|access| {
        access.api_nonces = true;
        access.proofs_per_nonce = Some(4);
    });
    let plan = without_token(&stage, &["plan", "--json"]).await;
    assert_eq!(plan.code, 0, "{plan:#?}");
    assert_eq!(stage.sandbox.org().access(|access| access.given), 1);
    let by_token = {
        stage.reconfigure(SERVICE_APP, TOKEN);
        stage.plan().await
    };
    assert_eq!(plan.json(), by_token);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_it_is_ever_shown() {
    let stage = service_app(|app| app.demands_dpop = true).await;
    let key = std::fs::read_to_string(stage.folder().join("app.pem")).unwrap();
    let key = key.lines().nth(1).unwrap();
    let variables = [("ACTIVEPIECES_API_KEY", stage.sandbox.api_key()), ("RUST_LOG", "trace")];
    let mut outputs = Vec::new();
    for arguments in [&["check"][..], &["plan", "-v"], &["plan", "--out", "plan.json"], &["apply", "--yes", "-v"]] {
        let outcome = run(stage.folder(), &variables, arguments).await;
        assert!(outcome.code == 0 || outcome.code == 3, "{arguments:?}: {}", outcome.code);
        outputs.push(outcome.stdout + &outcome.stderr);
    }
    assert!(outputs.iter().any(|text| text.contains("/oauth2/v1/token")), "the log is on");
    stage.sandbox.org().access(|access| access.apps.clear());
    let refused = run(stage.folder(), &variables, &["plan", "-v"]).await;
    assert_eq!(refused.code, 4);
    outputs.push(refused.stdout + &refused.stderr);
    outputs.push(std::fs::read_to_string(stage.folder().join("plan.json")).unwrap());
    // Every assertion, proof and token begins with the same three letters.
    for secret in ["eyJ", key, stage.sandbox.api_key()] {
        for text in &outputs {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandboxs_org_takes_an_assertion_once_and_no_wrong_one() {
    let stage = Stage::of(SMALL).await;
    let (pem, public) = ec_key();
    configure(&stage, &pem, public, |_| ());
    let key = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    let url = format!("{}/oauth2/v1/token", stage.sandbox.okta_url());
    let signed = |changes: Value| {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({"iss": "0oaservice", "sub": "0oaservice", "aud": url, "iat": now, "exp": now + 300});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let header = Header { kid: Some("key-1".to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims, &key).unwrap()
    };
    let ask = async |assertion: String, scope: &str| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", kind),
            ("client_assertion", &assertion),
        ];
        let answer = reqwest::Client::new().post(&url).form(&form).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let now = jiff::Timestamp::now().as_second();
    let wrong = [
        json!({"aud": stage.sandbox.okta_url()}),
        json!({"iss": "0oaother"}),
        json!({"exp": now - 1}),
        json!({"exp": now + 4000}),
        json!({"iat": now + 600}),
    ];
    for changes in wrong {
        let (status, body) = ask(signed(changes.clone()), "okta.users.read").await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "{changes}: {body}");
    }
    assert_eq!(ask(signed(json!({})), "okta.users.manage").await.1["error"], "invalid_scope");
    let once = signed(json!({"jti": "1"}));
    let (status, body) = ask(once.clone(), "okta.users.read").await;
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(3600)), "{body}");
    assert_eq!(ask(once, "okta.users.read").await.1["error"], "invalid_client");
}
