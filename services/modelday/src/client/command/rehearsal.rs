//! `modelday try`: one day of an agent by hand, with every call and every answer as they were sent.

mod lines;

use std::fmt::Write as _;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};

use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::{print, print_json};
use lines::{Call, Diagnosis, Ended, Line};

/// The longest line, in MiB: a request and an answer.
const MAX_LINE_MIB: usize = 16;

/// What to try.
#[derive(Args)]
pub(crate) struct TryArguments {
    /// The model, of kind llm or http.
    model: String,
    /// The day, YYYY-MM-DD: a session whose prices are stored.
    #[arg(long)]
    date: String,
    /// What may be traded, separated by commas; without it the default universe.
    #[arg(long, value_delimiter = ',', conflicts_with = "universe")]
    symbols: Vec<String>,
    /// The universe that may be traded, by its name.
    #[arg(long, value_name = "NAME")]
    universe: Option<String>,
    /// Begin from the model's portfolio in this experiment, as it was before the day; without it, from the model's cash.
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// The portfolio's trial.
    #[arg(long, value_name = "NUMBER", requires = "experiment")]
    trial: Option<u32>,
    /// Show every request whole; without it only the first, since the others repeat the conversation.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Tries the day. Something wrong with an answer makes the exit code 1.
pub(super) async fn main(arguments: &TryArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let mut body = Map::from_iter([("date".to_owned(), json!(arguments.date))]);
    if !arguments.symbols.is_empty() {
        let symbols = arguments.symbols.iter().map(|symbol| symbol.trim().to_uppercase());
        body.insert("symbols".to_owned(), symbols.collect());
    }
    let texts = [("universe", &arguments.universe), ("experiment", &arguments.experiment)];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
        body.insert(name.to_owned(), json!(text));
    }
    if let Some(trial) = arguments.trial {
        body.insert("trial".to_owned(), json!(trial));
    }
    let mut response = api.open_post(&["models", &arguments.model, "try"], &Value::Object(body)).await?;
    let mut rest = Vec::new();
    let mut exit = None;
    while let Some(bytes) = api.chunk(&mut response).await? {
        rest.extend_from_slice(&bytes);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if !line.trim().is_empty() {
                exit = show(&line, arguments)?.or(exit);
            }
        }
        if rest.len() > MAX_LINE_MIB << 20 {
            return Err(api.too_large(MAX_LINE_MIB).into());
        }
    }
    exit.context("the try broke off; the log of the executor knows why")
}

/// Shows a line; answers the exit code with the last one.
fn show(text: &str, arguments: &TryArguments) -> anyhow::Result<Option<Exit>> {
    let line: Line = serde_json::from_str(text).context("the answer is not what this version expects")?;
    if arguments.format.json {
        print_json(text)?;
    } else {
        print(&shown(&line, arguments.full))?;
    }
    Ok(match line {
        Line::Ended(ended) if ended.completes && ended.faults == 0 => Some(Exit::Done),
        Line::Ended(_) => Some(Exit::Failed),
        Line::Began { .. } | Line::Call(_) | Line::Tool { .. } => None,
    })
}

fn shown(line: &Line, full: bool) -> String {
    let mut text = String::new();
    match line {
        Line::Began { model, kind, date, url, symbols, cash, holdings, after } => {
            let _ = writeln!(text, "{model} ({kind}) on {date}: {symbols} symbols, {cash} dollars, {url}");
            if let Some(after) = after {
                let held: Vec<String> =
                    holdings.iter().map(|(symbol, count)| format!("{count} {symbol}")).collect();
                let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
                let _ = writeln!(text, "It holds {held}, as after {after}.");
            }
        }
        Line::Call(call) => text.push_str(&call_text(call, full)),
        Line::Tool { name, arguments, result, diagnosis, .. } => {
            let _ = writeln!(text, "  {name} {arguments}\n    = {result}");
            text.push_str(&diagnosis_text(diagnosis.as_ref()));
        }
        Line::Ended(ended) => text.push_str(&ended_text(ended)),
    }
    text
}

fn call_text(call: &Call, full: bool) -> String {
    let Call { step, request, answer, milliseconds, class, .. } = call;
    let mut text = format!("\n{step} > {} {}\n", request.method, request.url);
    if full || *step == 1 {
        for (name, value) in &request.headers {
            let _ = writeln!(text, "    {name}: {value}");
        }
        let _ = writeln!(text, "    {}", request.body);
    } else {
        let _ = writeln!(text, "    {} bytes: the conversation so far (--full shows it)", request.bytes);
    }
    let _ = write!(text, "{step} < ");
    match answer {
        Some(answer) => {
            let _ = write!(text, "{} {class} in {milliseconds} ms", answer.status);
            text.push_str(&usage_text(call));
            text.push('\n');
            for (name, value) in &answer.headers {
                let _ = writeln!(text, "    {name}: {value}");
            }
            let _ = writeln!(text, "    {}", answer.body.trim_end());
        }
        None => {
            let _ = writeln!(text, "no answer: {class} after {milliseconds} ms");
        }
    }
    text.push_str(&diagnosis_text(call.diagnosis.as_ref()));
    text
}

fn usage_text(call: &Call) -> String {
    let mut text = String::new();
    let tokens = |name: &str| call.usage.as_ref().and_then(|usage| usage.get(name)?.as_u64());
    if let (Some(prompt), Some(completion)) = (tokens("prompt"), tokens("completion")) {
        let _ = write!(text, ", {prompt} + {completion} tokens");
    }
    if let Some(cost) = &call.cost {
        let _ = write!(text, ", {cost} dollars");
    }
    text
}

fn diagnosis_text(diagnosis: Option<&Diagnosis>) -> String {
    let Some(Diagnosis { problem, expected, fix }) = diagnosis else { return String::new() };
    let mut text = format!("  ! {problem}\n");
    for (title, words) in [("expected", expected), ("fix", fix)] {
        if !words.is_empty() {
            let _ = writeln!(text, "    {title}: {words}");
        }
    }
    text
}

fn ended_text(ended: &Ended) -> String {
    let mut text = format!("\n{}\n", ended.summary);
    if let Some(error) = &ended.error {
        let _ = writeln!(text, "The day would fail, and change nothing: {error}");
    }
    if let Some(value) = &ended.value_at_open {
        let _ = writeln!(text, "Value at the open: {value}.");
    }
    let _ = match ended.faults {
        0 if ended.completes => writeln!(text, "Nothing is wrong. Nothing was stored."),
        0 | 1 => writeln!(text, "1 thing is wrong. Nothing was stored."),
        faults => writeln!(text, "{faults} things are wrong. Nothing was stored."),
    };
    text
}
