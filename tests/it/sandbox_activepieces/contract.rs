//! A row of requests with the answers of a real Activepieces server, in `tests/fixtures/activepieces-answers.jsonl`: each
//! request of the row finds what the ones before it left.

use std::collections::BTreeMap;

use oktapieces_sandbox::activepieces::Platform;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use super::support::{Answer, Server, finish};

const ROWS: &str = include_str!("../../fixtures/activepieces-answers.jsonl");

/// A request and its answer. `{X}` in a text is what an earlier row bound to X.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    method: String,
    path: String,
    /// A filter, which is percent-encoded here.
    filter: Option<String>,
    body: Option<Value>,
    /// A body that isn't JSON.
    raw: Option<String>,
    #[serde(rename = "type", default = "scim")]
    content_type: String,
    /// Another `Authorization` than the key's; an empty one isn't sent.
    auth: Option<String>,
    bind: Option<Bind>,
    #[serde(default)]
    show: Show,
    status: u16,
    answer: Value,
}

fn scim() -> String {
    "application/scim+json".to_owned()
}

/// The name for the id of the answer, or of the item of its list that has a value.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bind {
    Id(String),
    ItemId {
        name: String,
        /// A JSON pointer into the item, and the value there.
        r#where: (String, String),
    },
}

/// What of an answer is compared.
#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Show {
    #[default]
    All,
    /// Values by their JSON pointers.
    Pick(Vec<String>),
    /// Values of each item of a list, sorted.
    Each(Vec<String>),
    /// The counts of a SCIM list.
    List,
}

/// What is bound to a name, and the names in texts.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    fn fill_all(&self, value: &Value) -> Value {
        serde_json::from_str(&self.fill(&value.to_string())).unwrap()
    }

    /// An answer with names for ids, without what differs in each run, and with members in one order.
    fn plain(&self, value: &Value) -> Value {
        const VARYING: [&str; 4] = ["created", "updated", "lastModified", "lastActiveDate"];
        match value {
            Value::Object(fields) => {
                let kept = fields.iter().filter(|(name, _)| !VARYING.contains(&name.as_str()));
                let mut plain: Value = kept.map(|(name, value)| (name.clone(), self.plain(value))).collect();
                if let Some(members) = plain.get_mut("members").and_then(Value::as_array_mut) {
                    members.sort_by_key(ToString::to_string);
                }
                plain
            }
            Value::Array(items) => items.iter().map(|item| self.plain(item)).collect(),
            Value::String(text) => {
                let ids = self.0.iter().filter(|(name, _)| *name != "KEY");
                ids.fold(text.clone(), |text, (name, id)| text.replace(id, &format!("{{{name}}}"))).into()
            }
            other => other.clone(),
        }
    }

    fn bind(&mut self, bind: &Bind, body: &Value) {
        let (name, holder) = match bind {
            Bind::Id(name) => (name, body),
            Bind::ItemId { name, r#where: (pointer, value) } => {
                let value = self.fill(value);
                let item = items(body).iter().find(|item| item.pointer(pointer) == Some(&json!(value)));
                (name, item.unwrap())
            }
        };
        self.0.insert(name.clone(), holder["id"].as_str().unwrap().to_owned());
    }
}

fn items(body: &Value) -> &[Value] {
    let list = body.get("Resources").or_else(|| body.get("data"));
    list.and_then(Value::as_array).unwrap_or_else(|| panic!("no list: {body}"))
}

fn pick(value: &Value, pointers: &[String]) -> Value {
    pointers.iter().map(|pointer| value.pointer(pointer).cloned().unwrap_or_default()).collect()
}

impl Row {
    async fn send(&self, server: &Server, names: &Names) -> Answer {
        let method: Method = self.method.parse().unwrap();
        let mut request = server.bare(method, &names.fill(&self.path));
        let auth = self.auth.as_deref().unwrap_or("Bearer {KEY}");
        if !auth.is_empty() {
            request = request.header(AUTHORIZATION, names.fill(auth));
        }
        if let Some(filter) = &self.filter {
            request = request.query(&[("filter", filter)]);
        }
        let body = self.raw.clone().or_else(|| Some(names.fill_all(self.body.as_ref()?).to_string()));
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, &self.content_type).body(body);
        }
        finish(request).await
    }

    fn shown(&self, body: &Value, names: &Names) -> Value {
        match &self.show {
            Show::All => names.plain(body),
            Show::Pick(pointers) => names.plain(&pick(body, pointers)),
            Show::Each(pointers) => {
                let mut shown: Vec<_> = items(body).iter().map(|item| names.plain(&pick(item, pointers))).collect();
                shown.sort_by_key(ToString::to_string);
                shown.into()
            }
            Show::List => json!({
                "totalResults": body["totalResults"],
                "startIndex": body["startIndex"],
                "itemsPerPage": body["itemsPerPage"],
                "items": items(body).len(),
            }),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_requests_is_answered_as_by_a_real_server() {
    let server = Server::serve(Platform::new(1)).await;
    let mut names = Names::default();
    let owner = ("OWNER", server.owner_id());
    let known =
        [owner, ("OWNER_EMAIL", Platform::OWNER_EMAIL.to_owned()), ("KEY", server.platform.api_key().to_owned())];
    names.0.extend(known.map(|(name, value)| (name.to_owned(), value)));
    let mut differences = Vec::new();
    for line in ROWS.lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        let answer = row.send(&server, &names).await;
        if let Some(bind) = &row.bind {
            names.bind(bind, &answer.body);
        }
        let shown = row.shown(&answer.body, &names);
        let content_type = answer.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap());
        let is_json = content_type.is_some_and(|content_type| content_type.starts_with("application/json"));
        assert_eq!(is_json, !answer.text.is_empty(), "{}: {content_type:?}", row.name);
        if (answer.status, &shown) != (row.status, &row.answer) {
            differences.push(format!("{}: {} {shown}\n  not {} {}", row.name, answer.status, row.status, row.answer));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
