//! Every recorded answer of a real Okta can be read. The recordings are no part of this project; where they aren't there
//! the test says so.

use std::path::Path;

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

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference/okta-samples");

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

fn headers_of(recording: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in recording["headers"].as_object().unwrap() {
        let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
        let name: HeaderName = name.parse().unwrap();
        for value in values {
            headers.append(name.clone(), value.as_str().unwrap().parse().unwrap());
        }
    }
    headers
}

/// The host that the links name: the recorders rewrote the request's host but not always theirs.
fn base_of(recording: &Value, headers: &HeaderMap) -> Url {
    let link = headers.get("link").and_then(|link| link.to_str().unwrap().trim_start_matches('<').split('>').next());
    Url::parse(link.unwrap_or(recording["request"]["url"].as_str().unwrap())).unwrap()
}

fn check(name: &str, recording: &Value) {
    let status = recording["status"].as_u64().unwrap();
    let url = Url::parse(recording["request"]["url"].as_str().unwrap()).unwrap();
    let headers = headers_of(recording);
    if status == 200 {
        read_body(url.path(), &recording["body"]).unwrap_or_else(|error| panic!("{name}: {error}"));
    } else {
        let body = ErrorBody::parse(&recording["body"].to_string());
        assert!(!body.message.is_empty(), "{name}: {body:?}");
        assert_eq!(body.code.is_some(), !name.starts_with("55-"), "{name}: {body:?}");
        assert_eq!(body.is_invalid_cursor(), name.contains("invalid-cursor"), "{name}");
    }
    let cursor = next_cursor(&headers, &base_of(recording, &headers)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let links = recording["headers"].to_string();
    assert_eq!(cursor.is_some(), links.contains(r#"rel=\"next\""#), "{name}");
    let signals = Signals::read(&headers);
    assert!(signals.date.is_some(), "{name}");
    assert_eq!(signals.window_left().is_some(), headers.contains_key("x-rate-limit-reset"), "{name}: {signals:?}");
}

#[test]
fn every_recording_can_be_read() {
    if !Path::new(RECORDINGS).is_dir() {
        eprintln!("skipped: there are no recordings at {RECORDINGS}");
        return;
    }
    let mut count = 0;
    for file in std::fs::read_dir(RECORDINGS).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "json") {
            let recording = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            check(file.file_name().unwrap().to_str().unwrap(), &recording);
            count += 1;
        }
    }
    assert!(count >= 50, "{count}");
}
