//! The models and universes that jobs may name, as they are at a moment.

use domain::job::Model;
use domain::job::request::{KnownModel, UniverseChoice, ValidationError};
use domain::market::instruments::{Symbol, Universe};
use storage::trigger::catalogue::{EntryVersion, Origin};

use crate::catalogue::{CatalogueMistake, Endpoints, Entry, hash_in_universe};

/// The name of a universe that is a list of symbols in a request.
const UNNAMED: &str = "symbols";

/// The catalogue at a moment.
#[derive(Debug, Default)]
pub(crate) struct Current {
    /// The number of this state.
    pub(crate) state: i64,
    /// Those of the file in their order, then those of the API alone, by name.
    pub(crate) models: Vec<ListedModel>,
    /// The default one first.
    pub(crate) universes: Vec<ListedUniverse>,
}

/// A model that jobs may name.
#[derive(Debug)]
pub(crate) struct ListedModel {
    /// As this deployment runs it.
    pub(crate) entry: Entry,
    pub(crate) version: EntryVersion,
    /// Why this deployment may not run it.
    pub(crate) refusal: Option<CatalogueMistake>,
}

/// A universe that jobs may name.
#[derive(Debug)]
pub(crate) struct ListedUniverse {
    pub(crate) universe: Universe,
    pub(crate) version: EntryVersion,
    /// Whether jobs have it that name none.
    pub(crate) is_default: bool,
}

impl Current {
    /// The state that these versions make up; of one name, what the API has covers what the file has.
    pub(crate) fn of(
        state: i64,
        models: Vec<EntryVersion>,
        universes: Vec<EntryVersion>,
        endpoints: &Endpoints,
    ) -> Self {
        // The universe of the file has the default's name, even when the API has another one of that name.
        let default = universes.iter().find(|version| version.origin == Origin::File);
        let default = default.map(|version| version.name.clone());
        let universes = covered(universes).into_iter().filter_map(|version| {
            let is_default = Some(&version.name) == default.as_ref();
            Some(ListedUniverse { universe: readable(&version, universe_of)?, version, is_default })
        });
        let models = covered(models).into_iter().filter_map(|version| {
            let entry = readable(&version, entry_of)?;
            let (entry, refusal) = endpoints.admitted(entry);
            Some(ListedModel { entry, version, refusal })
        });
        Self { state, models: models.collect(), universes: universes.collect() }
    }

    /// The models that a request may name.
    pub(crate) fn known(&self) -> Vec<KnownModel> {
        let known = |listed: &ListedModel| KnownModel {
            signature: listed.version.name.clone(),
            enabled: listed.entry.enabled,
        };
        self.models.iter().map(known).collect()
    }

    /// The model of that name.
    pub(crate) fn model(&self, signature: &str) -> Option<&ListedModel> {
        self.models.iter().find(|listed| listed.version.name == signature)
    }

    /// The universe of that name.
    pub(crate) fn universe(&self, name: &str) -> Option<&ListedUniverse> {
        self.universes.iter().find(|listed| listed.version.name == name)
    }

    /// The universe of requests that name none.
    pub(crate) fn default_universe(&self) -> Option<&Universe> {
        self.universes.iter().find(|listed| listed.is_default).map(|listed| &listed.universe)
    }

    /// The universe that a request chooses.
    ///
    /// # Errors
    /// When it names one that there is not.
    pub(crate) fn chosen_universe(&self, choice: &UniverseChoice) -> Result<Universe, ValidationError> {
        let unknown = |name: &str| {
            let known: Vec<&str> = self.universes.iter().map(|listed| listed.version.name.as_str()).collect();
            let problem = format!("Unknown universe: {name}. Known universes: {}", known.join(", "));
            ValidationError::value(vec!["body".into(), "universe".into()], problem, name.into())
        };
        match choice {
            UniverseChoice::Default => self.default_universe().cloned().ok_or_else(|| unknown("the default")),
            UniverseChoice::Named(name) => {
                self.universe(name).map(|listed| listed.universe.clone()).ok_or_else(|| unknown(name))
            }
            UniverseChoice::Symbols(symbols) => Ok(Universe {
                name: UNNAMED.to_owned(),
                symbols: symbols.clone(),
                benchmark: self.benchmark(),
            }),
        }
    }

    /// The benchmark of universes that say nothing about theirs.
    pub(crate) fn benchmark(&self) -> Option<Symbol> {
        self.default_universe()?.benchmark.clone()
    }

    /// The hash of a model's configuration in a job over `universe`.
    pub(crate) fn hash_of(&self, model: &Model, universe: &Universe) -> String {
        let same = |default: &Universe| {
            (&default.symbols, &default.benchmark) == (&universe.symbols, &universe.benchmark)
        };
        match self.default_universe() {
            Some(default) if !same(default) => hash_in_universe(&model.config_hash, universe),
            Some(_) | None => model.config_hash.clone(),
        }
    }
}

/// One version of each name: the API's takes the place of the file's.
fn covered(versions: Vec<EntryVersion>) -> Vec<EntryVersion> {
    let mut covered: Vec<EntryVersion> = Vec::new();
    for version in versions {
        match covered.iter_mut().find(|earlier| earlier.name == version.name) {
            Some(earlier) if version.origin == Origin::Api => *earlier = version,
            Some(_) => {}
            None => covered.push(version),
        }
    }
    covered
}

/// What a version defines. One that cannot be read, because another program version wrote it, is left out.
fn readable<T>(version: &EntryVersion, read: impl Fn(&str, &str) -> Result<T, String>) -> Option<T> {
    let (definition, _) = version.content.as_ref()?;
    let read = read(&version.name, definition);
    let report = |problem: &String| {
        tracing::error!(
            "version {} of {} cannot be used: {problem}; put it again",
            version.version,
            version.name
        );
    };
    read.inspect_err(report).ok()
}

fn entry_of(name: &str, definition: &str) -> Result<Entry, String> {
    let members = serde_json::from_str(definition).map_err(|problem| problem.to_string())?;
    Entry::of_members(name, members).map_err(|mistake| format!("{} {}", mistake.key, mistake.problem))
}

fn universe_of(_: &str, definition: &str) -> Result<Universe, String> {
    serde_json::from_str(definition).map_err(|problem| problem.to_string())
}
