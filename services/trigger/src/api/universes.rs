//! `GET /universes`, and `GET`, `PUT` and `DELETE /universes/{name}`.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::SecondsFormat;
use domain::job::bounds::MAX_SYMBOLS;
use domain::job::request::{ValidationError, is_universe_name};
use domain::market::instruments::{Symbol, Universe};
use runtime::audit;
use runtime::http::{Caller, Problem, ProblemBody};
use serde::Serialize;
use serde_json::Value;
use storage::trigger::catalogue::{Change, EntryKind};
use utoipa::ToSchema;

use super::request::json_body;
use super::version::VersionBody;
use crate::accept::Acceptor;
use crate::current::{Current, ListedUniverse};

/// A universe.
#[derive(Serialize, ToSchema)]
struct UniverseEntry {
    name: String,
    /// Whether jobs have it that name none.
    is_default: bool,
    /// The symbols that may be traded.
    symbols: Vec<String>,
    /// The index fund that results are compared with; it may be traded too. Null without one.
    benchmark: Option<String>,
    /// Hash of symbols and benchmark.
    config_hash: String,
    /// Where this version comes from: `file` or `api`.
    origin: &'static str,
    /// The number of this version.
    version: u32,
}

/// The universes.
#[derive(Serialize, ToSchema)]
pub(super) struct Universes {
    count: usize,
    universes: Vec<UniverseEntry>,
}

/// A universe with its versions.
#[derive(Serialize, ToSchema)]
pub(super) struct UniverseDetails {
    #[serde(flatten)]
    universe: UniverseEntry,
    /// Who stored this version: the name of an API token, `anonymous`, `start` or `SIGHUP`.
    changed_by: String,
    #[schema(format = DateTime)]
    changed_at: String,
    /// The last 100 versions, newest first.
    versions: Vec<VersionBody>,
}

/// The members of a universe.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes; all invalid members are reported together")]
pub(super) struct UniverseMembers {
    /// The symbols that may be traded.
    #[schema(min_items = 1, max_items = 10_000, example = json!(["AAPL", "MSFT"]))]
    symbols: Vec<String>,
    /// The index fund that results are compared with. Absent: that of the default universe. Null: none.
    benchmark: Option<String>,
}

/// The universes that jobs may name.
#[utoipa::path(get, path = "/universes", tag = "models", security(("token" = ["read"])), responses(
    (status = 200, description = "All of them: that of the universe file, then others by name.", body = Universes),
))]
pub(super) async fn universes(State(acceptor): State<Acceptor>) -> Result<Json<Universes>, Problem> {
    let current = acceptor.catalogue.current().await?;
    let universes: Vec<UniverseEntry> = current.universes.iter().map(Into::into).collect();
    Ok(Json(Universes { count: universes.len(), universes }))
}

/// A universe with its versions.
#[utoipa::path(get, path = "/universes/{name}", tag = "models", security(("token" = ["read"])),
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 200, description = "The universe.", body = UniverseDetails),
        (status = 404, description = "There is no such universe.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The name has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn universe(
    State(acceptor): State<Acceptor>,
    Path(name): Path<String>,
) -> Result<Json<UniverseDetails>, Problem> {
    Ok(Json(details(&acceptor, &name).await?))
}

/// Store a universe.
///
/// It counts from the next request on, in place of one of this name in the universe file. Jobs keep the symbols that they
/// were accepted with.
#[utoipa::path(put, path = "/universes/{name}", operation_id = "put_universe", tag = "models", security(("token" = ["operate"])),
    params(("name" = String, Path, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description = "Its name.")),
    request_body(content = UniverseMembers, description = "Its symbols."),
    responses(
        (status = 200, description = "The universe as it is stored now.", body = UniverseDetails),
        (status = 413, description = "The body is larger than 1 MiB.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The name or a member is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn put(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<UniverseDetails>, Problem> {
    let body = json_body(body)?;
    let current = acceptor.catalogue.current().await?;
    let universe = read(&name, &body, &current).map_err(Problem::validation)?;
    let change = acceptor.catalogue.put_universe(&universe, caller.name()).await?;
    if change != Change::Unchanged {
        let count = universe.symbols.len();
        audit::record(&caller, "stored", format_args!("universe {name}, {count} symbols"));
    }
    Ok(Json(details(&acceptor, &name).await?))
}

/// Remove a universe that the API has stored.
///
/// When the universe file has one of this name, that counts again. Jobs that were accepted with the removed one go on.
#[utoipa::path(delete, path = "/universes/{name}", operation_id = "delete_universe", tag = "models", security(("token" = ["operate"])),
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "It is removed."),
        (status = 404, description = "There is no such universe.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "It is that of the universe file.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "The name has a NUL.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn delete(
    State(acceptor): State<Acceptor>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    match acceptor.catalogue.remove(EntryKind::Universe, &name, caller.name()).await? {
        Change::Unchanged => {}
        Change::Added | Change::Changed | Change::Removed => {
            audit::record(&caller, "removed", format_args!("universe {name}"));
            return Ok(StatusCode::NO_CONTENT);
        }
    }
    acceptor.catalogue.current().await?.universe(&name).ok_or_else(|| unknown(&name))?;
    let detail = format!("{name} is the universe of the universe file: change that and reload");
    Err(Problem::new(StatusCode::CONFLICT, detail))
}

impl From<&ListedUniverse> for UniverseEntry {
    fn from(listed: &ListedUniverse) -> Self {
        let ListedUniverse { universe, version, is_default } = listed;
        Self {
            name: version.name.clone(),
            is_default: *is_default,
            symbols: universe.symbols.iter().map(ToString::to_string).collect(),
            benchmark: universe.benchmark.as_ref().map(ToString::to_string),
            config_hash: version.content.as_ref().map(|(_, hash)| hash.clone()).unwrap_or_default(),
            origin: version.origin.as_str(),
            version: version.version,
        }
    }
}

async fn details(acceptor: &Acceptor, name: &str) -> Result<UniverseDetails, Problem> {
    let current = acceptor.catalogue.current().await?;
    let listed = current.universe(name).ok_or_else(|| unknown(name))?;
    let versions = acceptor.catalogue.versions(EntryKind::Universe, name).await?;
    Ok(UniverseDetails {
        universe: listed.into(),
        changed_by: listed.version.changed_by.clone(),
        changed_at: listed.version.changed_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        versions: versions.iter().map(Into::into).collect(),
    })
}

fn unknown(name: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("Universe {name} not found"))
}

/// The universe of a body, or everything that is wrong with it.
fn read(name: &str, body: &Value, current: &Current) -> Result<Universe, Vec<ValidationError>> {
    let mut errors = Vec::new();
    let mut refuse = |place: Vec<domain::job::request::PathSegment>, problem: String, input: &Value| {
        errors.push(ValidationError::value(place, problem, input.clone()));
    };
    // Others, such as `..`, mean something else in an address.
    if !is_universe_name(name) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        let problem =
            "write 1 to 100 of letters, digits and . _ -, the first one a letter or a digit".to_owned();
        refuse(vec!["path".into(), "name".into()], problem, &name.into());
    }
    let members = body.as_object();
    for (member, value) in members.into_iter().flatten() {
        if !["symbols", "benchmark", "name"].contains(&member.as_str()) {
            let problem = "there is no such member; a universe has symbols and a benchmark".to_owned();
            refuse(vec!["body".into(), member.as_str().into()], problem, value);
        }
        if member == "name" && value != name {
            let problem = format!("is another name than that of the address, {name}; leave it out");
            refuse(vec!["body".into(), "name".into()], problem, value);
        }
    }
    let symbol = |value: &Value| -> Result<Symbol, String> {
        let text = value.as_str().ok_or("write a symbol as text")?;
        text.parse().map_err(|problem: domain::market::instruments::SymbolError| problem.to_string())
    };
    let list = members.and_then(|members| members.get("symbols")).and_then(Value::as_array);
    let list = list.filter(|list| (1..=MAX_SYMBOLS).contains(&list.len()));
    let (mut symbols, mut seen) = (Vec::new(), BTreeSet::new());
    match list {
        None => {
            let problem = format!("write symbols, a list of 1 to {MAX_SYMBOLS}");
            refuse(vec!["body".into(), "symbols".into()], problem, &Value::Null);
        }
        Some(list) => {
            for (index, value) in list.iter().enumerate() {
                match symbol(value) {
                    Ok(symbol) if seen.insert(symbol.clone()) => symbols.push(symbol),
                    Ok(_) => {}
                    Err(problem) => {
                        refuse(vec!["body".into(), "symbols".into(), index.into()], problem, value);
                    }
                }
            }
        }
    }
    let benchmark = match members.and_then(|members| members.get("benchmark")) {
        None => current.benchmark(),
        Some(Value::Null) => None,
        Some(value) => match symbol(value) {
            Ok(symbol) => Some(symbol),
            Err(problem) => {
                refuse(vec!["body".into(), "benchmark".into()], problem, value);
                None
            }
        },
    };
    if errors.is_empty() { Ok(Universe { name: name.to_owned(), symbols, benchmark }) } else { Err(errors) }
}
