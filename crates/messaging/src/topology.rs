//! Every exchange and queue of the system, declared by every service on every connect.
//!
//! The tables are the documentation. Queue arguments are immutable in RabbitMQ, so there are few;
//! what one may want to tune belongs in a policy.

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
/// The broker's own, which every queue is bound to by its name.
pub const DEFAULT: &str = "";
/// Messages that could not be handled, under their original routing key.
pub const DEAD: &str = "modelday.dead";

/// Names of the queues.
pub mod queues {
    /// Ends of jobs, for admission.
    pub const TRIGGER_JOBS: &str = "trigger.jobs.v1";
    /// Accepted jobs, for their prices.
    pub const DOWNLOADER_JOBS: &str = "downloader.jobs.v1";
    /// Jobs whose prices are there, or will not come.
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
    /// A job is to stop.
    pub const JOB_CANCEL: &str = "job.cancel";
}

/// A queue and what it receives.
#[derive(Debug)]
pub struct QueueSpec {
    /// Its name.
    pub name: &'static str,
    /// The exchange it is bound to.
    pub exchange: &'static str,
    /// With these keys.
    pub routing_keys: &'static [&'static str],
    /// What becomes of messages that the broker gives up on.
    pub on_death: OnDeath,
}

/// What the broker does with a message over its delivery limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDeath {
    /// Moves it to [`DEAD`], keeping it until that is confirmed.
    ToDeadLetters,
    /// Keeps it whatever happens: this is where dead letters live.
    Stays,
}

/// Exchanges, all durable.
pub const EXCHANGES: [(&str, ExchangeKind); 4] = [
    (EVENTS, ExchangeKind::Topic),
    (COMMANDS, ExchangeKind::Direct),
    (CONTROL, ExchangeKind::Fanout),
    (DEAD, ExchangeKind::Topic),
];

/// Queues, all durable quorum queues. The dead letters' come first: there must be somewhere to die.
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

/// Deliveries after which the broker gives up: a backstop, since attempts are counted in Postgres.
const DELIVERY_LIMIT: i64 = 1000;

/// How long a missing queue stays missing. RabbitMQ 3.10 does not tell consumers of a quorum queue that
/// it was deleted when it is declared again within about 10 ms: they stay on paper and get nothing.
const MOURNING: Duration = Duration::from_millis(250);

/// What a declaration found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Queues that were not there: whatever they held is lost, or they are new.
    pub created: Vec<&'static str>,
}

/// Declares everything above. Safe to repeat and to run from many processes at once: then more than
/// one may report the same queue as created.
///
/// # Errors
/// Whatever lapin reports; a queue that exists with other arguments is `PRECONDITION_FAILED`.
pub async fn declare(connection: &Connection) -> lapin::Result<Declared> {
    let created = missing_queues(connection).await?;
    if !created.is_empty() {
        tokio::time::sleep(MOURNING).await;
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
    Ok(Declared { created })
}

/// Declares everything and removes every message that is in a queue, of which nobody must be working on one:
/// for deployments that begin from nothing.
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

/// Asks for each queue without creating it. The broker answers "not found" by closing the channel,
/// so each miss costs a new one.
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
