//! A transaction whose waits have an end.

use std::ops::{Deref, DerefMut};

use sqlx_postgres::PgTransactionManager;
// sqlx does not hand this trait on.
use sqlx_core::transaction::TransactionManager as _;

use crate::connection::Connection;
use crate::error::Result;

/// A transaction. It is rolled back when it is dropped before it is committed.
#[derive(Debug)]
pub struct Transaction {
    connection: Connection,
    is_open: bool,
}

impl Transaction {
    pub(crate) async fn begin(connection: Connection) -> Result<Self> {
        // Open already: the server may begin it although its answer does not come.
        let mut transaction = Self { connection, is_open: true };
        transaction.connection.exchange(|link| PgTransactionManager::begin(link, None)).await?;
        Ok(transaction)
    }

    /// Commits.
    ///
    /// # Errors
    /// When PostgreSQL refuses. When it does not answer, what was written may be stored or not.
    pub async fn commit(mut self) -> Result<()> {
        self.connection.exchange(PgTransactionManager::commit).await?;
        self.is_open = false;
        Ok(())
    }

    /// Rolls back.
    ///
    /// # Errors
    /// When PostgreSQL does not answer; nothing is stored all the same.
    pub async fn rollback(mut self) -> Result<()> {
        self.connection.exchange(PgTransactionManager::rollback).await?;
        self.is_open = false;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.is_open {
            PgTransactionManager::start_rollback(self.connection.link());
        }
    }
}
