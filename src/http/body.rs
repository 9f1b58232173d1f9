//! Reads the body of an answer while it arrives: a listing of 100,000 users is 50 MB of JSON, and little of it is kept.

use std::any::Any;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::time::Duration;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tokio_util::bytes::Bytes;

use super::budget::{Meter, Size};
use super::cause::Cause;
use super::connect::innermost;
use super::item;
use super::mask::Echo;

/// A body of fewer bytes is parsed when it's there; of a larger one only this much is kept, for errors to show.
const AT_ONCE: usize = 1 << 20;
/// A body of more bytes is parsed on another thread: the task that reads it may have others to serve.
const ON_TASK: usize = 1 << 17;
/// How many chunks may wait for the parser; after that the server is kept waiting.
const CHUNKS_AHEAD: usize = 16;
/// The parser takes single bytes, so that they come to it in blocks of this size.
const BLOCK: usize = 1 << 16;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How long a body may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Until the next part of it comes.
    pub idle: Duration,
    /// Until its end.
    pub whole: Duration,
}

/// A parsed answer of any type.
pub(super) type AnyValue = Box<dyn Any + Send>;

/// The type of an answer, as what parses it: the requests of all types share their code.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    whole: fn(&[u8]) -> serde_json::Result<AnyValue>,
    arriving: fn(BufReader<Arrival>) -> serde_json::Result<AnyValue>,
}

impl Shape {
    pub(super) fn of<T: DeserializeOwned + Send + 'static>() -> Self {
        Self {
            whole: |text| Ok(Box::new(serde_json::from_slice::<T>(text)?)),
            arriving: |text| Ok(Box::new(serde_json::from_reader::<_, T>(text)?)),
        }
    }

    /// The value of an answer that was read as this type.
    pub(super) fn take<T: 'static>(value: AnyValue) -> T {
        *value.downcast().unwrap_or_else(|_| unreachable!("an answer has the type that it was parsed as"))
    }
}

/// The body of an answer under way.
pub(super) struct Body {
    response: reqwest::Response,
    limits: Limits,
    began: Instant,
    meter: Meter,
    echo: Echo,
    /// Nothing of it may be shown.
    confidential: bool,
}

impl Body {
    pub(super) fn new(response: reqwest::Response, limits: Limits, size: Size, echo: Echo, confidential: bool) -> Self {
        Self { response, limits, began: Instant::now(), meter: Meter::new(size), echo, confidential }
    }

    /// Reads it to its end and keeps nothing. A web page is a proxy's, and says nothing of what the server did.
    async fn discard(mut self) -> Result<(), Cause> {
        let (start, _) = self.start().await?;
        while self.chunk().await?.is_some() {}
        match Cause::not_json(self.response.status(), &String::from_utf8_lossy(&start)) {
            page @ Cause::NotJson { html: true, .. } => Err(page),
            _ => Ok(()),
        }
    }

    /// Its beginning: an error's body has far less than that, and one that is too large is still an error's.
    pub(super) async fn text(mut self) -> Result<String, Cause> {
        let mut start = Vec::new();
        while start.len() < AT_ONCE {
            match self.chunk().await {
                Ok(Some(chunk)) => start.extend_from_slice(&chunk),
                Ok(None) | Err(Cause::Oversized(_)) => break,
                Err(cause) => return Err(cause),
            }
        }
        Ok(String::from_utf8_lossy(&start).into_owned())
    }

    /// The value that it is in JSON of this shape; without a shape it's read and not kept.
    pub(super) async fn read(self, shape: Option<Shape>) -> Result<AnyValue, Cause> {
        match shape {
            Some(shape) => self.json(shape).await,
            None => self.discard().await.map(|()| Box::new(()) as AnyValue),
        }
    }

    /// HTML, cut JSON and JSON of another shape are told apart.
    async fn json(mut self, shape: Shape) -> Result<AnyValue, Cause> {
        let (start, whole) = self.start().await?;
        // A byte order mark says nothing (RFC 8259, section 8.1).
        let start = if start.starts_with(BYTE_ORDER_MARK) { start.slice(BYTE_ORDER_MARK.len()..) } else { start };
        let parsed = match whole {
            true if start.len() <= ON_TASK => (shape.whole)(&start),
            true => parsed_apart(start.clone(), shape).await?,
            false => self.parsed_on_arrival(&start, shape).await?,
        };
        if parsed.is_ok() && self.echo.is_found() {
            return Err(Cause::Implausible("it repeats the token or key of the request".to_owned()));
        }
        parsed.map_err(|error| {
            let cause = unfit(&error, self.response.status(), &start, self.meter.bytes());
            if self.confidential { cause.without_answer() } else { cause }
        })
    }

    /// The beginning, and whether it's all.
    async fn start(&mut self) -> Result<(Bytes, bool), Cause> {
        let mut start = Vec::new();
        while start.len() < AT_ONCE {
            let Some(chunk) = self.chunk().await? else { return Ok((start.into(), true)) };
            start.extend_from_slice(&chunk);
        }
        Ok((start.into(), false))
    }

    /// Parses what is there and what is yet to come, on a thread that may block.
    async fn parsed_on_arrival(&mut self, start: &Bytes, shape: Shape) -> Result<serde_json::Result<AnyValue>, Cause> {
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let text = Cursor::new(start.clone()).chain(Arriving { chunks, chunk: Cursor::default() });
        let parsing = spawn_blocking(move || (shape.arriving)(BufReader::with_capacity(BLOCK, text)));
        // An early return ends the text for the parser, and its error isn't asked for then.
        while let Some(chunk) = self.chunk().await? {
            if sender.send(chunk).await.is_err() {
                // The parser has found what it can't read.
                break;
            }
        }
        drop(sender);
        parsing.await.map_err(|error| Cause::Unreadable(error.to_string()))
    }

    /// The next part of it, within all limits.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Cause> {
        let Limits { idle, whole } = self.limits;
        let elapsed = self.began.elapsed();
        let (left, left_by_progress) =
            (whole.saturating_sub(elapsed), self.meter.allowed(idle).saturating_sub(elapsed));
        let waited = timeout(idle.min(left).min(left_by_progress), self.response.chunk()).await;
        let waited = waited.map_err(|_| match () {
            () if left <= idle.min(left_by_progress) => Cause::Endless(whole),
            () if left_by_progress < idle => Cause::Slow(self.meter.allowed(idle)),
            () => Cause::Stalled(idle),
        })?;
        let chunk = waited.map_err(|error| Cause::Truncated(innermost(&error)))?;
        if let Some(chunk) = &chunk {
            self.meter.take(chunk).map_err(Cause::Oversized)?;
            self.echo.look(chunk);
        }
        Ok(chunk)
    }
}

/// Parses a whole body, on a thread that may be busy for a while.
async fn parsed_apart(text: Bytes, shape: Shape) -> Result<serde_json::Result<AnyValue>, Cause> {
    let parsing = spawn_blocking(move || (shape.whole)(&text));
    parsing.await.map_err(|error| Cause::Unreadable(error.to_string()))
}

/// What has come of a body, and what is to come.
type Arrival = Chain<Cursor<Bytes>, Arriving>;

/// The chunks of a body as something to read from. It blocks until the next one is there.
pub(super) struct Arriving {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Cursor<Bytes>,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(chunk) = self.chunks.blocking_recv() else { return Ok(0) };
            self.chunk = Cursor::new(chunk);
        }
    }
}

/// What a text is that isn't the JSON that was due. Of JSON in another shape the entity is named that can't be read.
fn unfit(error: &serde_json::Error, status: StatusCode, start: &[u8], length: u64) -> Cause {
    if error.is_data() {
        let name = item::at(start, error.line(), error.column()).map(|name| format!("in {name}: ")).unwrap_or_default();
        return Cause::Unreadable(format!("{name}{error}"));
    }
    if error.is_eof() && matches!(start.trim_ascii_start(), [b'{' | b'[', ..]) {
        return Cause::Truncated(format!("the JSON breaks off after {length} bytes"));
    }
    Cause::not_json(status, &String::from_utf8_lossy(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::scripted::{Act, ScriptedServer, fast, json};
    use crate::http::{Client, Failure, Request, Settings};

    /// More of a listing than is parsed at once.
    const MANY: usize = 400_000;

    async fn read<T: DeserializeOwned + Send + 'static>(server: &ScriptedServer) -> Result<T, Failure> {
        let client = Client::new(Settings { retry: fast(), ..Settings::new(&server.url) }).unwrap();
        client.json(&Request::get("/x")).await.map(|(value, _)| value)
    }

    fn listing() -> String {
        serde_json::to_string(&(0..MANY).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn bodies_that_are_not_what_was_due_are_told_apart() {
        let cause = |body: &str| {
            let error = serde_json::from_str::<Vec<u32>>(body).unwrap_err();
            unfit(&error, StatusCode::OK, body.as_bytes(), body.len() as u64)
        };
        assert!(matches!(cause("<!doctype html><html>"), Cause::NotJson { html: true, .. }));
        assert!(matches!(cause("OK"), Cause::NotJson { html: false, .. }));
        assert!(matches!(cause(""), Cause::NotJson { html: false, .. }));
        assert!(matches!(cause("[1,2"), Cause::Truncated(_)));
        assert!(matches!(cause("{}"), Cause::Unreadable(_)));
    }

    #[tokio::test]
    async fn a_body_of_any_length_is_read_whole() {
        let text = listing();
        assert!(text.len() > 2 * AT_ONCE);
        let middling = serde_json::to_string(&(0..MANY / 10).collect::<Vec<_>>()).unwrap();
        assert!((ON_TASK..AT_ONCE).contains(&middling.len()));
        let server = ScriptedServer::script([json(200, &text), json(200, &middling), json(200, "[1,2]")]).await;
        assert_eq!(read::<Vec<usize>>(&server).await.unwrap(), (0..MANY).collect::<Vec<_>>());
        assert_eq!(read::<Vec<usize>>(&server).await.unwrap(), (0..MANY / 10).collect::<Vec<_>>());
        assert_eq!(read::<Vec<usize>>(&server).await.unwrap(), [1, 2]);
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        // Far longer than the limit, so that a busy machine doesn't see the connection end first.
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n[".to_owned();
        let parts = [vec![head], vec!["1,".to_owned(); 3_000]].concat();
        let server = ScriptedServer::new(move |_| Act::Trickle(parts.clone(), Duration::from_millis(20))).await;
        let body_timeout = Duration::from_millis(200);
        let client = Client::new(Settings { body_timeout, retry: fast(), ..Settings::new(&server.url) }).unwrap();
        let failure = client.json::<Vec<u32>>(&Request::get("/x")).await.unwrap_err();
        assert_eq!((failure.cause(), failure.attempts()), (&Cause::Endless(body_timeout), 2));
        assert!(failure.to_string().contains("did not end within 0.2 s"), "{failure}");
    }

    #[tokio::test]
    async fn an_answer_that_holds_a_secret_is_not_shown() {
        for body in [r#"{"access_token": "s3cret"} junk"#, "s3cret", r#""s3cret""#, r#"["s3cret"]"#, "<html>s3cret"] {
            let server = ScriptedServer::new(move |_| json(200, body)).await;
            let client = Client::new(Settings { retry: fast(), ..Settings::new(&server.url) }).unwrap();
            let failure = client.json::<Vec<u32>>(&Request::get("/x").confidential()).await.unwrap_err();
            assert!(!format!("{failure} {failure:?}").contains("s3cret"), "{failure:?}");
            assert!(failure.to_string().contains("not shown"), "{failure}");
        }
    }

    #[tokio::test]
    async fn a_long_body_that_breaks_off_is_asked_for_again() {
        let text = listing();
        let half = &text[..AT_ONCE + AT_ONCE / 2];
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
        let closed = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        for broken in
            [json(200, half), Act::SendAndCut(format!("{head}{half}")), Act::SendAndCut(format!("{closed}{half}"))]
        {
            let server = ScriptedServer::script([broken, json(200, &text)]).await;
            assert_eq!(read::<Vec<usize>>(&server).await.unwrap().len(), MANY);
            assert_eq!(server.lines().len(), 2);
        }
    }

    #[tokio::test]
    async fn a_long_body_that_cannot_be_read_says_why() {
        let page = format!("<!doctype html>{}", "x".repeat(3 * AT_ONCE));
        let server = ScriptedServer::new(move |_| json(200, &page)).await;
        let failure = read::<Vec<usize>>(&server).await.unwrap_err();
        assert!(failure.to_string().contains(r#"with a web page instead of JSON: "xxx"#), "{failure}");
        assert_eq!(server.lines().len(), 2);
        let text = listing();
        let server = ScriptedServer::new(move |_| json(200, &text)).await;
        let failure = read::<Vec<String>>(&server).await.unwrap_err();
        assert!(matches!(failure.cause(), Cause::Unreadable(why) if why.contains("expected a string")), "{failure}");
        assert_eq!(server.lines().len(), 1);
    }
}
