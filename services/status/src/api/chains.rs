//! Portfolios with their winning days over a range of dates, and which of these days are stale: made from a day or
//! from prices that were replaced or filled later.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::performance::leaderboard::PortfolioDays;
use storage::PgPool;
use storage::status::{Portfolio, Span, WinnerRow, portfolios, winners};

/// The winning days of one portfolio over a range of dates, and the last one before it.
pub(super) struct Chain {
    portfolio: Portfolio,
    days: Vec<WinnerRow>,
}

/// The chains of portfolios of one experiment, by model and trial.
pub(super) struct Chains(BTreeMap<(String, u32), Chain>);

impl Chains {
    /// Loads the chains of `models` and `trial` (all when `None`) over `dates`.
    pub(super) async fn load(
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

    pub(super) fn of(&self, model: &str, trial: u32) -> Option<&Chain> {
        self.0.get(&(model.to_owned(), trial))
    }

    /// The models that have a chain, each once.
    pub(super) fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = self.0.keys().map(|(model, _)| model.as_str()).collect();
        models.dedup();
        models
    }

    /// The winning days of all chains from `date` on.
    pub(super) fn days_from(&self, date: NaiveDate) -> Vec<WinnerRow> {
        self.iter().flat_map(Chain::days).filter(|row| row.key.day.date >= date).cloned().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.0.values()
    }
}

impl Chain {
    /// Its winning days, oldest first.
    pub(super) fn days(&self) -> &[WinnerRow] {
        &self.days
    }

    /// The first stale date; all later ones are stale too.
    pub(super) fn stale_from(&self) -> Option<NaiveDate> {
        self.portfolio.stale_from
    }

    /// Whether the winning day of `date` is stale.
    pub(super) fn is_stale(&self, date: NaiveDate) -> bool {
        self.stale_from().is_some_and(|first| first <= date)
    }

    /// The last winning day before `date`.
    pub(super) fn before(&self, date: NaiveDate) -> Option<&WinnerRow> {
        let place = self.days.partition_point(|row| row.key.day.date < date);
        place.checked_sub(1).and_then(|place| self.days.get(place))
    }

    /// The chain in the form that the leaderboard computes with, with the training cutoff of its model.
    pub(super) fn portfolio(&self, cutoffs: &BTreeMap<String, NaiveDate>) -> PortfolioDays {
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
