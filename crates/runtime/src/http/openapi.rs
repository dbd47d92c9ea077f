//! The OpenAPI document, built from the descriptions of the routes, the rules for requests that it states, and the page
//! that shows it.

use std::collections::{BTreeSet, HashMap};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    ServerBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::problem::ProblemBody;
use crate::access::Scope;

/// Name of the security scheme.
const TOKEN: &str = "token";

/// Responses that every route may have besides its own: name, status, description.
const COMMON: [(&str, &str, &str); 6] = [
    ("Unauthorized", "401", "API tokens are configured, and the request has none of them."),
    (
        "Forbidden",
        "403",
        "The token lacks the scope, or the request comes from another site's page or names another host.",
    ),
    ("UnsupportedMediaType", "415", "The `Content-Type` is none of those that the route reads."),
    ("TooManyRequests", "429", "The token has used up its requests of this minute; see `Retry-After`."),
    ("InternalServerError", "500", "An error of the server; the log has its cause under the `trace_id`."),
    (
        "ServiceUnavailable",
        "503",
        "The request took too long, or too many that take much work are in progress; see `Retry-After`.",
    ),
];

/// The whole document: `routes` with title, security, and the responses that all routes have in common.
pub fn document(routes: OpenApi) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Modelday")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Runs trading models day by day over a range of dates, on real prices. \
             Instants are UTC, dates those of the exchange. Amounts are exact decimals, written as JSON numbers. \
             Errors are problem details (RFC 9457); their `detail` says what to do.",
        ))
        .contact(Some(ContactBuilder::new().name(Some("Modelday")).build()))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()));
    let mut document = routes;
    document.info = info.build();
    document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let components = document.components.get_or_insert_with(Components::new);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "Needed when API_TOKENS is set. The scopes that a route needs are named at the route: read, trigger, operate.",
    ));
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer.build()));
    components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    let mut nested = Vec::new();
    ProblemBody::schemas(&mut nested);
    components.schemas.extend(nested);
    for (name, _, description) in COMMON {
        let mut response = ResponseBuilder::new().description(description).build();
        response.content.insert("application/problem+json".to_owned(), problem_content().into());
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    for item in document.paths.paths.values_mut() {
        let reads = [&mut item.get].into_iter().flatten().map(|operation| (operation, false));
        let writes = [&mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        let writes = writes.into_iter().flatten().map(|operation| (operation, true));
        for (operation, is_write) in reads.chain(writes) {
            let is_public =
                operation.security.as_ref().is_some_and(|security| json!(security) == json!([{}]));
            let may_have = |status| match status {
                "401" | "429" => !is_public,
                "415" => is_write,
                _ => true,
            };
            for (name, status, _) in COMMON.into_iter().filter(|(_, status, _)| may_have(status)) {
                let reference = RefOr::Ref(Ref::from_response_name(name));
                operation.responses.responses.entry(status.to_owned()).or_insert(reference);
            }
        }
    }
    document
}

fn problem_content() -> utoipa::openapi::Content {
    utoipa::openapi::ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build()
}

/// What the description of a route says about its requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RouteRule {
    /// The scopes that a token needs. Empty for a public route.
    pub(super) scopes: BTreeSet<Scope>,
    /// The types of a body; none when the route reads no body.
    pub(super) media_types: Vec<String>,
    /// The names of its query parameters.
    pub(super) parameters: Vec<String>,
    /// Whether it takes much work, so that only some requests of this kind run at the same time.
    pub(super) is_heavy: bool,
}

/// The rules of all described routes, by method and path template.
#[derive(Debug)]
pub(super) struct RouteRules(HashMap<(Method, String), RouteRule>);

impl RouteRules {
    /// The rules of a document. A route whose description has no security has none.
    pub(super) fn of(document: &Value) -> Self {
        let mut rules = HashMap::new();
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
                let Some(required) = operation["security"].as_array() else { continue };
                let scopes = required.iter().flat_map(|one| one[TOKEN].as_array().into_iter().flatten());
                let scopes =
                    scopes.filter_map(Value::as_str).filter_map(|scope| scope.parse().ok()).collect();
                let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
                let media_types = bodies.map(|(media_type, _)| media_type.clone()).collect();
                let is_heavy = operation["x-heavy"] == json!(true);
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let parameters = parameters.filter(|parameter| parameter["in"] == json!("query"));
                let parameters = parameters.filter_map(|parameter| parameter["name"].as_str());
                let parameters = parameters.map(str::to_owned).collect();
                rules.insert((method, path.clone()), RouteRule { scopes, media_types, parameters, is_heavy });
            }
        }
        Self(rules)
    }

    /// The rule of a route; a HEAD request has that of GET.
    pub(super) fn get(&self, method: &Method, path: &str) -> Option<&RouteRule> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), path.to_owned()))
    }
}

/// `GET /openapi.json`, and `/docs` to read it and try requests.
pub(super) fn pages(document: &OpenApi) -> Router {
    // Only the page's own scripts and styles; nothing from other hosts.
    const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
                          frame-ancestors 'none'";
    // Shared: the document is large.
    let json = Bytes::from(json!(document).to_string());
    let config = Config::from("/openapi.json").try_it_out_enabled(true).validator_url("none");
    let page: Router = SwaggerUi::new("/docs").config(config).into();
    let page = page.layer(map_response(|mut response: Response| async {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }));
    // The original API had a second page for reading.
    let page = page.route("/redoc", get(|| async { Redirect::temporary("/docs") }));
    page.route(
        "/openapi.json",
        get(move || async move { ([(header::CONTENT_TYPE, "application/json")], json) }),
    )
}

/// Headers of every response that does not set its own.
pub(super) const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];
