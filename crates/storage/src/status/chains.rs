//! Chains of portfolios' winning days: the first day of each that is stale.
//!
//! `domain::simulation::staleness` has the rule; here it is applied to what changed, in the statement that stores it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::events::job_view::days::{DayFact, DayState};

use crate::connection::Connection;
use crate::error::Result;

/// A portfolio: experiment, model, trial.
type PortfolioName = (String, String, u32);

/// Portfolios whose completed days changed, each with the first date that did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes(BTreeMap<PortfolioName, NaiveDate>);

impl Changes {
    /// What these facts may change once they are stored.
    pub(super) fn of<'a>(facts: impl IntoIterator<Item = &'a DayFact>) -> Self {
        let mut changes = Self::default();
        for DayFact { key, .. } in facts.into_iter().filter(|fact| fact.state == DayState::Completed) {
            changes.add((key.experiment.clone(), key.model.clone(), key.trial), key.date);
        }
        changes
    }

    /// Adds a day of a portfolio.
    pub(super) fn add(&mut self, portfolio: PortfolioName, date: NaiveDate) {
        self.0.entry(portfolio).and_modify(|first| *first = date.min(*first)).or_insert(date);
    }

    /// Adds all changes of `other`.
    pub(super) fn merge(&mut self, other: Self) {
        for (portfolio, date) in other.0 {
            self.add(portfolio, date);
        }
    }
}

/// Brings the chains of `changes` up to date; their days are already written in this transaction.
///
/// Days before the first changed one stay as they were. So a chain that is stale from an earlier day on stays so, and
/// any other is searched from the first changed day on, for a day whose base is not the winning day before it.
pub(super) async fn follow(connection: &mut Connection, changes: &Changes) -> Result<()> {
    if changes.0.is_empty() {
        return Ok(());
    }
    let columns = |statement: &'static str| {
        sqlx::query(statement)
            .bind(changes.0.keys().map(|(experiment, _, _)| experiment.as_str()).collect::<Vec<_>>())
            .bind(changes.0.keys().map(|(_, model, _)| model.as_str()).collect::<Vec<_>>())
            .bind(changes.0.keys().map(|(_, _, trial)| trial.cast_signed()).collect::<Vec<_>>())
    };
    // A statement of its own, and in order: the next statement then sees what earlier holders of these rows committed.
    // It sets the plan mode of the next one too, which PostgreSQL would otherwise plan anew each time, for longer than it
    // runs: without this, a job of many short days takes 7 % longer.
    columns(
        "-- chains::follow lock
        INSERT INTO status.chains AS chain (experiment, model, trial)
        SELECT experiment, model, trial
        FROM (
            SELECT set_config('plan_cache_mode', 'force_generic_plan', true) OFFSET 0
        ) AS setting, UNNEST($1::text[], $2::text[], $3::int[]) WITH ORDINALITY AS given (experiment, model, trial, place)
        ORDER BY place
        ON CONFLICT (experiment, model, trial) DO UPDATE SET stale_from = chain.stale_from",
    )
    .execute(&mut *connection)
    .await?;
    columns(
        "-- chains::follow
        WITH changed AS MATERIALIZED (
            SELECT given.*, coalesce((
                SELECT max(before.trading_date)
                FROM status.model_days before
                WHERE before.state = 'completed' AND before.experiment = given.experiment
                    AND before.model = given.model AND before.trial = given.trial
                    AND before.trading_date < given.first_date
            ), given.first_date) AS previous_date
            FROM UNNEST($1::text[], $2::text[], $3::int[], $4::date[])
                AS given (experiment, model, trial, first_date)
        )
        UPDATE status.chains chain
        SET stale_from = found.stale_from
        FROM (
            SELECT changed.experiment, changed.model, changed.trial, changed.first_date, (
                SELECT link.trading_date
                FROM (
                    SELECT trading_date, base_date, base_revision, lag(trading_date) OVER dates AS previous_date,
                        lag(revision) OVER dates AS previous_revision
                    FROM status.winning_days(changed.experiment, changed.model, changed.trial, changed.previous_date,
                        'infinity')
                    WINDOW dates AS (ORDER BY trading_date)
                ) link
                WHERE link.trading_date >= changed.first_date
                    AND (link.base_date, link.base_revision)
                        IS DISTINCT FROM (link.previous_date, link.previous_revision)
                ORDER BY link.trading_date
                LIMIT 1
            ) AS stale_from
            FROM changed
        ) found
        WHERE chain.experiment = found.experiment AND chain.model = found.model AND chain.trial = found.trial
            AND (chain.stale_from IS NULL OR chain.stale_from >= found.first_date)
            AND chain.stale_from IS DISTINCT FROM found.stale_from",
    )
    .bind(changes.0.values().copied().collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    Ok(())
}
