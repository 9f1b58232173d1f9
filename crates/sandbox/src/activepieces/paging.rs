//! The cursor pages of the REST routes, one kind of which loses rows (docs/activepieces.md#rest).

use serde::Serialize;
use serde_json::Value;

use super::errors::Failure;
use super::query::{Limit, Query};

/// The rows of a page when the query says `limit=0`.
const ROWS_FOR_ZERO: usize = 100;

/// A page of a REST listing.
#[derive(Debug, Serialize)]
pub(super) struct RestPage<T> {
    data: Vec<T>,
    next: Option<String>,
    previous: Option<String>,
}

impl RestPage<Value> {
    /// A listing that is always whole.
    pub fn whole(data: Vec<Value>) -> Self {
        Self { data, next: None, previous: None }
    }
}

impl<T> RestPage<T> {
    /// The same page with other items.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> RestPage<U> {
        RestPage { data: self.data.into_iter().map(item).collect(), next: self.next, previous: self.previous }
    }
}

/// A place in a listing: before or after the rows with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cursor {
    Next(i64),
    Previous(i64),
}

impl Cursor {
    fn text(self) -> String {
        let (kind, key) = match self {
            Self::Next(key) => ("next", key),
            Self::Previous(key) => ("prev", key),
        };
        format!("{kind}_{key}")
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, key) = text.split_once('_')?;
        let key = key.parse().ok()?;
        match kind {
            "next" => Some(Self::Next(key)),
            "prev" => Some(Self::Previous(key)),
            _ => None,
        }
    }
}

/// The page of `rows` that the query's `limit` and `cursor` ask for.
///
/// `key` never falls along the rows, and a page begins strictly after the last one's key. So with a key that several
/// rows have (the second of their creation) the rest of those rows is lost; with one that each row has for itself the
/// paging is right.
pub(super) fn page<T: Copy>(
    query: &Query,
    default_limit: usize,
    rows: &[T],
    key: impl Fn(&T) -> i64,
) -> Result<RestPage<T>, Failure> {
    let limit = Limit::of(query.number("limit"), default_limit, ROWS_FOR_ZERO);
    if limit == Limit::Negative {
        return Err(Failure::negative_limit());
    }
    let cursor = match query.text("cursor").filter(|text| !text.is_empty()) {
        Some(text) => {
            let invalid = || Failure::product_message(400, "VALIDATION", "Invalid cursor");
            Some(Cursor::parse(text).ok_or_else(invalid)?)
        }
        None => None,
    };
    let (start, end) = match cursor {
        Some(Cursor::Previous(before)) => {
            let end = rows.partition_point(|row| key(row) < before);
            (end.saturating_sub(limit.rows()), end)
        }
        after => {
            let start = match after {
                Some(Cursor::Next(after)) => rows.partition_point(|row| key(row) <= after),
                _ => 0,
            };
            (start, start.saturating_add(limit.rows()).min(rows.len()))
        }
    };
    let more_before = start > 0 && cursor.is_some();
    let data = rows[start..end].to_vec();
    let next = data.last().filter(|_| end < rows.len()).map(|last| Cursor::Next(key(last)).text());
    let previous = data.first().filter(|_| more_before).map(|first| Cursor::Previous(key(first)).text());
    Ok(RestPage { data, next, previous })
}
