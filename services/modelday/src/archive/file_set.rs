//! A folder of files, one for each table, that becomes visible when all of it is on the disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use storage::Connection;
use storage::archive::{JOB_TABLES, NamedPortfolio, columns, rows};
use uuid::Uuid;

use super::manifest::{FORMAT, Manifest, PortfolioName, TableEntry, hash};
use super::table_file::TableFile;

/// The end of the folder's name while it is being written.
const PARTIAL: &str = ".partial";

/// Files that are being written.
pub(super) struct FileSet {
    folder: PathBuf,
    finished: PathBuf,
    before: DateTime<Utc>,
    tables: Vec<(TableEntry, TableFile)>,
}

impl FileSet {
    /// Begins a new folder below `to`.
    pub(super) async fn begin(
        connection: &mut Connection,
        to: &Path,
        before: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        let name =
            format!("modelday-{}-{}", before.format("%Y-%m-%d"), Utc::now().format("%Y%m%dT%H%M%S%3fZ"));
        let (folder, finished) = (to.join(format!("{name}{PARTIAL}")), to.join(name));
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut tables = Vec::new();
        for table in JOB_TABLES {
            let columns = columns(connection, &table).await?;
            let columns: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
            let file = format!("{}.parquet", table.name);
            let writer = TableFile::begin(&folder.join(&file), table.name, &columns)?;
            let table = table.name.to_owned();
            let entry = TableEntry { table, file, columns, rows: 0, bytes: 0, sha256: String::new() };
            tables.push((entry, writer));
        }
        Ok(Self { folder, finished, before, tables })
    }

    /// Adds all rows of the jobs; returns how many of each table.
    pub(super) async fn add(
        &mut self,
        connection: &mut Connection,
        jobs: &[Uuid],
    ) -> anyhow::Result<Vec<u64>> {
        let mut written = Vec::with_capacity(self.tables.len());
        for (table, (entry, file)) in JOB_TABLES.iter().zip(&mut self.tables) {
            let added = rows(connection, table, &entry.columns, jobs, |row| file.add(row)).await;
            let added = added.with_context(|| format!("writing {}", entry.file))?;
            entry.rows += added;
            written.push(added);
        }
        Ok(written)
    }

    /// Ends the files, and brings them and the manifest down to the disk; returns the folder.
    pub(super) fn finish(self, jobs: Vec<Uuid>, portfolios: &[NamedPortfolio]) -> anyhow::Result<PathBuf> {
        let mut tables = Vec::new();
        for (mut entry, file) in self.tables {
            file.finish().with_context(|| format!("writing {}", entry.file))?;
            (entry.bytes, entry.sha256) = hash(&self.folder.join(&entry.file))?;
            tables.push(entry);
        }
        let portfolios = portfolios
            .iter()
            .cloned()
            .map(|NamedPortfolio { experiment, model, trial }| PortfolioName { experiment, model, trial });
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            written_at: Utc::now(),
            before: self.before,
            jobs,
            portfolios: portfolios.collect(),
            tables,
        };
        manifest.write(&self.folder)?;
        sync(&self.folder)?;
        fs::rename(&self.folder, &self.finished).context("giving the folder its name")?;
        sync(self.finished.parent().unwrap_or(Path::new(".")))?;
        Ok(self.finished)
    }
}

/// Brings the entries of a folder down to the disk.
fn sync(folder: &Path) -> anyhow::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Ok(File::open(folder)?.sync_all()?)
}
