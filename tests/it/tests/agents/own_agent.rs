//! A user's own agent in another language: the example of the documentation.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use it::{Shape, System};
use serde_json::json;

use crate::bundle::replays_as_recorded;

/// The running example. It is killed with this value.
struct Agent {
    process: Child,
    url: String,
}

impl Agent {
    fn start() -> Self {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/agent.py");
        let mut command = Command::new("python3");
        let mut process = command.args([example, "0"]).stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("it prints where it listens");
        let url = line.trim().trim_start_matches("listening on ").to_owned();
        Self { process, url }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_example_of_an_own_agent_trades_day_after_day() {
    let agent = Agent::start();
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
