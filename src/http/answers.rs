//! Answers of a server by request: recorded while they arrive, or given again without any network.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::cause::Cause;
use super::error_body::ErrorBody;
use super::failure::Failure;
use super::request::Request;
use crate::error::Error;

/// A complete answer to a read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The body.
    Body(Json),
    /// The entities of all pages of a listing.
    List(Vec<Json>),
    /// An error status with what its body says.
    Refused { status: u16, code: Option<String>, message: String },
}

/// A value as its text, which takes a tenth of the memory. Clones share it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Arc<RawValue>);

impl Json {
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The value; null where it is nested more deeply than any answer.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        let text = to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self(text.into())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(text: Box<RawValue>) -> Self {
        Self(text.into())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

/// Answers by path and query.
pub type Answers = BTreeMap<String, Answer>;

/// Where the answers to reads come from.
#[derive(Clone, Debug, Default)]
pub enum Source {
    #[default]
    Server,
    /// The server, and each answer to a read is recorded.
    Recorded(Recorder),
    /// Answers that were recorded; nothing is sent.
    Snapshot(Arc<Snapshot>),
}

/// Recorded answers of one server, with its time then.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub answers: Answers,
    pub time: Option<Timestamp>,
}

/// Records answers. Clones share the record.
#[derive(Clone, Debug)]
pub struct Recorder {
    /// What is kept of a body, or of an entity of a listing.
    keep: fn(Value) -> Value,
    record: Arc<Mutex<BTreeMap<String, Entry>>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Whole(Answer),
    /// By id: an entity that changes while it is listed may be on two pages, and the later one is the newer one.
    Pages(BTreeMap<String, Json>),
}

impl Recorder {
    pub fn new(keep: fn(Value) -> Value) -> Self {
        Self { keep, record: Arc::default() }
    }

    /// What was recorded so far.
    pub fn answers(&self) -> Answers {
        let record = self.record();
        let answers = record.iter().map(|(key, entry)| (key.clone(), entry.clone().answer()));
        answers.collect()
    }

    /// Records the answer to a read. Nothing of one that holds a secret.
    pub(super) fn note(&self, request: &Request, outcome: Result<&Value, &Cause>) {
        if request.method != Method::GET || request.confidential {
            return;
        }
        let mut record = self.record();
        let (key, page) = match &request.page_of {
            Some(page) => (page.listing.clone(), Some(page)),
            None => (key(request), None),
        };
        match (outcome, page) {
            (Ok(Value::Array(items)), Some(page)) => {
                let kept = items.iter().map(|item| (identity(item), self.kept(item)));
                match record.get_mut(&key) {
                    Some(Entry::Pages(pages)) if !page.first => pages.extend(kept),
                    _ => drop(record.insert(key, Entry::Pages(kept.collect()))),
                }
            }
            (Ok(body), _) => drop(record.insert(key, Entry::Whole(Answer::Body(self.kept(body))))),
            (Err(cause), page) if page.is_none_or(|page| page.first) => {
                if let Some(refused) = refused(cause) {
                    record.insert(key, Entry::Whole(refused));
                }
            }
            (Err(_), _) => {}
        }
    }

    fn kept(&self, value: &Value) -> Json {
        Json::from(&(self.keep)(value.clone()))
    }

    fn record(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // Each entry is replaced or extended as a whole.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn answer(self) -> Answer {
        match self {
            Self::Whole(answer) => answer,
            Self::Pages(pages) => Answer::List(pages.into_values().collect()),
        }
    }
}

impl Snapshot {
    /// The body that answers a request, in JSON, or why there is none.
    pub(super) fn body(&self, request: &Request) -> Result<String, Cause> {
        let key = request.page_of.as_ref().map_or_else(|| key(request), |page| page.listing.clone());
        match self.answers.get(&key).filter(|_| request.method == Method::GET) {
            None => Err(Cause::NotRecorded),
            Some(Answer::Body(body)) => Ok(body.text().to_owned()),
            Some(Answer::List(list)) => {
                let texts: Vec<&str> = list.iter().map(Json::text).collect();
                Ok(format!("[{}]", texts.join(",")))
            }
            Some(Answer::Refused { status, code, message }) => Err(Cause::Status {
                status: StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                body: Box::new(ErrorBody { code: code.clone(), message: message.clone(), ..ErrorBody::default() }),
            }),
        }
    }
}

impl Failure {
    /// The failure of a request that the error is about, if there is one.
    pub fn of(error: &Error) -> Option<&Self> {
        error.cause.downcast_ref()
    }

    /// Whether the answer to the request isn't among the recorded ones.
    pub fn is_not_recorded(&self) -> bool {
        *self.cause() == Cause::NotRecorded
    }
}

fn key(request: &Request) -> String {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query.join("&")) };
    format!("{}{query}", request.target)
}

/// The id of an entity, or all of it where it has none.
fn identity(item: &Value) -> String {
    item.get("id").and_then(Value::as_str).map_or_else(|| item.to_string(), str::to_owned)
}

fn refused(cause: &Cause) -> Option<Answer> {
    match cause {
        Cause::Status { status, body } => {
            Some(Answer::Refused { status: status.as_u16(), code: body.code.clone(), message: body.message.clone() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(listing: &str, first: bool) -> Request {
        Request::get("/users").param("limit", "2").page_of(listing.to_owned(), first)
    }

    fn played(recorder: &Recorder) -> Snapshot {
        Snapshot { answers: recorder.answers(), time: None }
    }

    #[test]
    fn the_pages_of_a_listing_are_one_answer_and_a_new_beginning_replaces_it() {
        let recorder = Recorder::new(|value| value);
        recorder.note(&page("/users", true), Ok(&json!([{"id": "gone"}])));
        recorder.note(&page("/users", true), Ok(&json!([{"id": "a", "n": 1}, {"id": "b"}])));
        recorder.note(&page("/users", false), Ok(&json!([{"id": "a", "n": 2}, {"id": "c"}])));
        let body = played(&recorder).body(&page("/users", true)).unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body, json!([{"id": "a", "n": 2}, {"id": "b"}, {"id": "c"}]));
    }

    #[test]
    fn refusals_are_given_again_and_what_was_not_asked_is_not_an_empty_answer() {
        let recorder = Recorder::new(|value| value);
        let status = StatusCode::NOT_FOUND;
        let body = Box::new(ErrorBody { code: Some("E0000007".to_owned()), ..ErrorBody::default() });
        let missing = Cause::Status { status, body };
        recorder.note(&Request::get("/users/1"), Err(&missing));
        recorder.note(&Request::new(Method::POST, "/users"), Ok(&json!({"id": "made"})));
        recorder.note(&Request::get("/token").confidential(), Ok(&json!({"access_token": "x"})));
        assert_eq!(recorder.answers().len(), 1);
        let snapshot = played(&recorder);
        assert_eq!(snapshot.body(&Request::get("/users/1")), Err(missing));
        assert_eq!(snapshot.body(&Request::get("/users/2")), Err(Cause::NotRecorded));
        assert_eq!(snapshot.body(&Request::get("/users/1").param("x", "1")), Err(Cause::NotRecorded));
        assert_eq!(snapshot.body(&page("/users", true)), Err(Cause::NotRecorded));
    }
}
