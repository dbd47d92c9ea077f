//! Models and universes that jobs may name, with all their versions.
//!
//! What the API stores covers what the file has of the same name, until it is removed.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;
use crate::transaction::Transaction;

/// What an entry of the catalogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A model.
    Model,
    /// A universe.
    Universe,
}

impl EntryKind {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Universe => "universe",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        match name {
            "model" => Ok(Self::Model),
            "universe" => Ok(Self::Universe),
            other => {
                let problem = format_args!("{other:?} is no kind of entry");
                Err(StorageError::corrupt("trigger.catalogue_versions", problem))
            }
        }
    }
}

/// Where a version comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The models file or the universe file.
    File,
    /// The API.
    Api,
}

impl Origin {
    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        match name {
            "file" => Ok(Self::File),
            "api" => Ok(Self::Api),
            other => {
                let problem = format_args!("{other:?} is no origin");
                Err(StorageError::corrupt("trigger.catalogue_versions", problem))
            }
        }
    }
}

/// An entry as it is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Its name, which is unique among those of its kind.
    pub name: String,
    /// Its members, as JSON.
    pub definition: String,
    /// The hash of what affects the outcome.
    pub config_hash: String,
}

/// A version of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryVersion {
    /// The entry's name.
    pub name: String,
    /// Counted from 1, over both origins.
    pub version: u32,
    /// Where it comes from.
    pub origin: Origin,
    /// Members and hash; `None` when this version is the removal.
    pub content: Option<(String, String)>,
    /// Who stored it.
    pub changed_by: String,
    /// When it was stored.
    pub changed_at: DateTime<Utc>,
}

/// What storing an entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none of this origin.
    Added,
    /// There was another one.
    Changed,
    /// It was removed.
    Removed,
    /// There was the same already.
    Unchanged,
}

#[derive(FromRow)]
struct VersionColumns {
    name: String,
    version: i32,
    origin: String,
    definition: Option<String>,
    config_hash: Option<String>,
    changed_by: String,
    changed_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct ChangeColumns {
    kind: String,
    #[sqlx(flatten)]
    version: VersionColumns,
}

impl TryFrom<VersionColumns> for EntryVersion {
    type Error = StorageError;

    fn try_from(row: VersionColumns) -> Result<Self> {
        Ok(Self {
            origin: Origin::parse(&row.origin)?,
            name: row.name,
            version: row.version.cast_unsigned(),
            content: row.definition.zip(row.config_hash),
            changed_by: row.changed_by,
            changed_at: row.changed_at,
        })
    }
}

/// The number of the catalogue's state, which every change of it increases.
pub async fn state(pool: &PgPool) -> Result<i64> {
    let (state,) =
        sqlx::query_as("-- catalogue::state\nSELECT coalesce(max(id), 0) FROM trigger.catalogue_versions")
            .fetch_one(pool)
            .await?;
    Ok(state)
}

/// The latest version of each entry of a kind and of each origin, without those that were removed: first the file's in
/// their order, then the API's by name.
pub async fn entries(pool: &PgPool, kind: EntryKind) -> Result<Vec<EntryVersion>> {
    let rows: Vec<VersionColumns> = sqlx::query_as(
        "-- catalogue::entries
        SELECT name, version, origin, definition, config_hash, changed_by, changed_at
        FROM (
            SELECT DISTINCT ON (name, origin) *
            FROM trigger.catalogue_versions
            WHERE kind = $1
            ORDER BY name, origin, version DESC
        ) AS latest
        WHERE definition IS NOT NULL
        ORDER BY origin DESC, position, name",
    )
    .bind(kind.as_str())
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The last `limit` versions of an entry, newest first; none when there never was one of that name.
pub async fn versions(pool: &PgPool, kind: EntryKind, name: &str, limit: u32) -> Result<Vec<EntryVersion>> {
    let rows: Vec<VersionColumns> = sqlx::query_as(
        "-- catalogue::versions
        SELECT name, version, origin, definition, config_hash, changed_by, changed_at
        FROM trigger.catalogue_versions
        WHERE kind = $1 AND name = $2
        ORDER BY version DESC
        LIMIT $3",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The last `limit` changes of all entries, newest first, without their members.
pub async fn changes(pool: &PgPool, limit: i64) -> Result<Vec<(EntryKind, EntryVersion)>> {
    let rows: Vec<ChangeColumns> = sqlx::query_as(
        "-- catalogue::changes
        SELECT kind, name, version, origin, '' AS definition, config_hash, changed_by, changed_at
        FROM trigger.catalogue_versions
        ORDER BY id DESC
        LIMIT $1",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let change = |row: ChangeColumns| Ok((EntryKind::parse(&row.kind)?, row.version.try_into()?));
    rows.into_iter().map(change).collect()
}

/// Stores an entry of the API for `by`.
pub async fn put(pool: &PgPool, kind: EntryKind, entry: &NewEntry, by: &str) -> Result<Change> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let latest = latest(&mut transaction, kind, Some(&entry.name), Origin::Api).await?.pop();
    let change = change(latest.as_ref(), entry);
    if change != Change::Unchanged {
        insert(&mut transaction, kind, Origin::Api, &entry.name, Some((entry, 0)), by).await?;
    }
    transaction.commit().await?;
    Ok(change)
}

/// Removes what the API has stored of an entry. `Unchanged` when it has stored none.
pub async fn remove(pool: &PgPool, kind: EntryKind, name: &str, by: &str) -> Result<Change> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let latest = latest(&mut transaction, kind, Some(name), Origin::Api).await?.pop();
    if latest.is_none_or(|latest| latest.definition.is_none()) {
        return Ok(Change::Unchanged);
    }
    insert(&mut transaction, kind, Origin::Api, name, None, by).await?;
    transaction.commit().await?;
    Ok(Change::Removed)
}

/// Makes `entries` all that the file has of a kind, and returns what became of each name.
pub async fn take_file(
    pool: &PgPool,
    kind: EntryKind,
    entries: &[NewEntry],
    by: &str,
) -> Result<Vec<(String, Change)>> {
    let mut transaction = pool.begin().await?;
    lock(&mut transaction).await?;
    let former = latest(&mut transaction, kind, None, Origin::File).await?;
    let mut changes = Vec::new();
    for (position, entry) in (0_i32..).zip(entries) {
        let known = former.iter().find(|row| row.name == entry.name);
        let change = change(known, entry);
        if change != Change::Unchanged {
            insert(&mut transaction, kind, Origin::File, &entry.name, Some((entry, position)), by).await?;
        } else if known.is_some_and(|known| known.position != position) {
            move_to(&mut transaction, kind, &entry.name, position).await?;
        }
        changes.push((entry.name.clone(), change));
    }
    let is_gone = |row: &&LatestColumns| {
        row.definition.is_some() && !entries.iter().any(|entry| entry.name == row.name)
    };
    for row in former.iter().filter(is_gone) {
        insert(&mut transaction, kind, Origin::File, &row.name, None, by).await?;
        changes.push((row.name.clone(), Change::Removed));
    }
    transaction.commit().await?;
    Ok(changes)
}

#[derive(FromRow)]
struct LatestColumns {
    name: String,
    position: i32,
    definition: Option<String>,
}

fn change(latest: Option<&LatestColumns>, entry: &NewEntry) -> Change {
    match latest.and_then(|row| row.definition.as_ref()) {
        None => Change::Added,
        Some(definition) if *definition == entry.definition => Change::Unchanged,
        Some(_) => Change::Changed,
    }
}

/// Changes of the catalogue happen one after another, so that `id` and `version` grow in the order of the commits.
async fn lock(transaction: &mut Transaction) -> Result<()> {
    sqlx::query("-- catalogue::lock\nSELECT pg_advisory_xact_lock(hashtext('trigger.catalogue_versions'))")
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn latest(
    connection: &mut Connection,
    kind: EntryKind,
    name: Option<&str>,
    origin: Origin,
) -> Result<Vec<LatestColumns>> {
    let rows = sqlx::query_as(
        "-- catalogue::latest
        SELECT DISTINCT ON (name) name, position, definition
        FROM trigger.catalogue_versions
        WHERE kind = $1 AND origin = $2 AND ($3::text IS NULL OR name = $3)
        ORDER BY name, version DESC",
    )
    .bind(kind.as_str())
    .bind(origin.as_str())
    .bind(name)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

async fn insert(
    connection: &mut Connection,
    kind: EntryKind,
    origin: Origin,
    name: &str,
    content: Option<(&NewEntry, i32)>,
    by: &str,
) -> Result<()> {
    sqlx::query(
        "-- catalogue::insert
        INSERT INTO trigger.catalogue_versions
            (kind, name, version, origin, position, definition, config_hash, changed_by)
        SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, $7
        FROM trigger.catalogue_versions
        WHERE kind = $1 AND name = $2",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(origin.as_str())
    .bind(content.map_or(0, |(_, position)| position))
    .bind(content.map(|(entry, _)| &entry.definition))
    .bind(content.map(|(entry, _)| &entry.config_hash))
    .bind(by)
    .execute(connection)
    .await?;
    Ok(())
}

/// The order of the file's entries is no part of their versions.
async fn move_to(connection: &mut Connection, kind: EntryKind, name: &str, position: i32) -> Result<()> {
    sqlx::query(
        "-- catalogue::move_to
        UPDATE trigger.catalogue_versions SET position = $3 WHERE kind = $1 AND name = $2 AND origin = 'file'",
    )
    .bind(kind.as_str())
    .bind(name)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(())
}
