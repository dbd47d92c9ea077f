//! What is sent, and what is made of the answers.

use serde_json::json;

use crate::command::modelday;
use crate::double::{Double, Says};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_and_retry_say_what_became_of_the_job() {
    let double = Double::start(|asked, _| match &*asked.what {
        "POST /jobs/a/cancel" => {
            Says::All(200, JSON, json!({ "job_id": "a", "status": "cancelled" }).to_string())
        }
        "POST /jobs/a/retry" => {
            Says::All(200, JSON, json!({ "job_id": "b", "status": "pending" }).to_string())
        }
        _ => Says::All(409, PROBLEM, json!({ "status": 409, "detail": "Job c has completed" }).to_string()),
    })
    .await;

    let cancelled = modelday(&double.url, &["cancel", "a"]);
    let retried = modelday(&double.url, &["retry", "a"]);
    let late = modelday(&double.url, &["cancel", "c"]);

    assert_eq!((cancelled.code, &*cancelled.out), (Some(0), "Job a is cancelled.\n"));
    assert_eq!((retried.code, &*retried.out), (Some(0), "b\n"));
    assert_eq!((late.code, &*late.err), (Some(2), "modelday: Job c has completed\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_saved_whole_or_not_at_all() {
    let double = Double::start(|asked, _| match &*asked.what {
        "GET /trades?model=m&format=csv" => {
            Says::All(200, "text/csv", "date,price\n2025-10-01,1.10\n".to_owned())
        }
        "GET /equity?format=csv" => Says::Cut(vec!["date,price\n2025-"]),
        "GET /positions?format=json&limit=1000" => {
            Says::All(200, JSON, r#"{"positions": [{"price": 1.10}], "next_cursor": "x"}"#.to_owned())
        }
        "GET /positions?format=json&limit=1000&cursor=x" => {
            Says::All(200, JSON, r#"{"positions": [{"price": 2.20}], "next_cursor": null}"#.to_owned())
        }
        _ => Says::All(404, PROBLEM, json!({ "detail": "Not Found" }).to_string()),
    })
    .await;
    let folder = std::env::temp_dir().join(format!("modelday-test-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let (trades, equity) = (folder.join("trades.csv"), folder.join("equity.csv"));

    let saved =
        modelday(&double.url, &["export", "--trades", "--model", "m", "-o", trades.to_str().unwrap()]);
    let cut = modelday(&double.url, &["export", "--equity", "-o", equity.to_str().unwrap()]);
    let joined = modelday(&double.url, &["export", "--positions", "--format", "json"]);
    let two = modelday(&double.url, &["export", "--positions", "--equity"]);

    assert_eq!(saved.code, Some(0), "{saved:?}");
    assert_eq!(std::fs::read_to_string(&trades).unwrap(), "date,price\n2025-10-01,1.10\n");
    assert_eq!(cut.code, Some(5), "{cut:?}");
    assert!(cut.err.contains("was cut off"), "{cut:?}");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [trades], "nothing is left of what was cut off");
    assert_eq!(joined.json(), json!({ "positions": [{ "price": 1.10 }, { "price": 2.20 }], "count": 2 }));
    assert!(joined.out.contains("2.20"), "numbers keep their digits: {}", joined.out);
    assert_eq!(two.code, Some(2), "one at a time: {two:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
