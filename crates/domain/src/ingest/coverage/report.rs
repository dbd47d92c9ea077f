//! Coverage as people ask for it: by symbol.

use chrono::NaiveDate;

use super::Coverage;
use crate::market::instruments::Symbol;
use crate::values::bit_set::BitSet;

/// What is known of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolReport {
    /// The symbol.
    pub symbol: Symbol,
    /// Sessions with a bar.
    pub bars: usize,
    /// The first and the last of them.
    pub between: Option<(NaiveDate, NaiveDate)>,
    /// Sessions that are known to have no bar.
    pub known_absent: usize,
    /// Sessions of which nothing is known.
    pub missing_sessions: usize,
    /// The same as stretches of sessions that follow each other, oldest first.
    pub missing: Vec<Gap>,
}

/// Sessions that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
    /// How many they are.
    pub sessions: usize,
}

impl Coverage {
    /// What is known of each symbol, in the order of the scope.
    pub fn report(&self) -> Vec<SymbolReport> {
        let sessions = &self.scope.sessions;
        let mut all = BitSet::empty(sessions.len());
        all.insert_all(0..sessions.len());
        let of_symbol = |(symbol, cells): (&Symbol, &super::Cells)| {
            let missing = cells.missing(&all);
            let dates = || cells.bars.iter().filter_map(|index| sessions.get(index).copied());
            SymbolReport {
                symbol: symbol.clone(),
                bars: cells.bars.len(),
                between: dates().next().zip(dates().last()),
                known_absent: cells.answered.minus(&cells.bars).len(),
                missing_sessions: missing.len(),
                missing: gaps(&missing, sessions),
            }
        };
        self.scope.symbols().zip(&self.cells).map(of_symbol).collect()
    }
}

fn gaps(missing: &BitSet, sessions: &[NaiveDate]) -> Vec<Gap> {
    let mut gaps: Vec<(usize, Gap)> = Vec::new();
    for index in missing.iter() {
        let Some(date) = sessions.get(index).copied() else { continue };
        match gaps.last_mut() {
            Some((last, gap)) if *last + 1 == index => {
                *last = index;
                *gap = Gap { to: date, sessions: gap.sessions + 1, ..*gap };
            }
            Some(_) | None => gaps.push((index, Gap { from: date, to: date, sessions: 1 })),
        }
    }
    gaps.into_iter().map(|(_, gap)| gap).collect()
}

#[cfg(test)]
mod tests {
    use crate::ingest::coverage::{AnswerSpan, Coverage, Scope};
    use crate::market::instruments::{Symbol, Universe};

    #[test]
    fn what_nobody_knows_is_told_as_stretches_and_what_is_known_to_be_absent_is_counted() {
        let day = |day: u32| chrono::NaiveDate::from_ymd_opt(2025, 10, day).unwrap();
        let symbol: Symbol = "AAPL".parse().unwrap();
        let universe = Universe { name: String::new(), symbols: vec![symbol.clone()], benchmark: None };
        let scope = Scope::new([1, 2, 3, 6, 7, 8, 9].map(day), &universe, &[]);
        let now = "2025-10-30T00:00:00Z".parse().unwrap();
        let span = AnswerSpan { symbol: symbol.clone(), from: day(7), to: day(8), asked_at: now };

        let coverage = Coverage::assess(scope, [(&symbol, day(2)), (&symbol, day(7))], &[span], now);
        let report = coverage.report().remove(0);

        let gaps: Vec<_> = report.missing.iter().map(|gap| (gap.from, gap.to, gap.sessions)).collect();
        assert_eq!(gaps, [(day(1), day(1), 1), (day(3), day(6), 2), (day(9), day(9), 1)]);
        assert_eq!((report.bars, report.known_absent, report.missing_sessions), (2, 1, 4));
        assert_eq!(report.between, Some((day(2), day(7))));
    }
}
