//! A database with a server that is in recovery, as a standby is.

use std::process::Command;

use it::Stack;
use storage::{Database, Owner};
use test_support::TestDatabase;

use crate::{printed, root};

/// Runs functions of `deploy/local/postgres.sh` for the server of `stack`.
fn postgres(stack: &Stack, functions: &str) {
    let script = format!(". deploy/local/lib.sh; . deploy/local/postgres.sh; {functions}");
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script]).current_dir(root()).env("MODELDAY_STATE", stack.state());
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
}

async fn name_of_database(url: String) -> storage::Result<String> {
    let settings = Database::new(url, 1)?;
    storage::check(&settings, Owner::Trigger).await?;
    let pool = storage::pool(&settings, Owner::Trigger)?;
    Ok(sqlx::query_scalar("SELECT current_database()::text").fetch_one(&pool).await?)
}

#[tokio::test]
async fn a_server_in_recovery_is_passed_over_until_it_is_promoted() {
    let stack = Stack::new("standby", None);
    stack.run(&["up", "--only", "postgres", "--private"]);
    // It waits for a primary's log, of which there is none, and answers queries meanwhile.
    postgres(&stack, "pg_down; pg_as touch \"$(pg_data)/standby.signal\"; pg_launch >/dev/null 2>&1");
    let standby = stack.variable("DATABASE_URL");
    let database = TestDatabase::new().await;
    let both = format!("{standby},{}", database.url_of(Owner::Trigger));

    assert_eq!(name_of_database(both.clone()).await.unwrap(), database.name());
    let refused = name_of_database(standby.clone()).await.unwrap_err();
    assert!(refused.is_transient() && refused.to_string().contains("in recovery"), "{refused}");

    postgres(&stack, "pg_run pg_ctl -s -w promote");
    assert_eq!(name_of_database(standby).await.unwrap(), "modelday");
    assert_eq!(name_of_database(both).await.unwrap(), "modelday");
}
