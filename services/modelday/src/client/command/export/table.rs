//! A table of results: trades, positions or equity.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::ensure;
use clap::ValueEnum;
use serde_json::value::RawValue;

use super::partial_file::PartialFile;
use crate::client::command::choice;
use crate::client::http::{Api, ApiError};
use crate::terminal::output::{FileOutput, note};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// Comma-separated values with a head.
    Csv,
    /// Apache Parquet, with exact decimals.
    Parquet,
    /// One JSON document.
    Json,
}

impl TableFormat {
    /// The format that the extension of the file's name stands for.
    pub(super) fn of_file(file: &Path) -> Option<Self> {
        Self::from_str(file.extension()?.to_str()?, true).ok()
    }
}

/// Which table to save.
pub(super) struct Table {
    /// The resource, which is also the name of the list in its JSON.
    pub(super) name: &'static str,
    pub(super) format: TableFormat,
    pub(super) query: Vec<(&'static str, String)>,
}

/// Saves the table in `output`, or prints it.
pub(super) async fn save(api: &Api, table: &Table, output: Option<&Path>) -> anyhow::Result<()> {
    match output {
        Some(path) => {
            let mut file = PartialFile::create(path)?;
            write(api, table, |bytes| file.write(bytes)).await?;
            file.keep()?;
            note(&format!("Saved {} to {}", table.name, path.display()));
            Ok(())
        }
        None => {
            let binary = table.format == TableFormat::Parquet && std::io::stdout().is_terminal();
            ensure!(!binary, "Parquet is a binary format; add -o FILE");
            let mut out = FileOutput::new();
            write(api, table, |bytes| Ok(out.write(bytes)?)).await
        }
    }
}

async fn write(
    api: &Api,
    table: &Table,
    mut to: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if table.format == TableFormat::Json {
        return write_pages(api, table, to).await;
    }
    let mut query = table.query.clone();
    query.push(("format", choice::name(table.format)));
    let mut response = api.open(&[table.name], &query, &[]).await?;
    while let Some(bytes) = api.chunk(&mut response).await? {
        to(&bytes)?;
    }
    Ok(())
}

/// Joins the pages of a list into one document, with every row unchanged.
async fn write_pages(
    api: &Api,
    table: &Table,
    mut to: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut cursor = None;
    let mut count = 0;
    to(format!("{{\"{}\":[", table.name).as_bytes())?;
    loop {
        let mut query = table.query.clone();
        query.push(("format", "json".to_owned()));
        query.push(("limit", "10000".to_owned()));
        query.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        let body = api.get(&[table.name], &query).await?;
        let page = Page::parse(&body.text, table.name)
            .map_err(|cause| ApiError::Unreadable { base_url: api.display_url(), cause })?;
        for row in &page.rows {
            to(if count == 0 { b"\n" } else { b",\n" })?;
            to(row.get().as_bytes())?;
            count += 1;
        }
        if page.next_cursor.is_none() {
            break;
        }
        ensure!(page.next_cursor != cursor, "{} gives the same page again and again", api.display_url());
        cursor = page.next_cursor;
    }
    to(format!("\n],\"count\":{count}}}\n").as_bytes())
}

/// A page of a list.
struct Page {
    rows: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

impl Page {
    fn parse(text: &str, list: &str) -> serde_json::Result<Self> {
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text)?;
        let mut field = |name: &str| fields.remove(name).unwrap_or_default();
        let rows = serde_json::from_str(field(list).get())?;
        Ok(Self { rows, next_cursor: serde_json::from_str(field("next_cursor").get())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_page_keep_every_digit() {
        let text =
            r#"{"count": 1, "trades": [{"price": 0.10, "fee": 123456789.123456789}], "next_cursor": "a"}"#;

        let page = Page::parse(text, "trades").unwrap();

        assert_eq!(page.rows[0].get(), r#"{"price": 0.10, "fee": 123456789.123456789}"#);
        assert_eq!(page.next_cursor.as_deref(), Some("a"));
    }

    #[test]
    fn the_last_page_has_no_cursor_and_another_document_is_no_page() {
        assert_eq!(Page::parse(r#"{"trades": []}"#, "trades").unwrap().next_cursor, None);
        assert!(Page::parse(r#"{"positions": []}"#, "trades").is_err());
    }
}
