//! Deletes what is not kept for ever: journals of ended attempts, conversations if so configured, and used-up minutes of
//! endpoints.

use runtime::CancellationToken;
use runtime::retention::{PrunedTable, Retention};
use runtime::settings::Settings;
use storage::PgPool;
use storage::execution::{prune_conversations, prune_endpoint_minutes, prune_journal};

const JOURNAL: PrunedTable = PrunedTable { schema: "execution", table: "journal" };
const TRANSCRIPTS: PrunedTable = PrunedTable { schema: "execution", table: "transcripts" };
const MINUTES: PrunedTable = PrunedTable { schema: "execution", table: "endpoint_minutes" };

/// How long the records of agents' days are kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// `RETENTION_JOURNAL`: journals of ended attempts (default for ever).
    pub journal: Retention,
    /// `RETENTION_TRANSCRIPTS`: conversations (default for ever).
    pub transcripts: Retention,
}

impl Default for Kept {
    fn default() -> Self {
        Self { journal: Retention::Forever, transcripts: Retention::Forever }
    }
}

impl Kept {
    /// Reads the settings.
    pub(crate) fn from_settings(settings: &mut Settings) -> Self {
        let Self { journal, transcripts } = Self::default();
        let journal = Retention::from_settings(settings, "RETENTION_JOURNAL", journal);
        let transcripts = Retention::from_settings(settings, "RETENTION_TRANSCRIPTS", transcripts);
        Self { journal, transcripts }
    }
}

/// Describes what is counted.
pub(crate) fn declare() {
    [JOURNAL, TRANSCRIPTS, MINUTES].into_iter().for_each(PrunedTable::declare);
}

/// Deletes old rows until `stop`.
pub(crate) async fn keep_house(pool: PgPool, kept: Kept, stop: CancellationToken) {
    let pool = pool.for_long_statements();
    let journal = JOURNAL.keep_pruning(kept.journal, stop.clone(), |keep| {
        let pool = pool.clone();
        async move { prune_journal(&pool, keep).await }
    });
    let transcripts = TRANSCRIPTS.keep_pruning(kept.transcripts, stop.clone(), |keep| {
        let pool = pool.clone();
        async move { prune_conversations(&pool, keep).await }
    });
    let minutes = MINUTES.keep_pruning(Retention::days(1), stop, |keep| {
        let pool = pool.clone();
        async move { prune_endpoint_minutes(&pool, keep).await }
    });
    tokio::join!(journal, transcripts, minutes);
}
