//! Lays rows out: as aligned columns where they fit, and as records with a hanging indent on a narrow terminal.

use comfy_table::{Cell, ContentArrangement, Table, presets};
use textwrap::core::display_width;

use super::text::{BOLD, DIM, styled};

/// How a text is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The columns of the terminal; none where the text goes into a file or a pipe, which isn't wrapped.
    pub width: Option<usize>,
    /// Long lists as a whole.
    pub all: bool,
}

/// One row: a mark, the user or project, what happens, and why. A cell may have several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub mark: String,
    pub who: String,
    pub what: String,
    pub why: String,
    /// What happens, for rows that share a line; what is said for each of them where it is empty.
    pub shared: String,
    /// A list that goes below the row, in lines of its own.
    pub below: String,
}

/// The indent of a section's rows.
const INDENT: &str = "  ";
/// The indent of what continues a record.
const HANGING: &str = "      ";
/// The columns of a list below a row where there is no terminal.
const OF_A_FILE: usize = 120;

impl Layout {
    /// A title with its rows below; nothing without rows.
    pub fn section(self, title: &str, rows: &[Row]) -> Option<String> {
        (!rows.is_empty()).then(|| format!("{}\n{}", styled(BOLD, title), self.rows(rows).join("\n")))
    }

    /// The lines of the rows.
    pub fn rows(self, rows: &[Row]) -> Vec<String> {
        let columns = columns(rows);
        let is_wide = |width: usize| columns.iter().flatten().any(|line| display_width(line) > width);
        let blocks: Vec<Vec<String>> = match self.width {
            Some(width) if is_wide(width) => rows.iter().map(|row| record(row, width)).collect(),
            _ => columns,
        };
        let below = |row: &Row| match row.below.as_str() {
            "" => Vec::new(),
            list => wrapped(list, self.width.unwrap_or(OF_A_FILE), HANGING, HANGING),
        };
        blocks.into_iter().zip(rows).flat_map(|(block, row)| [block, below(row)].concat()).collect()
    }

    /// A paragraph: one line in a pipe, wrapped with a hanging indent on a terminal.
    pub fn paragraph(self, first: &str, text: &str) -> String {
        match self.width {
            Some(width) => wrapped(text, width, first, &" ".repeat(display_width(first))).join("\n"),
            None => format!("{first}{text}"),
        }
    }
}

/// A table with titles; lines aren't wrapped.
pub fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = bare();
    table.set_header(titles.iter().map(|title| styled(BOLD, title))).add_rows(rows);
    table.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A table of nothing but columns.
fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The lines of each row, as columns.
fn columns(rows: &[Row]) -> Vec<Vec<String>> {
    let mut table = bare();
    for Row { mark, who, what, why, .. } in rows {
        table.add_row([format!("{INDENT}{mark}"), who.clone(), what.clone(), dimmed(why)].map(Cell::new));
    }
    let mut lines = table.lines().map(|line| line.trim_end().to_owned());
    let height =
        |row: &Row| [&row.mark, &row.who, &row.what, &row.why].map(|cell| cell.lines().count()).into_iter().max();
    rows.iter().map(|row| lines.by_ref().take(height(row).unwrap_or_default().max(1)).collect()).collect()
}

/// `mark who  what` in the first line, and what doesn't fit below it.
fn record(row: &Row, width: usize) -> Vec<String> {
    let mut lines = wrapped(&format!("{} {}", row.mark, row.who), width, INDENT, HANGING);
    let what = row.what.lines().filter(|line| !line.is_empty());
    for line in what.map(str::to_owned).chain((!row.why.is_empty()).then(|| dimmed(&row.why))) {
        let last = lines.last_mut().filter(|last| !last.starts_with(HANGING));
        let joined = last.as_ref().map(|last| format!("{last}  {line}"));
        match (last, joined.filter(|joined| display_width(joined) <= width)) {
            (Some(last), Some(joined)) => *last = joined,
            _ => lines.extend(wrapped(&line, width, HANGING, &format!("{HANGING}  "))),
        }
    }
    lines
}

fn wrapped(text: &str, width: usize, first: &str, rest: &str) -> Vec<String> {
    let options = textwrap::Options::new(width.max(40)).initial_indent(first).subsequent_indent(rest);
    let options = options.word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

fn dimmed(text: &str) -> String {
    if text.is_empty() { String::new() } else { styled(DIM, text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(who: &str, what: &str, why: &str) -> Row {
        Row { mark: "~".to_owned(), who: who.to_owned(), what: what.to_owned(), why: why.to_owned(), ..Row::default() }
    }

    fn plain(lines: &[String]) -> Vec<String> {
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
    }

    #[test]
    fn rows_are_columns_in_a_pipe_however_long_they_are() {
        let rows = [row("名@example.com", "role", &"why ".repeat(60)), row("ada.lovelace@example.com", "name", "")];
        let lines = plain(&Layout::default().rows(&rows));
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("   ~  名@example.com            role  why why"), "{lines:#?}");
        assert_eq!(lines[1], "   ~  ada.lovelace@example.com  name");
    }

    #[test]
    fn a_narrow_terminal_gets_records_that_fit() {
        let rows =
            [row("ada.lovelace@example.com", "MEMBER → ADMIN\ngivenName \"A\" → \"Ada\"", &"because ".repeat(20))];
        for width in [60, 80, 100] {
            let lines = plain(&Layout { width: Some(width), all: false }.rows(&rows));
            assert!(lines.iter().all(|line| display_width(line) <= width), "{lines:#?}");
            assert!(lines[0].starts_with("  ~ ada.lovelace@example.com  MEMBER → ADMIN"), "{lines:#?}");
            assert!(lines[1..].iter().all(|line| line.starts_with("      ")), "{lines:#?}");
        }
        let warning = Row { what: String::new(), ..row(&"word ".repeat(30), "", "") };
        let lines = plain(&Layout { width: Some(60), all: false }.rows(&[warning]));
        assert!(lines.len() > 2 && lines.iter().all(|line| display_width(line) <= 60), "{lines:#?}");
        let wide = Layout { width: Some(300), all: false }.rows(&rows);
        assert_eq!(wide, Layout::default().rows(&rows));
    }

    #[test]
    fn a_paragraph_hangs_below_its_first_word() {
        let layout = Layout { width: Some(60), all: false };
        let text = layout.paragraph("  gives  ", &"three new accounts · ".repeat(5));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() > 1 && lines[1].starts_with("         "), "{text}");
        assert!(!Layout::default().paragraph("  gives  ", &"word ".repeat(50)).contains('\n'));
    }
}
