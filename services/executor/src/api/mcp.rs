//! `/mcp/{experiment}/{model}`: MCP over HTTP for a portfolio whose days a client decides.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use runtime::http::ProblemBody;

use super::state::ApiState;
use crate::lane::turn::PortfolioName;
use crate::mcp;

/// Trade a kept portfolio over MCP.
///
/// One message of the Model Context Protocol (streamable HTTP); any MCP client speaks it. The portfolio is that of a model
/// of kind `mcp`, while a job of it runs. Sessions are not needed. [mcp.md](docs/mcp.md) describes the tools.
#[utoipa::path(post, path = "/mcp/{experiment}/{model}", tag = "mcp", security(("token" = ["trigger"])),
    request_body(content = Object, content_type = "application/json", description = "A message of JSON-RPC 2.0."),
    params(
        ("experiment" = String, Path, description = "The experiment, such as `default`."),
        ("model" = String, Path, description = "The model, of kind `mcp`."),
    ),
    responses(
        (status = 200, description = "The answer to a request.", body = Object),
        (status = 202, description = "A notification was taken."),
        (status = 400, description = "The message or its headers are not those of MCP.", body = String,
            content_type = "text/plain"),
        (status = 406, description = "`Accept` has to name `application/json` and `text/event-stream`.", body = String,
            content_type = "text/plain"),
        (status = 413, description = "The message is too large.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn mcp(
    State(ApiState { runner, .. }): State<ApiState>,
    Path((experiment, model)): Path<(String, String)>,
    request: Request,
) -> Response {
    let service = mcp::service(runner, PortfolioName { experiment, model });
    service.handle(request).await.map(Body::new)
}
