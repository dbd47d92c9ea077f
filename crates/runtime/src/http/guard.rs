//! Access control of requests: token, scope, rate limit, type of the body, and time limit.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::Problem;
use super::media_type;
use super::openapi::{RouteRule, RouteRules};
use crate::access::{Access, Scope, Token};

/// The name of the request's token; empty where no token is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// Decides which requests reach their routes.
pub(super) struct Guard {
    access: Access,
    rules: RouteRules,
    limits: HashMap<Arc<str>, DefaultDirectRateLimiter>,
}

impl Guard {
    pub(super) fn new(access: Access, rules: RouteRules) -> Self {
        let quota = Quota::per_minute(access.requests_per_minute);
        let limits =
            access.tokens.iter().map(|token| (token.name().clone(), RateLimiter::direct(quota))).collect();
        Self { access, rules, limits }
    }

    /// The caller of a request.
    ///
    /// # Errors
    /// When the request is refused.
    fn admit(&self, request: &Request) -> Result<Caller, Problem> {
        let path = request.extensions().get::<MatchedPath>();
        let rule = path.and_then(|path| self.rules.get(request.method(), path.as_str()));
        let caller = self.caller(request.headers(), rule)?;
        media_type::check(request, rule.map_or(&[], |rule| &rule.media_types))?;
        Ok(caller)
    }

    fn caller(&self, headers: &HeaderMap, rule: Option<&RouteRule>) -> Result<Caller, Problem> {
        let is_public = rule.is_some_and(|rule| rule.scopes.is_empty());
        if self.access.tokens.is_empty() || is_public {
            return Ok(Caller("".into()));
        }
        let token = bearer(headers).and_then(|presented| self.access.tokens.find(presented));
        let token = token.ok_or_else(unauthorized)?;
        self.within_limit(token)?;
        in_scope(token, rule.map(|rule| &rule.scopes))?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
