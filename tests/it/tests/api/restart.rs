//! Graceful restarts while callers send requests.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use it::{Service, Shape, System, http};
use test_support::eventually;

/// Callers of each service.
const CALLERS: usize = 4;
/// Wait of a caller between two requests, so that some are in progress at any moment.
const PAUSE: Duration = Duration::from_millis(20);

/// What became of a caller's requests.
#[derive(Debug, Default)]
struct Outcomes {
    answered: usize,
    refused: usize,
    /// Requests that were sent and got no response.
    cut_off: Vec<String>,
}

/// Whether the port was closed.
fn is_refused(problem: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(problem.source(), |cause| (*cause).source());
    causes.any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}

/// Sends requests on connections that stay open, until it is told to stop.
async fn call(url: String, stop: Arc<AtomicBool>) -> Outcomes {
    let (http, mut outcomes) = (http(), Outcomes::default());
    while !stop.load(Ordering::Relaxed) {
        match http.get(&url).send().await {
            Ok(response) => match response.bytes().await {
                Ok(_) => outcomes.answered += 1,
                Err(problem) => outcomes.cut_off.push(format!("{problem:?}")),
            },
            Err(problem) if is_refused(&problem) => outcomes.refused += 1,
            Err(problem) => outcomes.cut_off.push(format!("{problem:?}")),
        }
        tokio::time::sleep(PAUSE).await;
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_restart_of_each_service_cuts_off_no_response() {
    let mut system = System::builder(Shape::FourProcesses).start().await;
    let client = system.client.clone();
    for (service, url) in [
        (Service::Trigger, format!("{}/models", client.trigger_url)),
        (Service::Downloader, format!("{}/providers", client.prices_url)),
        (Service::Executor, format!("{}/jobs/{}/bundle", client.executor_url, uuid::Uuid::nil())),
        (Service::Status, format!("{}/jobs", client.status_url)),
    ] {
        let stop = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(call(url.clone(), stop.clone()))).collect();

        system.signal(service, "TERM");
        eventually(&format!("{service:?} ends"), async || system.has_ended(service).then_some(())).await;
        system.restart(service).await;
        stop.store(true, Ordering::Relaxed);

        let mut answered = 0;
        for caller in callers {
            let outcomes = caller.await.unwrap();
            assert_eq!(outcomes.cut_off, Vec::<String>::new(), "{service:?}");
            answered += outcomes.answered;
        }
        assert!(answered > CALLERS, "{answered} responses of {service:?}");
    }
}
