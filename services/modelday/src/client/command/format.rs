//! `--json`: the response itself instead of tables.

use clap::Args;
use serde::de::DeserializeOwned;

use crate::client::http::ResponseBody;
use crate::terminal::output::{print_json, print_line};

/// How a response is shown.
#[derive(Args, Clone, Copy)]
pub(super) struct Format {
    /// Print JSON for scripts instead of tables.
    #[arg(long)]
    pub(super) json: bool,
}

impl Format {
    /// With `--json`, prints the body and returns `None`; otherwise returns it deserialized, for a table.
    pub(super) fn unless_json<T: DeserializeOwned>(self, body: &ResponseBody) -> anyhow::Result<Option<T>> {
        if self.json {
            print_json(&body.text)?;
            return Ok(None);
        }
        Ok(Some(body.deserialize()?))
    }
    /// Prints the id of a new job, or with `--json` the body that has it.
    pub(super) fn id_or_json(self, id: &str, body: &ResponseBody) -> std::io::Result<()> {
        if self.json { print_json(&body.text) } else { print_line(id) }
    }
}
