//! Shutdown: all parts of a process share one token, and the first part that ends cancels it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How the HTTP server of a process stops: its port is the last thing that closes, so that callers are answered as long as
/// possible.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// The process stops: from now on responses say that their connection closes.
    pub begun: CancellationToken,
    /// The work of the process has ended: the port closes, and requests in progress are finished.
    pub port_closes: CancellationToken,
}

/// A token that SIGTERM or SIGINT cancels. From now on SIGHUP does not end the process: services that have files to read
/// again do so.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn shutdown_on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // What is registered once stays for the life of the process.
    drop(signal(SignalKind::hangup())?);
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

/// Runs a part as a task of its own and cancels `shutdown` when the part ends for any reason. Dropping this future aborts
/// the task.
pub async fn linked<T: Send + 'static>(
    shutdown: &CancellationToken,
    part: impl Future<Output = T> + Send + 'static,
) -> T {
    let _stop_others = shutdown.clone().drop_guard();
    task(part).await
}

/// Runs a part as a task of its own, which dropping this future aborts. Parts that are only joined would all run on the
/// main thread, and each wake-up would poll all of them.
pub(crate) async fn task<T: Send + 'static>(part: impl Future<Output = T> + Send + 'static) -> T {
    match AbortOnDropHandle::new(tokio::spawn(part)).await {
        Ok(result) => result,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The task was aborted because the runtime is shutting down, and this future is dropped with it.
            Err(_) => std::future::pending().await,
        },
    }
}
