//! `POST /admin/reload/keys`.

use axum::Json;
use axum::extract::State;
use runtime::audit;
use runtime::http::{Caller, Problem};
use runtime::reloaded::{Changes, ReloadedFile};
use serde::Serialize;
use utoipa::ToSchema;

use super::state::ApiState;

/// What reading the keys again has changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ReloadedKeys)]
pub(super) struct Answer {
    /// The file of `KEYS_FILE`; none when that is not set.
    files: Vec<KeysFile>,
}

/// What reading the file of keys again has changed, by the names of variables.
#[derive(Serialize, ToSchema)]
struct KeysFile {
    /// The file, as its setting names it.
    file: String,
    /// `key`.
    kind: &'static str,
    /// Whether it was taken. Nothing is taken of a file with a mistake.
    taken: bool,
    added: Vec<String>,
    /// Those with another value, or for other hosts.
    changed: Vec<String>,
    removed: Vec<String>,
    /// How many keys are as they were.
    unchanged: usize,
    mistakes: Vec<KeyMistake>,
}

/// A mistake in the file, or in a setting that names keys.
#[derive(Serialize, ToSchema)]
struct KeyMistake {
    key: String,
    problem: String,
    /// What to do about it.
    fix: String,
}

/// Read the file of keys again.
///
/// Calls of endpoints carry what it has from then on: keys, the hosts that they belong to, and the secrets of agents. The
/// answer names variables and never shows a value.
#[utoipa::path(post, path = "/admin/reload/keys", operation_id = "reload_keys", tag = "models",
    security(("token" = ["operate"])), responses(
    (status = 200, description = "What has changed; or the file's mistakes, and then nothing of it was taken.",
        body = Answer),
))]
pub(super) async fn reload(
    State(ApiState { keys, .. }): State<ApiState>,
    caller: Caller,
) -> Result<Json<Answer>, Problem> {
    let reloaded = keys.reload().await?;
    audit::record(&caller, "reloaded", "the keys of endpoints");
    if let Some(reloaded) = &reloaded {
        reloaded.log(|action, subject| audit::record(&caller, action, subject));
    }
    Ok(Json(Answer { files: reloaded.into_iter().map(Into::into).collect() }))
}

impl From<ReloadedFile> for KeysFile {
    fn from(ReloadedFile { file, kind, taken }: ReloadedFile) -> Self {
        let is_taken = taken.is_ok();
        let (changes, mistakes) = match taken {
            Ok(changes) => (changes, Vec::new()),
            Err(mistakes) => (Changes::default(), mistakes),
        };
        let Changes { added, changed, removed, unchanged } = changes;
        let mistakes = mistakes.into_iter();
        let mistakes = mistakes.map(|one| KeyMistake { key: one.key, problem: one.problem, fix: one.fix });
        let mistakes = mistakes.collect();
        Self { file, kind, taken: is_taken, added, changed, removed, unchanged, mistakes }
    }
}
