//! The agents' tools over MCP on standard input and output, so that an agent can be tried by hand.
//!
//! Prices come from the database, which is read only. The position lives as long as the session.

mod server;
mod start;
mod stock;

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::Args;
use domain::market::instruments::Symbol;
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;
use runtime::settings::Mistakes;
use rust_decimal::Decimal;

use server::Tools;

/// Exit code for settings that cannot be used, as in `sysexits.h`.
const EX_CONFIG: u8 = 78;

/// Where a session begins.
#[derive(Args)]
pub(crate) struct McpArguments {
    /// The first day, YYYY-MM-DD: a session of the exchange whose prices are stored.
    #[arg(long)]
    date: NaiveDate,
    /// Dollars to begin with.
    #[arg(long, default_value = "10000")]
    cash: Decimal,
    /// What may be traded, separated by commas; without it, what UNIVERSE_FILE lists.
    #[arg(long, value_delimiter = ',')]
    symbols: Vec<Symbol>,
}

/// Serves until the client closes its end. Only MCP goes to standard output.
#[expect(clippy::print_stderr, reason = "the last word of a command, for people")]
pub(crate) async fn main(arguments: McpArguments) -> ExitCode {
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("modelday mcp: {}", runtime::process::told(&problem));
            if problem.is::<Mistakes>() { ExitCode::from(EX_CONFIG) } else { ExitCode::FAILURE }
        }
    }
}

async fn serve(arguments: McpArguments) -> anyhow::Result<()> {
    let started = start::start(arguments).await?;
    let service = Tools::new(started).serve(stdio()).await?;
    service.waiting().await?;
    Ok(())
}
