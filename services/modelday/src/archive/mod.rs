//! `modelday archive` and `modelday restore`: jobs that leave the database for files, and come back. They use the account
//! of the database's owner, as `migrate` does.

mod choice;
mod file_set;
mod manifest;
mod table_file;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use chrono::{NaiveDate, NaiveTime, Utc};
use clap::Args;
use domain::values::date::required_date;
use storage::archive::{JOB_TABLES, Removal, count_rows, put_back, remove};
use storage::{Connection, PgPool};
use uuid::Uuid;

use self::choice::{Batch, Choice};
use self::file_set::FileSet;
use self::manifest::Manifest;
use self::table_file::read_rows;
use crate::owner_database;
use crate::terminal::output::print_line;

/// Rows that are put back at once.
const ROWS: usize = 1_000;

/// What `modelday archive` is given.
#[derive(Args)]
pub(crate) struct ArchiveArguments {
    /// Jobs that ended before this date (UTC), such as 2026-01-01.
    #[arg(long, value_parser = required_date)]
    before: NaiveDate,
    /// The folder that gets a folder with the files.
    #[arg(long, default_value = "archive")]
    to: PathBuf,
    /// Print what would go; nothing is written or deleted.
    #[arg(long)]
    dry_run: bool,
}

/// What `modelday restore` is given.
#[derive(Args)]
pub(crate) struct RestoreArguments {
    /// The folder that `modelday archive` has made.
    folder: PathBuf,
}

/// Writes old jobs to files, and then deletes them.
pub(crate) async fn archive(arguments: ArchiveArguments) -> anyhow::Result<()> {
    let ArchiveArguments { before, to, dry_run } = arguments;
    let pool = owner().await?;
    let mut connection = locked(&pool).await?;
    let before = before.and_time(NaiveTime::MIN).and_utc();
    ensure!(before <= Utc::now(), "--before is a date that has not come yet");
    let choice = Choice::of(&pool, before).await?;
    print_line(&choice.to_string())?;
    if choice.batches.is_empty() {
        return Ok(());
    }
    if dry_run {
        return print_rows(&mut connection, &choice).await;
    }
    let (folder, written) = write(&mut connection, &choice, &to, before).await?;
    print_line(&format!("Wrote {}.", folder.display()))?;
    let mut stays = 0;
    for (batch, written) in choice.batches.iter().zip(&written) {
        match remove(&pool, &batch.jobs, &batch.portfolios, written).await.context("deleting jobs")? {
            Removal::Removed => {}
            Removal::Changed => stays += batch.jobs.len(),
        }
    }
    print_line(&format!("Deleted {} jobs from the database.", choice.jobs() - stays))?;
    ensure!(stays == 0, "{stays} jobs changed meanwhile and stay; archive them again later");
    Ok(())
}

/// Puts archived jobs back, and builds what status shows of them.
pub(crate) async fn restore(arguments: RestoreArguments) -> anyhow::Result<()> {
    let folder = arguments.folder;
    let manifest = Manifest::read(&folder)?;
    manifest.check(&folder)?;
    let pool = owner().await?;
    let _locked = locked(&pool).await?;
    let mut back = put_back(&pool).await.context("beginning")?;
    for (table, file) in JOB_TABLES.iter().zip(&manifest.tables) {
        let mut rows = Vec::new();
        for row in read_rows(&folder.join(&file.file))? {
            rows.push(row?);
            if rows.len() == ROWS {
                back.insert(table, &file.columns, std::mem::take(&mut rows)).await?;
            }
        }
        if !rows.is_empty() {
            back.insert(table, &file.columns, rows)
                .await
                .with_context(|| format!("filling {}", table.name))?;
        }
    }
    let written: Vec<u64> = manifest.tables.iter().map(|table| table.rows).collect();
    back.finish(&manifest.jobs, &written).await.context("putting the jobs back")?;
    let decode = |kind: &str, body: &str| {
        contract::decode_event(kind, body.as_bytes()).map_err(|problem| problem.to_string())
    };
    for job in &manifest.jobs {
        let rebuilt = storage::status::rebuild(&pool, domain::values::ids::JobId(*job), decode).await;
        rebuilt.with_context(|| format!("building what status shows of job {job}"))?;
    }
    Ok(print_line(&format!("Put {} jobs back.", manifest.jobs.len()))?)
}

/// Writes all rows of the chosen jobs; returns the folder, and how many rows each batch has in each table.
async fn write(
    connection: &mut Connection,
    choice: &Choice,
    to: &Path,
    before: chrono::DateTime<Utc>,
) -> anyhow::Result<(PathBuf, Vec<Vec<u64>>)> {
    let mut files = FileSet::begin(connection, to, before).await?;
    let mut written = Vec::with_capacity(choice.batches.len());
    for Batch { jobs, .. } in &choice.batches {
        written.push(files.add(connection, jobs).await?);
    }
    let jobs: Vec<Uuid> = choice.batches.iter().flat_map(|batch| batch.jobs.iter().copied()).collect();
    Ok((files.finish(jobs, choice.portfolios())?, written))
}

/// Prints how many rows of each table would go.
async fn print_rows(connection: &mut Connection, choice: &Choice) -> anyhow::Result<()> {
    for table in JOB_TABLES {
        let mut rows = 0;
        for batch in &choice.batches {
            rows += count_rows(connection, &table, &batch.jobs).await?;
        }
        print_line(&format!("{:<30} {rows} rows", table.name))?;
    }
    Ok(())
}

/// Connections of the owner of the database.
async fn owner() -> anyhow::Result<PgPool> {
    let url = owner_database::url()?;
    storage::archive::connect(&url).await.context("connecting to Postgres")
}

/// The connection with the lock that lets one process archive at a time.
async fn locked(pool: &PgPool) -> anyhow::Result<Connection> {
    storage::archive::lock(pool).await?.context("another `modelday archive` or `modelday restore` is running")
}
