//! `GET /leaderboard/curves`: the course of portfolios and benchmarks, for charts.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::performance::leaderboard::{PortfolioDays, extent};
use runtime::http::{Params, Problem};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use utoipa::ToSchema;

use super::contest::Contest;
use super::openapi::PortfolioParams;
use super::query::LeaderboardQuery;
use crate::api::portfolio_errors::PortfolioErrors;
use crate::api::state::Api;

/// Dates of a response when the request does not say.
const DEFAULT_POINTS: i64 = 1_000;
/// Most dates of a response.
const MAX_POINTS: i64 = 10_000;

/// The course of portfolios and benchmarks.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Curves {
    experiment: String,
    /// The dates of the points, oldest first.
    dates: Vec<String>,
    /// How many dates there are; more than `dates` has when they were thinned out.
    total_dates: usize,
    count: usize,
    curves: Vec<CurveDetail>,
}

/// The course of a portfolio or a benchmark.
#[derive(Serialize, ToSchema)]
#[schema(as = Curve)]
struct CurveDetail {
    /// `model` or `benchmark`.
    kind: &'static str,
    model: String,
    trial: Option<u32>,
    /// Dollars at its beginning.
    starting_value: f64,
    /// The return since its beginning at the close of each of `dates`, as a fraction, rounded to six places: of a date
    /// without a day of its own that of the day before; null before its first day and after its last.
    values: Vec<Option<f64>>,
    /// The first stale day; all later ones are. Null when none is.
    stale_from: Option<String>,
}

/// The course of the leaderboard's portfolios and benchmarks, for charts.
///
/// With more dates than `points`, dates are left out evenly; the first and the last are always there.
#[utoipa::path(get, path = "/leaderboard/curves", operation_id = "leaderboard_curves", tag = "results",
    security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(
        PortfolioParams,
        ("trial" = Option<i64>, Query, minimum = 0, maximum = 2_147_483_647, description = "Only this trial; all when absent."),
        ("points" = Option<i64>, Query, minimum = 2, maximum = 10_000, description = "Most dates; 1,000 when absent."),
    ),
    responses(
        (status = 200, description = "The curves; none when nothing was run.", body = Curves),
        PortfolioErrors,
    ))]
pub(in crate::api) async fn curves(
    State(api): State<Api>,
    mut params: Params,
) -> Result<Json<Curves>, Problem> {
    let points = params.number("points", 2, MAX_POINTS).unwrap_or(DEFAULT_POINTS);
    let trial = params.number("trial", 0, i64::from(i32::MAX)).and_then(|trial| u32::try_from(trial).ok());
    let query = LeaderboardQuery::read(&api, params).await?;
    let mut contest = Contest::load(&api, &query).await?;
    contest.portfolios.retain(|portfolio| trial.is_none_or(|trial| trial == portfolio.trial));
    let courses: Vec<Course> = contest
        .portfolios
        .iter()
        .filter_map(|portfolio| Course::of_portfolio(portfolio, contest.range))
        .chain(
            contest.benchmarks.curves().filter_map(|(name, curve)| Course::of_benchmark(name, &curve.points)),
        )
        .collect();
    let all: BTreeSet<NaiveDate> =
        courses.iter().flat_map(|course| course.closes.iter().map(|(date, _)| *date)).collect();
    let all: Vec<NaiveDate> = all.into_iter().collect();
    let dates = thinned(&all, usize::try_from(points).unwrap_or(usize::MAX));
    let curves: Vec<CurveDetail> = courses.into_iter().map(|course| course.at(&dates)).collect();
    Ok(Json(Curves {
        experiment: query.experiment,
        dates: dates.iter().map(ToString::to_string).collect(),
        total_dates: all.len(),
        count: curves.len(),
        curves,
    }))
}

/// The values at the close of each day, oldest first.
struct Course {
    kind: &'static str,
    model: String,
    trial: Option<u32>,
    starting_value: Decimal,
    closes: Vec<(NaiveDate, Decimal)>,
    stale_from: Option<NaiveDate>,
}

impl Course {
    fn of_portfolio(portfolio: &PortfolioDays, (from, to): (NaiveDate, NaiveDate)) -> Option<Self> {
        let extent = extent(portfolio, from, to)?;
        let shown = |date: &NaiveDate| (extent.first..=extent.last).contains(date);
        let days = portfolio.days.iter().filter(|(date, _)| shown(date));
        Some(Self {
            kind: "model",
            model: portfolio.model.clone(),
            trial: Some(portfolio.trial),
            starting_value: extent.starting_value,
            closes: days.map(|(date, figures)| (*date, figures.value_at_close)).collect(),
            stale_from: portfolio.stale_from.filter(|from| *from <= extent.last),
        })
    }

    fn of_benchmark(name: &str, points: &[(NaiveDate, Decimal)]) -> Option<Self> {
        Some(Self {
            kind: "benchmark",
            model: name.to_owned(),
            trial: None,
            starting_value: points.first()?.1,
            closes: points.to_vec(),
            stale_from: None,
        })
    }

    fn at(self, dates: &[NaiveDate]) -> CurveDetail {
        let last = self.closes.last().map(|(date, _)| *date);
        let value = |date: &NaiveDate| {
            let days = self.closes.partition_point(|(day, _)| day <= date);
            let (_, close) = self.closes.get(days.checked_sub(1)?)?;
            gain(self.starting_value, *close).filter(|_| last.is_some_and(|last| *date <= last))
        };
        CurveDetail {
            values: dates.iter().map(value).collect(),
            kind: self.kind,
            starting_value: self.starting_value.to_f64().unwrap_or_default(),
            stale_from: self.stale_from.map(|date| date.to_string()),
            model: self.model,
            trial: self.trial,
        }
    }
}

/// The relative gain, rounded to six places; `None` when there was nothing to begin with.
fn gain(before: Decimal, after: Decimal) -> Option<f64> {
    after.checked_sub(before)?.checked_div(before)?.round_dp(6).to_f64()
}

/// Up to `most` of the values, evenly spread, the first and the last among them.
pub(in crate::api) fn thinned<T: Copy>(all: &[T], most: usize) -> Vec<T> {
    let steps = most.saturating_sub(1).max(1);
    if all.len() <= most.max(2) {
        return all.to_vec();
    }
    let last = all.len() - 1;
    (0..=steps).filter_map(|step| all.get(step * last / steps)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn thinned_dates_keep_the_first_and_the_last() {
        let all: Vec<u32> = (0..3_000).collect();

        let thin = thinned(&all, 500);

        assert_eq!((thin.len(), thin.first(), thin.last()), (500, Some(&0), Some(&2_999)));
        assert!(thin.windows(2).all(|pair| (6..=7).contains(&(pair[1] - pair[0]))), "{thin:?}");
        assert_eq!(thinned(&all[..3], 500), [0, 1, 2]);
        assert_eq!(thinned(&all, 2), [0, 2_999]);
    }

    #[test]
    fn a_course_has_the_value_of_the_day_before_and_none_outside_its_days() {
        let amount = Decimal::from;
        let closes = vec![(date("2025-10-02"), amount(110)), (date("2025-10-06"), amount(90))];
        let course = Course {
            kind: "model",
            model: "m".to_owned(),
            trial: Some(0),
            starting_value: amount(100),
            closes,
            stale_from: None,
        };
        let dates = ["2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07"].map(date);

        let curve = course.at(&dates);

        assert_eq!(curve.values, [None, Some(0.1), Some(0.1), Some(-0.1), None]);
    }
}
