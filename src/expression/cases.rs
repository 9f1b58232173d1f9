//! Test cases: an expression, a user, and the expected result. One JSON object per line.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{Context, Expression};
use crate::model::okta::{Group, GroupType, Status, User};

/// `{"expression", "user", "groups", "result"}`, or `"error"` in place of `"result"`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub expression: String,
    /// The profile.
    #[serde(default)]
    pub user: Map<String, Json>,
    /// Names of groups.
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    pub result: Option<Json>,
    /// Any value. Only whether the evaluation fails is compared.
    #[serde(default, deserialize_with = "present")]
    pub error: Option<Json>,
}

/// Distinguishes `null` from a missing key.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// The expected and the actual result of a failed case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub expected: String,
    pub actual: String,
}

impl Case {
    /// Parses a line.
    pub fn parse(line: &str) -> Result<Self, String> {
        let case: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        match (&case.result, &case.error) {
            (None, None) => Err("it has neither \"result\" nor \"error\"".to_owned()),
            (Some(_), Some(_)) => Err("it has both \"result\" and \"error\"".to_owned()),
            _ => Ok(case),
        }
    }

    /// Evaluates the case and compares the result.
    pub fn check(&self) -> Result<(), Difference> {
        let actual = self.evaluate();
        let good = match (&self.result, &actual) {
            (Some(expected), Ok(actual)) => same(expected, actual),
            (None, Err(_)) => true,
            _ => false,
        };
        if good {
            return Ok(());
        }
        Err(Difference {
            expected: self.result.as_ref().map_or_else(|| "an error".to_owned(), Json::to_string),
            actual: actual.map_or_else(|error| format!("an error: {error}"), |value| value.to_string()),
        })
    }

    fn evaluate(&self) -> Result<Json, String> {
        let expression = Expression::parse(&self.expression)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let user = User::new("00u".into(), Status::Active, self.user.clone());
        let group = |(at, name): (usize, &String)| {
            let id = format!("00g{at}").into();
            Arc::new(Group { id, name: name.clone(), kind: GroupType::OktaGroup })
        };
        let groups: Vec<Arc<Group>> = self.groups.iter().enumerate().map(group).collect();
        let value = expression.evaluate(&Context::new(&user, &groups)).map_err(|error| error.message)?;
        Ok(value.to_json())
    }
}

/// Equality, with numbers compared by value: `3` and `3.0` are the same.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}
