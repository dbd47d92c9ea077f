//! Settings: from the environment, else from the file of keys, else from the settings file, else the default. All mistakes
//! are reported together.

mod names;
mod secrets;
mod variables_file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use names::NAMES;
use secrets::{Secrets, may_be_secret};

/// The place of a setting that no file has.
const ENVIRONMENT: &str = "environment";

/// The settings of a process. Keys are upper case in the environment and lower case in the file.
#[derive(Debug, Default)]
pub struct Settings {
    environment: BTreeMap<String, String>,
    /// What `KEYS_FILE` adds to the environment.
    keys: Option<(PathBuf, BTreeMap<String, String>)>,
    file: Option<(PathBuf, toml::Table)>,
    known: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

/// One invalid setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was read: `environment`, or the file's path.
    pub place: String,
    /// The key as it is written there.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

/// All invalid settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} setting(s) cannot be used:", self.0.len())?;
        for Mistake { place, key, problem, fix } in &self.0 {
            write!(f, "\n  {key} ({place}): {problem}; {fix}")?;
        }
        Ok(())
    }
}

impl Settings {
    /// Loads the environment, the file that `MODELDAY_CONFIG` names, or `configs/modelday.toml` if it exists, and the file
    /// that `KEYS_FILE` names.
    pub fn load() -> Self {
        let mut settings = Self::without_keys();
        settings.read_keys();
        settings
    }

    fn without_keys() -> Self {
        let environment: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = environment.get("MODELDAY_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let default = PathBuf::from("configs/modelday.toml");
        let path = named.or_else(|| default.exists().then_some(default));
        match path {
            None => Self::new(environment, None),
            Some(path) => match std::fs::read_to_string(&path) {
                Ok(text) => Self::new(environment, Some((path, text))),
                Err(error) => {
                    let mut settings = Self::new(environment, None);
                    settings.mistake(
                        ENVIRONMENT,
                        "MODELDAY_CONFIG",
                        format!("{} cannot be read: {error}", path.display()),
                        "name a file that exists, or leave it out",
                    );
                    settings
                }
            },
        }
    }

    /// Adds the variables of the file that `KEYS_FILE` names.
    fn read_keys(&mut self) {
        let Some(path) = self.keys_file() else { return };
        match std::fs::read_to_string(&path) {
            Ok(text) => match variables_file::parse(&text) {
                Ok(variables) => self.keys = Some((path, variables)),
                Err(variables_file::InvalidLine { line, problem }) => {
                    let place = path.display().to_string();
                    let fix = "write NAME='value'";
                    self.mistake(&place, &format!("line {line}"), problem.to_owned(), fix);
                }
            },
            Err(error) => {
                let problem = format!("{} cannot be read: {error}", path.display());
                self.invalid("KEYS_FILE", problem, "name a file that exists, or leave it out");
            }
        }
    }

    /// The file that `KEYS_FILE` names.
    pub fn keys_file(&mut self) -> Option<PathBuf> {
        self.text("KEYS_FILE").map(PathBuf::from)
    }

    /// Settings of `environment` and of a file, given as its path and text.
    pub fn new(environment: BTreeMap<String, String>, file: Option<(PathBuf, String)>) -> Self {
        let mut settings = Self { environment, ..Self::default() };
        if let Some((path, text)) = file {
            match from_toml(&text) {
                Ok(table) => settings.file = Some((path, table)),
                Err(TomlError { line, problem }) => {
                    let place = path.display().to_string();
                    settings.mistake(&place, &line, problem, "write the file as TOML");
                }
            }
        }
        settings
    }

    /// The text of a setting; `None` when it is absent or empty.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.found(key).map(|(_, text)| text)
    }

    /// The text of a required setting. `None` when it is absent, which is noted as a mistake.
    pub fn required(&mut self, key: &str, fix: &str) -> Option<String> {
        let text = self.text(key);
        if text.is_none() {
            self.mistake(ENVIRONMENT, key, "is not set".to_owned(), fix);
        }
        text
    }

    /// A setting parsed as `T`. An invalid one is noted as a mistake, with `fix` as what to do about it.
    pub fn parsed<T>(&mut self, key: &str, default: T, fix: &str) -> T
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some((place, text)) = self.found(key) else { return default };
        match text.trim().parse() {
            Ok(value) => value,
            Err(error) => {
                let problem = match may_be_secret(key) {
                    true => error.to_string(),
                    false => format!("{text:?}: {error}"),
                };
                self.mistake(&place, key, problem, fix);
                default
            }
        }
    }

    /// A setting that is true or false.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        let Some((place, text)) = self.found(key) else { return default };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                self.mistake(
                    &place,
                    key,
                    format!("{text:?} is neither true nor false"),
                    "write true or false",
                );
                default
            }
        }
    }

    /// Notes the value of a setting as invalid, where it was read.
    pub fn invalid(&mut self, key: &str, problem: String, fix: &str) {
        let place = self.place(key);
        self.mistake(&place, key, problem, fix);
    }

    /// Notes a mistake that is not in the value of a setting.
    pub fn mistake(&mut self, place: &str, key: &str, problem: String, fix: &str) {
        let (place, key, fix) = (place.to_owned(), key.to_owned(), fix.to_owned());
        let mistake = Mistake { place, key, problem, fix };
        // Services in one process read the same settings.
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }

    /// Where a setting was read.
    fn place(&self, key: &str) -> String {
        if let Some((place, _)) = self.variable_with_place(key) {
            return place;
        }
        match &self.file {
            Some((path, table)) if table.contains_key(&key.to_lowercase()) => path.display().to_string(),
            _ => ENVIRONMENT.to_owned(),
        }
    }

    /// Returns what was read, which is `None` only when a mistake was noted.
    ///
    /// # Errors
    /// All mistakes, unknown keys of the file included.
    pub fn finish<T>(&mut self, read: Option<T>) -> Result<T, Mistakes> {
        if let Some((path, table)) = &self.file {
            let place = path.display().to_string();
            let unknown: Vec<String> = table.keys().filter(|key| !self.knows(key)).cloned().collect();
            for key in unknown {
                self.mistake(&place, &key, "is not a setting".to_owned(), "correct its name or remove it");
            }
        }
        let mut mistakes = std::mem::take(&mut self.mistakes);
        let secrets = self.secrets();
        for mistake in &mut mistakes {
            mistake.problem = secrets.hide(&mistake.problem);
        }
        read.filter(|_| mistakes.is_empty()).ok_or(Mistakes(mistakes))
    }

    /// The values of settings that may hold a secret. Such a setting's mistakes should not repeat them; this is for those
    /// that do, as the errors of a library may.
    fn secrets(&self) -> Secrets {
        let of_keys = self.keys.iter().flat_map(|(_, variables)| variables);
        let of_environment =
            self.environment.iter().chain(of_keys).map(|(key, text)| (key.as_str(), text.as_str()));
        let of_file = self.file.iter().flat_map(|(_, table)| table);
        let of_file = of_file.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        Secrets::of(of_environment.chain(of_file).filter(|(key, _)| may_be_secret(key)).map(|(_, text)| text))
    }

    /// A variable of the environment, or else of the file of keys; `None` when it is absent or empty.
    pub fn variable(&self, key: &str) -> Option<&str> {
        let of_keys = || self.keys.as_ref().and_then(|(_, variables)| value(variables, key));
        value(&self.environment, key).or_else(of_keys)
    }

    fn variable_with_place(&self, key: &str) -> Option<(String, String)> {
        let text = self.variable(key)?.to_owned();
        let place = match &self.keys {
            Some((path, _)) if value(&self.environment, key).is_none() => path.display().to_string(),
            _ => ENVIRONMENT.to_owned(),
        };
        Some((place, text))
    }

    fn knows(&self, key: &str) -> bool {
        self.known.contains(key) || NAMES.contains(&key)
    }

    fn found(&mut self, key: &str) -> Option<(String, String)> {
        let lower = key.to_lowercase();
        self.known.insert(lower.clone());
        if let Some(found) = self.variable_with_place(key) {
            return Some(found);
        }
        let (path, table) = self.file.as_ref()?;
        let text = match table.get(&lower)? {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if text.is_empty() {
            return None;
        }
        Some((path.display().to_string(), text))
    }
}

/// The value of a variable that is not empty.
fn value<'v>(variables: &'v BTreeMap<String, String>, key: &str) -> Option<&'v str> {
    variables.get(key).map(String::as_str).filter(|text| !text.is_empty())
}

/// Why a text is not TOML, or not of the expected form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomlError {
    /// The line, such as `line 3`.
    pub line: String,
    /// What is wrong there.
    pub problem: String,
}

/// Parses TOML.
///
/// # Errors
/// The first error, with its line.
pub fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = format!("line {}", before.matches('\n').count() + 1);
        TomlError { line, problem: error.message().to_owned() }
    })
}

#[cfg(test)]
mod tests;
