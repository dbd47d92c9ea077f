//! The servers of one database: a primary, which takes writes, and standbys, each of which may become the primary.

use std::fmt;
use std::io;
use std::str::FromStr as _;
use std::time::Duration;

use futures::stream::{FuturesOrdered, StreamExt as _};
use sqlx::{Connection as _, Executor as _, Row as _};
use sqlx_postgres::{PgConnectOptions, PgConnection};
use tokio::time::timeout;

use crate::error::{Result, StorageError};

/// How addresses begin.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// How long one server among several may take to say whether it takes writes.
const MAX_LOOK: Duration = Duration::from_secs(2);
/// The same for a server without others.
pub(crate) const MAX_CONNECT: Duration = Duration::from_secs(10);

/// The addresses in a setting: a comma stands between two of them. A comma that no address follows belongs to a name or
/// a password.
pub fn addresses(setting: &str) -> Vec<&str> {
    let is_next = |at: usize| {
        let after = setting[at + 1..].trim_start();
        SCHEMES.iter().any(|scheme| after.starts_with(scheme))
    };
    let commas = setting.match_indices(',').map(|(at, _)| at).filter(|at| is_next(*at));
    let mut addresses = Vec::new();
    let mut begin = 0;
    for comma in commas {
        addresses.push(setting[begin..comma].trim());
        begin = comma + 1;
    }
    addresses.push(setting[begin..].trim());
    addresses
}

/// The servers of one database, in the order of the setting. They replicate from each other, so that at most one of them
/// takes writes.
#[derive(Clone)]
pub(crate) struct Servers(Vec<PgConnectOptions>);

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Servers({})", self.0.len())
    }
}

impl Servers {
    /// Those of a setting.
    pub(crate) fn of(setting: &str) -> Result<Self> {
        addresses(setting).into_iter().map(server).collect::<Result<_>>().map(Self)
    }

    /// One server.
    pub(crate) fn alone(server: PgConnectOptions) -> Self {
        Self(vec![server])
    }

    /// The same with other options.
    pub(crate) fn map(self, change: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self(self.0.into_iter().map(change).collect())
    }

    pub(crate) fn all(&self) -> &[PgConnectOptions] {
        &self.0
    }

    /// Whether there is no other server.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.len() == 1
    }

    /// Connects to the server that takes writes.
    pub(crate) async fn connect(&self) -> sqlx::Result<PgConnection> {
        Ok(self.find(0).await?.1)
    }

    /// How to connect to the server that takes writes.
    pub(crate) async fn primary(&self) -> sqlx::Result<PgConnectOptions> {
        let server = if self.is_alone() { 0 } else { self.find(0).await?.0 };
        Ok(self.0[server].clone())
    }

    /// Connects to all servers at once, and keeps the connection to the one that takes writes: to `preferred`, or else
    /// the first in their order. Returns which one it is.
    pub(crate) async fn find(&self, preferred: usize) -> sqlx::Result<(usize, PgConnection)> {
        let limit = if self.is_alone() { MAX_CONNECT } else { MAX_LOOK };
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|server| *server != preferred);
        let looks = order.into_iter().map(|server| async move {
            let looked = timeout(limit, look(&self.0[server])).await;
            (server, looked.unwrap_or(Err(sqlx::Error::PoolTimedOut)))
        });
        let mut looks: FuturesOrdered<_> = looks.collect();
        let mut problem = sqlx::Error::PoolTimedOut;
        while let Some((server, looked)) = looks.next().await {
            match looked {
                Ok(connection) => return Ok((server, connection)),
                // What a server says is more telling than that another one is away.
                Err(_) if matches!(problem, sqlx::Error::Database(_)) => {}
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }
}

/// Whether the server takes writes. A standby does not, and neither does a primary that recovers.
pub(crate) async fn takes_writes(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let answer = connection.fetch_one("-- servers::takes_writes\nSELECT NOT pg_is_in_recovery()").await?;
    answer.try_get(0)
}

/// Says so of a server that does not take writes.
pub(crate) fn standby() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::NotConnected,
        "the server is in recovery and takes no writes: it is a standby, or it is starting",
    ))
}

async fn look(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let mut connection = PgConnection::connect_with(options).await?;
    if takes_writes(&mut connection).await? { Ok(connection) } else { Err(standby()) }
}

/// One address. In no error it is repeated: it may hold a password.
fn server(address: &str) -> Result<PgConnectOptions> {
    let rest = SCHEMES.iter().find_map(|scheme| address.strip_prefix(scheme)).ok_or(StorageError::Address)?;
    let is_cut_off = rest.split_once(['/', '?', '#']).is_some_and(|(_, after)| after.contains('@'));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if is_cut_off || host.contains(',') {
        return Err(StorageError::Address);
    }
    PgConnectOptions::from_str(address).map_err(|_| StorageError::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_before_a_scheme_separates_addresses_and_another_one_belongs_to_a_password() {
        let two = "postgres://joe:a,b@one/d?sslmode=require, postgresql://joe@two:1/d";

        assert_eq!(addresses(two), ["postgres://joe:a,b@one/d?sslmode=require", "postgresql://joe@two:1/d"]);
        assert_eq!(addresses("postgres://one/d"), ["postgres://one/d"]);
        let servers = Servers::of(two).unwrap();
        let hosts: Vec<&str> = servers.all().iter().map(PgConnectOptions::get_host).collect();
        assert_eq!(hosts, ["one", "two"]);
    }

    #[test]
    fn an_address_that_is_not_whole_is_refused_and_no_password_is_shown() {
        for wrong in [
            "postgres://joe:s3cret@one,two/d",
            "postgres://joe:s3cret@one/d,",
            "postgres://joe:s3cret@one/d,two/d",
            "postgres://joe:s3cret@one/d,postgres://joe:12/s3cret@two/d",
            ",postgres://joe:s3cret@one/d",
        ] {
            let error = Servers::of(wrong).unwrap_err();

            assert!(matches!(error, StorageError::Address), "{wrong}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        let servers = Servers::of("postgres://joe:s3cret@one/d,postgres://joe:s3cret@two/d").unwrap();
        assert!(!format!("{servers:?}").contains("s3cret"));
    }
}
