//! An MCP client that starts `modelday mcp`, and stored prices to trade on.

use std::process::Stdio;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::Value;
use test_support::TestDatabase;
use tokio::process::{Child, Command};

/// An MCP session. The program ends with this value.
pub(crate) struct McpClient {
    pub(crate) client: RunningService<RoleClient, ()>,
    _program: Child,
}

/// The result of a tool call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolResult {
    pub(crate) text: String,
    pub(crate) refused: bool,
}

impl ToolResult {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// `modelday mcp` with these arguments and no setting but the database.
pub(crate) fn program(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(it::binary("modelday"));
    command.arg("mcp").args(arguments).env_clear().env("DATABASE_URL", database.url());
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).kill_on_drop(true);
    command
}

impl McpClient {
    /// Begins a session on 2025-10-15 with 1,000 dollars, AAPL and MSFT.
    pub(crate) async fn on(database: &TestDatabase) -> Self {
        let arguments = ["--date", "2025-10-15", "--cash", "1000", "--symbols", "AAPL,MSFT"];
        Self::of(program(database, &arguments)).await
    }

    /// Begins a session with this program.
    pub(crate) async fn of(mut command: Command) -> Self {
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let ends = (program.stdout.take().unwrap(), program.stdin.take().unwrap());
        let client = ().serve(ends).await.unwrap();
        Self { client, _program: program }
    }

    /// Calls a tool with JSON arguments.
    pub(crate) async fn call(&self, name: &'static str, arguments: Value) -> ToolResult {
        let Value::Object(arguments) = arguments else { panic!("{arguments} is no object") };
        let call = CallToolRequestParams::new(name).with_arguments(arguments);
        let CallToolResult { content, is_error, .. } = self.client.call_tool(call).await.unwrap();
        let text = content.iter().filter_map(|block| Some(block.as_text()?.text.as_str())).collect();
        ToolResult { text, refused: is_error == Some(true) }
    }
}

/// A database with four sessions of AAPL and MSFT, 2025-10-14 to 2025-10-17.
pub(crate) async fn priced() -> TestDatabase {
    let database = TestDatabase::new().await;
    let stored = database
        .execute(
            "INSERT INTO market.bars (trading_date, symbol, open, high, low, close, volume, source) VALUES
            ('2025-10-14', 'AAPL', 99, 102, 98, 101.5, 10, 'test'),
            ('2025-10-15', 'AAPL', 100, 111, 91, 110.9, 20, 'test'),
            ('2025-10-16', 'AAPL', 120, 122, 118, 121.9, 30, 'test'),
            ('2025-10-17', 'AAPL', 130, 132, 128, 131.9, 30, 'test'),
            ('2025-10-14', 'MSFT', 250, 260, 240, 255.25, 40, 'test'),
            ('2025-10-15', 'MSFT', 256.5750, 266, 246, 265.9, 50, 'test'),
            ('2025-10-16', 'MSFT', 260, 266, 246, 265.9, 50, 'test')",
        )
        .await;
    assert_eq!(stored, 7);
    database
}
