//! The description of the whole API, of all services behind one address.

use utoipa::openapi::OpenApi;

/// All routes of all services.
pub(crate) fn whole() -> OpenApi {
    let parts = [trigger::openapi(), executor::openapi(), status::openapi(), runtime::http::probes_openapi()];
    let joined = parts.into_iter().fold(downloader::openapi(), OpenApi::merge_from);
    runtime::http::document(joined)
}

/// # Errors
/// Never: the description can be written as JSON.
#[expect(clippy::print_stdout, reason = "what was asked for")]
pub(crate) fn print() -> anyhow::Result<()> {
    println!("{}", whole().to_pretty_json()?);
    Ok(())
}
