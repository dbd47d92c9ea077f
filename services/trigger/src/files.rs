//! The models file and the universe file, with which an installation begins.

use std::path::PathBuf;

use domain::market::instruments::Universe;
use runtime::settings::Settings;

use crate::catalogue::{Catalogue, CatalogueMistake};

/// Where the files are.
#[derive(Debug, Clone)]
pub struct Files {
    /// `MODELS_FILE`.
    pub models: PathBuf,
    /// `UNIVERSE_FILE`.
    pub universe: PathBuf,
}

impl Files {
    /// Reads the settings.
    pub(crate) fn from_settings(settings: &mut Settings) -> Self {
        let models = settings.text("MODELS_FILE").unwrap_or_else(|| "configs/models.toml".to_owned());
        Self { models: models.into(), universe: runtime::universe::file(settings) }
    }

    /// Reads the models.
    ///
    /// # Errors
    /// All mistakes in the file and in those that it names.
    pub(crate) fn models(&self) -> Result<Catalogue, Vec<CatalogueMistake>> {
        Catalogue::load(&self.models)
    }

    /// Reads the universe.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn universe(&self) -> Result<Universe, CatalogueMistake> {
        let mistake = |problem| CatalogueMistake::new("UNIVERSE_FILE", problem, runtime::universe::FIX);
        runtime::universe::read(&self.universe).map_err(mistake)
    }
}
