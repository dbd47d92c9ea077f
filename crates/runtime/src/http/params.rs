//! Query parameters. All invalid ones are reported together.

use std::collections::BTreeMap;
use std::fmt::Display;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::NaiveDate;
use domain::job::request::ValidationError;
use domain::values::date::parse_date;
use serde_json::Value;

use super::Problem;

/// The parameters of a request.
#[derive(Debug, Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    errors: Vec<ValidationError>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
        Ok(Self::new(pairs))
    }
}

impl Params {
    /// A value with a NUL is invalid: Postgres refuses it in a text, so no stored text has one.
    fn new(pairs: Vec<(String, String)>) -> Self {
        let with_nul = pairs.iter().filter(|(_, value)| value.contains('\0'));
        let errors = with_nul.map(|(name, value)| ValidationError {
            kind: "string_pattern_mismatch",
            loc: vec!["query".into(), name.as_str().into()],
            msg: "Input should be a text without NUL".to_owned(),
            input: Value::String(value.clone()),
        });
        let errors = errors.collect();
        let values = pairs.into_iter().map(|(name, value)| (name, value.replace('\0', "\u{fffd}")));
        Self { values: values.collect(), errors }
    }

    /// The text of a parameter; `None` when it is absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The text of a parameter; `None` when it is absent or empty.
    pub fn filter(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The values of a parameter that are separated by commas; `None` when there are none.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let parts = self.text(name)?.split(',').map(str::trim).filter(|part| !part.is_empty());
        Some(parts.map(str::to_owned).collect()).filter(|list: &Vec<_>| !list.is_empty())
    }

    /// A parameter that `read` can parse. Otherwise it is noted as invalid, with the message that it should be
    /// `expected`.
    pub fn read<T>(
        &mut self,
        name: &str,
        kind: &'static str,
        expected: impl Display,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.values.get(name)?;
        let value = read(text);
        if value.is_none() {
            self.errors.push(ValidationError {
                kind,
                loc: vec!["query".into(), name.into()],
                msg: format!("Input should be {expected}"),
                input: Value::String(text.clone()),
            });
        }
        value
    }

    /// A whole number from `least` to `most`.
    pub fn number(&mut self, name: &str, least: i64, most: i64) -> Option<i64> {
        self.read(name, "int_parsing", format_args!("a whole number from {least} to {most}"), |text| {
            text.parse().ok().filter(|number| (least..=most).contains(number))
        })
    }

    /// One of `choices`.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let mut expected: Vec<String> = choices.iter().map(|(choice, _)| format!("'{choice}'")).collect();
        let last = expected.pop().unwrap_or_default();
        let expected = format!("{} or {last}", expected.join(", "));
        self.read(name, "literal_error", expected, |text| {
            choices.iter().find(|(choice, _)| *choice == text).map(|(_, value)| *value)
        })
    }

    /// A date, as [`parse_date`] reads it.
    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        self.read(name, "date_from_datetime_parsing", "a valid date in the format YYYY-MM-DD", parse_date)
    }

    /// # Errors
    /// All parameters that were noted as invalid.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::validation(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Params { values, errors: Vec::new() }
    }

    #[test]
    fn all_invalid_parameters_are_reported_together() {
        let mut params =
            params(&[("limit", "0"), ("status", "done"), ("start_date", "2025-1-1"), ("other", "?")]);

        params.number("limit", 1, 10);
        params.choice("status", &[("pending", 1), ("running", 2), ("failed", 3)]);
        params.date("start_date");

        let messages: Vec<_> = params.errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "query.limit: Input should be a whole number from 1 to 10",
                "query.status: Input should be 'pending', 'running' or 'failed'",
                "query.start_date: Input should be a valid date in the format YYYY-MM-DD",
            ]
        );
        assert!(params.finish().is_err());
    }

    #[test]
    fn a_list_is_separated_by_commas() {
        let params = params(&[("models", "a, b,,"), ("none", ",")]);

        assert_eq!(params.list("models"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(params.list("none"), None);
        assert_eq!(params.list("absent"), None);
    }
}
