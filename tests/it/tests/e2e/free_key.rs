//! Prices that a small budget brings over several days, symbols that no provider has, and jobs that need few prices.

use it::{Shape, System};
use serde_json::{Value, json};

const EQUAL: &str = "[[models]]\nsignature = \"equal\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"equal_weight\" }\n";

fn october(more: Value) -> Value {
    let mut request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-07" });
    let members = request.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    request
}

/// Ends the provider's day, for the stand-in and for what the downloader counts.
async fn next_day(system: &System, today: &str) {
    system.prices.set_today(today.parse().expect("a date"));
    let quotas = "UPDATE market.call_quotas SET state = jsonb_set(state, '{window_start}',
                      to_jsonb((state ->> 'window_start')::timestamptz - interval '1 day'))
                  WHERE state ? 'window_start' AND state ->> 'window_start' IS NOT NULL";
    system.database.execute(quotas).await;
    system.database.execute("UPDATE market.preparations SET not_before = now() WHERE state = 'due'").await;
}

/// The warning of a job with this code.
fn warning<'a>(status: &'a Value, code: &str) -> &'a Value {
    let warnings = status["warning_details"].as_array().expect("warnings");
    warnings.iter().find(|warning| warning["code"] == code).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_job_over_102_symbols_with_25_calls_a_day_says_what_it_waits_for_and_completes_on_the_fifth() {
    let system = System::builder(Shape::OneProcess)
        .models(EQUAL)
        .env("ALPHAVANTAGE_CALLS_PER_DAY", "25")
        .prices(|prices| prices.rate_limit_after(25))
        .start()
        .await;
    let plan = system.client.plan(&october(json!({}))).await;
    let at_once = system.client.trigger(&october(json!({ "experiment": "at-once" }))).await;
    let at_once = system.client.ended(&at_once).await;

    let text = "77 symbols still lack prices; calls are allowed again from 2";
    let planned = plan["prices"]["outlook"].as_str().expect("an outlook");
    assert!(planned.starts_with(text), "{planned}");
    assert_eq!((&plan["prices"]["requests"], &plan["prices"]["windows"]), (&json!(102), &json!(4)), "{plan}");
    assert_eq!(at_once["status"], "failed", "{at_once}");
    let missing = warning(&at_once, "PRICES_MISSING")["message"].as_str().expect("a message");
    assert!(missing.starts_with(text), "{missing}");
    for way in
        ["within 4 windows of the call quota", "wait_for_data", "fewer symbols", "modelday prices import"]
    {
        assert!(missing.contains(way), "{missing}");
    }

    let job = system.client.trigger(&october(json!({ "wait_for_data": true }))).await;
    for (today, symbols, windows) in
        [("2025-10-31", 77_u64, 4), ("2025-11-03", 52, 3), ("2025-11-04", 27, 2), ("2025-11-05", 2, 1)]
    {
        let waits = |status: &Value| status["waiting"]["symbols_missing"] == symbols;
        system.client.until(&job, "wait", waits).await;
        let status = system.client.job(&job).await;
        assert_eq!(status["waiting"]["windows"], windows, "{status}");
        assert_eq!(status["waiting"]["until"], status["waiting_for"], "{status}");
        let message = status["waiting"]["message"].as_str().expect("a message");
        assert!(message.starts_with(&format!("{symbols} symbols still lack prices")), "{message}");
        // The first job has used the calls of the first day, so this one has only begun to wait.
        let done = status["download"]["symbols_done"].as_u64().unwrap_or(0);
        assert_eq!(done, 77 - symbols, "{status}");
        next_day(&system, today).await;
    }
    let status = system.client.ended(&job).await;

    assert_eq!(
        (&status["status"], &status["progress"]["completed"]),
        (&json!("completed"), &json!(5)),
        "{status}"
    );
    assert_eq!((&status["waiting"], &status["warnings"]), (&Value::Null, &Value::Null));
    assert_eq!(system.prices.calls().len(), 102, "each symbol was asked for once");
}

#[tokio::test]
async fn a_job_completes_without_the_symbols_that_nobody_knows_and_an_order_in_one_is_refused() {
    use standin::Fault;
    let decisions = std::env::temp_dir().join(format!("modelday-unknown-{}.csv", std::process::id()));
    let orders = "model,date,sequence,action,symbol,quantity\ntrader,2025-10-01,1,buy,XXXX,1\ntrader,2025-10-01,2,buy,AAPL,2\n";
    std::fs::write(&decisions, orders).expect("the decisions are written");
    let models = format!(
        "{EQUAL}[[models]]\nsignature = \"trader\"\nkind = \"recorded\"\nenabled = true\ndecisions = {decisions:?}\n"
    );
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT", "NVDA", "XXXX", "YYYY"], Some("QQQ"))
        .models(&models)
        .prices(|prices| {
            let unknown = prices.fault("XXXX", Fault::Unknown).fault("YYYY", Fault::Unknown);
            unknown.fault("NVDA", Fault::Unknown.times(2))
        })
        .start()
        .await;

    let job = system.client.trigger(&october(json!({}))).await;
    let status = system.client.ended(&job).await;
    let results = system.client.get_ok("/results?start_date=2025-10-01&model=trader").await;
    std::fs::remove_file(&decisions).expect("they are there");

    assert_eq!(
        (&status["status"], &status["progress"]["completed"]),
        (&json!("completed"), &json!(10)),
        "{status}"
    );
    assert_eq!(warning(&status, "SYMBOLS_UNAVAILABLE")["symbols"], json!(["XXXX", "YYYY"]));
    assert_eq!(status["warnings"].as_array().map(Vec::len), Some(1), "nothing else is missing: {status}");
    let day = &results["results"][0];
    assert_eq!(
        (&day["refused_orders"][0]["symbol"], &day["refused_orders"][0]["code"]),
        (&json!("XXXX"), &json!("no_price")),
        "{day}"
    );
    assert_eq!(day["trades"][0]["symbol"], "AAPL", "{day}");
}

#[tokio::test]
async fn cash_and_an_index_fund_run_on_an_installation_without_any_price() {
    let models = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\npolicy = { policy = \"cash\" }\n
        [[models]]\nsignature = \"hold-qqq\"\nkind = \"policy\"\npolicy = { policy = \"buy_and_hold\", symbol = \"QQQ\" }\n";
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/sources.toml");
    let system = System::builder(Shape::OneProcess).models(models).env("SOURCES_FILE", sources).start().await;

    let providers = system.client.prices("/providers").await;
    let listed: Vec<_> = providers["providers"].as_array().expect("providers").iter().collect();
    assert_eq!(
        listed.iter().map(|provider| &provider["name"]).collect::<Vec<_>>(),
        ["alpha_vantage", "tiingo", "massive"]
    );
    let with_key = |provider: &&&Value| provider["key_configured"] == true;
    assert_eq!(listed.iter().filter(with_key).count(), 1, "{providers}");
    for (model, calls) in [("cash", 0), ("hold-qqq", 1)] {
        let job = system.client.trigger(&october(json!({ "models": [model] }))).await;
        let status = system.client.ended(&job).await;

        assert_eq!(
            (&status["status"], &status["progress"]["completed"]),
            (&json!("completed"), &json!(5)),
            "{status}"
        );
        assert_eq!(system.prices.calls().len(), calls, "{model}");
    }
}
