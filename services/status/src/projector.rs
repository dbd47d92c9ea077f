//! Projects events into the read model: decodes, stores and counts them.

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::events::event::Event;
use messaging::{BatchHandler, Cause, Incoming, Rejected};
use storage::outbox::StoredMessage;
use storage::status::{ProjectorLock, ReceivedEvent, Upstream, project, refuses_content};
use uuid::Uuid;

/// The projector at work: it has the lock, and projects on the connection that holds it.
pub(crate) struct Projector {
    pub(crate) lock: Arc<ProjectorLock>,
}

/// An encoded event, from the broker or from an outbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) source: &'a str,
    pub(crate) id: Uuid,
    pub(crate) kind: &'a str,
    pub(crate) at: DateTime<Utc>,
    pub(crate) traceparent: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

impl<'a> Message<'a> {
    /// An event that the broker has delivered.
    fn delivered(incoming: &'a Incoming) -> Self {
        let envelope = &incoming.envelope;
        Self {
            source: &envelope.source,
            id: envelope.id,
            kind: &envelope.kind,
            at: envelope.time,
            traceparent: envelope.traceparent.as_deref(),
            body: &envelope.body,
        }
    }

    /// An event in the outbox of `upstream`.
    pub(crate) fn stored(upstream: Upstream, row: &'a StoredMessage) -> Self {
        Self {
            source: upstream.source(),
            id: row.event_id,
            kind: &row.kind,
            at: row.created_at,
            traceparent: row.traceparent.as_deref(),
            body: row.body.as_bytes(),
        }
    }
}

impl BatchHandler for Projector {
    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Rejected>, Cause> {
        let messages: Vec<Message<'_>> = batch.iter().map(Message::delivered).collect();
        Ok(self.project(&messages).await?)
    }
}

impl Projector {
    /// Projects the messages. Returns those that can never be projected, with the reason.
    pub(crate) async fn project(&self, messages: &[Message<'_>]) -> storage::Result<Vec<Rejected>> {
        let mut rejected = Vec::new();
        let mut decoded = Vec::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            match decode(message) {
                Ok(event) => decoded.push((index, event)),
                Err(reason) => rejected.push(Rejected { index, reason }),
            }
        }
        let received: Vec<ReceivedEvent<'_>> = decoded
            .iter()
            .map(|(index, (body, event))| {
                let Message { source, id, kind, at, traceparent, .. } = messages[*index];
                ReceivedEvent { source, id, kind, at, traceparent, body, event }
            })
            .collect();
        for (place, reason) in self.store(&received).await? {
            rejected.push(Rejected { index: decoded[place].0, reason });
        }
        Ok(rejected)
    }

    /// Stores the events. Returns the index of each that cannot be stored, with the reason. A batch that Postgres refuses
    /// for its content is halved until the event that causes it is alone.
    async fn store(&self, received: &[ReceivedEvent<'_>]) -> storage::Result<Vec<(usize, String)>> {
        let mut refused = Vec::new();
        let mut parts: Vec<Range<usize>> = Vec::new();
        if !received.is_empty() {
            parts.push(0..received.len());
        }
        while let Some(part) = parts.pop() {
            match project(&*self.lock, &received[part.clone()]).await {
                Ok(projected) => {
                    let unknown = projected.unknown.iter().map(|place| {
                        let place = part.start + place;
                        (place, format!("job {} was never accepted", received[place].event.job()))
                    });
                    refused.extend(unknown);
                    for event in &projected.logged {
                        observe(&received[part.start + event.place]);
                    }
                }
                Err(error) if refuses_content(&error) && part.len() > 1 => {
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Err(error) if refuses_content(&error) => {
                    refused.push((part.start, format!("cannot be stored: {error}")));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }
}

/// The body as text, and the event.
fn decode<'a>(message: &Message<'a>) -> Result<(&'a str, Event), String> {
    let event = contract::decode_event(message.kind, message.body).map_err(|problem| problem.to_string())?;
    let body = std::str::from_utf8(message.body).map_err(|problem| problem.to_string())?;
    Ok((body, event))
}

/// The log lines and metrics of a projected event.
fn observe(received: &ReceivedEvent<'_>) {
    let lag = (Utc::now() - received.at).as_seconds_f64().max(0.0);
    metrics::histogram!("modelday_projection_lag_seconds").record(lag);
    metrics::counter!("modelday_events_projected_total", "type" => received.kind.to_owned()).increment(1);
    // The services that produce model-days and warnings count them.
    if let Event::JobEnded(ended) = received.event {
        let outcome = crate::metrics::name(ended.outcome);
        metrics::counter!("modelday_jobs_ended_total", "outcome" => outcome).increment(1);
        tracing::info!(job.id = %ended.job, outcome, "Job {}: {outcome}", ended.job);
    }
}
