//! Admission: an ended job makes room for a new one.

use contract::decode_event;
use domain::events::event::Event;
use messaging::{Handler, Incoming, Outcome};
use storage::PgPool;

pub(crate) struct EndedJobs {
    pub(crate) pool: PgPool,
}

impl Handler for EndedJobs {
    async fn handle(&self, message: Incoming) -> Outcome {
        let event = match decode_event(&message.envelope.kind, &message.envelope.body) {
            Ok(Event::JobEnded(event)) => event,
            Ok(_) => return Outcome::Reject(format!("{} does not end a job", message.envelope.kind)),
            Err(problem) => return Outcome::Reject(problem.to_string()),
        };
        match storage::trigger::mark_ended(&self.pool, event.job, event.ended_at).await {
            Ok(true) => Outcome::Done,
            Ok(false) => Outcome::Reject(format!("job {} is not known", event.job)),
            Err(problem) => Outcome::Retry(problem.into()),
        }
    }
}

/// Records the ends of jobs whose messages the broker has lost.
pub(crate) async fn catch_up(pool: PgPool) {
    let done = async {
        for (job, at) in storage::trigger::unnoticed_ends(&pool).await? {
            storage::trigger::mark_ended(&pool, job, at).await?;
        }
        storage::Result::Ok(())
    };
    if let Err(problem) = done.await {
        tracing::warn!("ended jobs could not be looked up: {problem}");
    }
}
