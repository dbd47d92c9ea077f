//! Errors before a session begins, and standard output, which carries MCP messages only.

use std::process::Stdio;

use test_support::TestDatabase;
use tokio::io::AsyncWriteExt as _;

use crate::client::{priced, program};

/// Standard error of the program, which must end with an error.
async fn fails(database: &TestDatabase, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = program(database, arguments);
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    let output = command.output().await.unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn a_session_that_cannot_begin_prints_the_remedy_on_standard_error() {
    let database = priced().await;

    let printed = fails(&database, &["--date", "2025-10-18"], &[]).await;
    assert!(printed.contains("no session of the exchange; the next one is 2025-10-20"), "{printed}");
    let printed = fails(&database, &["--date", "2025-10-21"], &[]).await;
    assert!(
        printed.contains("no prices of 2025-10-21 are stored; a job over that date fetches them"),
        "{printed}"
    );
    let printed = fails(&database, &["--date", "2025-10-15", "--cash=-1"], &[]).await;
    assert!(printed.contains("--cash"), "{printed}");
    let universe = [("UNIVERSE_FILE", "nowhere.json")];
    let printed = fails(&database, &["--date", "2025-10-15"], &universe).await;
    assert!(printed.contains("UNIVERSE_FILE") && printed.contains("cannot be read"), "{printed}");
    let printed = fails(&database, &["--date", "2025-10-15"], &[("DATABASE_URL", "")]).await;
    assert!(printed.contains("DATABASE_URL") && printed.contains("set it to postgres://"), "{printed}");
}

#[tokio::test]
async fn every_line_of_standard_output_is_json_rpc_and_the_program_ends_with_its_input() {
    let database = priced().await;
    let mut command = program(&database, &["--date", "2025-10-15", "--symbols", "AAPL"]);
    command.env("MODELDAY_LOG", "trace").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut input = program.stdin.take().unwrap();
    let lines = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"hand","version":"1"}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"AAPL","amount":1}}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"next_day"}}"#,
        r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"get_position"}}"#,
    ];

    input.write_all(format!("{}\n", lines.join("\n")).as_bytes()).await.unwrap();
    drop(input);
    let output = program.wait_with_output().await.unwrap();

    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let messages: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(messages.len(), 4, "{printed}");
    assert!(messages.iter().all(|message| message["jsonrpc"] == "2.0"), "{printed}");
    let position = messages.iter().find(|message| message["id"] == 4).unwrap();
    assert_eq!(
        position["result"]["content"][0]["text"], r#"{"CASH":9900,"AAPL":1}"#,
        "calls that are sent at once run in their order: {printed}"
    );
}
