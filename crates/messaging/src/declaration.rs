//! Declares exchanges and queues at the broker, and removes messages from queues.

use std::time::Duration;

use lapin::{
    Channel, Connection, ErrorKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::FieldTable,
};

use crate::{
    broker_error::BrokerError,
    connection::{BrokerConfig, close},
    topology::{Account, EXCHANGES, QUEUES, QueueSpec},
};

/// Wait before a missing queue is declared. When RabbitMQ 3.10 deletes a quorum queue that is declared again within
/// about 10 ms, its consumers are not cancelled: they stay registered and receive nothing.
const REDECLARE_DELAY: Duration = Duration::from_millis(250);

/// Declares the queues that `account` reads and the exchanges that it uses; all queues and exchanges without an account.
/// Returns the queues that did not exist: either they are new, or their messages are lost. It may be repeated, and run by
/// many processes at once; then more than one may return the same queue.
///
/// What only other services read or use is left to them, because an account can declare no more than its own. A message
/// for a queue that is still missing waits in the outbox, or its consumer finds it there.
///
/// # Errors
/// Of lapin; a queue that exists with other arguments is `PRECONDITION_FAILED`.
pub async fn declare_topology(
    connection: &Connection,
    account: Option<Account>,
) -> lapin::Result<Vec<&'static str>> {
    let created = missing_queues(connection, account).await?;
    if !created.is_empty() {
        tokio::time::sleep(REDECLARE_DELAY).await;
    }
    let channel = connection.create_channel().await?;
    let is_used = |exchange| {
        account.is_none_or(|account| account.publishes_to(exchange) || account.reads_from(exchange))
    };
    for (name, kind) in EXCHANGES.into_iter().filter(|(name, _)| is_used(name)) {
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await?;
    }
    for queue in queues_of(account) {
        declare_queue(&channel, queue).await?;
    }
    channel.close(200, "declared".into()).await?;
    if !created.is_empty() {
        tracing::warn!(queues = ?created, "created {} queues that were not there", created.len());
    }
    Ok(created)
}

/// Declares the queues of the broker's account and removes all messages from them, for deployments that start without
/// data. No consumer may be at work meanwhile.
///
/// # Errors
/// When the broker does not answer, or refuses.
pub async fn empty_queues(broker: &BrokerConfig) -> Result<(), BrokerError> {
    let connection = broker.connect("empty").await?;
    let emptied = broker
        .bounded("emptying the queues", async {
            declare_topology(&connection, broker.account()).await?;
            let channel = connection.create_channel().await?;
            for queue in queues_of(broker.account()) {
                channel.queue_purge(queue.name.into(), QueuePurgeOptions::default()).await?;
            }
            Ok(())
        })
        .await;
    close(connection).await;
    emptied
}

fn queues_of(account: Option<Account>) -> impl Iterator<Item = &'static QueueSpec> {
    QUEUES.iter().filter(move |queue| account.is_none_or(|account| queue.reader == account))
}

async fn declare_queue(channel: &Channel, queue: &QueueSpec) -> lapin::Result<()> {
    channel.queue_declare(queue.name.into(), QueueDeclareOptions::durable(), queue.arguments()).await?;
    for key in queue.routing_keys {
        let (name, exchange) = (queue.name.into(), queue.exchange.into());
        let options = QueueBindOptions::default();
        channel.queue_bind(name, exchange, (*key).into(), options, FieldTable::default()).await?;
    }
    Ok(())
}

/// Looks up each queue with a passive declaration. The broker answers "not found" by closing the channel, so a new
/// channel is opened then.
async fn missing_queues(
    connection: &Connection,
    account: Option<Account>,
) -> lapin::Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    let mut channel = connection.create_channel().await?;
    for queue in queues_of(account) {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        match channel.queue_declare(queue.name.into(), options, FieldTable::default()).await {
            Ok(_) => {}
            Err(error) if is_not_found(&error) => {
                missing.push(queue.name);
                channel = connection.create_channel().await?;
            }
            Err(error) => return Err(error),
        }
    }
    channel.close(200, "probed".into()).await?;
    Ok(missing)
}

pub(crate) fn is_not_found(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == 404)
}
