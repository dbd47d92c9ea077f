//! A file that appears under its name only when it is complete.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Writes to `NAME.part` until the file is kept. Dropped before that, it leaves nothing.
pub(super) struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
    file: Option<File>,
}

impl PartialFile {
    /// Creates the file that will be named `path`.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let partial = PathBuf::from(format!("{}.part", path.display()));
        let file = File::create(&partial).with_context(|| format!("creating {}", partial.display()))?;
        Ok(Self { path: path.to_owned(), partial, file: Some(file) })
    }

    /// Where the content is until the file is kept.
    pub(super) fn partial_path(&self) -> &Path {
        &self.partial
    }

    /// Appends `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        written.with_context(|| format!("writing {}", self.partial.display()))
    }

    /// Waits until the content is on disk.
    pub(super) fn sync(&self) -> anyhow::Result<()> {
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_all);
        synced.with_context(|| format!("writing {}", self.partial.display()))
    }

    /// Renames the file to its own name.
    pub(super) fn keep(mut self) -> anyhow::Result<()> {
        self.sync()?;
        self.file = None;
        std::fs::rename(&self.partial, &self.path).with_context(|| format!("saving {}", self.path.display()))
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // A file that was kept has another name: there is nothing to remove.
        let _ = std::fs::remove_file(&self.partial);
    }
}
