//! Handlers of messages as a part of the process: how long they work, and what hinders them.

use messaging::{BatchHandler, Cause, Handler, Incoming, Outcome, Rejected};

use crate::parts::Part;

/// A handler whose work is watched.
#[derive(Debug)]
pub struct Watched<H> {
    handler: H,
    part: Part,
}

impl<H> Watched<H> {
    /// `part` shows what `handler` does.
    pub fn new(handler: H, part: Part) -> Self {
        Self { handler, part }
    }
}

impl<M: Send, H: Handler<M>> Handler<M> for Watched<H> {
    async fn handle(&self, message: M) -> Outcome {
        let _work = self.part.work();
        let outcome = self.handler.handle(message).await;
        match &outcome {
            Outcome::Retry(cause) => self.part.hindered(cause.to_string()),
            Outcome::Done | Outcome::DoneThen(_) | Outcome::Reject(_) => self.part.goes_on(),
        }
        outcome
    }
}

impl<H: BatchHandler> BatchHandler for Watched<H> {
    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Rejected>, Cause> {
        let _work = self.part.work();
        let handled = self.handler.handle(batch).await;
        self.part.note(&handled);
        handled
    }
}
