//! The tokens that are valid now: those of a setting, and those of a file that may change while the process runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::{InvalidToken, Tokens};
use crate::file_watch;
use crate::settings::Settings;

/// The tokens of `API_TOKENS` and of the file of `API_TOKENS_FILE`. Clones share them.
#[derive(Debug, Clone)]
pub struct TokenStore {
    fixed: Tokens,
    file: Option<PathBuf>,
    valid: watch::Sender<Arc<Tokens>>,
}

/// Why the file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
enum TokenFileError {
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error(transparent)]
    Entry(#[from] InvalidToken),
}

impl TokenStore {
    /// Reads the settings. Mistakes are noted in `settings`.
    pub fn from_settings(settings: &mut Settings) -> Self {
        let fix = "make entries with `modelday token NAME --scope read`, and separate them by spaces";
        let fixed = settings.parsed("API_TOKENS", Tokens::default(), fix);
        let file = settings.text("API_TOKENS_FILE").map(PathBuf::from);
        let valid = match file.as_deref().map(|file| read(&fixed, file)) {
            None => fixed.clone(),
            Some(Ok(tokens)) => tokens,
            Some(Err(problem)) => {
                let fix =
                    "name a file of entries that `modelday token NAME --scope read` makes, one in each line";
                settings.invalid("API_TOKENS_FILE", problem.to_string(), fix);
                fixed.clone()
            }
        };
        Self { fixed, file, valid: watch::Sender::new(Arc::new(valid)) }
    }

    /// Whether requests need a token. They do too while the file has none, which may be its state in a moment of change.
    pub fn are_required(&self) -> bool {
        !self.fixed.is_empty() || self.file.is_some()
    }

    /// The tokens that are valid now, unless they have expired.
    pub fn valid(&self) -> Arc<Tokens> {
        Arc::clone(&self.valid.borrow())
    }

    /// Reads the file again whenever it changes. A file that cannot be used changes nothing. Never returns.
    pub(crate) async fn renew(&self) {
        let Some(file) = &self.file else { return std::future::pending().await };
        file_watch::watch(std::slice::from_ref(file), || match read(&self.fixed, file) {
            Ok(tokens) => {
                tracing::info!("{} API tokens are valid", tokens.count());
                self.valid.send_replace(Arc::new(tokens));
            }
            Err(problem) => {
                tracing::warn!("the earlier API tokens stay valid: {} {problem}", file.display());
            }
        })
        .await;
    }
}

fn read(fixed: &Tokens, file: &Path) -> Result<Tokens, TokenFileError> {
    let text = std::fs::read_to_string(file)?;
    Ok(fixed.and(&text.parse()?)?)
}
