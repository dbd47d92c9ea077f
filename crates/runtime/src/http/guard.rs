//! Access control of requests: token, scope, rate limit, origin and time limit.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::Problem;
use crate::access::{Access, Scope, Token};

/// The name of the request's token; empty where no token is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// The scopes that each route requires, by method and path template. A route with an empty set is public.
pub(super) type RequiredScopes = HashMap<(Method, String), BTreeSet<Scope>>;

/// Decides which requests reach their routes.
pub(super) struct Guard {
    access: Access,
    required: RequiredScopes,
    limits: HashMap<Arc<str>, DefaultDirectRateLimiter>,
}

impl Guard {
    pub(super) fn new(access: Access, required: RequiredScopes) -> Self {
        let quota = Quota::per_minute(access.requests_per_minute);
        let limits =
            access.tokens.iter().map(|token| (token.name().clone(), RateLimiter::direct(quota))).collect();
        Self { access, required, limits }
    }

    /// The caller of a request.
    ///
    /// # Errors
    /// When the request is refused.
    fn admit(&self, request: &Request) -> Result<Caller, Problem> {
        if self.access.tokens.is_empty() && self.access.loopback_only {
            refuse_other_sites(request.headers())?;
        }
        let required = self.required(request);
        if self.access.tokens.is_empty() || required.is_some_and(BTreeSet::is_empty) {
            return Ok(Caller("".into()));
        }
        let token = bearer(request.headers()).and_then(|presented| self.access.tokens.find(presented));
        let token = token.ok_or_else(unauthorized)?;
        self.within_limit(token)?;
        in_scope(token, required)?;
        Ok(Caller(token.name().clone()))
    }

    fn within_limit(&self, token: &Token) -> Result<(), Problem> {
        let Some(limit) = self.limits.get(token.name()) else { return Ok(()) };
        limit.check().map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let per_minute = self.access.requests_per_minute;
            let detail = format!("Token {} has made more than {per_minute} requests a minute", token.name());
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait.as_secs() + 1)
        })
    }

    /// The scopes that the request's route requires. `None` for an unknown route, and for one that the API's description
    /// does not have.
    fn required(&self, request: &Request) -> Option<&BTreeSet<Scope>> {
        let path = request.extensions().get::<MatchedPath>()?;
        let method = match *request.method() {
            Method::HEAD => Method::GET,
            ref method => method.clone(),
        };
        self.required.get(&(method, path.as_str().to_owned()))
    }
}

fn in_scope(token: &Token, required: Option<&BTreeSet<Scope>>) -> Result<(), Problem> {
    // A route without a description requires the highest scope, so that a forgotten one is not public.
    let undescribed = BTreeSet::from([Scope::Operate]);
    match required.unwrap_or(&undescribed).iter().find(|scope| !token.allows(**scope)) {
        None => Ok(()),
        Some(scope) => {
            let detail = format!("Token {} lacks the scope {scope}", token.name());
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
    }
}

pub(super) async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let caller = match guard.admit(&request) {
        Ok(caller) => caller,
        Err(problem) => return refused(problem),
    };
    request.extensions_mut().insert(caller);
    let timeout = guard.access.request_timeout;
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("No answer within {} s; try again, or ask for less", timeout.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1).into_response()
        }
    }
}

fn refused(problem: Problem) -> Response {
    let unauthorized = problem.status() == StatusCode::UNAUTHORIZED;
    let mut response = problem.into_response();
    if unauthorized {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn unauthorized() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "Send a known API token as Authorization: Bearer TOKEN")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// Without tokens, every program on this machine may call the API. Pages of other sites in a browser on this machine may
/// not: neither by a request across origins, nor by a domain name of theirs that resolves to this address.
///
/// # Errors
/// When the request comes from such a page.
fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST);
    let is_own_host = host.is_none_or(is_local);
    let same_origin = text(header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host));
    if is_own_host && same_origin {
        return Ok(());
    }
    let detail = "Without API_TOKENS only programs and pages of this machine are answered";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        refuse_other_sites(&headers).is_ok()
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        assert!(is_allowed("127.0.0.1:8080", None));
        assert!(is_allowed("localhost:8080", Some("http://localhost:8080")));
        assert!(is_allowed("[::1]:8080", None));
        assert!(!is_allowed("127.0.0.1:8080", Some("https://evil.example")));
        assert!(!is_allowed("127.0.0.1:8080", Some("null")));
        assert!(
            !is_allowed("evil.example:8080", Some("http://evil.example:8080")),
            "a name that resolves to this address"
        );
        assert!(!is_allowed("127.0.0.1.evil.example", None));
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_the_scheme() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        headers.insert(header::AUTHORIZATION, "bearer mdt_1".parse().unwrap());
        assert_eq!(bearer(&headers), Some("mdt_1"));
        headers.insert(header::AUTHORIZATION, "Basic mdt_1".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }
}
