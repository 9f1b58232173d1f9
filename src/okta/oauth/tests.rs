//! Tokens and proofs against an org that answers from a script.

use proptest::prelude::*;

use super::*;
use crate::http::link::next_cursor;
use crate::http::retry::Policy;
use crate::http::scripted::{Act, FORMS, Log, ScriptedServer, Seen, answer, fast, json};
use crate::http::{Request, Settings};

#[test]
fn what_is_no_usable_key_is_told_apart_and_not_shown() {
    let cases = [
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nS3CRET", "passphrase"),
        ("-----BEGIN EC PRIVATE KEY-----\nS3CRET", "openssl pkcs8"),
        ("{\"kty\":\"RSA\",\"d\":\"S3CRET\"}", "JWK"),
        ("-----BEGIN PUBLIC KEY-----\nS3CRET", "no private key"),
        ("S3CRET", "no private key"),
        ("-----BEGIN PRIVATE KEY-----\nUzNDUkVU\n-----END PRIVATE KEY-----", "can't be used"),
    ];
    for (pem, expected) in cases {
        let error = SigningKey::from_pem(&pem.into()).unwrap_err();
        assert!(error.contains(expected) && !error.contains("S3CRET"), "{error}");
    }
}

/// A service app with a new key, for an org at this URL, and the key.
fn client_of_app(url: &str) -> (Client, SecretString) {
    client_of(url, false)
}

/// The same, with or without a token of its own for user types.
fn client_of(url: &str, user_types_apart: bool) -> (Client, SecretString) {
    let pkcs8 = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &aws_lc_rs::rand::SystemRandom::new(),
    );
    let der = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pkcs8.unwrap());
    let pem: SecretString = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----").into();
    let app = ServiceApp {
        client_id: "0oa1".into(),
        key_id: "k".into(),
        key: SigningKey::from_pem(&pem).unwrap(),
        scopes: vec!["okta.users.read".into()],
        optional_scope: None,
        user_types_apart,
    };
    let retry = Policy { repeats: 1, rate_repeats: 1, ..fast() };
    let settings = Settings { retry, ..Settings::new(url) };
    settings.mask.keep(&pem);
    let authorization = AccessTokens::authorization(app, &settings).unwrap();
    (Client::new(Settings { authorization, ..settings }).unwrap(), pem)
}

/// An answer with a token of this type.
fn token(kind: &str) -> Act {
    json(
        200,
        &format!(r#"{{"access_token": "eyJ-access-token-0123456789", "token_type": "{kind}", "expires_in": 3600}}"#),
    )
}

#[tokio::test]
async fn a_token_that_is_not_bound_to_the_key_that_was_proven_is_refused() {
    let nonce = || answer(400, &[("dpop-nonce", "n1")], r#"{"error": "use_dpop_nonce"}"#);
    let cases = [
        (vec![nonce(), token("Bearer")], "is not bound to it"),
        (vec![token("DPoP")], "no proof of one was sent"),
        (vec![token("MAC")], "of an unknown type"),
        (vec![json(201, "{}")], "answered 201 Created, which is no complete answer"),
    ];
    for (acts, why) in cases {
        let server = ScriptedServer::script(acts).await;
        let failure = client_of_app(&server.url).0.send(&Request::get("/api/v1/users")).await.unwrap_err();
        assert!(failure.to_string().contains(why), "{failure}");
        assert!(server.lines().iter().all(|line| line.starts_with("POST ")), "no request carries the token");
    }
    for acts in [vec![token("Bearer"), json(200, "[]")], vec![nonce(), token("DPoP"), json(200, "[]")]] {
        let server = ScriptedServer::script(acts).await;
        client_of_app(&server.url).0.send(&Request::get("/api/v1/users")).await.unwrap();
    }
}

/// What the org was asked for, in order: the scopes of each token, and the path and token of each other request.
async fn asked(user_types_apart: bool, refuses: &'static str) -> (Vec<String>, Vec<Result<(), String>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen_lines = Arc::clone(&lines);
    let server = ScriptedServer::new(move |seen: &Seen| {
        if seen.path() != "/oauth2/v1/token" {
            let token = seen.header("authorization").unwrap_or_default();
            locked(&seen_lines).push(format!("{} {token}", seen.path()));
            return json(200, "[]");
        }
        let field = |name| seen.body.split('&').find_map(|field| field.strip_prefix(name)).unwrap_or_default();
        let scope = field("scope=").to_owned();
        locked(&seen_lines).push(scope.clone());
        if scope == refuses {
            return json(
                400,
                r#"{"error": "invalid_scope", "error_description": "One or more scopes are not configured"}"#,
            );
        }
        let body = format!(r#"{{"access_token": "token-of-{scope}", "token_type": "Bearer", "expires_in": 3600}}"#);
        json(200, &body)
    })
    .await;
    let client = client_of(&server.url, user_types_apart).0;
    let mut results = Vec::new();
    for path in ["/api/v1/users", USER_TYPES_ROUTE, "/api/v1/users", USER_TYPES_ROUTE] {
        let answered = client.send(&Request::get(path)).await;
        results.push(answered.map(drop).map_err(|failure| failure.to_string()));
    }
    let lines = locked(&lines).clone();
    (lines, results)
}

#[tokio::test]
async fn user_types_have_a_token_of_their_own_whose_refusal_fails_nothing_else() {
    let (users, types) = ("okta.users.read", USER_TYPES);
    let request = |path: &str, scope: &str| format!("{path} Bearer token-of-{scope}");
    let (read_users, read_types) = (request("/api/v1/users", users), request(USER_TYPES_ROUTE, types));
    let (lines, results) = asked(true, "").await;
    assert_eq!(lines, [users, &read_users, types, &read_types, &read_users, &read_types]);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let (lines, results) = asked(true, types).await;
    assert_eq!(lines, [users, &read_users, types, &read_users, types]);
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    assert!(results[1].as_ref().is_err_and(|why| why.contains("invalid_scope")), "{results:?}");
    let (lines, _) = asked(false, "").await;
    assert_eq!(lines.iter().filter(|line| line.as_str() == types).count(), 0, "{lines:?}");
}

/// The secrets that an org may echo.
#[derive(Clone, Copy, Debug)]
enum Secret {
    ApiToken,
    PrivateKey,
    AccessToken,
    Assertion,
    Proof,
}

const API_TOKEN: &str = "00aVery-Secret_Token0123456789abcdef-_XYZq";
const ACCESS_TOKEN: &str = "eyJraWQiOiJBQkMifQ.eyJzdWIiOiIwb2ExIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/// Makes an answer with a text in one place of it.
type Place = fn(&str) -> Act;

/// Answers of an org, with a text in one place of each.
const PLACES: [(&str, Place); 26] = [
    ("status line", |t| Act::SendAndCut(format!("HTTP/1.1 400 {t}\r\ncontent-length: 0\r\n\r\n"))),
    ("error", |t| answer(401, &[("www-authenticate", &format!("Bearer error=\"{t}\""))], "")),
    ("description", |t| {
        answer(401, &[("www-authenticate", &format!("DPoP error=\"x\", error_description=\"{t}\""))], "")
    }),
    ("scope", |t| answer(403, &[("www-authenticate", &format!("DPoP error=\"x\", scope=\"{t}\""))], "")),
    ("path of Location", |t| answer(302, &[("location", &format!("/in/{t}/x"))], "")),
    ("query of Location", |t| answer(302, &[("location", &format!("https://x.io/in?t={t}"))], "")),
    ("host of Location", |t| answer(302, &[("location", &format!("https://{t}/"))], "")),
    ("Link", |t| answer(200, &[("link", &format!("{t}; rel=\"next\""))], "[]")),
    ("host of Link", |t| answer(200, &[("link", &format!("<https://{t}.io/x?after=1>; rel=\"next\""))], "[]")),
    ("Retry-After", |t| answer(429, &[("retry-after", t)], "")),
    ("Content-Type", |t| answer(200, &[("content-type", t)], "<html>")),
    ("nonce", |t| answer(400, &[("dpop-nonce", t)], r#"{"error": "use_dpop_nonce"}"#)),
    ("other header", |t| answer(200, &[("x-echo", t)], "[]")),
    ("errorCode", |t| json(400, &format!(r#"{{"errorCode": "{t}"}}"#))),
    ("errorSummary", |t| json(404, &format!(r#"{{"errorCode": "E1", "errorSummary": "bad {t}", "errorId": "x"}}"#))),
    ("errorCauses", |t| json(400, &format!(r#"{{"errorCode": "E1", "errorCauses": [{{"errorSummary": "{t}"}}]}}"#))),
    ("errorId", |t| json(500, &format!(r#"{{"errorCode": "E1", "errorId": "{t}"}}"#))),
    ("OAuth error", |t| json(400, &format!(r#"{{"error": "{t}", "error_description": "{t}"}}"#))),
    ("params", |t| json(400, &format!(r#"{{"code": "A", "params": {{"x": "{t}"}}}}"#))),
    ("error text", |t| answer(502, &[], &format!("boom {t}"))),
    ("good text", |t| answer(200, &[], &format!("OK {t}"))),
    ("web page", |t| answer(200, &[], &format!("<html>{t}"))),
    ("string", |t| json(200, &format!("\"{t}\""))),
    ("value in the list", |t| json(200, &format!("[1, \"{t}\"]"))),
    ("name of the entity", |t| json(200, &format!(r#"[{{"id": "{t}", "profile": {{"login": "{t}"}}}}]"#))),
    ("cut JSON", |t| json(200, &format!("[\"{t}"))),
];

/// All that is told of a request for a page when the org answers with the secret in this form and place, and what the org
/// wrote of it: at the token endpoint, or at its API.
async fn told(
    secret: Secret,
    form: fn(&str) -> String,
    place: fn(&str) -> Act,
    at_endpoint: bool,
) -> (String, Vec<String>) {
    let written = Arc::new(Mutex::new(Vec::new()));
    let (key, sent) = (Arc::new(Mutex::new(String::new())), Arc::clone(&written));
    let (known_key, last_assertion) = (Arc::clone(&key), Mutex::new(String::new()));
    let server = ScriptedServer::new(move |seen: &Seen| {
        let is_endpoint = seen.path() == "/oauth2/v1/token";
        let proof = seen.header("dpop");
        if is_endpoint && proof.is_none() {
            return answer(400, &[("dpop-nonce", "n1")], r#"{"error": "use_dpop_nonce"}"#);
        }
        if let Some((_, assertion)) = seen.body.split_once("client_assertion=") {
            assertion.clone_into(&mut locked(&last_assertion));
        }
        let secret = match secret {
            Secret::ApiToken => Some(API_TOKEN.to_owned()),
            Secret::PrivateKey => Some(locked(&known_key).clone()),
            Secret::AccessToken => Some(ACCESS_TOKEN.to_owned()).filter(|_| !is_endpoint),
            Secret::Assertion => Some(locked(&last_assertion).clone()),
            Secret::Proof => proof.map(str::to_owned),
        };
        if is_endpoint && !at_endpoint {
            let body = format!(r#"{{"access_token": "{ACCESS_TOKEN}", "token_type": "DPoP", "expires_in": 3600}}"#);
            return json(200, &body);
        }
        let text = form(&secret.unwrap_or_default());
        locked(&sent).push(text.clone());
        place(&text)
    })
    .await;
    let client = if matches!(secret, Secret::ApiToken) {
        let authorization = Authorization::Fixed(format!("SSWS {API_TOKEN}").into());
        let retry = Policy { repeats: 1, rate_repeats: 1, ..fast() };
        Client::new(Settings { authorization, retry, ..Settings::new(&server.url) }).unwrap()
    } else {
        let (client, pem) = client_of_app(&server.url);
        locked(&key).push_str(pem.expose_secret().lines().nth(1).unwrap());
        client
    };
    let (log, logged) = Log::of_this_thread();
    let answered = client.json::<Vec<u32>>(&Request::get("/api/v1/users")).await;
    drop(logged);
    let failure = match answered {
        Ok((_, reply)) => match next_cursor(&reply.headers, client.base()) {
            Ok(_) => return (format!("{reply:?} {client:?}"), Vec::new()),
            Err(why) => reply.implausible(why),
        },
        Err(failure) => failure,
    };
    let text = format!("{failure} {failure:?} {client:?}") + &format!("{:?}", Error::from(failure));
    let written = locked(&written).clone();
    (text + &log.text(), written)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_secret_that_an_org_echoes_is_told(
        secret in prop::sample::select(vec![
            Secret::ApiToken, Secret::PrivateKey, Secret::AccessToken, Secret::Assertion, Secret::Proof,
        ]),
        form in 0..FORMS.len(),
        place in 0..PLACES.len(),
        at_endpoint in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let at_endpoint = at_endpoint && !matches!(secret, Secret::ApiToken | Secret::AccessToken);
        let (told, written) = runtime.block_on(told(secret, FORMS[form].1, PLACES[place].1, at_endpoint));
        prop_assert!(!told.is_empty());
        for text in written {
            let echoed = told.contains(&text);
            prop_assert!(!echoed, "{} as {}: {told}", PLACES[place].0, FORMS[form].0);
        }
    }
}
