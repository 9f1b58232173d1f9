//! A plan to walk through: what is shown of it, what is left out, and what each key does. It knows no terminal.

mod detail;
pub mod draw;
mod list;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use textwrap::Options;

use self::list::Filter;
use super::document::Document;
use super::layout::Layout;
use super::plan_text::risks;
use super::text::{count, counted, safe};
use crate::plan::Plan;
use crate::plan::guard::Refusal;
use crate::plan::item::{Item, Rest};
use crate::plan::only::Only;

/// The least columns and rows to draw in.
pub const LEAST: (u16, u16) = (60, 15);

/// The file name that is proposed.
const FILE: &str = "plan.json";

/// A key, as far as it means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    Char(char),
    /// Ctrl-C.
    Interrupt,
}

/// What the terminal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    Key(Key),
    /// The new number of columns and rows.
    Resize(u16, u16),
}

/// What a key asks of the program around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    Quit,
    Interrupt,
    /// Save what is left in this file, and quit.
    Save(String),
}

/// What is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    List,
    /// One change as a whole, from this line on.
    Open(usize),
    /// The text of the search is typed.
    Search,
    /// A kind is chosen: the filters with how many changes each takes, and the place among them.
    Kinds(Vec<(Filter, usize)>, usize),
    /// The name of the file is typed.
    Save(String),
    /// Asks whether to quit without saving.
    Quit,
    Help,
}

/// A plan that is walked through.
pub struct Walk<'a> {
    document: Document<'a>,
    /// What the guards refuse of a part.
    guard: &'a dyn Fn(&Plan) -> Vec<Refusal>,
    /// The file that the command line names.
    path: Option<&'a str>,
    /// All items, in the order in which they are shown.
    items: Vec<Item>,
    /// Those that the filter and the search take.
    shown: Vec<Item>,
    /// The place among those.
    at: usize,
    filter: Filter,
    search: String,
    left_out: BTreeSet<Item>,
    rest: Rest<'a>,
    refusals: Vec<Refusal>,
    /// What the rest takes away and gives, and why it is refused; a paragraph each.
    headline: Vec<String>,
    /// The lines of the open change.
    lines: Vec<String>,
    mode: Mode,
    message: Option<String>,
    /// Columns and rows.
    size: (u16, u16),
}

impl<'a> Walk<'a> {
    /// Nothing is left out yet. `guard` says why a part is refused, and `path` is the file that the command line names.
    pub fn new(document: Document<'a>, guard: &'a dyn Fn(&Plan) -> Vec<Refusal>, path: Option<&'a str>) -> Self {
        let items = list::in_order(document.plan);
        let rest = Rest::without(document.plan, &BTreeSet::new());
        let mut walk = Self {
            document,
            guard,
            path,
            shown: items.clone(),
            items,
            at: 0,
            filter: Filter::All,
            search: String::new(),
            left_out: BTreeSet::new(),
            refusals: guard(rest.plan()),
            rest,
            headline: Vec::new(),
            lines: Vec::new(),
            mode: Mode::List,
            message: None,
            size: LEAST,
        };
        walk.lay_out();
        walk
    }

    /// The plan without what is left out.
    pub fn rest(&self) -> &Plan {
        self.rest.plan()
    }

    /// Says something in the status line, until the next key.
    pub fn say(&mut self, message: String) {
        self.message = Some(message);
    }

    /// Obeys an input.
    pub fn take(&mut self, input: Input) -> Option<Wish> {
        match input {
            Input::Key(key) => return self.press(key),
            Input::Resize(width, height) => {
                self.size = (width, height);
                self.lay_out();
            }
        }
        None
    }

    fn press(&mut self, key: Key) -> Option<Wish> {
        if key == Key::Interrupt {
            return Some(Wish::Interrupt);
        }
        self.message = None;
        match self.mode.clone() {
            Mode::List => return self.in_list(key),
            Mode::Open(top) => self.in_open(key, top),
            Mode::Search => self.in_search(key),
            Mode::Kinds(filters, at) => self.in_kinds(key, filters, at),
            Mode::Save(name) => return self.in_save(key, name),
            Mode::Quit if key == Key::Char('y') => return Some(Wish::Quit),
            Mode::Quit | Mode::Help => self.mode = Mode::List,
        }
        None
    }

    fn in_list(&mut self, key: Key) -> Option<Wish> {
        match key {
            Key::Enter => self.open(),
            Key::Char(' ') => self.toggle(),
            Key::Char('a') => self.toggle_shown(),
            Key::Char('/') => self.mode = Mode::Search,
            Key::Char('f') => self.mode = Mode::Kinds(self.filters(), 0),
            Key::Char('s') if self.rest.plan().is_empty() => self.say("nothing is left to save".to_owned()),
            Key::Char('s') => self.mode = Mode::Save(self.path.unwrap_or(FILE).to_owned()),
            Key::Char('q') if self.left_out.is_empty() => return Some(Wish::Quit),
            Key::Char('q') => self.mode = Mode::Quit,
            Key::Char('?') => self.mode = Mode::Help,
            Key::Escape => {
                self.search.clear();
                self.narrow(Filter::All);
            }
            _ => self.at = moved(key, self.at, self.shown.len(), self.page()),
        }
        None
    }

    fn in_open(&mut self, key: Key, top: usize) {
        let last = (self.lines.len() + 1).saturating_sub(self.page());
        match key {
            Key::Escape | Key::Backspace | Key::Enter | Key::Char('q') => self.mode = Mode::List,
            Key::Char(' ') => self.toggle(),
            _ => self.mode = Mode::Open(moved(key, top, last, self.page())),
        }
    }

    fn in_search(&mut self, key: Key) {
        match key {
            Key::Enter => self.mode = Mode::List,
            Key::Escape => {
                self.search.clear();
                self.mode = Mode::List;
            }
            Key::Up | Key::Down | Key::PageUp | Key::PageDown => {
                self.at = moved(key, self.at, self.shown.len(), self.page());
                return;
            }
            _ => type_into(&mut self.search, key),
        }
        self.narrow(self.filter);
    }

    fn in_kinds(&mut self, key: Key, filters: Vec<(Filter, usize)>, at: usize) {
        match key {
            Key::Enter | Key::Char(' ') => {
                self.mode = Mode::List;
                self.narrow(filters[at].0);
            }
            Key::Escape | Key::Char('q') => self.mode = Mode::List,
            _ => {
                let at = moved(key, at, filters.len(), self.page());
                self.mode = Mode::Kinds(filters, at);
            }
        }
    }

    fn in_save(&mut self, key: Key, mut name: String) -> Option<Wish> {
        match key {
            Key::Escape => self.mode = Mode::List,
            Key::Enter if name.trim().is_empty() => self.say("type the name of a file".to_owned()),
            Key::Enter => {
                self.mode = Mode::List;
                return Some(Wish::Save(name.trim().to_owned()));
            }
            _ => {
                type_into(&mut name, key);
                self.mode = Mode::Save(name);
            }
        }
        None
    }

    /// The change under the cursor.
    fn current(&self) -> Option<Item> {
        self.shown.get(self.at).copied()
    }

    fn open(&mut self) {
        if self.current().is_some() {
            self.mode = Mode::Open(0);
            self.lay_out();
        }
    }

    /// Leaves the change under the cursor out, or takes it in again.
    fn toggle(&mut self) {
        let Some(item) = self.current() else { return };
        if self.left_out.remove(&item) {
            self.leave_out(&BTreeSet::from([item]));
        } else if self.rest.place(item).is_none() {
            self.say(format!("left out with another change: {}", self.rest.missing(item)));
        } else {
            self.left_out.insert(item);
            self.leave_out(&BTreeSet::from([item]));
        }
    }

    /// Leaves all out that are shown, or takes them in again if they are all left out.
    fn toggle_shown(&mut self) {
        let shown: BTreeSet<Item> = self.shown.iter().copied().collect();
        if shown.is_subset(&self.left_out) {
            self.left_out = &self.left_out - &shown;
        } else {
            self.left_out.extend(&shown);
        }
        self.leave_out(&shown);
    }

    /// Makes the rest again after these were left out or taken in, and says what else comes or goes with them.
    fn leave_out(&mut self, asked: &BTreeSet<Item>) {
        let plan = self.document.plan;
        let rest = Rest::without(plan, &self.left_out);
        self.message = self.what_follows(asked, &rest);
        self.refusals = (self.guard)(rest.plan());
        self.rest = rest;
        self.lay_out();
    }

    fn what_follows(&self, asked: &BTreeSet<Item>, rest: &Rest<'_>) -> Option<String> {
        let plan = self.document.plan;
        let why = |item: &Item| rest.missing(*item);
        let is_wanted = |item: &&Item| !self.left_out.contains(item);
        if let Some(item) = asked.iter().filter(is_wanted).find(|item| rest.place(**item).is_none()) {
            return Some(format!("this stays left out: {}", why(item)));
        }
        let others = || self.items.iter().filter(is_wanted).filter(|item| !asked.contains(item));
        let is_in = |rest: &Rest<'_>, item: &Item| rest.place(*item).is_some();
        let gone: Vec<&Item> = others().filter(|item| is_in(&self.rest, item) && !is_in(rest, item)).collect();
        let back = others().filter(|item| !is_in(&self.rest, item) && is_in(rest, item)).count();
        let changes = |number| counted(number, "more change", "more changes");
        match (gone.first(), rest.plan().warnings.get(plan.warnings.len())) {
            (Some(first), _) => Some(format!("leaves {} out: {}", changes(gone.len()), why(first))),
            (None, Some(warning)) => Some(warning.clone()),
            (None, None) => (back > 0).then(|| format!("takes {} in", changes(back))),
        }
    }

    /// Shows what this filter and the search take, with the cursor where it was.
    fn narrow(&mut self, filter: Filter) {
        let current = self.current();
        self.filter = filter;
        let wanted = self.search.to_lowercase();
        let plan = self.document.plan;
        let is_shown = |item: &Item| self.takes(filter, *item) && list::is_named(plan, *item, &wanted);
        self.shown = self.items.iter().copied().filter(is_shown).collect();
        self.at = self.shown.iter().position(|item| Some(*item) == current).unwrap_or_default();
    }

    fn takes(&self, filter: Filter, item: Item) -> bool {
        match filter {
            Filter::All => true,
            Filter::Kind(_, kind) => Only::Kind(kind).takes(self.document.plan, item),
            Filter::LeftOut => self.rest.place(item).is_none(),
        }
    }

    /// The filters that take something, with how many changes they take.
    fn filters(&self) -> Vec<(Filter, usize)> {
        let number = |filter| self.items.iter().filter(|item| self.takes(filter, **item)).count();
        Filter::all().map(|filter| (filter, number(filter))).filter(|(_, number)| *number > 0).collect()
    }

    /// The number of rows that a page moves by.
    fn page(&self) -> usize {
        let around = if matches!(self.mode, Mode::Open(_)) { 2 } else { 8 };
        usize::from(self.size.1).saturating_sub(around).max(1)
    }

    /// Wraps what is long for the width.
    fn lay_out(&mut self) {
        let width = usize::from(self.size.0);
        // Two columns for the dots of a paragraph that is cut.
        let layout = Layout { width: Some(width.saturating_sub(2)), all: true };
        let refused =
            self.refusals.iter().map(|refusal| layout.paragraph("  refused     ", &safe(&refusal.to_string())));
        let document = Document { plan: self.rest.plan(), ..self.document };
        self.headline = risks(&document, layout).into_iter().chain(refused).collect();
        if let (Mode::Open(_), Some(item)) = (&self.mode, self.current()) {
            let options = Options::new(width).subsequent_indent("    ");
            let text = detail::text(self, item);
            self.lines = textwrap::wrap(&text, options).into_iter().map(Cow::into_owned).collect();
        }
    }

    /// What is left out, or what the cursor is on.
    fn position(&self) -> String {
        let out = self.items.len() - self.rest.items(self.items.len());
        let at = if self.shown.is_empty() { 0 } else { self.at + 1 };
        format!("{} of {} · {} left out", count(at), counted(self.shown.len(), "change", "changes"), count(out))
    }
}

/// Where a key moves to in a list.
fn moved(key: Key, at: usize, length: usize, page: usize) -> usize {
    let to = match key {
        Key::Up | Key::Char('k') => at.saturating_sub(1),
        Key::Down | Key::Char('j') => at + 1,
        Key::PageUp => at.saturating_sub(page),
        Key::PageDown => at + page,
        Key::Home | Key::Char('g') => 0,
        Key::End | Key::Char('G') => length,
        _ => at,
    };
    to.min(length.saturating_sub(1))
}

fn type_into(text: &mut String, key: Key) {
    match key {
        Key::Char(c) => text.push(c),
        Key::Backspace => drop(text.pop()),
        _ => {}
    }
}
