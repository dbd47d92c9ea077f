//! A provider's key, and keeping it out of texts.

use std::fmt;

/// What replaces a key.
const HIDDEN: &str = "[redacted]";

/// How many characters of a provider's text are kept.
const MAX_TEXT: usize = 300;

/// Words that providers print before a key.
const KEY_PREFIXES: [&str; 4] = ["api key as ", "apikey=", "authorization: token ", "bearer "];

/// A key. It can be sent with a request, but not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The key itself, for the request and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The beginning of `text`, with the key and everything that looks like a key replaced.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !self.0.is_empty() {
            let mut from = 0;
            while let Some(at) = find_ignoring_case(&text, &self.0, from) {
                text.replace_range(at..at + self.0.len(), HIDDEN);
                from = at + HIDDEN.len();
            }
        }
        for prefix in KEY_PREFIXES {
            let mut from = 0;
            while let Some(at) = find_ignoring_case(&text, prefix, from) {
                let start = at + prefix.len();
                let ends = |c: char| c.is_whitespace() || ",;&\"'()<>".contains(c);
                let end = text[start..].find(ends).map_or(text.len(), |length| start + length);
                text.replace_range(start..end, HIDDEN);
                from = start + HIDDEN.len();
            }
        }
        let cut = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
        text.truncate(cut);
        text
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Where `needle` begins in `text` at or after `from`, ignoring the case of letters.
fn find_ignoring_case(text: &str, needle: &str, from: usize) -> Option<usize> {
    let needle = needle.as_bytes();
    let window = |start: usize| text.as_bytes().get(start..start + needle.len());
    (from..text.len()).find(|start| window(*start).is_some_and(|part| part.eq_ignore_ascii_case(needle)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Secret::from("K3Y9SECRET".to_owned()).redact(text), expected);
    }

    #[test]
    fn a_key_is_taken_out_of_every_text() {
        check("your K3Y9SECRET and k3y9secret", "your [redacted] and [redacted]");
        check("K3Y9SECRET", "[redacted]");
        check("nothing", "nothing");
    }

    #[test]
    fn what_looks_like_a_key_is_taken_out_too() {
        check("detected your API key as ABCDEF and our", "detected your API key as [redacted] and our");
        check("GET /query?apikey=OTHER&x=1", "GET /query?apikey=[redacted]&x=1");
        check("Authorization: Token OTHER", "Authorization: Token [redacted]");
        check("the parameter apikey is invalid", "the parameter apikey is invalid");
    }

    #[test]
    fn a_key_beyond_what_is_kept_does_not_begin_in_what_is_kept() {
        let text = format!("{}K3Y9SECRET", "x".repeat(295));

        let kept = Secret::from("K3Y9SECRET".to_owned()).redact(&text);

        assert!(!kept.contains('K'), "{kept}");
        assert_eq!(kept.len(), 300);
    }

    #[test]
    fn a_key_that_is_part_of_its_own_replacement_does_not_hang() {
        let secret = Secret::from("act".to_owned());

        assert!(secret.redact("exact").len() < 50);
    }

    #[test]
    fn debug_output_has_no_key() {
        assert_eq!(format!("{:?}", Secret::from("K3Y9SECRET".to_owned())), "[redacted]");
    }
}
