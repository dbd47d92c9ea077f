//! What a set of files has: counts and hashes.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use storage::archive::JOB_TABLES;
use uuid::Uuid;

/// The version of the format.
pub(super) const FORMAT: &str = "modelday.archive/1";
const NAME: &str = "manifest.json";

/// What a set of files has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: String,
    /// The version of Modelday that wrote it.
    pub(super) version: String,
    pub(super) written_at: DateTime<Utc>,
    /// The jobs ended before this moment.
    pub(super) before: DateTime<Utc>,
    pub(super) jobs: Vec<Uuid>,
    /// The portfolios that went with the jobs.
    pub(super) portfolios: Vec<PortfolioName>,
    /// The tables, in the order in which they can be filled.
    pub(super) tables: Vec<TableEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PortfolioName {
    pub(super) experiment: String,
    pub(super) model: String,
    pub(super) trial: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableEntry {
    /// Schema and name.
    pub(super) table: String,
    pub(super) file: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    /// Writes it into `folder`, down to the disk.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let mut file = File::create(folder.join(NAME)).context("writing the manifest")?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        Ok(file.sync_all()?)
    }

    /// Reads that of a folder.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(NAME);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} cannot be read; name a folder of `modelday archive`", path.display())
        })?;
        let manifest: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is no manifest", path.display()))?;
        let format = &manifest.format;
        ensure!(format == FORMAT, "its format is {format:?}, and this version reads {FORMAT:?}");
        let tables = manifest.tables.iter().map(|table| table.table.as_str());
        ensure!(tables.eq(JOB_TABLES.map(|table| table.name)), "it has other tables than this version knows");
        Ok(manifest)
    }

    /// Checks that the files are whole.
    pub(super) fn check(&self, folder: &Path) -> anyhow::Result<()> {
        for TableEntry { file, sha256, .. } in &self.tables {
            let (_, found) = hash(&folder.join(file))?;
            ensure!(found == *sha256, "{file} is damaged: its hash is not that of the manifest");
        }
        Ok(())
    }
}

/// How many bytes a file has, and the SHA-256 of them in hexadecimal digits.
pub(super) fn hash(path: &Path) -> anyhow::Result<(u64, String)> {
    let mut file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut hasher = Sha256::new();
    let bytes = io::copy(&mut file, &mut hasher)?;
    let digits = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, digits))
}
