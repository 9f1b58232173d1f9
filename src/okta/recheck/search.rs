//! Okta's search language, evaluated on one user who was read by id: the index behind a search may miss a user who matches
//! (`docs/okta.md#the-search-index-is-eventually-consistent`).
//!
//! What isn't documented is unknown, and never counts as a no.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::okta::Profile;

/// The properties outside of profiles that a search knows (`docs/okta.md#the-search-language`).
const PROPERTIES: [&str; 7] = ["id", "status", "created", "activated", "statusChanged", "lastUpdated", "type.id"];
/// Deeper parentheses than any search has.
const DEEPEST: usize = 64;

/// A search that was understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Test { property: String, operator: Operator, value: Value },
    Present { property: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    StartsWith,
    EndsWith,
    Contains,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    /// Operators are case-insensitive.
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "co" => Self::Contains,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

impl Search {
    /// Reads a search; none if there is anything in it that isn't known here.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
        let search = parser.any()?;
        (parser.at == parser.tokens.len()).then_some(search)
    }

    /// Whether the search finds the user, by all that Okta says of the user; none where that is unknown.
    pub fn finds(&self, user: &Profile) -> Option<bool> {
        match self {
            Self::And(parts) => decide(parts, user, false),
            Self::Or(parts) => decide(parts, user, true),
            Self::Not(part) => part.finds(user).map(|found| !found),
            Self::Present { property } => present(property_of(user, property)?),
            Self::Test { property, operator, value } => match property_of(user, property)? {
                Value::Array(have) => {
                    let tests: Vec<_> = have.iter().map(|have| test(have, *operator, value)).collect();
                    any(tests.into_iter())
                }
                have => test(have, *operator, value),
            },
        }
    }
}

/// The first part that is `decisive` decides; an unknown part leaves the result unknown.
fn decide(parts: &[Search], user: &Profile, decisive: bool) -> Option<bool> {
    let parts = parts.iter().map(|part| part.finds(user).map(|found| found == decisive));
    any(parts).map(|found| found == decisive)
}

/// Whether any is true; none if that depends on an unknown one.
fn any(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    for one in all {
        match one {
            Some(true) => return Some(true),
            Some(false) => {}
            None => open = true,
        }
    }
    (!open).then_some(false)
}

/// A property of the user; null if they don't have it, and none if it isn't one that a search has.
fn property_of<'u>(user: &'u Profile, property: &str) -> Option<&'u Value> {
    if let Some(attribute) = property.strip_prefix("profile.") {
        return Some(user.get("profile")?.get(attribute).unwrap_or(&Value::Null));
    }
    if !PROPERTIES.contains(&property) {
        return None;
    }
    let mut at = user.get(property.split('.').next()?);
    for part in property.split('.').skip(1) {
        at = at.and_then(|at| at.get(part));
    }
    Some(at.unwrap_or(&Value::Null))
}

/// Whether a property has a value. Whether an empty one counts isn't documented.
fn present(have: &Value) -> Option<bool> {
    match have {
        Value::Null => Some(false),
        Value::String(text) if text.is_empty() => None,
        Value::Array(all) if all.is_empty() => None,
        _ => Some(true),
    }
}

fn test(have: &Value, operator: Operator, want: &Value) -> Option<bool> {
    let (have, want) = match (text(have), text(want)) {
        (Some(have), Some(want)) => (have, want),
        (None, Some(_)) if have.is_null() => return Some(false),
        _ => return None,
    };
    match operator {
        Operator::Equal => Some(ordered(&have, &want).map_or(have == want, |order| order == Ordering::Equal)),
        Operator::StartsWith => Some(have.starts_with(&want)),
        Operator::EndsWith => Some(have.ends_with(&want)),
        Operator::Contains => Some(have.contains(&want)),
        Operator::Greater => Some(ordered(&have, &want)? == Ordering::Greater),
        Operator::GreaterOrEqual => Some(ordered(&have, &want)? != Ordering::Less),
        Operator::Less => Some(ordered(&have, &want)? == Ordering::Less),
        Operator::LessOrEqual => Some(ordered(&have, &want)? != Ordering::Greater),
    }
}

/// The text of a value; case doesn't count.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The order of two times or two numbers. By what order other texts are compared isn't documented.
fn ordered(have: &str, want: &str) -> Option<Ordering> {
    let time = |text: &str| text.to_uppercase().parse::<Timestamp>().ok();
    if let (Some(have), Some(want)) = (time(have), time(want)) {
        return Some(have.cmp(&want));
    }
    have.parse::<f64>().ok()?.partial_cmp(&want.parse().ok()?)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut text = String::new();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => text.push(rest.next()?),
                        other => text.push(other),
                    }
                }
                tokens.push(Token::Text(text));
            }
            first if first.is_whitespace() => {}
            first => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| !next.is_whitespace() && !matches!(next, '(' | ')' | '"')) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Some(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn takes_word(&mut self, wanted: &str) -> bool {
        let takes = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(takes);
        takes
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at)?.clone();
        self.at += 1;
        Some(token)
    }

    /// `and` binds closer than `or` (`docs/okta.md#the-search-language`).
    fn any(&mut self) -> Option<Search> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut parts = vec![self.all()?];
        while self.takes_word("or") {
            parts.push(self.all()?);
        }
        self.depth -= 1;
        if parts.len() == 1 { parts.pop() } else { Some(Search::Or(parts)) }
    }

    fn all(&mut self) -> Option<Search> {
        let mut parts = vec![self.one()?];
        while self.takes_word("and") {
            parts.push(self.one()?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(Search::And(parts)) }
    }

    fn one(&mut self) -> Option<Search> {
        let is_not = self.takes_word("not");
        let part = match self.next()? {
            Token::Open => {
                let inner = self.any()?;
                if self.next()? != Token::Close {
                    return None;
                }
                inner
            }
            Token::Word(property) => self.test_of(property)?,
            Token::Close | Token::Text(_) => return None,
        };
        Some(if is_not { Search::Not(Box::new(part)) } else { part })
    }

    fn test_of(&mut self, property: String) -> Option<Search> {
        if self.takes_word("pr") {
            return Some(Search::Present { property });
        }
        let Token::Word(operator) = self.next()? else { return None };
        let operator = Operator::parse(&operator)?;
        let value = match self.next()? {
            Token::Text(text) => Value::String(text),
            Token::Word(word) => serde_json::from_str(&word).ok().filter(|value| text(value).is_some())?,
            Token::Open | Token::Close => return None,
        };
        Some(Search::Test { property, operator, value })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finds(search: &str) -> Option<bool> {
        let user = json!({
            "id": "00u1", "status": "ACTIVE", "created": "2026-01-02T03:04:05.000Z", "type": {"id": "oty1"},
            "profile": {"login": "Ada@example.com", "dept": "IT \"core\"", "level": 3, "vip": true, "none": null, "empty": "",
                "tags": ["Red", "blue"]},
        });
        let Value::Object(user) = user else { return None };
        Search::parse(search)?.finds(&user)
    }

    #[test]
    fn a_search_is_told_on_the_user() {
        for search in [
            r#"status eq "active""#,
            r#"STATUS_ eq "x" or profile.login sw "ada@""#,
            r#"profile.dept EQ "it \"CORE\"""#,
            r#"profile.login ew ".COM" and profile.login co "EXAMPLE""#,
            "profile.level gt 2 and profile.level le 3",
            r#"profile.vip eq true and profile.level eq "3""#,
            r#"created gt "2026-01-01T00:00:00.000Z" and type.id eq "oty1""#,
            r#"profile.tags eq "red" and profile.tags eq "BLUE" and profile.tags pr"#,
            r#"not (profile.login sw "b") and (profile.nobody eq "x" or profile.vip pr)"#,
            r#"profile.nobody eq "a" and profile.vip pr or status pr"#,
        ] {
            assert_eq!(finds(search), Some(true), "{search}");
        }
        for search in [
            r#"status eq "SUSPENDED""#,
            "profile.none pr",
            "profile.nobody pr",
            r#"profile.none eq "x""#,
            r#"profile.tags eq "green""#,
            r#"profile.vip pr and (profile.level lt 3 or status eq "STAGED")"#,
            "profile.STATUS pr and created pr",
        ] {
            assert_eq!(finds(search), Some(false), "{search}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_answer() {
        for search in [
            "",
            "status",
            "status eq",
            "status eq ACTIVE",
            r#"status ne "ACTIVE""#,
            r#"(status eq "ACTIVE""#,
            r#"status eq "ACTIVE"#,
            r#"status eq "ACTIVE") or (status pr"#,
            r#"realmId eq "x""#,
            r#"profile.login gt "a""#,
            "profile.empty pr",
            r#"profile.vip pr and realmId eq "x""#,
            r#"profile.tags[type eq "x"]"#,
            &"(".repeat(100_000),
        ] {
            assert_eq!(finds(search), None, "{search:.50}");
        }
        assert_eq!(finds(r#"status pr or realmId eq "x""#), Some(true), "the rest can't change it");
        assert_eq!(finds(r#"profile.none pr and realmId eq "x""#), Some(false));
    }
}
