//! Rate-limit and retry headers of an answer.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The rate-limit headers of one answer. All times are the server's own, so that a wrong clock here doesn't matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// `X-Rate-Limit-Limit`: requests per window; 0 marks the concurrency limit (`docs/okta.md#rate-limit-headers`).
    pub limit: Option<u32>,
    /// `X-Rate-Limit-Remaining`: requests left in this window, for all that use the bucket.
    pub remaining: Option<u32>,
    /// `X-Rate-Limit-Reset`: when the window ends, in seconds since the epoch.
    pub reset: Option<i64>,
    /// `Date`: the server's clock when it answered, in seconds since the epoch.
    pub date: Option<i64>,
    /// `Retry-After`: its seconds, or its date less `Date`.
    pub retry_after: Option<Duration>,
}

impl Signals {
    /// Reads the headers; one that is missing or not understood is none.
    pub fn read(headers: &HeaderMap) -> Self {
        let date = text(headers, DATE.as_str()).and_then(seconds_of_date);
        Self {
            limit: number(headers, "x-rate-limit-limit"),
            remaining: number(headers, "x-rate-limit-remaining"),
            reset: number(headers, "x-rate-limit-reset"),
            date,
            retry_after: text(headers, RETRY_AFTER.as_str()).and_then(|value| retry_after(value, date)),
        }
    }

    /// Whether it was the number of simultaneous requests, and not their rate, that was too high: the limit is 0 and
    /// the reset is only an estimate (`docs/okta.md#two-kinds-of-429`).
    pub fn is_concurrency(&self) -> bool {
        self.limit == Some(0)
    }

    /// From the answer to the end of the window, by the server's clock; none if it's over or can't be told.
    pub fn window_left(&self) -> Option<Duration> {
        u64::try_from(self.reset?.saturating_sub(self.date?)).ok().map(Duration::from_secs)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    text(headers, name)?.parse().ok()
}

fn seconds_of_date(value: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(value).ok().map(Timestamp::as_second)
}

fn retry_after(value: &str, date: Option<i64>) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let left = seconds_of_date(value)?.saturating_sub(date?);
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> Signals {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Signals::read(&map)
    }

    #[test]
    fn reads_oktas_headers() {
        let signals = read(&[
            ("date", "Thu, 11 Sep 2025 16:21:50 GMT"),
            ("x-rate-limit-limit", "10"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "1757607758"),
        ]);
        assert_eq!((signals.limit, signals.remaining), (Some(10), Some(0)));
        assert_eq!(signals.window_left(), Some(Duration::from_secs(48)));
        assert!(!signals.is_concurrency());
    }

    #[test]
    fn a_window_that_is_over_leaves_nothing() {
        let over = read(&[("date", "Thu, 11 Sep 2025 16:21:50 GMT"), ("x-rate-limit-reset", "1757607700")]);
        assert_eq!(over.window_left(), None);
        assert_eq!(read(&[("x-rate-limit-reset", "1757607758")]).window_left(), None);
    }

    #[test]
    fn retry_after_comes_as_seconds_and_as_a_date() {
        let date = ("date", "Thu, 11 Sep 2025 16:21:50 GMT");
        let cases = [
            ("17", Some(17)),
            ("0", Some(0)),
            ("Thu, 11 Sep 2025 16:22:50 GMT", Some(60)),
            ("Thu, 11 Sep 2025 16:20:50 GMT", Some(0)),
            ("soon", None),
            ("-3", None),
        ];
        for (value, seconds) in cases {
            let signals = read(&[date, ("retry-after", value)]);
            assert_eq!(signals.retry_after, seconds.map(Duration::from_secs), "{value}");
        }
        assert_eq!(read(&[("retry-after", "Thu, 11 Sep 2025 16:22:50 GMT")]).retry_after, None, "no server clock");
    }

    #[test]
    fn limit_zero_is_the_concurrency_kind() {
        assert!(read(&[("x-rate-limit-limit", "0"), ("x-rate-limit-remaining", "0")]).is_concurrency());
    }
}
