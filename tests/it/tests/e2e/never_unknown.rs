//! An accepted job is never unknown.

use std::sync::Arc;

use it::{Service, Shape, System};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_job_is_known_at_once_a_thousand_times_in_a_row_under_load() {
    let system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL"], None)
        .models("[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n")
        .env("MAX_ACTIVE_JOBS", "100000")
        .start()
        .await;
    // Only the requests make the load; the thousand jobs need not run.
    system.signal(Service::Downloader, "STOP");
    let client = Arc::new(system.client.clone());

    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in 0..250 {
                    let request = json!({
                        "start_date": "2025-10-01", "end_date": "2025-10-02",
                        "experiment": format!("e{worker}-{number}"),
                    });
                    let job = client.trigger(&request).await;
                    let status = client.job(&job).await;
                    assert_eq!(status["job_id"], job.as_str());
                    assert!(status["status"].is_string(), "{status}");
                }
            })
        })
        .collect();

    for worker in workers {
        worker.await.expect("every job is known");
    }
}
