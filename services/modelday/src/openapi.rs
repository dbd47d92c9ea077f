//! `modelday openapi`: the description of the API of all services.

use utoipa::openapi::OpenApi;

/// The routes of all services in one description.
fn document() -> OpenApi {
    let parts = [trigger::openapi(), executor::openapi(), status::openapi(), runtime::http::probes_openapi()];
    let joined = parts.into_iter().fold(downloader::openapi(), OpenApi::merge_from);
    runtime::http::document(joined)
}

/// Prints the description as JSON.
#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(crate) fn print() -> anyhow::Result<()> {
    println!("{}", document().to_pretty_json()?);
    Ok(())
}
