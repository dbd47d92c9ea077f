//! Turns a dead letter into the message that replays it.

use std::collections::BTreeMap;

use storage::outbox::OriginalEnvelope;
use storage::status::{DeadLetterRow, Replay};

/// The message of a letter, for the one queue whose consumer rejected it. The error says why it cannot be replayed.
pub(crate) fn replay_message(letter: &DeadLetterRow) -> Result<Replay, String> {
    let body = String::from_utf8(letter.body.clone()).ok().filter(|body| !body.contains('\0'));
    let body = body.ok_or("its body is no text")?;
    let headers: BTreeMap<String, String> = letter
        .headers
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let envelope = messaging::replay(&headers, letter.queue.as_deref(), body.clone().into())
        .map_err(|problem| problem.to_string())?;
    Ok(Replay {
        event_id: envelope.id,
        kind: envelope.kind,
        exchange: envelope.exchange,
        routing_key: envelope.routing_key,
        traceparent: envelope.traceparent,
        body,
        original: OriginalEnvelope {
            source: envelope.source,
            subject: envelope.subject,
            time: envelope.time,
            sequence: envelope.sequence,
            dataschema: envelope.dataschema,
            job: envelope.correlation,
            tracestate: envelope.tracestate,
        },
    })
}
