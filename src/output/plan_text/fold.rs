//! Folds long lists: many rows that say the same share a line.

use std::collections::BTreeMap;

use super::super::layout::{Layout, Row};
use super::super::text::{DIM, count, styled};

/// From this many rows on a list is folded.
const LONG: usize = 20;
/// So many rows of a folded list are shown.
const SHOWN: usize = 10;
/// From this many rows that say the same on they share a line, where none may be left out.
const SAME: usize = 10;

/// The rows of a list. Where `all` are shown, many rows with the same text become one with all their names; otherwise a long
/// list is cut, and its last row says how many more there are.
pub(super) fn rows(rows: impl Iterator<Item = Row>, layout: Layout, all: bool) -> Vec<Row> {
    let rows: Vec<Row> = rows.collect();
    if rows.len() <= LONG || layout.all {
        return rows;
    }
    if all { by_text(rows) } else { cut(rows) }
}

/// All rows; those that say the same as many others share one, in the place of the first.
fn by_text(rows: Vec<Row>) -> Vec<Row> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    let mut places = BTreeMap::new();
    for row in rows {
        let key = (row.mark.clone(), said(&row).to_owned(), row.why.clone());
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups.into_iter().flat_map(together).collect()
}

/// What happens in a row, as it is said for several.
fn said(row: &Row) -> &str {
    if row.shared.is_empty() { &row.what } else { &row.shared }
}

fn together(rows: Vec<Row>) -> Vec<Row> {
    if rows.len() < SAME {
        return rows;
    }
    let below = rows.iter().map(|row| row.who.as_str()).collect::<Vec<_>>().join(", ");
    let (who, what) = (format!("{} of these", count(rows.len())), said(&rows[0]).to_owned());
    vec![Row { who, what, below, ..rows[0].clone() }]
}

fn cut(mut rows: Vec<Row>) -> Vec<Row> {
    let more = rows.len() - SHOWN;
    let last = styled(DIM, format!("… and {} more, which --all shows", count(more)));
    let mark = rows[SHOWN].mark.clone();
    rows.truncate(SHOWN);
    rows.push(Row { mark, who: last, ..Row::default() });
    rows
}
