//! Rate limits: a number of requests a minute in each bucket, and a number of requests at once (Okta API: rate limits).

use std::collections::BTreeMap;

/// The length of a window, in seconds. Windows aren't aligned to the clock: each begins with its first request.
const WINDOW: i64 = 60;
/// Requests at once in a workforce org.
pub const AT_ONCE: usize = 75;

/// The buckets' states.
#[derive(Debug)]
pub struct Limits {
    /// The same for every bucket; without it those of a workforce org.
    per_minute: Option<u32>,
    windows: BTreeMap<&'static str, Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    reset: i64,
    used: u32,
}

/// What the headers say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub limit: u32,
    pub remaining: u32,
    /// Seconds since 1970.
    pub reset: i64,
    pub allowed: bool,
}

impl Limits {
    pub fn new(per_minute: Option<u32>) -> Self {
        Self { per_minute, windows: BTreeMap::new() }
    }

    /// Counts a request to this path.
    pub fn take(&mut self, path: &[&str], now: i64) -> Granted {
        let (bucket, workforce) = bucket(path);
        let limit = self.per_minute.unwrap_or(workforce);
        let window = self.windows.entry(bucket).or_insert(Window { reset: now + WINDOW, used: 0 });
        if window.reset <= now {
            *window = Window { reset: now + WINDOW, used: 0 };
        }
        let allowed = window.used < limit;
        window.used = window.used.saturating_add(1);
        Granted { limit, remaining: limit.saturating_sub(window.used), reset: window.reset, allowed }
    }
}

/// The bucket of a path below `/api/v1`, and its limit in a workforce org.
fn bucket(path: &[&str]) -> (&'static str, u32) {
    match path {
        ["apps", _] => ("apps/{id}", 500),
        ["apps", ..] => ("apps", 100),
        ["groups", id] if *id != "rules" => ("groups/{id}", 1000),
        ["groups", ..] => ("groups", 500),
        ["users", _] => ("users/{id}", 2000),
        ["users", ..] => ("users", 600),
        ["logs", ..] => ("logs", 120),
        _ => ("other", 1200),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_630;

    #[test]
    fn a_window_lasts_60_seconds_from_its_first_request() {
        let mut limits = Limits::new(Some(1));
        assert_eq!(limits.take(&["users"], NOW), Granted { limit: 1, remaining: 0, reset: NOW + 60, allowed: true });
        for now in [NOW, NOW + 1, NOW + 59] {
            let refused = Granted { limit: 1, remaining: 0, reset: NOW + 60, allowed: false };
            assert_eq!(limits.take(&["users"], now), refused, "{now}");
        }
        let fresh = Granted { limit: 1, remaining: 0, reset: NOW + 120, allowed: true };
        assert_eq!(limits.take(&["users"], NOW + 60), fresh);
    }

    #[test]
    fn windows_of_buckets_are_apart() {
        let mut limits = Limits::new(Some(1));
        assert!(limits.take(&["users"], NOW).allowed);
        let groups = limits.take(&["groups"], NOW + 30);
        assert!(groups.allowed);
        assert_eq!(groups.reset, NOW + 90);
    }
}
