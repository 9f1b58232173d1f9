//! Every answer in `tests/fixtures/okta` can be read. They have the fields and types of real answers, and invented values.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::error_body::ErrorBody;
use crate::http::link::next_cursor;
use crate::http::signals::Signals;
use crate::model::okta::User;
use crate::okta::api::wire::{
    App, AppGroup, AppUser, GroupPush, GroupRule, OrgSettings, ProfileMapping, Schema, UserType, WireGroup,
};

const ANSWERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/okta");

fn read<T: DeserializeOwned>(body: &Value) -> Result<(), String> {
    serde_json::from_value::<T>(body.clone()).map(drop).map_err(|error| error.to_string())
}

/// Reads a body as the type of its route: one entity or a list.
fn read_body(path: &str, body: &Value) -> Result<(), String> {
    if let Value::Array(items) = body {
        return items.iter().try_for_each(|item| read_entity(path, item));
    }
    read_entity(path, body)
}

fn read_entity(path: &str, body: &Value) -> Result<(), String> {
    let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
    match parts.as_slice() {
        ["users"] | ["users", _] | ["groups", _, "users"] => read::<User>(body),
        ["groups", "rules", ..] => read::<GroupRule>(body),
        ["groups"] | ["groups", _] | ["users", _, "groups"] => read::<WireGroup>(body),
        ["apps"] | ["apps", _] => read::<App>(body),
        ["apps", _, "users"] => read::<AppUser>(body),
        ["apps", _, "groups"] => read::<AppGroup>(body),
        ["apps", _, "group-push", ..] => read::<GroupPush>(body),
        ["mappings", ..] => read::<ProfileMapping>(body),
        ["meta", "schemas", ..] => read::<Schema>(body),
        ["meta", "types", "user"] => read::<UserType>(body),
        ["org"] => read::<OrgSettings>(body),
        _ if path == "/oauth2/v1/token" => body.get("access_token").map(drop).ok_or_else(|| "no token".to_owned()),
        _ => Err(format!("no type for {path}")),
    }
}

fn headers_of(answer: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in answer["headers"].as_object().unwrap() {
        let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
        let name: HeaderName = name.parse().unwrap();
        for value in values {
            headers.append(name.clone(), value.as_str().unwrap().parse().unwrap());
        }
    }
    headers
}

fn check(name: &str, answer: &Value) {
    let status = answer["status"].as_u64().unwrap();
    let url = Url::parse(answer["request"]["url"].as_str().unwrap()).unwrap();
    let headers = headers_of(answer);
    if status == 200 {
        read_body(url.path(), &answer["body"]).unwrap_or_else(|error| panic!("{name}: {error}"));
    } else {
        let body = ErrorBody::parse(&answer["body"].to_string());
        assert!(!body.message.is_empty(), "{name}: {body:?}");
        assert!(body.code.is_some(), "{name}: {body:?}");
        assert_eq!(body.is_invalid_cursor(), name.contains("invalid-cursor"), "{name}");
    }
    let cursor = next_cursor(&headers, &url).unwrap_or_else(|error| panic!("{name}: {error}"));
    let links = answer["headers"].to_string();
    assert_eq!(cursor.is_some(), links.contains(r#"rel=\"next\""#), "{name}");
    let signals = Signals::read(&headers);
    assert!(signals.date.is_some(), "{name}");
    assert_eq!(signals.window_left().is_some(), headers.contains_key("x-rate-limit-reset"), "{name}: {signals:?}");
}

#[test]
fn every_answer_can_be_read() {
    let mut count = 0;
    for file in std::fs::read_dir(ANSWERS).unwrap().map(|file| file.unwrap().path()) {
        let answer = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        check(file.file_name().unwrap().to_str().unwrap(), &answer);
        count += 1;
    }
    assert_eq!(count, 50);
}
