//! Days of several lanes in one statement: together they cost little more than one.

use std::collections::HashMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, FromRow, PgConnection, PgPool};
use uuid::Uuid;

use super::super::days::DayCommit;
use super::columns::{FillColumns, ResultColumns};
use super::{Written, commit_day};
use crate::connect::WORTH_A_TEST;
use crate::error::{Result, StorageError};
use crate::outbox::Columns;

const COMMIT_DAYS: &str = "-- days::commit_days
    WITH day AS (
        SELECT *
        FROM UNNEST($1::uuid[], $2::bigint[], $3::int[], $4::uuid[], $5::date[], $6::text[], $7::int[], $8::text[],
                $9::int[], $10::date[], $11::int[], $12::text[], $13::numeric[], $14::jsonb[], $15::numeric[],
                $16::numeric[])
            AS day (lane, epoch, done, next_turn, trading_date, state, attempt, detail, revision, base_date,
                base_revision, config_hash, cash, holdings, value_at_open, value_at_close)
    ), lane AS (
        UPDATE execution.lanes
        SET done = lanes.done + 1, crashes = 0,
            turn = CASE WHEN day.next_turn IS NULL THEN turn ELSE turn + 1 END,
            lease_until = CASE WHEN day.next_turn IS NULL THEN now() + interval '3 s' END,
            sent_at = CASE WHEN day.next_turn IS NULL THEN sent_at ELSE now() END,
            resends = CASE WHEN day.next_turn IS NULL THEN resends ELSE 0 END
        FROM day
        WHERE lanes.id = ANY($1) AND lanes.id = day.lane AND lanes.epoch = day.epoch AND lanes.done = day.done
            AND lanes.done < lanes.days AND lanes.state = 'ready'
        RETURNING lanes.id, lanes.job_id, lanes.portfolio_id, day.*
    ), days AS (
        INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, attempt, detail, revision,
            base_date, base_revision, config_hash, cash, holdings, value_at_open, value_at_close)
        SELECT job_id, portfolio_id, trading_date, state, attempt, detail, revision, base_date, base_revision,
            config_hash, cash, holdings, value_at_open, value_at_close
        FROM lane
    ), messages AS (
        INSERT INTO execution.outbox (event_id, kind, exchange, routing_key, job_id, traceparent, body, relay_from)
        SELECT message.event_id, message.kind, message.exchange, message.routing_key, lane.job_id,
            message.traceparent, message.body,
            CASE WHEN message.event_id = lane.next_turn THEN now() + interval '1 s' END
        FROM UNNEST($17::uuid[], $18::uuid[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[])
            WITH ORDINALITY
            AS message (lane, event_id, kind, exchange, routing_key, traceparent, body, place)
        JOIN lane ON lane.id = message.lane
        ORDER BY message.place
        RETURNING id, event_id, created_at
    ), fills AS (
        INSERT INTO execution.fills (portfolio_id, trading_date, revision, sequence, side, symbol, quantity, price,
            fee, cash_after, position_after)
        SELECT lane.portfolio_id, lane.trading_date, lane.revision, fill.sequence, fill.side, fill.symbol,
            fill.quantity, fill.price, fill.fee, fill.cash_after, fill.position_after
        FROM UNNEST($24::uuid[], $25::int[], $26::text[], $27::text[], $28::bigint[], $29::numeric[],
                $30::numeric[], $31::numeric[], $32::bigint[])
            AS fill (lane, sequence, side, symbol, quantity, price, fee, cash_after, position_after)
        JOIN lane ON lane.id = fill.lane
    )
    SELECT lane.id AS lane, next.id, next.created_at
    FROM lane LEFT JOIN messages AS next ON next.event_id = lane.next_turn";

#[derive(FromRow)]
struct Row {
    lane: Uuid,
    id: Option<i64>,
    created_at: Option<DateTime<Utc>>,
}

/// How long a statement waits for a lane that somebody else has locked.
const PATIENCE: &str = "100ms";

/// A connection beside those of the pool, for the days of all lanes.
pub struct DayWriter {
    connection: PgConnection,
    used: Instant,
}

impl DayWriter {
    /// Connects as the pool does.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn open(pool: &PgPool) -> Result<Self> {
        let mut connection = pool.acquire().await?.detach();
        sqlx::query(
            "-- days::open
            SELECT set_config('lock_timeout', $1, false),
                -- Lanes are found by their index, also by a plan that was made when there were few.
                set_config('enable_seqscan', 'off', false)",
        )
        .bind(PATIENCE)
        .execute(&mut connection)
        .await?;
        Ok(Self { connection, used: Instant::now() })
    }

    /// Whether the connection is there, unless it was a moment ago.
    pub async fn is_usable(&mut self) -> bool {
        self.used.elapsed() < WORTH_A_TEST || self.answers().await
    }

    /// Whether the connection is there.
    pub async fn answers(&mut self) -> bool {
        self.connection.ping().await.is_ok()
    }

    /// Commits days of different lanes, none of an agent, each as [`commit_day`] would. Answers what became of each,
    /// in their order: `None` is one whose lane somebody else has taken, of which nothing is written.
    ///
    /// # Errors
    /// When Postgres refuses, also because somebody else has locked one of the lanes for a tenth of a second: then
    /// nothing is written. When the connection is lost, that is not known.
    pub async fn commit(&mut self, commits: &[DayCommit]) -> Result<Vec<Option<Written>>> {
        let written = match commits {
            [commit] => match commit_day(&mut self.connection, commit).await {
                Err(StorageError::Fenced) => Ok(vec![None]),
                written => written.map(|written| vec![Some(written)]),
            },
            commits => commit_days(&mut self.connection, commits).await,
        };
        self.used = Instant::now();
        written
    }
}

async fn commit_days(connection: &mut PgConnection, commits: &[DayCommit]) -> Result<Vec<Option<Written>>> {
    let results: Vec<_> = commits.iter().map(|commit| ResultColumns::of(&commit.row)).collect();
    let messages = Columns::of(commits.iter().flat_map(DayCommit::messages));
    let lanes_of_messages: Vec<Uuid> =
        commits.iter().flat_map(|commit| commit.messages().map(|_| commit.lane.0)).collect();
    let fills = FillColumns::of(commits);
    let rows: Vec<Row> = sqlx::query_as(COMMIT_DAYS)
        .bind(column(commits, |commit| commit.lane.0))
        .bind(column(commits, |commit| commit.epoch))
        .bind(column(commits, DayCommit::done_column))
        .bind(column(commits, |commit| commit.next_turn.as_ref().map(|message| message.event_id)))
        .bind(column(commits, |commit| commit.date))
        .bind(column(&results, |result| result.state))
        .bind(column(commits, |commit| commit.attempt.cast_signed()))
        .bind(column(&results, |result| result.detail))
        .bind(column(&results, |result| result.revision))
        .bind(column(&results, ResultColumns::base_date))
        .bind(column(&results, ResultColumns::base_revision))
        .bind(column(&results, |result| result.config_hash))
        .bind(column(&results, |result| result.cash))
        .bind(column(&results, |result| result.holdings))
        .bind(column(&results, |result| result.value_at_open))
        .bind(column(&results, |result| result.value_at_close))
        .bind(lanes_of_messages)
        .bind(messages.event_ids)
        .bind(messages.kinds)
        .bind(messages.exchanges)
        .bind(messages.routing_keys)
        .bind(messages.traceparents)
        .bind(messages.bodies)
        .bind(fills.lanes)
        .bind(fills.sequences)
        .bind(fills.sides)
        .bind(fills.symbols)
        .bind(fills.quantities)
        .bind(fills.prices)
        .bind(fills.fees)
        .bind(fills.cash_after)
        .bind(fills.positions_after)
        .fetch_all(connection)
        .await?;
    let rows: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.lane, row)).collect();
    let written =
        |commit: &DayCommit| rows.get(&commit.lane.0).map(|row| Written::of(commit, row.id, row.created_at));
    Ok(commits.iter().map(written).collect())
}

fn column<'a, T, C>(rows: &'a [T], column: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(column).collect()
}
