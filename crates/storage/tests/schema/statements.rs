//! Every SQL statement of the crate is prepared and planned against the migrated schema, as the role of its service.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};
use storage::{Connection, Owner};
use test_support::TestDatabase;

use crate::source::{Found, statements};

/// Statements whose text is put together when they run. Names of databases, tables, columns and types are all that is put
/// in, and conditions of the source.
const DYNAMIC: [&str; 6] = [
    "TRUNCATE {tables}",
    "CREATE DATABASE \"{quoted}\"",
    "SELECT {texts} FROM {name} WHERE {rows}",
    "SELECT count(*) FROM {name} WHERE {rows}",
    "DELETE FROM {name} WHERE {rows}",
    "INSERT INTO {name} ({names}) OVERRIDING SYSTEM VALUE SELECT {casts} FROM UNNEST({parameters}) AS given ({given}) ON CONFLICT DO NOTHING",
];

/// The services whose connections run the statements of a file.
fn owners(file: &Path) -> &'static [Owner] {
    match file.iter().next().and_then(|folder| folder.to_str()) {
        Some("trigger") => &Owner::ALL[..1],
        Some("market") => &Owner::ALL[1..2],
        Some("execution") => &Owner::ALL[2..3],
        Some("status") => &Owner::ALL[3..],
        Some(
            "outbox.rs" | "pauses.rs" | "tables.rs" | "connect.rs" | "servers.rs" | "development.rs"
            | "signing.rs",
        ) => &Owner::ALL,
        Some("universes.rs") => &Owner::ALL[1..3],
        // Run by the owner of the database.
        Some("key_rotation.rs" | "archive") => &[],
        _ => panic!("{} belongs to no service", file.display()),
    }
}

/// The statements that can be prepared; those that cannot are listed here or fail the test.
fn preparable() -> Vec<(Found, String)> {
    let (found, literals) = statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut unknown = Vec::new();
    let mut texts = Vec::new();
    for found in found {
        match found.text.clone() {
            Err(problem) => unknown.push(format!("{}:{}: {problem}", found.file.display(), found.line)),
            Ok(text) => texts.push((found, text)),
        }
    }
    assert!(unknown.is_empty(), "statements that cannot be read from the source:\n{}", unknown.join("\n"));
    let lost: Vec<_> = literals
        .iter()
        .filter(|(_, literal)| !texts.iter().any(|(_, text)| text.starts_with(literal.as_str())))
        .collect();
    assert!(lost.is_empty(), "literals that begin as statements and are none: {lost:?}");
    texts.retain(|(_, text)| !DYNAMIC.contains(&text.as_str()));
    texts
}

#[test]
fn every_statement_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for (found, text) in preparable() {
        let setting = text.starts_with("SET ") || text == "SELECT 1";
        let name = text.strip_prefix("-- ").and_then(|text| text.lines().next());
        let name = name.filter(|name| name.contains("::"));
        assert!(name.is_some() || setting, "{}:{} has no name", found.file.display(), found.line);
        if let Some(name) = name {
            assert!(names.insert((name.to_owned(), text.clone())), "{name} stands twice in the source");
        }
    }
    let mut once = BTreeSet::new();
    for (name, _) in &names {
        assert!(
            once.insert(name) || name == "missing_events::missing_events",
            "two statements are named {name}"
        );
    }
    assert!(once.len() > 100, "the source has {} statements", once.len());
}

/// It could be published before the state that it tells of is stored, which a crash would then lose.
#[test]
fn no_statement_that_writes_a_message_commits_without_waiting_for_the_disk() {
    let writes_messages = |text: &str| {
        let mut tables = text.split("INSERT INTO ").skip(1).filter_map(|rest| rest.split([' ', '(']).next());
        tables.any(|table| table == "outbox" || table.ends_with(".outbox"))
    };
    let hasty: Vec<_> = preparable()
        .into_iter()
        .filter(|(_, text)| text.contains("synchronous_commit") && writes_messages(text))
        .map(|(found, _)| format!("{}:{}", found.file.display(), found.line))
        .collect();

    assert!(hasty.is_empty(), "{hasty:?}");
}

#[tokio::test]
async fn every_statement_can_be_planned_by_its_service() {
    let database = TestDatabase::new().await;
    let statements = preparable();
    let mut refused = Vec::new();

    for owner in Owner::ALL.map(Some).into_iter().chain([None]) {
        let name = owner.map_or("owner of the database", Owner::as_str);
        let pool = match owner {
            Some(owner) => database.pool(owner).await,
            None => database.admin.clone().into(),
        };
        let mut connection = pool.open().await.unwrap();
        connection.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
        let runs = |file: &Path| owner.map_or(owners(file).is_empty(), |owner| owners(file).contains(&owner));
        for (found, text) in statements.iter().filter(|(found, _)| runs(&found.file)) {
            if let Err(problem) = plan(&mut connection, text).await {
                let (file, line) = (found.file.display(), found.line);
                refused.push(format!("{file}:{line} as {name}: {problem}\n{text}"));
            }
        }
    }

    assert!(refused.is_empty(), "{}", refused.join("\n\n"));
}

/// Prepares a statement and, if it reads or writes rows, plans it, which also checks what the role may do.
async fn plan(connection: &mut Connection, text: &str) -> Result<(), sqlx::Error> {
    if text.starts_with("SET ROLE") {
        // Two statements in one, which no server prepares; the connection has run them.
        return Ok(());
    }
    let sql = |text: String| AssertSqlSafe(text).into_sql_str();
    connection.prepare(sql(text.to_owned())).await?;
    let body = text.lines().find(|line| !line.trim_start().starts_with("--") && !line.trim().is_empty());
    let word = body.and_then(|line| line.split_whitespace().next()).unwrap_or_default();
    if !["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&word) {
        return Ok(());
    }
    connection.execute(sql(format!("PREPARE statement AS {text}"))).await?;
    let parameters: i32 = sqlx::query_scalar(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'statement'",
    )
    .fetch_one(&mut *connection)
    .await?;
    let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
    let nulls = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let planned = connection.execute(sql(format!("EXPLAIN EXECUTE statement{nulls}"))).await;
    connection.execute("DEALLOCATE statement").await?;
    planned.map(|_| ())
}
