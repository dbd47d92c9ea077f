//! What Modelday stores in PostgreSQL. One module for each schema; a service writes only its own schema.
//!
//! Statements only: what to store is decided in `domain`; `docs/architecture.md` lists the rules that are decided in SQL
//! all the same. Instants that several processes compare come from the clock of PostgreSQL.
//!
//! Every function returns an error when PostgreSQL does not answer or refuses a statement; a transaction then stores
//! nothing. A row that no version of Modelday writes is a [`StorageError::Corrupt`]. Only other errors are named at the
//! functions.

pub mod archive;
mod columns;
mod connect;
mod connection;
mod development;
mod error;
pub mod execution;
mod key_rotation;
pub mod market;
mod migrate;
pub mod outbox;
mod pauses;
mod pool;
mod primary;
mod retention;
mod servers;
pub mod signing;
mod sql;
pub mod status;
pub mod tables;
mod transaction;
pub mod trigger;
mod universes;

pub use connect::{Database, Owner, check, connect, now, ping, pool};
pub use connection::Connection;
pub use development::Development;
pub use error::{Result, StorageError};
pub use key_rotation::{Rotation, rotate_key};
pub use migrate::migrate;
pub use pauses::pauses;
pub use pool::{Connections, PgPool};
pub use retention::Pruned;
pub use servers::addresses;
pub use transaction::Transaction;
pub use universes::{StoredUniverse, universes};
