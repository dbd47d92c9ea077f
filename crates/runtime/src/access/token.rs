//! API tokens. The configuration holds only their SHA-256 digests. A token has 256 random bits, so its digest needs no
//! salt and no slow hash function.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Scope;

/// Prefix of every token, by which scanners recognise leaked secrets.
const PREFIX: &str = "mdt_";

/// A configured token: its name, its scopes and its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    name: Arc<str>,
    scopes: BTreeSet<Scope>,
    digest: [u8; 32],
}

/// The configured tokens.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

/// Why an entry of `API_TOKENS` is invalid. The message does not repeat the entry, which may hold a secret by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It does not have three parts, or no digest. Counted from 1.
    #[error("entry {0} is not NAME:SCOPE+SCOPE:SHA256, with the digest as 64 hexadecimal digits")]
    Shape(usize),
    /// A scope is unknown. Counted from 1.
    #[error("entry {0} has an unknown scope; a scope is read, trigger or operate")]
    Scope(usize),
    /// Two entries have the same name.
    #[error("two entries are named {0:?}")]
    Repeated(String),
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
        let parts: Vec<&str> = entry.split(':').collect();
        let [name, scopes, digest] = parts.as_slice() else { return Err(InvalidToken::Shape(place)) };
        let digest = digest_of(digest).ok_or(InvalidToken::Shape(place))?;
        if name.is_empty() {
            return Err(InvalidToken::Shape(place));
        }
        let scopes: Result<_, _> = scopes.split('+').map(str::parse).collect();
        Ok(Self { name: (*name).into(), scopes: scopes.map_err(|_| InvalidToken::Scope(place))?, digest })
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

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    /// The token that a request presents. The time that it takes does not depend on the result, so that it reveals
    /// nothing about the tokens.
    pub fn find(&self, presented: &str) -> Option<&Token> {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.0.iter().fold(
            None,
            |found, token| {
                if bool::from(token.digest.ct_eq(&digest)) { Some(token) } else { found }
            },
        )
    }
}

impl FromStr for Tokens {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut tokens: Vec<Token> = Vec::new();
        for (entry, place) in text.split_whitespace().zip(1..) {
            let token = Token::read(entry, place)?;
            if tokens.iter().any(|known| known.name == token.name) {
                return Err(InvalidToken::Repeated(token.name.to_string()));
            }
            tokens.push(token);
        }
        Ok(Self(tokens))
    }
}

/// Generates a token from 32 random bytes. Returns the secret, which its owner sends, and the entry for `API_TOKENS`.
pub fn generate(name: &str, scopes: &BTreeSet<Scope>, random: [u8; 32]) -> (String, String) {
    let secret = format!("{PREFIX}{}", hex(&random));
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let entry = format!("{name}:{}:{}", scopes.join("+"), hex(&Sha256::digest(&secret)));
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
mod tests {
    use super::*;

    fn scopes(names: &[Scope]) -> BTreeSet<Scope> {
        names.iter().copied().collect()
    }

    #[test]
    fn a_generated_token_is_found_by_its_secret_alone() {
        let (secret, entry) = generate("ci", &scopes(&[Scope::Read, Scope::Trigger]), [7; 32]);
        let (other, other_entry) = generate("ops", &scopes(&[Scope::Operate]), [8; 32]);
        let tokens: Tokens = format!("{entry} {other_entry}").parse().unwrap();

        let found = tokens.find(&secret).unwrap();

        assert_eq!(&**found.name(), "ci");
        assert!(found.allows(Scope::Read) && found.allows(Scope::Trigger) && !found.allows(Scope::Operate));
        assert_eq!(tokens.find(&other).map(|token| token.name().to_string()), Some("ops".to_owned()));
        assert_eq!(tokens.find(&secret[..secret.len() - 1]), None);
        assert_eq!(tokens.find(""), None);
    }

    #[test]
    fn neither_the_entry_nor_the_debug_text_holds_the_secret() {
        let (secret, entry) = generate("ci", &scopes(&[Scope::Read]), [7; 32]);
        let tokens: Tokens = entry.parse().unwrap();

        let digits = secret.trim_start_matches(PREFIX);
        assert!(!entry.contains(digits), "{entry}");
        assert_eq!(format!("{tokens:?}"), r#"[Token { name: "ci", scopes: {Read}, .. }]"#);
    }

    #[test]
    fn invalid_entries_are_named_by_their_place_and_not_repeated() {
        let digest = "0".repeat(64);
        let cases = [
            ("mdt_0123".to_owned(), InvalidToken::Shape(1)),
            (format!("a:read:{digest} b:write:{digest}"), InvalidToken::Scope(2)),
            (format!("a:read:{}", &digest[1..]), InvalidToken::Shape(1)),
            (format!("a:read:{}é", &digest[2..]), InvalidToken::Shape(1)),
            (format!(":read:{digest}"), InvalidToken::Shape(1)),
            (format!("a:read:{digest} a:read:{digest}"), InvalidToken::Repeated("a".to_owned())),
        ];
        for (text, problem) in cases {
            assert_eq!(text.parse::<Tokens>(), Err(problem), "{text}");
        }
        assert!("".parse::<Tokens>().unwrap().is_empty());
    }
}
