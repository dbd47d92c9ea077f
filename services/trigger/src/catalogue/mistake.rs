//! A mistake in an entry.

use std::fmt;

/// One mistake in the models file or a file that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueMistake {
    /// The key, such as `models.NAME.trials`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for CatalogueMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, problem, fix } = self;
        write!(f, "{key} {problem}; {fix}")
    }
}

impl CatalogueMistake {
    pub(crate) fn new(key: impl Into<String>, problem: impl ToString, fix: &str) -> Self {
        Self { key: key.into(), problem: problem.to_string(), fix: fix.to_owned() }
    }
}
