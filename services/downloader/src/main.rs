//! The downloader service as a process of its own.

use runtime::settings::Settings;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    runtime::process::run("downloader", |telemetry, shutdown| async move {
        let config = downloader::Config::from_settings(&mut Settings::load(), 8082)?;
        downloader::run(config, telemetry, shutdown).await
    })
    .await
}
