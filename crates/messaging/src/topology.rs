//! Every exchange and queue of the system: who publishes to it and who reads it.
//!
//! RabbitMQ cannot change the arguments of an existing queue, so there are few; anything to be tuned later belongs into
//! a policy of the broker. What the accounts may do, in `deploy/rabbitmq/accounts.json`, follows from these tables; a
//! test compares them.

use lapin::{
    ExchangeKind,
    types::{AMQPValue, FieldTable, LongString},
};

/// Public events; the routing key is the event's type.
pub const EVENTS: &str = "modelday.events";
/// Private commands; the routing key is the command's name.
pub const COMMANDS: &str = "modelday.commands.v2";
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

/// A service, which has an account of its own at the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// Of trigger.
    Trigger,
    /// Of downloader.
    Downloader,
    /// Of executor.
    Executor,
    /// Of status.
    Status,
}

/// A queue and what it receives.
#[derive(Debug)]
pub struct QueueSpec {
    /// Its name.
    pub name: &'static str,
    /// Who declares and reads it.
    pub reader: Account,
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

/// What an account publishes to an exchange.
#[derive(Debug)]
pub struct Publication {
    /// Who publishes.
    pub account: Account,
    /// To which exchange.
    pub exchange: &'static str,
    /// With which routing keys. The broker checks them on topic exchanges only; so [`COMMANDS`] is one.
    pub routing_keys: &'static [&'static str],
}

/// Exchanges, all durable.
pub const EXCHANGES: [(&str, ExchangeKind); 4] = [
    (EVENTS, ExchangeKind::Topic),
    (COMMANDS, ExchangeKind::Topic),
    (CONTROL, ExchangeKind::Fanout),
    (DEAD, ExchangeKind::Topic),
];

/// What is published by whom. Besides, every account publishes to [`DEAD`] what it cannot handle.
pub const PUBLICATIONS: [Publication; 7] = [
    Publication { account: Account::Trigger, exchange: EVENTS, routing_keys: &["modelday.job.requested.v1"] },
    Publication { account: Account::Trigger, exchange: COMMANDS, routing_keys: &[commands::JOB_CANCEL] },
    Publication { account: Account::Trigger, exchange: CONTROL, routing_keys: &[commands::JOB_CANCEL] },
    Publication {
        account: Account::Downloader,
        exchange: EVENTS,
        routing_keys: &[
            "modelday.data.download_started.v1",
            "modelday.data.download_progressed.v1",
            "modelday.data.ready.v1",
            "modelday.data.waiting.v1",
            "modelday.data.failed.v1",
        ],
    },
    Publication {
        account: Account::Executor,
        exchange: EVENTS,
        routing_keys: &[
            "modelday.job.started.v1",
            "modelday.job.completed.v1",
            "modelday.job.partial.v1",
            "modelday.job.failed.v1",
            "modelday.job.cancelled.v1",
            "modelday.model_day.started.v1",
            "modelday.model_day.completed.v1",
            "modelday.model_day.failed.v1",
            "modelday.model_days.skipped.v1",
        ],
    },
    Publication {
        account: Account::Executor,
        exchange: COMMANDS,
        routing_keys: &[commands::LANE_CONTINUE, commands::LANE_CONTINUE_AGENTS],
    },
    // Replays of dead letters: the name of the queue is the routing key.
    Publication { account: Account::Status, exchange: DEFAULT, routing_keys: &[] },
];

/// Who listens to [`CONTROL`], with a temporary queue for each process.
pub const CONTROL_LISTENERS: [Account; 2] = [Account::Downloader, Account::Executor];

/// Queues, all durable quorum queues. The queue of the dead letters comes first, since the others use it.
pub const QUEUES: [QueueSpec; 8] = [
    QueueSpec {
        name: queues::STATUS_DEAD_LETTERS,
        reader: Account::Status,
        exchange: DEAD,
        routing_keys: &["#"],
        on_death: OnDeath::Stays,
    },
    QueueSpec {
        name: queues::TRIGGER_JOBS,
        reader: Account::Trigger,
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
        reader: Account::Downloader,
        exchange: EVENTS,
        routing_keys: &["modelday.job.requested.v1"],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_PLANS,
        reader: Account::Executor,
        exchange: EVENTS,
        routing_keys: &["modelday.data.ready.v1", "modelday.data.failed.v1"],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_LANES,
        reader: Account::Executor,
        exchange: COMMANDS,
        routing_keys: &[commands::LANE_CONTINUE],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_AGENTS,
        reader: Account::Executor,
        exchange: COMMANDS,
        routing_keys: &[commands::LANE_CONTINUE_AGENTS],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::EXECUTOR_CONTROL,
        reader: Account::Executor,
        exchange: COMMANDS,
        routing_keys: &[commands::JOB_CANCEL],
        on_death: OnDeath::ToDeadLetters,
    },
    QueueSpec {
        name: queues::STATUS_PROJECTION,
        reader: Account::Status,
        exchange: EVENTS,
        routing_keys: &["modelday.#"],
        on_death: OnDeath::ToDeadLetters,
    },
];

/// `<exchange>:<routing key>`, as the conventions name a destination. Anybody may invent routing keys, and each would be
/// a series of its own in metrics: one that is not in these tables is `_OTHER`.
pub(crate) fn destination(exchange: &str, routing_key: &str) -> String {
    let is_published = PUBLICATIONS.iter().any(|publication| publication.routing_keys.contains(&routing_key));
    let is_known = is_published || QUEUES.iter().any(|queue| queue.name == routing_key);
    format!("{exchange}:{}", if is_known { routing_key } else { "_OTHER" })
}

/// Deliveries after which the broker gives a message up. A last resort, since attempts are counted in Postgres.
const DELIVERY_LIMIT: i64 = 1000;

impl Account {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Trigger, Self::Downloader, Self::Executor, Self::Status];

    /// The service's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Downloader => "downloader",
            Self::Executor => "executor",
            Self::Status => "status",
        }
    }

    /// The account of the service with this name.
    #[must_use]
    pub fn of(service: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.as_str() == service)
    }

    /// Whether it publishes to this exchange.
    #[must_use]
    pub fn publishes_to(self, exchange: &str) -> bool {
        let mut own = PUBLICATIONS.iter().filter(|publication| publication.account == self);
        exchange == DEAD || own.any(|publication| publication.exchange == exchange)
    }

    /// Whether one of its queues is bound to this exchange.
    #[must_use]
    pub fn reads_from(self, exchange: &str) -> bool {
        let mut own = QUEUES.iter().filter(|queue| queue.reader == self);
        own.any(|queue| queue.exchange == exchange)
            || exchange == CONTROL && CONTROL_LISTENERS.contains(&self)
    }
}

/// Whether a queue is bound for messages with this routing key.
pub(crate) fn receives(queue: &str, routing_key: &str) -> bool {
    let bound = |pattern: &str| match pattern.strip_suffix('#') {
        Some(start) => routing_key.starts_with(start),
        None => routing_key == pattern,
    };
    QUEUES.iter().any(|one| one.name == queue && one.routing_keys.iter().any(|pattern| bound(pattern)))
}

impl QueueSpec {
    pub(crate) fn arguments(&self) -> FieldTable {
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
