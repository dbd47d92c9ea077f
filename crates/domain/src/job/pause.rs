//! A pause: what an operator keeps from being used until it is resumed.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// What can be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PauseKind {
    /// A model: its lanes run no further day.
    Model,
    /// A source of prices: it is not called.
    Source,
    /// The queue of a service, one of [`Queue`]: the service begins nothing new.
    Queue,
}

/// The queues that can be paused, by the service that works them off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// Turns of lanes.
    Executor,
    /// Preparations of prices.
    Downloader,
}

/// A text that names no kind of pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what can be paused is a model, a source or a queue; write /pauses/model/NAME, for example")]
pub struct UnknownPauseKind;

/// A pause that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// What is paused.
    pub kind: PauseKind,
    /// Its name.
    pub name: String,
    /// The reason, as it was given.
    pub reason: Option<String>,
    /// Who paused it: the name of an API token, or `anonymous`.
    pub paused_by: String,
    /// Since when.
    pub paused_at: DateTime<Utc>,
}

impl PauseKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Model, Self::Source, Self::Queue];

    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Source => "source",
            Self::Queue => "queue",
        }
    }
}

impl FromStr for PauseKind {
    type Err = UnknownPauseKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownPauseKind)
    }
}

impl fmt::Display for PauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 2] = [Self::Executor, Self::Downloader];

    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Executor => "executor",
            Self::Downloader => "downloader",
        }
    }
}

/// The pause in a sentence without its full stop.
impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, reason, paused_by, paused_at } = self;
        write!(f, "{kind} {name} is paused since {} by {paused_by}", paused_at.format("%Y-%m-%d %H:%M UTC"))?;
        match reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_says_what_since_when_by_whom_and_why() {
        let mut pause = Pause {
            kind: PauseKind::Model,
            name: "gpt-5".to_owned(),
            reason: Some("its endpoint is down".to_owned()),
            paused_by: "ops".to_owned(),
            paused_at: "2026-11-30T21:05:59Z".parse().unwrap(),
        };

        assert_eq!(
            pause.to_string(),
            "model gpt-5 is paused since 2026-11-30 21:05 UTC by ops (its endpoint is down)"
        );
        pause.reason = None;
        assert_eq!(pause.to_string(), "model gpt-5 is paused since 2026-11-30 21:05 UTC by ops");
    }
}
