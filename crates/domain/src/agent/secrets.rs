//! Keeps keys out of texts that are stored or shown.

use std::fmt;

/// Shorter keys would hide ordinary words.
const MIN_KEY: usize = 8;
const REDACTED: &str = "[redacted]";
const MAX_ERROR: usize = 500;
/// First characters of the keys of common endpoints.
const PREFIXES: [&str; 10] = ["sk-", "sk_", "pk-", "rk-", "gsk_", "xai-", "key-", "AIza", "hf_", "jina_"];
const MIN_RANDOM_RUN: usize = 32;

/// The keys in use, to be removed from texts. Its own `Debug` shows none of them.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The keys of endpoints; those under eight characters are ignored.
    pub fn new(keys: impl IntoIterator<Item = String>) -> Self {
        let mut keys: Vec<_> = keys.into_iter().filter(|key| key.len() >= MIN_KEY).collect();
        // Longest first: otherwise the end of a key that begins with another key would stay.
        keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
        Self(keys)
    }

    /// `text` with `[redacted]` in place of every key in use.
    pub fn conceal(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, key| text.replace(key.as_str(), REDACTED))
    }

    /// An error's text that is safe to store: without the keys in use and without words that look like a key, on one
    /// line, about 500 characters or fewer.
    pub fn redact(&self, text: &str) -> String {
        let mut safe = String::new();
        let mut after_scheme = false;
        for piece in self.conceal(text).split_inclusive(|c: char| !in_word(c)) {
            let word = piece.trim_end_matches(|c| !in_word(c));
            let rest = &piece[word.len()..];
            let secret = !word.is_empty() && word != "redacted" && (after_scheme || looks_like_key(word));
            safe.push_str(if secret { REDACTED } else { word });
            safe.extend(rest.chars().map(|c| if c.is_control() { ' ' } else { c }));
            after_scheme = match word.to_ascii_lowercase().as_str() {
                // `Bearer: sk`, `Bearer  sk`: separators alone do not end the scheme.
                "" => after_scheme,
                "bearer" | "basic" => true,
                _ => false,
            };
        }
        super::json::bounded(safe.trim(), MAX_ERROR)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '*' | '…' | '~')
}

/// A known beginning, or a long run of letters and digits together. Ids with dashes stay readable.
fn looks_like_key(word: &str) -> bool {
    let known = PREFIXES.iter().any(|prefix| word.len() > prefix.len() && word.starts_with(prefix));
    let mut runs = word.split(|c: char| !c.is_ascii_alphanumeric());
    let random = runs.any(|run| {
        let has = |test: fn(&u8) -> bool| run.as_bytes().iter().any(test);
        run.len() >= MIN_RANDOM_RUN && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
    });
    known || random
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let secrets = Secrets::new(["correct-horse".to_owned(), "correct-horse-battery".to_owned()]);
        assert_eq!(secrets.redact(text), expected, "{text}");
    }

    #[test]
    fn nothing_that_looks_like_a_key_is_left() {
        check("Incorrect API key provided: sk-proj-abc…XYZ.", "Incorrect API key provided: [redacted]");
        check(
            "header 'Authorization: Bearer abc.def' is wrong",
            "header 'Authorization: Bearer [redacted]' is wrong",
        );
        check("the key correct-horse-battery is bad", "the key [redacted] is bad");
        check("key=0123456789abcdef0123456789abcdef", "key=[redacted]");
        check("AIzaSyA1234", "[redacted]");
    }

    #[test]
    fn what_helps_stays() {
        check("The model `x` does not exist", "The model `x` does not exist");
        check(
            "request 018f3b1e-7b7a-7000-8000-0123456789ab failed",
            "request 018f3b1e-7b7a-7000-8000-0123456789ab failed",
        );
        check("limit 30000,\nused 29000", "limit 30000, used 29000");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(Secrets::default().redact(&"ä ".repeat(5_000)).chars().count(), 501);
    }

    #[test]
    fn keys_are_not_shown_by_their_owner() {
        assert_eq!(format!("{:?}", Secrets::new(["correct-horse".to_owned()])), "Secrets(1)");
    }
}
