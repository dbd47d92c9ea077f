//! Pages of a job's model-days: those that were asked for, merged with what is known of them.

use std::collections::BTreeMap;

use domain::events::job_view::days::DayState;
use domain::events::job_view::{Cell, Requested};
use domain::values::ids::JobId;
use serde::Serialize;
use storage::PgPool;
use storage::status::{DayFilter, DayRow, day_rows};
use utoipa::ToSchema;

use super::{cursor, instant, seconds};

/// Most model-days in one answer.
pub(crate) const MOST: usize = 5_000;

/// Chunks of [`MOST`] that one request looks through for pending days.
const MOST_CHUNKS: usize = 20;

/// A model-day as the answers show it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ModelDay)]
pub(crate) struct Detail {
    date: String,
    model: String,
    trial: u32,
    status: &'static str,
    error: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    duration_seconds: Option<f64>,
}

/// Which model-days to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All.
    Any,
    /// Those of which nothing is known.
    Pending,
    /// Those in one state.
    In(DayState),
}

/// A page with the cursor of the next one, if there is one.
pub(crate) struct Page {
    pub(crate) details: Vec<Detail>,
    pub(crate) next: Option<String>,
}

/// Reads a page of up to `limit` model-days.
pub(crate) async fn page(
    pool: &PgPool,
    job: JobId,
    requested: &Requested,
    wanted: Wanted,
    model: Option<&str>,
    after: Option<Cell>,
    limit: usize,
) -> storage::Result<Page> {
    if let Wanted::In(state) = wanted {
        let filter = DayFilter { model, state: Some(state), after: after.as_ref(), until: None };
        let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows = day_rows(pool, job, &filter, more).await?;
        return Ok(cut(rows.into_iter().map(|row| (row.cell.clone(), Some(row))).collect(), limit));
    }
    let (mut found, mut after) = (Vec::new(), after);
    for _ in 0..MOST_CHUNKS {
        let (merged, last) = chunk(pool, job, requested, model, after.as_ref()).await?;
        found.extend(merged.into_iter().filter(|(_, row)| wanted == Wanted::Any || row.is_none()));
        match last {
            None => return Ok(cut(found, limit)),
            Some(_) if found.len() > limit => return Ok(cut(found, limit)),
            Some(cell) => after = Some(cell),
        }
    }
    let next = after.as_ref().map(cursor::after);
    Ok(Page { next, ..cut(found, limit) })
}

type Merged = BTreeMap<Cell, Option<DayRow>>;

/// The next model-days, and the last of them unless they were the last of all.
async fn chunk(
    pool: &PgPool,
    job: JobId,
    requested: &Requested,
    model: Option<&str>,
    after: Option<&Cell>,
) -> storage::Result<(Merged, Option<Cell>)> {
    let cells: Vec<Cell> = requested.cells(model, after).take(MOST + 1).collect();
    let last = (cells.len() > MOST).then(|| cells.last().cloned()).flatten();
    let filter = DayFilter { model, state: None, after, until: last.as_ref() };
    let mut merged: Merged = cells.into_iter().map(|cell| (cell, None)).collect();
    for row in day_rows(pool, job, &filter, i64::MAX).await? {
        merged.insert(row.cell.clone(), Some(row));
    }
    Ok((merged, last))
}

fn cut(mut found: Vec<(Cell, Option<DayRow>)>, limit: usize) -> Page {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|(cell, _)| cursor::after(cell));
    Page { details: found.into_iter().map(|(cell, row)| detail(cell, row)).collect(), next }
}

fn detail(cell: Cell, row: Option<DayRow>) -> Detail {
    let Cell { date, model, trial } = cell;
    let (date, state) = (date.to_string(), row.as_ref().map_or("pending", |row| row.state.as_str()));
    let (started_at, ended_at) = row.as_ref().map_or((None, None), |row| (row.started_at, row.ended_at));
    Detail {
        date,
        model,
        trial,
        status: state,
        error: row.and_then(|row| row.detail),
        started_at: started_at.map(instant),
        completed_at: ended_at.map(instant),
        duration_seconds: started_at.zip(ended_at).map(|(from, to)| seconds(from, to)),
    }
}
