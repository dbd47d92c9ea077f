//! How job requests arrive: from the queue, and from trigger's outbox where the broker has lost messages.

mod catch_up;
mod handler;

use messaging::topology::queues;
use messaging::{BrokerConfig, ConsumeError, ConsumerOptions, Hooks};
use runtime::parts::Part;
use runtime::{CancellationToken, Watched};

use catch_up::catch_up;
pub(crate) use handler::RequestHandler;

/// How many requests are handled concurrently.
const CONCURRENT_REQUESTS: u16 = 16;

/// Consumes job requests until `shutdown`; `part` shows it. Trigger's outbox is searched at the begin of each subscription,
/// since messages were lost, or were sent before there was a queue, and whenever the queue is idle.
pub(crate) fn consume(
    broker: &BrokerConfig,
    handler: RequestHandler,
    part: Part,
    shutdown: CancellationToken,
) -> impl Future<Output = Result<(), ConsumeError>> + Send + use<> {
    let (at_begin, when_idle) = (handler.clone(), handler.clone());
    let hooks = Hooks::default()
        .on_subscribed(move |_| catch_up(at_begin.clone()))
        .on_idle(move || catch_up(when_idle.clone()))
        .link_span(runtime::telemetry::link_span);
    let options = ConsumerOptions::new(CONCURRENT_REQUESTS).with_hooks(hooks);
    messaging::consume(broker, queues::DOWNLOADER_JOBS, options, Watched::new(handler, part), shutdown)
}
