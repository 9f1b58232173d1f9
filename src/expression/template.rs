//! Templates, the form of Okta's user name formats: `${source.firstName}.${source.lastName}` joins values and texts.

use std::ops::Range;

use super::error::SyntaxError;

/// Where a source comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// From the config file or the command line, where most sources are expressions without `${…}`.
    Typed,
    /// From Okta's user name format, where everything outside of `${…}` is text.
    UserNameFormat,
}

/// A part of a source, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(Range<usize>),
    /// `outer` has the `${` and the `}`, `inner` the expression alone.
    Expression {
        outer: Range<usize>,
        inner: Range<usize>,
    },
}

/// Splits a source. One without `${…}` is a single expression.
pub fn parts(source: &str, form: Form) -> Result<Vec<Part>, SyntaxError> {
    let whole = 0..source.len();
    let is_template = match form {
        Form::Typed => outside_of_strings(source).any(|at| source[at..].starts_with("${")),
        Form::UserNameFormat => source.contains("${"),
    };
    if !is_template {
        return Ok(vec![Part::Expression { outer: whole.clone(), inner: whole }]);
    }
    let end = source.trim_end().len();
    let mut at = source.len() - source.trim_start().len();
    let mut parts = Vec::new();
    while at < end {
        let start = source[at..end].find("${").map_or(end, |offset| at + offset);
        if start > at {
            parts.push(Part::Text(at..start));
        }
        if start == end {
            break;
        }
        let close = closing_brace(source, start + 2);
        let close = close.ok_or_else(|| SyntaxError::new("`${` has no closing `}`", start..start + 2))?;
        let inner = without_prefix(source, start + 2)..close;
        parts.push(Part::Expression { outer: start..close + 1, inner });
        at = close + 1;
    }
    match parts.iter().find_map(|part| mistaken_text(source, part)).filter(|_| form == Form::Typed) {
        Some(fault) => Err(fault),
        None => Ok(parts),
    }
}

/// The start of the expression: `${f:…}` and `${fn:…}` call a function.
fn without_prefix(source: &str, start: usize) -> usize {
    let rest = source[start..].trim_start();
    let bare = rest.strip_prefix("fn:").or_else(|| rest.strip_prefix("f:")).unwrap_or(rest);
    source.len() - bare.len()
}

/// The places of all characters that aren't in a string. A doubled quote ends a string and begins the next.
fn outside_of_strings(source: &str) -> impl Iterator<Item = usize> {
    let mut open = None;
    source.char_indices().filter_map(move |(at, character)| {
        match (open, character) {
            (None, '\'' | '"') => open = Some(character),
            (Some(quote), _) if quote == character => open = None,
            (None, _) => return Some(at),
            _ => {}
        }
        None
    })
}

/// The place of the brace that closes an expression, which may have lists and maps in it.
fn closing_brace(source: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in outside_of_strings(&source[start..]).map(|offset| start + offset) {
        match source.as_bytes()[at] {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Reports a text that looks like part of an expression: `${user.a} == "x" ? …` needs no braces.
fn mistaken_text(source: &str, part: &Part) -> Option<SyntaxError> {
    const OPERATORS: [&str; 14] = ["+", "-", "*", "/", "?", ":", "?:", "==", "!=", "<", ">", "<=", ">=", "="];
    let Part::Text(span) = part else { return None };
    let text = &source[span.clone()];
    let is_operator = |word: &str| OPERATORS.contains(&word);
    (text.contains(['\'', '"']) || text.split_whitespace().any(is_operator)).then(|| {
        SyntaxError::new("this is outside of ${…}, where everything is text", span.clone())
            .hint("write an expression without ${…}: user.firstName + ' ' + user.lastName")
    })
}
