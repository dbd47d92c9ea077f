//! The symbols of a job across renames, and those whose prices it needs: one rule, for jobs and for their dry runs.

use chrono::NaiveDate;

use crate::ingest::coverage::{Scope, symbols_held_by};
use crate::ingest::needed_symbols::{compared_symbols, needed_universe};
use crate::job::Job;
use crate::market::instruments::{Symbol, Universe};
use crate::market::renames::{Renames, Untraded};

/// The symbols whose prices a job needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSymbols {
    /// Those that decide whether a date can run, with all symbols of their companies.
    pub needed: Universe,
    /// Those that its portfolios hold.
    pub held: Vec<Symbol>,
    /// When the needed ones do not stand for their companies.
    untraded: Vec<Untraded>,
}

impl JobSymbols {
    /// The symbols of `job`, whose universe gets all symbols of its companies. `holdings` are those of all portfolios of
    /// its models, by model and trial; `renames` are those of its symbols up to its end.
    pub fn of(job: &mut Job, holdings: Vec<(String, u32, Symbol)>, renames: &Renames) -> Self {
        let (first, last) = (job.first_date(), job.end);
        let named = job.universe.clone();
        job.universe = renames.with_all_symbols(named.clone(), first, last);
        let held = symbols_held_by(job, holdings);
        let needed = renames.with_all_symbols(needed_universe(job, &held), first, last);
        let untraded = renames.untraded(&needed, &named);
        Self { needed, held, untraded }
    }

    /// The rest of the universe that recorded models of the job are compared with.
    pub fn compared(&self, job: &Job) -> Vec<Symbol> {
        compared_symbols(job, &self.needed)
    }

    /// The cells of `sessions` that matter. No date waits for the prices of `others`.
    pub fn scope(self, sessions: impl IntoIterator<Item = NaiveDate>, mut others: Vec<Symbol>) -> Scope {
        others.extend(self.held);
        Scope::new(sessions, &self.needed, &others).with_untraded(self.untraded)
    }
}
