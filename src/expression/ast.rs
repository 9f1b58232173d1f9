//! The parsed form. Each node knows its place in the source, and prints as text that parses to the same form.

use std::fmt;
use std::ops::Range;

use super::functions::Function;
use super::pattern::Pattern;

/// A part of an expression.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    /// Bytes of the source.
    pub span: Range<usize>,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    Root(Root),
    /// `object.name`, or `object?.name`, which is null where the object is.
    Property {
        object: Box<Node>,
        name: String,
        safe: bool,
    },
    Index {
        object: Box<Node>,
        index: Box<Node>,
    },
    /// `object.![body]`: the value of the body for each element.
    Projection {
        object: Box<Node>,
        body: Box<Node>,
    },
    /// The current element within the body of a projection. It has no text of its own: `![name]` is its property.
    Element,
    Call {
        function: &'static Function,
        /// The app instance before the dot: `workday_abc1234.hasWorkdayUser()`.
        owner: Option<String>,
        arguments: Vec<Node>,
        pattern: Option<Pattern>,
    },
    Method {
        object: Box<Node>,
        method: &'static Function,
        arguments: Vec<Node>,
        safe: bool,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    Binary {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
        pattern: Option<Pattern>,
    },
    Ternary {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Elvis {
        value: Box<Node>,
        otherwise: Box<Node>,
    },
}

/// A name that a path begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// `user`, and `source`, which is the same in the direction from Okta to an app.
    User,
    /// Any other name.
    Name(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

impl Operator {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Matches => "matches",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
        }
    }
}

impl Node {
    /// The object and the name of a property: `x.name`, `x['name']`.
    pub fn property(&self) -> Option<(&Self, &str)> {
        match &self.kind {
            Kind::Property { object, name, .. } => Some((object, name)),
            Kind::Index { object, index } => match &index.kind {
                Kind::Text(name) => Some((object, name)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Calls `f` with this node and all below it.
    pub fn visit(&self, f: &mut dyn FnMut(&Self)) {
        f(self);
        let mut all = |nodes: &mut dyn Iterator<Item = &Self>| {
            for node in nodes {
                node.visit(f);
            }
        };
        match &self.kind {
            Kind::List(items) | Kind::Call { arguments: items, .. } => all(&mut items.iter()),
            Kind::Map(entries) => all(&mut entries.iter().map(|(_, value)| value)),
            Kind::Property { object: node, .. } | Kind::Not(node) | Kind::Negate(node) => node.visit(f),
            Kind::Method { object, arguments, .. } => all(&mut std::iter::once(&**object).chain(arguments)),
            Kind::Index { object: a, index: b }
            | Kind::Projection { object: a, body: b }
            | Kind::Binary { left: a, right: b, .. }
            | Kind::Elvis { value: a, otherwise: b } => all(&mut [&**a, &**b].into_iter()),
            Kind::Ternary { condition, then, otherwise } => {
                all(&mut [&**condition, &**then, &**otherwise].into_iter());
            }
            Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Double(_)
            | Kind::Text(_)
            | Kind::Root(_)
            | Kind::Element => {}
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = |object: &Self, safe: bool| match (&object.kind, safe) {
            (Kind::Element, _) => "",
            (_, true) => "?.",
            (_, false) => ".",
        };
        match &self.kind {
            Kind::Null => f.write_str("null"),
            Kind::Bool(value) => write!(f, "{value}"),
            Kind::Int(value) if *value > i32::MAX.into() => write!(f, "{value}L"),
            Kind::Int(value) => write!(f, "{value}"),
            Kind::Double(value) => write!(f, "{value:?}"),
            Kind::Text(text) => quoted(f, text),
            Kind::List(items) => {
                f.write_str("{")?;
                list(f, items)?;
                f.write_str("}")
            }
            Kind::Map(entries) => map(f, entries),
            Kind::Root(Root::User) => f.write_str("user"),
            Kind::Root(Root::Name(name)) => f.write_str(name),
            Kind::Element => Ok(()),
            Kind::Property { object, name, safe } => write!(f, "{object}{}{name}", dot(object, *safe)),
            Kind::Index { object, index } => write!(f, "{object}[{index}]"),
            Kind::Projection { object, body } => write!(f, "{object}.![{body}]"),
            Kind::Call { function, owner, arguments, .. } => {
                owner.iter().try_for_each(|owner| write!(f, "{owner}."))?;
                call(f, function.name, arguments)
            }
            Kind::Method { object, method, arguments, safe } => {
                write!(f, "{object}{}", dot(object, *safe))?;
                call(f, method.name, arguments)
            }
            Kind::Not(operand) => write!(f, "(!{operand})"),
            Kind::Negate(operand) => write!(f, "(-{operand})"),
            Kind::Binary { operator, left, right, .. } => write!(f, "({left} {} {right})", operator.as_str()),
            Kind::Ternary { .. } | Kind::Elvis { .. } => {
                f.write_str("(")?;
                let mut rest = self;
                // A chain is printed in one pair of parentheses, because nested ones would be too deep to parse again.
                loop {
                    rest = match &rest.kind {
                        Kind::Ternary { condition, then, otherwise } => {
                            write!(f, "{condition} ? {then} : ")?;
                            otherwise
                        }
                        Kind::Elvis { value, otherwise } => {
                            write!(f, "{value} ?: ")?;
                            otherwise
                        }
                        _ => return write!(f, "{rest})"),
                    };
                }
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "'{}'", text.replace('\'', "''"))
}

fn list(f: &mut fmt::Formatter<'_>, items: &[Node]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
    }
    Ok(())
}

fn map(f: &mut fmt::Formatter<'_>, entries: &[(String, Node)]) -> fmt::Result {
    f.write_str("{")?;
    for (at, (key, value)) in entries.iter().enumerate() {
        f.write_str(if at > 0 { ", " } else { "" })?;
        quoted(f, key)?;
        write!(f, ": {value}")?;
    }
    f.write_str(if entries.is_empty() { ":}" } else { "}" })
}

fn call(f: &mut fmt::Formatter<'_>, name: &str, arguments: &[Node]) -> fmt::Result {
    write!(f, "{name}(")?;
    list(f, arguments)?;
    f.write_str(")")
}
