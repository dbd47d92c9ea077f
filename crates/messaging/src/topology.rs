//! Every exchange and queue of the system, declared by every service on every connect.
//!
//! RabbitMQ cannot change the arguments of an existing queue, so there are few; anything to be tuned later belongs into
//! a policy of the broker.

use std::time::Duration;

use lapin::{
    Channel, Connection, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::{AMQPValue, FieldTable, LongString},
};

use crate::connection::{BrokerConfig, BrokerError, close};

/// Public events; the routing key is the event's type.
pub const EVENTS: &str = "modelday.events";
/// Private commands; the routing key is the command's name.
pub const COMMANDS: &str = "modelday.commands";
/// Hints to every running process. Nothing depends on them; they are published without `mandatory`.
pub const CONTROL: &str = "modelday.control";
/// The broker's default exchange: every queue is bound to it by its own name.
pub const DEFAULT: &str = "";
/// Messages that could not be handled, under their original routing key.
pub const DEAD: &str = "modelday.dead";

/// Names of the queues.
pub mod queues {
    /// Ended jobs, which make room for new ones.
    pub const TRIGGER_JOBS: &str = "trigger.jobs.v1";
    /// Accepted jobs, whose prices are to be downloaded.
    pub const DOWNLOADER_JOBS: &str = "downloader.jobs.v1";
    /// Jobs whose prices are stored, or cannot be had.
    pub const EXECUTOR_PLANS: &str = "executor.plans.v1";
    /// Turns of lanes with fast models.
    pub const EXECUTOR_LANES: &str = "executor.lanes.v1";
    /// Turns of lanes with models that answer over a network.
    pub const EXECUTOR_AGENTS: &str = "executor.agents.v1";
    /// Cancellations.
    pub const EXECUTOR_CONTROL: &str = "executor.control.v1";
    /// Every event, for the read model.
    pub const STATUS_PROJECTION: &str = "status.projection.v1";
    /// Every dead letter.
    pub const STATUS_DEAD_LETTERS: &str = "status.dead-letters.v1";
}

/// Routing keys of commands, on [`COMMANDS`].
pub mod commands {
    /// The next turn of a lane with a fast model.
    pub const LANE_CONTINUE: &str = "lane.continue";
    /// The next turn of a lane whose model answers over a network.
    pub const LANE_CONTINUE_AGENTS: &str = "lane.continue.agents";
    /// Cancels a job.
    pub const JOB_CANCEL: &str = "job.cancel";
}

/// A queue and what it receives.
#[derive(Debug)]
pub struct QueueSpec {
    /// Its name.
    pub name: &'static str,
    /// The exchange it is bound to.
    pub exchange: &'static str,
    /// The routing keys of the bindings.
    pub routing_keys: &'static [&'static str],
    /// What the broker does with a message that it gives up.
    pub on_death: OnDeath,
}

/// What the broker does with a message over its delivery limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDeath {
    /// Moves it to [`DEAD`], keeping it until that is confirmed.
    ToDeadLetters,
    /// Never gives it up: for the queue of the dead letters.
    Stays,
}

/// Exchanges, all durable.
const EXCHANGES: [(&str, ExchangeKind); 4] = [
    (EVENTS, ExchangeKind::Topic),
    (COMMANDS, ExchangeKind::Direct),
    (CONTROL, ExchangeKind::Fanout),
    (DEAD, ExchangeKind::Topic),
];

/// Queues, all durable quorum queues. The queue of the dead letters comes first, since the others use it.
pub const QUEUES: [QueueSpec; 8] = [
    QueueSpec {
        name: queues::STATUS_DEAD_LETTERS,
        exchange: DEAD,
        routing_keys: &["#"],
        on_death: OnDeath::Stays,
    },
    QueueSpec {
        name: queues::TRIGGER_JOBS,
        exchange: EVENTS,
        routing_keys: &[
            "modelday.job.completed.v1",
            "modelday.job.partial.v1",
            "modelday.job.failed.v1",
            "modelday.job.cancelled.v1",
        ],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::DOWNLOADER_JOBS,
        exchange: EVENTS,
        routing_keys: &["modelday.job.requested.v1"],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_PLANS,
        exchange: EVENTS,
        routing_keys: &["modelday.data.ready.v1", "modelday.data.failed.v1"],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_LANES,
        exchange: COMMANDS,
        routing_keys: &[commands::LANE_CONTINUE],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_AGENTS,
        exchange: COMMANDS,
        routing_keys: &[commands::LANE_CONTINUE_AGENTS],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_CONTROL,
        exchange: COMMANDS,
        routing_keys: &[commands::JOB_CANCEL],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::STATUS_PROJECTION,
        exchange: EVENTS,
        routing_keys: &["modelday.#"],
        on_death: OnDeath::ToDeadLetters,
    },
];

/// Deliveries after which the broker gives a message up. A last resort, since attempts are counted in Postgres.
const DELIVERY_LIMIT: i64 = 1000;

/// Wait before a missing queue is declared. When RabbitMQ 3.10 deletes a quorum queue that is declared again within
/// about 10 ms, its consumers are not cancelled: they stay registered and receive nothing.
const REDECLARE_DELAY: Duration = Duration::from_millis(250);

/// Declares all exchanges and queues. Returns the queues that did not exist: either they are new, or their messages are
/// lost. It may be repeated, and run by many processes at once; then more than one may return the same queue.
///
/// # Errors
/// Of lapin; a queue that exists with other arguments is `PRECONDITION_FAILED`.
pub async fn declare(connection: &Connection) -> lapin::Result<Vec<&'static str>> {
    let created = missing_queues(connection).await?;
    if !created.is_empty() {
        tokio::time::sleep(REDECLARE_DELAY).await;
    }
    let channel = connection.create_channel().await?;
    for (name, kind) in EXCHANGES {
        let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
        channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await?;
    }
    for queue in &QUEUES {
        declare_queue(&channel, queue).await?;
    }
    channel.close(200, "declared".into()).await?;
    if !created.is_empty() {
        tracing::warn!(queues = ?created, "created {} queues that were not there", created.len());
    }
    Ok(created)
}

/// Declares everything and removes all messages from the queues, for deployments that start without data. No consumer
/// may be at work meanwhile.
///
/// # Errors
/// When the broker does not answer, or refuses.
pub async fn empty(broker: &BrokerConfig) -> Result<(), BrokerError> {
    let connection = broker.connect("empty").await?;
    let emptied = broker
        .bounded("emptying the queues", async {
            declare(&connection).await?;
            let channel = connection.create_channel().await?;
            for queue in &QUEUES {
                channel.queue_purge(queue.name.into(), QueuePurgeOptions::default()).await?;
            }
            Ok(())
        })
        .await;
    close(connection).await;
    emptied
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
async fn missing_queues(connection: &Connection) -> lapin::Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    let mut channel = connection.create_channel().await?;
    for queue in &QUEUES {
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

/// Whether a queue is bound for messages with this routing key.
pub(crate) fn receives(queue: &str, routing_key: &str) -> bool {
    let bound = |pattern: &str| match pattern.strip_suffix('#') {
        Some(start) => routing_key.starts_with(start),
        None => routing_key == pattern,
    };
    QUEUES.iter().any(|one| one.name == queue && one.routing_keys.iter().any(|pattern| bound(pattern)))
}

pub(crate) fn is_not_found(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if error.get_id() == 404)
}

impl QueueSpec {
    fn arguments(&self) -> FieldTable {
        let mut arguments = FieldTable::default();
        let text = |value: &str| AMQPValue::LongString(LongString::from(value));
        arguments.insert("x-queue-type".into(), text("quorum"));
        if self.on_death == OnDeath::ToDeadLetters {
            arguments.insert("x-dead-letter-exchange".into(), text(DEAD));
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(DELIVERY_LIMIT));
        }
        arguments
    }
}
