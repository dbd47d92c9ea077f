//! A system with a policy and two agents, one of which has a wrong key, on a key for two calls a day.

use it::{Shape, System};
use serde_json::{Value, json};
use standin::chat::ChatEndpoint;

/// What the system calls.
pub(crate) struct Endpoints {
    pub(crate) _good: ChatEndpoint,
    pub(crate) _strict: ChatEndpoint,
}

pub(crate) async fn system() -> (System, Endpoints) {
    let endpoint =
        async || ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.expect("the endpoint starts");
    let (good, strict) = (endpoint().await, endpoint().await);
    good.trade();
    strict.require_key("another");
    let agent = |name: &str, url: &str, extra: &str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{url}\"\n\
             basemodel = \"{name}\"\nprices = {{ input = \"1.25\", output = \"10\" }}\n{extra}\n"
        )
    };
    // One endpoint under two names, so that it is clear which of them fails.
    let strict_url = strict.base_url().replace("127.0.0.1", "localhost");
    let models = agent("good", &good.base_url(), "")
        + &agent("refused", &strict_url, "api_key_env = \"TEST_AGENT_KEY\"")
        + "[[models]]\nsignature = \"equal\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"equal_weight\" }\n";
    let system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(&models)
        .env("TEST_AGENT_KEY", "sk-wrong")
        .env("ENDPOINT_KEYS", "TEST_AGENT_KEY@localhost")
        .env("ALPHAVANTAGE_CALLS_PER_DAY", "2")
        .start()
        .await;
    (system, Endpoints { _good: good, _strict: strict })
}

/// A job of three days.
pub(crate) fn job(experiment: &str) -> Value {
    json!({ "start_date": "2025-10-01", "end_date": "2025-10-03", "experiment": experiment })
}

/// Runs a job to its end.
pub(crate) async fn run(system: &System, experiment: &str) {
    let job = system.client.trigger(&job(experiment)).await;
    let ended = system.client.ended(&job).await;
    assert_eq!(ended["status"], "partial", "the days of one model fail: {ended}");
}

/// Publishes a message that no consumer can read.
pub(crate) async fn publish_noise(system: &System) {
    let vhost = system.vhost.as_ref().expect("a virtual host");
    vhost.publish_bytes("modelday.events", "modelday.job.requested.v1", b"noise").await;
}
