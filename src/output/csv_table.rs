//! Tables as CSV, for spreadsheets and scripts that read tables.
//!
//! Names come from the directory, and a spreadsheet takes a cell that begins with `=` for a formula. Such a cell gets an
//! apostrophe before it (OWASP: CSV Injection); control characters are shown escaped, and all cells are quoted.

use csv::{QuoteStyle, Writer, WriterBuilder};

use super::text::{is_invisible, visible};

/// A table of so many columns.
pub struct CsvTable<const COLUMNS: usize>(Writer<Vec<u8>>);

impl<const COLUMNS: usize> CsvTable<COLUMNS> {
    /// A table with a line of column names, after this text.
    pub fn new(start: &str, names: [&str; COLUMNS]) -> Self {
        let mut table = Self(WriterBuilder::new().quote_style(QuoteStyle::Always).from_writer(start.into()));
        table.add(names);
        table
    }

    pub fn add(&mut self, cells: [&str; COLUMNS]) {
        #[expect(clippy::expect_used, reason = "memory takes every row, and all rows have the same columns")]
        self.0.write_record(cells.map(harmless)).expect("a row in memory");
    }

    /// The whole table, without a line break at its end.
    pub fn text(self) -> String {
        let bytes = self.0.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

/// The text as no spreadsheet takes it for a formula, full-width and small signs included.
fn harmless(text: &str) -> String {
    let text = visible(text);
    let seen = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let formula = seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−']);
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "  =1",
            "\u{a0}=1",
            "＝1",
            "＠x",
            "\u{200d}=1",
            "\u{fe0f}=1",
            " \u{200c}\u{fe00}+1",
            "﹦1",
        ] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        // A tab or a line break never reaches the file, so that neither hides what follows it.
        assert_eq!(harmless("\t=1"), "\\u{9}=1");
        assert_eq!(harmless("\r\n=1"), "\\u{d}\\u{a}=1");
        assert_eq!(harmless("\u{200b}\u{feff}=1"), "\\u{200b}\\u{feff}=1");
        for text in ["ada@example.com", "a=b", "", "O'Neil", "3-4"] {
            assert_eq!(harmless(text), text);
        }
    }
}
