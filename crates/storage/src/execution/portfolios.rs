//! Portfolios: (experiment, model, trial), and the lane that holds each.

use domain::values::ids::PortfolioId;
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Result;

/// A portfolio, locked.
#[derive(Debug, Clone)]
pub struct PortfolioRow {
    /// Its id.
    pub id: PortfolioId,
    /// Its model.
    pub model: String,
    /// Its trial.
    pub trial: u32,
    /// Whether a lane holds it.
    pub held: bool,
}

/// Creates those of these portfolios that are missing, and locks all of them in the order of their ids.
pub(super) async fn lock(
    connection: &mut Connection,
    experiment: &str,
    names: &[(Uuid, String, u32)],
) -> Result<Vec<PortfolioRow>> {
    let ids: Vec<Uuid> = names.iter().map(|(id, _, _)| *id).collect();
    let models: Vec<&str> = names.iter().map(|(_, model, _)| model.as_str()).collect();
    let trials: Vec<i32> = names.iter().map(|(_, _, trial)| trial.cast_signed()).collect();
    sqlx::query(
        "-- portfolios::lock create
        INSERT INTO execution.portfolios (id, experiment, model, trial)
        SELECT id, $2, model, trial
        FROM UNNEST($1::uuid[], $3::text[], $4::int[]) AS given (id, model, trial)
        ORDER BY model, trial
        ON CONFLICT (experiment, model, trial) DO NOTHING",
    )
    .bind(&ids)
    .bind(experiment)
    .bind(&models)
    .bind(&trials)
    .execute(&mut *connection)
    .await?;
    let rows: Vec<(Uuid, String, i32, bool)> = sqlx::query_as(
        "-- portfolios::lock
        SELECT p.id, p.model, p.trial, p.holder IS NOT NULL
        FROM execution.portfolios p
        JOIN UNNEST($2::text[], $3::int[]) AS given (model, trial) ON p.model = given.model AND p.trial = given.trial
        WHERE p.experiment = $1
        ORDER BY p.id
        FOR UPDATE OF p",
    )
    .bind(experiment)
    .bind(&models)
    .bind(&trials)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, model, trial, held)| PortfolioRow {
            id: PortfolioId(id),
            model,
            trial: trial.cast_unsigned(),
            held,
        })
        .collect())
}
