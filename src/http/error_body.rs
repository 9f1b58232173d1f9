//! Parses the error bodies of both servers, in all their shapes.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;

use super::mask::{Mask, printable, shortened};

/// The longest snippet and the longest cause that is shown.
const LONGEST: usize = 160;
/// The longest message that is shown: one about a request with many faults names the first and the last ones.
const LONGEST_MESSAGE: usize = 1000;
/// The longest code and the longest id of an error.
const LONGEST_WORD: usize = 64;
/// So many causes are shown.
const MOST_CAUSES: usize = 10;
/// How much of a body is kept for its snippet.
const KEPT: usize = 2000;

/// What an error body says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// Okta's `errorCode`, OAuth's `error`, Activepieces' `code` (docs/activepieces.md#error-bodies, shapes F and A).
    pub code: Option<String>,
    /// Text for people, without control characters.
    pub message: String,
    /// The summaries in Okta's `errorCauses`.
    pub causes: Vec<String>,
    /// Okta's `errorId`, which its support asks for.
    pub id: Option<String>,
}

impl ErrorBody {
    /// Reads any body; one of no known shape gives its beginning as the message.
    pub fn parse(body: &str) -> Self {
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(body) else {
            let message = if is_page(body) { format!("a web page: {:?}", page(body)) } else { snippet(body) };
            return Self { message, ..Self::default() };
        };
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(printable);
        if let Some(code) = text("errorCode") {
            return Self {
                code: Some(code),
                message: text("errorSummary").unwrap_or_default(),
                causes: okta_causes(object.get("errorCauses")),
                id: text("errorId"),
            };
        }
        // OAuth's `error` is a code; in Activepieces' shape H it's the name of the status.
        if let (Some(error), false) = (text("error"), object.contains_key("statusCode")) {
            let message = text("error_description").or_else(|| text("message")).unwrap_or_default();
            return Self { code: Some(error), message, ..Self::default() };
        }
        let message = text("message").or_else(|| object.get("params").map(message_of_params));
        Self { code: text("code"), message: message.unwrap_or_else(|| snippet(body)), ..Self::default() }
    }

    /// With what the `WWW-Authenticate` header says where the body has no code: Okta refuses a token that lacks a scope
    /// without any body (okta-sdk-golang issue 145).
    #[must_use]
    pub(super) fn or_challenge(mut self, headers: &HeaderMap) -> Self {
        if let (None, Some(error)) = (&self.code, challenge(headers, "error")) {
            let scope = challenge(headers, "scope").map(|scope| format!(" (scope {scope})")).unwrap_or_default();
            self.message = challenge(headers, "error_description").unwrap_or_default() + &scope;
            self.code = Some(error);
        }
        self
    }

    /// The same without secrets, and of a length that can be shown.
    #[must_use]
    pub(super) fn masked(&self, mask: &Mask) -> Self {
        let short = |text: &String| shortened(&mask.masked(text), LONGEST_WORD);
        Self {
            code: self.code.as_ref().map(short),
            message: shortened(&mask.masked(&self.message), LONGEST_MESSAGE),
            causes: self.causes.iter().take(MOST_CAUSES).map(|cause| shortened(&mask.masked(cause), LONGEST)).collect(),
            id: self.id.as_ref().map(short),
        }
    }

    /// Whether one of the causes says that the cursor of a listing is invalid or expired.
    pub fn is_invalid_cursor(&self) -> bool {
        match self.code.as_deref() {
            Some("E0000029") => true,
            Some("E0000031") => self.causes.iter().any(|cause| cause.to_lowercase().contains("cursor")),
            _ => false,
        }
    }
}

impl std::fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [self.code.as_deref().unwrap_or_default(), &self.message];
        f.write_str(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "))?;
        if !self.causes.is_empty() {
            write!(f, " ({})", self.causes.join("; "))?;
        }
        match &self.id {
            Some(id) => write!(f, " [errorId {id}]"),
            None => Ok(()),
        }
    }
}

/// A parameter of the `WWW-Authenticate` header, such as `error`.
pub fn challenge(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
    let start = format!("{name}=\"");
    values.into_iter().find_map(|value| {
        let found = value.match_indices(&start).find(|(at, _)| value[..*at].ends_with([' ', ',']))?.0;
        let (text, _) = value[found + start.len()..].split_once('"')?;
        Some(printable(text))
    })
}

fn okta_causes(causes: Option<&Value>) -> Vec<String> {
    let causes = causes.and_then(Value::as_array).into_iter().flatten();
    causes.filter_map(|cause| cause.get("errorSummary").and_then(Value::as_str)).map(printable).collect()
}

fn message_of_params(params: &Value) -> String {
    params.get("message").and_then(Value::as_str).map_or_else(|| snippet(&params.to_string()), printable)
}

/// Whether a body is a web page.
pub(super) fn is_page(body: &str) -> bool {
    let start: String = body.trim_start().chars().take(20).collect::<String>().to_lowercase();
    ["<!doctype", "<html", "<head"].iter().any(|tag| start.starts_with(tag))
}

/// What a web page says: its title, or else the beginning of its text.
pub(super) fn page(body: &str) -> String {
    let start: String = body.chars().take(KEPT * 4).collect();
    let text = between(&start, "<title", "</title").unwrap_or_else(|| text_of(&start));
    snippet(&unescaped(&text))
}

/// The text inside of the first element of this name.
fn between(page: &str, from: &str, to: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let begin = lower.find(from)? + from.len();
    let begin = begin + lower[begin..].find('>')? + 1;
    let end = begin + lower[begin..].find(to)?;
    Some(page[begin..end].to_owned()).filter(|text| !text.trim().is_empty())
}

/// A page without its tags, scripts and styles.
fn text_of(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let (mut text, mut at) = (String::new(), 0);
    while let Some(tag) = lower[at..].find('<').map(|found| at + found) {
        text.push_str(&page[at..tag]);
        text.push(' ');
        let end = ["script", "style"].iter().find(|name| lower[tag + 1..].starts_with(**name));
        let close = end.map_or_else(|| ">".to_owned(), |name| format!("</{name}>"));
        at = lower[tag..].find(&close).map_or(page.len(), |found| tag + found + close.len());
    }
    text.push_str(&page[at..]);
    text
}

/// A text with the usual entities of HTML as the characters that they mean.
fn unescaped(text: &str) -> String {
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// The beginning of a body on one line. More of it is kept than is shown, since a secret may be cut in two here.
pub(super) fn snippet(body: &str) -> String {
    let start: String = body.chars().take(KEPT * 4).collect();
    let line = printable(start.split_whitespace().collect::<Vec<_>>().join(" ").as_str());
    line.chars().take(KEPT).collect()
}

/// A snippet as it's shown.
pub(super) fn shown(snippet: &str) -> String {
    match snippet.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &snippet[..end]),
        None => snippet.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_gives_its_code_and_message() {
        let cases = [
            (
                r#"{"errorCode":"E0000007","errorSummary":"Not found: x (User)","errorLink":"E0000007","errorId":"oae1","errorCauses":[]}"#,
                "E0000007: Not found: x (User) [errorId oae1]",
            ),
            (
                r#"{"errorCode":"E0000001","errorSummary":"Api validation failed: login","errorCauses":[{"errorSummary":"login: required"},{"errorSummary":"email: bad"}]}"#,
                "E0000001: Api validation failed: login (login: required; email: bad)",
            ),
            (r#"{"errorCode":"E0000011"}"#, "E0000011"),
            (
                r#"{"error":"invalid_scope","error_description":"One or more scopes are not configured."}"#,
                "invalid_scope: One or more scopes are not configured.",
            ),
            (r#"{"statusCode":404,"error":"Not Found","message":"User not found"}"#, "User not found"),
            (
                r#"{"statusCode":500,"code":"23505","error":"Internal Server Error","message":"duplicate key"}"#,
                "23505: duplicate key",
            ),
            (r#"{"code":"AUTHENTICATION","params":{"message":"invalid api key"}}"#, "AUTHENTICATION: invalid api key"),
            (r#"{"code":"QUOTA_EXCEEDED","params":{"metric":"seats"}}"#, r#"QUOTA_EXCEEDED: {"metric":"seats"}"#),
            (r#"{"status":404,"message":"no route"}"#, "no route"),
            ("<html>\n  <h1>Bad\u{1b}[2J Gateway</h1></html>", r#"a web page: "Bad[2J Gateway""#),
            (
                "<!DOCTYPE html><HEAD><Title lang='en'>\n 502 &amp; more </TITLE></HEAD><body>x",
                r#"a web page: "502 & more""#,
            ),
            ("<html><style>a>b{}</style><script>x</script><b>ä</b>&lt;b <", r#"a web page: "ä <b""#),
            ("", ""),
            ("[1]", "[1]"),
        ];
        for (body, shown) in cases {
            assert_eq!(ErrorBody::parse(body).to_string(), shown, "{body}");
        }
    }

    #[test]
    fn a_refusal_without_a_body_is_told_by_its_header() {
        let mut headers = HeaderMap::new();
        let value = r#"DPoP algs="ES256", realm="x", scope="okta.apps.read", error="insufficient_scope", error_description="No scope.", resource="/api/v1/apps""#;
        headers.insert(WWW_AUTHENTICATE, value.parse().unwrap());
        let shown = ErrorBody::parse("").or_challenge(&headers).to_string();
        assert_eq!(shown, "insufficient_scope: No scope. (scope okta.apps.read)");
        let own = ErrorBody::parse(r#"{"errorCode":"E0000006"}"#).or_challenge(&headers);
        assert_eq!(own.to_string(), "E0000006");
    }

    #[test]
    fn an_invalid_cursor_is_told_from_a_bad_search() {
        let cursor = r#"{"errorCode":"E0000031","errorSummary":"Invalid search criteria.","errorCauses":[{"errorSummary":"Invalid cursor."}]}"#;
        let search = r#"{"errorCode":"E0000031","errorSummary":"Invalid search criteria.","errorCauses":[{"errorSummary":"no ne"}]}"#;
        assert!(ErrorBody::parse(cursor).is_invalid_cursor());
        assert!(ErrorBody::parse(r#"{"errorCode":"E0000029"}"#).is_invalid_cursor());
        assert!(!ErrorBody::parse(search).is_invalid_cursor());
    }

    #[test]
    fn a_long_body_is_cut() {
        let shown = shown(&snippet(&"ä".repeat(500)));
        assert_eq!(shown.chars().count(), 161);
        assert!(shown.ends_with('…'));
    }
}
