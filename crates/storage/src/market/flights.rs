//! Downloads in flight: a symbol wanted by several preparations is fetched once.

use domain::market::Symbol;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::Result;

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
