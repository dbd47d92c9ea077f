//! A file that is there whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A file that is being written; until it is kept, it is not there under its name.
pub(super) struct Part {
    path: PathBuf,
    part: PathBuf,
    file: Option<File>,
}

impl Part {
    /// Begins `path`.
    pub(super) fn begin(path: &Path) -> anyhow::Result<Self> {
        let part = PathBuf::from(format!("{}.part", path.display()));
        let file = File::create(&part).with_context(|| format!("creating {}", part.display()))?;
        Ok(Self { path: path.to_owned(), part, file: Some(file) })
    }

    /// Where its content is until then.
    pub(super) fn so_far(&self) -> &Path {
        &self.part
    }

    /// Adds to it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        written.with_context(|| format!("writing {}", self.part.display()))
    }

    /// All of it is on disk.
    pub(super) fn sync(&self) -> anyhow::Result<()> {
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_all);
        synced.with_context(|| format!("writing {}", self.part.display()))
    }

    /// Gives it its name.
    pub(super) fn keep(mut self) -> anyhow::Result<()> {
        self.sync()?;
        self.file = None;
        std::fs::rename(&self.part, &self.path).with_context(|| format!("saving {}", self.path.display()))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What was kept has another name by now.
        let _ = std::fs::remove_file(&self.part);
    }
}
