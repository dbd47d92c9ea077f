//! Stopping in order: one token for all parts; whichever part ends first tells the others.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

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

/// Runs a part as a task of its own, which ends with this; when the part ends, for whatever reason, all parts of
/// `shutdown` are told to stop.
pub async fn linked<T: Send + 'static>(
    shutdown: &CancellationToken,
    part: impl Future<Output = T> + Send + 'static,
) -> T {
    let _stop_others = shutdown.clone().drop_guard();
    task(part).await
}

/// Runs a part as a task of its own, which ends with this. Parts that are merely joined are all looked at whenever
/// one of them has something to do, and in the main thread at that.
pub(crate) async fn task<T: Send + 'static>(part: impl Future<Output = T> + Send + 'static) -> T {
    match AbortOnDropHandle::new(tokio::spawn(part)).await {
        Ok(result) => result,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down, and this with it.
            Err(_) => std::future::pending().await,
        },
    }
}
