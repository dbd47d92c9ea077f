//! Signatures of calls, by which a user's own agent tells us from others: the form of Standard Webhooks.

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The fewest bytes of a secret.
const MIN_SECRET_BYTES: usize = 24;

/// The secret that we share with an agent.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SigningSecret(Arc<[u8]>);

/// Why a text is no secret. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not whsec_ and the base64 of {MIN_SECRET_BYTES} bytes or more")]
pub(crate) struct SigningSecretError;

impl FromStr for SigningSecret {
    type Err = SigningSecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.trim().strip_prefix("whsec_").ok_or(SigningSecretError)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SigningSecretError)?;
        if bytes.len() < MIN_SECRET_BYTES { Err(SigningSecretError) } else { Ok(Self(bytes.into())) }
    }
}

impl SigningSecret {
    /// The signature of a call: `id` is the same whenever the call is sent again, `timestamp` is in seconds since 1970.
    fn sign(&self, id: &str, timestamp: i64, body: &str) -> Option<String> {
        // A key of any length is fine for HMAC, so there always is a signature.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// The headers of a call: what it is, when it is sent, and who sends it, if there is a secret. While a secret is replaced
/// there are two, and a signature by each.
pub(crate) fn headers(
    secrets: &[SigningSecret],
    id: &str,
    timestamp: i64,
    body: &str,
) -> Vec<(&'static str, String)> {
    let signatures: Vec<String> =
        secrets.iter().filter_map(|secret| secret.sign(id, timestamp, body)).collect();
    let mut headers = vec![("webhook-id", id.to_owned()), ("webhook-timestamp", timestamp.to_string())];
    if !signatures.is_empty() {
        headers.push(("webhook-signature", signatures.join(" ")));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn signed(secrets: &[&str]) -> Vec<(&'static str, String)> {
        let secrets: Vec<SigningSecret> = secrets.iter().map(|secret| secret.parse().unwrap()).collect();
        headers(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#)
    }

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        assert_eq!(
            signed(&[SECRET]),
            [
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
                ("webhook-timestamp", "1614265330".to_owned()),
                ("webhook-signature", SIGNATURE.to_owned()),
            ]
        );
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(signed(&[other, SECRET])[2].1.ends_with(&format!(" {SIGNATURE}")));
        assert_eq!(signed(&[]).len(), 2, "without a secret there is no signature");
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_not_repeated() {
        for text in ["", "hush", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_hush", "whsec_?", "whsec_AAAA"] {
            let problem = text.parse::<SigningSecret>().err().unwrap().to_string();
            assert_eq!(problem, "is not whsec_ and the base64 of 24 bytes or more", "{text}");
        }
    }
}
