//! The setting `UNIVERSE_FILE`, which lists the symbols that may be traded.

use std::path::{Path, PathBuf};

use domain::market::instruments::Universe;

use crate::settings::Settings;

/// What to do about a file that cannot be used.
pub const FIX: &str =
    "write {\"name\": ..., \"benchmark\": ..., \"symbols\": [...]}, or set UNIVERSE_FILE to such a file";

/// The universe of `UNIVERSE_FILE` (default `configs/universes/nasdaq100.json`). `None` when it cannot be used, which is
/// noted in `settings`.
pub fn required(settings: &mut Settings) -> Option<Universe> {
    let file = file(settings);
    match read(&file) {
        Ok(universe) => Some(universe),
        Err(problem) => {
            let place = file.display().to_string();
            settings.mistake(&place, "UNIVERSE_FILE", problem, FIX);
            None
        }
    }
}

/// Where the file is.
pub fn file(settings: &mut Settings) -> PathBuf {
    PathBuf::from(settings.text("UNIVERSE_FILE").unwrap_or("configs/universes/nasdaq100.json".to_owned()))
}

/// Reads a universe.
///
/// # Errors
/// What is wrong with the file.
pub fn read(path: &Path) -> Result<Universe, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let universe: Universe = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let distinct: std::collections::BTreeSet<_> = universe.symbols.iter().collect();
    if universe.symbols.is_empty() || distinct.len() != universe.symbols.len() {
        return Err("has no symbols, or names one twice".to_owned());
    }
    Ok(universe)
}
