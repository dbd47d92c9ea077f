//! Coverage by symbol, as it is shown to users.

use chrono::NaiveDate;

use super::{Cells, Coverage};
use crate::market::instruments::Symbol;
use crate::values::bit_set::BitSet;

/// The coverage of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolReport {
    /// The symbol.
    pub symbol: Symbol,
    /// Number of sessions with a bar.
    pub bars: usize,
    /// The first and the last session with a bar.
    pub between: Option<(NaiveDate, NaiveDate)>,
    /// Number of sessions that are known to have no bar.
    pub known_absent: usize,
    /// Number of sessions of which nothing is known.
    pub missing_sessions: usize,
    /// These sessions as gaps, oldest first.
    pub missing: Vec<Gap>,
}

/// Consecutive sessions without a known bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first session.
    pub from: NaiveDate,
    /// The last session.
    pub to: NaiveDate,
    /// Their number.
    pub sessions: usize,
}

impl Coverage {
    /// The coverage of each symbol, in the order of the scope.
    pub fn report(&self) -> Vec<SymbolReport> {
        let sessions = &self.scope.sessions;
        let mut all = BitSet::empty(sessions.len());
        all.insert_all(0..sessions.len());
        let of_symbol = |(symbol, cells): (&Symbol, &Cells)| {
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
    fn unknown_sessions_are_reported_as_gaps_and_known_absences_are_counted() {
        let day = |day: u32| chrono::NaiveDate::from_ymd_opt(2025, 10, day).unwrap();
        let symbol: Symbol = "AAPL".parse().unwrap();
        let universe = Universe { name: String::new(), symbols: vec![symbol.clone()], benchmark: None };
        let scope = Scope::new([1, 2, 3, 6, 7, 8, 9].map(day), &universe, &[]);
        let now = "2025-10-30T00:00:00Z".parse().unwrap();
        let span = AnswerSpan { symbol: symbol.clone(), from: day(7), to: day(8), requested_at: now };

        let coverage = Coverage::assess(scope, [(&symbol, day(2)), (&symbol, day(7))], &[span], now);
        let report = coverage.report().remove(0);

        let gaps: Vec<_> = report.missing.iter().map(|gap| (gap.from, gap.to, gap.sessions)).collect();
        assert_eq!(gaps, [(day(1), day(1), 1), (day(3), day(6), 2), (day(9), day(9), 1)]);
        assert_eq!((report.bars, report.known_absent, report.missing_sessions), (2, 1, 4));
        assert_eq!(report.between, Some((day(2), day(7))));
    }
}
