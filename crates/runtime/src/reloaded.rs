//! What reading a file again has changed, by the names of its entries.

use crate::settings::Mistake;

/// What became of the entries of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that are new.
    pub added: Vec<String>,
    /// Those that are other than they were.
    pub changed: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
    /// How many are as they were.
    pub unchanged: usize,
}

/// A file that was read again.
#[derive(Debug)]
pub struct ReloadedFile {
    /// The file, as its setting names it.
    pub file: String,
    /// What its entries are.
    pub kind: &'static str,
    /// What has changed; or the mistakes of a file of which nothing was taken.
    pub taken: Result<Changes, Vec<Mistake>>,
}

impl ReloadedFile {
    /// Writes what changed to the log, and each change of an entry to `audit`.
    pub fn log(&self, audit: impl Fn(&'static str, &str)) {
        let Self { file, kind, taken } = self;
        match taken {
            Err(mistakes) => {
                for Mistake { key, problem, fix, .. } in mistakes {
                    tracing::error!("nothing of {file} was taken: {key} {problem}; {fix}");
                }
            }
            Ok(Changes { added, changed, removed, .. }) => {
                for (word, names) in [("added", added), ("changed", changed), ("removed", removed)] {
                    names.iter().for_each(|name| audit(word, &format!("{kind} {name}, from {file}")));
                }
            }
        }
    }
}
