//! API tokens. The configuration holds only their SHA-256 digests. A token has 256 random bits, so its digest needs no
//! salt and no slow hash function.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Days, NaiveTime, SecondsFormat, Utc};
use domain::values::date::parse_date;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Scope;

/// Prefix of every token, by which scanners recognise leaked secrets.
const PREFIX: &str = "mdt_";
/// What stands for callers without a token; no token may have this name.
pub const ANONYMOUS: &str = "anonymous";
/// How many tokens may have one name: the one that is rotated out, and the one that replaces it.
const MAX_OF_ONE_NAME: usize = 2;

/// A configured token: its name, its scopes, its digest and its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    name: Arc<str>,
    scopes: BTreeSet<Scope>,
    digest: [u8; 32],
    expires: Option<Expiry>,
}

/// When a token ceases to be valid: at an instant, or with the end of a date in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry(DateTime<Utc>);

/// A text that is no [`Expiry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a date such as 2027-06-30, or an instant such as 2027-06-30T12:00:00Z")]
pub struct InvalidExpiry;

/// The configured tokens.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

/// What is known about the token that a request presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// It is valid.
    Valid(&'a Token),
    /// It was valid until then.
    Expired(&'a Token, Expiry),
    /// No such token is configured.
    Unknown,
}

/// Why an entry of `API_TOKENS` is invalid. Entries are counted from 1; the message repeats nothing of them, since they may
/// hold a secret by mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It does not have three or four parts, or no digest.
    #[error("entry {0} is not NAME:SCOPE+SCOPE:SHA256, with the digest as 64 hexadecimal digits")]
    Shape(usize),
    /// Its name is not one, or is reserved.
    #[error(
        "entry {0} has no usable name: 1 to 100 letters, digits, `.`, `_` or `-`, other than `anonymous`, and not \
         beginning like a token"
    )]
    Name(usize),
    /// A scope is unknown.
    #[error("entry {0} has an unknown scope; a scope is read, trigger or operate")]
    Scope(usize),
    /// Its end is neither a date nor an instant.
    #[error("entry {0} has an invalid expiry; write a date such as 2027-06-30 after a fourth colon")]
    Expiry(usize),
    /// Two entries before it have the same name.
    #[error("entry {0} has the same name as two entries before it; two may have it while a token is rotated")]
    Repeated(usize),
}

impl Token {
    /// The token's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the token has `scope`.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    fn read(entry: &str, place: usize) -> Result<Self, InvalidToken> {
        let mut parts = entry.splitn(4, ':');
        let (Some(name), Some(scopes), Some(digest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidToken::Shape(place));
        };
        let digest = digest_of(digest).ok_or(InvalidToken::Shape(place))?;
        if !is_name(name) {
            return Err(InvalidToken::Name(place));
        }
        let scopes: Result<_, _> = scopes.split('+').map(str::parse).collect();
        let scopes = scopes.map_err(|_| InvalidToken::Scope(place))?;
        let expires = parts.next().map(str::parse).transpose().map_err(|_| InvalidToken::Expiry(place))?;
        Ok(Self { name: name.into(), scopes, digest, expires })
    }
}

/// Whether `text` may name a token.
pub fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_text = (1..=100).contains(&text.len()) && text.chars().all(allowed);
    is_text && text != ANONYMOUS && !text.starts_with(PREFIX)
}

impl FromStr for Expiry {
    type Err = InvalidExpiry;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(instant.to_utc()));
        }
        let end =
            parse_date(text).and_then(|date| date.checked_add_days(Days::new(1))).ok_or(InvalidExpiry)?;
        Ok(Self(end.and_time(NaiveTime::MIN).and_utc()))
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Tokens {
    /// Whether no token is configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What is known about the token that a request presents at `now`. The time that it takes does not depend on the
    /// result, so that it reveals nothing about the tokens.
    pub fn find(&self, presented: &str, now: DateTime<Utc>) -> Found<'_> {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let found = self.0.iter().fold(None, |found, token| {
            if bool::from(token.digest.ct_eq(&digest)) { Some(token) } else { found }
        });
        match found.map(|token| (token, token.expires)) {
            None => Found::Unknown,
            Some((token, Some(expires))) if expires.0 <= now => Found::Expired(token, expires),
            Some((token, _)) => Found::Valid(token),
        }
    }

    /// These and `others`, whose entries are counted after these.
    ///
    /// # Errors
    /// When more than two have one name.
    pub fn and(&self, others: &Self) -> Result<Self, InvalidToken> {
        Self::of(self.0.iter().chain(&others.0).cloned().map(Ok))
    }

    fn of(entries: impl Iterator<Item = Result<Token, InvalidToken>>) -> Result<Self, InvalidToken> {
        let mut tokens: Vec<Token> = Vec::new();
        for (token, place) in entries.zip(1..) {
            let token = token?;
            if tokens.iter().filter(|known| known.name == token.name).count() >= MAX_OF_ONE_NAME {
                return Err(InvalidToken::Repeated(place));
            }
            tokens.push(token);
        }
        Ok(Self(tokens))
    }
}

/// Entries are separated by white space; the rest of a line after `#` is a comment.
impl FromStr for Tokens {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let entries = lines.flat_map(str::split_whitespace).zip(1..);
        Self::of(entries.map(|(entry, place)| Token::read(entry, place)))
    }
}

/// Generates a token from 32 random bytes. Returns the secret, which its owner sends, and the entry for `API_TOKENS`.
/// `expires` is an [`Expiry`] as its user wrote it.
pub fn generate(
    name: &str,
    scopes: &BTreeSet<Scope>,
    expires: Option<&str>,
    random: [u8; 32],
) -> (String, String) {
    let secret = format!("{PREFIX}{}", hex(&random));
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let expires = expires.map(|expires| format!(":{expires}")).unwrap_or_default();
    let entry = format!("{name}:{}:{}{expires}", scopes.join("+"), hex(&Sha256::digest(&secret)));
    (secret, entry)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn digest_of(hex: &str) -> Option<[u8; 32]> {
    let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes =
        is_hex.then(|| (0..32).map(|place| u8::from_str_radix(&hex[2 * place..2 * place + 2], 16)))?;
    bytes.collect::<Result<Vec<u8>, _>>().ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
