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

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

/// A job, as a shell shows it.
#[derive(Deserialize)]
pub(crate) struct Job {
    #[serde(rename = "job_id")]
    pub(crate) id: String,
    pub(crate) status: String,
}

/// The newest jobs of the server at `MODELDAY_URL`; none when they cannot be read.
pub(crate) async fn newest_jobs() -> Vec<Job> {
    let Ok(api) = Api::new(&Connection::of_environment()) else { return Vec::new() };
    let body = api.get(&["jobs"], &[("limit", "20")]).await;
    let jobs = body.and_then(|body| body.deserialize::<Jobs>());
    jobs.map(|jobs| jobs.jobs).unwrap_or_default()
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
