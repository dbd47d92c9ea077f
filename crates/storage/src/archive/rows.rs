//! Rows of jobs as texts, as PostgreSQL writes and reads them.

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _};
use uuid::Uuid;

use super::job_tables::JobTable;
use crate::connection::Connection;
use crate::error::Result;

/// The values of a row, in the order of the table's columns.
pub type Rows = Vec<Vec<Option<String>>>;

/// The columns of a table whose values are stored, with their types. What PostgreSQL generates is left out.
pub async fn columns(connection: &mut Connection, table: &JobTable) -> Result<Vec<(String, String)>> {
    let columns = sqlx::query_as(
        "-- rows::columns
        SELECT quote_ident(attname), format_type(atttypid, NULL)
        FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ORDER BY attnum",
    )
    .bind(table.name)
    .fetch_all(connection)
    .await?;
    Ok(columns)
}

/// Hands the rows of the jobs on, one after another, with the values of these columns; returns how many there are.
pub async fn rows<E: From<crate::StorageError>>(
    connection: &mut Connection,
    table: &JobTable,
    columns: &[String],
    jobs: &[Uuid],
    mut each: impl FnMut(Vec<Option<String>>) -> std::result::Result<(), E>,
) -> std::result::Result<u64, E> {
    let texts: Vec<String> = columns.iter().map(|column| format!("{column}::text")).collect();
    let (texts, JobTable { name, rows, .. }) = (texts.join(", "), table);
    let statement = AssertSqlSafe(format!("SELECT {texts} FROM {name} WHERE {rows}"));
    let mut found = sqlx::query(statement).bind(jobs.to_vec()).fetch(connection);
    let mut count = 0;
    while let Some(row) = found.try_next().await.map_err(crate::StorageError::from)? {
        let values =
            (0..columns.len()).map(|place| row.try_get(place)).collect::<sqlx::Result<Vec<Option<String>>>>();
        each(values.map_err(crate::StorageError::from)?)?;
        count += 1;
    }
    Ok(count)
}

/// How many rows of the jobs a table has.
pub async fn count_rows(connection: &mut Connection, table: &JobTable, jobs: &[Uuid]) -> Result<u64> {
    let JobTable { name, rows, .. } = table;
    let statement = AssertSqlSafe(format!("SELECT count(*) FROM {name} WHERE {rows}"));
    let (count,): (i64,) = sqlx::query_as(statement).bind(jobs.to_vec()).fetch_one(connection).await?;
    Ok(count.cast_unsigned())
}
