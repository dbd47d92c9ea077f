//! The names that a server knows.

use serde::Deserialize;

use super::http::{Api, Connection};

#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    signature: String,
}

/// The models of the server at `MODELDAY_URL`; none when they cannot be read.
pub(crate) async fn model_names() -> Vec<String> {
    match Api::new(&Connection::of_environment()) {
        Ok(api) => models_of(&api).await,
        Err(_) => Vec::new(),
    }
}

/// The models of this server; none when they cannot be read.
pub(crate) async fn models_of(api: &Api) -> Vec<String> {
    let body = api.get(&["models"], &()).await;
    let models = body.and_then(|body| body.deserialize::<Models>());
    models.map(|models| models.models.into_iter().map(|model| model.signature).collect()).unwrap_or_default()
}
