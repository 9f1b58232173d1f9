//! SCIM's list responses, and the one filter that each of the two listings knows.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;
use serde_json::Value;

use super::query::Query;

/// The items of a page when the query doesn't say how many.
pub(super) const DEFAULT_COUNT: usize = 100;

/// The page that a query asks for, as the answer echoes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub start_index: f64,
    /// `None` where the query has no `count`.
    pub count: Option<f64>,
}

impl Page {
    pub fn of(query: &Query) -> Self {
        Self { start_index: query.number("startIndex").unwrap_or(1.0), count: query.number("count") }
    }

    /// `count` as it is echoed.
    pub fn items_per_page(self) -> f64 {
        self.count.unwrap_or(100.0)
    }
}

/// A list response, whose resources may be written one by one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse<T> {
    schemas: [&'static str; 1],
    total_results: usize,
    start_index: Value,
    items_per_page: Value,
    #[serde(rename = "Resources")]
    resources: T,
}

impl<T: Serialize> ListResponse<T> {
    pub fn new(page: Page, total_results: usize, resources: T) -> Self {
        Self {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            total_results,
            start_index: number(page.start_index),
            items_per_page: number(page.items_per_page()),
            resources,
        }
    }
}

/// A number as JavaScript writes it: without `.0`.
fn number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "only whole numbers that a double holds exactly are cast")]
    if number.fract() == 0.0 && number.abs() < 9e15 { Value::from(number as i64) } else { Value::from(number) }
}

/// The value of `userName eq "…"` anywhere in a filter, lower-cased and trimmed. Everything else that the filter says
/// is ignored, and a filter without it too (docs/activepieces.md#listing-users).
pub(super) fn user_name_filter(query: &Query) -> Option<String> {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?i)userName\s+eq\s+"([^"]+)""#).ok());
    captured(PATTERN.as_ref()?, query)
}

/// The same for `displayName eq "…"`, which is then compared with external ids (docs/activepieces.md#listing-groups).
pub(super) fn display_name_filter(query: &Query) -> Option<String> {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?i)displayName\s+eq\s+"([^"]+)""#).ok());
    captured(PATTERN.as_ref()?, query)
}

fn captured(pattern: &Regex, query: &Query) -> Option<String> {
    let captures = pattern.captures(query.text("filter")?)?;
    captures.get(1).map(|value| value.as_str().to_lowercase().trim().to_owned())
}
