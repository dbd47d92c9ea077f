//! The name that is meant by one that the server does not know.

use domain::values::spelling::near_miss;

use crate::client::http::{Api, ApiError};
use crate::client::names::models_of;

/// A refused request with a hint at the models that are meant, if one of `models` is misspelt.
pub(super) async fn with_models_meant(api: &Api, error: ApiError, models: &[String]) -> anyhow::Error {
    let is_refusal = matches!(&error, ApiError::Problem(problem) if matches!(problem.status, 404 | 422));
    let known = if is_refusal && !models.is_empty() { models_of(api).await } else { Vec::new() };
    let is_unknown = |name: &&String| !known.is_empty() && !known.contains(name);
    let hints: Vec<String> = models.iter().filter(is_unknown).map(|name| hint(name, &known)).collect();
    if hints.is_empty() {
        return error.into();
    }
    let ApiError::Problem(problem) = error else { return error.into() };
    ApiError::Problem(problem.in_other_words(hints.join("\n"))).into()
}

fn hint(name: &str, known: &[String]) -> String {
    match near_miss(name, known.iter().map(String::as_str)) {
        Some(near) => format!("there is no model {name}; did you mean {near}?"),
        None => format!("there is no model {name}; `modelday models` lists them"),
    }
}
