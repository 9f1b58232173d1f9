//! `[[accepted]]`: the standing problems that the admin knows of.

use jiff::civil::Date;

use super::file::Accepted;
use super::picture::{Fault, Faults};
use super::reader::Text;
use super::resolve::Source;
use crate::model::problem::Acceptance;
use crate::model::problem::ProblemKind;

/// The entries that say all that they have to; notes what is wrong with the others.
pub(super) fn resolve(typed: &[Accepted], source: Source<'_>, faults: &mut Faults) -> Vec<Acceptance> {
    typed.iter().filter_map(|entry| one(entry, source, faults)).collect()
}

fn one(typed: &Accepted, source: Source<'_>, faults: &mut Faults) -> Option<Acceptance> {
    let texts = [&typed.kind, &typed.who, &typed.why].map(Option::as_ref);
    let is_blank = texts.into_iter().flatten().filter(|text| !faults.not_blank(text)).count() > 0;
    let kind = or_fault(typed.kind.as_ref().filter(|_| !is_blank), kind, faults);
    let until = or_fault(typed.until.as_ref(), date, faults);
    if is_blank || (typed.until.is_some() && until.is_none()) {
        return None;
    }
    let (who, why) = (typed.who.as_ref()?, typed.why.as_ref()?.get_ref().clone());
    let location = Some(source.location(who));
    Some(Acceptance { kind: kind?, who: who.get_ref().clone(), until, why, location })
}

fn or_fault<T>(text: Option<&Text>, meaning: fn(&Text) -> Result<T, Fault>, faults: &mut Faults) -> Option<T> {
    meaning(text?).map_err(|fault| faults.push(fault)).ok()
}

fn kind(text: &Text) -> Result<ProblemKind, Fault> {
    ProblemKind::named(text.get_ref()).map_err(|known| {
        Fault::at(text.span(), format!("`{}` is no kind of a problem", text.get_ref()))
            .help(format!("`oktapieces plan --json` has the `kind` of each problem; {known}"))
    })
}

fn date(text: &Text) -> Result<Date, Fault> {
    let text_of = text.get_ref().trim();
    text_of.parse().map_err(|_| Fault::at(text.span(), "that is no date").help("write a date, such as 2027-01-31"))
}
