//! Text to tokens.

use std::ops::Range;

use super::error::SyntaxError;

/// A token and its bytes of the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    Word(String),
    /// The text with doubled quotes made single. There is no other escape.
    Text(String),
    Int(i64),
    Real(f64),
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
    End,
}

/// The operators that are words, in any case.
const OPERATORS: [&str; 12] = ["or", "and", "not", "eq", "ne", "le", "lt", "ge", "gt", "matches", "div", "mod"];

impl Token {
    fn is_text(&self) -> bool {
        matches!(self.kind, TokenKind::Text(_))
    }

    /// Whether it is a value, or begins or ends one.
    fn is_value(&self) -> bool {
        match &self.kind {
            TokenKind::Text(_) | TokenKind::Int(_) | TokenKind::Real(_) => true,
            TokenKind::Word(word) => !OPERATORS.iter().any(|operator| word.eq_ignore_ascii_case(operator)),
            TokenKind::Symbol(_) | TokenKind::End => false,
        }
    }
}

/// Every symbol. A longer symbol precedes its own prefixes.
const SYMBOLS: [&str; 31] = [
    ".![", "==", "!=", "<=", ">=", "&&", "||", "?.", "?:", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "!", "<",
    ">", "+", "-", "*", "/", "%", "^", "=", "|", "&",
];

/// Splits the source into tokens, the last of which is [`TokenKind::End`]. A character that
/// begins no token is a fault, and is skipped.
pub fn tokens(source: &str) -> (Vec<Token>, Vec<SyntaxError>) {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new(), faults: Vec::new(), unclosed: None };
    while lexer.next() {}
    lexer.push(TokenKind::End, source.len());
    lexer.find_where_a_quote_is_missing();
    (lexer.tokens, lexer.faults)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    tokens: Vec<Token>,
    faults: Vec<SyntaxError>,
    /// The index of the fault of an unclosed string.
    unclosed: Option<usize>,
}

impl Lexer<'_> {
    /// Reads one token; false at the end.
    fn next(&mut self) -> bool {
        let rest = &self.source[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        let Some(first) = trimmed.chars().next() else { return false };
        match first {
            '\'' | '"' => self.text(first),
            '0'..='9' => self.number(),
            _ if is_word(first) => {
                let length = trimmed.find(|c: char| !is_word(c)).unwrap_or(trimmed.len());
                self.push(TokenKind::Word(trimmed[..length].to_owned()), self.at + length);
            }
            _ => match SYMBOLS.into_iter().find(|symbol| trimmed.starts_with(symbol)) {
                Some(symbol) => self.push(TokenKind::Symbol(symbol), self.at + symbol.len()),
                None => self.stray(first),
            },
        }
        true
    }

    fn push(&mut self, kind: TokenKind, end: usize) {
        self.tokens.push(Token { kind, span: self.at..end });
        self.at = end;
    }

    fn stray(&mut self, character: char) {
        let span = self.at..self.at + character.len_utf8();
        let fault = SyntaxError::new(format!("unexpected character {character:?}"), span);
        self.faults.push(match character {
            '‘' | '’' | '“' | '”' => fault.hint("typographic quotes come from a word processor; use ' or \""),
            _ => fault,
        });
        self.at += character.len_utf8();
    }

    fn text(&mut self, quote: char) {
        let mut text = String::new();
        let mut characters = self.source[self.at + 1..].char_indices().peekable();
        while let Some((offset, character)) = characters.next() {
            if character != quote {
                text.push(character);
            } else if characters.next_if(|(_, next)| *next == quote).is_some() {
                text.push(quote);
            } else {
                return self.push(TokenKind::Text(text), self.at + 1 + offset + 1);
            }
        }
        let span = self.at..self.source.len();
        self.unclosed = Some(self.faults.len());
        self.faults.push(SyntaxError::new(format!("the string that begins here has no closing {quote}"), span));
        self.push(TokenKind::Text(text), self.source.len());
    }

    /// A missing quote turns every later string inside out. The first string with another value next to it, without any
    /// operator between, is the one that misses its quote.
    fn find_where_a_quote_is_missing(&mut self) {
        let odd = self.tokens.windows(2).find_map(|pair| match pair {
            [text, value] if text.is_text() && value.is_value() => Some(text.span.clone()),
            [value, text] if value.is_value() && text.is_text() => Some(text.span.clone()),
            _ => None,
        });
        let unclosed = self.unclosed.and_then(|at| self.faults.get_mut(at));
        if let (Some(odd), Some(fault)) = (odd, unclosed) {
            let quote = &self.source[odd.start..=odd.start];
            *fault = SyntaxError::new(
                format!("the string that begins here has no closing {quote}"),
                odd.start..odd.start + 1,
            )
            .hint(format!("a {quote} within a string is doubled: {quote}{quote}"));
        }
    }

    fn number(&mut self) {
        let rest = &self.source[self.at..];
        let hex = rest.len() > 2 && rest.as_bytes()[..2].eq_ignore_ascii_case(b"0x");
        let digits = |text: &str, test: fn(&u8) -> bool| text.bytes().take_while(test).count();
        let mut length =
            if hex { 2 + digits(&rest[2..], u8::is_ascii_hexdigit) } else { digits(rest, u8::is_ascii_digit) };
        let mut real = false;
        if !hex {
            let fraction = rest[length..].strip_prefix('.').map_or(0, |rest| digits(rest, u8::is_ascii_digit));
            if fraction > 0 {
                (real, length) = (true, length + 1 + fraction);
            }
            let exponent = exponent(&rest[length..]);
            (real, length) = (real || exponent > 0, length + exponent);
        }
        let (text, end) = (&rest[..length], self.at + length);
        let suffix = rest[length..].chars().next();
        match suffix {
            Some('l' | 'L') if !real => self.integer(text, hex, i64::MAX, end + 1),
            Some('f' | 'F' | 'd' | 'D') if !hex => {
                self.push(TokenKind::Real(text.parse().unwrap_or(f64::NAN)), end + 1);
            }
            _ if real => self.push(TokenKind::Real(text.parse().unwrap_or(f64::NAN)), end),
            _ => self.integer(text, hex, i32::MAX.into(), end),
        }
    }

    fn integer(&mut self, text: &str, hex: bool, most: i64, end: usize) {
        let parsed = if hex { i64::from_str_radix(&text[2..], 16) } else { text.parse() };
        let value = parsed.ok().filter(|value| *value <= most).unwrap_or_else(|| {
            let fault = SyntaxError::new(format!("{text} is too large for an integer"), self.at..end);
            self.faults.push(fault.hint(format!("integers go up to {most}")));
            0
        });
        self.push(TokenKind::Int(value), end);
    }
}

/// The length of `e-12` and the like, or 0.
fn exponent(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return 0 };
    let sign = usize::from(rest.starts_with(['+', '-']));
    let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 { 0 } else { 1 + sign + digits }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}
