//! A search of users, read as several chains of pages side by side.
//!
//! Pages come by cursor, so that each can be asked for only once the one before is there. But users can be sorted by
//! `created`, with equal ones by id (Okta API: Users, list), and that never changes. So a chain may begin at any moment
//! of creation, and another one end there: whatever happens to users meanwhile, nobody moves from one chain to another.
//! Where a chain begins is guessed from how dense the users before are, and a wrong guess costs a page at most.

use std::collections::BTreeMap;

use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};

use super::client::{Listing, MOST_PAGES, Okta, OnPage, PageSize, RESTARTS};
use super::read::SIDE_BY_SIDE;
use super::users::{PAGE, omit};
use crate::http::link::next_cursor;
use crate::http::{Failure, Reply};
use crate::model::id::OktaUserId;
use crate::model::okta::User;
use crate::model::packed::{Attributes, PackedUser};

/// A chain reads on for so long behind the beginning of the next: the times that Okta shows may be rounded.
const OVERLAP: SignedDuration = SignedDuration::from_secs(2);
/// Fewer pages than this aren't worth another chain.
const LEAST_PAGES: i64 = 4;
/// A new chain begins at most so many pages ahead, since farther ahead users may be much denser, or there may be none.
const FARTHEST: i64 = 64;

/// Users in the order of creation, from one moment to another.
struct Chain {
    /// Its first moment; none for the first chain, which begins with the first user.
    from: Option<Timestamp>,
    /// Where the next chain begins; none for the last one.
    end: Option<Timestamp>,
    /// How far it was read.
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

    /// About how many pages are left, if it goes on as its last page did.
    fn pages_left(&self, now: Timestamp) -> i64 {
        let Some(at) = self.at.filter(|_| !self.done) else { return 0 };
        let left = self.end.unwrap_or(now).duration_since(at);
        i64::try_from(left.as_millis() / self.page_span.as_millis().max(1)).unwrap_or(i64::MAX)
    }

    /// Gives the second half of what is left to a new chain.
    fn split(&mut self, now: Timestamp) -> Option<Self> {
        let pages = self.pages_left(now);
        if pages < LEAST_PAGES || self.page_span < OVERLAP {
            return None;
        }
        let ahead = i32::try_from((pages / 2).min(FARTHEST)).unwrap_or(1);
        let middle = self.at?.checked_add(self.page_span.checked_mul(ahead)?).ok()?;
        let rest = Self::new(Some(middle), self.end);
        self.end = Some(middle);
        Some(rest)
    }

    /// Takes note of a page; false if it isn't sorted, so that no chain can tell where it ends.
    fn read(&mut self, page: &[User], next: Option<String>) -> bool {
        let created: Vec<Timestamp> = page.iter().filter_map(|user| user.times.created).collect();
        let sorted = created.is_sorted() && self.at.is_none_or(|at| created.first().is_none_or(|first| *first >= at));
        if created.len() != page.len() || !sorted {
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
        self.from = self.at.or(self.from);
        self.after = None;
        self.restarts += 1;
    }

    fn search(&self, search: &str) -> String {
        self.from.map_or_else(|| search.to_owned(), |from| format!("({search}) and created ge \"{}\"", okta_time(from)))
    }
}

/// `2026-01-31T12:34:56.000Z`, rounded down.
fn okta_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

type Answer = Result<(Vec<User>, Reply), Failure>;

impl Okta {
    /// All users that a search finds, with what is kept of them. Where they can't be read side by side, since the server
    /// doesn't sort, they are read one page after another.
    pub(super) async fn users_side_by_side(
        &self,
        search: &str,
        kept: &Attributes,
        on_page: OnPage<'_>,
    ) -> Result<BTreeMap<OktaUserId, PackedUser>, Failure> {
        match self.sorted_users(search, kept, on_page).await? {
            Some(users) => Ok(users),
            None => Ok(self.users_as(search, on_page, &|user| user.pack(kept)).await?.into_iter().collect()),
        }
    }

    /// None if the server doesn't sort.
    async fn sorted_users(
        &self,
        search: &str,
        kept: &Attributes,
        on_page: OnPage<'_>,
    ) -> Result<Option<BTreeMap<OktaUserId, PackedUser>>, Failure> {
        let now = Timestamp::now();
        let mut users = BTreeMap::new();
        let mut chains = vec![Chain::new(None, None)];
        let mut pages = 0;
        let mut in_flight = FuturesUnordered::new();
        in_flight.push(self.page_of(search, 0, &chains[0]));
        while let Some((number, answer)) = in_flight.next().await {
            let chain = &mut chains[number];
            if let Some((page, reply)) = settled(chain, answer)? {
                let next = next_cursor(&reply.headers, self.http().base()).map_err(|why| reply.implausible(why))?;
                if next.is_some() && next == chain.after {
                    return Err(reply.implausible("its next link leads to the page itself"));
                }
                if !chain.read(&page, next) {
                    tracing::debug!("the server doesn't sort users by creation");
                    return Ok(None);
                }
                pages += 1;
                if pages > MOST_PAGES {
                    return Err(reply.implausible(format!("it has more than {MOST_PAGES} pages")));
                }
                // Whom two chains read, where one begins or after a restart, is taken once.
                users.extend(page.into_iter().map(|user| user.pack(kept)));
                on_page(users.len());
            }
            if !chains[number].done {
                in_flight.push(self.page_of(search, number, &chains[number]));
            }
            while in_flight.len() < SIDE_BY_SIDE {
                let Some(longest) = chains.iter_mut().max_by_key(|chain| chain.pages_left(now)) else { break };
                let Some(rest) = longest.split(now) else { break };
                chains.push(rest);
                let number = chains.len() - 1;
                in_flight.push(self.page_of(search, number, &chains[number]));
            }
        }
        Ok(Some(users))
    }

    /// Asks for the next page of a chain.
    fn page_of(&self, search: &str, number: usize, chain: &Chain) -> impl Future<Output = (usize, Answer)> + use<> {
        let search = chain.search(search);
        let params = [("search", search.as_str()), ("sortBy", "created"), ("sortOrder", "asc")];
        let listing =
            Listing { path: "/api/v1/users".into(), params: &params, limit: Some(PAGE), header: Some(omit()) };
        let (http, request) = (self.http().clone(), listing.request(chain.size, chain.after.as_deref()));
        async move { (number, http.json::<Vec<User>>(&request).await) }
    }
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
    use super::*;
    use crate::model::okta::{Profile, Status, Times};

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
        let mut chain = Chain::new(None, None);
        assert!(read(&mut chain, &[user(0), user(1)]));
        assert!(chain.split(at(1_000_000)).is_none());
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
        assert!(read(&mut chain, &[user(0)]));
        chain.restart();
        assert_eq!((chain.from, chain.after), (Some(at(0)), None));
    }
}
