//! The type of a request's body. The types that a form of another site can send without asking this API first are none of
//! those that its routes read.

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};

use super::problem::Problem;

/// The type of a body of a route that does not read one.
const JSON: &str = "application/json";

/// Refuses a request that may change something, unless its body is of one of `accepted`, which is JSON when it is empty. A
/// request without a body need not name a type.
///
/// # Errors
/// Status 415, which names the types.
pub(super) fn check(request: &Request, accepted: &[String]) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let is_accepted = match request.headers().get(header::CONTENT_TYPE) {
        None => request.body().is_end_stream(),
        Some(value) => {
            let named = essence(value);
            accepted.iter().any(|accepted| named.eq_ignore_ascii_case(accepted))
                || accepted.is_empty() && named.eq_ignore_ascii_case(JSON)
        }
    };
    if is_accepted {
        return Ok(());
    }
    let types = if accepted.is_empty() { JSON.to_owned() } else { accepted.join(" or ") };
    let detail = format!("Send the body as {types}, and name that in the header Content-Type");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// A media type without its parameters; empty for a value that is no text.
fn essence(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_read(method: Method, media_type: Option<&str>, body: &'static str, accepted: &[&str]) -> bool {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        if let Some(media_type) = media_type {
            request.headers_mut().insert(header::CONTENT_TYPE, media_type.parse().unwrap());
        }
        check(&request, &accepted.iter().map(ToString::to_string).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn what_a_form_of_another_site_can_send_is_not_read() {
        let forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
        for form in forms {
            for accepted in [&[][..], &["application/json"], &["text/csv"]] {
                assert!(!is_read(Method::POST, Some(form), "{}", accepted), "{form} for {accepted:?}");
                assert!(!is_read(Method::POST, Some(form), "", accepted), "{form} without a body");
            }
        }
        assert!(!is_read(Method::POST, None, "{}", &["application/json"]));
    }

    #[test]
    fn the_types_of_the_route_are_read_whatever_their_case_and_parameters() {
        assert!(is_read(Method::POST, Some("Application/JSON; charset=utf-8"), "{}", &["application/json"]));
        assert!(is_read(
            Method::POST,
            Some("text/csv"),
            "a,b",
            &["text/csv", "application/vnd.apache.parquet"]
        ));
        assert!(!is_read(Method::POST, Some("application/json"), "{}", &["text/csv"]));
    }

    #[test]
    fn a_request_without_a_body_needs_no_type() {
        assert!(is_read(Method::POST, None, "", &[]));
        assert!(is_read(Method::POST, Some("application/json"), "", &[]));
        assert!(is_read(Method::GET, Some("text/plain"), "", &[]));
    }
}
