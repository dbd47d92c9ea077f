//! Symbols that no source of prices has: each of them has said so, and is believed for a day.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::market::instruments::Symbol;

/// How long a source is not asked again for a symbol that it has refused.
const VALIDITY: TimeDelta = TimeDelta::hours(24);

/// A source's answer that it has no prices of a symbol, or gives none on the key's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The source and its key, as its call quota is named.
    pub source: String,
    /// The symbol.
    pub symbol: Symbol,
    /// The reason for people, e.g. `Alpha Vantage does not know it`.
    pub reason: String,
    /// When the source was asked last.
    pub refused_at: DateTime<Utc>,
}

impl Refusal {
    /// Whether the source is still believed.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        now - self.refused_at < VALIDITY
    }
}

/// The symbols that have been refused by every one of the sources that may be asked for them, with the reasons.
/// `sources_of` gives these sources; a symbol without any is not absent, but unknown.
pub fn absent_symbols<'a>(
    refusals: &[Refusal],
    sources_of: impl Fn(&Symbol) -> Vec<&'a str>,
    now: DateTime<Utc>,
) -> BTreeMap<Symbol, String> {
    let mut by_symbol: BTreeMap<&Symbol, BTreeMap<&str, &str>> = BTreeMap::new();
    for refusal in refusals.iter().filter(|refusal| refusal.is_valid(now)) {
        by_symbol.entry(&refusal.symbol).or_default().insert(&refusal.source, &refusal.reason);
    }
    let reasons = |(symbol, refused): (&Symbol, BTreeMap<&str, &str>)| {
        let sources = sources_of(symbol);
        let reasons: Option<Vec<&str>> = sources.iter().map(|source| refused.get(source).copied()).collect();
        let reasons = reasons.filter(|reasons| !reasons.is_empty())?;
        Some((symbol.clone(), reasons.join(", ")))
    };
    by_symbol.into_iter().filter_map(reasons).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2025-10-31T16:00:00Z";

    fn refusal(source: &str, name: &str, at: &str) -> Refusal {
        Refusal {
            source: source.to_owned(),
            symbol: name.parse().unwrap(),
            reason: format!("{source} does not know it"),
            refused_at: at.parse().unwrap(),
        }
    }

    fn absent(refusals: &[Refusal], sources: &[&'static str]) -> Vec<(String, String)> {
        let absent = absent_symbols(refusals, |_| sources.to_vec(), NOW.parse().unwrap());
        absent.into_iter().map(|(symbol, reason)| (symbol.to_string(), reason)).collect()
    }

    #[test]
    fn a_symbol_is_absent_when_all_sources_have_refused_it() {
        let refusals = [refusal("a", "X", NOW), refusal("b", "X", NOW), refusal("a", "Y", NOW)];

        let both = "a does not know it, b does not know it".to_owned();
        assert_eq!(absent(&refusals, &["a", "b"]), [("X".to_owned(), both)]);
        assert_eq!(absent(&refusals, &["a"]).len(), 2);
        assert_eq!(absent(&refusals, &[]), [], "nobody could be asked");
    }

    #[test]
    fn a_refusal_is_believed_for_a_day() {
        let young = [refusal("a", "X", "2025-10-30T16:00:01Z")];
        let old = [refusal("a", "X", "2025-10-30T16:00:00Z")];

        assert_eq!((absent(&young, &["a"]).len(), absent(&old, &["a"]).len()), (1, 0));
    }
}
