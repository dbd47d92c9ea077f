//! `modelday init`: from keys to a model that runs. Each key is tried with one call, then the entries are written.

mod answers;
mod files;
mod running;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use executor::EndpointAccess;
use runtime::settings::Settings;
use serde_json::json;
use trigger::catalogue::Catalogue;

use crate::terminal::output::{note, print_line};
pub(crate) use answers::InitArguments;
use answers::{Answers, Key, Kind, LanguageDialect, collect};
use running::{Running, look_for};

/// Asks, tries, writes, and ends with the commands that run the model; or returns the arguments of the one to go on with.
pub(crate) async fn main(arguments: InitArguments) -> anyhow::Result<Option<Vec<String>>> {
    let (folder, connection, is_run) =
        (arguments.folder.clone(), arguments.connection.clone(), arguments.run);
    let (variables_file, models_file) = (folder.join(".env"), folder.join("configs/models.toml"));
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let answers = collect(arguments, &environment)?;
    let entry = entry(&answers);
    check_entry(&answers, &entry, &files::read(&models_file)?)?;

    let variables = variables(&answers, files::variable(&variables_file, "ENDPOINT_KEYS")?);
    let tried = environment.into_iter().chain(variables.iter().cloned()).collect();
    let mut settings = Settings::new(tried, None);
    try_provider(&answers, &mut settings).await?;
    try_model(&answers, &entry, &mut settings).await?;

    let known_key = |key: &Key| files::variable(&variables_file, &key.variable);
    let has_new_source = match &answers.provider {
        Some(key) => known_key(key)?.as_ref() != Some(&key.value),
        None => false,
    };
    files::add_model(&models_file, &entry)?;
    files::set_variables(&variables_file, &variables)?;
    for (what, path) in [
        ("the model", models_file.display().to_string()),
        ("keys and settings, for its owner alone", variables_file.display().to_string()),
    ] {
        note(&format!("Written to {path}: {what}."));
    }
    let Answers { model, start, end, .. } = &answers;
    let symbols: Vec<&str> = answers.symbols.iter().map(|symbol| symbol.as_str()).collect();
    let symbols = symbols.join(",");
    // As it was called, which works from here.
    let program = std::env::args().next().unwrap_or_else(|| "modelday".to_owned());
    let run = format!("run --models {model} --symbols {symbols} --start {start} --end {end}");
    let commands = format!("  {program} try {model} --date {start} --symbols {symbols}\n  {program} {run}");
    match look_for(model, has_new_source, &connection).await? {
        Running::Ready { address } => {
            note(&format!("The Modelday at {address} has taken it."));
            if is_run {
                let words = run.split(' ').map(str::to_owned);
                let to = ["--base-url".to_owned(), address];
                return Ok(Some([program].into_iter().chain(words).chain(to).collect()));
            }
            print_line(&format!("Try a day, and run it:\n\n{commands}"))?;
        }
        Running::NotReady { address, why } => {
            note(&format!("The Modelday at {address} cannot run it as it is: {why}."));
            print_line(&format!(
                "Start it again with the new settings, and run the model:\n\n  make run\n{commands}"
            ))?;
        }
        Running::None => {
            print_line(&format!("Start Modelday, and run the model:\n\n  make run\n{commands}"))?;
        }
    }
    Ok(None)
}

/// The variables to write. `keys` are the `ENDPOINT_KEYS` so far.
fn variables(answers: &Answers, keys: Option<String>) -> Vec<(String, String)> {
    let given = [&answers.provider, &answers.key];
    let of_key = |key: &Key| (key.variable.clone(), key.value.clone());
    let mut variables: Vec<(String, String)> = given.into_iter().flatten().map(of_key).collect();
    if let Some(Key { variable, host: Some(host), .. }) = &answers.key {
        let entry = format!("{variable}@{host}");
        let keys = keys.unwrap_or_default();
        let others = keys.split_whitespace().filter(|other| *other != entry);
        let all: Vec<&str> = others.chain([entry.as_str()]).collect();
        variables.push(("ENDPOINT_KEYS".to_owned(), all.join(" ")));
    }
    variables
}

/// The entry of the models file.
fn entry(answers: &Answers) -> String {
    let Answers { model, url, basemodel, dialect, .. } = answers;
    let quoted = |text: &str| toml_text(text);
    match answers.kind {
        Kind::Http => {
            format!(
                "[[models]]\nsignature = {}\nkind = \"http\"\nenabled = true\nurl = {}\n",
                quoted(model),
                quoted(url)
            )
        }
        Kind::Llm => {
            let dialect = match dialect {
                LanguageDialect::ChatCompletions => "",
                LanguageDialect::Messages => "dialect = \"messages\"\n",
                LanguageDialect::Responses => "dialect = \"responses\"\n",
            };
            let key = answers.key.as_ref().map(|key| format!("api_key_env = {}\n", quoted(&key.variable)));
            format!(
                "[[models]]\nsignature = {}\nkind = \"llm\"\nenabled = true\n{dialect}base_url = {}\n{}basemodel = {}\n",
                quoted(model),
                quoted(url),
                key.unwrap_or_default(),
                quoted(basemodel),
            )
        }
    }
}

/// A text as a string of TOML, which has the escapes of JSON.
fn toml_text(text: &str) -> String {
    json!(text).to_string()
}

/// Whether the models file can take the entry.
fn check_entry(answers: &Answers, entry: &str, file: &str) -> anyhow::Result<()> {
    if let Err(mistakes) = Catalogue::parse(entry, |_| Err("is not read here".to_owned())) {
        let texts: Vec<String> = mistakes
            .iter()
            .map(|mistake| format!("{}: {}; {}", mistake.key, mistake.problem, mistake.fix))
            .collect();
        bail!("{}", texts.join("\n"));
    }
    let is_there = file.lines().any(|line| {
        line.trim().strip_prefix("signature").is_some_and(|rest| {
            rest.trim_start().strip_prefix('=').is_some_and(|value| value.trim() == toml_text(&answers.model))
        })
    });
    ensure!(!is_there, "a model {:?} is in the models file already; choose another --model", answers.model);
    Ok(())
}

/// Calls the provider once, if there is one.
async fn try_provider(answers: &Answers, settings: &mut Settings) -> anyhow::Result<()> {
    let (Some(key), Some(symbol)) = (&answers.provider, answers.symbols.first()) else { return Ok(()) };
    let calendar = runtime::market_clock::calendar(settings);
    let date = session(&calendar, answers)?;
    let bars = downloader::try_source(settings, &key.variable, &calendar, symbol, date).await;
    let bars = bars.map_err(anyhow::Error::msg).context("one call for prices; nothing was written")?;
    note(&format!("Prices: {symbol} has {bars} days at the provider."));
    Ok(())
}

/// Calls the model's endpoint once.
async fn try_model(answers: &Answers, entry: &str, settings: &mut Settings) -> anyhow::Result<()> {
    let catalogue = Catalogue::parse(entry, |_| Err("is not read here".to_owned()));
    let catalogue = catalogue.map_err(|_| anyhow::anyhow!("the entry cannot be read"))?;
    let Some(entry) = catalogue.entries().first() else { bail!("the entry has no model") };
    let calendar = runtime::market_clock::calendar(settings);
    let date = session(&calendar, answers)?;
    let access = EndpointAccess::from_settings(settings, None);
    let answer = executor::try_endpoint(access, &entry.model, &answers.symbols, date, &calendar).await;
    let answer = answer.map_err(anyhow::Error::msg).context("one call of the model; nothing was written")?;
    if let Some(wrong) = answer.diagnosis {
        let expected = if wrong.expected.is_empty() {
            String::new()
        } else {
            format!("\n  expected: {}", wrong.expected)
        };
        bail!(
            "one call of the model; nothing was written: {}{expected}\n  fix: {}",
            wrong.problem,
            wrong.fix
        );
    }
    let tokens =
        answer.tokens.map(|(prompt, said)| format!(", {prompt} + {said} tokens")).unwrap_or_default();
    note(&format!("Model: it answers as it has to, in {} ms{tokens}.", answer.took.as_millis()));
    Ok(())
}

/// The first session of the dates.
fn session(
    calendar: &domain::market::calendar::Calendar,
    answers: &Answers,
) -> anyhow::Result<chrono::NaiveDate> {
    let first = if calendar.is_session(answers.start) {
        Some(answers.start)
    } else {
        calendar.next_session(answers.start)
    };
    first.filter(|date| *date <= answers.end).with_context(|| {
        format!("there is no session of the exchange from {} to {}", answers.start, answers.end)
    })
}
