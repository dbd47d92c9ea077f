//! `docker-compose.yml` is accepted by a real compose tool.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::{printed, root};

#[test]
fn a_real_compose_tool_accepts_the_compose_file() {
    let output = check("docker-compose.yml");

    assert!(output.status.success(), "{}", printed(&output));
}

#[test]
fn a_compose_file_with_an_unknown_key_is_refused() {
    assert_refused("restart: on-failure", "restarts: on-failure", "does not accept");
}

#[test]
fn a_compose_file_in_which_a_service_waits_for_an_unknown_service_is_refused() {
    assert_refused(
        "    depends_on:\n      postgres:",
        "    depends_on:\n      postgresql:",
        "does not accept",
    );
}

#[test]
fn a_compose_file_without_one_of_our_services_is_refused() {
    assert_refused("\n  executor:\n    <<", "\n  executer:\n    <<", "has no service executor");
}

/// An image of the same name may be another one tomorrow, unless its version is exact.
#[test]
fn every_image_has_an_exact_version() {
    let compose = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let file = std::fs::read_to_string(root().join("deploy/Dockerfile")).unwrap();
    let images = compose.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let bases = file.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next());
    // Ours are built, and `base` is a stage of the same file.
    let of_others = images.chain(bases).filter(|image| !image.ends_with(":local") && *image != "base");

    let mut count = 0;
    for image in of_others {
        count += 1;
        let version = image.split_once(':').map_or("", |(_, tag)| tag).trim_start_matches('v');
        let version = version.split(['-', '@']).next().unwrap();
        // PostgreSQL and Debian count their releases with two numbers.
        let numbers = if image.starts_with("postgres:") || image.starts_with("debian:") { 2 } else { 3 };
        let exact = version.split('.').filter(|number| number.parse::<u32>().is_ok()).count() == numbers;
        assert!(exact || image.contains("@sha256:"), "{image} has no exact version");
    }
    assert!(count >= 10, "{count} images");
}

#[test]
fn every_container_has_limits_and_no_password_is_in_the_image() {
    let compose = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let ours = compose.split("\nx-environment:").next().unwrap();
    let services = compose.split("\nservices:\n").nth(1).unwrap().split("\nvolumes:").next().unwrap();
    let ignored = std::fs::read_to_string(root().join(".dockerignore")).unwrap();

    let is_limited = |text: &str| ["mem_limit: ", "pids_limit: "].iter().all(|limit| text.contains(limit));
    assert!(is_limited(ours), "{ours}");
    let mut blocks: Vec<String> = Vec::new();
    for line in services.lines() {
        match blocks.last_mut() {
            Some(block) if line.is_empty() || line.starts_with("   ") || line.starts_with("  #") => {
                block.push_str(line);
                block.push('\n');
            }
            _ => blocks.push(format!("{line}\n")),
        }
    }
    for block in &blocks {
        assert!(block.contains("<<: *service") || is_limited(block), "a container has no limits:\n{block}");
    }
    assert!(blocks.len() >= 12, "{} containers", blocks.len());
    assert!(ignored.lines().any(|line| line == "**/.env"), "{ignored}");
}

/// Docker makes a folder of a file that is not there.
#[test]
fn every_file_that_compose_mounts_is_there() {
    let compose = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let mounts = compose.lines().filter_map(|line| line.split_once("./deploy/")?.1.split_once(":/"));
    let files: Vec<&str> = mounts.map(|(file, _)| file).filter(|file| !file.contains('}')).collect();

    assert!(files.len() > 8, "{files:?}");
    for file in files {
        assert!(root().join("deploy").join(file).exists(), "there is no deploy/{file}");
    }
}

/// A key that compose does not pass on looks like a key that is not set.
#[test]
fn compose_passes_the_keys_of_all_providers_on() {
    let compose = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let code = std::fs::read_to_string(root().join("crates/domain/src/agent/endpoint.rs")).unwrap();
    let of_models = code.lines().filter_map(|line| line.strip_prefix("    (\"")?.split('"').next());
    let of_others =
        ["ALPHAVANTAGE_API_KEY", "ALPHAVANTAGE_PLAN", "TIINGO_API_KEY", "MASSIVE_API_KEY", "SEARCH_API_KEY"];
    let names: Vec<&str> = of_models.chain(of_others).collect();

    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(compose.contains(&format!("      {name}: ${{{name}:-}}\n")), "{name} is not passed on");
    }
}

/// `make run` starts services again whose environment has changed.
#[test]
fn another_key_or_setting_is_another_fingerprint_and_other_variables_are_not() {
    let fingerprint = |variables: &[(&str, &str)]| {
        let mut script = Command::new("bash");
        script.args([
            "-euo",
            "pipefail",
            "-c",
            ". deploy/local/lib.sh; . deploy/local/services.sh; settings",
        ]);
        script.current_dir(root()).env_clear().envs(std::env::vars().filter(|(key, _)| key == "PATH"));
        let output = script.envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = fingerprint(&[]);
    let own = ("ENDPOINT_KEYS", "MINE@llm.example.com");

    assert_eq!(fingerprint(&[]), plain);
    assert_eq!(fingerprint(&[("EDITOR", "vi")]), plain);
    for changed in [("OPENAI_API_KEY", "a"), ("TIINGO_API_KEY", "a"), ("SOURCES_FILE", "Makefile"), own] {
        assert_ne!(fingerprint(&[changed]), plain, "{changed:?}");
    }
    assert_ne!(fingerprint(&[own, ("MINE", "a")]), fingerprint(&[own, ("MINE", "b")]));
}

#[test]
fn without_passwords_compose_says_what_to_run() {
    let tool = String::from_utf8(check("docker-compose.yml").stdout).unwrap();
    let no_passwords = std::env::temp_dir().join(format!("modelday-env-{}", uuid::Uuid::now_v7()));
    std::fs::write(&no_passwords, "").unwrap();
    let mut words = tool.split_whitespace();
    let mut compose = Command::new(words.next().unwrap());
    compose.args(words).arg("--env-file").arg(&no_passwords).args(["-f", "docker-compose.yml", "config"]);
    compose.current_dir(root()).env_clear().envs(std::env::vars().filter(|(key, _)| key == "PATH"));

    let output = compose.output().unwrap();

    std::fs::remove_file(&no_passwords).unwrap();
    let refused = !output.status.success() && printed(&output).contains("run deploy/accounts.sh");
    assert!(refused, "{}", printed(&output));
}

#[test]
fn passwords_that_are_there_stay_and_no_file_with_them_is_open_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::env::temp_dir().join(format!("modelday-accounts-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let (passwords, accounts) = (folder.join("env"), folder.join("accounts"));
    let make = || {
        let mut script = Command::new("deploy/accounts.sh");
        let output = script.args([&passwords, &accounts]).current_dir(root()).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        [read(&passwords), read(&accounts.join("definitions.json"))]
    };

    let first = make();
    let second = make();

    assert_eq!(first, second);
    assert_eq!(std::fs::metadata(&passwords).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!first[1].contains('@'), "every placeholder is filled");
    for line in first[0].lines().filter(|line| line.contains("_PASSWORD=")) {
        let (name, password) = line.split_once('=').unwrap();
        assert_eq!(password.len(), 32, "{name}");
        assert!(!first[1].contains(password), "{name} is in the file of definitions");
        assert_eq!(first[0].matches(password).count(), 1, "{name} is the password of another account too");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Checks that the compose tool refuses the file after one change.
fn assert_refused(from: &str, to: &str, expected: &str) {
    let whole = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let broken = whole.replacen(from, to, 1);
    assert_ne!(broken, whole, "{from:?} is in the file");
    let path = std::env::temp_dir().join(format!("modelday-compose-{}.yml", uuid::Uuid::now_v7()));
    // The files that it names stand beside the original.
    let broken = broken.replace("./deploy/", &format!("{}/deploy/", root().display()));
    std::fs::write(&path, broken).unwrap();

    let output = check(path.to_str().unwrap());

    std::fs::remove_file(&path).unwrap();
    assert!(!output.status.success() && printed(&output).contains(expected), "{to:?}: {}", printed(&output));
}

fn check(file: &str) -> Output {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let output = script(&["install"]);
        assert!(output.status.success(), "{}", printed(&output));
    });
    script(&[file])
}

/// Runs the script without the state folder of the tests' servers, so that the installed tool is kept.
fn script(arguments: &[&str]) -> Output {
    let mut script = Command::new("deploy/local/compose-check.sh");
    script.args(arguments).current_dir(root()).env_remove("MODELDAY_STATE").output().unwrap()
}
