//! The next page of a listing, from `Link` headers (RFC 8288).
//!
//! Okta sends `self` and `next` as separate headers, may send both in one, and loses parameters of the request in both
//! (Okta API: Pagination). So only the cursor of `next` is used, with the original parameters.
//!
//! The parser is our own, because a comma or a quote inside `<…>` is part of the URL, and because an unreadable header must
//! not look like the end of the listing.

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};

/// The value of `after` in the `next` link, still percent-encoded; none on the last page.
///
/// The cursor is opaque (`docs/okta.md#the-cursor-is-opaque`). A header that can't be read, a `next` without a cursor and
/// one on another host are errors: otherwise the following pages would be lost without a message.
pub fn next_cursor(headers: &HeaderMap, base: &Url) -> Result<Option<String>, String> {
    let mut cursor = None;
    for value in headers.get_all(LINK) {
        let value = value.to_str().map_err(|_| "a Link header isn't plain text".to_owned())?;
        for link in parse(value)? {
            if !link.is_next {
                continue;
            }
            let found = cursor_of(&link.target, base)?;
            if cursor.as_ref().is_some_and(|known| *known != found) {
                return Err("there are two different next links".to_owned());
            }
            cursor = Some(found);
        }
    }
    Ok(cursor)
}

struct Link {
    target: String,
    is_next: bool,
}

fn parse(value: &str) -> Result<Vec<Link>, String> {
    split(value, ',').into_iter().filter(|link| !link.is_empty()).map(parse_one).collect()
}

fn parse_one(link: &str) -> Result<Link, String> {
    let unreadable = || format!("the Link header {link:?} can't be read");
    let (target, rest) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or_else(unreadable)?;
    let rel = split(rest, ';').into_iter().find_map(|param| {
        let (name, value) = param.split_once('=')?;
        name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
    });
    let is_next = rel.unwrap_or_default().split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"));
    Ok(Link { target: target.to_owned(), is_next })
}

/// The trimmed parts between separators that stand outside `<…>` and `"…"`.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut angled) = (false, false);
    let parts = text.split(|character| {
        match character {
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            '"' if !angled => quoted = !quoted,
            _ => {}
        }
        character == separator && !quoted && !angled
    });
    parts.map(str::trim).collect()
}

fn cursor_of(target: &str, base: &Url) -> Result<String, String> {
    let url = base.join(target).map_err(|error| format!("the next link isn't a URL: {error}"))?;
    // The scheme and the port may differ behind a proxy; the link itself is never followed.
    if url.host_str() != base.host_str() {
        let host = url.host_str().unwrap_or("nowhere");
        return Err(format!("the next link leads to another host, {host}"));
    }
    let query =
        target.split_once('#').map_or(target, |(before, _)| before).split_once('?').map_or("", |(_, query)| query);
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    match after {
        Some(after) if !after.is_empty() => Ok(after.to_owned()),
        _ => Err("the next link has no cursor".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(values: &[&str]) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("LiNk", value.parse().unwrap());
        }
        next_cursor(&headers, &Url::parse("https://example.okta.com").unwrap())
    }

    #[test]
    fn finds_next_in_every_shape() {
        let own = r#"<https://example.okta.com/api/v1/users?limit=2>; rel="self""#;
        let next = r#"<https://example.okta.com/api/v1/users?after=00u%2B1+x&limit=2>; rel="next""#;
        let joined = format!("{own}, {next}");
        let swapped = format!("{next},{own}");
        let cases: [(&[&str], Option<&str>); 10] = [
            (&[own, next], Some("00u%2B1+x")),
            (&[next, own], Some("00u%2B1+x")),
            (&[&joined], Some("00u%2B1+x")),
            (&[&swapped], Some("00u%2B1+x")),
            (&[next, next], Some("00u%2B1+x")),
            (&[own], None),
            (&[], None),
            (
                &[r#"<https://EXAMPLE.okta.com/x?limit=2&fields=a,"b"&after=c>; title="a, b; rel=self"; REL=Next"#],
                Some("c"),
            ),
            (&["</api/v1/users?after=c>; rel=\"last next\""], Some("c")),
            (&[r#"<https://evil.example.com/x?after=c>; rel="alternate""#], None),
        ];
        for (values, expected) in cases {
            assert_eq!(cursor(values).unwrap().as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_never_the_end() {
        let cases: [&[&str]; 6] = [
            &[r#"<https://evil.example.com/api/v1/users?after=c>; rel="next""#],
            &[r#"<https://example.okta.com/api/v1/users?limit=2>; rel="next""#],
            &[r#"<https://example.okta.com/api/v1/users?after=>; rel="next""#],
            &[r#"https://example.okta.com/api/v1/users?after=c; rel="next""#],
            &[r#"<https://example.okta.com/api/v1/users?after=c; rel="next""#],
            &[
                r#"<https://example.okta.com/x?after=c>; rel="next""#,
                r#"<https://example.okta.com/x?after=d>; rel="next""#,
            ],
        ];
        for values in cases {
            assert!(cursor(values).is_err(), "{values:?}");
        }
    }
}
