//! What the metrics of this crate mean, and the counters of a service at 0.

use metrics::{counter, describe_counter, describe_histogram};

use crate::semconv::{self, label};
use crate::topology::{Account, EVENTS, PUBLICATIONS, QUEUES, QueueSpec};

/// Describes the metrics of messages, and begins those counters at 0 whose labels are known: of what the service
/// publishes, and of the queues that it reads.
pub fn declare_metrics(account: Account) {
    describe_counter!(semconv::SENT_MESSAGES, "Messages published to the broker.");
    describe_counter!(semconv::CONSUMED_MESSAGES, "Messages passed to handlers.");
    describe_histogram!(
        semconv::OPERATION_DURATION,
        "Time from the publishing of a message to the broker's confirm."
    );
    describe_histogram!(semconv::PROCESS_DURATION, "Time that a handler took.");
    describe_counter!(semconv::RETRIES, "Handlers run again after a passing error.");
    describe_counter!(semconv::DEAD_LETTERS, "Messages that a consumer gave up as dead letters.");
    describe_counter!(semconv::SUBSCRIPTIONS_LOST, "Lost subscriptions, which are opened again.");
    for publication in PUBLICATIONS.iter().filter(|publication| publication.account == account) {
        for key in publication.routing_keys {
            let destination = format!("{}:{key}", publication.exchange);
            counter!(semconv::SENT_MESSAGES, label::SYSTEM => semconv::SYSTEM, label::OPERATION => semconv::SEND,
                label::DESTINATION => destination)
            .absolute(0);
        }
    }
    for queue in QUEUES.iter().filter(|queue| queue.reader == account) {
        for key in keys(queue) {
            let destination = format!("{}:{key}", queue.exchange);
            counter!(semconv::CONSUMED_MESSAGES, label::SYSTEM => semconv::SYSTEM, label::OPERATION => "process",
                label::DESTINATION => destination, label::QUEUE => queue.name)
            .absolute(0);
        }
        for name in [semconv::RETRIES, semconv::DEAD_LETTERS, semconv::SUBSCRIPTIONS_LOST] {
            counter!(name, label::QUEUE => queue.name).absolute(0);
        }
    }
}

/// The types of all events.
pub fn event_kinds() -> impl Iterator<Item = &'static str> {
    let events = PUBLICATIONS.iter().filter(|publication| publication.exchange == EVENTS);
    events.flat_map(|publication| publication.routing_keys.iter().copied())
}

/// The routing keys of what a queue receives, as far as they are known.
fn keys(queue: &QueueSpec) -> Vec<&'static str> {
    match queue.exchange {
        EVENTS if queue.routing_keys.iter().any(|key| key.contains('#')) => event_kinds().collect(),
        _ => queue.routing_keys.iter().copied().filter(|key| !key.contains('#')).collect(),
    }
}
