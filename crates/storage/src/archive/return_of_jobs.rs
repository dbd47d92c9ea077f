//! Jobs that come back from files.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::job_tables::{JOB_TABLES, JobTable};
use super::rows::{Rows, columns, count_rows};
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// Jobs that are being put back; nothing is stored before the end.
#[derive(Debug)]
pub struct Return {
    transaction: Transaction,
}

/// Begins to put jobs back.
pub async fn put_back(pool: &PgPool) -> Result<Return> {
    Ok(Return { transaction: pool.begin().await? })
}

impl Return {
    /// Inserts rows with the values of `names`; what is there already stays.
    pub async fn insert(&mut self, table: &JobTable, names: &[String], rows: Rows) -> Result<()> {
        let types = columns(&mut self.transaction, table).await?;
        let mut values: Vec<Vec<Option<String>>> = vec![Vec::with_capacity(rows.len()); names.len()];
        for row in rows {
            for (column, value) in values.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let of = |name: &String| types.iter().find(|(column, _)| column == name).map(|(_, kind)| kind);
        let mut casts = Vec::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            let kind = of(name)
                .ok_or_else(|| StorageError::corrupt(table.name, format_args!("it has no column {name}")))?;
            casts.push(format!("value{place}::{kind}"));
        }
        let given: Vec<String> = (0..names.len()).map(|place| format!("value{place}")).collect();
        let parameters: Vec<String> = (1..=names.len()).map(|place| format!("${place}::text[]")).collect();
        let (name, names, casts) = (table.name, names.join(", "), casts.join(", "));
        let (given, parameters) = (given.join(", "), parameters.join(", "));
        let statement = AssertSqlSafe(format!(
            "INSERT INTO {name} ({names}) OVERRIDING SYSTEM VALUE SELECT {casts} FROM UNNEST({parameters}) AS given ({given}) ON CONFLICT DO NOTHING"
        ));
        let mut insert = sqlx::query(statement);
        for column in values {
            insert = insert.bind(column);
        }
        insert.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Ends it, when the jobs have as many rows of each table of [`JOB_TABLES`] as they had.
    ///
    /// # Errors
    /// [`StorageError::NotPutBack`] when something else stands in the place of some rows; nothing is stored then.
    pub async fn finish(mut self, jobs: &[Uuid], written: &[u64]) -> Result<()> {
        for (table, written) in JOB_TABLES.iter().zip(written) {
            let found = count_rows(&mut self.transaction, table, jobs).await?;
            if found != *written {
                return Err(StorageError::NotPutBack { table: table.name, found, written: *written });
            }
        }
        number(&mut self.transaction, jobs).await?;
        self.transaction.commit().await
    }
}

/// Lets status know the jobs, and how many events each has.
async fn number(connection: &mut Connection, jobs: &[Uuid]) -> Result<()> {
    sqlx::query(
        "-- return_of_jobs::number
        INSERT INTO status.jobs (id, last_seq)
        SELECT job_id, max(seq) FROM status.events WHERE job_id = ANY($1) GROUP BY job_id
        ON CONFLICT (id) DO NOTHING",
    )
    .bind(jobs.to_vec())
    .execute(connection)
    .await?;
    Ok(())
}
