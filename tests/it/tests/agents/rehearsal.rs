//! `modelday try`: one day of an agent by hand, and what it says about agents with faults.

use std::path::Path;
use std::process::{Command, Output};

use it::{PythonAgent, Shape, System, binary};
use serde_json::{Value, json};
use test_support::eventually;

use crate::stage::{endpoint, models};

const DATE: &str = "2025-10-06";

/// What is wrong with the agent at each path, as people read it: a part of the problem, what was expected, the fix.
const FAULTS: [(&str, [&str; 3]); 22] = [
    ("unauthorized", ["status 401", "takes the call", "AGENT_SECRETS"]),
    ("nowhere", ["nothing answers at this path", "POST http://127.0.0.1", "correct the path in url"]),
    ("no-json", ["the answer is no JSON object", r#""tool_calls": [{"name": "buy""#, "one JSON object"]),
    ("list-of-calls", ["the answer is no JSON object", r#""finish": true"#, "one JSON object"]),
    ("calls-no-list", ["tool_calls is no list", r#""tool_calls": ["#, "one JSON object"]),
    ("huge", ["more than 2000 bytes", "smaller", "max_answer_bytes"]),
    ("late", ["too late", "1 s (timeout_seconds)", "raise timeout_seconds"]),
    ("moved", ["redirects to elsewhere.example", "", "write it as the model's address"]),
    ("cut", ["cannot be read", r#""tool_calls""#, "status 200"]),
    ("crash", ["status 500: a fault of the agent", "status 200", "output of the agent"]),
    ("misspelt", ["has done, toolCalls, which mean nothing", r#""tool_calls""#, "docs/agents.md"]),
    ("idle", ["calls no tool and does not end the day", r#""finish": true"#, "a second answer"]),
    ("arguments-no-json", ["arguments of buy cannot be read", r#""amount""#, "one JSON object"]),
    ("missing-argument", ["Missing required parameter: amount", r#""amount""#, "correct the arguments"]),
    ("unknown-tool", ["Unknown tool short", "one of get_price_local", "tool's name"]),
    ("too-many", ["Insufficient cash", "an amount of at most", "fewer shares"]),
    ("nothing-to-sell", ["No position for AAPL", "get_position", "sell only"]),
    ("half-a-share", ["Quantity must be an integer", "whole number", "round"]),
    ("unknown-symbol", ["Symbol ZZZZ not found", "universe", "observation.opens"]),
    ("tomorrow", ["after the open of 2025-10-06 are not known", "up to today", "no later day"]),
    // Nothing listens there.
    ("closed", ["no connection to 127.0.0.1:1", "listens at http://127.0.0.1:1", "start the agent"]),
    ("forbidden", ["169.254.169.254", "", "another address"]),
];

fn entry(signature: &str, url: &str) -> String {
    format!(
        "[[models]]\nsignature = \"{signature}\"\nkind = \"http\"\nurl = \"{url}\"\ntimeout_seconds = 1\n\
         limits = {{ max_answer_bytes = 2000 }}\n"
    )
}

fn modelday(system: &System, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("modelday"));
    command.args(arguments).env_clear().env("MODELDAY_URL", &system.client.executor_url);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines of a try, which has to begin.
fn lines(system: &System, model: &str) -> (Option<i32>, Vec<Value>) {
    let tried = modelday(system, &["try", model, "--date", DATE, "--json"]);
    let lines =
        text(&tried.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>();
    assert!(lines.last().is_some_and(|line: &Value| line["line"] == "ended"), "{model}: {tried:?}");
    (tried.status.code(), lines)
}

/// A system with the prices of the first days of October 2025.
async fn priced(models: &str) -> System {
    let weights =
        "[[models]]\nsignature = \"weights\"\nkind = \"policy\"\npolicy = { policy = \"equal_weight\" }\n";
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT"], None)
        .models(&format!("{weights}{models}"))
        .start()
        .await;
    let days = json!({ "models": ["weights"], "start_date": "2025-10-03", "end_date": DATE });
    let job = system.client.trigger(&days).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    system
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_an_own_agent_is_shown_with_what_was_expected_and_a_fix() {
    let agent = PythonAgent::start(Path::new("python3"), "tests/python/faulty_agent.py", &[]);
    let entries = FAULTS.iter().map(|(fault, _)| match *fault {
        "closed" => entry(fault, "http://127.0.0.1:1/"),
        "forbidden" => String::new(),
        _ => entry(fault, &format!("{}/{fault}", agent.url)),
    });
    let entries: String = entries.chain([entry("right", &format!("{}/right", agent.url))]).collect();
    let system = priced(&entries).await;

    let (code, right) = lines(&system, "right");

    assert_eq!(code, Some(0), "{right:?}");
    let kinds: Vec<&str> = right.iter().map(|line| line["line"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["began", "call", "tool", "call", "ended"]);
    assert_eq!((&right[2]["name"], &right[2]["result"]["AAPL"]), (&json!("buy"), &json!(2)));
    assert_eq!((&right[4]["trades"][0]["quantity"], &right[4]["faults"]), (&json!(2), &json!(0)));
    let request: Value = serde_json::from_str(right[1]["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&request["date"], &request["step"]), (&json!(DATE), &json!(1)));
    for (fault, [problem, expected, fix]) in FAULTS {
        if fault == "forbidden" {
            continue;
        }
        let (code, lines) = lines(&system, fault);
        let found = lines.iter().find(|line| !line["diagnosis"].is_null());
        let found = &found.unwrap_or_else(|| panic!("{fault}: nothing is wrong: {lines:?}"))["diagnosis"];
        for (part, name) in [(problem, "problem"), (expected, "expected"), (fix, "fix")] {
            assert!(found[name].as_str().unwrap().contains(part), "{fault}: {name} of {found}");
        }
        assert_eq!(code, Some(1), "{fault}");
    }
    let stored = "SELECT (SELECT count(*) FROM execution.portfolios WHERE model <> 'weights')
        + (SELECT count(*) FROM execution.attempts) + (SELECT count(*) FROM execution.journal)
        + (SELECT count(*) FROM execution.rehearsals)";
    assert_eq!(system.database.count(stored).await, 0, "nothing is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_shows_every_call_of_a_language_model_and_never_its_key() {
    const KEY: &str = "sk-a-very-secret-key";
    let chat = endpoint().await;
    chat.trade();
    chat.require_key(KEY);
    let key = "api_key_env = \"TEST_AGENT_KEY\"";
    let entries = models(&chat.base_url(), &["a"], key);
    let unset = models(&chat.base_url(), &["unset"], "api_key_env = \"THIS_IS_NOT_SET\"");
    let weights =
        "[[models]]\nsignature = \"weights\"\nkind = \"policy\"\npolicy = { policy = \"equal_weight\" }\n";
    let system = System::builder(Shape::FourProcesses)
        .universe(&["AAPL", "MSFT"], None)
        .models(&format!("{weights}{entries}{unset}"))
        .env("TEST_AGENT_KEY", KEY)
        .start()
        .await;
    let days = json!({ "models": ["weights"], "start_date": "2025-10-03", "end_date": DATE });
    let job = system.client.trigger(&days).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");

    let shown = modelday(&system, &["try", "a", "--date", DATE, "--symbols", "aapl"]);
    let refused = modelday(&system, &["try", "unset", "--date", DATE]);

    let (out, err) = (text(&shown.stdout), text(&shown.stderr));
    assert_eq!(shown.status.code(), Some(0), "{out}{err}");
    for part in [
        &format!("a (llm) on {DATE}: 1 symbols, 10000 dollars, {}/chat/completions", chat.base_url()),
        "authorization: [redacted]",
        "Please analyze and update today's",
        "1 < 200 tool_calls in",
        "\n  buy {",
        " dollars\n",
        "Nothing is wrong. Nothing was stored.",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    assert!(!out.contains(KEY) && !err.contains(KEY), "{out}{err}");
    let refused = (refused.status.code(), text(&refused.stdout));
    assert!(refused.1.contains("has no THIS_IS_NOT_SET") && refused.0 == Some(1), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_begins_from_a_kept_portfolio_and_in_a_stored_universe() {
    let agent = PythonAgent::start(Path::new("python3"), "tests/python/faulty_agent.py", &[]);
    let system = priced(&entry("right", &format!("{}/right", agent.url))).await;
    let one = it::http().put(format!("{}/universes/one", system.client.trigger_url));
    assert!(one.json(&json!({ "symbols": ["AAPL"] })).send().await.unwrap().status().is_success());
    let day = json!({ "models": ["right"], "start_date": "2025-10-03", "end_date": "2025-10-03", "experiment": "kept" });
    let job = system.client.trigger(&day).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");

    let tried = |more: &[&str]| {
        let tried = modelday(&system, &[&["try", "right", "--date", DATE, "--json"], more].concat());
        let lines = text(&tried.stdout);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (lines, text(&tried.stderr))
    };
    let (kept, problem) = tried(&["--experiment", "kept", "--universe", "one"]);
    let (fresh, _) = tried(&[]);

    assert!(!kept.is_empty(), "{problem}");
    assert_eq!((&kept[0]["after"], &kept[0]["holdings"]), (&json!("2025-10-03"), &json!({ "AAPL": 2 })));
    assert_eq!((&kept[0]["symbols"], &fresh[0]["symbols"]), (&json!(1), &json!(2)));
    assert_eq!((&fresh[0]["after"], &fresh[0]["cash"]), (&Value::Null, &json!(10000)));
    let request: Value = serde_json::from_str(kept[1]["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(request["observation"]["holdings"], json!({ "AAPL": 2 }), "{request}");
    assert_eq!(
        (&request["experiment"], &request["observation"]["universe"]),
        (&json!("kept"), &json!(["AAPL"]))
    );
    assert_eq!(kept.last().unwrap()["holdings"], json!({ "AAPL": 4 }));
    let days =
        "SELECT count(*) FROM execution.model_days d JOIN execution.portfolios p ON p.id = d.portfolio_id
        WHERE p.model = 'right'";
    assert_eq!(system.database.count(days).await, 1, "nothing is stored");
    for (more, expected) in [
        (["--experiment", "none"], "in experiment none has no completed day before 2025-10-06"),
        (["--universe", "two"], "Unknown universe: two. Known universes: "),
    ] {
        let (lines, problem) = tried(&more);
        assert!(lines.is_empty() && problem.contains(expected), "{more:?}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_refused_with_a_fix() {
    let agent = PythonAgent::start(Path::new("python3"), "tests/python/faulty_agent.py", &[]);
    let system = priced(&entry("right", &format!("{}/right", agent.url))).await;
    let tried = |model: &str, date: &str| {
        let tried = modelday(&system, &["try", model, "--date", date]);
        (tried.status.code(), text(&tried.stderr))
    };

    for (model, date, expected) in [
        ("nobody", DATE, "No agent is called \"nobody\""),
        ("weights", DATE, "Models of kind llm and http can be tried"),
        ("right", "2025-10-05", "2025-10-05 is no session of the exchange; the next one is 2025-10-06"),
        ("right", "2025-11-14", "modelday run --start 2025-11-14"),
        ("right", "tomorrow", "write the day as YYYY-MM-DD"),
    ] {
        let (code, printed) = tried(model, date);
        assert!(printed.contains(expected) && code == Some(2), "{model} {date}: {code:?} {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_counts_against_the_concurrency_of_its_endpoint_and_jobs_against_that_of_a_try() {
    let chat = endpoint().await;
    let system = priced(&models(&chat.base_url(), &["a"], "concurrency = 1")).await;
    let held = "INSERT INTO execution.rehearsals (id, endpoint, lease_until)
        SELECT gen_random_uuid(), '{url}', now() + interval '1 hour'";
    system.database.execute(&held.replace("{url}", &chat.base_url())).await;

    let tried = modelday(&system, &["try", "a", "--date", DATE]);
    let day = json!({ "models": ["a"], "start_date": DATE, "end_date": DATE });
    let job = system.client.trigger(&day).await;
    eventually("the lane waits for the endpoint", async || {
        let waits = "SELECT count(*) FROM execution.lanes WHERE waits_for_endpoint";
        (system.database.count(waits).await == 1).then_some(())
    })
    .await;

    let printed = text(&tried.stderr);
    assert!(printed.contains("1 days call this endpoint already"), "{printed}");
    assert_eq!(chat.calls().len(), 0);
    system.database.execute("DELETE FROM execution.rehearsals").await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
}
