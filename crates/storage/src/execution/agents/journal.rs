//! The journal of an attempt: an answer is stored before it is used, and a call before it is sent.
//!
//! Every write is fenced by the lane's epoch and shows that the lane makes progress.

use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection, PgPool};

use super::super::lanes::{self, Lane};
use super::attempts::Attempt;
use super::limits::{reserve, take_tokens};
use crate::error::Result;

/// What the journal knows of one call, search or tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counted from 0.
    pub step: u32,
    /// 0 is the model's answer, the others are tools in the order called.
    pub index: u32,
    /// What it is.
    pub kind: Noted,
    /// SHA-256 of what was asked; tools have none.
    pub hash: Option<String>,
    /// Times it was sent.
    pub sent: u32,
    /// Times it came back refused without a bill.
    pub refused: u32,
    /// The answer, once it is there.
    pub answer: Option<String>,
}

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// A call of the model.
    Call,
    /// A web search.
    Search,
    /// A tool that answers from our own data.
    Tool,
    /// The day was ended from outside: the answer says why.
    Stop,
}

impl Noted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Search => "search",
            Self::Tool => "tool",
            Self::Stop => "stop",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "search" => Self::Search,
            "tool" => Self::Tool,
            "stop" => Self::Stop,
            _ => Self::Call,
        }
    }
}

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
    pub kind: Noted,
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
    pub kind: Noted,
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

/// All entries of an attempt, in order.
///
/// # Errors
/// When Postgres refuses.
pub async fn read_journal(pool: &PgPool, lane: &Lane, attempt: &Attempt) -> Result<Vec<Entry>> {
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
    let rows: Vec<Row> = sqlx::query_as(
        "-- journal::read
        SELECT step, index, kind, hash, sent, refused, answer
        FROM execution.journal
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3 AND attempt = $4
        ORDER BY step, index",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Entry {
            step: row.step.cast_unsigned(),
            index: row.index.cast_unsigned(),
            kind: Noted::parse(&row.kind),
            hash: row.hash,
            sent: row.sent.cast_unsigned(),
            refused: row.refused.cast_unsigned(),
            answer: row.answer,
        })
        .collect())
}

/// Stores an answer with the results of its tools and the next intent, in one commit; `active_ms` is the
/// time worked since the last one.
///
/// # Errors
/// [`crate::StorageError::Fenced`] when somebody else has taken the lane.
pub async fn write_journal(
    pool: &PgPool,
    lane: &Lane,
    attempt: &Attempt,
    settled: Option<&Settled>,
    told: &[Told],
    intent: Option<&Intent<'_>>,
    active_ms: u64,
) -> Result<Call> {
    let mut transaction = pool.begin().await?;
    lanes::hold(&mut transaction, lane).await?;
    if let Some(settled) = settled {
        settle(&mut transaction, lane, attempt, settled).await?;
    }
    tell(&mut transaction, lane, attempt, told).await?;
    let call = match intent {
        Some(intent) => intend(&mut transaction, lane, attempt, intent).await?,
        None => Call::Allowed,
    };
    sqlx::query(
        "-- journal::write
        UPDATE execution.attempts
        SET active_ms = active_ms + $5
        WHERE portfolio_id = $1 AND trading_date = $2 AND revision = $3 AND attempt = $4",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(active_ms.cast_signed())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(call)
}

/// Notes that a call came back refused, which costs nothing.
///
/// # Errors
/// [`crate::StorageError::Fenced`] when somebody else has taken the lane.
pub async fn note_refusal(
    pool: &PgPool,
    lane: &Lane,
    attempt: &Attempt,
    (step, index): (u32, u32),
    refusal: &str,
) -> Result<()> {
    let mut transaction = pool.begin().await?;
    lanes::hold(&mut transaction, lane).await?;
    sqlx::query(
        "-- journal::note_refusal
        WITH call AS (
            UPDATE execution.journal AS call
            SET refused = call.refused + 1, last_refusal = $7, reserved = 0
            FROM execution.journal AS was
            WHERE call.portfolio_id = $1 AND call.trading_date = $2 AND call.revision = $3 AND call.attempt = $4
                AND call.step = $5 AND call.index = $6
                AND (was.portfolio_id, was.trading_date, was.revision, was.attempt, was.step, was.index)
                    = (call.portfolio_id, call.trading_date, call.revision, call.attempt, call.step, call.index)
            RETURNING was.reserved
        )
        UPDATE execution.budgets
        SET reserved = budgets.reserved - call.reserved
        FROM call
        WHERE job_id = $8",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(step.cast_signed())
    .bind(index.cast_signed())
    .bind(refusal)
    .bind(lane.job.0)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

async fn settle(
    connection: &mut PgConnection,
    lane: &Lane,
    attempt: &Attempt,
    settled: &Settled,
) -> Result<()> {
    // What the call really cost takes the place of what was held back for it.
    sqlx::query(
        "-- journal::settle
        WITH call AS (
            UPDATE execution.journal AS call
            SET answer = $6, cost = $7, answered_at = now(), reserved = 0
            FROM execution.journal AS was
            WHERE call.portfolio_id = $1 AND call.trading_date = $2 AND call.revision = $3 AND call.attempt = $4
                AND call.step = $5 AND call.index = 0
                AND (was.portfolio_id, was.trading_date, was.revision, was.attempt, was.step, was.index)
                    = (call.portfolio_id, call.trading_date, call.revision, call.attempt, call.step, call.index)
            RETURNING was.reserved
        ), minute AS (
            UPDATE execution.endpoint_minutes
            SET tokens = tokens + $9
            FROM execution.lanes
            WHERE lanes.id = $10 AND endpoint_minutes.endpoint = lanes.endpoint
                AND minute = date_trunc('minute', now()) AND $9 <> 0
        )
        UPDATE execution.budgets
        SET reserved = budgets.reserved - call.reserved, spent = spent + coalesce($7, call.reserved)
        FROM call
        WHERE job_id = $8",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(settled.step.cast_signed())
    .bind(&settled.answer)
    .bind(settled.cost)
    .bind(lane.job.0)
    .bind(settled.tokens)
    .bind(lane.id.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn tell(connection: &mut PgConnection, lane: &Lane, attempt: &Attempt, told: &[Told]) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let steps: Vec<i32> = told.iter().map(|told| told.step.cast_signed()).collect();
    let indexes: Vec<i32> = told.iter().map(|told| told.index.cast_signed()).collect();
    let kinds: Vec<&str> = told.iter().map(|told| told.kind.as_str()).collect();
    let answers: Vec<&str> = told.iter().map(|told| told.answer.as_str()).collect();
    sqlx::query(
        "-- journal::tell
        INSERT INTO execution.journal (portfolio_id, trading_date, revision, attempt, step, index, kind, answer, answered_at)
        SELECT $1, $2, $3, $4, told.*, now()
        FROM UNNEST($5::int[], $6::int[], $7::text[], $8::text[]) AS told
        ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
            DO UPDATE SET answer = EXCLUDED.answer, answered_at = now()",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(steps)
    .bind(indexes)
    .bind(kinds)
    .bind(answers)
    .execute(connection)
    .await?;
    Ok(())
}

async fn intend(
    connection: &mut PgConnection,
    lane: &Lane,
    attempt: &Attempt,
    intent: &Intent<'_>,
) -> Result<Call> {
    if let Some((endpoint, a_minute, needed)) = intent.tokens
        && !take_tokens(connection, endpoint, a_minute, needed).await?
    {
        return Ok(Call::OverRate);
    }
    let reserved = reserve(&mut *connection, lane, attempt, intent).await?;
    if reserved != Call::Allowed {
        return Ok(reserved);
    }
    sqlx::query(
        "-- journal::intend
        INSERT INTO execution.journal (portfolio_id, trading_date, revision, attempt, step, index, kind, hash, sent, reserved)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)
        ON CONFLICT (portfolio_id, trading_date, revision, attempt, step, index)
            DO UPDATE SET sent = journal.sent + 1, reserved = EXCLUDED.reserved",
    )
    .bind(lane.portfolio.0)
    .bind(attempt.date)
    .bind(attempt.revision.cast_signed())
    .bind(attempt.number.cast_signed())
    .bind(intent.step.cast_signed())
    .bind(intent.index.cast_signed())
    .bind(intent.kind.as_str())
    .bind(intent.hash)
    .bind(intent.reserve)
    .execute(connection)
    .await?;
    Ok(Call::Allowed)
}
