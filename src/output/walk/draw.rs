//! Draws a plan that is walked through: the headline, the list or what is open, the status and the keys.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};
use ratatui_core::text::{Line, Span};
use textwrap::core::display_width;

use super::super::layout::Row;
use super::super::text::{BOLD, DIM, HINT, count, safe, styled, visible};
use super::list::{self, Filter};
use super::{LEAST, Mode, Walk};
use crate::plan::item::Item;

/// The keys of each view, the most wanted first.
const LIST: &[(&str, &str)] = &[
    ("space", "leave out"),
    ("enter", "open"),
    ("/", "find"),
    ("f", "kind"),
    ("s", "save"),
    ("?", "help"),
    ("q", "quit"),
    ("a", "leave all out"),
];
const OPEN: &[(&str, &str)] = &[("esc", "back"), ("space", "leave out"), ("↑ ↓", "scroll")];
const KINDS: &[(&str, &str)] = &[("enter", "show only these"), ("esc", "back")];
const SEARCH: &[(&str, &str)] = &[("enter", "done"), ("esc", "show all"), ("↑ ↓", "move")];
const SAVE: &[(&str, &str)] = &[("enter", "save and quit"), ("esc", "back")];
const QUIT: &[(&str, &str)] = &[("y", "quit without saving"), ("any other key", "back")];
const HELP: &[(&str, &str)] = &[("any key", "back")];

/// All keys, for the help.
const ALL: [(&str, &str); 12] = [
    ("↑ ↓, j k", "move; page up, page down, home and end too"),
    ("space", "leave the change out, or take it in again"),
    ("a", "leave all shown out, or take them in again"),
    ("enter", "open it: what, why, and the rest of its user"),
    ("esc", "go back; in the list: show all changes again"),
    ("/", "search for a user or a project"),
    ("f", "show one kind, or what is left out"),
    ("s", "save what is left as a plan file, and quit"),
    ("q", "quit without saving"),
    ("ctrl-c", "quit at once"),
    ("[x] [ ]", "the change is in the plan; it is left out by you"),
    ("[-]", "left out because it depends on another change"),
];

/// The rows that a headline takes at most, by the rows of the terminal.
fn headline_rows(height: u16) -> usize {
    if height < 20 { 4 } else { 8 }
}

/// Draws everything into a buffer of the terminal's size.
pub fn draw(walk: &Walk<'_>, buffer: &mut Buffer, colours: bool) {
    let area = buffer.area;
    let mut page = Page { buffer, colours };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        page.put(0, 0, area.width, &format!("this needs {} columns and {} rows; q quits", LEAST.0, LEAST.1));
        return;
    }
    let whole = Rect { height: area.height - 2, ..area };
    match &walk.mode {
        Mode::Open(first) => lines(&walk.lines, *first, &mut page, whole),
        Mode::Help => help(&mut page, whole),
        Mode::Kinds(filters, at) => {
            let body = head(walk, &mut page, whole);
            kinds(filters, *at, &mut page, body);
        }
        Mode::List | Mode::Search | Mode::Save(_) | Mode::Quit => {
            let body = head(walk, &mut page, whole);
            rows(walk, &mut page, body);
        }
    }
    page.put(0, area.height - 2, area.width, &status(walk, usize::from(area.width)));
    page.put(0, area.height - 1, area.width, &keys(&walk.mode, usize::from(area.width)));
}

/// The servers, what the plan takes away and gives, and what the list shows; gives what is left below.
fn head(walk: &Walk<'_>, page: &mut Page<'_>, area: Rect) -> Rect {
    let servers = format!("{} → {}", safe(walk.document.okta), safe(walk.document.activepieces));
    let filter = format!("── {}", [walk.filter.name(), &visible(&walk.search)].join(" ").trim());
    let rule = format!("{filter} {}", "─".repeat(usize::from(area.width).saturating_sub(display_width(&filter) + 1)));
    let headline = headline(&walk.headline, headline_rows(area.height));
    let mut y = 0;
    for line in std::iter::once(styled(BOLD, servers)).chain(headline).chain([styled(DIM, rule)]) {
        page.put(0, y, area.width, &line);
        y += 1;
    }
    Rect { y, height: area.height - y, ..area }
}

/// Of each paragraph as many lines as there is room for, so that a long one hides none of the others.
fn headline(paragraphs: &[String], rows: usize) -> Vec<String> {
    let most = (rows / paragraphs.len().max(1)).max(1);
    let cut = |text: &String| {
        let mut lines: Vec<String> = text.lines().take(most).map(str::to_owned).collect();
        if let Some(last) = lines.last_mut().filter(|_| text.lines().count() > most) {
            last.push_str(" …");
        }
        lines
    };
    let hidden = paragraphs.len().saturating_sub(rows);
    let shown = if hidden > 0 { rows - 1 } else { paragraphs.len() };
    let more = (hidden > 0).then(|| format!("  … and {} more", count(hidden + 1)));
    paragraphs[..shown].iter().flat_map(cut).chain(more).collect()
}

/// The list, with the row under the cursor in the middle.
fn rows(walk: &Walk<'_>, page: &mut Page<'_>, body: Rect) {
    let height = usize::from(body.height);
    let top = walk.at.saturating_sub(height / 2).min(walk.shown.len().saturating_sub(height));
    if walk.shown.is_empty() {
        page.put(2, body.y, body.width - 2, "nothing is found; esc shows all changes");
    }
    for (y, (at, item)) in (body.y..).zip(walk.shown.iter().enumerate().skip(top).take(height)) {
        row(walk, *item, page, Rect { y, height: 1, ..body });
        if at == walk.at {
            page.put(0, y, 1, ">");
            page.buffer.set_style(Rect { y, height: 1, ..body }, Modifier::REVERSED);
        }
    }
}

fn row(walk: &Walk<'_>, item: Item, page: &mut Page<'_>, area: Rect) {
    let place = walk.rest.place(item);
    let (plan, at) = place.map_or((walk.document.plan, item), |place| (walk.rest.plan(), place));
    let Row { mark, who, what, why, .. } = list::row(plan, at);
    let is_left_out = walk.left_out.contains(&item);
    let mut parts: Vec<&str> = what.lines().collect();
    parts.extend((!why.is_empty()).then_some(why.as_str()));
    let columns = (area.width - 22) / 2;
    let who_columns = columns.min(40);
    let taken = match place {
        _ if is_left_out => "[ ]",
        None => "[-]",
        Some(_) => "[x]",
    };
    page.put(2, area.y, 3, taken);
    page.put(6, area.y, 14, &mark);
    page.put(21, area.y, who_columns, &who);
    page.put(22 + who_columns, area.y, area.width - who_columns - 22, &parts.join(" · "));
    if place.is_none() {
        page.buffer.set_style(area, Modifier::DIM);
    }
}

fn lines(lines: &[String], first: usize, page: &mut Page<'_>, body: Rect) {
    for (y, line) in (body.y..body.bottom()).zip(lines.iter().skip(first)) {
        page.put(0, y, body.width, line);
    }
}

/// The kinds to choose from, with how many changes there are of each.
fn kinds(filters: &[(Filter, usize)], at: usize, page: &mut Page<'_>, body: Rect) {
    let height = usize::from(body.height);
    let top = at.saturating_sub(height / 2).min(filters.len().saturating_sub(height));
    for (y, (place, (filter, number))) in (body.y..).zip(filters.iter().enumerate().skip(top).take(height)) {
        let mark = if place == at { ">" } else { " " };
        page.put(0, y, body.width, &format!("{mark} {:<14}{:>9}", filter.name(), count(*number)));
        if place == at {
            page.buffer.set_style(Rect { y, height: 1, ..body }, Modifier::REVERSED);
        }
    }
}

fn help(page: &mut Page<'_>, body: Rect) {
    for (y, (key, what)) in (body.y..body.bottom()).zip(ALL) {
        page.put(0, y, body.width, &format!("  {}{what}", styled(HINT, format!("{key:<10}"))));
    }
}

/// What the last key did, what is typed, or where the cursor is.
fn status(walk: &Walk<'_>, width: usize) -> String {
    if let Some(message) = &walk.message {
        return styled(BOLD, safe(message));
    }
    match &walk.mode {
        Mode::Search => format!("search: {}", tail(&walk.search, width - 10)),
        Mode::Save(name) => format!("save as: {}", tail(name, width - 11)),
        Mode::Quit => "quit without saving? what you left out is forgotten".to_owned(),
        Mode::List | Mode::Open(_) | Mode::Kinds(..) | Mode::Help => styled(DIM, walk.position()),
    }
}

/// The end of a text that is typed, with the cursor behind it.
fn tail(text: &str, width: usize) -> String {
    let mut text = visible(text);
    while display_width(&text) > width {
        text.remove(0);
    }
    text + "_"
}

/// The keys of a view, as many as there is room for.
fn keys(mode: &Mode, width: usize) -> String {
    let keys = match mode {
        Mode::List => LIST,
        Mode::Open(_) => OPEN,
        Mode::Kinds(..) => KINDS,
        Mode::Search => SEARCH,
        Mode::Save(_) => SAVE,
        Mode::Quit => QUIT,
        Mode::Help => HELP,
    };
    let mut line = String::new();
    for (key, what) in keys {
        let next = format!("{}{} {what}", if line.is_empty() { "" } else { "  " }, styled(HINT, key));
        if display_width(&line) + display_width(&next) <= width {
            line.push_str(&next);
        }
    }
    line
}

/// Where texts are put.
struct Page<'b> {
    buffer: &'b mut Buffer,
    colours: bool,
}

impl Page<'_> {
    /// Puts the first line of a text with styles; what is too long for the width ends in `…`.
    fn put(&mut self, x: u16, y: u16, width: u16, text: &str) {
        let line = line(text, self.colours);
        self.buffer.set_line(x, y, &line, width);
        if line.width() <= usize::from(width) || width < 2 {
            return;
        }
        let last = x + width - 1;
        // The left half of a wide character isn't cut through.
        if let Some(cell) = self.buffer.cell_mut((last - 1, y)).filter(|cell| display_width(cell.symbol()) > 1) {
            cell.set_symbol(" ");
        }
        if let Some(cell) = self.buffer.cell_mut((last, y)) {
            cell.set_symbol("…");
        }
    }
}

/// The first line of a text with styles, without its colours where none are wanted.
fn line(text: &str, colours: bool) -> Line<'static> {
    let text = text.lines().next().unwrap_or_default();
    let mut style = Style::new();
    let mut spans = Vec::new();
    for (at, part) in text.split('\u{1b}').enumerate() {
        let code = part.strip_prefix('[').filter(|_| at > 0).and_then(|rest| rest.split_once('m'));
        let shown = code.map_or(part, |(codes, shown)| {
            style = codes.split(';').fold(style, |style, code| with(style, code, colours));
            shown
        });
        spans.push(Span::styled(shown.to_owned(), style));
    }
    Line::from(spans)
}

/// A style with one of the codes that ours consist of (`output/text.rs`).
fn with(style: Style, code: &str, colours: bool) -> Style {
    let colour = |colour| if colours { style.fg(colour) } else { style };
    match code {
        "1" => style.add_modifier(Modifier::BOLD),
        "2" => style.add_modifier(Modifier::DIM),
        "31" => colour(Color::Red),
        "32" => colour(Color::Green),
        "33" => colour(Color::Yellow),
        "36" => colour(Color::Cyan),
        _ => Style::new(),
    }
}
