//! What a dry run reads of the other schemas, through their views.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use domain::dry_run::PortfolioWinners;
use domain::dry_run::cost_estimate::PastDays;
use domain::ingest::call_quota::{Window, WindowState};
use domain::ingest::coverage::AnswerSpan;
use domain::ingest::fetch_plan::Shape;
use domain::ingest::refusals::Refusal;
use domain::market::instruments::Symbol;
use domain::simulation::model_day::Winner;
use rust_decimal::Decimal;
use sqlx::FromRow;
use sqlx::types::Json;

use crate::columns::{base, present, symbol};
use crate::error::Result;
use crate::pool::PgPool;

/// The most past days from which an estimate is made.
const MAX_PAST_DAYS: i64 = 100;

#[derive(FromRow)]
struct WinnerColumns {
    model: String,
    trial: i32,
    trading_date: NaiveDate,
    revision: i32,
    base_date: Option<NaiveDate>,
    base_revision: Option<i32>,
    config_hash: Option<String>,
    repriced: bool,
}

/// The winning days of these models in `experiment` up to `to`.
pub async fn portfolio_winners(
    pool: &PgPool,
    experiment: &str,
    models: &[String],
    to: NaiveDate,
) -> Result<PortfolioWinners> {
    let rows: Vec<WinnerColumns> = sqlx::query_as(
        "-- dry_run::portfolio_winners
        SELECT model, trial, trading_date, revision, base_date, base_revision, config_hash, repriced
        FROM execution.winning_days
        WHERE experiment = $1 AND model = ANY($2) AND trading_date <= $3",
    )
    .bind(experiment)
    .bind(models)
    .bind(to)
    .fetch_all(pool)
    .await?;
    let mut portfolios = PortfolioWinners::new();
    for row in rows {
        let table = "execution.winning_days";
        let winner = Winner {
            revision: row.revision.cast_unsigned(),
            base: base(table, row.base_date, row.base_revision)?,
            config_hash: present(table, "config_hash", row.config_hash)?,
            repriced: row.repriced,
        };
        portfolios
            .entry((row.model, row.trial.cast_unsigned()))
            .or_default()
            .insert(row.trading_date, winner);
    }
    Ok(portfolios)
}

/// What is stored about prices.
#[derive(Debug, Clone, Default)]
pub struct StoredPrices {
    /// Symbol and date of each bar.
    pub bars: Vec<(Symbol, Vec<NaiveDate>)>,
    /// What answers covered.
    pub spans: Vec<AnswerSpan>,
    /// What sources have refused.
    pub refusals: Vec<Refusal>,
}

/// What is stored about these symbols from `from` to `to`, both included.
pub async fn stored_prices(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<StoredPrices> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let bars: Vec<(String, Vec<NaiveDate>)> = sqlx::query_as(
        "-- dry_run::stored_prices bars
        SELECT symbol, array_agg(trading_date)
        FROM market.stored_days
        WHERE symbol = ANY($1) AND trading_date BETWEEN $2 AND $3
        GROUP BY symbol",
    )
    .bind(&names)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await?;
    let spans: Vec<(String, NaiveDate, NaiveDate, DateTime<Utc>)> = sqlx::query_as(
        "-- dry_run::stored_prices spans
        SELECT symbol, from_date, to_date, requested_at
        FROM market.answered_spans
        WHERE symbol = ANY($1) AND to_date >= $2 AND from_date <= $3",
    )
    .bind(&names)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await?;
    let refusals: Vec<(String, String, String, DateTime<Utc>)> = sqlx::query_as(
        "-- dry_run::stored_prices refusals
        SELECT source, symbol, reason, refused_at FROM market.refused_symbols WHERE symbol = ANY($1)",
    )
    .bind(&names)
    .fetch_all(pool)
    .await?;
    let refusal = |(source, name, reason, refused_at)| {
        Ok(Refusal { source, symbol: symbol("market.refused_symbols", name)?, reason, refused_at })
    };
    let span = |(name, from, to, requested_at)| {
        Ok(AnswerSpan { symbol: symbol("market.answered_spans", name)?, from, to, requested_at })
    };
    let bar_dates = |(name, dates)| Ok((symbol("market.stored_days", name)?, dates));
    Ok(StoredPrices {
        bars: bars.into_iter().map(bar_dates).collect::<Result<_>>()?,
        spans: spans.into_iter().map(span).collect::<Result<_>>()?,
        refusals: refusals.into_iter().map(refusal).collect::<Result<_>>()?,
    })
}

/// A source from which downloader gets prices.
#[derive(Debug, Clone)]
pub struct StoredSource {
    /// The provider.
    pub name: String,
    /// The name of its call quota.
    pub quota_key: String,
    /// Each window of its call quota, with what has been used of it.
    pub windows: Vec<(Window, WindowState)>,
    /// The longest time that a call waits for the quota.
    pub max_wait: Duration,
    /// How many past sessions the key gives access to; `None` without a limit.
    pub recent_sessions: Option<u32>,
    /// What one call brings.
    pub shape: Shape,
    /// How many calls of the quota a request takes.
    pub calls_per_request: u32,
    /// The database's time.
    pub now: DateTime<Utc>,
}

#[derive(FromRow)]
struct SourceColumns {
    name: String,
    quota_key: String,
    windows: Json<Vec<Window>>,
    states: Json<BTreeMap<String, WindowState>>,
    max_wait_seconds: i64,
    recent_sessions: Option<i32>,
    shape: String,
    calls_per_request: i32,
    now: DateTime<Utc>,
}

impl From<SourceColumns> for StoredSource {
    fn from(row: SourceColumns) -> Self {
        let Json(mut states) = row.states;
        let mut with_state = |window: Window| {
            let state = states.remove(window.id()).unwrap_or_default();
            (window, state)
        };
        Self {
            name: row.name,
            quota_key: row.quota_key,
            windows: row.windows.0.into_iter().map(&mut with_state).collect(),
            max_wait: Duration::from_secs(row.max_wait_seconds.cast_unsigned()),
            recent_sessions: row.recent_sessions.map(i32::cast_unsigned),
            shape: match row.shape.as_str() {
                "by_date" => Shape::ByDate,
                "either" => Shape::Either,
                _ => Shape::BySymbol,
            },
            calls_per_request: row.calls_per_request.cast_unsigned(),
            now: row.now,
        }
    }
}

/// The sources of prices in order of preference; `None` before a downloader has stored which there are.
pub async fn sources(pool: &PgPool) -> Result<Option<Vec<StoredSource>>> {
    let known: Option<(bool,)> =
        sqlx::query_as("-- dry_run::sources known\nSELECT name IS NOT NULL FROM market.source_quota")
            .fetch_optional(pool)
            .await?;
    if known.is_none() {
        return Ok(None);
    }
    let rows: Vec<SourceColumns> = sqlx::query_as(
        "-- dry_run::sources
        SELECT name, quota_key, windows, states, max_wait_seconds, recent_sessions, shape,
            calls_per_request, clock_timestamp() AS now
        FROM market.source_quotas
        ORDER BY position",
    )
    .fetch_all(pool)
    .await?;
    Ok(Some(rows.into_iter().map(Into::into).collect()))
}

#[derive(FromRow)]
struct PastColumns {
    model: String,
    counted: i64,
    tokens: Option<Decimal>,
    priced: i64,
    cost: Option<Decimal>,
}

impl From<PastColumns> for PastDays {
    fn from(row: PastColumns) -> Self {
        Self {
            counted: row.counted.cast_unsigned(),
            tokens: row.tokens.map(|mean| mean.normalize()),
            priced: row.priced.cast_unsigned(),
            cost: row.cost.map(|mean| mean.normalize()),
        }
    }
}

/// What the latest completed days of each model under a configuration used; models without any are missing.
/// Of two equal dates of several trials or experiments, both count.
pub async fn past_days(pool: &PgPool, models: &[(&str, &str)]) -> Result<BTreeMap<String, PastDays>> {
    let rows: Vec<PastColumns> = sqlx::query_as(
        "-- dry_run::past_days
        SELECT given.model, count(past.tokens) AS counted, round(avg(past.tokens), 6) AS tokens,
            count(past.cost) AS priced, round(avg(past.cost), 10) AS cost
        FROM UNNEST($1::text[], $2::text[]) AS given (model, config_hash)
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN (usage ->> 'unknown_calls')::numeric = 0
                    THEN (usage ->> 'prompt_tokens')::numeric + (usage ->> 'completion_tokens')::numeric
                END AS tokens,
                CASE WHEN (usage ->> 'unpriced_calls')::numeric = 0 THEN (usage ->> 'cost')::numeric END AS cost
            FROM execution.agent_days
            WHERE model = given.model AND config_hash = given.config_hash
            ORDER BY trading_date DESC, experiment, trial
            LIMIT $3
        ) AS past
        GROUP BY given.model",
    )
    .bind(models.iter().map(|(model, _)| *model).collect::<Vec<_>>())
    .bind(models.iter().map(|(_, hash)| *hash).collect::<Vec<_>>())
    .bind(MAX_PAST_DAYS)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.model.clone(), row.into())).collect())
}
