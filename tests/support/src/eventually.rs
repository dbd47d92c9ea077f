//! Waiting for something that another task or process does.

use std::time::Duration;

use tokio::time::Instant;

/// Nothing that a test waits for takes a tenth of it on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer, for at most a minute.
///
/// # Panics
/// When there is none by then; `what` says what was expected.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
