//! `--json`: the response itself instead of tables.

use clap::Args;
use serde::de::DeserializeOwned;

use crate::client::http::ResponseBody;
use crate::terminal::output::print_line;

/// How a response is shown.
#[derive(Args, Clone, Copy)]
pub(super) struct Format {
    /// Print JSON for scripts instead of tables.
    #[arg(long)]
    pub(super) json: bool,
}

impl Format {
    /// With `--json`, prints the body unchanged and returns `None`; otherwise returns it deserialized, for a table.
    pub(super) fn unless_json<T: DeserializeOwned>(self, body: &ResponseBody) -> anyhow::Result<Option<T>> {
        if self.json {
            print_line(&body.text)?;
            return Ok(None);
        }
        Ok(Some(body.deserialize()?))
    }
}
