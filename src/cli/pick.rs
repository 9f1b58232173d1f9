//! Picks from a numbered list on the terminal.

use crate::error::{Error, Kind, Result};
use crate::output::Printer;
use crate::output::text::{BOLD, HINT, counted, safe, styled};

/// What can be picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What the list shows.
    pub label: String,
    /// What it is in the config.
    pub value: String,
}

/// The most lines of a list.
const SHOWN: usize = 20;

/// What an answer asks for.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    /// Places in the list that is shown.
    Places(Vec<usize>),
    Search(String),
}

/// Asks for one of the choices; none for an empty answer.
pub fn one<'a>(printer: &Printer, question: &str, choices: &'a [Choice]) -> Result<Option<&'a Choice>> {
    let mut shown = all(choices);
    loop {
        show(printer, question, &shown);
        match parse(&ask(printer, "Number, or part of a name to search for; Enter for none:")?, shown.len()) {
            Answer::Nothing => return Ok(None),
            Answer::Places(places) => match places.as_slice() {
                [place] => return Ok(Some(shown[*place])),
                _ => printer.status("Pick one."),
            },
            Answer::Search(text) => shown = found(printer, choices, &text),
        }
    }
}

/// Asks for any number of the choices, until an empty answer.
pub fn several<'a>(printer: &Printer, question: &str, choices: &'a [Choice]) -> Result<Vec<&'a Choice>> {
    let mut picked: Vec<&Choice> = Vec::new();
    let mut shown = all(choices);
    show(printer, question, &shown);
    loop {
        match parse(
            &ask(printer, "Numbers such as 1,3-5, or part of a name to search for; Enter to go on:")?,
            shown.len(),
        ) {
            Answer::Nothing => return Ok(picked),
            Answer::Places(places) => {
                let new: Vec<&Choice> = places.into_iter().map(|place| shown[place]).collect();
                picked.extend(new.into_iter().filter(|choice| !picked.contains(choice)).collect::<Vec<_>>());
                let labels: Vec<String> = picked.iter().map(|choice| safe(&choice.label)).collect();
                printer.status(&format!("Picked: {}", labels.join(", ")));
            }
            Answer::Search(text) => {
                shown = found(printer, choices, &text);
                show(printer, question, &shown);
            }
        }
    }
}

/// A line of text from the admin.
pub fn ask(printer: &Printer, question: &str) -> Result<String> {
    printer
        .ask(question)
        .ok_or_else(|| Error::new(Kind::Interrupted, "the input ended before all questions were answered"))
}

fn all(choices: &[Choice]) -> Vec<&Choice> {
    choices.iter().collect()
}

/// The choices with this text in their label; all if there are none.
fn found<'a>(printer: &Printer, choices: &'a [Choice], text: &str) -> Vec<&'a Choice> {
    let wanted = text.to_lowercase();
    let found: Vec<&Choice> = choices.iter().filter(|choice| choice.label.to_lowercase().contains(&wanted)).collect();
    if found.is_empty() {
        printer.status(&format!("No name contains {text:?}."));
        return all(choices);
    }
    found
}

fn show(printer: &Printer, question: &str, shown: &[&Choice]) {
    let lines = shown.iter().take(SHOWN).enumerate().map(|(at, choice)| {
        let number = format!("{:>4}", at + 1);
        format!("\n{}  {}", styled(HINT, number), safe(&choice.label))
    });
    let more = shown.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("\n      and {}", counted(more, "more", "more")) } else { String::new() };
    printer.talk(&format!("\n{}{}{more}", styled(BOLD, question), lines.collect::<String>()));
}

/// Numbers and ranges of numbers that are in the list, else a text to search for.
fn parse(answer: &str, length: usize) -> Answer {
    if answer.is_empty() {
        return Answer::Nothing;
    }
    let parts = answer.split([',', ' ']).filter(|part| !part.is_empty());
    let places: Option<Vec<Vec<usize>>> = parts.map(|part| range(part, length.min(SHOWN))).collect();
    match places {
        Some(places) if !places.is_empty() => Answer::Places(places.concat()),
        _ => Answer::Search(answer.to_owned()),
    }
}

fn range(text: &str, length: usize) -> Option<Vec<usize>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    (1 <= first && first <= last && last <= length).then(|| (first - 1..last).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_numbers_of_the_list_or_a_text_to_search_for() {
        assert_eq!(parse("", 5), Answer::Nothing);
        assert_eq!(parse("2", 5), Answer::Places(vec![1]));
        assert_eq!(parse("1, 3-5", 5), Answer::Places(vec![0, 2, 3, 4]));
        for text in ["6", "0", "3-6", "5-3", "AP Sales", "1 Sales", "-"] {
            assert_eq!(parse(text, 5), Answer::Search(text.to_owned()), "{text}");
        }
        assert_eq!(parse("21", 50), Answer::Search("21".to_owned()), "the list shows twenty");
    }
}
