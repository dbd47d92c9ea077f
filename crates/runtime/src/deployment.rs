//! The deployment: for production or for development, as the API shows it.

use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::settings::Settings;

/// The mode of a deployment: whether it may use paid services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Models at their own endpoints.
    #[default]
    Prod,
    /// Models with paid endpoints are replaced by scripted ones, and the database is separate.
    Dev,
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_uppercase().as_str() {
            "PROD" => Ok(Self::Prod),
            "DEV" => Ok(Self::Dev),
            _ => Err("is neither PROD nor DEV".to_owned()),
        }
    }
}

/// The deployment's mode, as fields that responses end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deployment {
    /// `PROD` or `DEV`.
    pub deployment_mode: &'static str,
    /// Whether the mode is `DEV`.
    pub is_dev_mode: bool,
    /// In `DEV`: whether data are kept over a restart. Null in `PROD`.
    pub preserve_dev_data: Option<bool>,
}

impl Deployment {
    /// Reads `DEPLOYMENT_MODE` and `PRESERVE_DEV_DATA`.
    pub fn from_settings(settings: &mut Settings) -> Self {
        let mode = settings.parsed("DEPLOYMENT_MODE", Mode::Prod, "write PROD or DEV");
        let preserve = settings.flag("PRESERVE_DEV_DATA", false);
        Self::new(mode, preserve)
    }

    /// `preserve` counts in `DEV` only.
    pub fn new(mode: Mode, preserve: bool) -> Self {
        match mode {
            Mode::Prod => Self { deployment_mode: "PROD", is_dev_mode: false, preserve_dev_data: None },
            Mode::Dev => {
                Self { deployment_mode: "DEV", is_dev_mode: true, preserve_dev_data: Some(preserve) }
            }
        }
    }
}
