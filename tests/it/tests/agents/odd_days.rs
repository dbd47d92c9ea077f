//! Days in which agents did not get to decide, and costs that nobody knows.

use it::{Shape, System};
use serde_json::{Value, json};
use standin::chat::{Fault, ToolCall};

use crate::stage::endpoint;

const DATES: [&str; 2] = ["2025-10-02", "2025-10-03"];
/// The largest number of Postgres' columns, which unknown costs once were.
const NO_COST: &str = "79228162514264337593543950335";

#[tokio::test]
async fn odd_ends_are_told_by_model_and_reason_and_an_unknown_cost_is_null_everywhere() {
    let endpoint = endpoint().await;
    let says = json!({ "choices": [{ "index": 0, "finish_reason": "stop",
        "message": { "role": "assistant", "content": "I would buy AAPL." } }] });
    // Each of two days has a response, a reminder and another response.
    (0..4).for_each(|_| endpoint.fault("mute", Fault::Response(200, Vec::new(), says.to_string())));
    let unreadable = ToolCall { name: "buy".to_owned(), arguments: "AAPL, five".to_owned() };
    endpoint.script("garbled", "*", vec![vec![unreadable]; 3]);
    let look = ToolCall::new("get_position", &json!({}));
    endpoint.script("endless", "*", vec![vec![look.clone()]; 9]);
    endpoint.script("calm", "*", vec![vec![look]]);
    (0..2).for_each(|_| endpoint.fault("flood", Fault::Endless));
    let entry = |name: &str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"{name}\"\n\
             limits = {{ max_steps = 3 }}\n",
            endpoint.base_url()
        )
    };
    let entries: String = ["mute", "garbled", "endless", "flood", "calm"].map(entry).concat();
    let system =
        System::builder(Shape::OneProcess).universe(&["AAPL", "MSFT"], None).models(&entries).start().await;
    let request = json!({ "start_date": DATES[0], "end_date": DATES[1] });

    let job = system.client.trigger(&request).await;
    let status = system.client.ended(&job).await;

    assert_eq!(
        (&status["status"], &status["progress"]["failed"]),
        (&json!("partial"), &json!(2)),
        "{status}"
    );
    let told: Vec<&str> =
        status["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let expected = [
        "2 days of endless ended without a decision (max_steps 2)",
        "2 days of flood ended without a decision (too_large 2)",
        "2 days of garbled ended without a decision (bad_arguments 2)",
        "2 days of mute ended without a decision (no_more_to_say 2)",
    ];
    for (text, expected) in told.iter().zip(expected) {
        assert!(text.starts_with(expected), "{told:?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:?}");
    let detail = system.client.get_ok(&format!("/jobs/{job}")).await;
    let first = &detail["warning_details"][0];
    assert_eq!(
        (&first["code"], &first["count"], &first["dates"]),
        (&json!("DAYS_ENDED_ODDLY"), &json!(2), &json!(DATES))
    );

    let board = system.client.get_ok("/leaderboard").await;
    for row in board["rows"].as_array().unwrap().iter().filter(|row| row["kind"] == "model") {
        let acted = ["endless", "calm"].contains(&row["model"].as_str().unwrap());
        assert_eq!((&row["acted"], &row["usage"]["cost"]), (&json!(acted), &Value::Null), "{row}");
    }
    let day = system.client.model_day(&job, "mute", DATES[0]).await;
    assert_eq!(
        (&day["end_reason"], &day["usage"]["cost"]),
        (&json!("no_more_to_say"), &Value::Null),
        "{day}"
    );
    let plan = system.client.plan(&json!({ "start_date": "2025-10-06", "end_date": "2025-10-06" })).await;
    assert_eq!(
        (&plan["cost"]["total"], &plan["models"][0]["estimate"]["cost"]["total"]),
        (&Value::Null, &Value::Null)
    );
    let results = system.client.get_ok(&format!("/results?start_date={}&reasoning=full", DATES[0])).await;
    let jobs = system.client.get_ok("/jobs").await;
    for shown in [&status, &detail, &board, &day, &plan, &results, &jobs] {
        assert!(!shown.to_string().contains(NO_COST), "{shown}");
    }
    assert_eq!((&status["usage"]["cost"], &detail["usage"]["cost"]), (&Value::Null, &Value::Null));
    the_command_line_tells_the_same(&system, &job);
}

fn the_command_line_tells_the_same(system: &System, job: &str) {
    let url = system.client.status_url.clone();
    let printed = |arguments: &[&str]| {
        let output = it::modelday(&[arguments, &["--base-url", &url]].concat());
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };

    let board = printed(&["leaderboard"]);
    assert_eq!(board.matches("(never acted)").count(), 2, "{board}");
    let watched = printed(&["watch", job]);
    assert!(watched.contains("warning: 2 days of mute ended without a decision"), "{watched}");
    let plan = printed(&["plan", "--start", "2025-10-06", "--end", "2025-10-06"]);
    assert!(plan.contains("What its agents would cost is not known"), "{plan}");
    let tables = ["--equity", "--trades", "--positions"].map(|table| printed(&["export", table]));
    for text in [board, watched, plan].iter().chain(&tables) {
        assert!(!text.contains(NO_COST), "{text}");
    }
}
