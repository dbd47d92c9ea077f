//! `modelday coverage`: which prices are stored.

use clap::Args;
use serde::Deserialize;

use super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::client::http::Api;
use crate::terminal::grid::{exact, number};
use crate::terminal::output::note;
use crate::terminal::table::{Table, cell, maybe};

/// Which symbols and sessions.
#[derive(Args)]
pub(crate) struct CoverageArguments {
    /// Only this symbol.
    symbol: Option<String>,
    /// Only the symbols of this universe, and its benchmark.
    #[arg(long, value_name = "NAME", conflicts_with = "symbol")]
    universe: Option<String>,
    /// First date, YYYY-MM-DD; without it, the first with a price.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD; without it, the last with a price.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Deserialize)]
struct Coverage {
    sessions: u64,
    start_date: Option<String>,
    end_date: Option<String>,
    totals: Totals,
    symbols: Vec<Symbol>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Totals {
    symbols: u64,
    missing_sessions: u64,
}

#[derive(Deserialize)]
struct Symbol {
    symbol: String,
    bars: u64,
    missing_sessions: u64,
    known_absent: u64,
    first_bar: Option<String>,
    last_bar: Option<String>,
}

/// Shows how many bars each symbol has, page by page.
pub(super) async fn main(arguments: &CoverageArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.list.connection)?;
    let columns = [
        exact("Symbol"),
        number("Bars"),
        number("Missing"),
        number("Absent"),
        exact("First bar"),
        exact("Last bar"),
    ];
    let mut table = Table::new(columns);
    let mut cursor = None;
    loop {
        let query = [
            ("symbol", &arguments.symbol),
            ("universe", &arguments.universe),
            ("start_date", &arguments.start),
            ("end_date", &arguments.end),
            ("cursor", &cursor),
        ];
        let body = api.get(&["prices", "coverage"], &query).await?;
        let page = arguments.list.format.unless_json::<Coverage>(&body)?;
        let Some(page) = page else { return Ok(Exit::Done) };
        for symbol in page.symbols {
            table.row([
                cell(symbol.symbol),
                cell(symbol.bars.to_string()),
                cell(symbol.missing_sessions.to_string()),
                cell(symbol.known_absent.to_string()),
                maybe(symbol.first_bar),
                maybe(symbol.last_bar),
            ]);
        }
        if page.next_cursor.is_some() {
            cursor = page.next_cursor;
            continue;
        }
        arguments.list.print(table)?;
        if let (Some(start), Some(end)) = (page.start_date, page.end_date) {
            note(&format!(
                "\n{} symbols, {} sessions from {start} to {end}, {} bars missing",
                page.totals.symbols, page.sessions, page.totals.missing_sessions
            ));
        }
        return Ok(Exit::Done);
    }
}
