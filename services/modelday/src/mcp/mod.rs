//! `modelday mcp`: the agents' tools over MCP on standard input and output, to try an agent by hand.
//!
//! Prices come from the database; nothing is written to it. The position is lost when the session ends.

mod server;
mod session;
mod stored_bars;

use std::process::ExitCode;

use rmcp::ServiceExt as _;
use rmcp::transport::stdio;
use runtime::settings::Mistakes;

use server::ToolServer;
pub(crate) use session::McpArguments;

/// Exit code for settings that cannot be used, as in `sysexits.h`.
const EX_CONFIG: u8 = 78;

/// Serves until the client closes the pipe. Standard output carries MCP messages and nothing else.
#[expect(clippy::print_stderr, reason = "a command's error, for people")]
pub(crate) async fn main(arguments: McpArguments) -> ExitCode {
    match serve(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("modelday mcp: {}", runtime::error_text(&error));
            if error.is::<Mistakes>() { ExitCode::from(EX_CONFIG) } else { ExitCode::FAILURE }
        }
    }
}

async fn serve(arguments: McpArguments) -> anyhow::Result<()> {
    let session = session::begin(arguments).await?;
    let service = ToolServer::new(session).serve(stdio()).await?;
    service.waiting().await?;
    Ok(())
}
