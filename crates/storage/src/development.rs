//! The database of a `DEV` deployment. It stands beside the configured one, and no other database is ever emptied.

use sqlx::{AssertSqlSafe, Executor as _};
use sqlx_postgres::PgConnectOptions;

use crate::connect::open;
use crate::error::{Result, StorageError};
use crate::servers::{Servers, addresses};
use crate::transaction::Transaction;

/// What is added to the name of the configured database.
const SUFFIX: &str = "_dev";
/// Tables of `market` with prices and with the calls that were made for them. Emptying keeps them.
const PRICES: [&str; 7] =
    ["answer_spans", "bars", "call_quotas", "corporate_actions", "imports", "price_version", "replaced_bars"];
/// A database that every server has.
const MAINTENANCE: &str = "postgres";
/// SQLSTATE of a database that does not exist.
const INVALID_CATALOG_NAME: &str = "3D000";
/// SQLSTATEs of a database that exists already; the second one when two processes create it at once.
const EXISTS: [&str; 2] = ["42P04", "23505"];

/// The database whose name is that of the configured one with `_dev` added.
#[derive(Clone)]
pub struct Development {
    configured: Servers,
    url: String,
    name: String,
}

impl std::fmt::Debug for Development {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Development").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Development {
    /// The database beside the one at `url`, on the same server or servers.
    ///
    /// # Errors
    /// [`StorageError::Address`] when an address of `url` names no database, or another one than the first; it is not
    /// repeated, since it may hold a password.
    pub fn beside(url: &str) -> Result<Self> {
        let configured = Servers::of(url)?;
        let name = configured.all().first().and_then(PgConnectOptions::get_database);
        let name = format!("{}{SUFFIX}", name.ok_or(StorageError::Address)?);
        let beside = addresses(url).into_iter().map(|url| match url.split_once('?') {
            Some((address, parameters)) => format!("{address}{SUFFIX}?{parameters}"),
            None => format!("{url}{SUFFIX}"),
        });
        let url = beside.collect::<Vec<_>>().join(",");
        // If the name does not stand at the end of the path, adding to the path did not change the database.
        if Servers::of(&url)?.all().iter().any(|server| server.get_database() != Some(name.as_str())) {
            return Err(StorageError::Address);
        }
        Ok(Self { configured, url, name })
    }

    /// Its address; contains a secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Creates it when it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// When Postgres does not answer, or its user may not create databases or schemas.
    pub async fn prepare(&self) -> Result<()> {
        match open(&Servers::of(&self.url)?).await {
            Ok(_) => {}
            Err(error) if state(&error).as_deref() == Some(INVALID_CATALOG_NAME) => self.create().await?,
            Err(error) => return Err(error.into()),
        }
        crate::migrate(&self.url).await
    }

    /// Removes jobs, days, fills, events and messages; keeps prices and the records of the calls made for them.
    ///
    /// # Errors
    /// Also when a table stays locked for more than 10 s.
    pub async fn empty(&self) -> Result<()> {
        let mut transaction = Transaction::begin(open(&Servers::of(&self.url)?).await?).await?;
        transaction.execute("SET LOCAL lock_timeout = '10s'").await?;
        let tables: Option<String> = sqlx::query_scalar(
            "-- development::empty
            SELECT string_agg(format('%I.%I', schemaname, tablename), ', ')
            FROM pg_tables
            WHERE schemaname IN ('trigger', 'market', 'execution', 'status')
                AND NOT (schemaname = 'market' AND tablename = ANY($1))",
        )
        .bind(PRICES.map(str::to_owned).to_vec())
        .fetch_one(&mut *transaction)
        .await?;
        if let Some(tables) = tables {
            transaction.execute(AssertSqlSafe(format!("TRUNCATE {tables}"))).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn create(&self) -> Result<()> {
        let mut connection = match open(&self.configured).await {
            // The configured database is production's, and need not exist here.
            Err(error) if state(&error).as_deref() == Some(INVALID_CATALOG_NAME) => {
                open(&self.configured.clone().map(|server| server.database(MAINTENANCE))).await?
            }
            other => other?,
        };
        let quoted = self.name.replace('"', "\"\"");
        match connection.execute(AssertSqlSafe(format!("CREATE DATABASE \"{quoted}\""))).await {
            Ok(_) => {}
            Err(error) if state(&error).is_some_and(|state| EXISTS.contains(&state.as_str())) => {}
            Err(error) => return Err(StorageError::NotCreated { name: self.name.clone(), source: error }),
        }
        Ok(())
    }
}

fn state(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_gets_a_suffix_and_the_rest_of_the_address_stays() {
        let beside = |url: &str| Development::beside(url).unwrap().url;

        assert_eq!(beside("postgres://u:p@h:1/modelday"), "postgres://u:p@h:1/modelday_dev");
        assert_eq!(
            beside("postgres://u@h/modelday?sslmode=disable"),
            "postgres://u@h/modelday_dev?sslmode=disable"
        );
        assert_eq!(
            beside("postgres://u@one/modelday,postgres://u@two/modelday"),
            "postgres://u@one/modelday_dev,postgres://u@two/modelday_dev"
        );
        // Also when it ends so already: such a name may be that of production.
        assert_eq!(beside("postgres://u@h/modelday_dev"), "postgres://u@h/modelday_dev_dev");
    }

    #[test]
    fn an_address_that_names_no_database_has_none_beside_it() {
        for url in ["postgres://u@h", "postgres://u@h/", "postgres://u@h/?dbname=modelday"] {
            assert!(matches!(Development::beside(url), Err(StorageError::Address)), "{url}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let database = Development::beside("postgres://joe:s3cret@h/modelday").unwrap();

        assert!(!format!("{database:?}").contains("s3cret"));
    }
}
