//! A walk over the rows of a selection: portfolio by portfolio, day by day, some days at a time.

use std::collections::VecDeque;
use std::marker::PhantomData;

use chrono::NaiveDate;
use domain::values::ids::JobId;
use runtime::http::Problem;
use storage::PgPool;
use storage::status::{DaysOf, ToldDay, portfolios, told_days};

use super::row::{Day, TableRow};
use super::selection::Selection;
use crate::api::cursor::Place;
use crate::api::results::completed;

/// Days that are read together. A day of an agent may have a page of text.
const DAYS: usize = 200;

/// Where a walk stands.
pub(super) struct Walk<R> {
    pool: PgPool,
    experiment: String,
    job: Option<JobId>,
    to: NaiveDate,
    from: NaiveDate,
    /// Portfolios that are not finished; the first is the one at hand.
    portfolios: VecDeque<(String, u32)>,
    /// The first day to be read of the portfolio at hand.
    next: NaiveDate,
    /// Rows of that day that are behind.
    behind: usize,
    rows: PhantomData<fn() -> R>,
}

impl<R: TableRow> Walk<R> {
    /// A walk at its beginning, or after the row that the selection names.
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
        let mut walk = Self {
            pool: pool.clone(),
            experiment,
            job: job.map(|(id, _)| id),
            from,
            to,
            portfolios: found.into(),
            next: from,
            behind: 0,
            rows: PhantomData,
        };
        if let Some(place) = after {
            walk.go_to(place);
        }
        Ok(walk)
    }

    fn go_to(&mut self, Place { model, trial, date, number }: Place) {
        let place = (model, trial);
        self.portfolios.retain(|portfolio| *portfolio >= place);
        if self.portfolios.front() == Some(&place) && date >= self.from {
            (self.next, self.behind) = (date, number);
        }
    }

    /// The next rows, none now and then, with their places; `None` at the end.
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
        let told = told_days(&self.pool, &of, i64::try_from(DAYS).unwrap_or(i64::MAX)).await?;
        let days: Vec<Day> = told.into_iter().map(day).collect::<Result<_, Problem>>()?;
        let rows = R::of(&self.pool, &days).await?;
        let (resumed, behind) = (self.next, std::mem::take(&mut self.behind));
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
            let skipped = if date == resumed { behind } else { 0 };
            let numbered = (1..).zip(rows).skip(skipped);
            placed.extend(
                numbered.map(|(number, row)| (Place { model: model.clone(), trial, date, number }, row)),
            );
        }
        Ok(Some(placed))
    }
}

fn day(told: ToldDay) -> Result<Day, Problem> {
    Ok(Day { day: completed(&told.body)?, base_close: told.base_close })
}
