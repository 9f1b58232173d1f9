//! Names the entity of an answer that couldn't be read.

use serde_json::Value;

use super::mask::shortened;

/// The longest name that is shown.
const LONGEST: usize = 80;

/// The names of the entity around this place of a text in JSON, such as `"00u1" ("ada@example.com")`; none if it can't be
/// told. Lines count from 1, as those of `serde_json` do.
pub(super) fn at(text: &[u8], line: usize, column: usize) -> Option<String> {
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(line.checked_sub(1)?);
    let place = lines.map(<[u8]>::len).sum::<usize>() + column;
    let text = text.get(..).filter(|text| place <= text.len())?;
    objects_around(&text[..place]).into_iter().find_map(|start| {
        let object = serde_json::Deserializer::from_slice(&text[start..]).into_iter::<Value>().next()?.ok()?;
        name(&object)
    })
}

/// Where the objects begin that are open at the end of a text, from the outermost one on, with the one that ends there.
fn objects_around(text: &[u8]) -> Vec<usize> {
    let (mut open, mut in_text, mut escaped) = (Vec::new(), false, false);
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.iter().enumerate() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_text = false,
            (false, b'"') => in_text = true,
            (false, b'{') => open.push(at),
            (false, b'}') if at != last => drop(open.pop()),
            _ => {}
        }
    }
    open
}

/// The id of an entity, and by what people know it.
fn name(object: &Value) -> Option<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(|text| shortened(text, LONGEST));
    let id = text("/id");
    let known = ["/profile/login", "/userName", "/email", "/displayName", "/label", "/profile/name", "/name"];
    let known = known.into_iter().find_map(text);
    match (id, known) {
        (Some(id), Some(known)) => Some(format!("{id:?} ({known:?})")),
        (Some(id), None) => Some(format!("{id:?}")),
        (None, known) => known.map(|known| format!("{known:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct User {
        #[serde(rename = "status")]
        _status: String,
        #[serde(rename = "profile")]
        _profile: serde_json::Map<String, Value>,
    }

    fn named(text: &str) -> Option<String> {
        let error = serde_json::from_str::<Vec<User>>(text).unwrap_err();
        at(text.as_bytes(), error.line(), error.column())
    }

    #[test]
    fn the_entity_is_named_that_is_wrong() {
        let good = r#"{"id": "00u1", "status": "ACTIVE", "profile": {"login": "a}\"{@x.io"}}"#;
        let cases = [
            (format!(r#"[{good}, {{"id": "00u2", "profile": {{"login": "b@x.io"}}}}]"#), Some(r#""00u2" ("b@x.io")"#)),
            (format!("[{good},\n\n{{\"id\": \"00u2\", \"status\": 5}}]"), Some(r#""00u2""#)),
            (format!(r#"[{{"status": "A", "id": "00u2", "profile": []}}, {good}]"#), Some(r#""00u2""#)),
            (format!("[{good}, {{}}]"), None),
            (format!("[{good}, 5]"), None),
            ("{\"errorCode\": \"E1\"}".to_owned(), None),
        ];
        for (text, name) in cases {
            assert_eq!(named(&text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn the_entity_in_a_listing_with_a_head_is_named() {
        let text = r#"{"totalResults": 1, "Resources": [{"id": "a", "userName": "a@x.io", "active": 3}]}"#;
        let place = text.find('3').unwrap() + 1;
        assert_eq!(at(text.as_bytes(), 1, place).unwrap(), r#""a" ("a@x.io")"#);
        assert_eq!(at(text.as_bytes(), 9, 1), None);
        assert_eq!(at(b"", 0, 0), None);
    }
}
