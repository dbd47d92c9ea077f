//! Bars as JSON: Alpha Vantage's responses, alone or one a line, and lists of records.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::faults::Faults;
use super::super::rules::Rules;
use super::bar_file::{BarFile, BarOptions};
use super::reader::BarReader;

/// A response of Alpha Vantage.
#[derive(Deserialize)]
struct Response {
    #[serde(rename = "Meta Data")]
    about: BTreeMap<String, Value>,
    #[serde(rename = "Time Series (Daily)")]
    bars: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Reads the file. A fault's line is the number of the record.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(text: &str, options: &BarOptions, rules: &Rules<'_>) -> Result<BarFile, Faults> {
    if text.trim_start().starts_with('[') {
        let records: Vec<BTreeMap<String, Value>> =
            serde_json::from_str(text).map_err(|error| syntax(&error))?;
        return read_records(records, options, rules);
    }
    let responses: Result<Vec<Response>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    let responses = responses.map_err(|error| syntax(&error))?;
    let mut records = Vec::new();
    for response in responses {
        let symbol = response.about.into_iter().find(|(name, _)| name.ends_with("Symbol"));
        let symbol = symbol.map(|(_, symbol)| symbol);
        for (date, mut bar) in response.bars {
            bar.insert("date".to_owned(), date.into());
            if let Some(symbol) = &symbol {
                bar.insert("symbol".to_owned(), symbol.clone());
            }
            records.push(bar);
        }
    }
    read_records(records, options, rules)
}

fn read_records(
    records: Vec<BTreeMap<String, Value>>,
    options: &BarOptions,
    rules: &Rules<'_>,
) -> Result<BarFile, Faults> {
    let names: Vec<String> =
        records.first().map(|record| record.keys().cloned().collect()).unwrap_or_default();
    let header: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut reader = BarReader::new(&header, options, rules)?;
    for (record, line) in records.iter().zip(1..) {
        let fields: Vec<String> =
            names.iter().map(|name| record.get(name).map(plain).unwrap_or_default()).collect();
        reader.row(line, &fields.iter().map(String::as_str).collect::<Vec<_>>());
    }
    reader.finish()
}

/// A value as a CSV file has it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn syntax(error: &serde_json::Error) -> Faults {
    let problem = format!("is neither a response of Alpha Vantage nor a list of bars: {error}");
    Faults::only(error.line(), "", problem, "")
}
