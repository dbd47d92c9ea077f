//! Symbols that were another company's until a rename took them.

use domain::market::corporate_action::ActionKind;
use domain::market::renames::{Rename, are_same_shares};
use rust_decimal::Decimal;

use crate::columns::price;
use crate::error::Result;
use crate::pool::PgPool;

/// The opening prices of a rename's two symbols in the last session before it in which both have one.
type CommonOpens = (Option<Decimal>, Option<Decimal>);

/// Those of `renames` that take a symbol which was another company's until then, as both symbols have bars of their own
/// before, and nothing is known of what became of that company.
pub async fn takeovers(pool: &PgPool, renames: &[Rename]) -> Result<Vec<Rename>> {
    if renames.is_empty() {
        return Ok(Vec::new());
    }
    let ends = [ActionKind::Rename, ActionKind::StockMerger, ActionKind::CashMerger, ActionKind::Delisting];
    let rows: Vec<(i64, Option<Decimal>, Option<Decimal>)> = sqlx::query_as(
        "-- takeovers::takeovers
        SELECT given.place, common.old_open, common.new_open
        FROM UNNEST($1::text[], $2::text[], $3::date[]) WITH ORDINALITY AS given (old, new, taken_on, place)
        LEFT JOIN LATERAL (
            SELECT earlier.open AS old_open, taken.open AS new_open
            FROM market.bars AS earlier
            JOIN market.bars AS taken ON taken.trading_date = earlier.trading_date AND taken.symbol = given.new
            WHERE earlier.symbol = given.old AND earlier.trading_date < given.taken_on
            ORDER BY earlier.trading_date DESC
            LIMIT 1
        ) AS common ON true
        WHERE EXISTS (SELECT FROM market.bars WHERE symbol = given.old AND trading_date < given.taken_on)
            AND EXISTS (SELECT FROM market.bars WHERE symbol = given.new AND trading_date < given.taken_on)
            AND NOT EXISTS (
                SELECT
                FROM market.corporate_actions AS fate
                WHERE fate.symbol = given.new AND fate.kind = ANY($4) AND fate.trading_date <= given.taken_on
                    AND NOT fate.is_cancelled
                    AND NOT EXISTS (
                        SELECT
                        FROM market.corporate_actions AS later
                        WHERE later.symbol = fate.symbol AND later.kind = fate.kind
                            AND later.trading_date = fate.trading_date AND later.version > fate.version
                    )
            )
        ORDER BY given.place",
    )
    .bind(renames.iter().map(|rename| rename.old.as_str()).collect::<Vec<_>>())
    .bind(renames.iter().map(|rename| rename.new.as_str()).collect::<Vec<_>>())
    .bind(renames.iter().map(|rename| rename.date).collect::<Vec<_>>())
    .bind(ends.map(ActionKind::as_str).to_vec())
    .fetch_all(pool)
    .await?;
    let mut taken = Vec::new();
    for (place, old, new) in rows {
        let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
        if let (Some(rename), true) = (renames.get(place), are_two((old, new))?) {
            taken.push(rename.clone());
        }
    }
    Ok(taken)
}

fn are_two((old, new): CommonOpens) -> Result<bool> {
    let open = |amount: Option<Decimal>| amount.map(|amount| price("market.bars", amount)).transpose();
    Ok(!are_same_shares(open(old)?.zip(open(new)?)))
}
