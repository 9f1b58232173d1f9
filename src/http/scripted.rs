//! A server for tests that answers from a script or a function, and keeps the requests.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::retry::Policy;

/// The real budget with pauses of milliseconds.
pub(crate) fn fast() -> Policy {
    Policy { min_delay: Duration::from_millis(1), max_delay: Duration::from_millis(2), ..Policy::default() }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// These bytes, and the connection stays open.
    Send(String),
    /// These bytes, and the connection is closed.
    SendAndCut(String),
    /// These bytes one after another, each after this pause.
    Trickle(Vec<String>, Duration),
    /// Nothing, ever.
    Hang,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /path?query`.
    pub line: String,
    /// Names lower-cased.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query parameter.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://x{}", self.line.split_once(' ')?.1)).unwrap();
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn path(&self) -> &str {
        let target = self.line.split_once(' ').unwrap().1;
        target.split('?').next().unwrap()
    }
}

/// An answer with a content length that fits.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Act {
    let mut text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").unwrap();
    }
    Act::Send(text + "\r\n" + body)
}

pub(crate) fn json(status: u16, body: &str) -> Act {
    answer(status, &[("content-type", "application/json")], body)
}

pub(crate) struct ScriptedServer {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl ScriptedServer {
    /// Answers in this order, whatever is asked; after that it cuts every connection.
    pub(crate) async fn script(acts: impl IntoIterator<Item = Act>) -> Self {
        let acts = Mutex::new(acts.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::new(move |_| acts.lock().unwrap().pop_front().unwrap_or(Act::SendAndCut(String::new()))).await
    }

    pub(crate) async fn new(act: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (act, log) = (Arc::new(act), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (act, log) = (Arc::clone(&act), Arc::clone(&log));
                tokio::spawn(async move { serve(stream, &*act, &log).await });
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Method, path and query of every request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

async fn serve(mut stream: TcpStream, act: &(impl Fn(&Seen) -> Act + Sync), log: &Mutex<Vec<Seen>>) {
    let mut buffer = Vec::new();
    while let Some(seen) = read(&mut stream, &mut buffer).await {
        log.lock().unwrap().push(seen.clone());
        let (text, stays) = match act(&seen) {
            Act::Send(text) => (text, true),
            Act::SendAndCut(text) => (text, false),
            Act::Trickle(parts, pause) => {
                for part in parts {
                    tokio::time::sleep(pause).await;
                    stream.write_all(part.as_bytes()).await.unwrap();
                }
                (String::new(), true)
            }
            Act::Hang => std::future::pending().await,
        };
        if stream.write_all(text.as_bytes()).await.is_err() || !stays {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    loop {
        if let Some(seen) = take(buffer) {
            return Some(seen);
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            // A TLS handshake gets what a plain server says to it.
            Ok(_) if buffer.is_empty() && chunk[0] == 0x16 => {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
                return None;
            }
            Ok(count) => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}

fn take(buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let whole = end + 4 + length;
    if buffer.len() < whole {
        return None;
    }
    let body = String::from_utf8(buffer[end + 4..whole].to_vec()).unwrap();
    buffer.drain(..whole);
    Some(Seen { line, headers, body })
}

/// Writes a text in another form.
pub(crate) type Form = fn(&str) -> String;

/// Each form in which a server may write a text.
pub(crate) const FORMS: [(&str, Form); 15] = [
    ("plain", str::to_owned),
    ("upper case", |text| text.to_uppercase()),
    ("percent", |text| each(text, |byte| format!("%{byte:02x}"))),
    ("percent of some", |text| text.replace('-', "%2D").replace('e', "%65")),
    ("JSON escapes", |text| each(text, |byte| format!("\\u{byte:04x}"))),
    ("C escapes", |text| each(text, |byte| format!("\\x{byte:02X}"))),
    ("HTML escapes", |text| each(text, |byte| format!("&#{byte};"))),
    ("control characters", |text| each(text, |byte| format!("{}\u{1}", char::from(byte)))),
    ("zero-width characters", |text| each(text, |byte| format!("{}\u{200b}", char::from(byte)))),
    ("hexadecimal", |text| each(text, |byte| format!("{byte:02x}"))),
    ("base64", |text| BASE64_STANDARD.encode(text)),
    ("base64 of the header", |text| BASE64_STANDARD.encode(format!("Bearer {text}"))),
    ("base64 at another place", |text| BASE64_URL_SAFE_NO_PAD.encode(format!("xy{text}z"))),
    ("base64 twice", |text| BASE64_STANDARD.encode(BASE64_STANDARD.encode(text))),
    ("base64 in percent", |text| BASE64_STANDARD.encode(each(text, |byte| format!("%{byte:02X}")))),
];

fn each(text: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

/// What this thread logs.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins the log; it ends when the guard is dropped.
    pub(crate) fn of_this_thread() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new("oktapieces=trace"))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
