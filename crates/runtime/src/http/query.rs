//! Checks the query of a request before its route reads it: a parameter that the route does not have would be ignored,
//! and something else would be returned than was meant.

use axum::extract::{Query, Request};
use axum::http::StatusCode;
use domain::job::request::ValidationError;
use domain::values::spelling::near_miss;

use super::problem::Problem;

/// Routes of the original API, whose clients may send parameters that mean nothing.
const ORIGINAL: [&str; 4] = ["/simulate/trigger", "/simulate/status/{job_id}", "/results", "/health"];

/// # Errors
/// Status 422 for a parameter that is not among `known`; on a route of the original API only for a misspelt one, unless the
/// check is strict.
pub(super) fn check(
    request: &Request,
    route: &str,
    known: &[String],
    is_strict: bool,
) -> Result<(), Problem> {
    // PostgreSQL has no text with a NUL, so nothing can be found by one.
    if request.uri().path().contains("%00") {
        let detail = "The address contains a NUL (%00), which no name has";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    // A query that cannot be read is refused by the route.
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()) else { return Ok(()) };
    let is_lenient = !is_strict && ORIGINAL.contains(&route);
    let unknown = pairs.into_iter().filter(|(name, _)| !known.contains(name));
    let errors: Vec<_> = unknown.filter_map(|(name, value)| error(&name, value, known, is_lenient)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::validation(errors)) }
}

fn error(name: &str, value: String, known: &[String], is_lenient: bool) -> Option<ValidationError> {
    let meant = near_miss(name, known.iter().map(String::as_str));
    let msg = match meant {
        Some(meant) => format!("There is no such parameter; use {meant}"),
        None if is_lenient => return None,
        None if known.is_empty() => "There is no such parameter; leave it out".to_owned(),
        None => format!("There is no such parameter; there are {}", known.join(", ")),
    };
    Some(ValidationError::unknown(vec!["query".into(), name.into()], msg, value.into()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn refused(uri: &str, route: &str) -> Option<String> {
        refused_when(false, uri, route)
    }

    fn refused_when(is_strict: bool, uri: &str, route: &str) -> Option<String> {
        let known = ["start_date".to_owned(), "models".to_owned()];
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        check(&request, route, &known, is_strict).err().map(|problem| format!("{problem:?}"))
    }

    #[track_caller]
    fn check_refused(uri: &str, route: &str, expected: &str) {
        let problem = refused(uri, route).unwrap();
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_known_ones() {
        check_refused("/leaderboard?model=a", "/leaderboard", "use models");
        check_refused("/leaderboard?page=2", "/leaderboard", "there are start_date, models");
        assert_eq!(refused("/leaderboard?models=a&start_date=b", "/leaderboard"), None);
        assert_eq!(refused("/leaderboard", "/leaderboard"), None);
    }

    #[test]
    fn a_route_of_the_original_api_refuses_misspelt_parameters_only() {
        check_refused("/results?model=a", "/results", "use models");
        assert_eq!(refused("/results?utm_source=a", "/results"), None);
        assert!(refused_when(true, "/results?utm_source=a", "/results").is_some(), "it is strict");
    }

    #[test]
    fn a_nul_in_the_path_is_refused() {
        check_refused("/jobs/a%00b", "/jobs/{job_id}", "NUL");
    }
}
