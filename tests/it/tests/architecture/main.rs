//! Who may import whom. The rules are those of `docs/architecture.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use imports::{Package, circles};

/// The workspace's own packages with what each may depend on.
const MAY_IMPORT: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("contract", &["domain"]),
    ("messaging", &[]),
    ("storage", &["domain"]),
    ("runtime", &["storage", "messaging", "contract", "domain"]),
    ("trigger", &["runtime", "storage", "messaging", "contract", "domain"]),
    ("downloader", &["runtime", "storage", "messaging", "contract", "domain"]),
    ("executor", &["runtime", "storage", "messaging", "contract", "domain"]),
    ("status", &["runtime", "storage", "messaging", "contract", "domain"]),
    (
        "modelday",
        &[
            "trigger",
            "downloader",
            "executor",
            "status",
            "runtime",
            "storage",
            "messaging",
            "contract",
            "domain",
        ],
    ),
];

/// Packages that do I/O, read a clock or draw random numbers: `domain` must not reach them.
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "sqlx", "lapin", "axum", "tracing", "opentelemetry", "getrandom", "rand"];

/// Heavy dependencies, and the packages that may use them.
const HEAVY: [(&str, &[&str]); 5] = [
    ("lapin", &["messaging"]),
    ("sqlx", &["storage"]),
    ("prost", &["contract"]),
    // The one serves the tools on a pipe, the other over HTTP.
    ("rmcp", &["modelday", "executor"]),
    // Tables are written as files by the one, files of prices are read by the other, and the third archives jobs.
    ("parquet", &["status", "downloader", "modelday"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        // Only what this platform needs is on the machine.
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Normal dependencies of each workspace package by name.
fn dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["source"].is_null())
        .map(|package| {
            let normal =
                package["dependencies"].as_array().unwrap().iter().filter(|dep| dep["kind"].is_null());
            let names = normal.map(|dep| dep["name"].as_str().unwrap().to_owned()).collect();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

#[test]
fn every_package_imports_only_what_it_may() {
    let dependencies = dependencies(&metadata());
    let ours: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();

    for (name, allowed) in MAY_IMPORT {
        let imports = dependencies.get(name).unwrap_or_else(|| panic!("package {name} is missing"));
        for import in imports.iter().filter(|import| ours.contains(import.as_str())) {
            assert!(allowed.contains(&import.as_str()), "{name} imports {import}, which it may not");
        }
    }
}

#[test]
fn a_heavy_dependency_has_its_home() {
    let dependencies = dependencies(&metadata());

    for (heavy, homes) in HEAVY {
        for (name, imports) in &dependencies {
            let is_test = name == "it" || name == "standin" || name.starts_with("test-");
            assert!(
                homes.contains(&name.as_str()) || is_test || !imports.contains(heavy),
                "{name} depends on {heavy}; only {} may",
                homes.join(" and ")
            );
        }
    }
}

#[test]
fn the_domain_reaches_nothing_that_does_io_reads_a_clock_or_draws_random_numbers() {
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let name_of = |id: &str| {
        let packages = metadata["packages"].as_array().unwrap();
        packages.iter().find(|package| package["id"] == id).unwrap()["name"].as_str().unwrap().to_owned()
    };
    let domain = nodes.iter().find(|node| name_of(node["id"].as_str().unwrap()) == "domain").unwrap();
    let normal = domain["deps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dep| dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null()));

    for dependency in normal {
        let name = name_of(dependency["pkg"].as_str().unwrap());
        assert!(!IMPURE.contains(&name.as_str()), "domain depends on {name}");
    }
    // Tests may look at a clock.
    let sources = walk(&root().join("crates/domain/src"));
    for (path, text) in sources.iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        for impure in
            ["Utc::now", "Local::now", "SystemTime::now", "Instant::now", "std::fs", "std::net", "std::env"]
        {
            assert!(!text.contains(impure), "{} uses {impure}", path.display());
        }
    }
}

#[test]
fn source_files_stay_under_four_hundred_lines() {
    for folder in ["crates", "services", "tests", "deploy"] {
        for (path, text) in walk(&root().join(folder)) {
            let lines = text.lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn no_files_import_each_other() {
    let mut found = Vec::new();
    for (name, root_file) in packages() {
        let package = Package::read(&root_file);
        for circle in circles(&package.imports()) {
            let files = circle
                .iter()
                .map(|path| package.file(path).strip_prefix(root()).unwrap().display().to_string());
            found.push(format!("{name}: {}", files.collect::<Vec<_>>().join(" -> ")));
        }
    }
    assert!(found.is_empty(), "files import each other:\n{}", found.join("\n"));
}

#[test]
fn a_room_of_the_domain_imports_only_rooms_of_the_floors_before_it() {
    let lib = root().join("crates/domain/src/lib.rs");
    let floors = floors(&std::fs::read_to_string(&lib).unwrap());
    assert!(floors.len() > 5, "the rooms are not read from lib.rs: {floors:?}");
    let floor =
        |room: &str| floors.iter().position(|floor| floor.iter().any(|of_floor| of_floor == room)).unwrap();
    let package = Package::read(&lib);

    for (file, imports) in package.imports() {
        let Some(room) = file.first() else { continue };
        for import in imports {
            let Some(other) = import.first() else { continue };
            assert!(
                other == room || floor(other) < floor(room),
                "{} imports {}, whose room does not stand before its own",
                package.file(&file).display(),
                package.file(&import).display()
            );
        }
    }
}

/// The rooms on each floor: the modules of `lib.rs`, parted by blank lines.
fn floors(lib: &str) -> Vec<Vec<String>> {
    let room = |line: &str| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned);
    let floor = |lines: &str| lines.lines().filter_map(room).collect::<Vec<_>>();
    lib.split("\n\n").map(floor).filter(|rooms| !rooms.is_empty()).collect()
}

/// The crates and services by name, with the root of their code.
fn packages() -> Vec<(String, PathBuf)> {
    let folders = ["crates", "services"].map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let packages = folders.into_iter().flatten().map(|entry| entry.unwrap().path()).map(|folder| {
        let files = ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file));
        let root_file = files.into_iter().find(|file| file.exists()).unwrap();
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), root_file)
    });
    packages.collect()
}

fn walk(folder: &std::path::Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "sh") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}
