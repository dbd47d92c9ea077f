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

/// Makes the running Modelday read its files again, and looks for the model.
pub(super) async fn look_for(model: &str, connection: &Connection) -> anyhow::Result<Running> {
    let api = Api::new(connection)?;
    let address = api.display_url();
    let not_ready = |why: String| Running::NotReady { address: address.clone(), why };
    match api.post(&["admin", "reload"], None, None).await {
        Err(ApiError::Unreachable { .. }) => return Ok(Running::None),
        Err(problem) => return Ok(not_ready(problem.to_string())),
        Ok(_) => {}
    }
    match api.get(&["models", model], &()).await {
        Ok(body) => Ok(match body.deserialize::<Model>()?.why {
            None => Running::Ready { address },
            Some(why) => not_ready(why),
        }),
        Err(_) => Ok(not_ready("it reads another models file".to_owned())),
    }
}
