//! The JSON body of a request.
//!
//! Types, messages and the accepted forms of booleans are those of the library that the original API used.

use std::collections::HashSet;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::validation::{PathSegment, ValidationError};
use super::{DEFAULT_EXPERIMENT, TriggerRequest, UniverseChoice, is_universe_name};
use crate::job::bounds::{MAX_EXPERIMENT, MAX_SYMBOLS, MAX_UNKNOWN_FIELD, MAX_UNKNOWN_FIELDS};
use crate::job::{OnFailure, Options, Priority};
use crate::market::calendar;
use crate::market::instruments::Symbol;
use crate::values::date::parse_date;
use crate::values::spelling::near_miss;

/// Reported elements of one list: a body of one megabyte must not lead to a response of fifty.
const MAX_ELEMENT_ERRORS: usize = 100;

impl TriggerRequest {
    /// The request of a JSON body. A field that is probably a misspelt one is an error; other unknown fields, which the
    /// original API ignored, are noted.
    ///
    /// # Errors
    /// All that is wrong with the body, in the order of the documented fields.
    pub fn parse(body: &Value) -> Result<Self, Vec<ValidationError>> {
        let Value::Object(fields) = body else {
            return Err(vec![ValidationError {
                kind: "model_attributes_type",
                loc: vec!["body".into()],
                msg: "Input should be a valid dictionary or object to extract fields from".into(),
                input: body.clone(),
            }]);
        };
        let mut body = Body { fields, errors: Vec::new() };
        let unknown_fields = body.unknown_fields();
        let start = body.optional_date("start_date");
        let end = body.date("end_date");
        let models = body.names("models");
        let replace_existing = body.flag("replace_existing");
        let on_failure = body.on_failure("on_failure");
        let experiment = body.experiment("experiment");
        let wait_for_data = body.flag("wait_for_data");
        let reprocess_stale = body.flag("reprocess_stale");
        let budget = body.dollars("budget");
        let priority = body.priority("priority");
        let universe = body.universe();
        match end {
            Some(end) if body.errors.is_empty() => Ok(Self {
                start,
                end,
                models,
                universe,
                options: Options {
                    replace_existing,
                    on_failure,
                    wait_for_data,
                    reprocess_stale,
                    budget,
                    priority,
                },
                experiment,
                unknown_fields,
            }),
            _ => Err(body.errors),
        }
    }
}

/// The fields of a body, in documented order.
const FIELDS: [&str; 12] = [
    "start_date",
    "end_date",
    "models",
    "replace_existing",
    "on_failure",
    "experiment",
    "wait_for_data",
    "reprocess_stale",
    "budget",
    "priority",
    "universe",
    "symbols",
];

/// The fields of a body. A method that records an error returns a default, which is not used.
struct Body<'a> {
    fields: &'a Map<String, Value>,
    errors: Vec<ValidationError>,
}

impl Body<'_> {
    fn refuse(&mut self, field: &'static str, kind: &'static str, msg: impl Into<String>, input: &Value) {
        let loc = vec!["body".into(), field.into()];
        self.errors.push(ValidationError { kind, loc, msg: msg.into(), input: input.clone() });
    }

    fn unknown_fields(&mut self) -> Vec<String> {
        let is_unknown = |name: &&String| !FIELDS.contains(&name.as_str());
        let (misspelt, unknown): (Vec<_>, Vec<_>) = self
            .fields
            .keys()
            .filter(is_unknown)
            .take(MAX_UNKNOWN_FIELDS)
            .map(|name| (name, near_miss(name, FIELDS)))
            .partition(|(_, meant)| meant.is_some());
        self.errors.extend(misspelt.into_iter().map(|(name, meant)| {
            let loc = vec!["body".into(), name.as_str().into()];
            let msg = format!("There is no such field; use {}", meant.unwrap_or_default());
            ValidationError::unknown(loc, msg, self.fields.get(name).cloned().unwrap_or_default())
        }));
        unknown.into_iter().map(|(name, _)| name.chars().take(MAX_UNKNOWN_FIELD).collect()).collect()
    }

    /// `null`, absent and empty all mean that there is none.
    fn optional_date(&mut self, field: &'static str) -> Option<NaiveDate> {
        match self.fields.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(_) => self.date(field),
        }
    }

    fn date(&mut self, field: &'static str) -> Option<NaiveDate> {
        let Some(value) = self.fields.get(field) else {
            let input = Value::Object(self.fields.clone());
            self.refuse(field, "missing", "Field required", &input);
            return None;
        };
        let Some(text) = value.as_str() else {
            self.refuse(field, "string_type", "Input should be a valid string", value);
            return None;
        };
        let Some(date) = parse_date(text) else {
            let msg = format!("Value error, Invalid date format: {text}. Expected YYYY-MM-DD");
            self.refuse(field, "value_error", msg, value);
            return None;
        };
        // `resolve` refuses a date beyond the calendar's end: nearly all are in the future.
        if date.year() < *calendar::YEARS.start() {
            self.errors.push(ValidationError::outside_calendar(field, date));
        }
        Some(date)
    }

    /// The texts of a list without repetitions, in order.
    fn names(&mut self, field: &'static str) -> Vec<String> {
        let list = match self.fields.get(field) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.refuse(field, "list_type", "Input should be a valid list", other);
                return Vec::new();
            }
        };
        let wrong = list.iter().enumerate().filter(|(_, element)| !element.is_string());
        self.errors.extend(wrong.take(MAX_ELEMENT_ERRORS).map(|(index, element)| ValidationError {
            kind: "string_type",
            loc: vec!["body".into(), field.into(), PathSegment::Index(index)],
            msg: "Input should be a valid string".into(),
            input: element.clone(),
        }));
        let mut seen = HashSet::new();
        let texts = list.iter().filter_map(Value::as_str);
        texts.filter(|name| seen.insert(*name)).map(str::to_owned).collect()
    }

    /// `universe` or `symbols`, or neither of them.
    fn universe(&mut self) -> UniverseChoice {
        let given = |field: &str| self.fields.get(field).filter(|value| !value.is_null());
        match (given("universe"), given("symbols")) {
            (None, None) => UniverseChoice::Default,
            (Some(name), None) => self.universe_name("universe", name),
            (None, Some(_)) => self.symbols("symbols"),
            (Some(_), Some(symbols)) => {
                let msg = "Value error, There is a universe too; leave one of them out";
                self.refuse("symbols", "value_error", msg, symbols);
                UniverseChoice::Default
            }
        }
    }

    fn universe_name(&mut self, field: &'static str, value: &Value) -> UniverseChoice {
        match value.as_str() {
            Some(name) if is_universe_name(name) => return UniverseChoice::Named(name.to_owned()),
            Some(_) => {
                let msg = "String should match pattern '^[A-Za-z0-9._-]{1,100}$'";
                self.refuse(field, "string_pattern_mismatch", msg, value);
            }
            None => self.refuse(field, "string_type", "Input should be a valid string", value),
        }
        UniverseChoice::Default
    }

    fn symbols(&mut self, field: &'static str) -> UniverseChoice {
        let names = self.names(field);
        let list = self.fields.get(field).filter(|list| list.is_array());
        if let Some(list) = list.filter(|list| list.as_array().is_some_and(Vec::is_empty)) {
            self.refuse(field, "too_short", "List should have at least 1 item", list);
        }
        if let Some(list) = list.filter(|_| names.len() > MAX_SYMBOLS) {
            let msg = format!("List should have at most {MAX_SYMBOLS} items");
            self.refuse(field, "too_long", msg, &Value::from(list.as_array().map_or(0, Vec::len)));
            return UniverseChoice::Default;
        }
        let read: Vec<_> = names.iter().map(|name| (name, name.parse::<Symbol>())).collect();
        let place = |name: &str| list?.as_array()?.iter().position(|element| element == name);
        let wrong = read.iter().filter_map(|(name, read)| Some((*name, read.as_ref().err()?)));
        self.errors.extend(wrong.take(MAX_ELEMENT_ERRORS).map(|(name, problem)| {
            let loc = vec!["body".into(), field.into(), PathSegment::Index(place(name).unwrap_or_default())];
            ValidationError::value(loc, problem, name.as_str().into())
        }));
        let mut seen = HashSet::new();
        let symbols = read.into_iter().filter_map(|(_, read)| read.ok());
        // `BRK.B` and `BRK-B` are two names of one symbol.
        UniverseChoice::Symbols(symbols.filter(|symbol| seen.insert(symbol.clone())).collect())
    }

    fn flag(&mut self, field: &'static str) -> bool {
        let Some(value) = self.fields.get(field) else { return false };
        read_flag(value).unwrap_or_else(|(kind, msg)| {
            self.refuse(field, kind, msg, value);
            false
        })
    }

    /// An amount above zero, as a number or a decimal text; `null` and absent mean that there is none.
    fn dollars(&mut self, field: &'static str) -> Option<Decimal> {
        let value = self.fields.get(field).filter(|value| !value.is_null())?;
        let amount = match value {
            Value::Number(number) => Decimal::from_str_exact(&number.to_string()).ok(),
            Value::String(text) => Decimal::from_str_exact(text).ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        match amount {
            Some(amount) if amount > Decimal::ZERO => Some(amount.normalize()),
            Some(_) => {
                self.refuse(field, "greater_than", "Input should be greater than 0", value);
                None
            }
            None => {
                self.refuse(field, "decimal_parsing", "Input should be a valid decimal", value);
                None
            }
        }
    }

    fn on_failure(&mut self, field: &'static str) -> OnFailure {
        let Some(value) = self.fields.get(field) else { return OnFailure::default() };
        match value.as_str() {
            Some("continue") => OnFailure::Continue,
            Some("stop") => OnFailure::Stop,
            Some(_) | None => {
                self.refuse(field, "literal_error", "Input should be 'continue' or 'stop'", value);
                OnFailure::default()
            }
        }
    }

    fn priority(&mut self, field: &'static str) -> Priority {
        let Some(value) = self.fields.get(field) else { return Priority::default() };
        value.as_str().and_then(Priority::parse).unwrap_or_else(|| {
            self.refuse(field, "literal_error", "Input should be 'low', 'normal' or 'high'", value);
            Priority::default()
        })
    }

    fn experiment(&mut self, field: &'static str) -> String {
        let Some(value) = self.fields.get(field) else { return DEFAULT_EXPERIMENT.to_owned() };
        let Some(name) = value.as_str() else {
            self.refuse(field, "string_type", "Input should be a valid string", value);
            return String::new();
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() {
            self.refuse(field, "string_too_short", "String should have at least 1 character", value);
        } else if name.chars().count() > MAX_EXPERIMENT {
            let msg = format!("String should have at most {MAX_EXPERIMENT} characters");
            self.refuse(field, "string_too_long", msg, value);
        } else if !name.chars().all(allowed) {
            let msg = "String should match pattern '^[A-Za-z0-9._-]+$'";
            self.refuse(field, "string_pattern_mismatch", msg, value);
        }
        name.to_owned()
    }
}

/// A boolean, or a text or number that the original API accepts as one.
fn read_flag(value: &Value) -> Result<bool, (&'static str, &'static str)> {
    let text = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(("bool_type", "Input should be a valid boolean"));
        }
    };
    match text.as_str() {
        "1" | "on" | "t" | "true" | "y" | "yes" => Ok(true),
        "0" | "off" | "f" | "false" | "n" | "no" => Ok(false),
        _ => Err(("bool_parsing", "Input should be a valid boolean, unable to interpret input")),
    }
}
