//! The trigger service as a process of its own.

use runtime::settings::Settings;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    runtime::process::run("trigger", |telemetry, shutdown| async move {
        let config = trigger::Config::from_settings(&mut Settings::load(), 8081)?;
        trigger::run(config, telemetry, shutdown).await
    })
    .await
}
