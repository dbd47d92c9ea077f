//! Faults in the responses for a symbol.

use std::fmt;
use std::str::FromStr;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Status 500.
    ServerError,
    /// Status 503.
    Unavailable,
    /// No response as long as the client waits.
    Hang,
    /// The connection ends in the middle of the body.
    Cut,
    /// Half a body in a complete response.
    Truncated,
    /// A body that never ends.
    Endless,
    /// A correct series of another symbol.
    WrongSymbol,
    /// A gateway's HTML page instead of JSON.
    Html,
    /// JSON of another form.
    Malformed,
    /// `{}`.
    Empty,
    /// A Saturday and a future day are added; the newest row has a price of zero, the next a high below its low.
    BadRows,
    /// The newest day twice, with different prices.
    DuplicateDate,
    /// The symbol does not exist.
    Unknown,
    /// Too many calls a second.
    Throttled,
    /// No calls are left for the day.
    Quota,
    /// The key is refused.
    InvalidKey,
}

/// The names on the command line and at the control endpoint.
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

/// Why a text is no fault.
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
    /// For the next `responses` responses only.
    pub fn times(self, responses: u32) -> ScriptedFault {
        ScriptedFault { fault: self, left: Some(responses) }
    }
}

/// A fault with the number of responses that it still affects; a plain [`Fault`] affects all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScriptedFault {
    pub(crate) fault: Fault,
    pub(crate) left: Option<u32>,
}

impl From<Fault> for ScriptedFault {
    fn from(fault: Fault) -> Self {
        Self { fault, left: None }
    }
}

/// `NAME`, or `NAME*N` for the first N responses only.
impl FromStr for ScriptedFault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((name, responses)) = text.split_once('*') else {
            return Ok(text.parse::<Fault>()?.into());
        };
        let responses = responses.parse().map_err(|_| FaultError::of(text))?;
        Ok(name.parse::<Fault>()?.times(responses))
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
    fn a_fault_can_be_limited_to_the_first_responses() {
        assert_eq!("503*2".parse(), Ok(Fault::Unavailable.times(2)));
        assert_eq!("503".parse(), Ok(ScriptedFault::from(Fault::Unavailable)));
        assert!("503*x".parse::<ScriptedFault>().is_err() && "504".parse::<ScriptedFault>().is_err());
    }
}
