//! Which bars of a range are stored, which are known not to exist, and which still have to be fetched.
//!
//! Pure: the caller passes the stored bars and `now`. `fetch_plan` decides what to fetch first.

pub mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::job::Job;
use crate::market::instruments::{Symbol, Universe};
use crate::market::renames::Untraded;
use crate::values::bit_set::BitSet;

/// The first date of the stored price history. A provider's full answer counts as covering every date from here on.
pub const BEGINNING: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// For a session younger than this, the provider may still add a bar that it does not have.
const YOUNG: TimeDelta = TimeDelta::days(30);

/// How long an answer without a bar of a young session is valid.
const YOUNG_VALIDITY: TimeDelta = TimeDelta::hours(24);

/// The span of dates that a provider's answer about one symbol covers. The answer has every bar from `from` to `to`,
/// both included; so a session of the span without a bar has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerSpan {
    /// The symbol.
    pub symbol: Symbol,
    /// The oldest date of the span.
    pub from: NaiveDate,
    /// The last date of the span: the last session whose bars were final at the time of the request.
    pub to: NaiveDate,
    /// When the answer was requested.
    pub requested_at: DateTime<Utc>,
}

/// The cells that matter for a job; a cell is one symbol on one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    sessions: Vec<NaiveDate>,
    members: Vec<Symbol>,
    others: Vec<Symbol>,
    /// When symbols belong to no company of the scope, because of renames: they have no bar then.
    untraded: Vec<Untraded>,
}

impl Scope {
    /// The cells of `sessions` for two groups of symbols. The members of `universe` decide whether a date can run. The
    /// others are fetched too but never block a date: the symbols in `held` that have left the universe, then the
    /// benchmark.
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
        Self { sessions, members, others, untraded: Vec::new() }
    }

    /// The same, with symbols that have no bar in some time.
    #[must_use]
    pub fn with_untraded(self, untraded: Vec<Untraded>) -> Self {
        Self { untraded, ..self }
    }

    /// The cells of one of its symbols.
    #[must_use]
    pub fn of(&self, symbol: &Symbol) -> Self {
        Self { members: vec![symbol.clone()], others: Vec::new(), ..self.clone() }
    }

    /// The sessions, oldest first, without repetition.
    pub fn sessions(&self) -> &[NaiveDate] {
        &self.sessions
    }

    /// The cells of one of the sessions.
    #[must_use]
    pub fn on(&self, date: NaiveDate) -> Self {
        let sessions = self.sessions.iter().filter(|session| **session == date).copied().collect();
        Self { sessions, ..self.clone() }
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

/// Whether a date can be simulated with the stored bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every member has a bar or is known to have none, and at least half of the members have one.
    Available,
    /// It is not known whether some members have a bar.
    Incomplete {
        /// These members, in the universe's order.
        missing: Vec<Symbol>,
    },
    /// Every member is known, but fewer than half of them have a bar. A late provider or an unknown closure of the
    /// exchange is more likely than that many trading halts.
    TooFewBars {
        /// How many members have a bar.
        with_bar: usize,
        /// How many members the universe has.
        members: usize,
    },
}

/// The bars that have to be fetched, and those that cannot be fetched yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// Members' bars that are not known: they block their dates.
    pub missing: BTreeMap<Symbol, BTreeSet<NaiveDate>>,
    /// Members' bars of young sessions that the provider did not have more than a day ago. They are requested again,
    /// but they block no date.
    pub recheck: BTreeMap<Symbol, BTreeSet<NaiveDate>>,
    /// Bars of symbols that never block a date, the most important symbol first: held ones, then the benchmark.
    pub others: Vec<(Symbol, BTreeSet<NaiveDate>)>,
    /// Sessions with missing bars that are too recent for any provider.
    pub not_fetchable: BTreeSet<NaiveDate>,
}

impl Need {
    /// Whether there is nothing to fetch.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.recheck.is_empty() && self.others.is_empty()
    }

    /// The dates of `symbol` whose bars are needed, oldest first.
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

/// What is known about each cell of a scope: a stored bar, a known absence, or nothing.
#[derive(Debug, Clone)]
pub struct Coverage {
    scope: Scope,
    cells: Vec<Cells>,
}

/// One symbol's cells; a session is its index in the scope.
#[derive(Debug, Clone)]
struct Cells {
    bars: BitSet,
    /// Inside the span of an answer.
    answered: BitSet,
    /// Inside the span of an answer that is still valid for young sessions.
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
    /// Derives the coverage of `scope` from the stored bars, as symbol and date, and from the answers' spans. Those
    /// outside the scope are ignored.
    pub fn assess<'a>(
        scope: Scope,
        bars: impl IntoIterator<Item = (&'a Symbol, NaiveDate)>,
        spans: impl IntoIterator<Item = &'a AnswerSpan>,
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
                if now - span.requested_at < YOUNG_VALIDITY {
                    cells[*row].answered_lately.insert_all(covered);
                }
            }
        }
        for (symbol, from, to) in &scope.untraded {
            if let Some(row) = row.get(symbol) {
                let covered = scope.between(*from, *to);
                cells[*row].answered.insert_all(covered.clone());
                cells[*row].answered_lately.insert_all(covered);
            }
        }
        Self { scope, cells }
    }

    /// The same, with these symbols known to have no bar where none is stored.
    #[must_use]
    pub fn without<'a>(mut self, absent: impl IntoIterator<Item = &'a Symbol>) -> Self {
        let all = 0..self.scope.sessions.len();
        let row: HashMap<Symbol, usize> = self.scope.symbols().cloned().zip(0..).collect();
        for cells in absent.into_iter().filter_map(|symbol| row.get(symbol)) {
            let cells = &mut self.cells[*cells];
            cells.answered.insert_all(all.clone());
            cells.answered_lately.insert_all(all.clone());
        }
        self
    }

    /// The symbols of `absent` that lack the bar of some session.
    pub fn lacking<'a>(&self, absent: impl IntoIterator<Item = &'a Symbol>) -> BTreeSet<&'a Symbol> {
        let sessions = self.scope.sessions.len();
        let row: HashMap<&Symbol, usize> = self.scope.symbols().zip(0..).collect();
        let lacks =
            |symbol: &&Symbol| row.get(*symbol).is_some_and(|row| self.cells[*row].bars.len() < sessions);
        absent.into_iter().filter(lacks).collect()
    }

    /// The bars to fetch, none of them after `fetchable_until`, the last session whose bars may be stored at `now`.
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
            let mut sessions = cells.missing(&all);
            sessions.union_with(&cells.recheck(&young));
            if !sessions.is_empty() {
                need.others.push((symbol.clone(), self.dates(&sessions)));
            }
        }
        need
    }

    /// The verdict on each session. Only members of the universe count.
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

    /// The sessions from index `from` on that lack a bar of some symbol.
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
