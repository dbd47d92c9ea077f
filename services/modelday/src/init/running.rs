//! Whether a Modelday that runs has taken a new entry, so that nothing has to be started again.

use serde::Deserialize;

use crate::client::http::{Api, ApiError, Connection};

/// A Modelday that runs, and what it says about the model.
pub(super) enum Running {
    /// None answers.
    None,
    /// It can run the model.
    Ready { address: String },
    /// It cannot, and why.
    NotReady { address: String, why: String },
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    why: Option<String>,
}

/// What reading the sources of prices again has changed.
#[derive(Deserialize)]
struct Reloaded {
    files: Vec<ReloadedFile>,
}

#[derive(Deserialize)]
struct ReloadedFile {
    added: Vec<String>,
    changed: Vec<String>,
}

/// Makes the running Modelday read its files again, and looks for the model. `has_new_source`: a source of prices has got
/// another key.
pub(super) async fn look_for(
    model: &str,
    has_new_source: bool,
    connection: &Connection,
) -> anyhow::Result<Running> {
    let api = Api::new(connection)?;
    let address = api.display_url();
    let not_ready = |why: String| Running::NotReady { address: address.clone(), why };
    // Keys first: whether the model is ready depends on them.
    for path in [&["admin", "reload", "keys"][..], &["admin", "reload"], &["admin", "reload", "sources"]] {
        match api.post(path, None, None).await {
            Err(ApiError::Unreachable { .. }) => return Ok(Running::None),
            // Keys and sources are other services', which may be at another address.
            Err(ApiError::Problem(problem)) if problem.status == 404 && path.len() > 2 => {}
            Err(problem) => return Ok(not_ready(problem.to_string())),
            Ok(body) if path.last() == Some(&"sources") && has_new_source => {
                let files = body.deserialize::<Reloaded>()?.files;
                if files.iter().all(|file| file.added.is_empty() && file.changed.is_empty()) {
                    let why = "it takes its prices from where it took them before";
                    return Ok(not_ready(why.to_owned()));
                }
            }
            Ok(_) => {}
        }
    }
    match api.get(&["models", model], &()).await {
        Ok(body) => Ok(match body.deserialize::<Model>()?.why {
            None => Running::Ready { address },
            Some(why) => not_ready(why),
        }),
        Err(_) => Ok(not_ready("it reads another models file".to_owned())),
    }
}
