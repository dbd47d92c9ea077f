//! Keeps pages of other sites in somebody's browser from calling the API: neither by a request across origins, nor by a
//! domain name of theirs that resolves to this address.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::peer::Peer;
use super::problem::Problem;
use crate::access::AllowedHosts;

/// Paths that answer under any host, because probes and scrapers call addresses of their own choice.
const PROBES: [&str; 4] = ["/health", "/livez", "/readyz", "/metrics"];

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Answers requests to this API's own hosts, from its own pages and from programs; refuses all others with status 403.
pub(super) async fn own_site(
    State(hosts): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Response {
    match check(&request, &hosts) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(request: &Request, hosts: &AllowedHosts) -> Result<(), Problem> {
    let local = Peer::of(request).local;
    let authorities = authorities(request)?;
    let is_probe = PROBES.contains(&request.uri().path());
    if !is_probe && !authorities.iter().all(|authority| hosts.has(authority, local)) {
        return Err(foreign_host());
    }
    let headers = request.headers();
    let from_own_page = match text(headers, &header::ORIGIN) {
        None => true,
        Some(origin) => {
            origin_of(origin).is_some_and(|origin| authorities.contains(&origin) || hosts.has_origin(&origin))
        }
    };
    if from_own_page && comes_from_here(request.method(), headers) { Ok(()) } else { Err(foreign_page()) }
}

/// Every authority that the request names: that of its target, and that of its header.
fn authorities(request: &Request) -> Result<Vec<Authority>, Problem> {
    let in_header = request.headers().get_all(header::HOST).iter();
    let parsed = in_header.map(|value| value.to_str().ok()?.parse().ok());
    let named: Option<Vec<Authority>> =
        request.uri().authority().cloned().map(Some).into_iter().chain(parsed).collect();
    named.ok_or_else(foreign_host)
}

/// The authority of an `Origin`; `None` for `null`, which stands for an origin that is kept secret.
fn origin_of(origin: &str) -> Option<Authority> {
    origin.split_once("://")?.1.parse().ok()
}

/// What the browser says of where the request comes from, if it says anything. A link on another site may lead here.
fn comes_from_here(method: &Method, headers: &HeaderMap) -> bool {
    let Some(site) = text(headers, &SEC_FETCH_SITE) else { return true };
    let is_link = matches!(*method, Method::GET | Method::HEAD)
        && text(headers, &SEC_FETCH_MODE) == Some("navigate")
        && text(headers, &SEC_FETCH_DEST) == Some("document");
    matches!(site, "same-origin" | "none") || is_link
}

/// The text of a header; one that is no text counts as a text that nothing allows.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn foreign_host() -> Problem {
    let detail = "The request names a host that is not one of this API; ALLOWED_HOSTS adds names to it";
    Problem::new(StatusCode::FORBIDDEN, detail)
}

fn foreign_page() -> Problem {
    let detail =
        "Pages of other sites may not call this API; ALLOWED_HOSTS lists the names that it has itself";
    Problem::new(StatusCode::FORBIDDEN, detail)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn is_answered(method: Method, path: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        check(&request, &"modelday.example".parse().unwrap()).is_ok()
    }

    #[track_caller]
    fn answered(headers: &[(&str, &str)]) {
        assert!(is_answered(Method::POST, "/simulate/trigger", headers), "{headers:?}");
    }

    #[track_caller]
    fn refused(headers: &[(&str, &str)]) {
        assert!(!is_answered(Method::POST, "/simulate/trigger", headers), "{headers:?}");
    }

    #[test]
    fn programs_and_own_pages_are_answered() {
        answered(&[("host", "127.0.0.1:8080")]);
        answered(&[("host", "localhost:8080"), ("origin", "http://localhost:8080")]);
        answered(&[("host", "localhost:8080"), ("sec-fetch-site", "same-origin")]);
        answered(&[("host", "modelday.example"), ("origin", "https://modelday.example")]);
    }

    #[test]
    fn a_gateway_may_put_its_own_name_of_the_api_into_the_host() {
        answered(&[("host", "127.0.0.1:8081"), ("origin", "https://modelday.example")]);
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = ("host", "127.0.0.1:8080");

        refused(&[host, ("origin", "https://evil.example")]);
        refused(&[host, ("origin", "null")]);
        refused(&[host, ("origin", "http://127.0.0.1:3000")]);
        refused(&[host, ("origin", "http://modelday.example:3000")]);
        refused(&[host, ("sec-fetch-site", "cross-site")]);
        refused(&[host, ("sec-fetch-site", "same-site")]);
    }

    #[test]
    fn a_foreign_name_of_this_address_is_refused() {
        refused(&[("host", "evil.example:8080"), ("origin", "http://evil.example:8080")]);
        refused(&[("host", "localhost"), ("host", "evil.example")]);
        refused(&[("host", "\u{e9}vil.example")]);
        assert!(!is_answered(Method::GET, "http://evil.example/jobs", &[("host", "localhost")]));
    }

    #[test]
    fn probes_are_answered_under_any_host_but_not_to_pages_of_other_sites() {
        let host = ("host", "10.1.2.3:8080");

        assert!(is_answered(Method::GET, "/readyz", &[host]));
        assert!(!is_answered(Method::GET, "/metrics", &[host, ("origin", "https://evil.example")]));
        assert!(!is_answered(Method::GET, "/jobs", &[host]));
    }

    #[test]
    fn a_link_of_another_site_may_lead_here_and_a_frame_may_not() {
        let navigation =
            [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        let to = |dest| [navigation.as_slice(), &[("sec-fetch-dest", dest)]].concat();

        assert!(is_answered(Method::GET, "/", &to("document")));
        assert!(!is_answered(Method::POST, "/", &to("document")), "a form");
        assert!(!is_answered(Method::GET, "/", &to("iframe")));
    }
}
