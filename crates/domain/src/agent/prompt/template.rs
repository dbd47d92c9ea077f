//! Templates: their placeholders, and how they are filled.

use serde::{Deserialize, Serialize};

/// A message of the model that contains this ends its day.
pub const STOP_TOKEN: &str = "<FINISH_SIGNAL>";
const STANDARD: &str = include_str!("../default_prompt.txt");

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no such placeholder.
    #[error("{{{name}}} is no placeholder; known are {}", Placeholder::names())]
    Unknown {
        /// The name between the braces.
        name: String,
    },
    /// It does not tell the model how to end its day, so the model would need a reminder every day.
    #[error("the prompt does not say {{stop_token}}")]
    NoStopToken,
}

/// A fact that a template can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    Date,
    PreviousSession,
    Positions,
    PreviousCloses,
    Opens,
    StopToken,
    InitialCash,
}

impl Placeholder {
    const ALL: [(&'static str, Self); 7] = [
        ("date", Self::Date),
        ("previous_session", Self::PreviousSession),
        ("positions", Self::Positions),
        ("previous_closes", Self::PreviousCloses),
        ("opens", Self::Opens),
        ("stop_token", Self::StopToken),
        ("initial_cash", Self::InitialCash),
    ];

    fn names() -> String {
        Self::ALL.map(|(name, _)| format!("{{{name}}}")).join(", ")
    }
}

/// A system prompt with placeholders. `{name}` in lower case is one; other braces are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(String);

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut says_how_to_end = text.contains(STOP_TOKEN);
        for piece in pieces(&text) {
            let Piece::Named(name) = piece else { continue };
            match placeholder(name) {
                Some(known) => says_how_to_end |= known == Placeholder::StopToken,
                None => return Err(TemplateError::Unknown { name: name.to_owned() }),
            }
        }
        if says_how_to_end { Ok(Self(text)) } else { Err(TemplateError::NoStopToken) }
    }
}

impl Template {
    /// The template of the program.
    pub(super) fn standard() -> Self {
        Self(STANDARD.to_owned())
    }

    /// The length of the text, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "an empty text is no template")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The text with every placeholder replaced by its `fact`.
    pub(super) fn filled(&self, fact: impl Fn(Placeholder) -> String) -> String {
        let text = pieces(&self.0).map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Named(name) => placeholder(name).map(&fact).unwrap_or_default(),
        });
        text.collect()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.0
    }
}

enum Piece<'a> {
    Text(&'a str),
    Named(&'a str),
}

/// The template cut at its placeholders.
fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let name = |text: &str| text.strip_prefix('{')?.split_once('}').map(|(name, _)| name.len());
        if let Some(length) = name(rest).filter(|length| is_name(&rest[1..=*length])) {
            let named = &rest[1..=length];
            rest = &rest[length + 2..];
            return Some(Piece::Named(named));
        }
        // At least one character: a brace that begins no name is text.
        let length = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(length);
        rest = after;
        Some(Piece::Text(text))
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn placeholder(name: &str) -> Option<Placeholder> {
    Placeholder::ALL.iter().find(|(known, _)| *known == name).map(|(_, placeholder)| *placeholder)
}
