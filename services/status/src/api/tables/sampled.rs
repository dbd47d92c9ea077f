//! Rows of some days of each portfolio, for charts over long times.

use std::collections::BTreeMap;

use runtime::http::Problem;
use storage::status::{Span, WinnerKey, day_bodies};

use super::row::{Day, JsonRow, TableRow};
use super::selection::Selection;
use crate::api::chains::Chains;
use crate::api::completed_day::completed_day;
use crate::api::leaderboard::thinned;
use crate::api::state::Api;

/// The rows of up to `days` winning days of each portfolio, evenly spread.
pub(super) async fn sampled<R: TableRow>(
    api: &Api,
    selection: &Selection,
    days: usize,
) -> Result<Vec<JsonRow<R>>, Problem> {
    let models = selection.model.as_ref().map(std::slice::from_ref);
    let dates = Span { from: Some(selection.from), to: Some(selection.to) };
    let chains = Chains::load(&api.pool, &selection.experiment, models, selection.trial, dates).await?;
    let mut found = Vec::new();
    for chain in chains.iter() {
        let shown = chain.days().iter().filter(|row| row.key.day.date >= selection.from);
        let keys: Vec<&WinnerKey> = shown.map(|row| &row.key).collect();
        let keys: Vec<WinnerKey> = thinned(&keys, days).into_iter().cloned().collect();
        let bodies: BTreeMap<WinnerKey, String> = day_bodies(&api.pool, &keys).await?.into_iter().collect();
        let day = |body: &String| Ok(Day { day: completed_day(body)?, base_close: None });
        let days: Vec<Day> = bodies.values().map(day).collect::<Result<_, Problem>>()?;
        found.extend(R::of(&api.pool, &days).await?.into_iter().flatten());
    }
    Ok(found.into_iter().map(|row| JsonRow(row, selection.numbers)).collect())
}
