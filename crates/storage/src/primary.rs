//! The pooled connections to the primary of a database. When another server becomes the primary they are replaced.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use sqlx_postgres::PgPoolOptions;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::servers::Servers;

/// Time between two looks for the primary, however many wait for a connection.
const PAUSE: Duration = Duration::from_millis(200);

/// The connections to the server that was the primary when it was last looked for.
#[derive(Debug)]
pub(crate) struct Primary {
    servers: Servers,
    options: PgPoolOptions,
    current: RwLock<Current>,
    looked: Mutex<Option<Instant>>,
}

/// The server that is used.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    server: usize,
    pub(crate) connections: sqlx_postgres::PgPool,
}

impl Primary {
    /// Begins with the first server. Nothing is connected yet.
    pub(crate) fn new(servers: Servers, options: PgPoolOptions) -> Self {
        let connections = options.clone().connect_lazy_with(servers.all()[0].clone());
        let current = RwLock::new(Current { server: 0, connections });
        Self { servers, options, current, looked: Mutex::default() }
    }

    /// Connections to a server without others.
    pub(crate) fn alone(connections: sqlx_postgres::PgPool) -> Self {
        let servers = Servers::alone((*connections.connect_options()).clone());
        let options = connections.options().clone();
        let current = RwLock::new(Current { server: 0, connections });
        Self { servers, options, current, looked: Mutex::default() }
    }

    /// Whether no other server can become the primary.
    pub(crate) fn is_alone(&self) -> bool {
        self.servers.is_alone()
    }

    pub(crate) fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks for the primary, because the connections of `before` could not be used. Returns whether there are others
    /// now. Those of before are closed, also those in use, which learn it when they are given back.
    pub(crate) async fn look(&self, before: &Current) -> bool {
        let mut looked = self.looked.lock().await;
        if self.current().server != before.server {
            return true;
        }
        if looked.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        let found = self.servers.find(before.server).await;
        *looked = Some(Instant::now());
        match found {
            Ok((server, _)) if server != before.server => {
                self.replace(server);
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::debug!("no server of the database takes writes: {error}");
                false
            }
        }
    }

    fn replace(&self, server: usize) {
        let connections = self.options.clone().connect_lazy_with(self.servers.all()[server].clone());
        let new = Current { server, connections };
        let old = std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), new);
        tracing::warn!("the database is used at address {} now, which takes writes", server + 1);
        tokio::spawn(async move { old.connections.close().await });
    }
}
