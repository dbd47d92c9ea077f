//! What Modelday stores in Postgres. One module a schema; each service writes only its own.
//!
//! Statements only: what to store is decided in `domain`. Instants that several processes compare come
//! from the Postgres clock.

mod connect;
mod development;
mod error;
pub mod execution;
pub mod market;
mod migrate;
pub mod outbox;
pub mod status;
pub mod trigger;

pub use connect::{Database, Owner, connect, ping};
pub use development::Development;
pub use error::{Result, StorageError};
pub use migrate::migrate;
pub use sqlx::{PgConnection, PgPool};

/// A connection of a pool, until it is dropped.
pub type Connection = sqlx::pool::PoolConnection<sqlx::Postgres>;
