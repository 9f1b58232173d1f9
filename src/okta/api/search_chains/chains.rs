//! Where chains of pages begin and end. This decides; it sends nothing.
//!
//! A new chain begins where a guess says that the second half of another one is. Each guess may cost a page that is read
//! twice, so guesses have a budget: a share of the pages that are read anyway. Guesses that failed make it smaller.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::OktaUserId;
use crate::model::okta::User;
use crate::okta::api::client::{PageSize, RESTARTS};
use crate::okta::api::users::PAGE;

/// The times that Okta shows may be rounded by this much.
const ROUNDING: SignedDuration = SignedDuration::from_secs(2);
/// A chain of fewer pages isn't worth the half page that it reads twice.
const LEAST_PAGES: f64 = 10.0;
/// How many pages ahead the density of the last page is believed, once it turned out wrong or when the budget is counted.
const REACH: f64 = 64.0;
/// A chain from an earlier run begins after at least so many pages, since the run may not be right any more.
const KNOWN_PAGES: usize = 20;
/// The share of the pages that may be read twice, and what may be on top of it.
const SHARE: f64 = 0.038;
const ON_TOP: f64 = 0.5;
/// The estimate of how many pages there are is believed up to so many times the pages that were read.
const TRUST: f64 = 24.0;
/// How much faster each failed guess lowers this trust.
const DISTRUST: f64 = 4.0;
/// What a chain reads twice where it meets the next one: half a page on average, a page as long as its guess may have failed.
const A_MEETING: f64 = 0.5;
const A_GUESS: f64 = 1.0;
/// Users are said to be denser where they are so many times denser.
const DENSER: f64 = 8.0;
/// A guess failed if it found fewer users than this before the next chain.
const FEW: usize = 40;
/// Even users who were all created at once count as if they took so many seconds.
const SHORTEST: f64 = 0.001;

/// The first page of a chain.
struct Opening {
    ids: BTreeSet<OktaUserId>,
    /// When the first of them was created; none if the page is empty.
    first: Option<Timestamp>,
    span: f64,
}

/// Users in the order of creation, from one moment to another.
pub(super) struct Chain {
    /// Its first moment; none for the first chain, which begins with the first user.
    pub from: Option<Timestamp>,
    /// Where the next chain begins; none for the last one.
    end: Option<Timestamp>,
    /// The next chain.
    next: Option<usize>,
    /// How far it was read.
    at: Option<Timestamp>,
    /// How many seconds the users of its last page took to be created.
    span: f64,
    opening: Option<Opening>,
    /// The users that it read since the next chain began, until the first page of that one is there.
    passed: BTreeSet<OktaUserId>,
    /// At most so many pages ahead another chain may be begun; no limit until a guess has failed.
    reach: Option<f64>,
    pub after: Option<String>,
    pub size: PageSize,
    restarts: usize,
    pub done: bool,
}

impl Chain {
    fn new(from: Option<Timestamp>, end: Option<Timestamp>, next: Option<usize>) -> Self {
        Self {
            from,
            end,
            next,
            at: None,
            span: SHORTEST,
            opening: None,
            passed: BTreeSet::new(),
            reach: None,
            after: None,
            size: PageSize::new(Some(PAGE)),
            restarts: 0,
            done: false,
        }
    }

    /// Takes note of how far a page goes; false if it isn't sorted, or holds a user from before the chain's beginning. Then
    /// no chain can tell where it ends.
    fn advance(&mut self, page: &[User], next_page: Option<String>) -> bool {
        let created: Vec<Timestamp> = page.iter().filter_map(|user| user.times.created).collect();
        let is_after = |first: &Timestamp| {
            self.at.is_none_or(|at| *first >= at)
                && self.from.is_none_or(|from| from.duration_since(*first) <= ROUNDING)
        };
        if created.len() != page.len() || !created.is_sorted() || !created.first().is_none_or(is_after) {
            return false;
        }
        if let (Some(first), Some(last)) = (created.first(), created.last()) {
            self.span = seconds(*first, *last).max(SHORTEST);
            self.at = Some(*last);
        }
        if self.opening.is_none() {
            let ids = page.iter().map(|user| user.id.clone()).collect();
            self.opening = Some(Opening { ids, first: created.first().copied(), span: self.span });
        }
        let is_over = self.end.zip(self.at).is_some_and(|(end, at)| at.duration_since(end) > ROUNDING);
        self.done |= is_over || next_page.is_none();
        self.after = next_page;
        true
    }

    /// Begins again where it is, since its cursor expired; false if that happened too often.
    pub fn restart(&mut self) -> bool {
        if self.after.is_none() || self.restarts == RESTARTS {
            return false;
        }
        self.from = self.at.take().or(self.from);
        self.after = None;
        self.restarts += 1;
        true
    }
}

/// The page of the newest users.
#[derive(Clone, Copy)]
struct Newest {
    /// When the newest user was created.
    at: Timestamp,
    /// How many seconds the users of the page took to be created; none once a chain was begun by it.
    span: Option<f64>,
}

/// All chains of a search.
pub(super) struct Chains {
    all: Vec<Chain>,
    /// The first moment of each page.
    firsts: Vec<Timestamp>,
    pages: u32,
    /// How many guesses found no user, or hardly any, that the next chain doesn't read as well.
    failed: u32,
    newest: Option<Newest>,
}

impl Chains {
    /// One chain from the first user on, and one from each beginning on.
    pub fn new(beginnings: &[Timestamp]) -> Self {
        let beginnings: Vec<Timestamp> = beginnings.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let chain = |number: usize| {
            let end = beginnings.get(number).copied();
            Chain::new(number.checked_sub(1).map(|before| beginnings[before]), end, end.map(|_| number + 1))
        };
        let all = (0..=beginnings.len()).map(chain).collect();
        Self { all, firsts: Vec::new(), pages: 0, failed: 0, newest: None }
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn pages(&self) -> u32 {
        self.pages
    }

    pub fn chain(&mut self, number: usize) -> &mut Chain {
        &mut self.all[number]
    }

    /// How far the first chain was read.
    pub fn first_at(&self) -> Option<Timestamp> {
        self.all[0].at
    }

    /// Whether knowing the newest user would help to begin another chain. The present takes its place.
    pub fn wants_newest(&self, now: Timestamp) -> bool {
        self.newest.is_none() && self.pages_left(&self.all[0], Newest { at: now, span: None }) >= 2.0 * LEAST_PAGES
    }

    /// Takes note of the page of the newest users, in descending order.
    pub fn know_newest(&mut self, newest: Timestamp, page: &[User]) {
        let oldest = page.last().and_then(|user| user.times.created).unwrap_or(newest);
        self.newest = Some(Newest { at: newest, span: Some(seconds(oldest, newest).max(SHORTEST)) });
    }

    /// Takes note of a chain's page; false if users can't be read in chains.
    pub fn page(&mut self, number: usize, page: &[User], next_page: Option<String>) -> bool {
        let chain = &mut self.all[number];
        let is_opening = chain.opening.is_none();
        if !chain.advance(page, next_page) {
            return false;
        }
        self.pages += 1;
        self.firsts.extend(page.first().and_then(|user| user.times.created));
        let own = self.meet(number, page);
        if is_opening {
            self.open(number, own < FEW || page.is_empty());
        }
        true
    }

    /// Ends a chain that reached a user of the next one's first page: from there on, the next one reads on. It's told by
    /// the user and not by the time, since thousands may have one time. Gives how many users come before.
    fn meet(&mut self, number: usize, page: &[User]) -> usize {
        let opening = self.all[number].next.map(|next| self.all[next].opening.as_ref());
        let met = match opening {
            None => None,
            Some(Some(opening)) => page.iter().position(|user| opening.ids.contains(&user.id)),
            Some(None) => {
                self.all[number].passed.extend(page.iter().map(|user| user.id.clone()));
                None
            }
        };
        self.all[number].done |= met.is_some();
        met.unwrap_or(usize::MAX)
    }

    /// Ends the chain before, if it had passed the first page of this one already.
    fn open(&mut self, number: usize, has_failed: bool) {
        let Some(before) = self.all.iter().position(|chain| chain.next == Some(number)) else { return };
        let passed = std::mem::take(&mut self.all[before].passed);
        let has_met = self.all[number].opening.as_ref().is_some_and(|opening| !opening.ids.is_disjoint(&passed));
        self.all[before].done |= has_met;
        if has_failed {
            self.failed += 1;
            let reach = &mut self.all[before].reach;
            *reach = Some(reach.map_or(REACH / 2.0, |reach| reach / 2.0));
        }
    }

    /// Begins another chain in the longest one, if the newest user is known, if it's long enough, and if the budget allows it.
    /// `users` were found so far.
    pub fn split(&mut self, users: usize) -> Option<usize> {
        while let Some(newest) = self.newest.filter(|newest| self.may_guess(users, *newest)) {
            let can_split = (0..self.all.len()).filter(|number| self.can_split(&self.all[*number], newest));
            let left = |number: &usize| self.pages_left(&self.all[*number], newest);
            let longest = can_split.max_by(|one, other| left(one).total_cmp(&left(other)))?;
            if let Some(middle) = self.middle(longest, newest) {
                return Some(self.begin(longest, middle));
            }
            self.all[longest].reach = Some(0.0);
        }
        None
    }

    fn begin(&mut self, before: usize, from: Timestamp) -> usize {
        let number = self.all.len();
        let chain = &mut self.all[before];
        let rest = Chain { reach: chain.reach, ..Chain::new(Some(from), chain.end, chain.next) };
        chain.end = Some(from);
        chain.next = Some(number);
        chain.passed.clear();
        self.all.push(rest);
        number
    }

    /// Whether it's long, and is known to reach up to where the next one begins.
    fn can_split(&self, chain: &Chain, newest: Newest) -> bool {
        chain.next.is_none_or(|next| self.all[next].opening.is_some())
            && self.pages_left(chain, newest) >= 2.0 * LEAST_PAGES
    }

    /// About how many pages are left of a chain: as dense as its last one, or less dense where the next chain begins less
    /// dense.
    fn pages_left(&self, chain: &Chain, newest: Newest) -> f64 {
        let Some(at) = chain.at.filter(|_| !chain.done) else { return 0.0 };
        let left = chain.end.unwrap_or(newest.at).duration_since(at);
        if left < ROUNDING {
            return 0.0;
        }
        let behind = match chain.next {
            Some(next) => self.all[next].opening.as_ref().map(|opening| opening.span),
            None => newest.span,
        };
        let span = behind.map_or(chain.span, |behind| (chain.span * behind.max(chain.span)).sqrt());
        let pages = left.as_secs_f64() / span;
        chain.reach.map_or(pages, |reach| pages.min(2.0 * reach))
    }

    /// Whether what is read twice stays within the budget with one guess more.
    fn may_guess(&self, users: usize, newest: Newest) -> bool {
        let read = f64::from(self.pages);
        let left: f64 = self.all.iter().map(|chain| self.pages_left(chain, newest).min(REACH)).sum();
        let trusted = read * (TRUST / (1.0 + DISTRUST * f64::from(self.failed))).max(1.0);
        let cost = |chain: &&Chain| if chain.opening.is_some() { A_MEETING } else { A_GUESS };
        let to_come: f64 = self.all.iter().filter(|chain| !chain.done).map(|chain| cost(&chain)).sum();
        let users = f64::from(u32::try_from(users).unwrap_or(u32::MAX));
        // The page of the newest users is among them.
        let twice = read + 1.0 - users / f64::from(PAGE) + to_come + A_MEETING;
        twice <= ON_TOP + SHARE * trusted.min(read + left)
    }

    /// Where about the second half of what is left of a chain begins, in whole seconds.
    fn middle(&mut self, number: usize, newest: Newest) -> Option<Timestamp> {
        let pages = self.pages_left(&self.all[number], newest);
        let chain = &self.all[number];
        let at = chain.at?;
        let end = chain.end.unwrap_or(newest.at);
        let half = seconds(at, end) / 2.0;
        let ahead = match self.denser_end(chain, newest).filter(|span| span * DENSER < chain.span) {
            Some(span) => (2.0 * half - span * REACH).max(half),
            None => half.min(chain.span * pages / 2.0),
        };
        if let (None, Some(newest)) = (chain.next, &mut self.newest) {
            newest.span = None;
        }
        let middle = at.checked_add(SignedDuration::try_from_secs_f64(ahead).ok()?).ok()?;
        let middle = Timestamp::from_second(middle.as_second()).ok()?;
        (middle.duration_since(at) >= ROUNDING && middle < end).then_some(middle)
    }

    /// How many seconds a page takes at the end of a chain, if that is known: the next chain begins in the middle of a dense
    /// moment, or users became denser recently.
    fn denser_end(&self, chain: &Chain, newest: Newest) -> Option<f64> {
        let Some(next) = chain.next else { return newest.span };
        let next = &self.all[next];
        let opening = next.opening.as_ref()?;
        (seconds(next.from?, opening.first?) <= opening.span).then_some(opening.span)
    }

    /// Where chains might have begun, so that all of them have as many pages.
    pub fn beginnings(mut self, at_once: usize) -> Vec<Timestamp> {
        self.firsts.sort_unstable();
        let pages = self.firsts.len().div_ceil(at_once).max(KNOWN_PAGES);
        let second = |moment: &Timestamp| Timestamp::from_second(moment.as_second()).unwrap_or(*moment);
        let first = self.firsts.first().map(second);
        let long = self.firsts.chunks(pages).skip(1).filter(|chain| chain.len() * 2 >= pages);
        let moments = long.filter_map(|chain| chain.first().map(second));
        let distinct: BTreeSet<Timestamp> = moments.filter(|moment| Some(*moment) != first).collect();
        distinct.into_iter().collect()
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[cfg(test)]
#[path = "chains_tests.rs"]
mod tests;
