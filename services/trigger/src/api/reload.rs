//! `POST /admin/reload`.

use axum::Json;
use axum::extract::State;
use runtime::audit;
use runtime::http::{Caller, Problem};
use serde::Serialize;
use storage::trigger::catalogue::Change;
use utoipa::ToSchema;

use crate::accept::Acceptor;
use crate::catalogue::CatalogueMistake;
use crate::readiness;
use crate::reload::FileReport;

/// What reading the files again has changed.
#[derive(Serialize, ToSchema)]
pub(super) struct Reloaded {
    files: Vec<ReloadedFile>,
}

/// What reading a file again has changed.
#[derive(Serialize, ToSchema)]
struct ReloadedFile {
    /// The file, as its setting names it.
    file: String,
    /// What its entries are: `model` or `universe`.
    kind: &'static str,
    /// Whether it was taken. Nothing is taken of a file with a mistake.
    taken: bool,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
    /// How many entries are as they were.
    unchanged: usize,
    /// Entries that do not count, because the API has stored others of these names.
    covered: Vec<String>,
    mistakes: Vec<Mistake>,
}

/// A mistake in a file.
#[derive(Serialize, ToSchema)]
#[schema(as = FileMistake)]
struct Mistake {
    /// Where, such as `models.NAME.trials` or `line 3`.
    key: String,
    problem: String,
    /// What to do about it.
    fix: String,
}

/// Read the models file and the universe file again.
///
/// What has changed in them counts from the next request on, except where the API has stored an entry of the same name.
/// Which host each key belongs to is read again too, from the file of `KEYS_FILE`; other settings are read only when a
/// process starts.
#[utoipa::path(post, path = "/admin/reload", tag = "models", security(("token" = ["operate"])), responses(
    (status = 200, description = "What has changed, for each file; or its mistakes, and then nothing of it was taken.",
        body = Reloaded),
))]
pub(super) async fn reload(
    State(acceptor): State<Acceptor>,
    caller: Caller,
) -> Result<Json<Reloaded>, Problem> {
    let reports = crate::reload::reload(&acceptor.config.files, &acceptor.catalogue, caller.name()).await?;
    audit::record(&caller, "reloaded", "the models file and the universe file");
    for report in &reports {
        report.record(|action, subject| audit::record(&caller, action, subject));
    }
    readiness::report(&acceptor.catalogue).await?;
    Ok(Json(Reloaded { files: reports.iter().map(Into::into).collect() }))
}

impl From<&FileReport> for ReloadedFile {
    fn from(report: &FileReport) -> Self {
        let mistake = |CatalogueMistake { key, problem, fix }: &CatalogueMistake| Mistake {
            key: key.clone(),
            problem: problem.clone(),
            fix: fix.clone(),
        };
        Self {
            file: report.file.clone(),
            kind: report.kind,
            taken: report.taken.is_ok(),
            added: report.names(Change::Added),
            changed: report.names(Change::Changed),
            removed: report.names(Change::Removed),
            unchanged: report.names(Change::Unchanged).len(),
            covered: report.covered(),
            mistakes: report.taken.as_ref().err().into_iter().flatten().map(mistake).collect(),
        }
    }
}
