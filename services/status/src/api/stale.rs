//! Days that stand on a replaced or later filled day: found on the whole chain of a portfolio.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::lane::stale_dates;
use domain::leaderboard::PortfolioDays;
use storage::PgPool;
use storage::status::{WinnerFilter, WinnerRow, winners};

/// The winners of portfolios, from their first day on, by experiment, model and trial.
pub(crate) struct Chains(BTreeMap<(String, String, u32), Vec<WinnerRow>>);

impl Chains {
    /// The chains of `models` (all, when `None`) of an experiment up to `to`.
    pub(crate) async fn load(
        pool: &PgPool,
        experiment: &str,
        models: Option<&[String]>,
        to: Option<NaiveDate>,
    ) -> storage::Result<Self> {
        let filter = WinnerFilter { experiment: Some(experiment), models, to, ..WinnerFilter::default() };
        let mut chains: BTreeMap<_, Vec<WinnerRow>> = BTreeMap::new();
        for row in winners(pool, &filter).await? {
            let key = (row.key.experiment.clone(), row.key.model.clone(), row.key.trial);
            chains.entry(key).or_default().push(row);
        }
        Ok(Self(chains))
    }

    /// The chain of one portfolio.
    pub(crate) fn of(&self, experiment: &str, model: &str, trial: u32) -> &[WinnerRow] {
        self.0.get(&(experiment.to_owned(), model.to_owned(), trial)).map_or(&[], Vec::as_slice)
    }

    /// The models that have a chain, each once.
    pub(crate) fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = self.0.keys().map(|(_, model, _)| model.as_str()).collect();
        models.dedup();
        models
    }

    /// All chains.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[WinnerRow]> {
        self.0.values().map(Vec::as_slice)
    }
}

/// The stale dates of one chain.
pub(crate) fn stale(chain: &[WinnerRow]) -> BTreeSet<NaiveDate> {
    let days = chain.iter().map(|row| (row.key.day.date, row.figures.revision, row.figures.base));
    stale_dates(days).into_iter().collect()
}

/// A chain as the leaderboard takes it, with the cutoff of its model; `None` for an empty one.
pub(crate) fn portfolio(chain: &[WinnerRow], cutoffs: &BTreeMap<String, NaiveDate>) -> Option<PortfolioDays> {
    let first = chain.first()?;
    Some(PortfolioDays {
        model: first.key.model.clone(),
        trial: first.key.trial,
        training_cutoff: cutoffs.get(&first.key.model).copied(),
        days: chain.iter().map(|row| (row.key.day.date, row.figures)).collect(),
    })
}
