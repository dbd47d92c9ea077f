//! Models of several trials on the leaderboard, and what agents used.

use domain::agent::{AgentReport, UsageTotal};
use domain::events::event::Event;
use domain::simulation::model_day::{CompletedDay, FailedDay};
use serde_json::json;

use crate::world::{World, completed, day, decimal, instant, job, job_id};

/// One day of a trial, which turns 10,000 into `value`.
fn trial(model: &str, trial: u32, value: &str) -> CompletedDay {
    let mut day = day(1, model, "2025-10-01", None, value);
    day.key.trial = trial;
    day
}

fn report(cost: Option<&str>, prompt_tokens: u64, unknown_calls: u64) -> AgentReport {
    let spent = UsageTotal {
        calls: 3,
        prompt_tokens,
        cached: 40,
        completion: 20,
        reasoning: 5,
        cost: cost.map(decimal),
        unknown_calls,
        unpriced_calls: u64::from(cost.is_none()) * 3,
    };
    AgentReport {
        reason: "finished".to_owned(),
        summary: String::new(),
        spent,
        possibly_paid_twice: 1,
        tool_calls: Some(2),
    }
}

async fn accepted(models: &[&str]) -> World {
    let world = World::new().await;
    let job = job(1, models, "2025-10-01", "2025-10-03");
    world.accept(&job).await;
    world.project(&[Event::JobRequested(job)]).await;
    world
}

#[tokio::test]
async fn models_of_several_trials_have_an_interval_and_are_compared() {
    let world = accepted(&["a", "b", "c"]).await;
    let values = [("a", ["10100", "10120", "10140"]), ("b", ["10500", "10520", "10540"])];
    let days = values.iter().flat_map(|(model, values)| {
        values.iter().zip(0..).map(|(value, number)| completed(trial(model, number, value)))
    });
    let mut events: Vec<Event> = days.collect();
    events.push(completed(trial("c", 0, "10100")));
    world.project(&events).await;

    let board = world.get("/leaderboard").await.json;

    let models = &board["models"];
    assert_eq!((&models[0]["model"], &models[0]["trials"]), (&json!("a"), &json!(3)));
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!((number(&models[0]["mean_return"]) - 0.012).abs() < 1e-12);
    assert!((number(&models[0]["std_dev"]) - 0.002).abs() < 1e-12);
    // 4.302652729749464 * 0.002 / sqrt(3) on either side.
    assert!((number(&models[0]["interval"]["low"]) - (0.012 - 0.004_968_275_425_5)).abs() < 1e-9);
    assert_eq!((&models[0]["interval"]["level"], &models[0]["reasons"]), (&json!(0.95), &json!({})));
    assert_eq!(
        (&models[2]["mean_return"].is_number(), &models[2]["interval"], &models[2]["reasons"]["interval"]),
        (&true, &json!(null), &json!("fewer than two trials"))
    );
    let pairs = board["comparisons"].as_array().unwrap();
    let names: Vec<_> = pairs.iter().map(|pair| (pair["a"].clone(), pair["b"].clone())).collect();
    assert_eq!(names, [(json!("a"), json!("b")), (json!("a"), json!("c")), (json!("b"), json!("c"))]);
    assert_eq!((&pairs[0]["distinguishable"], &pairs[0]["reason"]), (&json!(true), &json!(null)));
    assert!((number(&pairs[0]["difference"]) + 0.04).abs() < 1e-12);
    assert!(number(&pairs[0]["p_value"]) < 0.001);
    assert_eq!(
        (&pairs[1]["p_value"], &pairs[1]["distinguishable"], &pairs[1]["reason"]),
        (&json!(null), &json!(null), &json!("fewer than two trials"))
    );
    assert_eq!(board["rows"].as_array().unwrap().iter().filter(|row| row["model"] == "a").count(), 3);
}

#[tokio::test]
async fn what_agents_used_is_summed_per_portfolio_and_per_job_with_failed_days() {
    let world = accepted(&["agent", "cash"]).await;
    let first = CompletedDay { agent: Some(report(Some("0.1"), 100, 0)), ..trial("agent", 0, "10100") };
    let second =
        CompletedDay { agent: Some(report(None, 0, 3)), ..day(1, "agent", "2025-10-02", None, "10100") };
    let failed = FailedDay {
        key: day(1, "agent", "2025-10-03", None, "1").key,
        attempt: 1,
        error: "no answer".to_owned(),
        started_at: instant(5),
        completed_at: instant(6),
        agent: Some(report(Some("0.20"), 50, 1)),
    };
    let idle = trial("cash", 0, "10000");
    world
        .project(&[completed(first), completed(second), Event::ModelDayFailed(failed), completed(idle)])
        .await;

    let board = world.get("/leaderboard").await;
    let narrow = world.get("/leaderboard?start_date=2025-10-01&end_date=2025-10-02").await.json;
    let status = world.get(&format!("/simulate/status/{}?details=false", job_id(1))).await.json;

    let usage = |board: &serde_json::Value, model: &str| {
        let rows = board["rows"].as_array().unwrap();
        rows.iter().find(|row| row["model"] == model).unwrap()["usage"].clone()
    };
    let whole = json!({ "days": 3, "calls": 9, "prompt_tokens": 150, "cached_tokens": 120, "completion_tokens": 60,
        "reasoning_tokens": 15, "cost": 0.3, "unknown_calls": 4, "unpriced_calls": 3, "possibly_paid_twice": 3,
        "tool_calls": 6 });
    assert_eq!(usage(&board.json, "agent"), whole);
    assert_eq!(usage(&board.json, "cash"), json!(null));
    assert_eq!(usage(&narrow, "agent")["cost"], json!(0.1));
    assert_eq!(status["usage"], whole);
    assert!(board.text.contains(r#""cost":0.3,"#), "the cost is exact");
}

#[tokio::test]
async fn a_cost_that_is_unknown_is_null_and_an_agent_that_called_no_tool_is_marked() {
    let world = accepted(&["mute", "old", "trader"]).await;
    let uncounted = AgentReport { tool_calls: None, ..report(None, 0, 3) };
    let silent = AgentReport { tool_calls: Some(0), ..report(None, 0, 3) };
    let day_of = |model, report| completed(CompletedDay { agent: Some(report), ..trial(model, 0, "10000") });
    let later = CompletedDay {
        agent: Some(AgentReport { tool_calls: Some(1), ..silent.clone() }),
        ..day(1, "trader", "2025-10-02", Some("2025-10-01"), "10000")
    };
    let days = [
        day_of("mute", silent.clone()),
        day_of("old", uncounted),
        day_of("trader", silent),
        completed(later),
    ];
    world.project(&days).await;

    let board = world.get("/leaderboard").await;
    let status = world.get(&format!("/simulate/status/{}?details=false", job_id(1))).await.json;
    let job = world.get(&format!("/jobs/{}", job_id(1))).await.json;

    for row in board.json["rows"].as_array().unwrap().iter().filter(|row| row["kind"] == "model") {
        assert_eq!(row["usage"]["cost"], json!(null), "{row}");
        let acted = match row["model"].as_str().unwrap() {
            "mute" => json!(false),
            "trader" => json!(true),
            _ => json!(null),
        };
        assert_eq!(row["acted"], acted, "{row}");
    }
    for usage in [&status["usage"], &job["usage"]] {
        assert_eq!((&usage["cost"], &usage["unpriced_calls"]), (&json!(null), &json!(12)), "{usage}");
    }
}

#[tokio::test]
async fn a_training_cutoff_splits_the_row_and_marks_the_days() {
    let world = World::new().await;
    let before = job(1, &["m", "free"], "2025-10-01", "2025-10-03");
    let mut after = job(2, &["m"], "2025-10-03", "2025-10-03");
    after.models[0].training_cutoff = Some("2025-10-02".parse().unwrap());
    for job in [before, after] {
        world.accept(&job).await;
        world.project(&[Event::JobRequested(job)]).await;
    }
    world
        .project(&[
            completed(day(1, "m", "2025-10-01", None, "10100")),
            completed(day(1, "m", "2025-10-02", Some("2025-10-01"), "10200")),
            completed(day(1, "m", "2025-10-03", Some("2025-10-02"), "10404")),
            completed(day(1, "free", "2025-10-03", None, "10000")),
        ])
        .await;

    let board = world.get("/leaderboard").await.json;
    let late = world.get("/leaderboard?start_date=2025-10-03&models=m").await.json;
    let marked = |date: &str| {
        let path = format!("/results?start_date={date}");
        let world = &world;
        async move { world.get(&path).await.json["results"].clone() }
    };
    let (cutoff, next) = (marked("2025-10-02").await, marked("2025-10-03").await);

    let row = |board: &serde_json::Value, model: &str| {
        board["rows"].as_array().unwrap().iter().find(|row| row["model"] == model).unwrap().clone()
    };
    let whole = row(&board, "m");
    assert_eq!(whole["training_cutoff"], "2025-10-02", "the latest job's, for days of earlier jobs too");
    assert_eq!((&whole["return_pct"], &whole["in_sample"]["return_pct"]), (&json!(4.04), &json!(2)));
    assert_eq!(whole["in_sample"]["model_days"], 2);
    assert_eq!(whole["out_of_sample"]["return_pct"], 2);
    assert_eq!(whole["out_of_sample"]["starting_value"], 10200);
    assert_eq!(whole["out_of_sample"]["reasons"]["sharpe"], "too few returns");
    assert_eq!(
        (&row(&late, "m")["in_sample"], &row(&late, "m")["in_sample_reason"]),
        (&json!(null), &json!("no day on or before the training cutoff"))
    );
    assert_eq!(row(&board, "free").get("in_sample"), None, "without a cutoff there are no parts");
    assert_eq!(cutoff[0]["in_sample"], true);
    let of = |model: &str| next.as_array().unwrap().iter().find(|day| day["model"] == model).unwrap().clone();
    assert_eq!((&of("m")["in_sample"], &of("free")["in_sample"]), (&json!(false), &json!(null)));
}
