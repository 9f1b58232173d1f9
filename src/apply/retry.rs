//! How a write survives a lost answer: by a look at what stands before it is sent again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

use crate::http::Failure;

/// How often a write is tried, each time after a look at what stands.
const TRIES: usize = 5;

/// The pauses between the tries.
pub fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(300))
        .with_max_delay(Duration::from_secs(10))
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

/// Sends a write until it's answered, or until a look shows that what it was to make stands there. A conflict (409, or
/// a 500 about a unique constraint, contract section 7) is looked after once and not sent again; a lost answer is.
/// Gives what stands; the error says in one line why it doesn't.
pub async fn survive<T>(
    send: impl AsyncFn() -> Result<T, Failure>,
    look: impl AsyncFn() -> Result<Option<T>, Failure>,
) -> Result<T, String> {
    let mut pauses = pauses();
    loop {
        let failure = match send().await {
            Ok(standing) => return Ok(standing),
            Err(failure) if failure.is_lost_answer() || is_conflict(&failure) => failure,
            Err(failure) => return Err(failure.to_string()),
        };
        match look().await {
            Ok(Some(standing)) => return Ok(standing),
            Ok(None) => {}
            Err(error) => return Err(format!("{failure}; then the look at what stands failed: {error}")),
        }
        let pause = pauses.next().filter(|_| !is_conflict(&failure));
        let Some(pause) = pause else { return Err(failure.to_string()) };
        sleep(pause).await;
    }
}

/// Whether something else stands there already (contract section 7, item 8).
pub fn is_conflict(failure: &Failure) -> bool {
    failure.status() == Some(409) || failure.code() == Some("23505")
}
