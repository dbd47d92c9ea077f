//! A user's own agent in another language: the example of the documentation.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use it::{PythonAgent, Shape, System};
use serde_json::json;

use crate::bundle::replays_as_recorded;

/// The running example.
fn example(environment: &[(&str, &str)]) -> PythonAgent {
    PythonAgent::start(Path::new("python3"), "docs/examples/agent.py", environment)
}

#[tokio::test]
async fn the_example_of_an_own_agent_trades_day_after_day() {
    let agent = example(&[]);
    let models = format!(
        "[[models]]\nsignature = \"mine\"\nkind = \"http\"\nenabled = true\nurl = \"{}\"\n",
        agent.url
    );
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT", "NVDA", "AMZN"], Some("QQQ"))
        .models(&models)
        .start()
        .await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-06", "end_date": "2025-10-10" })).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["completed"], 5);
    let first = system.client.get_ok("/results?model=mine&start_date=2025-10-06&reasoning=summary").await;
    let bought = first["results"][0]["trades"].as_array().expect("trades").clone();
    assert_eq!(bought.len(), 2, "{first}");
    let second = system.client.get_ok("/results?model=mine&start_date=2025-10-07").await;
    let sold: Vec<_> = second["results"][0]["trades"]
        .as_array()
        .expect("trades")
        .iter()
        .filter(|trade| trade["action_type"] == "sell")
        .map(|trade| (trade["symbol"].clone(), trade["quantity"].clone()))
        .collect();
    let mut held: Vec<_> =
        bought.iter().map(|trade| (trade["symbol"].clone(), trade["quantity"].clone())).collect();
    held.sort_by_key(|(symbol, _)| symbol.to_string());
    assert_eq!(sold, held, "what was bought on one day is sold on the next");
    let day = system.client.model_day(&job, "mine", "2025-10-07").await;
    assert_eq!(day["end_reason"], "finished", "{day}");
    replays_as_recorded(&system, &job).await;
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A call as it was sent.
type Call = (HeaderMap, Bytes);

/// Passes calls on to the agent and keeps them; answers its address.
async fn relay(agent: String, calls: Arc<Mutex<Vec<Call>>>) -> String {
    let handler = async move |headers: HeaderMap, body: Bytes| {
        calls.lock().unwrap().push((headers.clone(), body.clone()));
        post(&agent, headers, body).await
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await });
    format!("http://{address}")
}

async fn post(agent: &str, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.post(agent).headers(headers).body(body).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn the_example_answers_signed_calls_and_refuses_them_when_anything_of_them_is_altered() {
    let agent = example(&[("AGENT_SECRET", SECRET)]);
    let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
    let url = relay(agent.url.clone(), calls.clone()).await;
    let models =
        format!("[[models]]\nsignature = \"mine\"\nkind = \"http\"\nenabled = true\nurl = \"{url}\"\n");
    let mut system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT"], None)
        .models(&models)
        .env("AGENT_SECRETS", "MY_AGENT_SECRET@127.0.0.1")
        .env("MY_AGENT_SECRET", SECRET)
        .start()
        .await;

    let day = json!({ "start_date": "2025-10-06", "end_date": "2025-10-06" });
    let job = system.client.trigger(&day).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    let (headers, body) = calls.lock().unwrap()[0].clone();
    let with = |name: &'static str, value: &str| {
        let mut headers = headers.clone();
        headers.insert(name, value.parse().unwrap());
        headers
    };
    let without = |name: &str| {
        let mut headers = headers.clone();
        headers.remove(name);
        headers
    };
    let larger = Bytes::from(String::from_utf8(body.to_vec()).unwrap().replace("\"trial\":0", "\"trial\":1"));
    assert_ne!(larger, body);
    let of_other = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    assert_eq!(post(&agent.url, headers.clone(), body.clone()).await.0, StatusCode::OK);
    assert_eq!(headers["webhook-id"], headers["idempotency-key"]);
    for (what, headers, body) in [
        ("no signature", without("webhook-signature"), body.clone()),
        ("another signature", with("webhook-signature", of_other), body.clone()),
        ("another id", with("webhook-id", "other"), body.clone()),
        (
            "another time",
            with("webhook-timestamp", &(chrono::Utc::now().timestamp() - 9).to_string()),
            body.clone(),
        ),
        ("an old time", with("webhook-timestamp", "1614265330"), body.clone()),
        ("no time", without("webhook-timestamp"), body.clone()),
        ("another body", headers.clone(), larger),
    ] {
        let (status, text) = post(&agent.url, without_length(headers), body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}: {text}");
    }

    system.kill(it::Service::Modelday);
    system.set_env("AGENT_SECRETS", "");
    system.restart(it::Service::Modelday).await;
    let day = json!({ "start_date": "2025-10-07", "end_date": "2025-10-07" });
    let job = system.client.trigger(&day).await;
    let status = system.client.ended(&job).await;
    assert_eq!(status["status"], "failed", "{status}");
    assert!(status["details"][0]["error"].as_str().unwrap().contains("bad_credentials"), "{status}");
}

/// The client computes the length of a body that was altered.
fn without_length(mut headers: HeaderMap) -> HeaderMap {
    headers.remove("content-length");
    headers
}
