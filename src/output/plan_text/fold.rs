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
    let mut groups: Vec<(Row, Vec<String>)> = Vec::new();
    let mut places = BTreeMap::new();
    for row in rows {
        let key = (row.mark.clone(), row.what.clone(), row.why.clone());
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, names)) => names.push(row.who),
            None => groups.push((row.clone(), vec![row.who])),
        }
    }
    groups.into_iter().flat_map(|(row, names)| shared(row, names)).collect()
}

fn shared(row: Row, names: Vec<String>) -> Vec<Row> {
    if names.len() < SAME {
        return names.into_iter().map(|who| Row { who, ..row.clone() }).collect();
    }
    let who = format!("{} of these", count(names.len()));
    vec![Row { who, below: names.join(", "), ..row }]
}

fn cut(mut rows: Vec<Row>) -> Vec<Row> {
    let more = rows.len() - SHOWN;
    let last = styled(DIM, format!("… and {} more, which --all shows", count(more)));
    let mark = rows[SHOWN].mark.clone();
    rows.truncate(SHOWN);
    rows.push(Row { mark, who: last, ..Row::default() });
    rows
}
