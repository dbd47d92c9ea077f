//! `modelday dead-letters`: messages that no service could handle.

use clap::Args;
use serde::Deserialize;

use super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::client::http::Api;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::output::{note, print_line};
use crate::terminal::table::{Table, cell, maybe};

/// Which of them, and what to do with one.
#[derive(Args)]
pub(crate) struct DeadLettersArguments {
    /// Only those in this state: open, replayed, discarded.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Send the message with this number again.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["discard", "state"])]
    replay: Option<u64>,
    /// Give the message with this number up.
    #[arg(long, value_name = "NUMBER", conflicts_with = "state")]
    discard: Option<u64>,
    /// At most this many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Deserialize)]
struct Page {
    dead_letters: Vec<DeadLetter>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct DeadLetter {
    id: u64,
    state: String,
    routing_key: String,
    queue: Option<String>,
    reason: String,
    died_at: String,
    message_id: Option<String>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    trace_url: Option<String>,
}

/// Lists dead letters, or sends one again, or gives one up.
pub(super) async fn main(arguments: &DeadLettersArguments) -> anyhow::Result<Exit> {
    for (action, letter) in [("replay", arguments.replay), ("discard", arguments.discard)] {
        let Some(letter) = letter else { continue };
        let api = Api::new(&arguments.list.connection)?;
        let body = api.post(&["dead-letters", &letter.to_string(), action], None, None).await?;
        if let Some(DeadLetter { state, .. }) = arguments.list.format.unless_json(&body)? {
            print_line(&format!("Dead letter {letter} is {state}."))?;
        }
        return Ok(Exit::Done);
    }
    let query = [("state", arguments.state.clone()), ("limit", Some(arguments.limit.to_string()))];
    let Some(Page { dead_letters, next_cursor }) = arguments.list.get(&["dead-letters"], &query).await?
    else {
        return Ok(Exit::Done);
    };
    if dead_letters.is_empty() && !arguments.list.is_csv() {
        note("There are no such dead letters.");
        return Ok(Exit::Done);
    }
    let columns = [number("Number"), exact("State"), words("Died at"), words("Message"), words("Reason")];
    let mut table = Table::new(columns).with_more([words("Queue"), exact("Message id"), exact("Trace")]);
    for letter in dead_letters {
        table.row([
            cell(letter.id.to_string()),
            cell(letter.state),
            cell(letter.died_at),
            cell(letter.routing_key),
            cell(letter.reason),
            maybe(letter.queue),
            maybe(letter.message_id),
            maybe(letter.trace_url.or(letter.trace_id)),
        ]);
    }
    arguments.list.print(table)?;
    if next_cursor.is_some() {
        note("\nThere are more: raise --limit");
    }
    Ok(Exit::Done)
}
