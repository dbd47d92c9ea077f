//! Dry runs: what the response says about a job, and that nothing is stored.

mod needs;

use std::path::PathBuf;

use domain::agent::{AddressRules, EndpointRules};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::Stage;

const MODELS: &str = r#"
[[models]]
signature = "equal"
kind = "policy"
trials = 2
policy = { policy = "equal_weight" }

[[models]]
signature = "cash"
kind = "policy"
policy = { policy = "cash" }

[[models]]
signature = "limited"
kind = "llm"
base_url = "https://example.org/v1"
basemodel = "m"
limits = { max_cost = "0.50" }

[[models]]
signature = "open"
kind = "http"
url = "http://127.0.0.1:1/"
"#;

/// A folder with a models file and a universe of two symbols; removed when dropped.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("modelday-plan-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("models.toml"), MODELS).unwrap();
        let universe = r#"{ "name": "small", "benchmark": "QQQ", "symbols": ["AAPL", "MSFT"] }"#;
        std::fs::write(folder.join("universe.json"), universe).unwrap();
        Self(folder)
    }

    async fn stage(&self) -> Stage {
        let path = |name: &str| self.0.join(name).display().to_string();
        let (models, universe) = (path("models.toml"), path("universe.json"));
        Stage::with(&[("MODELS_FILE", &models), ("UNIVERSE_FILE", &universe)]).await
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Labor Day and two sessions.
fn request(models: &[&str]) -> Value {
    json!({ "start_date": "2025-09-01", "end_date": "2025-09-03", "models": models })
}

async fn planned(stage: &Stage, body: &Value) -> Value {
    let answer = stage.plan(body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

/// A bar of each symbol on each date.
async fn store_bars(stage: &Stage, symbols: &[&str], dates: &[&str]) {
    for symbol in symbols {
        for date in dates {
            stage
                .database
                .execute(&format!(
                    "INSERT INTO market.bars (trading_date, symbol, open, high, low, close, volume, source)
                     VALUES ('{date}', '{symbol}', 1, 1, 1, 1, 1, 'test')"
                ))
                .await;
        }
    }
}

/// A job that has run, for days to belong to.
const JOB: &str = "01990000-0000-7000-8000-000000000001";

async fn store_portfolio(stage: &Stage, id: &str, model: &str, trial: u32) {
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.jobs (id, kind, body, state, open_lanes, ended_at)
             VALUES ('{JOB}', 'k', '{{}}', 'completed', 0, now()) ON CONFLICT DO NOTHING"
        ))
        .await;
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.portfolios (id, experiment, model, trial)
             VALUES ('{id}', 'default', '{model}', {trial})"
        ))
        .await;
}

/// A completed day that continued from `base`.
async fn store_day(stage: &Stage, portfolio: &str, date: &str, base: Option<&str>, hash: &str) {
    let base = base.map_or("NULL, NULL".to_owned(), |base| format!("'{base}', 1"));
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, revision, base_date,
                base_revision, config_hash, cash, holdings, value_at_open, value_at_close)
             VALUES ('{JOB}', '{portfolio}', '{date}', 'completed', 1, {base}, '{hash}', 1, '{{}}', 1, 1)"
        ))
        .await;
}

async fn store_usage(stage: &Stage, portfolio: &str, date: &str, cost: &str) {
    let usage = json!({ "calls": 2, "prompt_tokens": 900, "completion_tokens": 100, "cost": cost,
        "unknown_calls": 0, "unpriced_calls": 0 });
    let body = json!({ "usage": usage, "turns": [] });
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.transcripts (portfolio_id, trading_date, job_id, revision, attempt, reason, body)
             VALUES ('{portfolio}', '{date}', '{JOB}', 1, 1, 'finished', '{body}')"
        ))
        .await;
}

async fn config_hash(stage: &Stage, model: &str) -> String {
    let models = stage.get("/models").await.body;
    let models = models["models"].as_array().unwrap();
    let found = models.iter().find(|entry| entry["signature"] == model).unwrap();
    found["config_hash"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dry_run_says_what_would_run_and_stores_nothing() {
    let files = Files::new();
    let stage = files.stage().await;

    let plan = planned(&stage, &request(&["equal"])).await;

    let model_days =
        json!({ "to_run": 4, "already_completed": 0, "market_closed": 2, "incomplete_prices": 0 });
    assert_eq!(
        plan,
        json!({
            "experiment": "default", "start_date": "2025-09-01", "end_date": "2025-09-03", "total_model_days": 6,
            "model_days": model_days,
            "models": [{
                "model": "equal", "kind": "policy", "trials": 2, "ready": true, "first_date": "2025-09-02",
                "last_date": "2025-09-03", "model_days": model_days, "estimate": null,
            }],
            "prices": {
                "symbols": 3, "dates": 2, "first_date": "2025-09-02", "last_date": "2025-09-03", "requests": 3,
                "not_yet_available": 0, "provider": null, "budget_left": null, "budget_suffices": null,
                "reason": "no downloader has told of its provider", "budget_returns_at": null, "windows": null,
                "outlook": null,
            },
            "cost": {
                "basis": "history", "total": 0, "known": 0, "unknown_models": [], "budget": null,
                "budget_suffices": null, "reason": null,
            },
            "warnings": null, "deployment_mode": "PROD", "is_dev_mode": false, "preserve_dev_data": null,
        })
    );
    assert_eq!(stage.stored().await, (0, 0));
    let database = stage.stop().await;
    let rows =
        "SELECT (SELECT count(*) FROM execution.portfolios) + (SELECT count(*) FROM market.preparations)
        + (SELECT count(*) FROM market.call_quotas)";
    assert_eq!(database.count(rows).await, 0);
}

#[tokio::test]
async fn a_dry_run_refuses_the_same_requests_with_the_same_words() {
    let files = Files::new();
    let stage = files.stage().await;

    for body in [
        json!([]),
        json!({ "start_date": "2025-09-01" }),
        json!({ "start_date": "2025-09-02", "end_date": "2025-09-01", "models": ["equal"] }),
        json!({ "end_date": "2025-10-31", "models": ["equal"] }),
        json!({ "end_date": "2025-09-01", "models": ["unknown"] }),
        json!({ "end_date": "2025-09-01" }),
        json!({ "end_date": "2025-09-01", "models": ["equal"], "budget": -1 }),
    ] {
        let (mut plan, mut trigger) = (stage.plan(&body).await, stage.post(&body).await);
        for answer in [&mut plan, &mut trigger] {
            assert!(answer.status.is_client_error(), "{body}: {}", answer.body);
            let fields = answer.body.as_object_mut().unwrap();
            fields.retain(|name, _| name != "trace_id" && name != "instance");
        }
        assert_eq!((plan.status, plan.body), (trigger.status, trigger.body), "{body}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn completed_days_are_kept_replaced_or_run_again_as_the_job_would() {
    let files = Files::new();
    let stage = files.stage().await;
    let portfolio = "01990000-0000-7000-8000-00000000000a";
    store_portfolio(&stage, portfolio, "equal", 0).await;
    store_day(&stage, portfolio, "2025-09-02", None, "another").await;
    store_day(&stage, portfolio, "2025-09-03", None, &config_hash(&stage, "equal").await).await;
    let with = |option: &str| {
        let mut body = request(&["equal"]);
        body[option] = json!(true);
        body
    };

    let kept = planned(&stage, &request(&["equal"])).await;
    let replaced = planned(&stage, &with("replace_existing")).await;
    let stale = planned(&stage, &with("reprocess_stale")).await;
    let resumed = planned(&stage, &json!({ "end_date": "2025-09-03", "models": ["equal"] })).await;

    let counts = |plan: &Value| {
        let days = &plan["model_days"];
        (days["to_run"].as_u64().unwrap(), days["already_completed"].as_u64().unwrap())
    };
    assert_eq!(counts(&kept), (2, 2));
    assert_eq!(counts(&replaced), (4, 0));
    assert_eq!(counts(&stale), (3, 1), "09-03 does not stand on 09-02");
    assert_eq!(counts(&resumed), (0, 0));
    assert_eq!(resumed["warnings"], json!(["equal is up to date; nothing to run"]));
    assert_eq!(resumed["prices"]["requests"], 0);
    let warning = kept["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("1 completed model-days of equal were made under another"), "{warning}");
    assert_eq!(stale["models"][0]["last_date"], "2025-09-03");
    stage.stop().await;
}

#[tokio::test]
async fn stored_prices_are_not_fetched_and_the_providers_quota_decides_what_can_run() {
    let files = Files::new();
    let stage = files.stage().await;
    store_bars(&stage, &["AAPL", "MSFT", "QQQ"], &["2025-09-02"]).await;
    store_bars(&stage, &["AAPL", "QQQ"], &["2025-09-03"]).await;
    let day =
        json!([{ "id": "day", "kind": "fixed", "per": "day", "limit": 25, "time_zone": "America/New_York" }]);
    let source = |recent: &str| {
        format!(
            "WITH first AS (
                 INSERT INTO market.source (name) VALUES ('alpha_vantage') ON CONFLICT DO NOTHING
             )
             INSERT INTO market.sources (position, name, quota_key, windows, max_wait_seconds, recent_sessions, shape)
             VALUES (0, 'alpha_vantage', 'alpha_vantage:1', '{day}', 120, {recent}, 'by_symbol')
             ON CONFLICT (position) DO UPDATE SET recent_sessions = excluded.recent_sessions"
        )
    };

    stage.database.execute(&source("NULL")).await;
    let fresh = planned(&stage, &request(&["equal"])).await;
    stage.database.execute(&source("100")).await;
    let out_of_reach = planned(&stage, &request(&["equal"])).await;
    stage
        .database
        .execute(
            "INSERT INTO market.call_quotas (provider, window_name, state) VALUES ('alpha_vantage:1', 'day',
                 jsonb_build_object('used', 25, 'window_start',
                     date_trunc('day', now() AT TIME ZONE 'America/New_York') AT TIME ZONE 'America/New_York'))",
        )
        .await;
    stage.database.execute(&source("NULL")).await;
    let used_up = planned(&stage, &request(&["equal"])).await;
    stage.database.execute("DELETE FROM market.sources").await;
    let no_key = planned(&stage, &request(&["equal"])).await;

    assert_eq!(
        fresh["prices"],
        json!({ "symbols": 1, "dates": 1, "first_date": "2025-09-03", "last_date": "2025-09-03", "requests": 1,
            "not_yet_available": 0, "provider": "alpha_vantage", "budget_left": 25, "budget_suffices": true,
            "reason": null, "budget_returns_at": null, "windows": null, "outlook": null })
    );
    let outlook = used_up["prices"]["outlook"].as_str().unwrap();
    assert!(outlook.starts_with("1 symbol still lacks prices; calls are allowed again from 2"), "{outlook}");
    assert!(outlook.contains("wait_for_data") && outlook.contains("modelday prices import"), "{outlook}");
    assert_eq!(used_up["prices"]["windows"], 1);
    assert!(used_up["prices"]["budget_returns_at"].is_string(), "{used_up}");
    assert_eq!(fresh["model_days"]["to_run"], 4);
    for (plan, left, reason) in [
        (&out_of_reach, json!(25), "the key's plan does not reach back to all of them"),
        (&used_up, json!(0), "the provider's budget is too small for all of them"),
        (&no_key, json!(null), "the downloader has no key of a provider"),
    ] {
        assert_eq!(plan["model_days"]["to_run"], 2, "{plan}");
        assert_eq!(plan["model_days"]["incomplete_prices"], 2, "{plan}");
        let prices = &plan["prices"];
        assert_eq!((&prices["budget_left"], &prices["budget_suffices"]), (&left, &json!(false)), "{plan}");
        assert_eq!(prices["reason"], reason);
    }
    stage.stop().await;
}

#[tokio::test]
async fn agents_are_estimated_from_their_past_days_or_limits_or_not_at_all() {
    let files = Files::new();
    let stage = files.stage().await;
    let plan = |models: &[&str], budget: Option<&str>| {
        let mut body = request(models);
        body["budget"] = json!(budget);
        body
    };

    let limits = planned(&stage, &plan(&["limited"], Some("0.99"))).await;
    let unknown = planned(&stage, &plan(&["limited", "open"], Some("5"))).await;
    let portfolio = "01990000-0000-7000-8000-00000000000a";
    store_portfolio(&stage, portfolio, "limited", 0).await;
    let hash = config_hash(&stage, "limited").await;
    for (date, cost) in [("2025-08-05", "0.10"), ("2025-08-06", "0.20"), ("2025-08-07", "0.30")] {
        store_day(&stage, portfolio, date, None, &hash).await;
        store_usage(&stage, portfolio, date, cost).await;
    }
    store_day(&stage, portfolio, "2025-08-08", None, "another configuration").await;
    store_usage(&stage, portfolio, "2025-08-08", "9").await;
    let history = planned(&stage, &plan(&["limited"], Some("0.40"))).await;
    let too_little = planned(&stage, &plan(&["limited", "open"], Some("0.39"))).await;

    let estimate = |plan: &Value| plan["models"][0]["estimate"].clone();
    assert_eq!(
        estimate(&limits)["cost"],
        json!({ "basis": "limits", "past_days": 0, "per_day": 0.5, "total": 1 })
    );
    assert_eq!(
        estimate(&limits)["tokens"],
        json!({ "basis": "unknown", "past_days": 0, "per_day": null, "total": null })
    );
    assert_eq!(
        (&limits["cost"]["total"], &limits["cost"]["budget_suffices"], &limits["cost"]["reason"]),
        (&json!(1), &json!(null), &json!("the limits of its days allow more"))
    );
    assert_eq!(
        unknown["cost"],
        json!({ "basis": "unknown", "total": null, "known": 1, "unknown_models": ["open"], "budget": 5,
            "budget_suffices": null, "reason": "the cost of a model is unknown" })
    );
    assert_eq!(
        estimate(&history),
        json!({ "tokens": { "basis": "history", "past_days": 3, "per_day": 1000, "total": 2000 },
            "cost": { "basis": "history", "past_days": 3, "per_day": 0.2, "total": 0.4 } })
    );
    assert_eq!(
        (&history["cost"]["basis"], &history["cost"]["total"], &history["cost"]["budget_suffices"]),
        (&json!("history"), &json!(0.4), &json!(true))
    );
    assert_eq!(
        (&too_little["cost"]["budget_suffices"], &too_little["cost"]["reason"]),
        (&json!(false), &json!("past days cost more"))
    );
    stage.stop().await;
}

#[tokio::test]
async fn a_model_whose_endpoint_may_not_be_called_is_neither_planned_nor_triggered_nor_retried() {
    let files = Files::new();
    let stage = files.stage().await;
    let body = request(&["open", "equal"]);
    let job = stage.post(&body).await.job().to_owned();
    store_portfolio(&stage, "01990000-0000-7000-8000-0000000000f1", "open", 0).await;
    stage
        .database
        .execute(&format!(
            "INSERT INTO execution.jobs (id, kind, body, state, open_lanes, ended_at)
             VALUES ('{job}', 'k', '{{}}', 'partial', 0, now());
             INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, detail)
             VALUES ('{job}', '01990000-0000-7000-8000-0000000000f1', '2025-09-02', 'failed', 'why')"
        ))
        .await;
    let stage = stage.restart_with(EndpointRules::new(AddressRules::default(), Vec::new())).await;
    let stored = stage.stored().await;

    let plan = stage.plan(&body).await;
    let triggered = stage.post(&body).await;
    let retried = stage.post_to(&format!("/jobs/{job}/retry")).await;
    let others = stage.plan(&request(&["equal"])).await;

    for refused in [plan, triggered, retried] {
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
        let detail = refused.detail();
        assert!(detail.starts_with("models.open.url: leads to 127.0.0.1, an inside address"), "{detail}");
        assert!(detail.contains("add 127.0.0.1 to ENDPOINT_ALLOW"), "{detail}");
    }
    assert_eq!(others.status, StatusCode::OK, "{}", others.body);
    assert_eq!(stage.stored().await, stored);
}
