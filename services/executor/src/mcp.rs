//! MCP over HTTP: a client trades a kept portfolio day by day, and is recorded as a model's days are.
//!
//! The address names the portfolio; the lane that holds it has the right to write, and its epoch fences every call.

mod answer;
mod server;
pub mod tools;

use std::sync::Arc;

use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::lane::turn::{LaneRunner, PortfolioName};
use server::PortfolioServer;

/// The service that answers the calls for one portfolio.
pub(crate) type PortfolioService = StreamableHttpService<PortfolioServer, NeverSessionManager>;

/// The service of a portfolio. A request is answered with JSON, and sessions are neither needed nor kept.
pub(crate) fn service(runner: Arc<LaneRunner>, portfolio: PortfolioName) -> PortfolioService {
    let server = PortfolioServer { runner, portfolio };
    // Hosts and origins are checked before any route.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(server.clone()), Arc::new(NeverSessionManager::default()), config)
}
