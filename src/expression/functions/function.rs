//! A row of the table of functions: all that the parser, the checker, the needs and the docs know about a function.

use super::call::{Call, Outcome};
use super::types::{Type, Want};

/// The code of a function.
pub type Body = for<'c, 'a> fn(&mut Call<'c, 'a>) -> Outcome<'a>;

/// A function such as `String.len`, or a method of the Identity Engine. The first argument of a method is its object.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    required: &'static [Want],
    optional: &'static [Want],
    /// The type of any number of further arguments.
    further: Option<Want>,
    pub gives: Gives,
    pub may_be_null: bool,
    pub reads: Reads,
    /// Which argument is a pattern. A literal there is compiled with the expression.
    pub pattern: Option<usize>,
    /// Whether Okta allows it in the condition of a group rule (Okta Expression Language: group rules).
    pub in_group_rules: bool,
    pub meaning: Meaning,
    pub run: Body,
}

/// The type of a function's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    One(Type),
    /// An array of strings.
    Texts,
    /// An element of the first argument.
    Item,
}

impl Gives {
    /// The type; that of an element is unknown.
    pub fn kind(self) -> Type {
        match self {
            Self::One(kind) => kind,
            Self::Texts => Type::List,
            Self::Item => Type::Any,
        }
    }
}

/// What a function reads apart from its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    Nothing,
    /// The user's id and status.
    User,
    Clock,
    /// The groups that the user is a member of.
    Groups,
    /// The groups that its arguments name, of those that the user is a member of.
    NamedGroups,
    /// The users linked by the linked object that the first argument names.
    LinkedObject,
    Manager,
    Assistant,
    /// The manager's profile in the app that the second argument names.
    ManagerApp,
    /// The assistant's profile in the app that the second argument names.
    AssistantApp,
    /// The user's assignments in the apps of this name, or in the one before the dot: `workday_abc1234.hasWorkdayUser()`.
    Assignments(&'static str),
}

/// What the checker knows about a function beyond its types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Plain,
    /// The value of the first key that the first argument contains.
    Switch,
    /// Whether the first argument contains the second.
    Contains,
    LowerCase,
    UpperCase,
}

/// The most arguments of a function that takes any number of them.
const MANY: usize = 1000;

impl Function {
    /// The fewest and the most arguments, the object of a method included.
    pub fn arity(&self) -> (usize, usize) {
        let fewest = self.required.len();
        (fewest, if self.further.is_some() { MANY } else { fewest + self.optional.len() })
    }

    /// The type of the argument at this place.
    pub fn want(&self, at: usize) -> Option<Want> {
        self.required.iter().chain(self.optional).nth(at).copied().or(self.further)
    }

    /// Whether an app instance may precede the dot, as in the published `workday_abc1234.hasWorkdayUser()`.
    pub fn is_of_app(&self) -> bool {
        matches!(self.reads, Reads::Assignments(_))
    }

    const fn new(name: &'static str, required: &'static [Want], gives: Gives, run: Body) -> Self {
        Self {
            name,
            required,
            optional: &[],
            further: None,
            gives,
            may_be_null: false,
            reads: Reads::Nothing,
            pattern: None,
            in_group_rules: false,
            meaning: Meaning::Plain,
            run,
        }
    }

    pub const fn optional(self, optional: &'static [Want]) -> Self {
        Self { optional, ..self }
    }

    pub const fn further(self, want: Want) -> Self {
        Self { further: Some(want), ..self }
    }

    pub const fn or_null(self) -> Self {
        Self { may_be_null: true, ..self }
    }

    pub const fn reads(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }

    pub const fn pattern(self, at: usize) -> Self {
        Self { pattern: Some(at), ..self }
    }

    pub const fn means(self, meaning: Meaning) -> Self {
        Self { meaning, ..self }
    }
}

/// A function that is allowed in mappings and group rules.
pub const fn everywhere(name: &'static str, required: &'static [Want], gives: Gives, run: Body) -> Function {
    Function { in_group_rules: true, ..Function::new(name, required, gives, run) }
}

/// A function that is allowed in mappings only.
pub const fn in_mappings(name: &'static str, required: &'static [Want], gives: Gives, run: Body) -> Function {
    Function::new(name, required, gives, run)
}

/// A method.
pub const fn method(name: &'static str, required: &'static [Want], gives: Gives, run: Body) -> Function {
    Function::new(name, required, gives, run)
}
