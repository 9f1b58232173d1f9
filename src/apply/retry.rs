//! Retries writes after lost answers: reads the current state before sending again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

use super::adapt::Writer;
use super::report::Outcome;
use crate::http::Failure;

/// How often a write is tried, each time after a look at the current state.
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

/// Sends a write until the server answers, or until a read shows that the result is there. After a conflict (409, or a 500
/// about a unique constraint, docs/activepieces.md#rules-for-clients) it reads once and doesn't send again; after a lost
/// answer it sends again. The read ends the operation with an outcome if the write must not be sent again.
pub async fn survive<T>(
    writer: Writer<'_>,
    send: impl AsyncFn() -> Result<T, Failure>,
    look: impl AsyncFn() -> Result<Option<T>, Outcome>,
) -> Result<T, Outcome> {
    let mut pauses = pauses();
    loop {
        let failure = match send().await {
            Ok(result) => return Ok(result),
            Err(failure) if failure.is_lost_answer() || is_conflict(&failure) => failure,
            Err(failure) => return Err(writer.failed(&failure)),
        };
        if let Some(result) = look().await? {
            return Ok(result);
        }
        let pause = pauses.next().filter(|_| !is_conflict(&failure));
        let Some(pause) = pause else { return Err(writer.failed(&failure)) };
        sleep(pause).await;
    }
}

/// Whether something else is there already (docs/activepieces.md#rules-for-clients, item 8).
pub fn is_conflict(failure: &Failure) -> bool {
    failure.status() == Some(409) || failure.code() == Some("23505")
}
