//! Identities of jobs, portfolios, lanes and model-days. Callers make the ids.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// One job, for its whole life and in every service.
    JobId
}
id! {
    /// One portfolio: (experiment, model, trial).
    PortfolioId
}
id! {
    /// The ordered chain of one portfolio's days in one job.
    LaneId
}

/// Identity of one model-day: one model (and trial) on one session in one job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelDayKey {
    /// The job that runs it.
    pub job: JobId,
    /// The experiment of its portfolio.
    pub experiment: String,
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
    /// The session.
    pub date: NaiveDate,
}
