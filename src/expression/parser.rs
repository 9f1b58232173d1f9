//! Parses tokens by recursive descent, with Spring's grammar. From low to high: ternary and Elvis, `or`, `and`,
//! comparisons (one a level), `+ -`, `* / %`, `^`, `! + -`, and postfix parts.

use std::ops::Range;

use super::ast::{Kind, Node, Operator, Root};
use super::error::SyntaxError;
use super::functions::{self, Want};
use super::lexer::{Token, TokenKind, tokens};
use super::pattern::Pattern;
use super::template::{self, Form, Part};

/// The longest expression, in bytes. Okta takes 1,024 characters in claims and more in mappings.
const LONGEST: usize = 16 * 1024;
/// The deepest nesting.
const DEEPEST: usize = 100;
/// The most operators, or parts of a path, in a row.
const LONGEST_CHAIN: usize = 200;

/// Parses a whole expression, or a template of texts and expressions.
pub fn parse(source: &str, form: Form) -> Result<Node, Vec<SyntaxError>> {
    if source.len() > LONGEST {
        return Err(vec![SyntaxError::new(format!("the expression is longer than {LONGEST} bytes"), 0..source.len())]);
    }
    let parts = template::parts(source, form).map_err(|fault| vec![fault])?;
    if let [Part::Expression { inner, .. }] = parts.as_slice() {
        return part(source, inner);
    }
    if parts.len() > LONGEST_CHAIN {
        let message = format!("a template of more than {LONGEST_CHAIN} parts");
        return Err(vec![SyntaxError::new(message, 0..source.len())]);
    }
    let (mut nodes, mut faults) = (Vec::new(), Vec::new());
    if let [Part::Expression { outer, .. }, Part::Expression { .. }, ..] = parts.as_slice() {
        // `+` adds two numbers unless a text is one of its operands.
        nodes.push(Node { kind: Kind::Text(String::new()), span: outer.start..outer.start });
    }
    for found in parts {
        match found {
            Part::Text(span) => nodes.push(Node { kind: Kind::Text(source[span.clone()].to_owned()), span }),
            Part::Expression { inner, .. } => match part(source, &inner) {
                Ok(node) => nodes.push(node),
                Err(more) => faults.extend(more),
            },
        }
    }
    let joined = nodes.into_iter().reduce(|left, right| {
        let (start, end) = (left.span.clone(), right.span.clone());
        let (left, right) = (left.into(), right.into());
        joined(&start, &end, Kind::Binary { operator: Operator::Add, left, right, pattern: None })
    });
    joined.filter(|_| faults.is_empty()).ok_or(faults)
}

/// Parses one part of the source.
fn part(source: &str, span: &Range<usize>) -> Result<Node, Vec<SyntaxError>> {
    let (mut tokens, mut faults) = tokens(&source[span.clone()]);
    let spans = tokens.iter_mut().map(|token| &mut token.span);
    for found in spans.chain(faults.iter_mut().map(|fault| &mut fault.span)) {
        *found = found.start + span.start..found.end + span.start;
    }
    let mut parser = Parser { tokens, at: 0, depth: 0, in_projection: false, faults };
    let parsed = parser.whole();
    match parsed {
        Ok(node) if parser.faults.is_empty() => Ok(node),
        // A stray character explains later errors, so it is reported alone.
        Err(fault) if parser.faults.is_empty() => Err(vec![fault]),
        _ => Err(parser.faults),
    }
}

type Parsed = Result<Node, SyntaxError>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// Whether names and methods without an object are those of a projection's element.
    in_projection: bool,
    faults: Vec<SyntaxError>,
}

impl Parser {
    fn whole(&mut self) -> Parsed {
        if matches!(self.peek(), TokenKind::End) {
            return Err(SyntaxError::new("the expression is empty", self.span()));
        }
        let node = self.expression()?;
        match self.peek() {
            TokenKind::End => Ok(node),
            _ => Err(self.unexpected("the end of the expression")),
        }
    }

    /// `a ? b : c ? d : e` and `a ?: b ?: c` associate to the right. The parts are parsed in a loop, so that a long list of cases
    /// needs no deep recursion.
    fn expression(&mut self) -> Parsed {
        self.deeper()?;
        let mut parts = Vec::new();
        let mut last = self.binary(0)?;
        loop {
            if self.takes("?:") {
                parts.push((last, None));
            } else if self.takes("?") {
                let then = self.expression()?;
                self.expect(":", "the other branch of the ternary")?;
                parts.push((last, Some(then)));
            } else {
                break;
            }
            if parts.len() > LONGEST_CHAIN {
                let message = format!("a chain of more than {LONGEST_CHAIN} conditions");
                return Err(SyntaxError::new(message, self.span()));
            }
            last = self.binary(0)?;
        }
        self.depth -= 1;
        Ok(parts.into_iter().rev().fold(last, |otherwise, (value, then)| {
            let (start, end) = (value.span.clone(), otherwise.span.clone());
            let (value, otherwise) = (value.into(), otherwise.into());
            joined(
                &start,
                &end,
                match then {
                    Some(then) => Kind::Ternary { condition: value, then: then.into(), otherwise },
                    None => Kind::Elvis { value, otherwise },
                },
            )
        }))
    }

    fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SyntaxError::new(format!("nested more than {DEEPEST} levels deep"), self.span()));
        }
        Ok(())
    }

    /// Operators from this level up. Comparisons can't be chained; all others associate to the left.
    fn binary(&mut self, lowest: usize) -> Parsed {
        let mut left = self.unary()?;
        let mut compared = false;
        for _ in 0..LONGEST_CHAIN {
            let Some((level, operator)) = self.operator() else { return Ok(left) };
            if level < lowest || (level == COMPARISONS && compared) {
                return Ok(left);
            }
            compared = level == COMPARISONS;
            self.at += 1;
            let right = self.binary(level + 1)?;
            let pattern = if operator == Operator::Matches { self.pattern(&right) } else { None };
            let (start, end) = (left.span.clone(), right.span.clone());
            let kind = Kind::Binary { operator, left: left.into(), right: right.into(), pattern };
            left = joined(&start, &end, kind);
        }
        Err(SyntaxError::new(format!("a chain of more than {LONGEST_CHAIN} operators"), self.span()))
    }

    /// The current operator and its level.
    fn operator(&self) -> Option<(usize, Operator)> {
        let found = |spelling: &&str| match self.peek() {
            TokenKind::Symbol(symbol) => symbol == spelling,
            TokenKind::Word(word) => word.eq_ignore_ascii_case(spelling),
            _ => false,
        };
        let levels = LEVELS.iter().enumerate();
        let mut operators =
            levels.flat_map(|(level, operators)| operators.iter().map(move |(op, names)| (level, op, names)));
        operators.find(|(_, _, names)| names.iter().any(found)).map(|(level, operator, _)| (level, *operator))
    }

    /// Compiles a literal pattern, so that its faults are found before any evaluation.
    fn pattern(&mut self, node: &Node) -> Option<Pattern> {
        let Kind::Text(text) = &node.kind else { return None };
        match Pattern::new(text) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                self.faults.push(SyntaxError::new(why, node.span.clone()));
                None
            }
        }
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span();
        let is_not = matches!(self.peek(), TokenKind::Word(word) if word.eq_ignore_ascii_case("not"));
        let wrap: fn(Node) -> Kind = if self.takes("!") || (is_not && self.advance()) {
            |operand| Kind::Not(operand.into())
        } else if self.takes("-") {
            |operand| Kind::Negate(operand.into())
        } else if self.takes("+") {
            return self.nested(Self::unary);
        } else {
            return self.postfix();
        };
        let operand = self.nested(Self::unary)?;
        let end = operand.span.clone();
        Ok(joined(&start, &end, wrap(operand)))
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Parsed) -> Parsed {
        self.deeper()?;
        let node = parse(self);
        self.depth -= 1;
        node
    }

    /// A value with its properties, calls, indexes and projections.
    fn postfix(&mut self) -> Parsed {
        let mut node = self.primary()?;
        let mut links = 0;
        loop {
            links += 1;
            if links > LONGEST_CHAIN {
                return Err(SyntaxError::new(format!("a chain of more than {LONGEST_CHAIN} parts"), self.span()));
            }
            let start = node.span.clone();
            if self.takes(".![") {
                let outer = std::mem::replace(&mut self.in_projection, true);
                let body = self.expression()?;
                self.in_projection = outer;
                let end = self.expect("]", "the end of the projection")?;
                node = joined(&start, &end, Kind::Projection { object: node.into(), body: body.into() });
            } else if self.takes("[") {
                let index = self.expression()?;
                let end = self.expect("]", "the end of the index")?;
                node = joined(&start, &end, Kind::Index { object: node.into(), index: index.into() });
            } else if self.takes(".") {
                node = self.member(node, false)?;
            } else if self.takes("?.") {
                node = self.member(node, true)?;
            } else {
                return Ok(node);
            }
        }
    }

    /// Parses after a dot: a property, a function such as `String.len(…)`, or a method.
    fn member(&mut self, object: Node, safe: bool) -> Parsed {
        let (name, span) = self.word("a property's name")?;
        let start = object.span.clone();
        if !self.is("(") {
            return Ok(joined(&start, &span, Kind::Property { object: object.into(), name, safe }));
        }
        let owner = match &object.kind {
            Kind::Root(Root::User) => Some("user"),
            Kind::Root(Root::Name(name)) => Some(name.as_str()),
            _ => None,
        };
        let is_namespace = owner.is_some_and(|owner| owner.starts_with(char::is_uppercase));
        if let Some(function) = functions::function(&name).filter(|function| function.is_of_app()) {
            return self.of_app(object, function, start.start..span.end);
        }
        let function = owner.and_then(|owner| functions::function(&format!("{owner}.{name}")));
        let misspelt = owner.filter(|owner| !is_namespace && *owner != "user");
        if let Some(right) = misspelt.and_then(|owner| functions::in_other_case(&format!("{owner}.{name}"))) {
            return Err(unknown(
                &format!("{}.{name}()", misspelt.unwrap_or_default()),
                Some(right),
                start.start..span.end,
            ));
        }
        if function.is_some() || is_namespace {
            let full = owner.map_or(name.clone(), |owner| format!("{owner}.{name}"));
            return self.call(&full, function, start.start..span.end);
        }
        self.method(object, &name, span, safe)
    }

    /// `workday_abc1234.hasWorkdayUser()`: the bare function for one app instance.
    fn of_app(&mut self, object: Node, function: &'static functions::Function, span: Range<usize>) -> Parsed {
        const NO_APPS: [&str; 5] = ["app", "appUser", "appuser", "org", "session"];
        let owner = match &object.kind {
            Kind::Root(Root::Name(name)) if !NO_APPS.contains(&name.as_str()) => name.clone(),
            _ => {
                let message = format!("{} needs an app before the dot, found {object}", function.name);
                let example = format!("write {}() or workday_abc1234.{}()", function.name, function.name);
                return Err(SyntaxError::new(message, object.span).hint(example));
            }
        };
        let node = self.call(function.name, Some(function), span)?;
        Ok(match node.kind {
            Kind::Call { function, arguments, pattern, .. } => {
                Node { kind: Kind::Call { function, owner: Some(owner), arguments, pattern }, ..node }
            }
            _ => node,
        })
    }

    fn method(&mut self, object: Node, name: &str, span: Range<usize>, safe: bool) -> Parsed {
        let start = object.span.clone();
        let (arguments, end) = self.arguments()?;
        let Some(method) = functions::method(name) else {
            return Err(unknown(&format!(".{name}()"), functions::nearest(name, true), span));
        };
        let (fewest, most) = method.arity();
        self.check_arity(method.name, (fewest - 1, most - 1), arguments.len(), span);
        Ok(joined(&start, &end, Kind::Method { object: object.into(), method, arguments, safe }))
    }

    fn call(&mut self, name: &str, function: Option<&'static functions::Function>, span: Range<usize>) -> Parsed {
        let (arguments, end) = self.arguments()?;
        let Some(function) = function else {
            if name.eq_ignore_ascii_case("if") {
                let fault = SyntaxError::new("`if` is not a function", span);
                return Err(fault.hint(CONDITIONAL));
            }
            self.faults.push(unknown(&format!("{name}()"), functions::nearest(name, false), span.clone()));
            return Ok(joined(&span, &end, Kind::Null));
        };
        self.check_arity(function.name, function.arity(), arguments.len(), span.clone());
        // Okta's own examples have both `getManagerUser("active_directory")` and `getManagerUser(active_directory)`.
        let is_app = |at| function.want(at) == Some(Want::App);
        let arguments: Vec<Node> =
            arguments.into_iter().enumerate().map(|(at, node)| if is_app(at) { quoted(node) } else { node }).collect();
        let pattern = function.pattern.and_then(|at| arguments.get(at)).and_then(|node| self.pattern(node));
        Ok(joined(&span, &end, Kind::Call { function, owner: None, arguments, pattern }))
    }

    fn check_arity(&mut self, name: &str, (fewest, most): (usize, usize), given: usize, span: Range<usize>) {
        if (fewest..=most).contains(&given) {
            return;
        }
        let arguments = |number: usize| format!("{number} argument{}", if number == 1 { "" } else { "s" });
        let wanted = if fewest == most {
            arguments(most)
        } else if given < fewest {
            format!("at least {}", arguments(fewest))
        } else {
            format!("at most {}", arguments(most))
        };
        self.faults.push(SyntaxError::new(format!("{name} takes {wanted}, and {given} were given"), span));
    }

    fn arguments(&mut self) -> Result<(Vec<Node>, Range<usize>), SyntaxError> {
        self.expect("(", "the arguments")?;
        self.items(")")
    }

    /// Expressions separated by commas, up to the closing symbol.
    fn items(&mut self, close: &'static str) -> Result<(Vec<Node>, Range<usize>), SyntaxError> {
        let mut items = Vec::new();
        while !self.is(close) {
            items.push(self.expression()?);
            if !self.takes(",") {
                break;
            }
        }
        let end = self.expect(close, "a comma or the end of the list")?;
        Ok((items, end))
    }

    fn primary(&mut self) -> Parsed {
        let span = self.span();
        let node = |kind| Ok(Node { kind, span: span.clone() });
        match self.peek().clone() {
            TokenKind::Text(text) if self.advance() => node(Kind::Text(text)),
            TokenKind::Int(value) if self.advance() => node(Kind::Int(value)),
            TokenKind::Real(value) if self.advance() => node(Kind::Double(value)),
            TokenKind::Word(word) if self.advance() => self.name(&word, span),
            TokenKind::Symbol("(") if self.advance() => {
                let inner = self.expression()?;
                let end = self.expect(")", "the closing parenthesis")?;
                Ok(Node { span: span.start..end.end, ..inner })
            }
            TokenKind::Symbol("{") if self.advance() => self.braces(span),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// A word that begins a value: a literal, a bare function, or a name.
    fn name(&mut self, word: &str, span: Range<usize>) -> Parsed {
        let element = || Node { kind: Kind::Element, span: span.start..span.start };
        if self.is("(") {
            return match functions::method(word).filter(|_| self.in_projection) {
                Some(_) => self.method(element(), word, span, false),
                None => self.call(word, functions::function(word), span),
            };
        }
        let kind = match word {
            _ if word.eq_ignore_ascii_case("null") => Kind::Null,
            _ if word.eq_ignore_ascii_case("true") => Kind::Bool(true),
            _ if word.eq_ignore_ascii_case("false") => Kind::Bool(false),
            "user" | "source" => Kind::Root(Root::User),
            _ if is_operator(word) => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
            _ if self.in_projection && !self.is_namespace(word) => {
                Kind::Property { object: element().into(), name: word.to_owned(), safe: false }
            }
            _ => Kind::Root(Root::Name(word.to_owned())),
        };
        Ok(Node { kind, span })
    }

    /// Whether a word is the first part of a function's name, such as `String` in `String.len(…)`.
    fn is_namespace(&self, word: &str) -> bool {
        match self.tokens.get(self.at + 1).map(|token| &token.kind) {
            Some(TokenKind::Word(name)) => self.is(".") && functions::function(&format!("{word}.{name}")).is_some(),
            _ => false,
        }
    }

    /// `{1, 2}`, `{}`, `{'key': value}` or `{:}`.
    fn braces(&mut self, start: Range<usize>) -> Parsed {
        if self.takes(":") {
            let end = self.expect("}", "the end of the map")?;
            return Ok(joined(&start, &end, Kind::Map(Vec::new())));
        }
        let is_map = matches!(self.peek(), TokenKind::Text(_) | TokenKind::Word(_))
            && matches!(self.tokens.get(self.at + 1).map(|token| &token.kind), Some(TokenKind::Symbol(":")));
        if !is_map {
            let (items, end) = self.items("}")?;
            return Ok(joined(&start, &end, Kind::List(items)));
        }
        let mut entries = Vec::new();
        while let TokenKind::Text(key) | TokenKind::Word(key) = self.peek().clone() {
            self.at += 1;
            self.expect(":", "the value of this key")?;
            entries.push((key, self.expression()?));
            if !self.takes(",") {
                break;
            }
        }
        let end = self.expect("}", "the end of the map")?;
        Ok(joined(&start, &end, Kind::Map(entries)))
    }

    fn peek(&self) -> &TokenKind {
        self.tokens.get(self.at).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(0..0, |token| token.span.clone())
    }

    fn advance(&mut self) -> bool {
        self.at += 1;
        true
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), TokenKind::Symbol(other) if *other == symbol)
    }

    fn takes(&mut self, symbol: &str) -> bool {
        self.is(symbol) && self.advance()
    }

    fn expect(&mut self, symbol: &str, what: &str) -> Result<Range<usize>, SyntaxError> {
        let span = self.span();
        if self.takes(symbol) { Ok(span) } else { Err(self.unexpected(&format!("`{symbol}` ({what})"))) }
    }

    fn word(&mut self, what: &str) -> Result<(String, Range<usize>), SyntaxError> {
        let span = self.span();
        match self.peek().clone() {
            TokenKind::Word(word) if self.advance() => Ok((word, span)),
            _ => Err(self.unexpected(what)),
        }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = match self.peek() {
            TokenKind::End => "the end".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::Word(word) => format!("`{word}`"),
            TokenKind::Text(_) => "a string".to_owned(),
            TokenKind::Int(_) | TokenKind::Real(_) => "a number".to_owned(),
        };
        let fault = SyntaxError::new(format!("expected {wanted}, found {found}"), self.span());
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|token| &token.kind);
        match self.peek() {
            TokenKind::Symbol(">") if before == Some(&TokenKind::Symbol("<")) => fault.hint("inequality is !="),
            TokenKind::Symbol("[") => fault.hint("a list is written {\"a\", \"b\"}"),
            TokenKind::Word(word) if ["then", "else"].iter().any(|other| word.eq_ignore_ascii_case(other)) => {
                fault.hint(CONDITIONAL)
            }
            TokenKind::Symbol("=") => fault.hint("equality is =="),
            TokenKind::Symbol("&") => fault.hint("the logical and is && or AND"),
            TokenKind::Symbol("|") => fault.hint("the logical or is || or OR"),
            _ => fault,
        }
    }
}

/// The hint for conditionals in the form of other languages.
const CONDITIONAL: &str = "write condition ? value : other";

fn unknown(what: &str, nearest: Option<&str>, span: Range<usize>) -> SyntaxError {
    let fault = SyntaxError::new(format!("there is no function {what}"), span);
    let family: Vec<&str> = functions::family(what).into_iter().map(|(rest, _)| rest).collect();
    match nearest {
        Some(name) => fault.hint(format!("a similar one is {name}")),
        None if family.is_empty() => fault,
        None => fault.hint(format!("{} has {}", what.split('.').next().unwrap_or_default(), family.join(", "))),
    }
}

/// Converts the unquoted name of an app to a text.
fn quoted(node: Node) -> Node {
    match node.kind {
        Kind::Root(Root::Name(name)) => Node { kind: Kind::Text(name), ..node },
        _ => node,
    }
}

fn joined(start: &Range<usize>, end: &Range<usize>, kind: Kind) -> Node {
    Node { kind, span: start.start..end.end }
}

/// The operators, from low to high, with their spellings.
const LEVELS: [&[(Operator, &[&str])]; 6] = [
    &[(Operator::Or, &["||", "or"])],
    &[(Operator::And, &["&&", "and"])],
    &[
        (Operator::Equal, &["==", "eq"]),
        (Operator::NotEqual, &["!=", "ne"]),
        (Operator::LessOrEqual, &["<=", "le"]),
        (Operator::Less, &["<", "lt"]),
        (Operator::GreaterOrEqual, &[">=", "ge"]),
        (Operator::Greater, &[">", "gt"]),
        (Operator::Matches, &["matches"]),
    ],
    &[(Operator::Add, &["+"]), (Operator::Subtract, &["-"])],
    &[(Operator::Multiply, &["*"]), (Operator::Divide, &["/", "div"]), (Operator::Modulo, &["%", "mod"])],
    &[(Operator::Power, &["^"])],
];
const COMPARISONS: usize = 2;

fn is_operator(word: &str) -> bool {
    let mut spellings = LEVELS.iter().copied().flatten().flat_map(|(_, spellings)| spellings.iter());
    spellings.any(|spelling| spelling.eq_ignore_ascii_case(word))
}
