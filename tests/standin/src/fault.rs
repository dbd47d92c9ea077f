//! What can go wrong with one symbol's answer.

use std::fmt;
use std::str::FromStr;

/// A scripted fault, by the name the command line and the control endpoint use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Status 500.
    ServerError,
    /// Status 503.
    Unavailable,
    /// No answer as long as the client waits.
    Hang,
    /// The connection ends in the middle of the body.
    Cut,
    /// Half a body, but a whole answer.
    Truncated,
    /// A body that never ends.
    Endless,
    /// A good series of another symbol.
    WrongSymbol,
    /// A gateway's page instead of JSON.
    Html,
    /// JSON of another shape.
    Malformed,
    /// `{}`.
    Empty,
    /// A Saturday and a day to come are added, the newest row has a zero price, the next a high below its low.
    BadRows,
    /// The newest day twice, with different prices.
    DuplicateDate,
    /// The symbol does not exist.
    Unknown,
    /// "Spread out your requests".
    Throttled,
    /// The day's calls are used up.
    Quota,
    /// The key is refused.
    InvalidKey,
}

const NAMES: [(&str, Fault); 16] = [
    ("500", Fault::ServerError),
    ("503", Fault::Unavailable),
    ("hang", Fault::Hang),
    ("cut", Fault::Cut),
    ("truncated", Fault::Truncated),
    ("endless", Fault::Endless),
    ("wrong-symbol", Fault::WrongSymbol),
    ("html", Fault::Html),
    ("malformed", Fault::Malformed),
    ("empty", Fault::Empty),
    ("bad-rows", Fault::BadRows),
    ("duplicate-date", Fault::DuplicateDate),
    ("unknown", Fault::Unknown),
    ("throttled", Fault::Throttled),
    ("quota", Fault::Quota),
    ("invalid-key", Fault::InvalidKey),
];

/// A text names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{mode:?} is no fault; there are {}", NAMES.map(|(name, _)| name).join(", "))]
pub struct FaultError {
    mode: String,
}

impl FaultError {
    fn of(mode: &str) -> Self {
        Self { mode: mode.to_owned() }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, fault)| *fault)
            .ok_or_else(|| FaultError::of(text))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, fault)| fault == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl Fault {
    /// For the next `answers` answers only.
    pub fn times(self, answers: u32) -> Scripted {
        Scripted { fault: self, left: Some(answers) }
    }
}

/// A fault with the number of answers it still spoils; a plain [`Fault`] spoils all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scripted {
    pub(crate) fault: Fault,
    pub(crate) left: Option<u32>,
}

impl From<Fault> for Scripted {
    fn from(fault: Fault) -> Self {
        Self { fault, left: None }
    }
}

/// `mode`, or `mode*n` for the first `n` answers only.
impl FromStr for Scripted {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((name, answers)) = text.split_once('*') else {
            return Ok(text.parse::<Fault>()?.into());
        };
        let answers = answers.parse().map_err(|_| FaultError::of(text))?;
        Ok(name.parse::<Fault>()?.times(answers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_back_from_its_name() {
        for (name, fault) in NAMES {
            assert_eq!((name.parse(), fault.to_string().as_str()), (Ok(fault), name));
        }
    }

    #[test]
    fn a_fault_can_be_limited_to_the_first_answers() {
        assert_eq!("503*2".parse(), Ok(Fault::Unavailable.times(2)));
        assert_eq!("503".parse(), Ok(Scripted::from(Fault::Unavailable)));
        assert!("503*x".parse::<Scripted>().is_err() && "504".parse::<Scripted>().is_err());
    }
}
