//! Results that the executor would have stored.

use std::collections::BTreeMap;

use domain::job::Job;
use uuid::Uuid;

use super::{World, date};

impl World {
    /// Stores, as the executor does, that the job's first model has completed a day.
    pub(crate) async fn complete(&self, job: &Job, day: &str) {
        self.complete_holding(job, day, &[]).await;
    }

    /// The same, with one share of each of these symbols at its end.
    pub(crate) async fn complete_holding(&self, job: &Job, day: &str, held: &[&str]) {
        let holdings: BTreeMap<&str, u64> = held.iter().map(|symbol| (*symbol, 1)).collect();
        sqlx::query(
            "WITH portfolio AS (
                INSERT INTO execution.portfolios (id, experiment, model, trial)
                VALUES ($1, $2, $3, 0)
                ON CONFLICT (experiment, model, trial) DO UPDATE SET trial = 0
                RETURNING id
            )
            INSERT INTO execution.model_days
                (job_id, portfolio_id, trading_date, state, revision, cash, holdings, value_at_open)
            SELECT $1, id, $4, 'completed', 1, 10000, $5, 10000 FROM portfolio",
        )
        .bind(Uuid::now_v7())
        .bind(&job.experiment)
        .bind(&job.models[0].signature)
        .bind(date(day))
        .bind(sqlx::types::Json(holdings))
        .execute(&self.database.admin)
        .await
        .unwrap();
    }
}
