//! Stopping in order: one token for all parts; whichever part ends first tells the others.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM or SIGINT.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn shutdown_on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let shutdown = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what is in hand");
        shutdown.cancel();
    });
    Ok(token)
}

/// Runs a part; when it ends, for whatever reason, all parts of `shutdown` are told to stop.
pub async fn linked<T>(shutdown: &CancellationToken, part: impl Future<Output = T>) -> T {
    let _stop_others = shutdown.clone().drop_guard();
    part.await
}
