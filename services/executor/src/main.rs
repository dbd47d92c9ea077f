//! The executor service as a process of its own.

use runtime::settings::Settings;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    runtime::process::run("executor", |telemetry, shutdown| async move {
        let config = executor::Config::from_settings(&mut Settings::load(), 8083)?;
        executor::run(config, telemetry, shutdown).await
    })
    .await
}
