//! Decides whether and when a failed request is sent again. Pure.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::cause::Cause;
use super::request::Repeat;
use super::signals::Signals;

/// The budget for repetitions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// How often a request is repeated after trouble that isn't a rate limit.
    pub repeats: usize,
    /// How many requests may be repeated in a whole run after such failures, in addition to one in ten of those sent.
    pub repeats_of_run: u64,
    /// How often a request is repeated after 429.
    pub rate_repeats: usize,
    /// The first pause; each further one is twice as long, and up to as much again is added at random.
    pub min_delay: Duration,
    /// The longest pause before that addition.
    pub max_delay: Duration,
    /// The longest wait that a server may ask for. A longer one is an error: an admin should not wait for it unawares.
    pub max_wait: Duration,
    /// The longest that one request may wait in all, as servers ask for.
    pub max_waits: Duration,
    /// Added to a wait for a rate limit, since the server's clock shows whole seconds.
    pub margin: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            repeats: 5,
            repeats_of_run: 100,
            rate_repeats: 10,
            min_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(15),
            max_wait: Duration::from_mins(5),
            max_waits: Duration::from_mins(15),
            margin: Duration::from_secs(1),
        }
    }
}

impl Policy {
    /// The pauses for trouble that isn't a rate limit.
    pub fn pauses(&self) -> ExponentialBackoff {
        self.exponential(self.repeats)
    }

    /// How many repetitions a run may have that has sent so many requests.
    pub fn of_run(&self, requests: u64) -> u64 {
        self.repeats_of_run.saturating_add(requests / 10)
    }

    /// The pauses for rate limits that don't say when they reset.
    pub fn rate_pauses(&self) -> ExponentialBackoff {
        self.exponential(self.rate_repeats)
    }

    fn exponential(&self, times: usize) -> ExponentialBackoff {
        let builder = ExponentialBuilder::new().with_min_delay(self.min_delay).with_max_delay(self.max_delay);
        builder.with_max_times(times).with_jitter().build()
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    GiveUp,
    /// The server asks for a longer wait than any that is worth it.
    TooLong(Duration),
    /// Send it again after this pause.
    Again(Duration),
    /// The bucket's rate is used up: nothing is sent to it for this long.
    CloseBucket(Duration),
    /// Too many at once: send it again after this pause, and fewer side by side.
    LessParallel(Duration),
}

/// One failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub repeat: Repeat,
    pub cause: &'a Cause,
    pub signals: &'a Signals,
    /// 1 for the first.
    pub number: u32,
    /// How long the request has waited as the server asked for.
    pub waited: Duration,
    /// The next pause of the back-off that fits the cause; none when the budget is used up.
    pub pause: Option<Duration>,
}

/// Connections that can't be made are mostly a wrong address: no long wait before saying so.
const CONNECT_ATTEMPTS: u32 = 3;
/// Anything else than JSON is mostly a web page at a wrong base URL, and now and then a proxy's hiccup.
const PAGE_ATTEMPTS: u32 = 2;

/// A request that was waited for to its limit, up to ten minutes, isn't waited for again and again.
const TIMEOUT_ATTEMPTS: u32 = 2;

/// Decides from nothing but its arguments.
pub fn decide(policy: &Policy, attempt: Attempt<'_>) -> Decision {
    let Some(pause) = attempt.pause.filter(|_| attempt.repeat != Repeat::Once) else { return Decision::GiveUp };
    let again_until = |most| if attempt.number < most { Decision::Again(pause) } else { Decision::GiveUp };
    match attempt.cause {
        Cause::Status { status, .. } if status.as_u16() == 429 => after_429(policy, attempt, pause),
        // The server has seen nothing of the request, so that writes may be sent again too.
        Cause::Proxy { is_login: true, .. } => Decision::GiveUp,
        Cause::Connect(_) | Cause::Dns(_) | Cause::Proxy { .. } => again_until(CONNECT_ATTEMPTS),
        _ if attempt.repeat == Repeat::Never => Decision::GiveUp,
        Cause::NotJson { .. } => again_until(PAGE_ATTEMPTS),
        Cause::Timeout(_) | Cause::Stalled(_) | Cause::Endless(_) | Cause::Slow(_) => again_until(TIMEOUT_ATTEMPTS),
        Cause::Cut(_) | Cause::Truncated(_) => Decision::Again(pause),
        Cause::Status { status, body } => match (status.as_u16(), body.code.as_deref()) {
            (408 | 500 | 502 | 503 | 504, _) => after_busy(policy, attempt, pause),
            // Rules are being reconciled (`docs/okta.md#busy`).
            (423, Some("E0000239")) => Decision::Again(pause),
            _ => Decision::GiveUp,
        },
        Cause::Tls(_)
        | Cause::Unreadable(_)
        | Cause::NotRecorded
        | Cause::Oversized(_)
        | Cause::Incomplete(_)
        | Cause::Unaskable
        | Cause::Implausible(_)
        | Cause::Redirect { .. }
        | Cause::OtherHost { .. }
        | Cause::Invalid(_) => Decision::GiveUp,
    }
}

/// The rate kind waits for the reset by the server's clock; the concurrency kind, whose reset is a mere estimate, only
/// for a moment.
fn after_429(policy: &Policy, attempt: Attempt<'_>, pause: Duration) -> Decision {
    let signals = attempt.signals;
    if signals.is_concurrency() {
        return Decision::LessParallel(pause);
    }
    let announced = signals.retry_after.or_else(|| Some(signals.window_left()?.saturating_add(policy.margin)));
    match announced {
        Some(wait) if is_too_long(policy, attempt, wait) => Decision::TooLong(wait),
        Some(wait) if !wait.is_zero() => Decision::CloseBucket(wait),
        _ => Decision::Again(pause),
    }
}

fn after_busy(policy: &Policy, attempt: Attempt<'_>, pause: Duration) -> Decision {
    match attempt.signals.retry_after {
        Some(wait) if is_too_long(policy, attempt, wait) => Decision::TooLong(wait),
        announced => Decision::Again(pause.max(announced.unwrap_or_default())),
    }
}

fn is_too_long(policy: &Policy, attempt: Attempt<'_>, wait: Duration) -> bool {
    wait > policy.max_wait || attempt.waited.saturating_add(wait) > policy.max_waits
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::super::error_body::ErrorBody;
    use super::*;
    use crate::http::certificate::Insecure;

    const PAUSE: Duration = Duration::from_millis(700);

    fn status(status: u16, code: Option<&str>) -> Cause {
        let body = ErrorBody { code: code.map(str::to_owned), ..ErrorBody::default() };
        Cause::Status { status: StatusCode::from_u16(status).unwrap(), body: Box::new(body) }
    }

    fn decided(repeat: Repeat, cause: &Cause, signals: Signals, number: u32) -> Decision {
        decide(
            &Policy::default(),
            Attempt { repeat, cause, signals: &signals, number, waited: Duration::ZERO, pause: Some(PAUSE) },
        )
    }

    #[test]
    fn reads_are_repeated_and_writes_only_when_nothing_was_done() {
        let (again, stop) = (Decision::Again(PAUSE), Decision::GiveUp);
        let text = String::new;
        let page = |html| Cause::NotJson { status: StatusCode::OK, html, snippet: text() };
        // Cause, and what follows for a read and for a write.
        let cases = [
            (Cause::Connect(text()), again, again),
            (Cause::Dns(text()), again, again),
            (Cause::Tls(Insecure::other("")), stop, stop),
            (Cause::Timeout(PAUSE), again, stop),
            (Cause::Stalled(PAUSE), again, stop),
            (Cause::Endless(PAUSE), again, stop),
            (Cause::Slow(PAUSE), again, stop),
            (Cause::Oversized(text()), stop, stop),
            (Cause::Incomplete(StatusCode::PARTIAL_CONTENT), stop, stop),
            (Cause::Unaskable, stop, stop),
            (Cause::Cut(text()), again, stop),
            (Cause::Truncated(text()), again, stop),
            (page(false), again, stop),
            (page(true), again, stop),
            (Cause::Unreadable(text()), stop, stop),
            (Cause::Implausible(text()), stop, stop),
            (Cause::Redirect { status: StatusCode::FOUND, location: text(), moved: None }, stop, stop),
            (Cause::OtherHost { allowed: text() }, stop, stop),
            (Cause::Invalid(text()), stop, stop),
            (status(400, None), stop, stop),
            (status(401, None), stop, stop),
            (status(403, None), stop, stop),
            (status(404, None), stop, stop),
            (status(408, None), again, stop),
            (status(409, None), stop, stop),
            (status(423, Some("E0000239")), again, stop),
            (status(423, None), stop, stop),
            (status(429, None), again, again),
            (status(500, None), again, stop),
            (status(501, None), stop, stop),
            (status(502, None), again, stop),
            (status(503, Some("E0000010")), again, stop),
            (status(504, None), again, stop),
        ];
        for (cause, read, write) in cases {
            assert_eq!(decided(Repeat::Always, &cause, Signals::default(), 1), read, "read, {cause:?}");
            assert_eq!(decided(Repeat::Never, &cause, Signals::default(), 1), write, "write, {cause:?}");
            assert_eq!(decided(Repeat::Once, &cause, Signals::default(), 1), stop, "once, {cause:?}");
        }
    }

    #[test]
    fn a_rate_limit_waits_by_the_servers_clock_and_never_for_ever() {
        let seconds = Duration::from_secs;
        let window = |limit, left: i64| Signals {
            limit: Some(limit),
            remaining: Some(0),
            reset: Some(1_000 + left),
            date: Some(1_000),
            retry_after: None,
        };
        let after = |wait: u64| Signals { retry_after: Some(seconds(wait)), ..Signals::default() };
        let cases = [
            (window(600, 48), Decision::CloseBucket(seconds(49))),
            (window(600, 0), Decision::CloseBucket(seconds(1))),
            (window(600, -5), Decision::Again(PAUSE)),
            (window(600, 299), Decision::CloseBucket(seconds(300))),
            (window(600, 86_400), Decision::TooLong(seconds(86_401))),
            (window(600, i64::MAX - 1_000), Decision::TooLong(seconds(i64::MAX as u64 - 999))),
            (window(0, 120), Decision::LessParallel(PAUSE)),
            (after(17), Decision::CloseBucket(seconds(17))),
            (after(0), Decision::Again(PAUSE)),
            (after(86_400), Decision::TooLong(seconds(86_400))),
            (Signals { date: None, ..window(600, 48) }, Decision::Again(PAUSE)),
        ];
        for (signals, decision) in cases {
            for repeat in [Repeat::Always, Repeat::Never] {
                assert_eq!(decided(repeat, &status(429, None), signals, 1), decision, "{signals:?}");
            }
        }
    }

    #[test]
    fn retry_after_lengthens_the_pause_after_503() {
        let signals = Signals { retry_after: Some(Duration::from_secs(9)), ..Signals::default() };
        let decision = decided(Repeat::Always, &status(503, None), signals, 1);
        assert_eq!(decision, Decision::Again(Duration::from_secs(9)));
        let signals = Signals { retry_after: Some(Duration::from_hours(1)), ..Signals::default() };
        let decision = decided(Repeat::Always, &status(503, None), signals, 1);
        assert_eq!(decision, Decision::TooLong(Duration::from_hours(1)));
    }

    #[test]
    fn waits_as_the_server_asks_for_them_end_too() {
        let (policy, cause) = (Policy::default(), status(429, None));
        let signals = Signals { retry_after: Some(Duration::from_mins(4)), ..Signals::default() };
        let decided = |minutes| {
            let (waited, pause) = (Duration::from_mins(minutes), Some(PAUSE));
            decide(
                &policy,
                Attempt { repeat: Repeat::Always, cause: &cause, signals: &signals, number: 1, waited, pause },
            )
        };
        assert_eq!(decided(11), Decision::CloseBucket(Duration::from_mins(4)));
        assert_eq!(decided(12), Decision::TooLong(Duration::from_mins(4)));
    }

    #[test]
    fn budgets_end() {
        let page = Cause::NotJson { status: StatusCode::OK, html: true, snippet: String::new() };
        assert_eq!(decided(Repeat::Always, &page, Signals::default(), 2), Decision::GiveUp);
        assert_eq!(decided(Repeat::Always, &Cause::Dns(String::new()), Signals::default(), 3), Decision::GiveUp);
        let cause = status(503, None);
        let signals = Signals::default();
        let (repeat, waited) = (Repeat::Always, Duration::ZERO);
        let spent = Attempt { repeat, cause: &cause, signals: &signals, number: 6, waited, pause: None };
        assert_eq!(decide(&Policy::default(), spent), Decision::GiveUp);
        assert_eq!(Policy::default().pauses().count(), 5);
        assert_eq!(Policy::default().rate_pauses().count(), 10);
    }
}
