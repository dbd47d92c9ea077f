//! Bars as JSON: Alpha Vantage's responses, alone or one a line, and lists of records.

use std::collections::{BTreeMap, BTreeSet};

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
    let objects: Result<Vec<BTreeMap<String, Value>>, _> =
        serde_json::Deserializer::from_str(text).into_iter().collect();
    let objects = objects.map_err(|error| syntax(&error))?;
    if let Some(said) = objects.first().and_then(notice) {
        let problem = format!("the file has no prices, but a message: {said}");
        return Err(Faults::only(1, "", problem, ""));
    }
    // A record a line.
    if objects.first().is_some_and(|object| !object.values().any(Value::is_object)) {
        return read_records(objects, options, rules);
    }
    let mut records = Vec::new();
    for object in objects {
        let response: Response =
            serde_json::from_value(object.into_iter().collect()).map_err(|error| syntax(&error))?;
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

/// What a provider says instead of prices.
fn notice(object: &BTreeMap<String, Value>) -> Option<&str> {
    let names = ["Information", "Note", "Error Message", "detail", "message", "error"];
    let said = names.iter().find_map(|name| object.get(*name)?.as_str());
    said.filter(|_| object.len() <= 3)
}

fn read_records(
    records: Vec<BTreeMap<String, Value>>,
    options: &BarOptions,
    rules: &Rules<'_>,
) -> Result<BarFile, Faults> {
    // Records may lack what they have no value for.
    let names: BTreeSet<&String> = records.iter().flat_map(BTreeMap::keys).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
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
    Faults::only(error.line().max(1), "", problem, "")
}
