//! `modelday paused`: what is paused, and what waits for it.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::output::note;
use crate::terminal::table::{Table, cell, maybe};

#[derive(Deserialize)]
struct Pauses {
    pauses: Vec<Pause>,
}

#[derive(Deserialize)]
struct Pause {
    kind: String,
    name: String,
    reason: Option<String>,
    paused_by: String,
    paused_at: DateTime<Utc>,
    in_hand: u64,
    waiting_lanes: u64,
    waiting_jobs: u64,
}

/// Lists the pauses, the oldest first.
pub(super) async fn main(options: &ListOptions) -> anyhow::Result<Exit> {
    let Some(Pauses { pauses }) = options.get(&["pauses"], &()).await? else { return Ok(Exit::Done) };
    if pauses.is_empty() && !options.is_csv() {
        note("Nothing is paused.");
        return Ok(Exit::Done);
    }
    let columns = [
        exact("Kind"),
        words("Name"),
        exact("Since"),
        words("By"),
        number("Lanes"),
        number("Jobs"),
        words("Reason"),
    ];
    let mut table = Table::new(columns).with_more([number("In hand")]);
    for pause in pauses {
        table.row([
            cell(pause.kind),
            cell(pause.name),
            cell(pause.paused_at.format("%Y-%m-%d %H:%M").to_string()),
            cell(pause.paused_by),
            cell(pause.waiting_lanes.to_string()),
            cell(pause.waiting_jobs.to_string()),
            maybe(pause.reason),
            cell(pause.in_hand.to_string()),
        ]);
    }
    options.print(table)?;
    Ok(Exit::Done)
}
