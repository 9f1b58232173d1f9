//! `[[accepted]]`: the problems that the admin accepts.

use super::draft::Accepted;
use super::source::Source;
use crate::model::problem::Acceptance;

/// The complete entries; the reader noted what is wrong with the others.
pub(super) fn resolve(entries: Vec<Accepted>, source: Source<'_>) -> Vec<Acceptance> {
    entries.into_iter().filter_map(|entry| one(entry, source)).collect()
}

fn one(entry: Accepted, source: Source<'_>) -> Option<Acceptance> {
    let who = entry.who?;
    let location = Some(source.config.location(&who.span()));
    let why = entry.why?.into_inner();
    Some(Acceptance { kind: entry.kind?, who: who.into_inner(), until: entry.until, why, location })
}
