//! Downloads in flight: what several preparations need is fetched once. A call is claimed by its symbol, or by its
//! date, which stands for all symbols.

use std::collections::BTreeMap;

use domain::ingest::coverage::AnswerSpan;
use domain::ingest::import::ActionRow;
use domain::market::instruments::Symbol;
use domain::values::ids::JobId;
use uuid::Uuid;

use super::actions::insert_new_actions;
use super::answer_spans::insert_span;
use super::bars::{BarRow, insert_bars};
use super::findings;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// A download that has ended, with what it brought.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// What was claimed: a symbol or a date.
    pub claim: &'a str,
    /// The worker that holds the download.
    pub holder: Uuid,
    /// The name of the provider.
    pub source: &'a str,
    /// The bars of the answer; those of a symbol follow one another.
    pub bars: &'a [BarRow],
    /// What the answer covers.
    pub spans: &'a [AnswerSpan],
    /// The splits and dividends of the answer.
    pub actions: &'a [ActionRow],
    /// The job that it was made for.
    pub job: JobId,
    /// Rows of the answer that are not bars, each with its symbol and its problem.
    pub rejected: &'a [(Symbol, String)],
}

/// Stores what a download brought and what was unexpected in it, and releases it, in one commit; returns how many bars
/// were new. `None`, with nothing stored, when another worker has taken the download over.
pub async fn store_download(pool: &PgPool, download: Download<'_>) -> Result<Option<u64>> {
    let mut transaction = pool.begin().await?;
    if !release(&mut transaction, download.claim, download.holder).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    // First, as it takes the lock that an import takes before it stores bars.
    insert_new_actions(&mut transaction, download.actions).await?;
    let mut inserted = 0;
    let mut by_symbol: BTreeMap<&Symbol, (&[BarRow], Vec<&str>)> = BTreeMap::new();
    for bars in download.bars.chunk_by(|one, next| one.symbol == next.symbol) {
        if let Some(first) = bars.first() {
            by_symbol.entry(&first.symbol).or_default().0 = bars;
        }
    }
    for (symbol, problem) in download.rejected {
        by_symbol.entry(symbol).or_default().1.push(problem);
    }
    for (symbol, (bars, rejected)) in by_symbol {
        let stored = insert_bars(&mut transaction, download.source, bars).await?;
        findings::add(&mut transaction, download.job, symbol, &stored.revised, &rejected).await?;
        inserted += stored.inserted;
    }
    for span in download.spans {
        insert_span(&mut transaction, span).await?;
    }
    transaction.commit().await?;
    Ok(Some(inserted))
}

/// Renews the leases of all downloads of a holder for `seconds` from now.
pub async fn renew_downloads(pool: &PgPool, holder: Uuid, seconds: f64) -> Result<()> {
    sqlx::query(
        "-- downloads::renew_downloads
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

/// Releases a download without storing anything.
pub async fn release_download(pool: &PgPool, claim: &str, holder: Uuid) -> Result<()> {
    let mut connection = pool.acquire().await?;
    release(&mut connection, claim, holder).await?;
    Ok(())
}

/// Releases all downloads of a holder without storing anything.
pub async fn release_downloads(pool: &PgPool, holder: Uuid) -> Result<()> {
    sqlx::query("-- downloads::release_downloads\nDELETE FROM market.downloads_in_flight WHERE holder = $1")
        .bind(holder)
        .execute(pool)
        .await?;
    Ok(())
}

/// Releases all downloads whose lease ran out, and returns how many.
pub async fn release_expired_downloads(pool: &PgPool) -> Result<u64> {
    let released = sqlx::query(
        "-- downloads::release_expired_downloads\nDELETE FROM market.downloads_in_flight WHERE lease_until < now()",
    )
    .execute(pool)
    .await?;
    Ok(released.rows_affected())
}

/// Takes the download of a symbol or a date from `source` for `seconds`; false while another worker has it.
pub async fn take_download(
    pool: &PgPool,
    claim: &str,
    source: &str,
    holder: Uuid,
    seconds: f64,
) -> Result<bool> {
    let taken = sqlx::query(
        "-- downloads::take_download
        INSERT INTO market.downloads_in_flight AS download (symbol, holder, lease_until, source)
        VALUES ($1, $2, now() + make_interval(secs => $3), $4)
        ON CONFLICT (symbol) DO UPDATE
        SET holder = excluded.holder, lease_until = excluded.lease_until, source = excluded.source
        WHERE download.lease_until < now()",
    )
    .bind(claim)
    .bind(holder)
    .bind(seconds)
    .bind(source)
    .execute(pool)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Releases a download; false when another worker has taken it over.
async fn release(connection: &mut Connection, claim: &str, holder: Uuid) -> Result<bool> {
    let released = sqlx::query(
        "-- downloads::release
        DELETE FROM market.downloads_in_flight WHERE symbol = $1 AND holder = $2",
    )
    .bind(claim)
    .bind(holder)
    .execute(connection)
    .await?;
    Ok(released.rows_affected() == 1)
}
