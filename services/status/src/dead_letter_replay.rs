//! Turns a dead letter into the message that replays it.

use std::collections::BTreeMap;

use messaging::{Authentication, StoredLetter};
use storage::outbox::OriginalEnvelope;
use storage::status::{DeadLetterRow, Replay};

/// The message of a letter, for the one queue whose consumer rejected it. The error says why it cannot be replayed.
pub(crate) fn replay_message(
    letter: &DeadLetterRow,
    authentication: &Authentication,
) -> Result<Replay, String> {
    if usize::try_from(letter.body_bytes).is_ok_and(|whole| whole > letter.body.len()) {
        let (whole, kept) = (letter.body_bytes, letter.body.len());
        return Err(format!(
            "its body of {whole} bytes was too large to keep; only the first {kept} are here"
        ));
    }
    let body = String::from_utf8(letter.body.clone()).ok().filter(|body| !body.contains('\0'));
    let body = body.ok_or("its body is no text")?;
    let headers: BTreeMap<String, String> = letter
        .headers
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let stored =
        StoredLetter { headers: &headers, queue: letter.queue.as_deref(), routing_key: &letter.routing_key };
    let envelope = messaging::replay(stored, body.clone().into(), authentication)
        .map_err(|problem| problem.to_string())?;
    let first = envelope.first_published;
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
            routing_key: first.as_ref().map(|first| first.routing_key.clone()).unwrap_or_default(),
            signature: first.and_then(|first| first.signature),
        },
    })
}
