//! Renders how long a plan takes: `about 50 s: 1,569 writes`.

use std::time::Duration;

use super::text::counted;
use crate::apply::estimate::{Estimate, Takes};

/// A shorter time isn't told: it is over before it is read.
const WORTH_TELLING: Duration = Duration::from_secs(5);

/// The time, where it is known and long, and the writes.
pub fn render(estimate: Estimate) -> String {
    let writes = counted(estimate.writes, "write", "writes");
    match takes(estimate) {
        Some(takes) => format!("{takes}: {writes}"),
        None => writes,
    }
}

/// `about 50 s`; none where it isn't known, or short.
pub fn takes(estimate: Estimate) -> Option<String> {
    let (time, of) = match estimate.takes? {
        Takes::Measured(time) => (time, ""),
        Takes::OnTwoCpus(time) => (time, " on a server with two CPUs"),
    };
    (time >= WORTH_TELLING).then(|| format!("about {}{of}", rounded(time.as_secs())))
}

/// A time to one part in ten or so: `50 s`, `4 min`, `3 h`.
fn rounded(seconds: u64) -> String {
    match seconds {
        0..55 => format!("{} s", seconds.next_multiple_of(5)),
        55..5400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1800) / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_and_a_short_one_left_out() {
        let of =
            |seconds| render(Estimate { writes: 1569, takes: Some(Takes::Measured(Duration::from_secs_f64(seconds))) });
        let texts = [4.9, 5.0, 46.0, 59.0, 89.0, 5300.0, 5400.0, 90_000.0].map(of);
        let times = ["", "5 s", "50 s", "1 min", "1 min", "88 min", "2 h", "25 h"];
        for (text, time) in texts.into_iter().zip(times) {
            let expected =
                if time.is_empty() { "1,569 writes".to_owned() } else { format!("about {time}: 1,569 writes") };
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn an_assumed_server_is_named() {
        let takes = Some(Takes::OnTwoCpus(Duration::from_secs(83)));
        assert_eq!(render(Estimate { writes: 1, takes }), "about 1 min on a server with two CPUs: 1 write");
        assert_eq!(render(Estimate { writes: 1, takes: None }), "1 write");
    }
}
