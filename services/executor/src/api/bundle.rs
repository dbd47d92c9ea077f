//! `GET /jobs/{id}/bundle`: a job that has ended as one file, from which its days can be run again.

use std::collections::BTreeSet;
use std::io::{Error, Write as _};

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use contract::bundle::Encoder;
use contract::decode_event;
use domain::agent::Journal;
use domain::job::JobState;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::replay::{BaseDay, RecordedDay, RecordedOutcome};
use domain::simulation::model_day::DayRef;
use domain::simulation::price_window::PriceWindow;
use domain::values::ids::JobId;
use flate2::Compression;
use flate2::write::GzEncoder;
use runtime::http::{HeavyRequest, Problem, ProblemBody};
use storage::PgPool;
use storage::execution::agents::read_journal;
use storage::execution::{
    DayRecord, RecordedLane, has_journals, recorded_bases, recorded_days, recorded_job, recorded_lanes,
};
use storage::market::{bars_by, known_actions, received_symbols, undo_replacements};
use tokio::sync::mpsc;

use super::state::ApiState;
use crate::error::ExecutorError;
use crate::job::cache::PlannedJob;

/// Bytes that are sent at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A job that can be exported.
struct Export {
    pool: PgPool,
    calendar: Calendar,
    planned: PlannedJob,
    state: JobState,
    ended_at: DateTime<Utc>,
}

/// A job that has ended as one file, from which its days can be run again anywhere.
///
/// Gzip'd JSON Lines, made while they are sent; `modelday replay` and `modelday verify` read them.
#[utoipa::path(get, path = "/jobs/{job_id}/bundle", tag = "jobs", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(("job_id" = String, Path, description = "The job.")),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "application/gzip"),
        (status = 404, description = "There is no such job, or it is not planned yet.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "The job has not ended.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 410, description = "What its agents answered was deleted because of its age.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn bundle(
    State(ApiState { pool, calendar, .. }): State<ApiState>,
    place: Option<Extension<HeavyRequest>>,
    Path(job): Path<String>,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Job {job} not found, or not planned yet"));
    let id: JobId = job.parse().map_err(|_| unknown())?;
    let row = recorded_job(&pool, id).await?;
    let row = row.ok_or_else(unknown)?;
    let Some(ended_at) = row.ended_at else {
        let detail = format!("Job {job} is {} and can be exported once it has ended", row.state.as_str());
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    };
    if !has_journals(&pool, id).await? {
        let detail = format!("What the agents of job {job} answered was deleted because of its age");
        return Err(Problem::new(StatusCode::GONE, detail));
    }
    let event =
        decode_event(&row.kind, row.body.as_bytes()).map_err(|problem| Problem::internal(&problem))?;
    let planned = PlannedJob::of(event).ok_or_else(unknown)?;
    let planned = planned.at(row.prices, row.rules);
    let export = Export { pool, calendar, planned, state: row.state, ended_at };
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        // All days of the job are in memory until the end.
        let _place = place;
        if let Err(problem) = export.send(&sender).await {
            tracing::error!(job.id = %id, "the bundle was not finished: {problem}");
            // Without this error the file would look complete to a client that does not check it.
            let _ = sender.send(Err(Error::other("the bundle could not be finished"))).await;
        }
    });
    let chunks = futures::stream::unfold(receiver, async |mut receiver| {
        let chunk: Result<Bytes, Error> = receiver.recv().await?;
        Some((chunk, receiver))
    });
    let name = format!("attachment; filename=\"modelday-{id}.jsonl.gz\"");
    let headers =
        [(header::CONTENT_TYPE, "application/gzip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

/// The file as it grows.
struct Sink<'a> {
    gzip: GzEncoder<Vec<u8>>,
    sender: &'a mpsc::Sender<Result<Bytes, Error>>,
}

impl Sink<'_> {
    async fn line(&mut self, line: &str) -> Result<(), ExecutorError> {
        self.gzip.write_all(line.as_bytes()).map_err(ExecutorError::Export)?;
        if self.gzip.get_ref().len() >= CHUNK_BYTES {
            let chunk = std::mem::take(self.gzip.get_mut());
            self.send(chunk).await?;
        }
        Ok(())
    }

    async fn send(&self, chunk: Vec<u8>) -> Result<(), ExecutorError> {
        let gone = |_| ExecutorError::Export(Error::other("the client has gone"));
        self.sender.send(Ok(chunk.into())).await.map_err(gone)
    }
}

impl Export {
    async fn send(&self, sender: &mpsc::Sender<Result<Bytes, Error>>) -> Result<(), ExecutorError> {
        let mut sink = Sink { gzip: GzEncoder::new(Vec::new(), Compression::default()), sender };
        let mut encoder = Encoder::default();
        let job = &self.planned.job;
        let pool = &self.pool;
        sink.line(&encoder.header(job, self.state, &self.calendar, self.planned.rules)?).await?;

        let lanes = recorded_lanes(pool, job.id).await?;
        let mut portfolios = Vec::with_capacity(lanes.len());
        for lane in lanes {
            let days = recorded_days(pool, job.id, lane.portfolio).await?;
            let bases = recorded_bases(pool, lane.portfolio, &foreign(&days)).await?;
            portfolios.push((lane, bases, days));
        }
        self.bars(&mut sink, &mut encoder, &portfolios).await?;
        for (lane, bases, days) in portfolios {
            sink.line(&encoder.portfolio(&lane.model, lane.trial, &bases)?).await?;
            for day in days {
                let day = self.recorded(&lane, day).await?;
                sink.line(&encoder.day(&lane.model, lane.trial, &day)?).await?;
            }
        }
        sink.line(&encoder.end()?).await?;
        let rest = std::mem::replace(&mut sink.gzip, GzEncoder::new(Vec::new(), Compression::none()));
        let rest = rest.finish().map_err(ExecutorError::Export)?;
        sink.send(rest).await
    }

    /// The bars that the days could look at, as far as they were stored when the job ended, as they were when it
    /// was planned.
    async fn bars(
        &self,
        sink: &mut Sink<'_>,
        encoder: &mut Encoder,
        portfolios: &[(RecordedLane, Vec<BaseDay>, Vec<DayRecord>)],
    ) -> Result<(), ExecutorError> {
        let dates = || portfolios.iter().flat_map(|(_, _, days)| days.iter().map(|day| day.date));
        let (Some(first), Some(last)) = (dates().min(), dates().max()) else { return Ok(()) };
        let calendar = &self.calendar;
        let from = PriceWindow::of(calendar, first).from(calendar, self.planned.prices_read.lookback);
        let universe = &self.planned.job.universe;
        let members = universe.symbols.iter().chain(&universe.benchmark);
        // A held symbol that has left the universe keeps being priced, and so is what is received for a held one.
        let bases = || portfolios.iter().flat_map(|(_, bases, _)| bases);
        let held = bases().flat_map(|base| base.end.position.holdings().keys());
        let mut symbols: BTreeSet<Symbol> = members.chain(held).cloned().collect();
        let known: Vec<Symbol> = symbols.iter().cloned().collect();
        let since = bases().map(|base| base.end.day.date).min().unwrap_or(first).min(first);
        symbols.extend(received_symbols(&self.pool, &known, since, last).await?);
        for symbol in &symbols {
            let pool = &self.pool;
            let (alone, version) = (std::slice::from_ref(symbol), self.planned.prices_read.version);
            let mut rows = bars_by(pool, symbol, (from, last), self.ended_at).await?;
            undo_replacements(pool, &mut rows, alone, last, version).await?;
            let bars: Vec<_> = rows.into_iter().map(|row| (row.date, row.bar)).collect();
            let actions = known_actions(pool, alone, last, version).await?;
            sink.line(&encoder.bars(symbol, &bars, &actions)?).await?;
        }
        Ok(())
    }

    async fn recorded(&self, lane: &RecordedLane, day: DayRecord) -> Result<RecordedDay, ExecutorError> {
        let journal = match &day.said {
            Some(_) => {
                let pool = &self.pool;
                read_journal(pool, lane.portfolio, day.date, day.revision, day.attempt).await?
            }
            None => Journal::default(),
        };
        let outcome = match day.left {
            Some((position, value_at_open, value_at_close)) => {
                RecordedOutcome::Completed { fills: day.fills, position, value_at_open, value_at_close }
            }
            None => RecordedOutcome::Failed { error: day.error.unwrap_or_default() },
        };
        Ok(RecordedDay {
            date: day.date,
            revision: day.revision,
            base: day.base,
            day_index: day.day_index,
            attempt: day.attempt,
            journal,
            outcome,
            report: day.said.map(|(reason, conversation)| conversation.report(reason)),
        })
    }
}

/// Days of other jobs that these continue from.
fn foreign(days: &[DayRecord]) -> Vec<DayRef> {
    let own: BTreeSet<DayRef> = days
        .iter()
        .filter(|day| day.left.is_some())
        .map(|day| DayRef { date: day.date, revision: day.revision })
        .collect();
    let bases: BTreeSet<DayRef> = days.iter().filter_map(|day| day.base).collect();
    bases.difference(&own).copied().collect()
}
