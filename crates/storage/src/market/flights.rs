//! Downloads in flight: a symbol wanted by several preparations is fetched once.

use domain::ingest::coverage::AnswerSpan;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::bars::{BarRow, Stored, insert_bars};
use super::findings;
use super::spans::insert_span;
use crate::error::Result;

/// What a download brought.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'a> {
    /// The symbol whose download ends.
    pub symbol: &'a Symbol,
    /// Who has it.
    pub holder: Uuid,
    /// What the provider is called.
    pub source: &'a str,
    /// The bars of the answer.
    pub bars: &'a [BarRow],
    /// What the answer covers.
    pub spans: &'a [AnswerSpan],
    /// The job that it was made for.
    pub job: JobId,
    /// Rows of the answer that are not bars, with what is wrong with each.
    pub rejected: &'a [String],
}

/// Stores what a download brought, with what was odd about it, and gives it back, in one commit; `None`, and nothing stored, when
/// somebody else has taken it over meanwhile.
///
/// # Errors
/// When Postgres refuses; nothing is stored then.
pub async fn land(pool: &PgPool, landing: Landing<'_>) -> Result<Option<Stored>> {
    let mut transaction = pool.begin().await?;
    if !release(&mut transaction, landing.symbol, landing.holder).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let stored = insert_bars(&mut transaction, landing.source, landing.bars).await?;
    for span in landing.spans {
        insert_span(&mut transaction, span).await?;
    }
    findings::note(&mut transaction, landing.job, landing.symbol, &stored.revised, landing.rejected).await?;
    transaction.commit().await?;
    Ok(Some(stored))
}

/// Keeps all downloads of a holder for `seconds` from now.
///
/// # Errors
/// When Postgres refuses.
pub async fn renew_flights(pool: &PgPool, holder: Uuid, seconds: f64) -> Result<()> {
    sqlx::query(
        "-- flights::renew_flights
        UPDATE market.downloads_in_flight
        SET lease_until = now() + make_interval(secs => $2)
        WHERE holder = $1",
    )
    .bind(holder)
    .bind(seconds)
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives the download of a symbol back without having stored anything.
///
/// # Errors
/// When Postgres refuses.
pub async fn give_back(pool: &PgPool, symbol: &Symbol, holder: Uuid) -> Result<()> {
    let mut connection = pool.acquire().await?;
    release(&mut connection, symbol, holder).await?;
    Ok(())
}

/// Gives all downloads of a holder back, as they are.
///
/// # Errors
/// When Postgres refuses.
pub async fn release_all(pool: &PgPool, holder: Uuid) -> Result<()> {
    sqlx::query("-- flights::release_all\nDELETE FROM market.downloads_in_flight WHERE holder = $1")
        .bind(holder)
        .execute(pool)
        .await?;
    Ok(())
}

/// Takes the download of a symbol for `seconds`; false while somebody else has it.
///
/// # Errors
/// When Postgres refuses.
pub async fn take_flight(pool: &PgPool, symbol: &Symbol, holder: Uuid, seconds: f64) -> Result<bool> {
    let taken = sqlx::query(
        "-- flights::take_flight
        INSERT INTO market.downloads_in_flight AS flight (symbol, holder, lease_until)
        VALUES ($1, $2, now() + make_interval(secs => $3))
        ON CONFLICT (symbol) DO UPDATE
        SET holder = excluded.holder, lease_until = excluded.lease_until
        WHERE flight.lease_until < now()",
    )
    .bind(symbol.as_str())
    .bind(holder)
    .bind(seconds)
    .execute(pool)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Gives the download of a symbol back; false when somebody else has taken it over meanwhile.
///
/// # Errors
/// When Postgres refuses.
pub async fn release(connection: &mut PgConnection, symbol: &Symbol, holder: Uuid) -> Result<bool> {
    let released = sqlx::query(
        "-- flights::release
        DELETE FROM market.downloads_in_flight WHERE symbol = $1 AND holder = $2",
    )
    .bind(symbol.as_str())
    .bind(holder)
    .execute(connection)
    .await?;
    Ok(released.rows_affected() == 1)
}
