//! A search of users, read as several chains of pages in parallel.
//!
//! Pages come by cursor, so that each can be asked for only once the one before is there. But users can be sorted by
//! `created`, with equal ones by id (Okta API: Users, list), and that never changes. So a chain may begin at any moment
//! of creation, and end at the first user of the next chain: whatever happens to users meanwhile, no user moves from one
//! chain to another. Where a chain begins is guessed, from where an earlier run would have begun or from how dense the users
//! before are (`chains`); a wrong guess costs a page.
//!
//! Of each user only what is kept is asked for (`fields`).
//!
//! All of that rests on the order. A server that doesn't sort, or doesn't understand what is added to the search, is read
//! one page after another, by the search as it was given, and whole.

mod chains;

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use self::chains::{Chain, Chains};
use crate::http::answers::Source;
use crate::http::link::next_cursor;
use crate::http::{Failure, Reply, Request};
use crate::model::id::OktaUserId;
use crate::model::okta::User;
use crate::model::packed::{KeptAttributes, PackedUser};
use crate::okta::api::client::{Listing, MOST_PAGES, Okta, OnPage, PageSize};
use crate::okta::api::users::{PAGE, omit};

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

/// The name of the search among recorded answers: its chains are one listing.
fn whole(search: &str) -> String {
    let params = [("search", search)];
    Listing { path: "/api/v1/users".into(), params: &params, limit: None, header: None }.recorded_as()
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
    /// The newest users.
    Newest,
}

/// Whether the server is known to sort: it isn't if the newest user is the one that comes first in ascending order too.
/// A disorder that shows late would otherwise lose the users that one chain left to another.
#[derive(Clone, Copy)]
enum Order {
    Unknown,
    Asked,
    /// When the newest user was created, which wasn't compared with others yet.
    Answered(Timestamp),
    Proven,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchResult {
    pub users: BTreeMap<OktaUserId, PackedUser>,
    /// Times of creation that divide the users into parts of about the same size, one for each chain that may run in parallel.
    pub beginnings: Vec<Timestamp>,
}

/// Chains under way.
struct Reading<'a> {
    okta: &'a Okta,
    search: &'a str,
    /// What of each user is asked for, if that isn't all.
    fields: Option<String>,
    chains: Chains,
    order: Order,
    in_flight: FuturesUnordered<BoxFuture<'static, (Asked, Answer)>>,
}

impl Okta {
    /// All users that a search finds, with what is kept of them. Chains begin where an earlier run said, if one did.
    pub(crate) async fn users_side_by_side(
        &self,
        search: &str,
        beginnings: &[Timestamp],
        kept: &KeptAttributes,
        on_page: OnPage<'_>,
    ) -> Result<SearchResult, Failure> {
        let found = match self.http().source() {
            // All pages are one.
            Source::Snapshot(_) => Err(Trouble::Unsorted),
            _ => self.sorted_users(search, beginnings, kept, on_page).await,
        };
        match found {
            Ok(found) => Ok(found),
            Err(Trouble::Failed(failure)) => Err(failure),
            Err(Trouble::Unsorted) => {
                tracing::debug!("the server doesn't sort users by creation: they are read one page after another");
                let users = self.users_as(search, on_page, &|user| user.pack(kept)).await?.into_iter().collect();
                Ok(SearchResult { users, beginnings: Vec::new() })
            }
        }
    }

    async fn sorted_users(
        &self,
        search: &str,
        beginnings: &[Timestamp],
        kept: &KeptAttributes,
        on_page: OnPage<'_>,
    ) -> Result<SearchResult, Trouble> {
        let mut users = BTreeMap::new();
        // A snapshot holds whole profiles, so that another config can be tried on it.
        let is_recorded = matches!(self.http().source(), Source::Recorded(_));
        let fields = if is_recorded { None } else { kept.fields() };
        let mut reading = Reading::new(self, search, fields, beginnings);
        while let Some((asked, answer)) = reading.in_flight.next().await {
            match asked {
                Asked::Newest => reading.newest(answer)?,
                Asked::Page(number) => {
                    // Users that two chains read, where one begins or after a restart, are taken once.
                    users.extend(reading.page(number, answer)?.into_iter().map(|user| user.pack(kept)));
                    on_page(users.len());
                }
            }
            reading.split(users.len())?;
        }
        if reading.chains.count() > 1 && !matches!(reading.order, Order::Proven) {
            return Err(Trouble::Unsorted);
        }
        Ok(SearchResult { users, beginnings: reading.chains.beginnings(self.at_once()) })
    }
}

impl<'a> Reading<'a> {
    fn new(okta: &'a Okta, search: &'a str, fields: Option<String>, beginnings: &[Timestamp]) -> Self {
        let (chains, in_flight) = (Chains::new(beginnings), FuturesUnordered::new());
        let mut new = Self { okta, search, fields, chains, order: Order::Unknown, in_flight };
        (0..new.chains.count()).for_each(|number| new.ask_page(number));
        if new.chains.count() > 1 {
            new.ask_newest();
        }
        new
    }

    fn ask_newest(&mut self) {
        self.order = Order::Asked;
        let size = PageSize::new(Some(PAGE));
        let request = request(self.search, "desc", self.fields.as_deref(), size, None);
        self.ask(Asked::Newest, request.page_of(whole(self.search), false));
    }

    /// Asks for the next page of a chain.
    fn ask_page(&mut self, number: usize) {
        let chain = self.chains.chain(number);
        let (search, size) = (narrowed(self.search, chain.from), chain.size);
        let request = request(&search, "asc", self.fields.as_deref(), size, chain.after.as_deref());
        let request = request.page_of(whole(self.search), false);
        self.ask(Asked::Page(number), request);
    }

    fn ask(&self, asked: Asked, request: Request) {
        let okta = self.okta.clone();
        self.in_flight.push(Box::pin(async move { (asked, okta.in_parallel(okta.http().json(&request)).await) }));
    }

    fn newest(&mut self, answer: Answer) -> Result<(), Trouble> {
        let page = answer?.0;
        let newest = page.first().and_then(|user| user.times.created).ok_or(Trouble::Unsorted)?;
        self.chains.know_newest(newest, &page);
        self.order = Order::Answered(newest);
        Ok(())
    }

    /// Takes a page of a chain, which goes on. Empty where the page has to be asked for again.
    fn page(&mut self, number: usize, answer: Answer) -> Result<Vec<User>, Trouble> {
        let chain = self.chains.chain(number);
        let mut users = Vec::new();
        if let Some((page, reply)) = settled(chain, answer)? {
            let next = next_cursor(&reply.headers, self.okta.http().base()).map_err(|why| reply.implausible(why))?;
            if next.is_some() && next == chain.after {
                return Err(reply.implausible("its next link leads to the page itself").into());
            }
            if !self.chains.page(number, &page, next) {
                return Err(Trouble::Unsorted);
            }
            if self.chains.pages() as usize > MOST_PAGES {
                return Err(reply.implausible(format!("it has more than {MOST_PAGES} pages")).into());
            }
            users = page;
        }
        if !self.chains.chain(number).done {
            self.ask_page(number);
        }
        Ok(users)
    }

    /// Begins other chains, as long as more requests may be in flight, once the order is proven: a server that sorts doesn't
    /// show the newest user before others.
    fn split(&mut self, users: usize) -> Result<(), Trouble> {
        match (self.order, self.chains.first_at()) {
            (Order::Unknown, _) if self.chains.wants_newest(Timestamp::now()) => self.ask_newest(),
            (Order::Answered(newest), Some(at)) if at > newest => return Err(Trouble::Unsorted),
            (Order::Answered(_), Some(_)) => self.order = Order::Proven,
            _ => {}
        }
        while matches!(self.order, Order::Proven) && self.in_flight.len() < self.okta.at_once() {
            let Some(number) = self.chains.split(users) else { break };
            self.ask_page(number);
        }
        Ok(())
    }
}

/// The search of the users who were created since then.
fn narrowed(search: &str, from: Option<Timestamp>) -> String {
    from.map_or_else(|| search.to_owned(), |from| format!("({search}) and created ge \"{}\"", okta_time(from)))
}

/// The page, or none where it has to be asked for again.
fn settled(chain: &mut Chain, answer: Answer) -> Result<Option<(Vec<User>, Reply)>, Failure> {
    match answer {
        Ok(page) => {
            chain.size.grow();
            Ok(Some(page))
        }
        Err(failure) if failure.is_invalid_cursor() && chain.restart() => Ok(None),
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
    use serde_json::{Value, json};

    use super::*;
    use crate::http::scripted::{Act, ScriptedServer, Seen};
    use crate::okta::testing::{error, okta, page};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    /// How a server departs from Okta.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Habit {
        Okta,
        /// `created ge` finds all users.
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

    /// When as many users were created, one every ten seconds; the last ones were created before all others.
    fn stored(users: usize) -> Vec<i64> {
        let second = |number| if number + 20 < users { i64::try_from(number).unwrap() * 10 } else { -1 };
        (0..users).map(second).collect()
    }

    /// Number and creation of users.
    type Users = Vec<(usize, Timestamp)>;

    /// A server of these users.
    async fn server(habit: Habit, stored: &[i64]) -> ScriptedServer {
        let stored: Users = stored.iter().map(|second| at(*second)).enumerate().collect();
        let mut sorted = stored.clone();
        sorted.sort_by_key(|(number, created)| (*created, *number));
        ScriptedServer::new(move |seen| answered(habit, [&stored, &sorted], seen)).await
    }

    fn answered(habit: Habit, [stored, sorted]: [&Users; 2], seen: &Seen) -> Act {
        let search = seen.param("search").unwrap();
        if (habit == Habit::RefusesSortBy && seen.param("sortBy").is_some())
            || (habit == Habit::RefusesParentheses && search.contains('('))
            || (habit == Habit::RefusesFields && seen.param("fields").is_some())
        {
            return error(400, "E0000031", "Invalid search criteria.");
        }
        let from = search.split_once("created ge \"").map(|(_, from)| from.trim_end_matches('"').parse().unwrap());
        let from = from.filter(|_| habit != Habit::DropsCreated);
        let is_sorted = habit != Habit::IgnoresSortBy && seen.param("sortBy").is_some();
        let all = if is_sorted { sorted } else { stored };
        let mut users: Vec<_> =
            all.iter().filter(|(_, created)| from.is_none_or(|from: Timestamp| *created >= from)).collect();
        if is_sorted && seen.param("sortOrder").as_deref() == Some("desc") {
            users.reverse();
        }
        let start: usize = seen.param("after").map_or(0, |after| after.parse().unwrap());
        let limit: usize = seen.param("limit").unwrap().parse().unwrap();
        let end = users.len().min(start + limit);
        let user = |(number, created): &&(usize, Timestamp)| json!({"id": format!("00u{number}"), "status": "ACTIVE", "profile": {}, "created": created.to_string()});
        let items = users[start..end].iter().map(user).collect();
        page(seen, &Value::Array(items), (end < users.len()).then(|| end.to_string()).as_deref())
    }

    async fn found(server: &ScriptedServer, beginnings: &[Timestamp]) -> SearchResult {
        let okta = okta(&server.url);
        okta.users_side_by_side("status pr", beginnings, &KeptAttributes::default(), &|_| ()).await.unwrap()
    }

    #[tokio::test]
    async fn everybody_is_read_whatever_the_server_makes_of_sorting_and_of_narrowed_searches() {
        const USERS: usize = 10_000;
        for (habit, most) in [
            (Habit::Okta, 53),
            (Habit::DropsCreated, 60),
            (Habit::IgnoresSortBy, 55),
            (Habit::RefusesSortBy, 51),
            (Habit::RefusesParentheses, 60),
            (Habit::RefusesFields, 51),
        ] {
            let server = server(habit, &stored(USERS)).await;
            assert_eq!(found(&server, &[]).await.users.len(), USERS, "{habit:?}");
            let fields = server.seen()[0].param("fields");
            assert_eq!(fields.as_deref(), Some("id,status,created,profile:(login)"), "{habit:?}");
            let requests = server.lines().len();
            assert!((50..=most).contains(&requests), "{habit:?}: {requests}");
        }
    }

    #[tokio::test]
    async fn a_second_read_begins_where_the_first_would_have_and_believes_none_of_it() {
        const USERS: usize = 10_000;
        for (habit, most) in [
            (Habit::Okta, 5),
            (Habit::DropsCreated, 9),
            (Habit::IgnoresSortBy, 9),
            (Habit::RefusesSortBy, 9),
            (Habit::RefusesParentheses, 9),
        ] {
            let first = server(Habit::Okta, &stored(USERS)).await;
            let beginnings = found(&first, &[]).await.beginnings;
            assert_eq!(beginnings.len(), 2, "{beginnings:?}");
            // As it was, all created later, all but a few gone, and all gone.
            let later = |seconds| stored(USERS).into_iter().map(|second| second + seconds).collect::<Vec<_>>();
            for users in [stored(USERS), later(1_000_000), stored(300), stored(30), Vec::new()] {
                let count = users.len();
                let server = server(habit, &users).await;
                assert_eq!(found(&server, &beginnings).await.users.len(), count, "{habit:?}");
                let requests = server.lines().len();
                assert!(requests <= count.div_ceil(200) + most, "{habit:?}, {count}: {requests}");
            }
        }
    }

    #[tokio::test]
    async fn beginnings_in_any_order_lose_nobody() {
        for beginnings in [[50, 10], [100_000, 5], [5, 100_000], [29_000, 29_001], [10, 10]] {
            let server = server(Habit::Okta, &stored(3_000)).await;
            assert_eq!(found(&server, &beginnings.map(at)).await.users.len(), 3_000, "{beginnings:?}");
        }
    }

    #[tokio::test]
    async fn a_search_that_is_wrong_fails_by_itself() {
        let server = ScriptedServer::new(|_| error(400, "E0000031", "Invalid search criteria.")).await;
        let okta = okta(&server.url);
        let failure = okta.users_side_by_side("x", &[], &KeptAttributes::All, &|_| ()).await.unwrap_err();
        assert_eq!(failure.status(), Some(400));
        assert!(!server.lines()[1].contains("sortBy"), "{:?}", server.lines());
    }
}
