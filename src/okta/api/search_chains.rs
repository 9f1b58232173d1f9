//! A search of users, read as several chains of pages side by side.
//!
//! Pages come by cursor, so that each can be asked for only once the one before is there. But users can be sorted by
//! `created`, with equal ones by id (Okta API: Users, list), and that never changes. So a chain may begin at any moment
//! of creation, and another one end there: whatever happens to users meanwhile, nobody moves from one chain to another.
//! Where a chain begins is guessed, from where an earlier run would have begun or from how dense the users before are, and a
//! wrong guess costs a page at most.
//!
//! Of each user only what is kept is asked for (`fields`).
//!
//! All of that stands on the order. A server that doesn't sort, or doesn't understand what is added to the search, is read
//! one page after another, by the search as it was given, and whole.

use std::collections::BTreeMap;
use std::iter::once;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};

use crate::http::link::next_cursor;
use crate::http::{Failure, Reply, Request};
use crate::model::id::OktaUserId;
use crate::model::okta::User;
use crate::model::packed::{Attributes, PackedUser};
use crate::okta::api::client::{Listing, MOST_PAGES, Okta, OnPage, PageSize, RESTARTS};
use crate::okta::api::users::{PAGE, omit};

/// A chain reads on for so long behind the beginning of the next: the times that Okta shows may be rounded.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);
/// A new chain begins at least so far ahead, so that little of it is read twice.
const NEAREST: SignedDuration = SignedDuration::from_secs(8);
/// Fewer pages than this aren't worth another chain.
const LEAST_PAGES: u32 = 4;
/// A new chain begins at most so many pages ahead, since farther ahead users may be much denser, or there may be none.
const FARTHEST: i64 = 64;

/// Users in the order of creation, from one moment to another.
struct Chain {
    /// Its first moment; none for the first chain, which begins with the first user.
    from: Option<Timestamp>,
    /// Where the next chain begins; none for the last one.
    end: Option<Timestamp>,
    /// How far it was read, since it began or began anew.
    at: Option<Timestamp>,
    /// How long the users of its last page took to be created.
    page_span: SignedDuration,
    after: Option<String>,
    size: PageSize,
    restarts: usize,
    done: bool,
}

impl Chain {
    fn new(from: Option<Timestamp>, end: Option<Timestamp>) -> Self {
        let size = PageSize::new(Some(PAGE));
        let page_span = SignedDuration::ZERO;
        Self { from, end, at: None, page_span, after: None, size, restarts: 0, done: false }
    }

    /// About how many pages are left up to the newest user, if it goes on as its last page did.
    fn pages_left(&self, newest: Timestamp) -> i64 {
        let Some(at) = self.at.filter(|_| !self.done) else { return 0 };
        let left = self.end.unwrap_or(newest).duration_since(at);
        i64::try_from(left.as_millis() / self.page_span.as_millis().max(1)).unwrap_or(i64::MAX)
    }

    /// Where the second half of what is left begins, if that is worth a chain.
    fn middle(&self, newest: Timestamp) -> Option<Timestamp> {
        let pages = self.pages_left(newest);
        let ahead = i32::try_from((pages / 2).min(FARTHEST)).unwrap_or(1);
        let ahead = self.page_span.checked_mul(ahead)?;
        if pages < i64::from(LEAST_PAGES) || ahead < NEAREST { None } else { self.at?.checked_add(ahead).ok() }
    }

    /// Gives the second half of what is left to a new chain.
    fn split(&mut self, newest: Timestamp) -> Option<Self> {
        let middle = self.middle(newest)?;
        let rest = Self::new(Some(middle), self.end);
        self.end = Some(middle);
        Some(rest)
    }

    /// Takes note of a page; false if it isn't sorted, or holds somebody from before the chain's beginning: then no chain
    /// can tell where it ends.
    fn read(&mut self, page: &[User], next: Option<String>) -> bool {
        let created: Vec<Timestamp> = page.iter().filter_map(|user| user.times.created).collect();
        let is_after = |first: &Timestamp| {
            self.at.is_none_or(|at| *first >= at) && self.from.is_none_or(|from| from.duration_since(*first) <= OVERLAP)
        };
        if created.len() != page.len() || !created.is_sorted() || !created.first().is_none_or(is_after) {
            return false;
        }
        if let (Some(first), Some(last)) = (created.first(), created.last()) {
            self.page_span = last.duration_since(*first);
            self.at = Some(*last);
        }
        let is_over = self.end.zip(self.at).is_some_and(|(end, at)| at.duration_since(end) > OVERLAP);
        self.done = is_over || next.is_none();
        self.after = next;
        true
    }

    /// Begins anew where it stands, since its cursor expired.
    fn restart(&mut self) {
        self.from = self.at.take().or(self.from);
        self.after = None;
        self.restarts += 1;
    }

    fn search(&self, search: &str) -> String {
        self.from.map_or_else(|| search.to_owned(), |from| format!("({search}) and created ge \"{}\"", okta_time(from)))
    }

    /// The request for its next page.
    fn request(&self, search: &str, fields: Option<&str>) -> Request {
        request(&self.search(search), "asc", fields, self.size, self.after.as_deref())
    }
}

/// `2026-01-31T12:34:56.000Z`, rounded down.
fn okta_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

fn request(search: &str, order: &str, fields: Option<&str>, size: PageSize, after: Option<&str>) -> Request {
    let mut params = vec![("search", search), ("sortBy", "created"), ("sortOrder", order)];
    params.extend(fields.map(|fields| ("fields", fields)));
    let listing = Listing { path: "/api/v1/users".into(), params: &params, limit: Some(PAGE), header: Some(omit()) };
    listing.request(size, after)
}

/// Why users can't be read side by side.
enum Trouble {
    /// The server doesn't sort, or refuses what it's asked for beyond the search.
    Unsorted,
    Failed(Failure),
}

impl From<Failure> for Trouble {
    /// If it's the search itself that is refused, reading it as it was given will say so.
    fn from(failure: Failure) -> Self {
        if failure.status() == Some(400) { Self::Unsorted } else { Self::Failed(failure) }
    }
}

type Answer = Result<(Vec<User>, Reply), Failure>;

/// What is asked for.
#[derive(Clone, Copy)]
enum Asked {
    /// The next page of the chain with this number.
    Page(usize),
    /// The newest user alone.
    Newest,
}

/// Whether the server is known to sort: it isn't if the newest user is the one that comes first in ascending order too.
/// A disorder that shows late would otherwise lose whom one chain left to another.
#[derive(Clone, Copy)]
enum Order {
    Unknown,
    Asked,
    /// When the newest user was created, which wasn't held against others yet.
    Answered(Timestamp),
    Proven(Timestamp),
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub users: BTreeMap<OktaUserId, PackedUser>,
    /// Moments of creation between which there are about as many of them, as many as chains may go side by side.
    pub beginnings: Vec<Timestamp>,
}

/// Chains under way.
struct Chains<'a> {
    okta: &'a Okta,
    search: &'a str,
    /// What of each user is asked for, if that isn't all.
    fields: Option<String>,
    all: Vec<Chain>,
    /// The first moment of each page.
    firsts: Vec<Timestamp>,
    order: Order,
    in_flight: FuturesUnordered<BoxFuture<'static, (Asked, Answer)>>,
    pages: usize,
}

impl Okta {
    /// All users that a search finds, with what is kept of them. Chains begin where an earlier run said, if one did.
    pub(crate) async fn users_side_by_side(
        &self,
        search: &str,
        beginnings: &[Timestamp],
        kept: &Attributes,
        on_page: OnPage<'_>,
    ) -> Result<Found, Failure> {
        match self.sorted_users(search, beginnings, kept, on_page).await {
            Ok(found) => Ok(found),
            Err(Trouble::Failed(failure)) => Err(failure),
            Err(Trouble::Unsorted) => {
                tracing::debug!("the server doesn't sort users by creation: they are read one page after another");
                let users = self.users_as(search, on_page, &|user| user.pack(kept)).await?.into_iter().collect();
                Ok(Found { users, beginnings: Vec::new() })
            }
        }
    }

    async fn sorted_users(
        &self,
        search: &str,
        beginnings: &[Timestamp],
        kept: &Attributes,
        on_page: OnPage<'_>,
    ) -> Result<Found, Trouble> {
        let mut users = BTreeMap::new();
        let mut chains = Chains::new(self, search, kept.fields(), beginnings);
        while let Some((asked, answer)) = chains.in_flight.next().await {
            match asked {
                Asked::Newest => chains.order = Order::Answered(newest(answer)?),
                Asked::Page(number) => {
                    // Whom two chains read, where one begins or after a restart, is taken once.
                    users.extend(chains.page(number, answer)?.into_iter().map(|user| user.pack(kept)));
                    on_page(users.len());
                }
            }
            chains.split()?;
        }
        if chains.all.len() > 1 && !matches!(chains.order, Order::Proven(_)) {
            return Err(Trouble::Unsorted);
        }
        Ok(Found { users, beginnings: beginnings_of(chains.firsts, self.at_once()) })
    }
}

impl<'a> Chains<'a> {
    /// One chain from the first user on, and one from each beginning on.
    fn new(okta: &'a Okta, search: &'a str, fields: Option<String>, beginnings: &[Timestamp]) -> Self {
        let (all, firsts, in_flight) = (Vec::new(), Vec::new(), FuturesUnordered::new());
        let mut new = Self { okta, search, fields, all, firsts, order: Order::Unknown, in_flight, pages: 0 };
        let moments = || beginnings.iter().copied().map(Some);
        for (from, end) in once(None).chain(moments()).zip(moments().chain(once(None))) {
            new.begin(Chain::new(from, end));
        }
        if !beginnings.is_empty() {
            new.ask_newest();
        }
        new
    }

    fn ask_newest(&mut self) {
        self.order = Order::Asked;
        let fields = self.fields.as_deref();
        self.ask(Asked::Newest, request(self.search, "desc", fields, PageSize::new(Some(1)), None));
    }

    fn begin(&mut self, chain: Chain) {
        self.ask(Asked::Page(self.all.len()), chain.request(self.search, self.fields.as_deref()));
        self.all.push(chain);
    }

    fn ask(&self, asked: Asked, request: Request) {
        let okta = self.okta.clone();
        self.in_flight.push(Box::pin(async move { (asked, okta.beside(okta.http().json(&request)).await) }));
    }

    /// Takes a page of a chain, which goes on. Empty where the page has to be asked for again.
    fn page(&mut self, number: usize, answer: Answer) -> Result<Vec<User>, Trouble> {
        let chain = &mut self.all[number];
        let mut users = Vec::new();
        if let Some((page, reply)) = settled(chain, answer)? {
            let next = next_cursor(&reply.headers, self.okta.http().base()).map_err(|why| reply.implausible(why))?;
            if next.is_some() && next == chain.after {
                return Err(reply.implausible("its next link leads to the page itself").into());
            }
            if !chain.read(&page, next) {
                return Err(Trouble::Unsorted);
            }
            self.firsts.extend(page.first().and_then(|user| user.times.created));
            self.pages += 1;
            if self.pages > MOST_PAGES {
                return Err(reply.implausible(format!("it has more than {MOST_PAGES} pages")).into());
            }
            users = page;
        }
        if !chain.done {
            let request = chain.request(self.search, self.fields.as_deref());
            self.ask(Asked::Page(number), request);
        }
        Ok(users)
    }

    /// Splits what is left, the longest first, as long as more requests may be in flight, once the order is proven: a server
    /// that sorts doesn't show the newest user before others.
    fn split(&mut self) -> Result<(), Trouble> {
        let first = &self.all[0];
        match (self.order, first.at) {
            (Order::Unknown, _) if first.middle(Timestamp::now()).is_some() => self.ask_newest(),
            (Order::Answered(newest), Some(at)) if at > newest => return Err(Trouble::Unsorted),
            (Order::Answered(newest), Some(_)) => self.order = Order::Proven(newest),
            _ => {}
        }
        let Order::Proven(newest) = self.order else { return Ok(()) };
        while self.in_flight.len() < self.okta.at_once() {
            let can_split = self.all.iter_mut().filter(|chain| chain.middle(newest).is_some());
            let longest = can_split.max_by_key(|chain| chain.pages_left(newest));
            let Some(rest) = longest.and_then(|longest| longest.split(newest)) else { break };
            self.begin(rest);
        }
        Ok(())
    }
}

/// When the newest user was created.
fn newest(answer: Answer) -> Result<Timestamp, Trouble> {
    answer?.0.first().and_then(|user| user.times.created).ok_or(Trouble::Unsorted)
}

/// Where chains might have begun, so many that all of them have as many pages; nowhere where so many users came at once
/// that the chain before would read more than a page twice.
fn beginnings_of(mut firsts: Vec<Timestamp>, at_once: usize) -> Vec<Timestamp> {
    firsts.sort_unstable();
    let pages = firsts.len().div_ceil(at_once).max(LEAST_PAGES as usize);
    let sparse = |page: &&[Timestamp]| page[1].duration_since(page[0]) >= OVERLAP;
    firsts.windows(2).step_by(pages).skip(1).filter(sparse).map(|page| page[0]).collect()
}

/// The page, or none where it has to be asked for again.
fn settled(chain: &mut Chain, answer: Answer) -> Result<Option<(Vec<User>, Reply)>, Failure> {
    match answer {
        Ok(page) => {
            chain.size.grow();
            Ok(Some(page))
        }
        Err(failure) if chain.after.is_some() && chain.restarts < RESTARTS && failure.is_invalid_cursor() => {
            chain.restart();
            Ok(None)
        }
        // Mostly a server that timed out over a large page (Okta API: Users, list).
        Err(failure) if failure.status() == Some(500) && chain.size.can_shrink() => {
            chain.size.shrink();
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::http::scripted::{Act, Seen, Server};
    use crate::model::okta::{Profile, Status, Times};
    use crate::okta::testing::{error, okta, page};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn user(second: i64) -> User {
        let times = Times { created: Some(at(second)), ..Times::default() };
        User { times, ..User::new("00u1".into(), Status::Active, Profile::new()) }
    }

    /// Reads a page that isn't the last one.
    fn read(chain: &mut Chain, page: &[User]) -> bool {
        chain.read(page, Some("cursor".to_owned()))
    }

    #[test]
    fn a_chain_ends_behind_the_beginning_of_the_next_and_not_at_it() {
        let mut chain = Chain::new(None, Some(at(100)));
        for (last, done) in [(99, false), (100, false), (102, false), (103, true)] {
            assert!(read(&mut chain, &[user(last)]));
            assert_eq!(chain.done, done, "{last}");
        }
    }

    #[test]
    fn the_rest_is_given_away_by_how_dense_the_last_page_was() {
        let mut chain = Chain::new(None, None);
        assert!(chain.split(at(1000)).is_none(), "nothing is known yet");
        assert!(read(&mut chain, &[user(0), user(10)]));
        let rest = chain.split(at(1010)).unwrap();
        assert_eq!((rest.from, rest.end, chain.end), (Some(at(510)), None, Some(at(510))), "a half of 100 pages");
        assert_eq!(rest.search("a or b"), "(a or b) and created ge \"2023-11-14T22:21:50.000Z\"");
        let farther = chain.split(at(1010)).unwrap();
        assert_eq!((farther.from, farther.end), (Some(at(260)), Some(at(510))));
    }

    #[test]
    fn users_who_all_came_at_once_stay_in_one_chain() {
        for (span, splits) in [(0, false), (100, false), (200, true)] {
            let mut chain = Chain::new(None, None);
            let last = at(0).checked_add(SignedDuration::from_millis(span)).unwrap();
            let last = User { times: Times { created: Some(last), ..Times::default() }, ..user(0) };
            assert!(read(&mut chain, &[user(0), last]));
            assert_eq!(chain.split(at(1_000_000)).is_some(), splits, "{span} ms");
        }
    }

    #[test]
    fn a_chain_notices_that_its_beginning_was_not_understood() {
        for (first, is_understood) in [(100, true), (99, true), (98, true), (97, false)] {
            let mut chain = Chain::new(Some(at(100)), None);
            assert_eq!(read(&mut chain, &[user(first), user(200)]), is_understood, "{first}");
        }
    }

    #[test]
    fn a_page_that_is_not_sorted_or_without_times_is_noticed() {
        let undated = User::new("00u2".into(), Status::Active, Profile::new());
        assert!(!read(&mut Chain::new(None, None), &[user(1), user(0)]));
        assert!(!read(&mut Chain::new(None, None), &[undated]));
        let mut chain = Chain::new(None, None);
        assert!(read(&mut chain, &[user(5)]));
        assert!(!read(&mut chain, &[user(4)]));
    }

    #[test]
    fn an_expired_cursor_begins_again_with_those_of_the_last_moment() {
        let mut chain = Chain::new(None, None);
        let millisecond = SignedDuration::from_millis(900);
        let late = at(5).checked_add(millisecond).unwrap();
        let late = User { times: Times { created: Some(late), ..Times::default() }, ..user(0) };
        assert!(read(&mut chain, &[user(0), late]));
        chain.restart();
        assert_eq!((chain.from, chain.after.take()), (at(5).checked_add(millisecond).ok(), None));
        assert!(read(&mut chain, &[user(5), user(6)]), "whole seconds are asked for");
    }

    /// How a server departs from Okta.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Habit {
        Okta,
        /// `created ge` finds everybody.
        DropsCreated,
        /// Users come in the order in which they were stored, which is that of creation but for the last ones.
        IgnoresSortBy,
        /// 400 to `sortBy`.
        RefusesSortBy,
        /// 400 to parentheses.
        RefusesParentheses,
        /// 400 to `fields`.
        RefusesFields,
    }

    /// As many users, one every ten seconds; the last ones were created before all others.
    fn stored(users: usize) -> Vec<i64> {
        let second = |number| if number + 20 < users { i64::try_from(number).unwrap() * 10 } else { -1 };
        (0..users).map(second).collect()
    }

    fn answered(habit: Habit, stored: &[i64], seen: &Seen) -> Act {
        let search = seen.param("search").unwrap();
        if (habit == Habit::RefusesSortBy && seen.param("sortBy").is_some())
            || (habit == Habit::RefusesParentheses && search.contains('('))
            || (habit == Habit::RefusesFields && seen.param("fields").is_some())
        {
            return error(400, "E0000031", "Invalid search criteria.");
        }
        let from = search.split_once("created ge \"").map(|(_, from)| from.trim_end_matches('"').parse().unwrap());
        let from = from.filter(|_| habit != Habit::DropsCreated);
        let mut users: Vec<_> = stored.iter().map(|second| at(*second)).enumerate().collect();
        users.retain(|(_, created)| from.is_none_or(|from: Timestamp| *created >= from));
        if habit != Habit::IgnoresSortBy && seen.param("sortBy").is_some() {
            users.sort_by_key(|(number, created)| (*created, *number));
            if seen.param("sortOrder").as_deref() == Some("desc") {
                users.reverse();
            }
        }
        let start: usize = seen.param("after").map_or(0, |after| after.parse().unwrap());
        let limit: usize = seen.param("limit").unwrap().parse().unwrap();
        let end = users.len().min(start + limit);
        let user = |(number, created): &(usize, Timestamp)| json!({"id": format!("00u{number}"), "status": "ACTIVE", "profile": {}, "created": created.to_string()});
        let items = users[start..end].iter().map(user).collect();
        page(seen, &Value::Array(items), (end < users.len()).then(|| end.to_string()).as_deref())
    }

    async fn found(server: &Server, beginnings: &[Timestamp]) -> Found {
        let okta = okta(&server.url);
        okta.users_side_by_side("status pr", beginnings, &Attributes::default(), &|_| ()).await.unwrap()
    }

    #[tokio::test]
    async fn everybody_is_read_whatever_the_server_makes_of_sorting_and_of_narrowed_searches() {
        const USERS: usize = 3_000;
        for (habit, most) in [
            (Habit::Okta, 60),
            (Habit::DropsCreated, 30),
            (Habit::IgnoresSortBy, 20),
            (Habit::RefusesSortBy, 16),
            (Habit::RefusesParentheses, 30),
            (Habit::RefusesFields, 16),
        ] {
            let stored = stored(USERS);
            let server = Server::new(move |seen| answered(habit, &stored, seen)).await;
            assert_eq!(found(&server, &[]).await.users.len(), USERS, "{habit:?}");
            let fields = server.seen()[0].param("fields");
            assert_eq!(fields.as_deref(), Some("id,status,created,profile:(login)"), "{habit:?}");
            let requests = server.lines().len();
            assert!((15..=most).contains(&requests), "{habit:?}: {requests}");
        }
    }

    #[tokio::test]
    async fn a_second_read_begins_where_the_first_would_have_and_believes_none_of_it() {
        const USERS: usize = 3_000;
        for (habit, most) in [
            (Habit::Okta, 32),
            (Habit::DropsCreated, 40),
            (Habit::IgnoresSortBy, 40),
            (Habit::RefusesSortBy, 40),
            (Habit::RefusesParentheses, 40),
        ] {
            let everybody = stored(USERS);
            let first = Server::new(move |seen| answered(Habit::Okta, &everybody, seen)).await;
            let beginnings = found(&first, &[]).await.beginnings;
            assert!((3..=4).contains(&beginnings.len()), "{beginnings:?}");
            // As it was, all created later, all but a few gone, and all gone.
            let later = |seconds| stored(USERS).into_iter().map(|second| second + seconds).collect::<Vec<_>>();
            for users in [stored(USERS), later(1_000_000), stored(300), stored(30), Vec::new()] {
                let count = users.len();
                let server = Server::new(move |seen| answered(habit, &users, seen)).await;
                assert_eq!(found(&server, &beginnings).await.users.len(), count, "{habit:?}");
                let requests = server.lines().len();
                assert!(requests <= most, "{habit:?}, {count}: {requests}");
            }
        }
    }

    #[tokio::test]
    async fn beginnings_in_any_order_lose_nobody() {
        for beginnings in [[50, 10], [100_000, 5], [5, 100_000], [29_000, 29_001], [10, 10]] {
            let users = stored(3_000);
            let server = Server::new(move |seen| answered(Habit::Okta, &users, seen)).await;
            assert_eq!(found(&server, &beginnings.map(at)).await.users.len(), 3_000, "{beginnings:?}");
        }
    }

    #[test]
    fn as_many_pages_are_between_beginnings_and_none_is_where_many_came_at_once() {
        let beginnings = |pages: i64, apart: i64| {
            let found = beginnings_of((0..pages).rev().map(|page| at(page * apart)).collect(), 24);
            found.into_iter().map(|moment| moment.as_second() - 1_700_000_000).collect::<Vec<_>>()
        };
        assert_eq!(beginnings(4, 100), [] as [i64; 0], "not worth it");
        assert_eq!(beginnings(10, 100), [400, 800]);
        assert_eq!(beginnings(500, 100).len(), 23);
        assert_eq!(beginnings(500, 2).len(), 23);
        assert_eq!(beginnings(500, 1), [] as [i64; 0], "all came at once");
    }

    #[tokio::test]
    async fn a_burst_in_one_chain_keeps_no_other_from_being_split() {
        // 1,000 at one moment, and as many over the days before and after it.
        let stored: Vec<i64> =
            (0..3_000).map(|number| if (1_000..2_000).contains(&number) { 100_000 } else { number * 100 }).collect();
        let server = Server::new(move |seen| answered(Habit::Okta, &stored, seen)).await;
        let users =
            okta(&server.url).users_side_by_side("status pr", &[], &Attributes::All, &|_| ()).await.unwrap().users;
        assert_eq!(users.len(), 3_000);
        let searches: BTreeSet<_> = server.seen().iter().filter_map(|seen| seen.param("search")).collect();
        assert!(searches.len() > 3, "{searches:?}");
    }

    #[tokio::test]
    async fn a_search_that_is_wrong_fails_by_itself() {
        let server = Server::new(|_| error(400, "E0000031", "Invalid search criteria.")).await;
        let okta = okta(&server.url);
        let failure = okta.users_side_by_side("x", &[], &Attributes::All, &|_| ()).await.unwrap_err();
        assert_eq!(failure.status(), Some(400));
        assert!(!server.lines()[1].contains("sortBy"), "{:?}", server.lines());
    }
}
