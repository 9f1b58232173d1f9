//! Names that are similar to a wrong one.

/// Of several names so many are proposed.
const PROPOSED: usize = 3;
/// Several names are proposed from this similarity on.
const LIKE_ENOUGH: f64 = 0.75;
/// A single name is proposed above this similarity.
const VERY_LIKE: f64 = 0.8;

/// Up to three names that are similar to the wanted one, the most similar first.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<_> = scored(wanted, names).filter(|(score, _)| *score >= LIKE_ENOUGH).collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    scored.dedup_by(|one, other| one.1 == other.1);
    scored.into_iter().take(PROPOSED).map(|(_, name)| name.to_owned()).collect()
}

/// The name that is the most similar to the wanted one, if any is very similar.
pub fn most_similar<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let very_like = scored(wanted, names).filter(|(score, _)| *score > VERY_LIKE);
    very_like.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, name)| name)
}

/// `did you mean "A" or "B"?`; none without a name.
pub fn did_you_mean(near: &[String]) -> Option<String> {
    let near: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
}

/// The names with their similarity, whatever the case.
fn scored<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (f64, &'a str)> {
    let wanted = wanted.to_lowercase();
    names.map(move |name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
}
