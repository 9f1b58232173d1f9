//! Pages: limits, cursors and the two Link headers.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::errors::{self, ApiError};

/// The parameters of a request's query, decoded.
pub type Query = BTreeMap<String, String>;

/// What a listing takes.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub default: usize,
    pub least: usize,
    pub most: usize,
    /// Whether a bad cursor is answered as a bad search.
    pub is_search: bool,
    /// Parameters of the request that its links keep; others are lost on the way.
    pub keeps: &'static [&'static str],
}

/// A listing that isn't a search, and whose links keep nothing.
pub const fn pages(default: usize, most: usize) -> Rules {
    Rules { default, least: 1, most, is_search: false, keeps: &[] }
}

/// One page, ready to be answered.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The query strings of `self` and, unless this is the last page, of `next`.
    pub links: Vec<(&'static str, String)>,
}

/// Cuts one page out of all there is, in the order of the keys.
pub fn cut_all<T: Clone>(query: &Query, rules: Rules, all: &BTreeMap<String, T>) -> Result<Page<T>, ApiError> {
    cut(query, rules, |after| {
        all.range::<str, _>((after, Bound::Unbounded)).map(|(key, item)| (key.as_str(), item.clone()))
    })
}

/// Cuts one page out of what `from` gives behind a key, in the order of the keys.
pub fn cut<'a, T, I>(query: &Query, rules: Rules, from: impl FnOnce(Bound<&str>) -> I) -> Result<Page<T>, ApiError>
where
    I: Iterator<Item = (&'a str, T)>,
{
    let limit = limit(query, rules)?;
    let after = query.get("after").map(|cursor| decode(cursor).ok_or_else(|| errors::invalid_cursor(rules.is_search)));
    let after = after.transpose()?;
    let mut items = Vec::with_capacity(limit.min(1000));
    let mut last = None;
    let mut more = false;
    for (key, item) in from(after.as_deref().map_or(Bound::Unbounded, Bound::Excluded)) {
        if items.len() == limit {
            more = true;
            break;
        }
        items.push(item);
        last = Some(key);
    }
    let kept: Vec<String> =
        rules.keeps.iter().filter_map(|name| Some(format!("&{name}={}", encoded(query.get(*name)?)))).collect();
    let kept = kept.concat();
    let own = query.get("after").map(|cursor| format!("after={}&", encoded(cursor))).unwrap_or_default();
    let mut links = vec![("self", format!("{own}limit={limit}{kept}"))];
    if let (true, Some(last)) = (more, last) {
        links.push(("next", format!("after={}&limit={limit}{kept}", encoded(&encode(last)))));
    }
    Ok(Page { items, links })
}

/// How many a page holds.
pub fn limit(query: &Query, rules: Rules) -> Result<usize, ApiError> {
    match query.get("limit").map(|text| text.parse::<i64>()) {
        None => Ok(rules.default),
        Some(Ok(limit)) if limit < 0 => Ok(rules.default),
        Some(Ok(limit)) => Ok(usize::try_from(limit).unwrap_or(rules.most).clamp(rules.least, rules.most)),
        Some(Err(_)) => Err(errors::validation("limit", "'limit' must be a number")),
    }
}

/// A cursor says nothing to a client, and holds a `+`, which a careless one turns into a space.
fn encode(key: &str) -> String {
    let reversed: String = key.chars().rev().collect();
    format!("200+{reversed}")
}

fn decode(cursor: &str) -> Option<String> {
    let key: String = cursor.strip_prefix("200+")?.chars().rev().collect();
    key.chars().all(|character| character.is_ascii_alphanumeric()).then_some(key)
}

/// Percent-encoding of all but unreserved characters, a space as `+`, as Okta's links have it.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The parameters of a query string; `+` is a space, as in a form.
pub fn parse_query(query: &str) -> Query {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Undoes percent-encoding.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let hex = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
                hex.unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
