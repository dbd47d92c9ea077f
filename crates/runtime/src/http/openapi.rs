//! The API's description, put together from that of its routes, and the page that shows it.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    ServerBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::guard::Needs;
use super::problem::Body;

/// Name of the security scheme.
const TOKEN: &str = "token";

/// What every route may answer besides its own answers: response name, status, description.
const COMMON: [(&str, &str, &str); 5] = [
    ("Unauthorized", "401", "API tokens are configured, and the request presents none of them."),
    ("Forbidden", "403", "The token lacks the scope, or the request comes from another site's page."),
    ("TooManyRequests", "429", "The token has used up its requests of this minute; see `Retry-After`."),
    ("InternalServerError", "500", "Something of ours went wrong; the log knows more under the `trace_id`."),
    ("ServiceUnavailable", "503", "There was no answer in time; see `Retry-After`."),
];

/// The whole description: `routes` with title, security, and the answers that all have in common.
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
    components.schemas.insert(Body::name().into_owned(), Body::schema());
    let mut nested = Vec::new();
    Body::schemas(&mut nested);
    components.schemas.extend(nested);
    for (name, _, description) in COMMON {
        let mut response = ResponseBuilder::new().description(description).build();
        response.content.insert("application/problem+json".to_owned(), problem_content().into());
        components.responses.insert(name.to_owned(), RefOr::T(response));
    }
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            // What is open to everybody needs no token.
            let is_open = operation.security.as_ref().is_some_and(|security| json!(security) == json!([{}]));
            for (name, status, _) in COMMON.into_iter().filter(|(_, status, _)| !is_open || *status >= "500")
            {
                let reference = RefOr::Ref(Ref::from_response_name(name));
                operation.responses.responses.entry(status.to_owned()).or_insert(reference);
            }
        }
    }
    document
}

fn problem_content() -> utoipa::openapi::Content {
    utoipa::openapi::ContentBuilder::new().schema(Some(Ref::from_schema_name(Body::name()))).build()
}

/// Which scopes each described route needs; those that say nothing of their security are left out.
pub(super) fn needs(document: &Value) -> Needs {
    let mut needs = Needs::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
            let Some(required) = operation["security"].as_array() else { continue };
            let scopes = required.iter().flat_map(|one| one[TOKEN].as_array().into_iter().flatten());
            let scopes: BTreeSet<_> =
                scopes.filter_map(Value::as_str).filter_map(|scope| scope.parse().ok()).collect();
            needs.insert((method, path.clone()), scopes);
        }
    }
    needs
}

/// `GET /openapi.json`, and `/docs` to read and try it.
pub(super) fn pages(document: OpenApi) -> Router {
    // The page's own scripts and styles, and nothing from elsewhere.
    const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
                          frame-ancestors 'none'";
    let json = json!(document);
    let config = Config::from("/openapi.json").try_it_out_enabled(true).validator_url("none");
    let page: Router = SwaggerUi::new("/docs").config(config).into();
    let page = page.layer(map_response(|mut response: Response| async {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }));
    page.route("/openapi.json", get(move || async move { Json(json) }))
}

/// Headers that every answer has unless it brings its own.
pub(super) const SECURITY_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];
