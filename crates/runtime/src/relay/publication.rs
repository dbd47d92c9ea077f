//! Publishing rows of an outbox.

use contract::schema::SchemaLocation;
use messaging::{Envelope, FirstPublished, PublishError, Publisher};
use storage::outbox::StoredMessage;

/// Publishes messages in their order. Returns the ids of those that the broker has confirmed, and the error that stopped
/// the others.
pub(super) async fn publish(
    publisher: &Publisher,
    service: &str,
    schemas: &SchemaLocation,
    messages: &[StoredMessage],
) -> (Vec<i64>, Option<PublishError>) {
    let envelopes: Vec<Envelope> =
        messages.iter().map(|message| envelope(message, service, schemas)).collect();
    let published = publisher.publish_in_order(&envelopes).await;
    let confirmed = messages
        .iter()
        .zip(&published.confirmed)
        .filter_map(|(message, confirmed)| confirmed.then_some(message.id))
        .collect();
    (confirmed, published.failure)
}

/// The message of an outbox row. A replayed message keeps the metadata and the signature of
/// its original.
pub fn envelope(message: &StoredMessage, service: &str, schemas: &SchemaLocation) -> Envelope {
    let own = Envelope {
        id: message.event_id,
        source: format!("/modelday/{service}"),
        kind: message.kind.clone(),
        subject: Some(message.job_id.to_string()),
        time: message.created_at,
        sequence: message.id,
        correlation: Some(message.job_id),
        dataschema: schemas.id(&message.kind),
        traceparent: message.traceparent.clone(),
        tracestate: None,
        exchange: message.exchange.clone(),
        routing_key: message.routing_key.clone(),
        app_id: format!("modelday-{service}"),
        body: message.body.clone().into_bytes().into(),
        first_published: None,
    };
    let Some(original) = message.original.clone() else { return own };
    Envelope {
        source: original.source,
        subject: original.subject,
        time: original.time,
        sequence: original.sequence,
        correlation: original.job,
        dataschema: original.dataschema,
        tracestate: original.tracestate,
        first_published: Some(FirstPublished {
            routing_key: original.routing_key,
            signature: original.signature,
        }),
        ..own
    }
}
