//! The journal of an attempt: an answer is stored before it is used, and a call before it is sent.
//!
//! Every write is fenced by the lane's epoch and shows that the lane makes progress.

use chrono::NaiveDate;
use domain::agent::{EndReason, Entry, EntryKind, Journal};
use domain::values::ids::PortfolioId;
use rust_decimal::Decimal;
use sqlx::{FromRow, PgPool};

use super::super::lanes::{Durable, Lane};
use super::attempts::Attempt;
use crate::error::{Result, StorageError};

/// The answer to a call, with what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The call's step.
    pub step: u32,
    /// The answer as it is to be read again.
    pub answer: String,
    /// Dollars; `None` when nobody knows.
    pub cost: Option<Decimal>,
    /// Tokens of the endpoint's minute that turned out not to be needed, or were needed beyond.
    pub tokens: i64,
}

/// A result that is stored without a call before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its step.
    pub step: u32,
    /// Its place in the step.
    pub index: u32,
    /// What it is.
    pub kind: EntryKind,
    /// The result.
    pub answer: String,
}

/// A call about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent<'a> {
    /// Its step.
    pub step: u32,
    /// Its place in the step; 0 for the model.
    pub index: u32,
    /// What it is.
    pub kind: EntryKind,
    /// SHA-256 of what is asked.
    pub hash: &'a str,
    /// Most dollars that it can cost.
    pub reserve: Decimal,
    /// The endpoint, its tokens a minute, and those that the call may need.
    pub tokens: Option<(&'a str, i64, i64)>,
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// It may; the intent is stored.
    Allowed,
    /// It could cost more than the job's budget has left; nothing was stored of it.
    OverBudget,
    /// Others hold back what is left of the job's budget; nothing was stored of it.
    BudgetBusy,
    /// The endpoint has had its tokens of this minute; nothing was stored of it.
    OverRate,
}

#[derive(FromRow)]
struct Row {
    step: i32,
    index: i32,
    kind: String,
    hash: Option<String>,
    sent: i32,
    refused: i32,
    answer: Option<String>,
}

impl Row {
    fn entry(self) -> Result<Entry> {
        // A day that was ended from outside while a call was out has the reason in the call's place.
        let stopped = self.answer.as_ref().is_some_and(|answer| answer.parse::<EndReason>().is_ok());
        let kind = if stopped && self.kind == EntryKind::Call.as_str() {
            EntryKind::Stop.as_str()
        } else {
            &self.kind
        };
        let unknown = || StorageError::corrupt("execution.journal", format_args!("kind {:?}", self.kind));
        Ok(Entry {
            step: self.step.cast_unsigned(),
            index: self.index.cast_unsigned(),
            kind: EntryKind::parse(kind).ok_or_else(unknown)?,
            hash: self.hash,
            sent: self.sent.cast_unsigned(),
            refused: self.refused.cast_unsigned(),
            answer: self.answer,
        })
    }
}

/// All entries of an attempt, in order.
///
/// # Errors
/// When Postgres refuses.
pub async fn read_journal(
    pool: &PgPool,
    portfolio: PortfolioId,
    date: NaiveDate,
    revision: u32,
    attempt: u32,
) -> Result<Journal> {
    let rows: Vec<Row> = sqlx::query_as(
        "-- journal::read
        SELECT step, index, kind, hash, sent, refused, response AS answer
        FROM execution.journal
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3 AND attempt = $4
        ORDER BY step, index",
    )
    .bind(portfolio.0)
    .bind(date)
    .bind(revision.cast_signed())
    .bind(attempt.cast_signed())
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Row::entry).collect()
}

/// What one commit of a journal stores.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The last answer.
    pub settled: Option<&'a Settled>,
    /// The results of its tools.
    pub told: &'a [Told],
    /// The next call.
    pub intent: Option<&'a Intent<'a>>,
    /// Milliseconds worked since the last commit.
    pub active_ms: u64,
    /// When it has to outlive a crash; without an intent it may be with the day's own commit.
    pub durable: Durable,
}

/// Stores an answer with the results of its tools and the next intent, in one commit.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken the lane.
pub async fn write_journal(pool: &PgPool, lane: &Lane, attempt: &Attempt, step: Step<'_>) -> Result<Call> {
    let Step { settled, told, intent, active_ms, durable } = step;
    let limit = intent.and_then(|intent| intent.tokens);
    let (written,): (String,) = sqlx::query_as(
        "-- journal::write
        SELECT execution.write_journal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
            $17, $18, $19, $20, $21, $22, $23, $24)
        FROM (SELECT CASE WHEN $25 THEN set_config('synchronous_commit', 'off', true) END OFFSET 0) AS setting",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(lane.job.0)
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(active_ms.cast_signed())
    .bind(settled.map(|settled| settled.step.cast_signed()))
    .bind(settled.map(|settled| settled.answer.as_str()))
    .bind(settled.and_then(|settled| settled.cost))
    .bind(settled.map(|settled| settled.tokens))
    .bind(told.iter().map(|told| told.step.cast_signed()).collect::<Vec<_>>())
    .bind(told.iter().map(|told| told.index.cast_signed()).collect::<Vec<_>>())
    .bind(told.iter().map(|told| told.kind.as_str()).collect::<Vec<_>>())
    .bind(told.iter().map(|told| told.answer.as_str()).collect::<Vec<_>>())
    .bind(intent.map(|intent| intent.step.cast_signed()))
    .bind(intent.map(|intent| intent.index.cast_signed()))
    .bind(intent.map(|intent| intent.kind.as_str()))
    .bind(intent.map(|intent| intent.hash))
    .bind(intent.map(|intent| intent.reserve))
    .bind(limit.map(|(endpoint, ..)| endpoint))
    .bind(limit.map(|(_, a_minute, _)| a_minute))
    .bind(limit.map(|(.., needed)| needed))
    .bind(durable == Durable::WithTheNextCommit)
    .fetch_one(pool)
    .await?;
    match written.as_str() {
        "allowed" => Ok(Call::Allowed),
        "over rate" => Ok(Call::OverRate),
        "over budget" => Ok(Call::OverBudget),
        "budget busy" => Ok(Call::BudgetBusy),
        _ => Err(StorageError::Fenced),
    }
}

/// Notes that a call came back refused, which costs nothing.
///
/// # Errors
/// [`StorageError::Fenced`] when somebody else has taken the lane.
pub async fn note_refusal(
    pool: &PgPool,
    lane: &Lane,
    attempt: &Attempt,
    (step, index): (u32, u32),
    refusal: &str,
) -> Result<()> {
    let (noted,): (bool,) = sqlx::query_as(
        "-- journal::note_refusal\nSELECT execution.note_refusal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(lane.job.0)
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(step.cast_signed())
    .bind(index.cast_signed())
    .bind(refusal)
    .fetch_one(pool)
    .await?;
    if noted { Ok(()) } else { Err(StorageError::Fenced) }
}
