//! An endpoint that gave no message.

use super::{Diagnosis, Tried, diagnosis};
use crate::agent::dialect::Dialect;
use crate::agent::response::{Failure, FailureClass};

/// A whole answer of a user's own agent.
pub(super) const OWN_ANSWER: &str = r#"{"tool_calls": [{"name": "buy", "arguments": {"symbol": "AAPL", "amount": 1}}], "finish": true, "reasoning": "..."}"#;

/// What to do about a call that gave no message. `status` is the HTTP status, `cause` what the network said.
pub fn of_failure(
    tried: &Tried<'_>,
    failure: &Failure,
    status: Option<u16>,
    cause: Option<&str>,
) -> Diagnosis {
    let said = match (status, cause) {
        (Some(status), _) => format!("status {status}: {}", failure.text),
        (None, Some(cause)) => format!("{}: {cause}", failure.text),
        (None, None) => failure.text.clone(),
    };
    let field = tried.address_field();
    match failure.class {
        FailureClass::Unreachable => diagnosis(
            format!("there is no connection to {} ({said})", tried.host()),
            format!("a server that listens at {}", tried.address),
            match tried.is_own_agent() {
                true => format!("start the agent, or correct {field}"),
                false => format!("correct the host in {field}, or start the server"),
            },
        ),
        FailureClass::Timeout => diagnosis(
            format!("the answer is too late ({said})"),
            format!(
                "a byte at least every {} s (timeout_seconds), and the whole answer within 300 s",
                tried.timeout_seconds
            ),
            "answer sooner, or raise timeout_seconds in the model's entry".to_owned(),
        ),
        FailureClass::Malformed => diagnosis(
            format!("the answer cannot be read ({said})"),
            expected_body(tried.dialect).to_owned(),
            match tried.is_own_agent() {
                true => "answer every call with status 200 and one JSON object".to_owned(),
                false => format!("correct {field} and dialect: does the endpoint speak this protocol?"),
            },
        ),
        FailureClass::ServerError => diagnosis(
            format!("the endpoint failed ({said})"),
            "status 200".to_owned(),
            match tried.is_own_agent() {
                true => "look at the output of the agent: an exception in it is the usual cause".to_owned(),
                false => "try again later; a job tries again by itself, six times in all".to_owned(),
            },
        ),
        FailureClass::TooLarge => diagnosis(
            format!("the answer has more than {} bytes", tried.max_answer_bytes),
            "a smaller answer".to_owned(),
            "say less in it, or raise limits.max_answer_bytes".to_owned(),
        ),
        FailureClass::Throttled => diagnosis(
            format!("the endpoint takes no more calls for now ({said})"),
            "fewer calls".to_owned(),
            "wait, or set concurrency and tokens_per_minute to what the endpoint allows; a job waits by itself"
                .to_owned(),
        ),
        FailureClass::BadModel => missing(tried, &said),
        FailureClass::BadRequest => diagnosis(
            format!("the endpoint refuses the request ({said})"),
            String::new(),
            match tried.is_own_agent() {
                true => "let the agent take the request as it is; docs/agents.md describes it".to_owned(),
                false => "correct basemodel and sampling: the endpoint may not know a member of sampling.extra"
                    .to_owned(),
            },
        ),
        FailureClass::TooLong => diagnosis(
            format!("the conversation is too long for the model ({said})"),
            String::new(),
            "trade fewer symbols, lower limits.max_steps, or use a model with a longer context".to_owned(),
        ),
        FailureClass::NoMoney => diagnosis(
            format!("the account has no credit ({said})"),
            String::new(),
            "add credit at the provider, or use another key".to_owned(),
        ),
        // The key is not set where the executor runs: the text says it, and what to do.
        FailureClass::BadCredentials if status.is_none() => spoken(&failure.text),
        FailureClass::BadCredentials => refused_key(tried, &said),
        FailureClass::Redirected | FailureClass::NotAllowed => spoken(&failure.text),
    }
}

fn missing(tried: &Tried<'_>, said: &str) -> Diagnosis {
    let field = tried.address_field();
    let expected = format!("an answer to POST {}", tried.address);
    if tried.is_own_agent() {
        let fix = format!("correct the path in {field}, or let the agent answer at it");
        return diagnosis(format!("nothing answers at this path ({said})"), expected, fix);
    }
    diagnosis(
        format!("the endpoint has no model {:?}, or nothing answers at this path ({said})", tried.basemodel),
        expected,
        format!("correct basemodel, or {field}"),
    )
}

fn refused_key(tried: &Tried<'_>, said: &str) -> Diagnosis {
    let host = tried.host();
    let problem = format!("the endpoint refuses the call ({said})");
    match (tried.key_variable, tried.dialect) {
        (Some(variable), _) => diagnosis(
            problem,
            format!("that {host} takes the key in {variable}"),
            format!("set {variable} to a key of {host} where the executor runs, and restart it"),
        ),
        (None, Dialect::Agent | Dialect::Mcp) => diagnosis(
            problem,
            "that the agent takes the call".to_owned(),
            format!(
                "if the agent checks signatures, add VARIABLE@{host} of its secret to AGENT_SECRETS; if it wants a \
                 token, name the token's variable in api_key_env"
            ),
        ),
        (None, Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses) => diagnosis(
            problem,
            "a key".to_owned(),
            "name the environment variable with the key in api_key_env".to_owned(),
        ),
    }
}

/// A text whose part after the last semicolon says what to do.
fn spoken(text: &str) -> Diagnosis {
    let (problem, fix) = text.rsplit_once("; ").unwrap_or((text, ""));
    diagnosis(problem.to_owned(), String::new(), fix.to_owned())
}

/// What a body looks like.
pub(super) fn expected_body(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Agent | Dialect::Mcp => OWN_ANSWER,
        Dialect::ChatCompletions => {
            r#"{"choices": [{"message": {"content": "...", "tool_calls": [...]}}], "usage": {...}}"#
        }
        Dialect::Messages => {
            r#"{"content": [{"type": "text", ...}, {"type": "tool_use", ...}], "usage": {...}}"#
        }
        Dialect::Responses => r#"{"output": [{"type": "function_call", ...}], "usage": {...}}"#,
    }
}
