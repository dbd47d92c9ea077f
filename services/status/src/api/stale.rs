//! Portfolios with their winning days of a range, and which of these stand on a replaced or later filled day, or
//! on replaced prices.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::performance::leaderboard::PortfolioDays;
use storage::PgPool;
use storage::status::{Portfolio, Span, WinnerRow, portfolios, winners};

/// The winners of one portfolio over a range of dates, and the last one before it.
pub(crate) struct Chain {
    portfolio: Portfolio,
    days: Vec<WinnerRow>,
}

/// The chains of portfolios of one experiment, by model and trial.
pub(crate) struct Chains(BTreeMap<(String, u32), Chain>);

impl Chains {
    /// Those of `models` and of `trial` (of all, when `None`) over `dates`.
    pub(crate) async fn load(
        pool: &PgPool,
        experiment: &str,
        models: Option<&[String]>,
        trial: Option<u32>,
        dates: Span,
    ) -> storage::Result<Self> {
        let mut found = portfolios(pool, experiment, models).await?;
        found.retain(|portfolio| trial.is_none_or(|trial| portfolio.trial == trial));
        let mut days: BTreeMap<_, Vec<WinnerRow>> = BTreeMap::new();
        for row in winners(pool, experiment, &found, dates).await? {
            days.entry((row.key.model.clone(), row.key.trial)).or_default().push(row);
        }
        let chain = |portfolio: Portfolio| {
            let key = (portfolio.model.clone(), portfolio.trial);
            let days = days.remove(&key).unwrap_or_default();
            (key, Chain { portfolio, days })
        };
        Ok(Self(found.into_iter().map(chain).collect()))
    }

    /// The chain of one portfolio.
    pub(crate) fn of(&self, model: &str, trial: u32) -> Option<&Chain> {
        self.0.get(&(model.to_owned(), trial))
    }

    /// The models that have a chain, each once.
    pub(crate) fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = self.0.keys().map(|(model, _)| model.as_str()).collect();
        models.dedup();
        models
    }

    /// The winners of all chains from `date` on.
    pub(crate) fn days_from(&self, date: NaiveDate) -> Vec<WinnerRow> {
        self.iter().flat_map(Chain::days).filter(|row| row.key.day.date >= date).cloned().collect()
    }

    /// All chains.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.0.values()
    }
}

impl Chain {
    /// Its winners, oldest first.
    pub(crate) fn days(&self) -> &[WinnerRow] {
        &self.days
    }

    /// Whether the winner of `date` stands on a replaced or later filled day, or on replaced prices.
    pub(crate) fn is_stale(&self, date: NaiveDate) -> bool {
        self.portfolio.stale_from.is_some_and(|first| first <= date)
    }

    /// The winner before `date`.
    pub(crate) fn before(&self, date: NaiveDate) -> Option<&WinnerRow> {
        let place = self.days.partition_point(|row| row.key.day.date < date);
        place.checked_sub(1).and_then(|place| self.days.get(place))
    }

    /// The chain as the leaderboard takes it, with the cutoff of its model.
    pub(crate) fn portfolio(&self, cutoffs: &BTreeMap<String, NaiveDate>) -> PortfolioDays {
        let Portfolio { model, trial, stale_from } = self.portfolio.clone();
        PortfolioDays {
            training_cutoff: cutoffs.get(&model).copied(),
            model,
            trial,
            days: self.days.iter().map(|row| (row.key.day.date, row.figures)).collect(),
            stale_from,
        }
    }
}
