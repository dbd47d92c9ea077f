//! Signatures: a message is believed because of its signature, not because it arrived.
//!
//! The publisher signs every message with HMAC-SHA-256 over its source, id, type, subject, time, routing key and body,
//! and consumers reject a message whose signature is missing or wrong. The key is shared by the services of one
//! installation. Other programs may read every message, and can neither change one nor make one.

use std::fmt::{self, Write as _};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// A key that signs messages, with its name. The `Debug` output never shows the secret.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    mac: Hmac<Sha256>,
}

/// What a signature covers: everything that consumers use of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedParts<'a> {
    pub(crate) source: &'a str,
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) time: &'a str,
    pub(crate) routing_key: &'a str,
    pub(crate) body: &'a [u8],
}

/// The keys of an installation. All clones share them, so that they can be replaced while services run.
#[derive(Clone, Debug, Default)]
pub struct Keyring(Arc<RwLock<Keys>>);

/// The first key signs; every key verifies.
#[derive(Debug, Default)]
struct Keys(Vec<SigningKey>);

/// What becomes of a message without a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsigned {
    /// It is rejected.
    #[default]
    Rejected,
    /// It is handled. Only for the time in which services of a version that does not sign still run.
    Accepted,
}

/// How messages are signed and verified.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// The keys of the installation.
    pub keyring: Keyring,
    /// What becomes of a message without a signature.
    pub unsigned: Unsigned,
    /// Whether a source sends messages of a type: a service speaks only for itself.
    pub sends: fn(source: &str, kind: &str) -> bool,
}

/// Without a key: nothing is signed, and every message is rejected.
impl Default for Authentication {
    fn default() -> Self {
        Self { keyring: Keyring::default(), unsigned: Unsigned::default(), sends: |_, _| true }
    }
}

/// Why a message is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthentic {
    /// It has no signature.
    #[error("it is not signed")]
    Unsigned,
    /// It is signed with a key that is not one of this installation.
    #[error("it is signed with another key")]
    UnknownKey,
    /// The signature belongs to another message.
    #[error("its signature does not fit its content")]
    Altered,
    /// Another service sends messages of this type.
    #[error("{source_name:?} does not send messages of type {kind:?}")]
    WrongSource {
        /// The source that it names.
        source_name: String,
        /// Its type.
        kind: String,
    },
    /// It was sent directly to a queue that does not receive messages with its routing key.
    #[error("it was not meant for this queue")]
    WrongQueue,
}

impl SigningKey {
    /// `id` names the key in signatures; it has no spaces.
    #[must_use]
    pub fn new(id: &str, secret: &[u8; 32]) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..secret.len()].copy_from_slice(secret);
        Self { id: id.to_owned(), mac: Hmac::new(&block) }
    }

    fn sign(&self, message: &SignedParts<'_>) -> String {
        let parts: [&[u8]; 7] = [
            message.source.as_bytes(),
            message.id.as_bytes(),
            message.kind.as_bytes(),
            message.subject.as_bytes(),
            message.time.as_bytes(),
            message.routing_key.as_bytes(),
            message.body,
        ];
        let mut mac = self.mac.clone();
        for part in parts {
            // The length before each part keeps two parts from being split at another place.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut text = String::with_capacity(self.id.len() + 65);
        let _ = write!(text, "{} ", self.id);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Keyring {
    /// Replaces all keys. The first one signs from now on.
    pub fn replace(&self, keys: Vec<SigningKey>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).0 = keys;
    }

    /// The signature of a message; `None` without a key.
    pub(crate) fn sign(&self, message: &SignedParts<'_>) -> Option<String> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(keys.0.first()?.sign(message))
    }

    fn verify(&self, message: &SignedParts<'_>, signature: &str) -> Result<(), NotAuthentic> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let id = signature.split(' ').next().unwrap_or_default();
        let key = keys.0.iter().find(|key| key.id == id).ok_or(NotAuthentic::UnknownKey)?;
        let expected = key.sign(message);
        let fits = bool::from(expected.as_bytes().ct_eq(signature.as_bytes()));
        if fits { Ok(()) } else { Err(NotAuthentic::Altered) }
    }
}

impl Authentication {
    /// Verifies a message that has this signature.
    ///
    /// # Errors
    /// When it is not to be believed.
    pub(crate) fn verify(
        &self,
        message: &SignedParts<'_>,
        signature: Option<&str>,
    ) -> Result<(), NotAuthentic> {
        match signature {
            Some(signature) => self.keyring.verify(message, signature)?,
            None if self.unsigned == Unsigned::Accepted => {}
            None => return Err(NotAuthentic::Unsigned),
        }
        if (self.sends)(message.source, message.kind) {
            return Ok(());
        }
        let (source_name, kind) = (message.source.to_owned(), message.kind.to_owned());
        Err(NotAuthentic::WrongSource { source_name, kind })
    }
}

/// An instant as messages state it.
pub(crate) fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;
    use crate::envelope::Envelope;

    fn envelope() -> Envelope {
        Envelope {
            id: Uuid::from_u128(7),
            source: "/modelday/downloader".into(),
            kind: "modelday.data.ready.v1".into(),
            subject: Some("019a36ef-cb80-7e7f-95d8-86581570dad2".into()),
            time: DateTime::from_timestamp_micros(1_759_325_400_123_456).unwrap(),
            sequence: 42,
            correlation: None,
            dataschema: "urn:modelday:v1:modelday.data.ready.v1".into(),
            traceparent: None,
            tracestate: None,
            exchange: "modelday.events".into(),
            routing_key: "modelday.data.ready.v1".into(),
            app_id: "modelday-downloader".into(),
            body: Bytes::from_static(b"{}"),
            first_published: None,
        }
    }

    fn authentication(keys: Vec<SigningKey>) -> Authentication {
        let authentication = Authentication {
            sends: |source, kind| source.ends_with("downloader") == kind.contains(".data."),
            ..Authentication::default()
        };
        authentication.keyring.replace(keys);
        authentication
    }

    fn verdict(of: &Authentication, envelope: &Envelope, signature: &str) -> Result<(), NotAuthentic> {
        envelope.verify(of, &envelope.routing_key, Some(signature))
    }

    #[test]
    fn a_message_is_believed_as_it_was_signed_and_with_no_change_to_what_consumers_use() {
        let ours = authentication(vec![SigningKey::new("k1", &[1; 32])]);
        let signature = envelope().signature(&ours.keyring).unwrap();
        let altered = [
            Envelope { id: Uuid::from_u128(8), ..envelope() },
            Envelope { subject: None, ..envelope() },
            Envelope { time: envelope().time + chrono::TimeDelta::microseconds(1), ..envelope() },
            Envelope { kind: "modelday.data.failed.v1".into(), ..envelope() },
            Envelope { source: "/modelday/downloader2".into(), ..envelope() },
            Envelope { routing_key: "modelday.data.failed.v1".into(), ..envelope() },
            Envelope { body: Bytes::from_static(b"{ }"), ..envelope() },
        ];

        assert_eq!(verdict(&ours, &envelope(), &signature), Ok(()));
        for envelope in altered {
            assert_eq!(verdict(&ours, &envelope, &signature), Err(NotAuthentic::Altered), "{envelope:?}");
        }
        assert_eq!(
            verdict(&ours, &Envelope { sequence: 43, ..envelope() }, &signature),
            Ok(()),
            "the place in the outbox is no content"
        );
    }

    #[test]
    fn bytes_do_not_move_from_one_part_to_the_next() {
        let ours = authentication(vec![SigningKey::new("k1", &[1; 32])]);
        let one = Envelope { source: "ab".into(), subject: Some(String::new()), ..envelope() };
        let signature = one.signature(&ours.keyring).unwrap();
        let moved = Envelope { routing_key: format!("{}{{", one.routing_key), body: "}".into(), ..one };

        assert_eq!(verdict(&ours, &moved, &signature), Err(NotAuthentic::Altered));
    }

    #[test]
    fn an_older_key_verifies_and_an_unknown_one_does_not() {
        let (old, new) = (SigningKey::new("k1", &[1; 32]), SigningKey::new("k2", &[2; 32]));
        let before = envelope().signature(&authentication(vec![old.clone()]).keyring).unwrap();
        let both = authentication(vec![new, old]);

        assert_eq!(verdict(&both, &envelope(), &before), Ok(()));
        assert!(envelope().signature(&both.keyring).unwrap().starts_with("k2 "));
        let others = authentication(vec![SigningKey::new("k1", &[9; 32])]);
        assert_eq!(verdict(&others, &envelope(), &before), Err(NotAuthentic::Altered));
        let none = authentication(vec![]);
        assert_eq!(verdict(&none, &envelope(), &before), Err(NotAuthentic::UnknownKey));
        assert_eq!(envelope().signature(&none.keyring), None);
        assert_eq!(verdict(&both, &envelope(), ""), Err(NotAuthentic::UnknownKey));
    }

    #[test]
    fn a_message_without_a_signature_is_believed_only_during_an_upgrade() {
        let ours = authentication(vec![SigningKey::new("k1", &[1; 32])]);
        let upgrading = Authentication { unsigned: Unsigned::Accepted, ..ours.clone() };
        let verdict = |of: &Authentication| envelope().verify(of, "modelday.data.ready.v1", None);

        assert_eq!(verdict(&ours), Err(NotAuthentic::Unsigned));
        assert_eq!(verdict(&upgrading), Ok(()));
    }

    #[test]
    fn a_source_speaks_only_for_its_own_types() {
        let ours = authentication(vec![SigningKey::new("k1", &[1; 32])]);
        let forged = Envelope { source: "/modelday/executor".into(), ..envelope() };
        let signature = forged.signature(&ours.keyring).unwrap();

        let refused = verdict(&ours, &forged, &signature).unwrap_err().to_string();

        assert_eq!(
            refused,
            r#""/modelday/executor" does not send messages of type "modelday.data.ready.v1""#
        );
    }

    #[test]
    fn no_secret_is_shown() {
        let keyring = Keyring::default();
        keyring.replace(vec![SigningKey::new("k1", &[0xab; 32])]);

        assert_eq!(
            format!("{keyring:?}"),
            r#"Keyring(RwLock { data: Keys([SigningKey { id: "k1", .. }]), poisoned: false, .. })"#
        );
    }
}
