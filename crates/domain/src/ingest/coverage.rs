//! Which bars of a range are stored, which are known not to exist, and which still have to be fetched.
//!
//! Pure: the caller passes what is stored and `now`. What to fetch first is decided in `plan`.

mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::market::instruments::{Symbol, Universe};
use crate::values::bit_set::BitSet;

pub use report::{Gap, SymbolReport};

/// The first date of price history that is kept; a provider's full answer is said to reach back to it.
pub const BEGINNING: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// An absence of a session younger than this may still be filled by the provider.
const YOUNG: TimeDelta = TimeDelta::days(30);

/// How long the answer to a young absence is believed.
const BELIEVED: TimeDelta = TimeDelta::hours(24);

/// What one successful answer says about one symbol: every bar from `from` to `to`, both included,
/// was in it, so a session of the span without a bar has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerSpan {
    /// The symbol the answer is about.
    pub symbol: Symbol,
    /// The oldest date the answer speaks for.
    pub from: NaiveDate,
    /// The last session that was settled when it was asked.
    pub to: NaiveDate,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
}

/// The cells that matter for a job: its sessions, times its symbols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    sessions: Vec<NaiveDate>,
    members: Vec<Symbol>,
    others: Vec<Symbol>,
}

impl Scope {
    /// The cells of `sessions` for the members of `universe`, which decide whether a date can run,
    /// and for the symbols that are wanted but never block a date: those in `held` that have left
    /// the universe, then the benchmark.
    pub fn new(sessions: impl IntoIterator<Item = NaiveDate>, universe: &Universe, held: &[Symbol]) -> Self {
        let sessions = sessions.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut seen = BTreeSet::new();
        let mut unseen = |symbols: Vec<&Symbol>| -> Vec<Symbol> {
            symbols.into_iter().filter(|symbol| seen.insert((*symbol).clone())).cloned().collect()
        };
        let members = unseen(universe.symbols.iter().collect());
        let others = unseen(
            held.iter()
                .filter(|symbol| Some(*symbol) != universe.benchmark.as_ref())
                .chain(&universe.benchmark)
                .collect(),
        );
        Self { sessions, members, others }
    }

    /// The sessions, oldest first, without repetition.
    pub fn sessions(&self) -> &[NaiveDate] {
        &self.sessions
    }

    /// The members, then the other symbols, without repetition.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.members.iter().chain(&self.others)
    }

    /// Indexes of the sessions from `from` to `to`, both included.
    fn between(&self, from: NaiveDate, to: NaiveDate) -> std::ops::Range<usize> {
        let start = self.sessions.partition_point(|session| *session < from);
        start..self.sessions.partition_point(|session| *session <= to).max(start)
    }
}

/// The symbols that the portfolios of `job` hold. `holdings` are those of all portfolios of its models, by model and
/// trial; a model may have had more trials in an earlier job, and these do not count.
pub fn symbols_held_by(job: &Job, holdings: Vec<(String, u32, Symbol)>) -> Vec<Symbol> {
    let is_own =
        |model: &str, trial: u32| job.models.iter().any(|own| own.signature == model && trial < own.trials);
    let own = holdings.into_iter().filter(|(model, trial, _)| is_own(model, *trial));
    own.map(|(_, _, symbol)| symbol).collect()
}

/// Whether a date can be simulated with what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every member has a bar or is known to have none, and at least half of them have one.
    Available,
    /// Nothing is known about these members, in the universe's order.
    Incomplete {
        /// The members without a bar that are not known to have none.
        missing: Vec<Symbol>,
    },
    /// Everything is known, but fewer than half of the members have a bar: more likely a late provider or
    /// an unknown closure than that many halts.
    TooFewBars {
        /// How many members have a bar.
        with_bar: usize,
        /// How many members the universe has.
        members: usize,
    },
}

/// What has to be fetched, and what cannot be fetched yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// Members' bars that nothing is known about: they keep a date from running.
    pub missing: BTreeMap<Symbol, BTreeSet<NaiveDate>>,
    /// Members' bars known not to exist, of young sessions and asked about over a day ago: worth asking
    /// again, but they keep no date from running.
    pub recheck: BTreeMap<Symbol, BTreeSet<NaiveDate>>,
    /// Bars of symbols that never block a date, most wanted symbol first: held, then the benchmark.
    pub others: Vec<(Symbol, BTreeSet<NaiveDate>)>,
    /// Sessions with missing bars that no provider can have yet.
    pub not_fetchable: BTreeSet<NaiveDate>,
}

impl Need {
    /// Whether there is nothing to ask a provider for.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.recheck.is_empty() && self.others.is_empty()
    }

    /// The dates of `symbol` that a request for it would serve, oldest first.
    pub fn dates_of(&self, symbol: &Symbol) -> BTreeSet<NaiveDate> {
        let other = self.others.iter().find(|(other, _)| other == symbol).map(|(_, dates)| dates);
        [self.missing.get(symbol), self.recheck.get(symbol), other]
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect()
    }
}

/// What is known about each cell of a scope.
#[derive(Debug, Clone)]
pub struct Coverage {
    scope: Scope,
    cells: Vec<Cells>,
}

/// One symbol's sessions, by their index in the scope.
#[derive(Debug, Clone)]
struct Cells {
    bars: BitSet,
    /// Inside the span of an answer.
    answered: BitSet,
    /// Inside the span of an answer that is still believed for young sessions.
    answered_lately: BitSet,
}

impl Cells {
    fn missing(&self, all: &BitSet) -> BitSet {
        all.minus(&self.bars).minus(&self.answered)
    }

    fn recheck(&self, young: &BitSet) -> BitSet {
        let unsure = self.answered.minus(&self.bars).minus(&self.answered_lately);
        unsure.minus(&unsure.minus(young))
    }
}

impl Coverage {
    /// What `bars` (symbol and date of every stored bar; others are ignored) and `spans` say about the
    /// cells of `scope`.
    pub fn assess<'a>(
        scope: Scope,
        bars: impl IntoIterator<Item = (&'a Symbol, NaiveDate)>,
        spans: &[AnswerSpan],
        now: DateTime<Utc>,
    ) -> Self {
        let none = BitSet::empty(scope.sessions.len());
        let unknown = Cells { bars: none.clone(), answered: none.clone(), answered_lately: none };
        let mut cells = vec![unknown; scope.symbols().count()];
        let row: HashMap<&Symbol, usize> = scope.symbols().zip(0..).collect();

        for (symbol, date) in bars {
            if let (Some(row), Ok(session)) = (row.get(symbol), scope.sessions.binary_search(&date)) {
                cells[*row].bars.insert(session);
            }
        }
        for span in spans {
            if let Some(row) = row.get(&span.symbol) {
                let covered = scope.between(span.from, span.to);
                cells[*row].answered.insert_all(covered.clone());
                if now - span.asked_at < BELIEVED {
                    cells[*row].answered_lately.insert_all(covered);
                }
            }
        }
        Self { scope, cells }
    }

    /// What is missing and can be had: nothing after `fetchable_until`, the last session whose bars may be
    /// stored by now.
    pub fn need(&self, now: DateTime<Utc>, fetchable_until: NaiveDate) -> Need {
        let sessions = self.scope.sessions.len();
        let fetchable = self.scope.between(NaiveDate::MIN, fetchable_until);
        let (mut all, mut young) = (BitSet::empty(sessions), BitSet::empty(sessions));
        all.insert_all(fetchable.clone());
        let first_young = now.date_naive() - YOUNG + TimeDelta::days(1);
        young.insert_all(self.scope.between(first_young, fetchable_until));

        let mut need = Need { not_fetchable: self.unfinished(fetchable.end), ..Need::default() };
        for (symbol, cells) in self.scope.members.iter().zip(&self.cells) {
            self.note(&mut need.missing, symbol, &cells.missing(&all));
            self.note(&mut need.recheck, symbol, &cells.recheck(&young));
        }
        for (symbol, cells) in self.scope.others.iter().zip(&self.cells[self.scope.members.len()..]) {
            let mut wanted = cells.missing(&all);
            wanted.union_with(&cells.recheck(&young));
            if !wanted.is_empty() {
                need.others.push((symbol.clone(), self.dates(&wanted)));
            }
        }
        need
    }

    /// Each session with whether it can be simulated. Symbols outside the universe have no say.
    pub fn verdicts(&self) -> BTreeMap<NaiveDate, Verdict> {
        let verdict = |(index, session): (usize, &NaiveDate)| (*session, self.verdict(index));
        self.scope.sessions.iter().enumerate().map(verdict).collect()
    }

    fn verdict(&self, session: usize) -> Verdict {
        let members = || self.scope.members.iter().zip(&self.cells);
        let unknown = |cells: &Cells| !cells.bars.contains(session) && !cells.answered.contains(session);
        let missing: Vec<_> =
            members().filter(|(_, cells)| unknown(cells)).map(|(symbol, _)| symbol.clone()).collect();
        if !missing.is_empty() {
            return Verdict::Incomplete { missing };
        }
        let with_bar = members().filter(|(_, cells)| cells.bars.contains(session)).count();
        let members = self.scope.members.len();
        if with_bar * 2 < members { Verdict::TooFewBars { with_bar, members } } else { Verdict::Available }
    }

    /// The sessions from index `from` on that lack a bar of any symbol.
    fn unfinished(&self, from: usize) -> BTreeSet<NaiveDate> {
        let lacks = |session: &usize| self.cells.iter().any(|cells| !cells.bars.contains(*session));
        (from..self.scope.sessions.len()).filter(lacks).map(|session| self.scope.sessions[session]).collect()
    }

    fn note(&self, into: &mut BTreeMap<Symbol, BTreeSet<NaiveDate>>, symbol: &Symbol, sessions: &BitSet) {
        if !sessions.is_empty() {
            into.insert(symbol.clone(), self.dates(sessions));
        }
    }

    fn dates(&self, sessions: &BitSet) -> BTreeSet<NaiveDate> {
        sessions.iter().map(|index| self.scope.sessions[index]).collect()
    }
}

#[cfg(test)]
mod tests;
