//! How the database names sources, and which symbols they may hand over to each other.

use serde::Deserialize;

/// A source that may be asked: its provider, which its bars name, and its call quota, which its refusals name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceName {
    pub(crate) provider: &'static str,
    pub(crate) quota: String,
}

/// Which symbols another source may be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HandOver {
    /// Those without stored bars. The others stay with the source of their bars.
    #[default]
    NewSymbols,
    /// All of them.
    AllSymbols,
}

/// The sources in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceNames {
    /// In order of preference.
    pub(crate) names: Vec<SourceName>,
    pub(crate) hand_over: HandOver,
}
