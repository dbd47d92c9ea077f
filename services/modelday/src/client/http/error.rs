//! Errors of calls to the API, in sentences for people.

use domain::agent::endpoint::EndpointUrlError;
use serde::Deserialize;
use serde_json::Value;

/// Why a call to the API has no usable response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No connection, or no response.
    #[error(
        "Modelday does not answer at {base_url} ({cause}); start it with `make run`, or set MODELDAY_URL to where it runs"
    )]
    Unreachable {
        /// The address.
        base_url: String,
        /// The error of the operating system or the HTTP client.
        cause: String,
    },
    /// The connection broke in the middle of the body.
    #[error("the answer of {base_url} was cut off ({cause})")]
    CutOff {
        /// The address.
        base_url: String,
        /// The error of the operating system or the HTTP client.
        cause: String,
    },
    /// A response that is no success.
    #[error("{0}")]
    Problem(Problem),
    /// The body has another form: the server has another version, or is not Modelday.
    #[error("the answer of {base_url} is not what this version of modelday expects")]
    Unreadable {
        /// The address.
        base_url: String,
        /// Where the body differs.
        #[source]
        cause: serde_json::Error,
    },
    /// The body, or an event of a stream, is larger than any of Modelday's.
    #[error(
        "the answer of {base_url} is larger than {max_mib} MiB; ask for less, or check that this is Modelday's address"
    )]
    TooLarge {
        /// The address.
        base_url: String,
        /// The largest that is read.
        max_mib: usize,
    },
    /// `--base-url` or `MODELDAY_URL` is no address. It is not shown: it may contain a password.
    #[error("the address of Modelday {0}; write it as http://host:port")]
    Address(EndpointUrlError),
    /// `MODELDAY_TOKEN` cannot be sent.
    #[error("MODELDAY_TOKEN has characters that no token has; set it to what `modelday token` printed")]
    Token,
}

/// An error response: a problem document of RFC 9457.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The whole problem in a sentence.
    pub(crate) detail: String,
    /// Seconds to wait before trying again.
    pub(crate) retry_after: Option<u64>,
    errors: Vec<FieldError>,
}

/// What is wrong with one field of the request.
#[derive(Debug, Deserialize)]
struct FieldError {
    #[serde(default)]
    loc: Vec<Value>,
    #[serde(default)]
    msg: String,
}

#[derive(Deserialize)]
struct ProblemBody {
    detail: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

impl Problem {
    /// Reads the problem from the body of a response.
    pub(crate) fn parse(status: reqwest::StatusCode, retry_after: Option<u64>, body: &str) -> Self {
        let read = serde_json::from_str(body).unwrap_or_else(|_| ProblemBody {
            // A proxy between client and server has responded with a page for browsers.
            detail: format!("the answer was {status}"),
            errors: Vec::new(),
        });
        Self { status: status.as_u16(), detail: read.detail, retry_after, errors: read.errors }
    }

    /// The same refusal, in other words.
    pub(crate) fn in_other_words(self, detail: String) -> Self {
        Self { detail, errors: Vec::new(), ..self }
    }

    /// Whether the server lacks the route, as opposed to the job.
    pub(crate) fn is_unknown_path(&self) -> bool {
        matches!((self.status, self.detail.as_str()), (404, "Not Found") | (405, _))
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.errors.iter().map(FieldError::line).collect();
        let paths: Vec<String> = self.errors.iter().map(FieldError::with_path).collect();
        let repeats = paths.join("; ") == self.detail;
        // A detail may repeat the field errors, or end with the first of them. Several get a line each below.
        let detail = match (lines.as_slice(), paths.as_slice()) {
            ([line], _) if repeats => line.clone(),
            ([_, _, ..], _) if repeats => format!("{} things are wrong", lines.len()),
            ([_, _, ..], [first, ..]) => {
                self.detail.trim_end_matches(first.as_str()).trim_end_matches(": ").to_owned()
            }
            _ => self.detail.clone(),
        };
        f.write_str(&detail)?;
        if let Some(seconds) = self.retry_after {
            write!(f, "; try again in {seconds} s")?;
        }
        if self.status == 401 {
            f.write_str("; set MODELDAY_TOKEN to one")?;
        }
        let is_told = |path: &String| self.detail.contains(path.as_str());
        let listed = if paths.len() == 1 && paths.iter().all(is_told) { &[] } else { lines.as_slice() };
        listed.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl FieldError {
    /// The error as a detail repeats it, with the path in the request.
    fn with_path(&self) -> String {
        if self.loc.is_empty() || self.msg.starts_with("line ") {
            return self.msg.clone();
        }
        let place = |place: &Value| place.as_str().map_or_else(|| place.to_string(), str::to_owned);
        format!("{}: {}", self.loc.iter().map(place).collect::<Vec<_>>().join("."), self.msg)
    }

    fn line(&self) -> String {
        // An error of an uploaded file already says where it is.
        if self.msg.starts_with("line ") {
            return self.msg.clone();
        }
        // The words before it are those of the original API.
        let text = self.msg.trim_start_matches("Value error, ");
        match self.option() {
            Some(option) => format!("{option}: {text}"),
            None => text.to_owned(),
        }
    }

    /// The option of the command line that the field came from, with the place in its list.
    fn option(&self) -> Option<String> {
        let mut places = self.loc.iter();
        let part = places.next()?.as_str()?;
        let name = places.next()?.as_str()?;
        let option = match (part, name) {
            ("path", name) => name.trim_end_matches("_id").to_uppercase(),
            (_, "start_date") => "--start".to_owned(),
            (_, "end_date") => "--end".to_owned(),
            (_, "job_id") => "--job".to_owned(),
            (_, "on_failure") => "--stop-on-failure".to_owned(),
            (_, name) => format!("--{}", name.to_lowercase().replace('_', "-")),
        };
        let nth = places.next().and_then(Value::as_u64);
        Some(nth.map_or(option.clone(), |nth| format!("{option} ({})", nth + 1)))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::Problem;

    fn displayed(status: StatusCode, retry_after: Option<u64>, body: &str) -> String {
        Problem::parse(status, retry_after, body).to_string()
    }

    #[test]
    fn several_wrong_fields_have_a_line_each_and_one_is_named_once() {
        let one = r#"{"detail": "body.end_date: Field required",
            "errors": [{"type": "missing", "loc": ["body", "end_date"], "msg": "Field required", "input": {}}]}"#;
        let two = r#"{"detail": "body.end_date: Field required; body.models.0: no",
            "errors": [{"loc": ["body", "end_date"], "msg": "Field required"}, {"loc": ["body", "models", 0], "msg": "no"}]}"#;

        assert_eq!(displayed(StatusCode::UNPROCESSABLE_ENTITY, None, one), "--end: Field required");
        assert_eq!(
            displayed(StatusCode::UNPROCESSABLE_ENTITY, None, two),
            "2 things are wrong\n  --end: Field required\n  --models (1): no"
        );
    }

    #[test]
    fn wrong_lines_of_a_file_are_listed_once_each() {
        let two = r#"{"detail": "2 things are wrong, nothing is imported: line 2: close must be above 0", "errors": [
            {"loc": ["body", 2, "close"], "msg": "line 2: close must be above 0"},
            {"loc": ["body", 9, "date"], "msg": "line 9: date is no session"}]}"#;
        let one = r#"{"detail": "1 thing is wrong, nothing is imported: line 2: no", "errors": [
            {"loc": ["body", 2, "close"], "msg": "line 2: no"}]}"#;

        assert_eq!(
            displayed(StatusCode::UNPROCESSABLE_ENTITY, None, two),
            "2 things are wrong, nothing is imported\n  line 2: close must be above 0\n  line 9: date is no session"
        );
        assert_eq!(
            displayed(StatusCode::UNPROCESSABLE_ENTITY, None, one),
            "1 thing is wrong, nothing is imported: line 2: no"
        );
    }

    #[test]
    fn the_remedy_is_printed_and_a_page_for_browsers_is_not() {
        let busy = r#"{"detail": "Token a has made more than 3 requests a minute"}"#;
        let unknown = r#"{"detail": "Send a known API token as Authorization: Bearer TOKEN"}"#;

        assert_eq!(
            displayed(StatusCode::TOO_MANY_REQUESTS, Some(7), busy),
            "Token a has made more than 3 requests a minute; try again in 7 s"
        );
        assert!(displayed(StatusCode::UNAUTHORIZED, None, unknown).ends_with("; set MODELDAY_TOKEN to one"));
        assert_eq!(displayed(StatusCode::BAD_GATEWAY, None, "<html>"), "the answer was 502 Bad Gateway");
    }
}
