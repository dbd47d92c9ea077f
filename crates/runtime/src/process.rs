//! Runs a service as a process: telemetry, signals, exit code.

use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::address::Address;
use crate::settings::Mistakes;
use crate::telemetry::{self, Telemetry};
use crate::{Service, error_text, http, open_files, shutdown_on_signal};

/// How long parts may take to finish after a signal.
const GRACE: Duration = Duration::from_secs(25);

/// Exit code for invalid settings, as in `sysexits.h`.
const EX_CONFIG: u8 = 78;

/// Runs `body` as the process `name`. An error is written to stderr.
pub async fn run<F>(
    name: &'static str,
    body: impl FnOnce(&'static Telemetry, CancellationToken) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    open_files::raise_limit();
    let started = telemetry::init(name).and_then(|telemetry| Ok((telemetry, shutdown_on_signal()?)));
    let (telemetry, shutdown) = match started {
        Ok((telemetry, shutdown)) => (Box::leak(Box::new(telemetry)), shutdown),
        Err(problem) => return failed(name, &problem),
    };
    let telemetry: &'static Telemetry = telemetry;
    let grace = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let ended = tokio::select! {
        ended = body(telemetry, shutdown.clone()) => ended,
        () = grace => {
            tracing::warn!("stopped before everything in hand was finished; it will be done again");
            Ok(())
        }
    };
    telemetry.flush();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failed(name, &problem),
    }
}

#[expect(clippy::print_stderr, reason = "the last message of a process, for people")]
fn failed(name: &str, problem: &anyhow::Error) -> ExitCode {
    eprintln!("{name}: {}", error_text(problem));
    if problem.is::<Mistakes>() { ExitCode::from(EX_CONFIG) } else { ExitCode::FAILURE }
}

/// Serves a service with its probes until shutdown.
///
/// # Errors
/// When the address is in use, or a part of the service fails.
pub async fn serve(
    service: Service,
    address: Address,
    telemetry: &Telemetry,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let listener = http::bind(address.listen)?;
    let scheme = if address.tls.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{}", address.listen);
    let _upkeep =
        AbortOnDropHandle::new(tokio::spawn(telemetry::keep_up(telemetry.metrics.clone(), shutdown.clone())));
    let probes = service.health.clone().routes(telemetry.metrics.clone());
    Box::pin(service.run(listener, address, probes, &shutdown)).await
}
