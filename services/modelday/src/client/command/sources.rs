//! `modelday sources`: where prices come from, and how many calls are left.

use serde::Deserialize;

use super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::table::{Table, cell, maybe, shown_as};

#[derive(Deserialize)]
struct Providers {
    providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Provider {
    name: String,
    plan: String,
    key_configured: bool,
    calls_left: Option<i64>,
    refused_until: Option<String>,
    windows: Vec<Window>,
}

#[derive(Deserialize)]
struct Window {
    limit: i64,
    left: i64,
    per: String,
    resets_at: Option<String>,
}

/// Lists the sources in their order of preference.
pub(super) async fn main(options: &ListOptions) -> anyhow::Result<Exit> {
    let Some(Providers { providers }) = options.get(&["providers"], &()).await? else {
        return Ok(Exit::Done);
    };
    let columns = [
        exact("Source"),
        exact("Plan"),
        exact("Key"),
        number("Calls left"),
        words("Limits"),
        exact("More at"),
    ];
    let mut table = Table::new(columns).with_more([exact("Refused until")]);
    for provider in providers {
        let limits = provider
            .windows
            .iter()
            .map(|window| format!("{}/{} a {}", window.left, window.limit, window.per));
        let limits = limits.collect::<Vec<_>>().join(", ");
        let more_at = provider.windows.iter().filter(|window| window.left <= 0);
        let more_at = more_at.filter_map(|window| window.resets_at.as_ref()).max().cloned();
        table.row([
            cell(provider.name),
            cell(provider.plan),
            cell(if provider.key_configured { "yes" } else { "missing" }),
            shown_as(provider.calls_left, ToString::to_string),
            cell(limits),
            maybe(more_at.or_else(|| provider.refused_until.clone())),
            maybe(provider.refused_until),
        ]);
    }
    options.print(table)?;
    Ok(Exit::Done)
}
