//! Access control of requests: token, scope, rate limit, type of the body, and time limit.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::caller::Caller;
use super::failures::{Failures, Reason};
use super::media_type;
use super::openapi::{RouteRule, RouteRules};
use super::peer::Peer;
use super::problem::Problem;
use super::query;
use crate::access::{Access, Found, Scope, Token};

/// Decides which requests reach their routes.
pub(super) struct Guard {
    access: Access,
    rules: RouteRules,
    /// By the name of the token.
    limits: DefaultKeyedRateLimiter<Arc<str>>,
    failures: Failures,
}

/// Why a request does not reach its route.
enum Refused {
    /// It has no valid token.
    Unauthenticated(Reason, Problem),
    /// Any other reason.
    Other(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

impl Guard {
    pub(super) fn new(access: Access, rules: RouteRules) -> Self {
        let limits = RateLimiter::keyed(Quota::per_minute(access.requests_per_minute));
        Self { access, rules, limits, failures: Failures::default() }
    }

    /// The caller of a request, who is at `client`, and whether the request takes much work.
    fn admit(&self, request: &Request, client: IpAddr) -> Result<(Caller, bool), Refused> {
        let route = request.extensions().get::<MatchedPath>();
        let rule = route.and_then(|route| self.rules.get(request.method(), route.as_str()));
        let caller = self.caller(request.headers(), rule, client)?;
        media_type::check(request, rule.map_or(&[], |rule| &rule.media_types))?;
        if let (Some(route), Some(rule)) = (route, rule) {
            query::check(request, route.as_str(), &rule.parameters, self.access.is_strict)?;
        }
        Ok((caller, rule.is_some_and(|rule| rule.is_heavy)))
    }

    fn caller(
        &self,
        headers: &HeaderMap,
        rule: Option<&RouteRule>,
        client: IpAddr,
    ) -> Result<Caller, Refused> {
        let is_public = rule.is_some_and(|rule| rule.scopes.is_empty());
        if is_public || !self.access.tokens.are_required() {
            return Ok(Caller::anonymous(client));
        }
        let unauthenticated = |reason, detail: String| {
            Refused::Unauthenticated(reason, Problem::new(StatusCode::UNAUTHORIZED, detail))
        };
        let unknown = "Send a known API token as Authorization: Bearer TOKEN";
        let Some(presented) = bearer(headers) else {
            return Err(unauthenticated(Reason::Missing, unknown.to_owned()));
        };
        match self.access.tokens.valid().find(presented, Utc::now()) {
            Found::Unknown => Err(unauthenticated(Reason::Unknown, unknown.to_owned())),
            Found::Expired(token, end) => {
                let detail = format!("This token {} expired at {end}; send another one", token.name());
                Err(unauthenticated(Reason::Expired, detail))
            }
            Found::Valid(token) => {
                self.within_limit(token)?;
                in_scope(token, rule.map(|rule| &rule.scopes))?;
                Ok(Caller::of_token(Arc::clone(token.name()), client))
            }
        }
    }

    fn within_limit(&self, token: &Token) -> Result<(), Problem> {
        self.limits.check_key(token.name()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let per_minute = self.access.requests_per_minute;
            let detail = format!("Token {} has made more than {per_minute} requests a minute", token.name());
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait.as_secs() + 1)
        })
    }

    /// The response to a request that does not reach its route.
    async fn refuse(&self, refused: Refused, route: Option<MatchedPath>, client: IpAddr) -> Response {
        match refused {
            Refused::Other(problem) => problem.into_response(),
            Refused::Unauthenticated(reason, problem) => {
                let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
                self.failures.record(client, route, reason).await;
                let mut response = problem.into_response();
                let challenge = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
        }
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
    let client = guard.access.proxies.client(Peer::of(&request).address, request.headers());
    let (caller, is_heavy) = match guard.admit(&request, client) {
        Ok(caller) => caller,
        Err(refused) => {
            let route = request.extensions().get().cloned();
            return guard.refuse(refused, route, client).await;
        }
    };
    request.extensions_mut().insert(caller);
    let timeout = guard.access.request_timeout;
    let answering = async {
        if !is_heavy {
            return next.run(request).await;
        }
        match guard.access.heavy.begin().await {
            Ok(place) => {
                request.extensions_mut().insert(place.clone());
                let response = next.run(request).await;
                drop(place);
                response
            }
            Err(problem) => problem.into_response(),
        }
    };
    match tokio::time::timeout(timeout, answering).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("No answer within {} s; try again, or ask for less", timeout.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(1).into_response()
        }
    }
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
