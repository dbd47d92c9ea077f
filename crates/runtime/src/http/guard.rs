//! Lets a request through to its route, or not: who asks, for what, how often, from where.

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

/// Who asks: the name of the token, empty where none is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Arc<str>);

/// Which scopes each route needs, by method and path template; one that needs none is open to everybody.
pub(super) type Needs = HashMap<(Method, String), BTreeSet<Scope>>;

/// What decides.
pub(super) struct Guard {
    access: Access,
    needs: Needs,
    limits: HashMap<Arc<str>, DefaultDirectRateLimiter>,
}

impl Guard {
    pub(super) fn new(access: Access, needs: Needs) -> Self {
        let quota = Quota::per_minute(access.requests_per_minute);
        let limits =
            access.tokens.iter().map(|token| (token.name().clone(), RateLimiter::direct(quota))).collect();
        Self { access, needs, limits }
    }

    /// Who asks.
    ///
    /// # Errors
    /// Why the request is not let through.
    fn admit(&self, request: &Request) -> Result<Caller, Problem> {
        if self.access.tokens.is_empty() && self.access.loopback_only {
            refuse_strange_pages(request.headers())?;
        }
        let needed = self.needed(request);
        if self.access.tokens.is_empty() || needed.is_some_and(BTreeSet::is_empty) {
            return Ok(Caller("".into()));
        }
        let token = bearer(request.headers()).and_then(|presented| self.access.tokens.find(presented));
        let token = token.ok_or_else(unauthorized)?;
        self.within_limit(token)?;
        in_scope(token, needed)?;
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

    /// What the request's route needs; `None` when it is not described, or there is no such route.
    fn needed(&self, request: &Request) -> Option<&BTreeSet<Scope>> {
        let path = request.extensions().get::<MatchedPath>()?;
        let method = match *request.method() {
            Method::HEAD => Method::GET,
            ref method => method.clone(),
        };
        self.needs.get(&(method, path.as_str().to_owned()))
    }
}

fn in_scope(token: &Token, needed: Option<&BTreeSet<Scope>>) -> Result<(), Problem> {
    // What is not described needs the most.
    let undescribed = BTreeSet::from([Scope::Operate]);
    match needed.unwrap_or(&undescribed).iter().find(|scope| !token.allows(**scope)) {
        None => Ok(()),
        Some(scope) => {
            let detail = format!("Token {} lacks the scope {scope}", token.name());
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
    }
}

/// Layer of all routes.
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

/// Without tokens, whoever is on this machine may ask; pages of other sites in its browser may not, neither
/// directly nor under a name of theirs that leads here.
///
/// # Errors
/// When the request comes from such a page.
fn refuse_strange_pages(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST);
    let is_ours = host.is_none_or(is_local);
    let same_origin = text(header::ORIGIN)
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host));
    if is_ours && same_origin {
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

    fn asked(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        refuse_strange_pages(&headers).is_ok()
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        assert!(asked("127.0.0.1:8080", None));
        assert!(asked("localhost:8080", Some("http://localhost:8080")));
        assert!(asked("[::1]:8080", None));
        assert!(!asked("127.0.0.1:8080", Some("https://evil.example")));
        assert!(!asked("127.0.0.1:8080", Some("null")));
        assert!(!asked("evil.example:8080", Some("http://evil.example:8080")), "a name that leads here");
        assert!(!asked("127.0.0.1.evil.example", None));
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
