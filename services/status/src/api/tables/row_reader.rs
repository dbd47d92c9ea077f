//! Reads the rows of a selection: portfolio by portfolio, day by day, some days at a time.

use std::collections::VecDeque;
use std::marker::PhantomData;

use chrono::NaiveDate;
use domain::values::ids::JobId;
use runtime::http::Problem;
use storage::PgPool;
use storage::status::{CompletedDayEvent, DaysOf, completed_days, portfolios};

use super::row::{Day, TableRow};
use super::selection::Selection;
use crate::api::completed_day::completed_day;
use crate::api::cursor::Place;

/// Days read by one statement: few, since an agent's day may have much text.
const DAYS: usize = 200;

/// A position in the rows of a selection.
pub(super) struct RowReader<R> {
    pool: PgPool,
    experiment: String,
    job: Option<JobId>,
    to: NaiveDate,
    from: NaiveDate,
    /// Portfolios that are not finished, the current one first.
    portfolios: VecDeque<(String, u32)>,
    /// The next day to read of the current portfolio.
    next: NaiveDate,
    /// How many rows of that day come before the position.
    skip: usize,
    rows: PhantomData<fn() -> R>,
}

impl<R: TableRow> RowReader<R> {
    /// Starts at the first row, or after the row that the selection names.
    pub(super) async fn begin(pool: &PgPool, selection: Selection) -> Result<Self, Problem> {
        let Selection { experiment, job, model, trial, mut from, mut to, after, .. } = selection;
        let mut found = match &job {
            None => {
                let models = model.as_ref().map(std::slice::from_ref);
                let found = portfolios(pool, &experiment, models).await?;
                found.into_iter().map(|portfolio| (portfolio.model, portfolio.trial)).collect()
            }
            Some((_, requested)) if requested.experiment == experiment => {
                let starts = requested.models.iter().map(|model| model.start);
                from = starts.fold(requested.start, NaiveDate::min).max(from);
                to = requested.end.min(to);
                let mut found: Vec<_> = requested
                    .models
                    .iter()
                    .filter(|of| model.as_ref().is_none_or(|model| *model == of.signature))
                    .flat_map(|of| (0..of.trials).map(|trial| (of.signature.clone(), trial)))
                    .collect();
                found.sort_unstable();
                found
            }
            Some(_) => Vec::new(),
        };
        found.retain(|(_, of)| trial.is_none_or(|trial| trial == *of));
        let mut reader = Self {
            pool: pool.clone(),
            experiment,
            job: job.map(|(id, _)| id),
            from,
            to,
            portfolios: found.into(),
            next: from,
            skip: 0,
            rows: PhantomData,
        };
        if let Some(place) = after {
            reader.go_to(place);
        }
        Ok(reader)
    }

    fn go_to(&mut self, Place { model, trial, date, number }: Place) {
        let place = (model, trial);
        self.portfolios.retain(|portfolio| *portfolio >= place);
        if self.portfolios.front() == Some(&place) && date >= self.from {
            (self.next, self.skip) = (date, number);
        }
    }

    /// The next rows with their places, which may be none; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<(Place, R)>>, Problem> {
        let Some((model, trial)) = self.portfolios.front().cloned() else { return Ok(None) };
        let of = DaysOf {
            experiment: &self.experiment,
            model: &model,
            trial,
            job: self.job,
            from: self.next,
            to: self.to,
            trading: R::OF,
        };
        let stored = completed_days(&self.pool, &of, i64::try_from(DAYS).unwrap_or(i64::MAX)).await?;
        let days: Vec<Day> = stored.into_iter().map(day).collect::<Result<_, Problem>>()?;
        let rows = R::of(&self.pool, &days).await?;
        let (resumed, skip) = (self.next, std::mem::take(&mut self.skip));
        match days.last().filter(|_| days.len() == DAYS).and_then(|last| last.day.key.date.succ_opt()) {
            Some(next) => self.next = next,
            None => {
                self.portfolios.pop_front();
                self.next = self.from;
            }
        }
        let mut placed = Vec::new();
        for (Day { day, .. }, rows) in days.iter().zip(rows) {
            let date = day.key.date;
            let skipped = if date == resumed { skip } else { 0 };
            let numbered = (1..).zip(rows).skip(skipped);
            placed.extend(
                numbered.map(|(number, row)| (Place { model: model.clone(), trial, date, number }, row)),
            );
        }
        Ok(Some(placed))
    }
}

fn day(stored: CompletedDayEvent) -> Result<Day, Problem> {
    Ok(Day { day: completed_day(&stored.body)?, base_close: stored.base_close })
}
