//! The programs under test, built once for each test program, by the same cargo and in the same profile.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The path of a program of this workspace.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(build).join(name)
}

/// Runs `modelday` with these arguments and without any setting.
pub fn modelday(arguments: &[&str]) -> Output {
    Command::new(binary("modelday")).args(arguments).env_clear().output().expect("modelday runs")
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("the test program has a path");
    // A test is in target/<profile>/deps, a benchmark in target/<profile>, like the programs.
    let mut folder = test.parent().expect("a program is in a folder").to_owned();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let target = folder.parent().expect("target/<profile>");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet", "--bins"]);
    for package in ["modelday", "trigger", "downloader", "executor", "status"] {
        cargo.args(["-p", package]);
    }
    let profile = folder.file_name().and_then(|name| name.to_str()).expect("the folder of a profile");
    // The folder of the profile `dev` has another name.
    cargo.args(["--profile", if profile == "debug" { "dev" } else { profile }]);
    // Cargo sets variables about the package of the test. With them, cargo would build the programs again.
    let is_of_package = |name: &str| name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_");
    for (name, _) in std::env::vars().filter(|(name, _)| is_of_package(name)) {
        cargo.env_remove(name);
    }
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let built = cargo.current_dir(workspace).env("CARGO_TARGET_DIR", target).status().expect("cargo runs");
    assert!(built.success(), "the programs under test do not build");
    folder
}
