//! `POST /admin/reload/sources`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use runtime::audit;
use runtime::http::{Caller, Problem};
use runtime::reloaded::{Changes, ReloadedFile};
use runtime::settings::Mistake;
use serde::Serialize;
use utoipa::ToSchema;

use super::state::Api;
use crate::source_list::ReloadError;

/// What reading the sources again has changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReloadedSources {
    files: Vec<SourcesFile>,
}

/// What reading the file of sources again has changed.
#[derive(Serialize, ToSchema)]
struct SourcesFile {
    /// The file, as its setting names it.
    file: String,
    /// `source`.
    kind: &'static str,
    /// Whether it was taken. Nothing is taken of a file with a mistake.
    taken: bool,
    added: Vec<String>,
    /// `order` and `hand_over` are among them when these changed.
    changed: Vec<String>,
    removed: Vec<String>,
    /// How many sources are as they were.
    unchanged: usize,
    mistakes: Vec<SourceMistake>,
}

/// A mistake in the file.
#[derive(Serialize, ToSchema)]
struct SourceMistake {
    key: String,
    problem: String,
    /// What to do about it.
    fix: String,
}

/// Read the file of sources again.
///
/// What has changed in it counts from the next job on, and so do keys in the file of `KEYS_FILE`. Variables of the
/// environment are those that the process has from its start.
#[utoipa::path(post, path = "/admin/reload/sources", operation_id = "reload_sources", tag = "prices",
    security(("token" = ["operate"])), responses(
    (status = 200, description = "What has changed; or the file's mistakes, and then nothing of it was taken.",
        body = ReloadedSources),
))]
pub(crate) async fn reload(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> Result<Json<ReloadedSources>, Problem> {
    let reloaded = api.sources.reload().await.map_err(|problem| match problem {
        ReloadError::Storage(problem) => problem.into(),
        ReloadError::Client(_) => Problem::internal(&problem),
    })?;
    audit::record(&caller, "reloaded", "the sources of prices");
    reloaded.log(|action, subject| audit::record(&caller, action, subject));
    Ok(Json(ReloadedSources { files: vec![reloaded.into()] }))
}

impl SourceMistake {
    /// With its place when that is another file, such as the one of keys.
    fn in_file(Mistake { place, key, problem, fix }: Mistake, file: &str) -> Self {
        let is_here = place == file || !place.contains(['/', '.']);
        let key = if is_here { key } else { format!("{key} of {place}") };
        Self { key, problem, fix }
    }
}

impl From<ReloadedFile> for SourcesFile {
    fn from(ReloadedFile { file, kind, taken }: ReloadedFile) -> Self {
        let is_taken = taken.is_ok();
        let (changes, mistakes) = match taken {
            Ok(changes) => (changes, Vec::new()),
            Err(mistakes) => (Changes::default(), mistakes),
        };
        let Changes { added, changed, removed, unchanged } = changes;
        let mistakes = mistakes.into_iter();
        let mistakes = mistakes.map(|one| SourceMistake::in_file(one, &file)).collect();
        Self { file, kind, taken: is_taken, added, changed, removed, unchanged, mistakes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_another_file_says_in_which() {
        let mistake = |place: &str| Mistake {
            place: place.to_owned(),
            key: "line 4".to_owned(),
            problem: "is not NAME=value".to_owned(),
            fix: "write NAME='value'".to_owned(),
        };

        let key = |place: &str| SourceMistake::in_file(mistake(place), "configs/sources.toml").key;

        assert_eq!(key("/home/me/.env"), "line 4 of /home/me/.env");
        assert_eq!(
            (key("configs/sources.toml"), key("environment")),
            ("line 4".to_owned(), "line 4".to_owned())
        );
    }
}
