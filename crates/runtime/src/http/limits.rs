//! How much goes on at the same time: streams of one caller, and requests that take much work.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::caller::Caller;
use super::problem::Problem;

/// How long a request that takes much work waits for others to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The streams of each caller: those of a token, or of an address without one. Clones share them.
#[derive(Debug, Clone)]
pub struct Streams {
    max: NonZeroUsize,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

/// An open stream, which ends with this value.
#[derive(Debug)]
pub struct OpenStream {
    streams: Streams,
    caller: String,
}

impl Streams {
    /// At most `max` of one caller.
    pub fn new(max: NonZeroUsize) -> Self {
        Self { max, open: Arc::default() }
    }

    /// Opens a stream of `caller`.
    ///
    /// # Errors
    /// Status 429 when too many are open.
    pub fn open(&self, caller: &Caller) -> Result<OpenStream, Problem> {
        let caller = caller.counted_as();
        let mut open = self.counts();
        let count = open.entry(caller.clone()).or_default();
        if *count >= self.max.get() {
            let max = self.max;
            let detail =
                format!("{max} streams of {caller} are open, as many as MAX_STREAMS_PER_TOKEN allows");
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(10));
        }
        *count += 1;
        drop(open);
        Ok(OpenStream { streams: self.clone(), caller })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.counts();
        let left = open.get(&self.caller).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            open.remove(&self.caller);
        } else {
            open.insert(self.caller.clone(), left);
        }
    }
}

/// The places of requests that take much work.
#[derive(Debug, Clone)]
pub(crate) struct HeavyRequests(Arc<Semaphore>);

/// The place of such a request, which others take after this value. A response that goes on working keeps it until then.
#[derive(Debug, Clone)]
pub struct HeavyRequest(#[expect(dead_code, reason = "holds the place")] Arc<OwnedSemaphorePermit>);

impl HeavyRequests {
    /// At most `max` at the same time.
    pub(crate) fn new(max: NonZeroUsize) -> Self {
        Self(Arc::new(Semaphore::new(max.get().min(Semaphore::MAX_PERMITS))))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// Status 503 when none is free for a while.
    pub(crate) async fn begin(&self) -> Result<HeavyRequest, Problem> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(place)) => Ok(HeavyRequest(Arc::new(place))),
            Ok(Err(_)) | Err(_) => {
                let detail = "Too many requests that take much work are in progress; try again in a moment";
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(5))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_so_many_streams_and_others_have_theirs() {
        let streams = Streams::new(NonZeroUsize::MIN.saturating_add(1));
        let address = "127.0.0.1".parse().unwrap();
        let (one, other) = (Caller::of_token("one".into(), address), Caller::anonymous(address));

        let first = streams.open(&one).unwrap();
        let _second = streams.open(&one).unwrap();

        assert_eq!(streams.open(&one).unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(streams.open(&other).is_ok());
        drop(first);
        assert!(streams.open(&one).is_ok());
    }

    #[tokio::test]
    async fn a_request_waits_until_another_has_ended() {
        let heavy = HeavyRequests::new(NonZeroUsize::MIN);
        let first = heavy.begin().await.unwrap();
        let waiting = tokio::spawn({
            let heavy = heavy.clone();
            async move { heavy.begin().await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());

        drop(first);

        assert!(waiting.await.unwrap());
    }
}
