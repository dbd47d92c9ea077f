//! Waiting for the work of another task or process.

use std::time::Duration;

use tokio::time::Instant;

/// The longest wait of a test. On an idle machine nothing takes a tenth of it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Calls `poll` until it returns a value, for at most a minute.
///
/// # Panics
/// When it returns none by then, with `what` in the message.
pub async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = poll().await {
            return value;
        }
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
