//! The journal of an attempt: a response is stored before it is used, and a call before it is sent.
//!
//! Every write is fenced by the lane's epoch, and resets the count of the lane's crashes.

use chrono::NaiveDate;
use domain::agent::{EndReason, Entry, EntryKind, Journal};
use domain::values::ids::PortfolioId;
use rust_decimal::Decimal;
use sqlx::FromRow;

use super::super::lanes::{Durable, Lane};
use super::attempts::Attempt;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;
use crate::sql::without_waiting_if;

/// The response to a call, with what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResponse {
    /// The call's step.
    pub step: u32,
    /// The response as it is read again when the attempt is resumed.
    pub text: String,
    /// Dollars; `None` when the cost is unknown.
    pub cost: Option<Decimal>,
    /// Tokens that the call used beyond those of its [`Intent`]; negative when it used fewer.
    pub unplanned_tokens: i64,
}

/// A result that is stored without a call before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryResult {
    /// Its step.
    pub step: u32,
    /// Its place in the step.
    pub index: u32,
    /// What it is the result of.
    pub kind: EntryKind,
    /// The result.
    pub text: String,
}

/// A call about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent<'a> {
    /// Its step.
    pub step: u32,
    /// Its place in the step; 0 for the model.
    pub index: u32,
    /// What it calls.
    pub kind: EntryKind,
    /// SHA-256 of the request.
    pub hash: &'a str,
    /// The most that it can cost, in dollars.
    pub reserve: Decimal,
    /// The limit of its endpoint, if there is one.
    pub tokens: Option<TokenRate>,
}

/// How many tokens an endpoint takes in a minute, and how many of them a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRate {
    /// The endpoint's limit, over all executors.
    pub per_minute: i64,
    /// The most that the call can use.
    pub needed: i64,
}

/// Whether a call may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPermission {
    /// It may; the intent is stored.
    Allowed,
    /// It could cost more than is left of the job's budget; its intent is not stored.
    OverBudget,
    /// Other calls have reserved what is left of the job's budget; its intent is not stored.
    BudgetBusy,
    /// The endpoint's tokens of this minute are used up; its intent is not stored.
    OverRate,
}

#[derive(FromRow)]
struct EntryRow {
    step: i32,
    index: i32,
    kind: String,
    hash: Option<String>,
    sent: i32,
    refused: i32,
    response: Option<String>,
}

impl EntryRow {
    fn entry(self) -> Result<Entry> {
        // When the day was ended from outside while a call was under way, the reason stands in the call's place.
        let is_stopped = self.response.as_ref().is_some_and(|response| response.parse::<EndReason>().is_ok());
        let kind = if is_stopped && self.kind == EntryKind::Call.as_str() {
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
            answer: self.response,
        })
    }
}

/// All entries of an attempt, in order.
pub async fn read_journal(
    pool: &PgPool,
    portfolio: PortfolioId,
    date: NaiveDate,
    revision: u32,
    attempt: u32,
) -> Result<Journal> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "-- journal::read_journal
        SELECT step, index, kind, hash, sent, refused, response
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
    rows.into_iter().map(EntryRow::entry).collect()
}

/// What one commit of a journal stores.
#[derive(Debug, Clone, Copy)]
pub struct StepCommit<'a> {
    /// The last response.
    pub response: Option<&'a CallResponse>,
    /// The results of its tools.
    pub results: &'a [EntryResult],
    /// The next call.
    pub intent: Option<&'a Intent<'a>>,
    /// Milliseconds worked since the last commit.
    pub active_ms: u64,
    /// When it has to be durable; without an intent that may be with the day's own commit.
    pub durable: Durable,
}

/// Stores a response, the results of its tools and the next intent in one commit, and decides whether the next call may
/// be sent.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane.
pub async fn commit_step(
    pool: &PgPool,
    lane: &Lane,
    attempt: &Attempt,
    step: StepCommit<'_>,
) -> Result<CallPermission> {
    let StepCommit { response, results, intent, active_ms, durable } = step;
    let rate = intent.and_then(|intent| intent.tokens);
    let (permission,): (String,) = sqlx::query_as(concat!(
        "-- journal::commit_step
        SELECT execution.commit_step($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
            $17, $18, $19, $20, $21)
        FROM ",
        without_waiting_if!("$22"),
    ))
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(active_ms.cast_signed())
    .bind(response.map(|response| response.step.cast_signed()))
    .bind(response.map(|response| response.text.as_str()))
    .bind(response.and_then(|response| response.cost))
    .bind(response.map(|response| response.unplanned_tokens))
    .bind(results.iter().map(|result| result.step.cast_signed()).collect::<Vec<_>>())
    .bind(results.iter().map(|result| result.index.cast_signed()).collect::<Vec<_>>())
    .bind(results.iter().map(|result| result.kind.as_str()).collect::<Vec<_>>())
    .bind(results.iter().map(|result| result.text.as_str()).collect::<Vec<_>>())
    .bind(intent.map(|intent| intent.step.cast_signed()))
    .bind(intent.map(|intent| intent.index.cast_signed()))
    .bind(intent.map(|intent| intent.kind.as_str()))
    .bind(intent.map(|intent| intent.hash))
    .bind(intent.map(|intent| intent.reserve))
    .bind(rate.map(|rate| rate.per_minute))
    .bind(rate.map(|rate| rate.needed))
    .bind(durable == Durable::WithTheNextCommit)
    .fetch_one(pool)
    .await?;
    match permission.as_str() {
        "allowed" => Ok(CallPermission::Allowed),
        "over rate" => Ok(CallPermission::OverRate),
        "over budget" => Ok(CallPermission::OverBudget),
        "budget busy" => Ok(CallPermission::BudgetBusy),
        "fenced" => Err(StorageError::Fenced),
        other => {
            Err(StorageError::corrupt("execution.commit_step", format_args!("{other:?} is no permission")))
        }
    }
}

/// Records that a call was refused, which costs nothing.
///
/// # Errors
/// [`StorageError::Fenced`] when another worker has taken the lane.
pub async fn record_refusal(
    pool: &PgPool,
    lane: &Lane,
    attempt: &Attempt,
    (step, index): (u32, u32),
    refusal: &str,
) -> Result<()> {
    let (recorded,): (bool,) = sqlx::query_as(
        "-- journal::record_refusal\nSELECT execution.record_refusal($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(lane.id.0)
    .bind(lane.epoch)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(step.cast_signed())
    .bind(index.cast_signed())
    .bind(refusal)
    .fetch_one(pool)
    .await?;
    if recorded { Ok(()) } else { Err(StorageError::Fenced) }
}
