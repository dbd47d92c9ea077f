//! Who did what: stored, shown, and logged.

use it::{Shape, System, http};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::eventually;

use crate::token::{MadeToken, make_token};

const BARS: &str = "symbol,date,open,high,low,close,volume\nAAPL,2025-10-01,1,2,1,2,10\n";

struct Audited {
    system: System,
    operator: MadeToken,
}

impl Audited {
    async fn send(&self, method: Method, path: &str, body: Option<(&str, String)>) -> Value {
        let request = http().request(method, format!("{}{path}", self.system.client.status_url));
        let request = request.bearer_auth(&self.operator.token);
        let request = match body {
            Some((media_type, body)) => request.header("Content-Type", media_type).body(body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status();
        let body = response.json().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn job(&self, range: Value) -> String {
        let job =
            self.send(Method::POST, "/simulate/trigger", Some(("application/json", range.to_string()))).await;
        job["job_id"].as_str().unwrap().to_owned()
    }

    /// Waits for a state of a job; its status.
    async fn until(&self, job: &str, state: &str) -> Value {
        eventually(&format!("job {job} is {state}"), async || {
            let status = self.send(Method::GET, &format!("/simulate/status/{job}"), None).await;
            (status["status"] == state).then_some(status)
        })
        .await
    }

    /// The lines of the audit log, as (by, action, message).
    fn lines(&self) -> Vec<(String, String, String)> {
        let log = self.system.logs();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        lines
            .filter(|line| line["target"] == "audit")
            .map(|line| (text(&line["by"]), text(&line["action"]), text(&line["message"])))
            .collect()
    }
}

#[tokio::test]
async fn whatever_a_token_does_is_stored_shown_and_logged_with_its_name() {
    let operator = make_token("jo", &["read", "trigger", "operate"]);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &operator.entry).start().await;
    let audited = Audited { system, operator };

    let job = audited
        .job(json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash"] }))
        .await;
    let status = audited.until(&job, "completed").await;
    assert_eq!((&status["requested_by"], &status["cancelled_by"]), (&json!("jo"), &Value::Null));
    let jobs = audited.send(Method::GET, "/jobs", None).await;
    assert_eq!(jobs["jobs"][0]["requested_by"], "jo");

    let range = json!({ "start_date": "2025-06-10", "end_date": "2025-10-29", "experiment": "a-mistake" });
    let mistake = audited.job(range).await;
    audited.send(Method::POST, &format!("/jobs/{mistake}/cancel"), None).await;
    let status = audited.until(&mistake, "cancelled").await;
    assert_eq!((&status["requested_by"], &status["cancelled_by"]), (&json!("jo"), &json!("jo")));

    audited.send(Method::POST, "/prices/import?replace=true", Some(("text/csv", BARS.to_owned()))).await;
    let imports = audited.send(Method::GET, "/prices/imports", None).await;
    let import = &imports["imports"][0];
    assert_eq!((&import["imported_by"], &import["kind"]), (&json!("jo"), &json!("bars")));
    assert_eq!((&import["from"], &import["symbols"]), (&json!("2025-10-01"), &json!(1)));

    for (path, body) in [
        ("/models/mine", json!({ "kind": "policy", "policy": { "policy": "cash" } })),
        ("/universes/two", json!({ "symbols": ["AAPL", "MSFT"] })),
    ] {
        audited.send(Method::PUT, path, Some(("application/json", body.to_string()))).await;
        let removed = http().delete(format!("{}{path}", audited.system.client.trigger_url));
        let removed = removed.bearer_auth(&audited.operator.token).send().await.unwrap();
        assert_eq!(removed.status(), StatusCode::NO_CONTENT, "{path}");
    }
    let pause = "/pauses/model/cash";
    let paused = audited.send(Method::PUT, pause, Some(("application/json", "{}".to_owned()))).await;
    let listed = audited.send(Method::GET, "/pauses", None).await;
    let resumed = http().delete(format!("{}{pause}", audited.system.client.trigger_url));
    let resumed = resumed.bearer_auth(&audited.operator.token).send().await.unwrap();
    assert_eq!((&paused["paused_by"], resumed.status()), (&json!("jo"), StatusCode::NO_CONTENT));
    assert_eq!(listed["pauses"], json!([paused]));
    let changes = audited.send(Method::GET, "/admin/changes?limit=4", None).await;
    let changes: Vec<_> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (&change["name"], &change["changed_by"], change["config_hash"].is_null()))
        .collect();
    let (mine, two, jo) = (json!("mine"), json!("two"), json!("jo"));
    assert_eq!(changes, [(&two, &jo, true), (&two, &jo, false), (&mine, &jo, true), (&mine, &jo, false)]);

    let lines = audited.lines();
    let did = |action: &str, about: &str| {
        lines.iter().any(|(by, done, message)| by == "jo" && done == action && message.contains(about))
    };
    assert!(did("triggered", &job) && did("triggered", &mistake), "{lines:?}");
    assert!(did("cancelled", &mistake) && did("imported", "1 rows"), "{lines:?}");
    assert!(did("stored", "model mine") && did("removed", "model mine"), "{lines:?}");
    assert!(did("stored", "universe two") && did("removed", "universe two"), "{lines:?}");
    assert!(did("paused", "model cash") && did("resumed", "model cash"), "{lines:?}");
    // The models and universes of the files are noted at the first start.
    let others = lines.iter().filter(|(by, ..)| by != "start");
    assert_eq!(others.count(), 10, "{lines:?}");
}

#[tokio::test]
async fn without_tokens_somebody_anonymous_did_it() {
    let system = System::builder(Shape::OneProcess).start().await;
    let job = system.client.trigger(&json!({ "end_date": "2025-10-01", "models": ["cash"] })).await;

    let status = system.client.ended(&job).await;

    assert_eq!(status["requested_by"], "anonymous", "{status}");
}
