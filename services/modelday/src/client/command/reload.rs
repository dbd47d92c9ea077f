//! `modelday reload`: the servers read their files of keys, of models, of the universe and of sources of prices again.

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, ApiError, Connection};
use crate::terminal::output::{note, print_json, print_line};

/// How to show what has changed.
#[derive(Args)]
pub(crate) struct ReloadArguments {
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct Reloaded {
    files: Vec<ReloadedFile>,
}

/// The same, as it came.
#[derive(Deserialize)]
struct Files {
    files: Vec<Value>,
}

#[derive(Deserialize)]
struct ReloadedFile {
    file: String,
    kind: String,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
    unchanged: usize,
    #[serde(default)]
    covered: Vec<String>,
    mistakes: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    key: String,
    problem: String,
    fix: String,
}

/// Reads the files again. A file with a mistake is a refused request, although the others are taken.
pub(super) async fn main(arguments: &ReloadArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let mut files: Vec<Value> = Vec::new();
    // Keys first: which models are ready depends on them.
    let paths: [(&[&str], &str); 3] = [
        (&["admin", "reload", "keys"], "keys of endpoints"),
        (&["admin", "reload"], "models"),
        (&["admin", "reload", "sources"], "sources of prices"),
    ];
    for (path, what) in paths {
        match api.post(path, None, None).await {
            Ok(body) => files.extend(body.deserialize::<Files>()?.files),
            // Each is another service's, which may be at another address.
            Err(ApiError::Problem(problem)) if problem.status == 404 && path.len() > 2 => {
                note(&format!("{} has no {what}", api.display_url()));
            }
            Err(problem) => return Err(problem.into()),
        }
    }
    let all = json!({ "files": files });
    let reloaded: Reloaded = serde_json::from_value(all.clone())?;
    if arguments.format.json {
        print_json(&all.to_string())?;
    } else {
        for line in reloaded.files.iter().flat_map(ReloadedFile::lines) {
            print_line(&line)?;
        }
    }
    let all_taken = reloaded.files.iter().all(|file| file.mistakes.is_empty());
    Ok(if all_taken { Exit::Done } else { Exit::Refused })
}

impl ReloadedFile {
    fn lines(&self) -> Vec<String> {
        let Self { file, kind, added, changed, removed, unchanged, covered, mistakes } = self;
        if !mistakes.is_empty() {
            let wrong =
                mistakes.iter().map(|Mistake { key, problem, fix }| format!("  {key} {problem}; {fix}"));
            return std::iter::once(format!("{file}: nothing was taken")).chain(wrong).collect();
        }
        let each = |word: &str, names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("  {word} {kind} {name}")).collect()
        };
        let covered = covered.iter().map(|name| {
            format!("  {kind} {name} does not count: the API has stored another one, until `modelday {kind}s delete {name}`")
        });
        let mut lines = vec![format!("{file}: {unchanged} unchanged")];
        lines.extend(each("added", added));
        lines.extend(each("changed", changed));
        lines.extend(each("removed", removed));
        lines.extend(covered);
        lines
    }
}
