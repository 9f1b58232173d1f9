//! The topics of `oktapieces help`, from the tables that the program itself works with.

use crate::config::keys::{Key, PREFIX, SECTIONS, Section};
use crate::error::{EXIT_CODES, WORST_FIRST};
use crate::expression;
use crate::output::text::{BOLD, HINT, styled};
use crate::sync::environment::VARIABLES;

/// A page of the help that isn't about one command.
#[derive(Debug)]
pub struct Topic {
    pub name: &'static str,
    pub about: &'static str,
    parts: fn() -> Vec<Part>,
}

/// A heading, a paragraph, and definitions.
#[derive(Debug)]
pub struct Part {
    pub heading: String,
    pub text: String,
    /// What is defined, and the definition.
    pub rows: Vec<(String, String)>,
}

/// What an admin does first.
pub const EXAMPLES: &str = "  oktapieces demo                       see a plan and an apply on an embedded sandbox
  oktapieces init                       write a config, by questions or from flags
  oktapieces check                      test the config, both servers and their rights
  oktapieces plan                       show what would change; nothing is written
  oktapieces apply                      show the plan, ask, and write it
  oktapieces apply --yes --quiet        the same from cron
  oktapieces plan --out plan.json       keep the plan, look at it, and
  oktapieces apply plan.json            apply exactly that
  oktapieces explain ada@example.com    what a user has and why, and what apply would do
  oktapieces who --role ADMIN           every ADMIN, and why
  oktapieces drift                      what was changed in Activepieces since the last run
  oktapieces history                    list the runs
  oktapieces undo 12                    show the plan that undoes run 12, ask, and write it";

pub const TOPICS: [Topic; 4] = [
    Topic { name: "config", about: "every key of the config file", parts: config },
    Topic { name: "environment", about: "the environment variables, and those that override keys", parts: environment },
    Topic { name: "exit-codes", about: "what each exit code means", parts: exit_codes },
    Topic { name: "expressions", about: "the functions of Okta expressions", parts: expressions },
];

impl Topic {
    /// The topic of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| topic.name == name)
    }

    /// What the page says.
    pub fn parts(&self) -> Vec<Part> {
        (self.parts)()
    }

    /// The page for a terminal of this width.
    pub fn text(&self, width: usize) -> String {
        let parts: Vec<String> = self.parts().iter().map(|part| part.text(width)).collect();
        parts.join("\n\n")
    }
}

/// A line for each topic.
pub fn list() -> String {
    let lines = TOPICS.map(|topic| format!("  oktapieces help {:<13}{}", topic.name, topic.about));
    lines.join("\n")
}

/// A line or more for each exit code.
pub fn codes(width: usize) -> String {
    let lines = EXIT_CODES.map(|(code, meaning)| filled(meaning, width, &format!("  {code:<5}"), "       "));
    lines.join("\n")
}

impl Part {
    fn text(&self, width: usize) -> String {
        let longest = self.rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let column = if longest <= 16 { longest + 4 } else { 6 };
        let mut lines = vec![styled(BOLD, &self.heading)];
        if !self.text.is_empty() {
            lines.push(filled(&self.text, width, "", ""));
        }
        lines.extend(self.rows.iter().map(|(name, text)| definition(name, text, column, width)));
        lines.join("\n")
    }
}

/// A name, and its text from the column on: on the same line if the name leaves room, else on the next.
fn definition(name: &str, text: &str, column: usize, width: usize) -> String {
    let indent = " ".repeat(column);
    let named = format!("  {}", styled(HINT, name));
    let gap = column.saturating_sub(name.len() + 2);
    if gap < 2 {
        return format!("{named}\n{}", filled(text, width, &indent, &indent));
    }
    filled(text, width, &(named + &" ".repeat(gap)), &indent)
}

/// Lines of whole words: a name with a hyphen isn't cut.
fn filled(text: &str, width: usize, first: &str, indent: &str) -> String {
    let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(indent);
    let options = options.word_separator(textwrap::WordSeparator::AsciiSpace);
    textwrap::fill(text, options.word_splitter(textwrap::WordSplitter::NoHyphenation).break_words(false))
}

fn config() -> Vec<Part> {
    let introduction = Part {
        heading: "The config file".to_owned(),
        text: "TOML, named by --config or OKTAPIECES_CONFIG; else config.toml in the working directory, else \
               oktapieces/config.toml in the user's config folder. It holds no secret, only the places that secrets come \
               from. `oktapieces init` writes one with comments, and `oktapieces check` tests it."
            .to_owned(),
        rows: Vec::new(),
    };
    let sections = SECTIONS.iter().map(|section| Part {
        heading: format!("{}: {}", section.header(), section.title),
        text: section.docs.to_owned(),
        rows: section.keys.iter().map(|key| (key.name.to_owned(), key_in_words(key))).collect(),
    });
    std::iter::once(introduction).chain(sections).collect()
}

/// The docs of a key, its type and its default.
fn key_in_words(key: &Key) -> String {
    let default = match (key.default, key.absent) {
        (Some(default), _) => format!("; default: {default}"),
        (None, Some(words)) => format!("; default: {words}"),
        (None, None) if key.required => ", required".to_owned(),
        (None, None) => String::new(),
    };
    format!("{} ({}{default})", key.docs, key.type_name())
}

fn environment() -> Vec<Part> {
    let rows =
        |rows: &[(&str, &str)]| rows.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let variables = SECTIONS.iter().flat_map(|section| section.keys.iter().filter_map(|key| override_of(section, key)));
    vec![
        Part { heading: "Environment variables".to_owned(), text: String::new(), rows: rows(&VARIABLES) },
        Part {
            heading: "Variables that override keys of the config file".to_owned(),
            text: format!(
                "{PREFIX}SECTION_KEY overrides a key. The value is written without the quotes of TOML; a list is written in \
                 TOML or with commas. An empty variable counts as not set."
            ),
            rows: variables.collect(),
        },
    ]
}

fn override_of(section: &Section, key: &Key) -> Option<(String, String)> {
    Some((section.variable(key)?, format!("{} {}", section.header(), key.name)))
}

fn exit_codes() -> Vec<Part> {
    let rows = EXIT_CODES.map(|(code, meaning)| (code.to_string(), meaning.to_owned()));
    let order: Vec<String> = WORST_FIRST.iter().map(u8::to_string).collect();
    let text = format!(
        "A command with several targets has the code of the target that ended worst. From the worst on: {}.",
        order.join(", ")
    );
    vec![
        Part { heading: "Exit codes".to_owned(), text: String::new(), rows: rows.into() },
        Part { heading: "Several targets".to_owned(), text, rows: Vec::new() },
    ]
}

fn expressions() -> Vec<Part> {
    let rows = expression::signatures().map(|signature| {
        let reads = if signature.reads.is_empty() { String::new() } else { format!("; reads {}", signature.reads) };
        (signature.form, format!("gives {}{reads}", signature.result))
    });
    vec![
        Part {
            heading: "Okta expressions".to_owned(),
            text: "The Okta Expression Language, as in Okta's profile mappings. `oktapieces eval EXPR --user LOGIN --trace` \
                   evaluates one, and `oktapieces eval --from-okta` lists those of the app. docs/expressions.md says what \
                   each form gives."
                .to_owned(),
            rows: FORMS.map(|(form, text)| (form.to_owned(), text.to_owned())).into(),
        },
        Part { heading: "Functions and methods".to_owned(), text: String::new(), rows: rows.collect() },
    ]
}

const FORMS: [(&str, &str); 5] = [
    ("user.department", "an attribute of the user's profile; null if it is empty"),
    ("appuser.title", "an attribute of the user's profile in the app of [scope]"),
    (r#"user.okta_role == "op" ? "OPERATOR" : "MEMBER""#, "a condition"),
    (r#"user.firstName + " " + user.lastName"#, "a concatenation; a null in it is an error"),
    (r#"isMemberOfGroupName("AP Admins") ? "ADMIN" : "MEMBER""#, "a role by a group"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal_unless_a_word_is() {
        for topic in &TOPICS {
            for line in topic.text(60).lines() {
                let width = textwrap::core::display_width(line);
                let longest_word = line.split_whitespace().map(textwrap::core::display_width).max().unwrap_or_default();
                assert!(width <= 60 || longest_word > 40 || line.trim_start().starts_with('\u{1b}'), "{line}");
            }
        }
    }

    #[test]
    fn a_topic_lists_all_of_its_table() {
        let page = |name| Topic::named(name).expect("a topic").text(100);
        let (config, environment) = (page("config"), page("environment"));
        for section in SECTIONS {
            for key in section.keys {
                assert!(config.contains(key.name), "{}", key.name);
                assert!(section.variable(key).is_none_or(|variable| environment.contains(&variable)), "{}", key.name);
            }
        }
        assert!(EXIT_CODES.iter().all(|(_, meaning)| page("exit-codes").contains(&meaning[..6])));
        assert!(expression::signatures().all(|signature| page("expressions").contains(&signature.form)));
    }
}
