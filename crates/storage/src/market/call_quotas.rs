//! Call quotas: the windows of a provider key, shared by all replicas, by the clock of Postgres.

use chrono::{DateTime, Utc};
use domain::ingest::call_quota::{Window, WindowState};
use sqlx::types::Json;

use crate::error::Result;
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// The windows of a provider key, locked.
pub struct LockedQuota {
    transaction: Transaction,
    provider: String,
    /// The database's time.
    pub now: DateTime<Utc>,
    /// Each window, with what has been used of it.
    pub windows: Vec<(Window, WindowState)>,
}

type WindowRow = (String, Json<WindowState>);

/// Each window with its state; a window without a row is not used yet.
fn join(windows: &[Window], rows: Vec<WindowRow>) -> Vec<(Window, WindowState)> {
    let state = |window: &Window| {
        rows.iter()
            .find(|(name, _)| name == window.id())
            .map(|(_, state)| state.0.clone())
            .unwrap_or_default()
    };
    windows.iter().map(|window| (window.clone(), state(window))).collect()
}

/// Locks the windows of a provider key, in the order of their names.
pub async fn lock_call_quota(pool: &PgPool, provider: &str, windows: &[Window]) -> Result<LockedQuota> {
    let mut transaction = pool.begin().await?;
    let names: Vec<&str> = windows.iter().map(Window::id).collect();
    sqlx::query(
        "-- call_quotas::lock_call_quota create
        INSERT INTO market.call_quotas (provider, window_name, state)
        SELECT $1, name, '{}' FROM UNNEST($2::text[]) AS name ORDER BY name
        ON CONFLICT DO NOTHING",
    )
    .bind(provider)
    .bind(&names)
    .execute(&mut *transaction)
    .await?;
    let rows: Vec<WindowRow> = sqlx::query_as(
        "-- call_quotas::lock_call_quota
        SELECT window_name, state
        FROM market.call_quotas
        WHERE provider = $1 AND window_name = ANY($2)
        ORDER BY window_name
        FOR UPDATE",
    )
    .bind(provider)
    .bind(&names)
    .fetch_all(&mut *transaction)
    .await?;
    let (now,): (DateTime<Utc>,) =
        sqlx::query_as("-- call_quotas::lock_call_quota now\nSELECT clock_timestamp()")
            .fetch_one(&mut *transaction)
            .await?;
    Ok(LockedQuota { transaction, provider: provider.to_owned(), now, windows: join(windows, rows) })
}

impl LockedQuota {
    /// Stores what has been used by now, and unlocks the windows.
    pub async fn store(mut self, states: &[(String, WindowState)]) -> Result<()> {
        for (name, state) in states {
            sqlx::query(
                "-- call_quotas::store
                UPDATE market.call_quotas SET state = $3, updated_at = now() WHERE provider = $1 AND window_name = $2",
            )
            .bind(&self.provider)
            .bind(name)
            .bind(Json(state))
            .execute(&mut *self.transaction)
            .await?;
        }
        self.transaction.commit().await?;
        Ok(())
    }

    /// Unlocks the windows as they are.
    pub async fn leave(self) -> Result<()> {
        self.transaction.rollback().await?;
        Ok(())
    }
}

/// The windows as they are, without locking them.
pub async fn peek_call_quota(
    pool: &PgPool,
    provider: &str,
    windows: &[Window],
) -> Result<Vec<(Window, WindowState)>> {
    let rows: Vec<WindowRow> = sqlx::query_as(
        "-- call_quotas::peek_call_quota
        SELECT window_name, state FROM market.call_quotas WHERE provider = $1",
    )
    .bind(provider)
    .fetch_all(pool)
    .await?;
    Ok(join(windows, rows))
}
