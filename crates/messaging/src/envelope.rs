//! A message with its metadata: CloudEvents 1.0 in binary mode, as AMQP headers.
//!
//! The body is opaque bytes here; the crate `contract` encodes and decodes it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};
use uuid::Uuid;

use crate::signature::{Authentication, Keyring, NotAuthentic, SignedParts, time_text};
use crate::trace_context::TraceContext;

const CONTENT_TYPE: &str = "application/json";
const SPEC_VERSION: &str = "1.0";
pub(crate) const PERSISTENT: u8 = 2;

/// A message, to be published or as it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Unique within `source`: a duplicate has the same `source` and `id`.
    pub id: Uuid,
    /// The service that created it, as a URI reference such as `/modelday/trigger`.
    pub source: String,
    /// The type, which is also the routing key of an event.
    pub kind: String,
    /// What the message is about: the job's id, as text.
    pub subject: Option<String>,
    /// When the message was created.
    pub time: DateTime<Utc>,
    /// Order within `source`: the id of the outbox row.
    pub sequence: i64,
    /// The job it belongs to.
    pub correlation: Option<Uuid>,
    /// URI of the body's schema.
    pub dataschema: String,
    /// W3C `traceparent` of the span that created it.
    pub traceparent: Option<String>,
    /// W3C `tracestate` of the same span.
    pub tracestate: Option<String>,
    /// The exchange that it is published to.
    pub exchange: String,
    /// The routing key that it is published with.
    pub routing_key: String,
    /// The program that published it; empty when it is not stated.
    pub app_id: String,
    /// The content, as ProtoJSON.
    pub body: Bytes,
    /// For a message that is published again, to one queue: how it was published first. `None` for any other message,
    /// and for one that was delivered.
    pub first_published: Option<FirstPublished>,
}

/// What a message keeps of its first publication when it is published again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstPublished {
    /// The routing key, which the signature covers.
    pub routing_key: String,
    /// The signature. The message is not signed anew, so that only what was authentic before is authentic again.
    pub signature: Option<String>,
}

/// Why headers are not a valid envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A required header is absent.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// A header's value does not parse.
    #[error("header {header} is invalid: {value:?}")]
    Invalid {
        /// The header's name.
        header: &'static str,
        /// The first 100 characters of its value.
        value: String,
    },
    /// AMQP limits this field to 255 bytes.
    #[error("{0} is longer than 255 bytes")]
    TooLong(&'static str),
    /// The message is not believed.
    #[error("not authentic: {0}")]
    NotAuthentic(#[from] NotAuthentic),
}

/// The header with the trace context in which consumers handle a message.
pub(crate) const TRACEPARENT: &str = header::TRACEPARENT;

mod header {
    pub(super) const ID: &str = "cloudEvents_id";
    pub(super) const SOURCE: &str = "cloudEvents_source";
    pub(super) const TYPE: &str = "cloudEvents_type";
    pub(super) const SUBJECT: &str = "cloudEvents_subject";
    pub(super) const TIME: &str = "cloudEvents_time";
    pub(super) const SPECVERSION: &str = "cloudEvents_specversion";
    pub(super) const DATASCHEMA: &str = "cloudEvents_dataschema";
    pub(super) const SEQUENCE: &str = "cloudEvents_sequence";
    pub(super) const TRACEPARENT: &str = "traceparent";
    pub(super) const TRACESTATE: &str = "tracestate";
    /// The name of the key, a space, and HMAC-SHA-256 as hexadecimal digits.
    pub(super) const SIGNATURE: &str = "x-modelday-signature";
    /// Of a message that is published again: its first routing key.
    pub(super) const ROUTING_KEY: &str = "x-modelday-routing-key";
}

impl Envelope {
    /// The context in which the message was created, if it carries one.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext<'_>> {
        let traceparent = self.traceparent.as_deref()?;
        Some(TraceContext { traceparent, tracestate: self.tracestate.as_deref() })
    }

    /// The signature of the message with the first key of `keyring`; `None` without a key.
    #[must_use]
    pub fn signature(&self, keyring: &Keyring) -> Option<String> {
        self.with_signed_parts(&self.routing_key, |parts| keyring.sign(parts))
    }

    /// Verifies the message, which was published with `routing_key` and has this signature.
    ///
    /// # Errors
    /// When it is not to be believed.
    pub(crate) fn verify(
        &self,
        authentication: &Authentication,
        routing_key: &str,
        signature: Option<&str>,
    ) -> Result<(), NotAuthentic> {
        self.with_signed_parts(routing_key, |parts| authentication.verify(parts, signature))
    }

    fn with_signed_parts<T>(&self, routing_key: &str, work: impl FnOnce(&SignedParts<'_>) -> T) -> T {
        work(&SignedParts {
            source: &self.source,
            id: &self.id.to_string(),
            kind: &self.kind,
            subject: self.subject.as_deref().unwrap_or_default(),
            time: &time_text(self.time),
            routing_key,
            body: &self.body,
        })
    }

    /// The AMQP properties: everything but exchange, routing key and body. Signed with the first key of `keyring`, unless
    /// the message is published again.
    pub(crate) fn properties(&self, keyring: &Keyring) -> Result<BasicProperties, EnvelopeError> {
        let mut properties = BasicProperties::default()
            .with_message_id(short("message_id", &self.id.to_string())?)
            .with_type(short("type", &self.kind)?)
            .with_app_id(short("app_id", &self.app_id)?)
            .with_timestamp(u64::try_from(self.time.timestamp()).unwrap_or_default())
            .with_content_type(short("content_type", CONTENT_TYPE)?)
            .with_delivery_mode(PERSISTENT)
            .with_headers(self.headers(keyring));
        if let Some(job) = self.correlation {
            properties = properties.with_correlation_id(short("correlation_id", &job.to_string())?);
        }
        Ok(properties)
    }

    fn headers(&self, keyring: &Keyring) -> FieldTable {
        let mut headers = FieldTable::default();
        let mut put = |name: &'static str, value: &str| {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        };
        put(header::SPECVERSION, SPEC_VERSION);
        put(header::ID, &self.id.to_string());
        put(header::SOURCE, &self.source);
        put(header::TYPE, &self.kind);
        put(header::TIME, &time_text(self.time));
        put(header::SEQUENCE, &self.sequence.to_string());
        put(header::DATASCHEMA, &self.dataschema);
        let (signature, first_routing_key) = match &self.first_published {
            None => (self.signature(keyring), None),
            Some(first) => (first.signature.clone(), Some(first.routing_key.clone())),
        };
        let optional = [
            (header::SUBJECT, &self.subject),
            (header::TRACEPARENT, &self.traceparent),
            (header::TRACESTATE, &self.tracestate),
            (header::SIGNATURE, &signature),
            (header::ROUTING_KEY, &first_routing_key),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                put(name, value);
            }
        }
        headers
    }

    /// Reads what [`Self::properties`] wrote.
    pub(crate) fn parse(delivery: &Delivery, body: Bytes) -> Result<Self, EnvelopeError> {
        let properties = &delivery.properties;
        let correlation = match properties.correlation_id() {
            Some(id) => Some(parsed("correlation_id", id.as_str(), |id| id.parse().ok())?),
            None => None,
        };
        let envelope = Self::from_headers(&Headers(properties.headers().as_ref()), body)?;
        Ok(Self {
            correlation,
            exchange: delivery.exchange.to_string(),
            routing_key: delivery.routing_key.to_string(),
            app_id: properties.app_id().as_ref().map(ToString::to_string).unwrap_or_default(),
            ..envelope
        })
    }

    /// The envelope that the headers describe, without exchange and routing key.
    pub(crate) fn from_headers(headers: &Headers<'_>, body: Bytes) -> Result<Self, EnvelopeError> {
        headers.parsed(header::SPECVERSION, |version| (version == SPEC_VERSION).then_some(()))?;
        Ok(Self {
            id: headers.parsed(header::ID, |id| id.parse().ok())?,
            source: headers.required(header::SOURCE)?,
            kind: headers.required(header::TYPE)?,
            subject: headers.optional(header::SUBJECT),
            time: headers.parsed(header::TIME, instant)?,
            sequence: headers.parsed(header::SEQUENCE, |number| number.parse().ok())?,
            correlation: None,
            dataschema: headers.required(header::DATASCHEMA)?,
            traceparent: headers.optional(header::TRACEPARENT),
            tracestate: headers.optional(header::TRACESTATE),
            exchange: String::new(),
            routing_key: String::new(),
            app_id: String::new(),
            body,
            first_published: None,
        })
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

/// A string for one of AMQP's own fields.
pub(crate) fn short(field: &'static str, value: &str) -> Result<ShortString, EnvelopeError> {
    ShortString::try_new(value).map_err(|_| EnvelopeError::TooLong(field))
}

fn parsed<T>(
    header: &'static str,
    value: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, EnvelopeError> {
    parse(value).ok_or_else(|| EnvelopeError::Invalid { header, value: value.chars().take(100).collect() })
}

/// Headers as text, of any scalar AMQP type.
pub(crate) struct Headers<'a>(pub(crate) Option<&'a FieldTable>);

impl Headers<'_> {
    pub(crate) fn signature(&self) -> Option<String> {
        self.optional(header::SIGNATURE)
    }

    /// The routing key of the first publication, of a message that was published again.
    pub(crate) fn first_routing_key(&self) -> Option<String> {
        self.optional(header::ROUTING_KEY)
    }

    pub(crate) fn optional(&self, name: &str) -> Option<String> {
        self.0.and_then(|headers| headers.inner().get(name)).and_then(text)
    }

    fn required(&self, name: &'static str) -> Result<String, EnvelopeError> {
        self.optional(name).ok_or(EnvelopeError::Missing(name))
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, EnvelopeError> {
        parsed(name, &self.required(name)?, parse)
    }

    /// Every header that is not a table or an array.
    pub(crate) fn scalars(&self) -> impl Iterator<Item = (String, String)> {
        let headers = self.0.into_iter().flat_map(|headers| headers.inner());
        headers.filter_map(|(name, value)| Some((name.to_string(), text(value)?)))
    }
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok().map(str::to_owned),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        AMQPValue::Boolean(value) => Some(value.to_string()),
        AMQPValue::ShortShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortShortUInt(value) => Some(value.to_string()),
        AMQPValue::ShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortUInt(value) => Some(value.to_string()),
        AMQPValue::LongInt(value) => Some(value.to_string()),
        AMQPValue::LongUInt(value) => Some(value.to_string()),
        AMQPValue::LongLongInt(value) => Some(value.to_string()),
        AMQPValue::Timestamp(value) => Some(value.to_string()),
        AMQPValue::Float(value) => Some(value.to_string()),
        AMQPValue::Double(value) => Some(value.to_string()),
        AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::ByteArray(_)
        | AMQPValue::Void => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            id: Uuid::from_u128(7),
            source: "/modelday/trigger".into(),
            kind: "modelday.job.requested.v1".into(),
            subject: Some("job/1".into()),
            time: instant("2025-10-01T13:30:00.123456Z").unwrap(),
            sequence: 42,
            correlation: Some(Uuid::from_u128(9)),
            dataschema: "https://example.org/schema.json".into(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            tracestate: Some("vendor=1".into()),
            exchange: "modelday.events".into(),
            routing_key: "modelday.job.requested.v1".into(),
            app_id: "trigger".into(),
            body: Bytes::from_static(b"{}"),
            first_published: None,
        }
    }

    fn delivered(properties: BasicProperties) -> Delivery {
        let mut delivery =
            Delivery::mock(1, "modelday.events".into(), "modelday.job.requested.v1".into(), false, vec![]);
        delivery.properties = properties;
        delivery
    }

    fn without(name: &str) -> EnvelopeError {
        let mut headers = envelope().headers(&Keyring::default()).inner().clone();
        headers.remove(name);
        let properties = envelope().properties(&Keyring::default()).unwrap().with_headers(headers.into());
        Envelope::parse(&delivered(properties), Bytes::new()).unwrap_err()
    }

    fn with(name: &'static str, value: AMQPValue) -> Result<Envelope, EnvelopeError> {
        let mut headers = envelope().headers(&Keyring::default());
        headers.insert(name.into(), value);
        let properties = envelope().properties(&Keyring::default()).unwrap().with_headers(headers);
        Envelope::parse(&delivered(properties), Bytes::new())
    }

    #[test]
    fn an_envelope_reads_back_from_its_properties() {
        let delivery = delivered(envelope().properties(&Keyring::default()).unwrap());

        assert_eq!(Envelope::parse(&delivery, Bytes::from_static(b"{}")), Ok(envelope()));
    }

    #[test]
    fn a_missing_header_is_named() {
        assert_eq!(without("cloudEvents_id"), EnvelopeError::Missing("cloudEvents_id"));
        assert_eq!(without("cloudEvents_time"), EnvelopeError::Missing("cloudEvents_time"));
        assert_eq!(without("cloudEvents_specversion"), EnvelopeError::Missing("cloudEvents_specversion"));
    }

    #[test]
    fn an_invalid_header_is_quoted() {
        let error = with("cloudEvents_id", AMQPValue::LongString("nonsense".into())).unwrap_err();

        assert_eq!(error.to_string(), r#"header cloudEvents_id is invalid: "nonsense""#);
    }

    #[test]
    fn bytes_that_are_not_text_count_as_missing() {
        let error = with("cloudEvents_source", AMQPValue::LongString(vec![0xff, 0xfe].into())).unwrap_err();

        assert_eq!(error, EnvelopeError::Missing("cloudEvents_source"));
    }

    #[test]
    fn a_sequence_sent_as_a_number_is_understood() {
        assert_eq!(with("cloudEvents_sequence", AMQPValue::LongLongInt(43)).unwrap().sequence, 43);
    }

    #[test]
    fn a_type_longer_than_an_amqp_short_string_is_an_error() {
        let envelope = Envelope { kind: "x".repeat(256), ..envelope() };

        assert_eq!(envelope.properties(&Keyring::default()).unwrap_err(), EnvelopeError::TooLong("type"));
    }
}
