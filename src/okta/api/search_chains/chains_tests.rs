//! Tests of the chains: every user is read once, with few requests more than the least.

#![expect(clippy::disallowed_types, reason = "only asked what they hold, a million times")]

use std::collections::HashSet;

use fastrand::Rng;

use super::*;
use crate::model::okta::{Profile, Status, Times};

const YEARS: i64 = 3 * 365 * 86_400;
const USERS: usize = 100_000;
const AT_ONCE: usize = 33;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + second).unwrap()
}

fn at_millisecond(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(1_600_000_000_000 + millisecond).unwrap()
}

fn user_of(id: &str, created: Timestamp) -> User {
    let times = Times { created: Some(created), ..Times::default() };
    User { times, ..User::new(id.into(), Status::Active, Profile::new()) }
}

fn user(second: i64) -> User {
    user_of(&format!("00u{second}"), at(second))
}

/// A server that keeps its users in order, and shows when they were created in its own way.
struct SortedUsers {
    users: BTreeSet<(Timestamp, String)>,
    shown: fn(Timestamp) -> Timestamp,
    requests: usize,
}

impl SortedUsers {
    /// Users who were created at these moments.
    fn new(created: impl IntoIterator<Item = Timestamp>) -> Self {
        let users = created.into_iter().enumerate().map(|(number, created)| (created, format!("00u{number:06}")));
        Self { users: users.collect(), shown: |created| created, requests: 0 }
    }

    fn page(&mut self, chain: &Chain) -> (Vec<User>, Option<String>) {
        self.requests += 1;
        let from = chain.from.map_or(Timestamp::MIN, |from| Timestamp::from_second(from.as_second()).unwrap());
        let after = chain.after.as_ref().map(|after| {
            let (created, id) = after.split_once(' ').unwrap();
            (created.parse().unwrap(), id.to_owned() + " ")
        });
        let mut rest = self.users.range(after.unwrap_or((from, String::new()))..);
        let page: Vec<_> = rest.by_ref().take(PAGE as usize).collect();
        let cursor = page.last().map(|(created, id)| format!("{created} {id}"));
        let users = page.iter().map(|(created, id)| user_of(id, (self.shown)(*created))).collect();
        (users, cursor.filter(|_| rest.next().is_some()))
    }

    fn newest(&mut self) -> Vec<User> {
        self.requests += 1;
        self.users.iter().rev().take(PAGE as usize).map(|(created, id)| user_of(id, (self.shown)(*created))).collect()
    }

    fn pages(&self) -> usize {
        self.users.len().div_ceil(PAGE as usize)
    }
}

struct Read {
    ids: HashSet<OktaUserId>,
    beginnings: Vec<Timestamp>,
    /// How often as many answers came as requests were in flight.
    rounds: usize,
}

/// Reads all users. In each round every request that is in flight is answered; or some, by chance. Then something may
/// happen to the users.
fn read_while(
    server: &mut SortedUsers,
    beginnings: &[Timestamp],
    mut late: Option<Rng>,
    mut happens: impl FnMut(&mut SortedUsers),
) -> Read {
    let mut chains = Chains::new(beginnings);
    let mut in_flight: Vec<usize> = (0..chains.count()).collect();
    let (mut ids, mut rounds) = (HashSet::new(), 0);
    while !in_flight.is_empty() {
        rounds += 1;
        let (answered, waiting): (Vec<_>, Vec<_>) =
            in_flight.into_iter().partition(|_| late.as_mut().is_none_or(|late| late.u8(0..3) > 0));
        in_flight = waiting;
        for number in answered {
            let (page, next) = server.page(chains.chain(number));
            assert!(chains.page(number, &page, next));
            ids.extend(page.into_iter().map(|user| user.id));
            if !chains.chain(number).done {
                in_flight.push(number);
            }
        }
        if chains.wants_newest(at(2 * YEARS)) || (rounds == 1 && !beginnings.is_empty()) {
            let newest = server.newest();
            chains.know_newest(newest[0].times.created.unwrap(), &newest);
        }
        while in_flight.len() < AT_ONCE {
            let Some(number) = chains.split(ids.len()) else { break };
            in_flight.push(number);
        }
        happens(server);
    }
    Read { ids, beginnings: chains.beginnings(AT_ONCE), rounds }
}

fn read(server: &mut SortedUsers, beginnings: &[Timestamp]) -> Read {
    read_while(server, beginnings, None, |_| ())
}

/// When as many users were created, with a name for how.
fn shapes() -> Vec<(&'static str, Vec<Timestamp>)> {
    let mut random = Rng::with_seed(1);
    let mut times = |of: &mut dyn FnMut(&mut Rng, i64) -> Timestamp| -> Vec<Timestamp> {
        (0..100_000).map(|number| of(&mut random, number)).collect()
    };
    let imports: Vec<i64> = (0..25).map(|number| number * 4_000_000 % YEARS + 1_234).collect();
    let mut scattered = Rng::with_seed(2);
    let moments: Vec<i64> = (0..1_680).map(|_| scattered.i64(0..YEARS)).collect();
    vec![
        ("evenly", times(&mut |_, number| at(number * (YEARS / 100_000)))),
        ("by chance", times(&mut |random, _| at(random.i64(0..YEARS)))),
        (
            "six of ten in 25 imports of four minutes",
            times(&mut |random, number| {
                let import = imports[random.usize(0..25)] + random.i64(0..240);
                at(if number % 10 < 6 { import } else { random.i64(0..YEARS) })
            }),
        ),
        (
            "three of ten in the last hour",
            times(&mut |random, number| {
                at(YEARS - if number % 10 < 3 { random.i64(0..3_600) } else { random.i64(0..YEARS) })
            }),
        ),
        ("at 1,680 moments of three years", times(&mut |random, _| at(moments[random.usize(0..1_680)]))),
        ("at 1,680 moments, a second apart", times(&mut |_, number| at(number % 1_680))),
        ("at 1,680 moments, in seven imports", times(&mut |_, number| at(number % 7 * (YEARS / 7) + number / 7 % 240))),
        ("at 1,680 moments, in 28 hours", times(&mut |_, number| at(number % 28 * 2_592_000 + number / 28 % 60 * 60))),
        (
            "half of them at one moment",
            times(&mut |random, number| at(if number % 2 == 0 { YEARS / 2 } else { random.i64(0..YEARS) })),
        ),
        ("at two moments", times(&mut |_, number| at(number % 2 * YEARS))),
        ("within a minute", times(&mut |random, _| at_millisecond(random.i64(0..60_000)))),
        ("within a second", times(&mut |random, _| at_millisecond(random.i64(0..1_000)))),
        ("within a millisecond", times(&mut |_, _| at(0))),
        (
            "more and more",
            times(&mut |random, _| {
                let part = (0..5).map(|_| random.i64(0..YEARS)).max().unwrap_or_default();
                at(part)
            }),
        ),
    ]
}

#[test]
fn reading_in_chains_costs_hardly_more_requests_than_reading_one_page_after_another() {
    for (name, created) in shapes() {
        let mut server = SortedUsers::new(created);
        let mut known = Vec::new();
        for run in ["first", "second"] {
            server.requests = 0;
            let found = read(&mut server, &known);
            assert_eq!(found.ids.len(), USERS, "{name}, {run}");
            let (requests, rounds) = (server.requests, found.rounds);
            println!("{name}, {run}: {requests} requests in {rounds} rounds");
            assert!(requests <= server.pages() * 105 / 100, "{name}, {run}: {requests}");
            let most_rounds = match name {
                "within a second" | "within a millisecond" => 500,
                "half of them at one moment" | "at two moments" => 280,
                _ => 100,
            };
            assert!(rounds <= most_rounds, "{name}, {run}: {rounds}");
            known = found.beginnings;
        }
    }
}

#[test]
fn what_an_earlier_run_knew_costs_hardly_more_where_it_is_wrong() {
    let all = shapes();
    for (known, now) in
        [("evenly", "within a second"), ("evenly", "at 1,680 moments, in seven imports"), ("within a minute", "evenly")]
    {
        let created = |name| all.iter().find(|shape| shape.0 == name).unwrap().1.iter().copied();
        let known = read(&mut SortedUsers::new(created(known)), &[]).beginnings;
        let mut server = SortedUsers::new(created(now));
        assert_eq!(read(&mut server, &known).ids.len(), USERS, "{now}");
        println!("{now}: {} requests", server.requests);
        assert!(server.requests <= server.pages() * 106 / 100, "{now}: {}", server.requests);
    }
}

#[test]
fn no_answer_that_comes_late_loses_a_user() {
    for (name, created) in shapes() {
        for seed in 0..2 {
            let mut server = SortedUsers::new(created.iter().copied().step_by(5));
            let found = read_while(&mut server, &[], Some(Rng::with_seed(seed)), |_| ());
            assert_eq!(found.ids.len(), USERS / 5, "{name}");
        }
    }
}

#[test]
fn times_that_are_shown_rounded_lose_no_user() {
    let up = |created: Timestamp| at((created.as_millisecond() - 1_600_000_000_000 + 999).div_euclid(1_000));
    let down = |created: Timestamp| at(created.as_second() - 1_600_000_000);
    for shown in [up, down] {
        for span in [60_000, 3_600_000] {
            let mut random = Rng::with_seed(3);
            let mut server = SortedUsers::new((0..USERS).map(|_| at_millisecond(random.i64(0..span))));
            server.shown = shown;
            assert_eq!(read(&mut server, &[]).ids.len(), USERS, "{span}");
            assert!(server.requests <= server.pages() * 105 / 100, "{span}: {}", server.requests);
        }
    }
}

#[test]
fn users_who_are_created_and_deleted_meanwhile_make_no_other_be_lost_or_read_twice() {
    for (name, created) in shapes() {
        let mut server = SortedUsers::new(created.into_iter().step_by(5));
        let all: Vec<_> = server.users.iter().cloned().collect();
        let mut random = Rng::with_seed(4);
        let mut doomed = Vec::new();
        let found = read_while(&mut server, &[], None, |server| {
            for _ in 0..50 {
                let key = all[random.usize(..all.len())].clone();
                server.users.remove(&key);
                doomed.push(OktaUserId::from(key.1.as_str()));
                server.users.insert((at(2 * YEARS), format!("00v{}", doomed.len())));
            }
        });
        let doomed: HashSet<OktaUserId> = doomed.into_iter().collect();
        let lost = all.iter().filter(|(_, id)| {
            let id = OktaUserId::from(id.as_str());
            !doomed.contains(&id) && !found.ids.contains(&id)
        });
        assert_eq!(lost.count(), 0, "{name}");
        let most = (all.len() + doomed.len()).div_ceil(PAGE as usize) * 120 / 100;
        assert!(server.requests <= most, "{name}: {}", server.requests);
    }
}

#[test]
fn few_users_are_read_one_page_after_another() {
    for users in [1, 200, 201, 1_500] {
        let mut server = SortedUsers::new((0..users).map(|number| at(number * 100)));
        let found = read(&mut server, &[]);
        assert_eq!(found.rounds, server.pages());
        assert!(server.requests <= server.pages() + 1, "{users}: {}", server.requests);
        assert_eq!(found.beginnings, []);
    }
}

/// Takes note of a page that isn't the last one.
fn advance(chain: &mut Chain, page: &[User]) -> bool {
    chain.advance(page, Some("cursor".to_owned()))
}

#[test]
fn a_chain_ends_behind_the_beginning_of_the_next_and_not_at_it() {
    let mut chain = Chain::new(None, Some(at(100)), Some(1));
    for (last, done) in [(99, false), (100, false), (102, false), (103, true)] {
        assert!(advance(&mut chain, &[user(last)]));
        assert_eq!(chain.done, done, "{last}");
    }
}

#[test]
fn a_chain_ends_with_a_user_of_the_next_one_whichever_page_comes_first() {
    let cursor = || Some("cursor".to_owned());
    for next_is_first in [true, false] {
        let mut chains = Chains::new(&[at(100)]);
        let next = |chains: &mut Chains| assert!(chains.page(1, &[user(100), user(101)], cursor()));
        if next_is_first {
            next(&mut chains);
        }
        assert!(chains.page(0, &[user(98), user(99)], cursor()));
        assert!(!chains.chain(0).done);
        assert!(chains.page(0, &[user(99), user(100)], cursor()));
        if !next_is_first {
            assert!(!chains.chain(0).done, "who comes first in the next chain isn't known");
            next(&mut chains);
        }
        assert!(chains.chain(0).done && !chains.chain(1).done);
    }
}

#[test]
fn a_chain_notices_that_its_beginning_was_not_understood() {
    for (first, is_understood) in [(100, true), (99, true), (98, true), (97, false)] {
        let mut chain = Chain::new(Some(at(100)), None, None);
        assert_eq!(advance(&mut chain, &[user(first), user(200)]), is_understood, "{first}");
    }
}

#[test]
fn a_page_that_is_not_sorted_or_without_times_is_noticed() {
    let undated = User::new("00u2".into(), Status::Active, Profile::new());
    let new = || Chain::new(None, None, None);
    assert!(!advance(&mut new(), &[user(1), user(0)]));
    assert!(!advance(&mut new(), &[undated]));
    let mut chain = new();
    assert!(advance(&mut chain, &[user(5)]));
    assert!(!advance(&mut chain, &[user(4)]));
}

#[test]
fn an_expired_cursor_begins_again_with_those_of_the_last_moment() {
    let mut chain = Chain::new(None, None, None);
    let late = at_millisecond(5_900);
    assert!(advance(&mut chain, &[user(0), user_of("00u9", late)]));
    assert!(chain.restart());
    assert_eq!((chain.from, chain.after.take()), (Some(late), None));
    assert!(advance(&mut chain, &[user(5), user(6)]), "whole seconds are asked for");
    assert!(chain.restart() && advance(&mut chain, &[user(6)]) && chain.restart() && advance(&mut chain, &[user(6)]));
    assert!(!chain.restart(), "not for ever");
}

#[test]
fn as_many_pages_are_between_beginnings_and_none_is_where_the_first_user_is() {
    let beginnings = |pages: i64, apart: i64| {
        let mut chains = Chains::new(&[]);
        chains.firsts = (0..pages).rev().map(|page| at(page * apart)).collect();
        chains.beginnings(24).into_iter().map(|moment| moment.as_second() - 1_600_000_000).collect::<Vec<_>>()
    };
    assert_eq!(beginnings(29, 100), [] as [i64; 0], "not worth it");
    assert_eq!(beginnings(60, 100), [2_000, 4_000]);
    assert_eq!(beginnings(5_000, 100).len(), 23);
    assert_eq!(beginnings(500, 0), [] as [i64; 0], "all came at once");
}
