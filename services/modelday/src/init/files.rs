//! The entries that `modelday init` writes. What is there already stays.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, ensure};

/// Adds variables to the file of variables at `path`, in place of those of the same names. Only its owner can read it.
pub(super) fn set_variables(path: &Path, variables: &[(String, String)]) -> anyhow::Result<()> {
    let old = read(path)?;
    let is_replaced = |line: &&str| {
        let name = line.trim_start().trim_start_matches("export ").split('=').next().unwrap_or_default();
        !variables.iter().any(|(variable, _)| variable == name.trim())
    };
    let mut text: String = old.lines().filter(is_replaced).map(|line| format!("{line}\n")).collect();
    for (name, value) in variables {
        ensure!(!value.contains(['\'', '\n', '\r']), "{name} has a quote or a line break, which no key has");
        let _ = writeln!(text, "{name}='{value}'");
    }
    // Made readable by its owner alone before anything is in it.
    let mut file = fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("writing {}", path.display()))?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))
}

/// The value of a variable in such a file.
pub(super) fn variable(path: &Path, name: &str) -> anyhow::Result<Option<String>> {
    let text = read(path)?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
    Ok(value.map(|value| value.trim_matches(['\'', '"']).to_owned()))
}

/// Adds an entry at the end of the models file.
pub(super) fn add_model(path: &Path, entry: &str) -> anyhow::Result<()> {
    let old = read(path)?;
    let gap = if old.is_empty() || old.ends_with("\n\n") { "" } else { "\n" };
    let ending = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    write(path, &format!("{old}{ending}{gap}{entry}"))
}

/// The text of a file; empty when there is none.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("reading {}", path.display())),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
