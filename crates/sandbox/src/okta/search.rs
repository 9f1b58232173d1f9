//! Okta's search and filter expressions over a JSON entity (Okta API: filter, search).

use std::cmp::Ordering;

use serde_json::Value;

/// A parsed expression.
#[derive(Debug)]
pub struct Expression {
    criterion: Criterion,
    /// Whether the case of values counts: in a filter it does, in a search it doesn't.
    exact: bool,
}

/// What an expression may say.
#[derive(Clone, Copy, Debug)]
pub enum Dialect {
    /// A search over groups, which knows `co` for name and description only.
    Search,
    /// A search over users, which knows `co` for names and addresses only, with three characters at least.
    UserSearch,
    /// A filter over these attributes, which knows `eq`, and inequalities for times.
    Filter(&'static [&'static str]),
}

#[derive(Debug)]
enum Criterion {
    All(Vec<Criterion>),
    Any(Vec<Criterion>),
    Present(String),
    Compare { attribute: String, operator: Operator, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    StartsWith,
    Contains,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Parses an expression; the error is the cause that Okta names.
pub fn parse(text: &str, dialect: Dialect) -> Result<Expression, String> {
    let mut tokens = tokens(text)?;
    tokens.reverse();
    let criterion = any(&mut tokens, 0)?;
    if let Some(token) = tokens.pop() {
        return Err(format!("Unexpected {token:?}"));
    }
    criterion.check(dialect)?;
    Ok(Expression { criterion, exact: matches!(dialect, Dialect::Filter(_)) })
}

impl Expression {
    /// Whether it is nothing but `ATTRIBUTE pr`.
    pub fn is_present(&self, attribute: &str) -> bool {
        matches!(&self.criterion, Criterion::Present(asked) if asked == attribute)
    }

    /// The ids that it names, if it is a filter of nothing but these.
    pub fn ids(&self) -> Option<Vec<&str>> {
        let parts = match &self.criterion {
            Criterion::Any(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        if self.exact { parts.iter().map(Criterion::id).collect() } else { None }
    }

    /// Whether an entity meets the criteria. Names of attributes are case-sensitive.
    pub fn meets(&self, entity: &Value) -> bool {
        self.is_met_by(&|attribute| values(entity, attribute))
    }

    /// The same of an entity whose attributes' values are looked up; an array has several.
    pub fn is_met_by(&self, look: &dyn Fn(&str) -> Vec<String>) -> bool {
        self.criterion.meets(look, self.exact)
    }

    /// The least value of an attribute that all entities have that meet it, where it says one with `ge`.
    pub fn least(&self, attribute: &str) -> Option<&str> {
        self.criterion.least(attribute)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut value = String::new();
                loop {
                    match characters.next() {
                        None => return Err("Unterminated string".to_owned()),
                        Some('"') => break,
                        Some('\\') => value.extend(characters.next()),
                        Some(other) => value.push(other),
                    }
                }
                tokens.push(Token::Text(value));
            }
            first => {
                let mut word = first.to_string();
                while let Some(next) = characters.next_if(|next| !" ()\"".contains(*next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn any(tokens: &mut Vec<Token>, depth: usize) -> Result<Criterion, String> {
    joined(tokens, "or", depth, |tokens, depth| joined(tokens, "and", depth, one, Criterion::All), Criterion::Any)
}

fn joined(
    tokens: &mut Vec<Token>,
    word: &str,
    depth: usize,
    part: impl Fn(&mut Vec<Token>, usize) -> Result<Criterion, String>,
    join: fn(Vec<Criterion>) -> Criterion,
) -> Result<Criterion, String> {
    let mut parts = vec![part(tokens, depth)?];
    while matches!(tokens.last(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word)) {
        tokens.pop();
        parts.push(part(tokens, depth)?);
    }
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        Some(last) => {
            parts.push(last);
            Ok(join(parts))
        }
        None => Err("Empty criterion".to_owned()),
    }
}

fn one(tokens: &mut Vec<Token>, depth: usize) -> Result<Criterion, String> {
    if depth > 20 {
        return Err("Nested too deep".to_owned());
    }
    let attribute = match tokens.pop() {
        Some(Token::Open) => {
            let inner = any(tokens, depth + 1)?;
            return match tokens.pop() {
                Some(Token::Close) => Ok(inner),
                _ => Err("Missing )".to_owned()),
            };
        }
        Some(Token::Word(word)) => word,
        other => return Err(format!("Unexpected {other:?}")),
    };
    let Some(Token::Word(operator)) = tokens.pop() else { return Err("Missing operator".to_owned()) };
    let operator = match operator.to_lowercase().as_str() {
        "pr" => return Ok(Criterion::Present(attribute)),
        "eq" => Operator::Equal,
        "sw" => Operator::StartsWith,
        "co" => Operator::Contains,
        "gt" => Operator::Greater,
        "ge" => Operator::GreaterOrEqual,
        "lt" => Operator::Less,
        "le" => Operator::LessOrEqual,
        other => return Err(format!("Unrecognized attribute operator '{other}'")),
    };
    match tokens.pop() {
        Some(Token::Text(value) | Token::Word(value)) => Ok(Criterion::Compare { attribute, operator, value }),
        other => Err(format!("Unexpected {other:?}")),
    }
}

impl Criterion {
    /// The id that it asks for, if it asks for nothing else.
    fn id(&self) -> Option<&str> {
        match self {
            Self::Compare { attribute, operator: Operator::Equal, value } if attribute == "id" => Some(value),
            _ => None,
        }
    }

    fn least(&self, wanted: &str) -> Option<&str> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.least(wanted)),
            Self::Compare { attribute, operator: Operator::GreaterOrEqual, value } if attribute == wanted => {
                Some(value)
            }
            _ => None,
        }
    }

    fn meets(&self, look: &dyn Fn(&str) -> Vec<String>, exact: bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.meets(look, exact)),
            Self::Any(parts) => parts.iter().any(|part| part.meets(look, exact)),
            Self::Present(attribute) => look(attribute).iter().any(|value| !value.is_empty()),
            Self::Compare { attribute, operator, value } => {
                let cased = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
                let wanted = cased(value);
                look(attribute).iter().any(|value| compare(&cased(value), *operator, &wanted))
            }
        }
    }

    /// Refuses what the dialect doesn't have.
    fn check(&self, dialect: Dialect) -> Result<(), String> {
        let (attribute, operator, value) = match self {
            Self::All(parts) | Self::Any(parts) => return parts.iter().try_for_each(|part| part.check(dialect)),
            Self::Present(attribute) => (attribute, None, ""),
            Self::Compare { attribute, operator, value } => (attribute, Some(*operator), value.as_str()),
        };
        let allowed = match dialect {
            Dialect::Search => operator != Some(Operator::Contains) || GROUPS_CONTAINING.contains(&attribute.as_str()),
            Dialect::UserSearch => {
                operator != Some(Operator::Contains)
                    || (CONTAINING.contains(&attribute.as_str()) && value.chars().count() >= 3)
            }
            Dialect::Filter(attributes) => {
                let fits = match operator {
                    None | Some(Operator::StartsWith | Operator::Contains) => false,
                    Some(Operator::Equal) => true,
                    Some(_) => attribute.ends_with("Updated"),
                };
                fits && attributes.contains(&attribute.as_str())
            }
        };
        if allowed { Ok(()) } else { Err(format!("Unsupported expression on '{attribute}'")) }
    }
}

/// The attributes that a search over users knows `co` for.
const CONTAINING: [&str; 4] = ["profile.firstName", "profile.lastName", "profile.email", "profile.login"];

/// The attributes that a search over groups knows `co` for.
const GROUPS_CONTAINING: [&str; 2] = ["profile.name", "profile.description"];

/// The values of an attribute, of an array each of its elements.
fn values(entity: &Value, attribute: &str) -> Vec<String> {
    texts(attribute.split('.').try_fold(entity, |value, name| value.get(name)))
}

/// The texts of a value, of an array each of its elements.
pub fn texts(found: Option<&Value>) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    match found {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn compare(value: &str, operator: Operator, wanted: &str) -> bool {
    let order = match (value.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => value.cmp(wanted),
    };
    match operator {
        Operator::Equal => value == wanted,
        Operator::StartsWith => value.starts_with(wanted),
        Operator::Contains => value.contains(wanted),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
    }
}
