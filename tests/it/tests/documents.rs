//! The documents: links and names lead to something that exists, and commands are tested or marked as transcripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

use std::path::{Path, PathBuf};

#[test]
fn relative_links_lead_to_files_that_exist() {
    for (path, text) in documents() {
        let folder = path.parent().unwrap().to_owned();
        for link in links(&text) {
            let file = link.split('#').next().unwrap();
            assert!(
                file.is_empty() || folder.join(file).exists(),
                "{} links to {link}, which does not exist",
                path.display()
            );
        }
    }
}

#[test]
fn anchors_of_links_are_headings_of_their_documents() {
    let documents = documents();
    let mut anchors = 0;
    for (path, text) in &documents {
        for link in links(text) {
            let Some((file, anchor)) = link.split_once('#') else { continue };
            let target = path.parent().unwrap().join(file);
            let target = if file.is_empty() { path.clone() } else { target.canonicalize().unwrap_or(target) };
            let Some((_, found)) = documents.iter().find(|(path, _)| *path == target) else { continue };
            anchors += 1;
            assert!(
                headings(found).contains(&anchor.to_owned()),
                "{} links to {link}, which is no heading",
                path.display()
            );
        }
    }
    assert!(anchors > 20, "{anchors} links have anchors");
}

/// `e2e/readme.rs` runs those of the README; `deploy/backup.rs` and `chaos/servers.rs` run those of `docs/deploy.md`. A
/// block that no test runs is a transcript, `console`.
#[test]
fn only_documents_whose_commands_are_tested_have_commands_to_copy() {
    let tested = [root().join("README.md"), root().join("docs/deploy.md")];
    for (path, text) in documents() {
        let shell = languages(&text).into_iter().find(|language| ["sh", "bash", "shell"].contains(language));
        assert!(
            shell.is_none() || tested.contains(&path),
            "{} has a block of {}; no test runs it, so make it `console`",
            path.display(),
            shell.unwrap_or_default()
        );
    }
}

/// Field case `dc-sampling`: users look for these keys, and find them nowhere else.
#[test]
fn every_key_of_sampling_is_described_with_an_example_for_common_providers() {
    let text = std::fs::read_to_string(root().join("docs/agents.md")).unwrap();
    let code = std::fs::read_to_string(root().join("crates/domain/src/agent/settings.rs")).unwrap();
    let (_, after) = code.split_once("pub struct Sampling {").unwrap();
    let (fields, _) = after.split_once("\n}").unwrap();
    let keys: Vec<&str> =
        fields.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next()).collect();

    assert_eq!(keys.len(), 5, "{keys:?}");
    for key in keys {
        assert!(text.contains(&format!("`{key}`")), "docs/agents.md does not describe {key}");
    }
    for example in
        ["reasoning_effort", "budget_tokens", "enable_thinking", "random_seed", "chat_template_kwargs"]
    {
        assert!(text.contains(example), "docs/agents.md has no example of {example}");
    }
}

/// A name that the API does not have is `undefined` in the browser, and looks like a value that is not known.
#[test]
fn the_leaderboard_of_the_board_reads_what_the_api_has() {
    let read = |file| std::fs::read_to_string(root().join("services/status/dashboard").join(file)).unwrap();
    let code = ["leaderboard.js", "standings.js"].map(read).concat();
    let api = std::fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let after =
        |mark: &'static str| code.split(mark).skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap());
    let names: Vec<&str> = after("row.").chain(after("row.usage?.")).chain(after("board.")).collect();

    assert!(names.contains(&"cost") && names.len() > 10, "{names:?}");
    for name in names.iter().filter(|name| !["map", "rows", "csv", ""].contains(name)) {
        assert!(api.contains(&format!("\"{name}\": {{")), "the API has no {name}");
    }
}

/// An invariant whose test was renamed or removed would look tested.
#[test]
fn the_architecture_names_tests_that_are_there() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let sources = files(".rs");

    let names: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| {
            code.split('_').count() > 4 && code.chars().all(|c| c == '_' || c.is_ascii_lowercase())
        })
        .collect();

    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let function = format!("fn {name}(");
        assert!(sources.iter().any(|(_, code)| code.contains(&function)), "there is no test {name}");
    }
}

/// Every Markdown file of the repository.
fn documents() -> Vec<(PathBuf, String)> {
    let found = files(".md");
    assert!(found.len() > 10 && found.iter().any(|(path, _)| *path == root().join("README.md")));
    found
}

/// Every file of the repository with that suffix, and its text.
fn files(suffix: &str) -> Vec<(PathBuf, String)> {
    let paths = walk(&root(), suffix);
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn walk(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(walk(&path, suffix));
        } else if name.ends_with(suffix) {
            found.push(path);
        }
    }
    found
}

/// The targets of links into the repository, except in code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1)).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// The anchors that GitHub gives to headings; of equal ones, the later ones have a number.
fn headings(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.split("```").step_by(2).flat_map(str::lines).filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let same = found.iter().filter(|other| **other == anchor).count();
        found.push(if same == 0 { anchor } else { format!("{anchor}-{same}") });
    }
    found
}

/// The languages of the fenced blocks.
fn languages(text: &str) -> Vec<&str> {
    text.split("```").skip(1).step_by(2).filter_map(|block| block.lines().next()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
