//! When the users that an org starts with were created.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

const THREE_YEARS: i64 = 94_608_000;
/// How long an import takes.
const AN_IMPORT: i64 = 240;
const BULK_IMPORTS: i64 = 25;
const ONLY_IMPORTS: i64 = 7;

/// How users came into the org.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Imports {
    /// Three in ten within the last hour, as by an import, and the others over three years.
    #[default]
    Recent,
    /// Over three years.
    Even,
    /// Six in ten in 25 imports of four minutes, and the others over three years.
    Bulk,
    /// In seven imports of four minutes, which are 1,680 seconds.
    Moments,
    /// Within one second.
    Second,
}

impl Imports {
    pub const NAMED: [(&str, Self); 5] = [
        ("recent", Self::Recent),
        ("even", Self::Even),
        ("bulk", Self::Bulk),
        ("moments", Self::Moments),
        ("second", Self::Second),
    ];

    /// When the user of this number was created, if the last one was created at this time.
    pub(super) fn created(self, number: usize, last: Timestamp) -> Timestamp {
        let mut random = Rng::with_seed(number as u64);
        let import = |imports: i64, random: &mut Rng| {
            random.i64(0..imports) * (THREE_YEARS / imports) + random.i64(0..AN_IMPORT)
        };
        let seconds = match self {
            Self::Recent if random.u8(0..10) < 3 => random.i64(0..3_600),
            Self::Bulk if random.u8(0..10) < 6 => import(BULK_IMPORTS, &mut random),
            Self::Recent | Self::Even | Self::Bulk => random.i64(0..THREE_YEARS),
            Self::Moments => import(ONLY_IMPORTS, &mut random),
            Self::Second => 0,
        };
        last - SignedDuration::from_secs(seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn created(imports: Imports) -> Vec<i64> {
        let last = Timestamp::from_second(THREE_YEARS).unwrap();
        (0..20_000).map(|number| imports.created(number, last).as_second()).collect()
    }

    #[test]
    fn users_came_as_the_name_says() {
        let within = |imports, seconds| created(imports).iter().filter(|at| THREE_YEARS - **at < seconds).count();
        assert!((5_800..6_200).contains(&within(Imports::Recent, 3_600)));
        assert!(within(Imports::Even, 3_600) < 20);
        assert!((400..560).contains(&within(Imports::Bulk, AN_IMPORT)), "one of 25 imports");
        let moments: BTreeSet<_> = created(Imports::Moments).into_iter().collect();
        assert_eq!(moments.len(), 1_680);
        assert_eq!(within(Imports::Second, 1), 20_000);
        for (name, imports) in Imports::NAMED {
            assert!(created(imports).iter().all(|at| (0..=THREE_YEARS).contains(at)), "{name}");
        }
    }
}
