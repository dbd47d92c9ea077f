//! The status service as a process of its own.

use runtime::settings::Settings;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    runtime::process::run("status", |telemetry, shutdown| async move {
        let config = status::Config::from_settings(&mut Settings::load(), 8084)?;
        status::run(config, telemetry, shutdown).await
    })
    .await
}
