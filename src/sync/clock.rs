//! Warns of a clock of this machine that is wrong.

use crate::okta::Okta;

/// So many seconds the clocks may be apart: the answers themselves take some.
const SAME: u64 = 120;

/// A warning, if this machine's clock and Okta's are minutes apart.
pub fn warning(okta: &Okta) -> Option<String> {
    told(okta.http().seconds_ahead())
}

fn told(okta_is_ahead: i64) -> Option<String> {
    let apart = okta_is_ahead.unsigned_abs();
    let side = if okta_is_ahead > 0 { "behind" } else { "ahead of" };
    (apart >= SAME).then(|| format!("this machine's clock is {} {side} Okta's", length(apart)))
}

fn length(seconds: u64) -> String {
    match (seconds + 30) / 60 {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes @ ..2880 => format!("{} hours", minutes / 60),
        minutes => format!("{} days", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_minutes_are_worth_a_warning() {
        assert_eq!((told(0), told(119), told(-119)), (None, None, None));
        assert_eq!(told(-3600).unwrap(), "this machine's clock is 60 minutes ahead of Okta's");
        assert_eq!(told(130).unwrap(), "this machine's clock is 2 minutes behind Okta's");
        assert!(told(7200).unwrap().contains("2 hours") && told(5 * 86_400).unwrap().contains("5 days"));
    }
}
