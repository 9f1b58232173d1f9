//! The flags for the format of an answer, which `plan` and `show` share.

use clap::Args;

use crate::output::Printer;
use crate::output::format::Format;

/// How the answer is rendered.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArgs {
    /// The format of the answer [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["csv", "json"])]
    format: Option<Format>,
    /// One row of CSV for each change, safe to open in a spreadsheet: the same as --format csv
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl FormatArgs {
    /// Whether a format other than the default text is asked for.
    pub fn is_asked_for(self) -> bool {
        self.csv || self.format.is_some_and(|format| format != Format::Text)
    }

    /// Whether the format has no place for the plans of several targets.
    pub fn is_of_one(self) -> bool {
        self.csv || matches!(self.format, Some(Format::Csv | Format::Jsonl | Format::Html))
    }

    /// Whether `--format json` asks for what `--json` does.
    pub fn is_json(self) -> bool {
        self.format == Some(Format::Json)
    }

    /// The format that the flags ask for.
    pub fn wanted(self, printer: &Printer) -> Format {
        match self.format {
            Some(format) => format,
            None if self.csv => Format::Csv,
            None => Format::of(printer),
        }
    }
}
