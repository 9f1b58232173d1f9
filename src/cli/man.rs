//! `oktapieces man`: prints the man page of the program, or writes all man pages into a folder.

use std::io;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::topics::{EXAMPLES, Part, Topic};
use crate::error::{EXIT_OK, Error, Kind, Result};
use crate::files;
use crate::sync::context::Context;

/// Print the man page of the program, or write the pages of all commands into a folder
///
/// To read it: oktapieces man | man -l -
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder for the pages of the program, of each command, and of the config file, in man1, man5 and man7 below it
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const SOURCE: &str = concat!("oktapieces ", env!("CARGO_PKG_VERSION"));
/// The topics that are parts of the page of the program, and the headings of these parts.
const IN_MAIN: [(&str, &str); 2] = [("exit-codes", "EXIT STATUS"), ("environment", "ENVIRONMENT")];
/// The topics that are pages of their own, and their sections.
const APART: [(&str, &str); 2] = [("config", "5"), ("expressions", "7")];

pub fn run(args: &ManArgs, program: clap::Command, context: &Context) -> Result<u8> {
    let pages =
        pages(program).map_err(|error| Error::from_source(Kind::Failed, error).context("making the man pages"))?;
    let Some(folder) = &args.out else {
        context.printer.answer(&pages.into_iter().next().map(|(_, page)| page).unwrap_or_default());
        return Ok(EXIT_OK);
    };
    let failed = |path: &PathBuf, why: String| Error::new(Kind::Failed, format!("`{}` {why}", path.display()));
    for (name, page) in &pages {
        let section = name.rsplit('.').next().unwrap_or_default();
        let folder = folder.join(format!("man{section}"));
        files::folder(&folder).map_err(|refusal| failed(&folder, refusal.to_string()))?;
        let path = folder.join(name);
        files::write_shared(&path, page.as_bytes()).map_err(|refusal| failed(&path, refusal.to_string()))?;
    }
    context.printer.status(&format!("{} man pages are in {}.", pages.len(), folder.display()));
    Ok(EXIT_OK)
}

/// The name of each file and its text; that of the program is the first.
fn pages(mut program: clap::Command) -> io::Result<Vec<(String, String)>> {
    program.build();
    let mut pages = vec![("oktapieces.1".to_owned(), main_page(program.clone())?)];
    for command in program.get_subcommands() {
        let man = Man::new(command.clone()).source(SOURCE);
        pages.push((man.get_filename(), rendered(|page| man.render(page))?));
    }
    for (name, section) in APART {
        let topic = Topic::named(name);
        pages.extend(topic.map(|topic| (format!("oktapieces-{name}.{section}"), topic_page(topic, section))));
    }
    Ok(pages)
}

/// What `--help` says after the options has sections of their own here.
fn main_page(program: clap::Command) -> io::Result<String> {
    let man = Man::new(program).source(SOURCE);
    let mut page = rendered(|page| {
        man.render_title(page)?;
        man.render_name_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)?;
        man.render_subcommands_section(page)
    })?;
    for (name, heading) in IN_MAIN {
        let parts = Topic::named(name).map(Topic::parts).unwrap_or_default();
        for (at, part) in parts.iter().enumerate() {
            let command = if at == 0 { "SH" } else { "SS" };
            page += &part_page(part, command, if at == 0 { heading } else { &part.heading });
        }
    }
    let mut examples = Roff::new();
    examples.control("SH", ["EXAMPLES"]).control("nf", []);
    for line in EXAMPLES.lines() {
        examples.text([roman(line)]);
    }
    Ok(page + &examples.control("fi", []).to_roff())
}

fn rendered(render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut bytes = Vec::new();
    render(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// A page of a topic.
fn topic_page(topic: &Topic, section: &str) -> String {
    let name = format!("oktapieces-{}", topic.name);
    let mut roff = Roff::new();
    roff.control("TH", [name.as_str(), section, "", SOURCE]);
    roff.control("SH", ["NAME"]).text([roman(format!("{name} - {}", topic.about))]);
    roff.to_roff() + &topic.parts().iter().map(|part| part_page(part, "SH", &part.heading)).collect::<String>()
}

fn part_page(part: &Part, command: &str, heading: &str) -> String {
    let mut roff = Roff::new();
    roff.control(command, [heading]);
    if !part.text.is_empty() {
        roff.text([roman(part.text.as_str())]);
    }
    for (name, text) in &part.rows {
        roff.control("TP", []).text([bold(name.as_str())]).text([roman(text.as_str())]);
    }
    roff.to_roff()
}
