//! Serves routes until shutdown.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use super::compression::compress;
use super::connections::Server;
use super::guard::{Guard, guard};
use super::observe::observe;
use super::openapi::{RouteRules, document, pages};
use super::origin::own_site;
use super::problem::Problem;
use super::tls::Tls;
use crate::access::Access;
use crate::address::Address;
use crate::shutdown::Shutdown;

/// Largest request body in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// How many clients may wait to be accepted; the system may have a lower limit. Those beyond it try again after a second.
const BACKLOG: u32 = 4096;

/// Listens on `address`.
///
/// # Errors
/// When the address is in use; the message says what to do.
pub fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(address).with_context(|| {
        format!("listening on {address}: is another program using the port? set LISTEN to another one")
    })
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port may be used again at once after a restart.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `routes` and their description to callers that `address` allows. When the port closes, the requests in progress
/// may finish within five seconds.
///
/// # Errors
/// When the certificate of the address cannot be read any more.
pub async fn serve(
    listener: TcpListener,
    routes: OpenApiRouter,
    address: Address,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let tls = address.tls.map(Tls::new).transpose().context("reading the certificate")?.map(Arc::new);
    let tokens = address.access.tokens.clone();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let server = Server {
        app: app(routes, address.access, scheme),
        tls: tls.clone(),
        max_connections: address.max_connections.get(),
    };
    let new_certificates = async {
        match &tls {
            Some(tls) => tls.renew().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = server.run(listener, shutdown) => {}
        () = new_certificates => {}
        () = tokens.renew() => {}
    }
    Ok(())
}

/// No route has this path. One with a slash at its end is sent to the path without it, as the original API did.
async fn not_found(uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    // Two slashes at the beginning would name another host.
    if path.len() == uri.path().len() || path.is_empty() || path.starts_with("//") {
        return Problem::new(StatusCode::NOT_FOUND, "Not Found").into_response();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::temporary(&format!("{path}{query}")).into_response()
}

/// The routes with everything around them. Clones share one router, so that a connection costs no copy of it.
fn app(routes: OpenApiRouter, access: Access, scheme: &'static str) -> Router {
    let (routes, described) = routes.split_for_parts();
    let document = document(described);
    let hosts = Arc::new(access.hosts.clone());
    let guarded = Arc::new(Guard::new(access, RouteRules::of(&json!(document))));
    routes
        .layer(middleware::from_fn_with_state(guarded, guard))
        .merge(pages(&document))
        .fallback(not_found)
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .layer(middleware::from_fn(compress))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(hosts, own_site))
        .layer(CatchPanicLayer::custom(|_: Box<dyn Any + Send>| {
            Problem::internal(&std::io::Error::other("a handler panicked")).into_response()
        }))
        .layer(middleware::from_fn_with_state(scheme, observe))
        // Done once, and not for each connection.
        .with_state(())
}
