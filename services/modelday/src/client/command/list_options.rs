//! What every command that prints a table from one answer of the server has: where the server is, and how to print.

use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::format::Format;
use crate::client::http::{Api, Connection};
use crate::terminal::table::{Table, TableOptions};

/// How to list.
#[derive(Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    table: TableOptions,
    #[command(flatten)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) connection: Connection,
}

impl ListOptions {
    /// Requests what is listed; `None` when `--json` has printed it.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> anyhow::Result<Option<T>> {
        let body = Api::new(&self.connection)?.get(path, query).await?;
        self.format.unless_json(&body)
    }

    /// Prints the table.
    pub(super) fn print(&self, table: Table) -> anyhow::Result<()> {
        table.print(&self.table)
    }

    /// Whether the table is for another program, which reads nothing beside it.
    pub(super) fn is_csv(&self) -> bool {
        self.table.is_csv()
    }
}
