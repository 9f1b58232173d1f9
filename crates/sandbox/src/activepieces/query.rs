//! Query parameters, as the server's validation coerces them.

use axum::http::Uri;

use super::body;

/// The parameters of a request's query.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub fn of(uri: &Uri) -> Self {
        Self { pairs: body::pairs(uri).unwrap_or_default() }
    }

    /// The values of a parameter, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The number that a parameter is coerced to; the outer `None` is an absent one.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name).map(coerced)
    }

    /// Notes what is wrong with a parameter that has to be one text.
    pub fn expect_text(&self, problems: &mut Vec<String>, name: &str) {
        if self.all(name).count() > 1 {
            problems.push(format!("querystring/{name} Invalid input: expected string, received array"));
        }
    }

    /// Notes what is wrong with a parameter that has to be a number.
    pub fn expect_number(&self, problems: &mut Vec<String>, name: &str) {
        if self.all(name).count() > 1 || self.number(name).is_some_and(|number| !number.is_finite()) {
            problems.push(format!("querystring/{name} Invalid input: expected number, received NaN"));
        }
    }

    /// Whether any value has a NUL byte in it.
    pub fn has_nul(&self) -> bool {
        self.pairs.iter().any(|(_, value)| value.contains('\0'))
    }
}

/// JavaScript's `Number(text)`: an empty text is 0.
fn coerced(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    // Rust also reads `inf` and `nan`, in any case.
    if text.bytes().any(|byte| !byte.is_ascii_digit() && !b"+-.eE".contains(&byte)) {
        return f64::NAN;
    }
    text.parse().unwrap_or(f64::NAN)
}

/// The rows of a SQL `LIMIT`, where the server's special values are: absent or 0 for the default, -1 for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Rows(usize),
    All,
    /// The database refuses it.
    Negative,
}

impl Limit {
    /// The limit that a number from a query leads to. The database rounds 1.5 to 2 (docs/activepieces.md#listing-users).
    pub fn of(number: Option<f64>, absent: usize, zero: usize) -> Self {
        let Some(number) = number else { return Self::Rows(absent) };
        #[expect(clippy::cast_possible_truncation, reason = "a number beyond every table saturates")]
        match number.round() as i64 {
            0 => Self::Rows(zero),
            -1 => Self::All,
            rows => usize::try_from(rows).map_or(Self::Negative, Self::Rows),
        }
    }

    /// The number of rows, at most.
    pub fn rows(self) -> usize {
        match self {
            Self::Rows(rows) => rows,
            Self::All | Self::Negative => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_coerced_as_javascript_does() {
        let cases = [("", 0.0), (" 5 ", 5.0), ("1.5", 1.5), ("-1", -1.0), ("1e3", 1000.0)];
        for (text, number) in cases {
            assert!((coerced(text) - number).abs() < f64::EPSILON, "{text}");
        }
        for text in ["abc", "nan", "inf", "1 2", "--1"] {
            assert!(coerced(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(Limit::of(None, 10, 100), Limit::Rows(10));
        assert_eq!(Limit::of(Some(0.0), 10, 100), Limit::Rows(100));
        assert_eq!(Limit::of(Some(1.5), 10, 100), Limit::Rows(2));
        assert_eq!(Limit::of(Some(-1.0), 10, 100), Limit::All);
        assert_eq!(Limit::of(Some(-5.0), 10, 100), Limit::Negative);
        assert_eq!(Limit::of(Some(2_147_483_648.0), 10, 100), Limit::Rows(2_147_483_648));
    }
}
