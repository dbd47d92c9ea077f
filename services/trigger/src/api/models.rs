//! `GET /models`, and `GET`, `PUT` and `DELETE /models/{signature}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::SecondsFormat;
use domain::job::ModelKind;
use domain::job::request::ValidationError;
use runtime::audit;
use runtime::http::{Caller, Number, Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::trigger::catalogue::{Change, EntryKind};
use utoipa::ToSchema;

use super::model_schema::ModelMembers;
use super::request::json_within;
use super::version::VersionBody;
use crate::accept::Acceptor;
use crate::catalogue::{CatalogueMistake, Entry};
use crate::current::ListedModel;
use crate::readiness::{Keys, why_not_ready};

/// Most MiB of a model's members: recorded decisions may be many.
pub(super) const LIMIT_MIB: usize = 16;

/// A configured model.
#[derive(Serialize, ToSchema)]
struct ModelEntry {
    /// Its name.
    signature: String,
    /// How it decides: `recorded`, `policy`, `llm`, `http` or `mcp`.
    kind: &'static str,
    /// Whether it runs when a request names no models.
    enabled: bool,
    /// Cash before its first day.
    initial_cash: Number,
    /// How many separate portfolios it runs.
    trials: u32,
    /// Last date that its training data may contain; null when that is unknown.
    training_cutoff: Option<String>,
    /// Hash of everything in its configuration that affects the outcome.
    config_hash: String,
    /// Where this version comes from: `file` or `api`.
    origin: &'static str,
    /// The number of this version.
    version: u32,
    /// Whether it can run: its endpoint may be called, and the executor has its key.
    ready: bool,
    /// Why it cannot; absent when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<String>,
}

/// The configured models.
#[derive(Serialize, ToSchema)]
pub(super) struct Models {
    count: usize,
    models: Vec<ModelEntry>,
}

/// A model with its members and versions.
#[derive(Serialize, ToSchema)]
pub(super) struct ModelDetails {
    #[serde(flatten)]
    model: ModelEntry,
    /// Who stored this version: the name of an API token, `anonymous`, `start` or `SIGHUP`.
    changed_by: String,
    #[schema(format = DateTime)]
    changed_at: String,
    /// The members of its entry, with the texts of the files that it names.
    #[schema(value_type = Object)]
    members: Value,
    /// The last 100 versions, newest first.
    versions: Vec<VersionBody>,
}

/// The configured models.
#[utoipa::path(get, path = "/models", tag = "models", security(("token" = ["read"])), responses(
    (status = 200, description = "All of them, enabled or not: those of the models file in its order, then others by name.",
        body = Models),
))]
pub(super) async fn models(State(acceptor): State<Acceptor>) -> Result<Json<Models>, Problem> {
    let current = acceptor.catalogue.current().await?;
    let listed: Vec<_> = current.models.iter().map(|listed| &listed.entry.model).collect();
    let keys = Keys::of_executor(&acceptor.pool, &listed).await?;
    let models: Vec<ModelEntry> = current.models.iter().map(|listed| ModelEntry::of(listed, &keys)).collect();
    Ok(Json(Models { count: models.len(), models }))
}

/// A model with its members and versions.
#[utoipa::path(get, path = "/models/{signature}", tag = "models", security(("token" = ["read"])),
    params(("signature" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "The model.", body = ModelDetails),
        (status = 404, description = "There is no such model.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The name has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn model(
    State(acceptor): State<Acceptor>,
    Path(signature): Path<String>,
) -> Result<Json<ModelDetails>, Problem> {
    Ok(Json(details(&acceptor, &signature).await?))
}

/// Store a model.
///
/// The body has the members of an entry of `configs/models.toml`, which docs/configuration.md lists; `prompt_text` and
/// `decisions_csv` in place of files. The model counts from the next request on, in place of one of this name in the
/// file. A model that differs from the stored one is a new version; jobs keep the version that they were accepted with.
#[utoipa::path(put, path = "/models/{signature}", operation_id = "put_model", tag = "models", security(("token" = ["operate"])),
    params(("signature" = String, Path, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9][A-Za-z0-9._/:@+-]*$",
        description = "Its name.")),
    request_body(content = ModelMembers, description = "Its members."),
    responses(
        (status = 200, description = "The model as it is stored now.", body = ModelDetails),
        (status = 413, description = "The body is larger than 16 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A member is invalid, its endpoint may not be called, or may not get the key.",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn put(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path(signature): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ModelDetails>, Problem> {
    let entry = entry(&acceptor, &signature, json_within(body, LIMIT_MIB)?)?;
    let change = acceptor.catalogue.put_model(&entry, caller.name()).await?;
    if change != Change::Unchanged {
        let hash = &entry.model.config_hash;
        audit::record(&caller, "stored", format_args!("model {signature}, configuration {hash}"));
    }
    Ok(Json(details(&acceptor, &signature).await?))
}

/// Remove a model that the API has stored.
///
/// When the models file has one of this name, that counts again. Jobs that were accepted with the removed one go on.
#[utoipa::path(delete, path = "/models/{signature}", operation_id = "delete_model", tag = "models", security(("token" = ["operate"])),
    params(("signature" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "It is removed."),
        (status = 404, description = "There is no such model.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "It is one of the models file.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The name has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn delete(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path(signature): Path<String>,
) -> Result<StatusCode, Problem> {
    match acceptor.catalogue.remove(EntryKind::Model, &signature, caller.name()).await? {
        Change::Unchanged => {}
        Change::Added | Change::Changed | Change::Removed => {
            audit::record(&caller, "removed", format_args!("model {signature}"));
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    acceptor.catalogue.current().await?.model(&signature).ok_or_else(|| unknown(&signature))?;
    let detail = format!(
        "{signature} is a model of the models file: remove it there and reload, or store one with \"enabled\": false"
    );
    Err(Problem::new(StatusCode::CONFLICT, detail))
}

impl ModelEntry {
    fn of(listed: &ListedModel, keys: &Keys) -> Self {
        let Entry { enabled, model, .. } = &listed.entry;
        let why = why_not_ready(listed, keys);
        Self {
            signature: model.signature.clone(),
            kind: model.kind.as_str(),
            enabled: *enabled,
            initial_cash: model.initial_cash.into(),
            trials: model.trials,
            training_cutoff: model.training_cutoff.map(|date| date.to_string()),
            config_hash: model.config_hash.clone(),
            origin: listed.version.origin.as_str(),
            version: listed.version.version,
            ready: why.is_none(),
            why,
        }
    }
}

async fn details(acceptor: &Acceptor, signature: &str) -> Result<ModelDetails, Problem> {
    let current = acceptor.catalogue.current().await?;
    let listed = current.model(signature).ok_or_else(|| unknown(signature))?;
    let keys = Keys::of_executor(&acceptor.pool, &[&listed.entry.model]).await?;
    let versions = acceptor.catalogue.versions(EntryKind::Model, signature).await?;
    Ok(ModelDetails {
        model: ModelEntry::of(listed, &keys),
        changed_by: listed.version.changed_by.clone(),
        changed_at: listed.version.changed_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        members: listed.entry.members.clone(),
        versions: versions.iter().map(Into::into).collect(),
    })
}

fn unknown(signature: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("Model {signature} not found"))
}

/// The model of a body, if this deployment may run it.
fn entry(acceptor: &Acceptor, signature: &str, mut body: Value) -> Result<Entry, Problem> {
    let invalid = |loc: Vec<&str>, problem: String, input: &Value| {
        let loc = std::iter::once("body").chain(loc).map(Into::into).collect();
        Problem::validation(vec![ValidationError::value(loc, problem, input.clone())])
    };
    // Others, such as `..`, mean something else in an address.
    if !signature.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let loc = vec!["path".into(), "signature".into()];
        let problem = "begin the name with a letter or a digit";
        return Err(Problem::validation(vec![ValidationError::value(loc, problem, signature.into())]));
    }
    let Some(members) = body.as_object_mut() else {
        return Err(invalid(Vec::new(), "write the model's members as an object".to_owned(), &body));
    };
    let named = members.entry("signature").or_insert_with(|| signature.into());
    if named != signature {
        let problem = format!("is another name than that of the address, {signature}; leave it out");
        return Err(invalid(vec!["signature"], problem, &named.clone()));
    }
    // Null is how programs write that there is none.
    members.retain(|_, value| !value.is_null());
    let sent = body.clone();
    let refused = |CatalogueMistake { key, problem, fix }: CatalogueMistake| {
        let place = key.strip_prefix(&format!("models.{signature}")).unwrap_or_default();
        let place: Vec<&str> = place.split('.').filter(|part| !part.is_empty()).collect();
        let input = place.iter().try_fold(&sent, |value, part| value.get(part)).unwrap_or(&Value::Null);
        invalid(place, format!("{problem}; {fix}"), input)
    };
    let entry = Entry::of_members(signature, body).map_err(refused)?;
    if let ModelKind::Recorded(orders) = &entry.model.kind
        && orders.is_empty()
    {
        let problem = format!("has no order whose column model is {signature}; correct the column");
        return Err(invalid(vec!["decisions_csv"], problem, &Value::Null));
    }
    match acceptor.catalogue.endpoints().admitted(entry) {
        (entry, None) => Ok(entry),
        (_, Some(mistake)) => Err(refused(mistake)),
    }
}
