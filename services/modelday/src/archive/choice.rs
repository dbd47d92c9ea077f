//! Which jobs go, and what hangs together with them.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use domain::job::archiving::{JobGroup, groups};
use storage::PgPool;
use storage::archive::{Archivable, NamedPortfolio, archivable};
use uuid::Uuid;

/// Jobs that are written and deleted together; a larger group is a batch of its own.
const BATCH_JOBS: usize = 200;

/// Jobs that are deleted in one transaction, in whole groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) jobs: Vec<Uuid>,
    pub(super) portfolios: Vec<Uuid>,
}

/// The jobs that go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) batches: Vec<Batch>,
    before: DateTime<Utc>,
    portfolios: Vec<NamedPortfolio>,
    /// Jobs that ended before, and stay.
    stay: usize,
}

impl Choice {
    /// The jobs that ended before the moment, as far as they can go.
    pub(super) async fn of(pool: &PgPool, before: DateTime<Utc>) -> anyhow::Result<Self> {
        let found = archivable(pool, before).await.context("looking for old jobs")?;
        Ok(Self::among(&found, before))
    }

    fn among(found: &Archivable, before: DateTime<Utc>) -> Self {
        let groups = groups(&found.ended, &found.lanes, &found.kept);
        let ids = groups.iter().flat_map(|group| &group.portfolios);
        let mut portfolios: Vec<_> = ids.filter_map(|id| found.portfolios.get(id).cloned()).collect();
        portfolios.sort();
        let going: usize = groups.iter().map(|group| group.jobs.len()).sum();
        Self { batches: batches(groups), before, portfolios, stay: found.ended.len() - going }
    }

    /// How many jobs go.
    pub(super) fn jobs(&self) -> usize {
        self.batches.iter().map(|batch| batch.jobs.len()).sum()
    }

    /// The portfolios that go.
    pub(super) fn portfolios(&self) -> &[NamedPortfolio] {
        &self.portfolios
    }
}

fn batches(groups: Vec<JobGroup>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for group in groups {
        match batches.last_mut().filter(|batch| batch.jobs.len() + group.jobs.len() <= BATCH_JOBS) {
            Some(batch) => batch.add(group),
            None => {
                let mut batch = Batch::default();
                batch.add(group);
                batches.push(batch);
            }
        }
    }
    batches
}

impl Batch {
    fn add(&mut self, group: JobGroup) {
        self.jobs.extend(group.jobs.iter().map(|job| job.0));
        self.portfolios.extend(group.portfolios.iter().map(|portfolio| portfolio.0));
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} jobs ended before {} and go.", self.jobs(), self.before.date_naive())?;
        if self.stay > 0 {
            writeln!(
                f,
                "{} jobs ended before and stay: later or active jobs hang together with them by their portfolios.",
                self.stay
            )?;
        }
        let mut experiments: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for NamedPortfolio { experiment, model, trial } in &self.portfolios {
            let name = if *trial == 0 { model.clone() } else { format!("{model} (trial {trial})") };
            experiments.entry(experiment).or_default().push(name);
        }
        for (experiment, names) in experiments {
            writeln!(f, "From the leaderboard of {experiment:?} go: {}.", names.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::values::ids::{JobId, PortfolioId};

    use super::*;

    #[test]
    fn groups_are_not_split_and_small_ones_share_a_batch() {
        let group = |first: usize, count: usize| JobGroup {
            jobs: (first..first + count).map(|number| JobId(Uuid::from_u128(number as u128))).collect(),
            portfolios: BTreeSet::from([PortfolioId(Uuid::from_u128(first as u128))]),
        };

        let batches =
            batches(vec![group(0, 1), group(1, 150), group(200, 60), group(300, 500), group(900, 2)]);

        let sizes: Vec<_> = batches.iter().map(|batch| (batch.jobs.len(), batch.portfolios.len())).collect();
        assert_eq!(sizes, [(151, 2), (60, 1), (500, 1), (2, 1)]);
    }

    #[test]
    fn what_leaves_the_leaderboard_and_what_stays_is_said() {
        let (job, other, portfolio) =
            (JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2)), PortfolioId(Uuid::from_u128(9)));
        let named = NamedPortfolio { experiment: "spring".to_owned(), model: "cash".to_owned(), trial: 1 };
        let kept = PortfolioId(Uuid::from_u128(10));
        let found = Archivable {
            ended: BTreeSet::from([job, other]),
            lanes: vec![(job, portfolio), (other, kept)],
            kept: BTreeSet::from([kept]),
            portfolios: BTreeMap::from([(portfolio, named)]),
        };

        let text = Choice::among(&found, "2026-01-01T00:00:00Z".parse().unwrap()).to_string();

        assert!(
            text.starts_with("1 jobs ended before 2026-01-01 and go.\n1 jobs ended before and stay"),
            "{text}"
        );
        assert!(text.contains("From the leaderboard of \"spring\" go: cash (trial 1)."), "{text}");
    }
}
