//! Jobs over a rename: one company, one history, under the symbol of each day.

use std::collections::BTreeMap;

use it::{Shape, System};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use standin::chat::{ChatEndpoint, ToolCall};

use crate::corporate_actions::{bars, dollars, hold, import, import_bars, policy, run};

/// The new symbol is used from this session on.
const RENAMED: &str = "2024-06-10";

/// A company that rises, as FB and then META; the same one as ONE, which keeps its symbol; and a slow one.
async fn import_company(system: &System) {
    let price = |count: i64| Decimal::from(100 + 2 * count);
    let old = bars("FB", |count, date| (date < RENAMED).then(|| price(count)));
    let new = bars("META", |count, date| (date >= RENAMED).then(|| price(count)));
    let one = bars("ONE", |count, _| Some(price(count)));
    let slow = bars("SLOW", |count, _| Some(dollars("50") + dollars("0.1") * Decimal::from(count)));
    import_bars(system, &[old, new, one, slow]).await;
    import(system, "renames", "symbol,date,new_symbol", &format!("FB,{RENAMED},META\n")).await;
}

/// The value of a model's portfolio on each day.
async fn values(system: &System, model: &str, experiment: &str) -> BTreeMap<String, String> {
    let equity = system.client.get_ok(&format!("/equity?model={model}&experiment={experiment}")).await;
    let days = equity["equity"].as_array().unwrap();
    let day = |day: &Value| (day["date"].as_str().unwrap().to_owned(), day["value_at_close"].to_string());
    days.iter().map(day).collect()
}

#[tokio::test]
async fn a_company_is_worth_the_same_under_one_symbol_and_under_two() {
    let momentum = policy("rise", "policy = \"momentum\", lookback = 5, top = 1, rebalance_every = 1");
    let equal = policy("equal", "policy = \"equal_weight\"");
    let system = System::builder(Shape::OneProcess)
        .universe(&["FB", "SLOW"], None)
        .models(&(momentum + &equal + &hold("hold", "META")))
        .start()
        .await;
    import_company(&system).await;

    for (experiment, symbol) in [("old", "FB"), ("new", "META"), ("both", "META,FB"), ("same", "ONE")] {
        let symbols: Vec<&str> = symbol.split(',').chain(["SLOW"]).collect();
        let models = if experiment == "same" { vec!["rise", "equal"] } else { vec!["rise", "equal", "hold"] };
        let options = json!({ "experiment": experiment, "symbols": symbols, "models": models });
        run(&system, "2024-06-03", options).await;
    }

    for model in ["rise", "equal"] {
        let same = values(&system, model, "same").await;
        assert_eq!(same.len(), 19);
        for experiment in ["old", "new", "both"] {
            assert_eq!(values(&system, model, experiment).await, same, "{model} {experiment}");
        }
    }
    for experiment in ["old", "new"] {
        let trades = system.client.get_ok(&format!("/trades?model=hold&experiment={experiment}")).await;
        let trades = trades["trades"].as_array().unwrap();
        assert_eq!((trades.len(), &trades[0]["symbol"]), (1, &json!("FB")), "{trades:?}");
        let last = format!("/results?model=hold&experiment={experiment}&start_date=2024-06-28");
        let last = system.client.get_ok(&last).await;
        assert_eq!(last["results"][0]["final_position"]["holdings"][0]["symbol"], "META", "{last}");
        let board = |experiment: &str| {
            let path = format!("/leaderboard?experiment={experiment}");
            let client = system.client.clone();
            async move { client.get_ok(&path).await }
        };
        let (own, same) = (board(experiment).await, board("same").await);
        let of = |board: &Value| {
            let rows = board["rows"].as_array().unwrap().clone();
            rows.into_iter().find(|row| row["model"] == "equal weight").map(|row| row["return"].clone())
        };
        assert_eq!(of(&own), of(&same), "the benchmark goes through the rename too");
    }
}

#[tokio::test]
async fn an_agent_sees_the_old_symbol_before_the_rename_and_one_history_after_it() {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let call = |name: &str, arguments: Value| vec![ToolCall::new(name, &arguments)];
    let order = |symbol: &str| json!({ "symbol": symbol, "amount": 3 });
    endpoint.script("a", "2024-06-07", vec![call("buy", order("META")), call("buy", order("FB"))]);
    let history = json!({ "symbol": "META", "days": 4 });
    endpoint.script("a", RENAMED, vec![call("get_price_history", history), call("buy", order("META"))]);
    let models = format!(
        "[[models]]\nsignature = \"a\"\nkind = \"llm\"\nenabled = true\nbase_url = \"{}\"\nbasemodel = \"a\"\n",
        endpoint.base_url()
    );
    let system =
        System::builder(Shape::OneProcess).universe(&["META", "SLOW"], None).models(&models).start().await;
    import_company(&system).await;

    let request = json!({ "start_date": "2024-06-07", "end_date": RENAMED });
    let job = system.client.trigger(&request).await;
    let ended = system.client.ended(&job).await;

    assert_eq!(ended["status"], "completed", "{ended}");
    let first = |date: &str| {
        let calls = endpoint.calls();
        calls.into_iter().find(|call| call.date == date).unwrap().text
    };
    assert!(first("2024-06-07").contains("FB: ") && !first("2024-06-07").contains("META"));
    assert!(first(RENAMED).contains("FB is now traded as META") && first(RENAMED).contains("META: 128"));
    let before = system.client.model_day(&job, "a", "2024-06-07").await["transcript"].to_string();
    assert!(before.contains("META"), "the refused order is recorded: {before}");
    let after = system.client.model_day(&job, "a", RENAMED).await["transcript"].to_string();
    for close in [120, 122, 124, 126] {
        assert!(after.contains(&close.to_string()), "{close}: {after}");
    }
    let held = system.client.get_ok(&format!("/results?model=a&start_date={RENAMED}")).await;
    let held = &held["results"][0]["final_position"]["holdings"];
    assert_eq!(*held, json!([{ "symbol": "META", "quantity": 6 }]));
    replayed(&system, &job).await;
}

/// The bundle of the job, run again without servers, comes out the same.
async fn replayed(system: &System, job: &str) {
    let (status, bundle) = system.client.bundle(job).await;
    assert_eq!(status, 200);
    let file = std::env::temp_dir().join(format!("modelday-rename-{}.jsonl.gz", uuid::Uuid::now_v7()));
    std::fs::write(&file, bundle).unwrap();
    let output = it::modelday(&["verify", file.to_str().unwrap()]);
    std::fs::remove_file(file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The models of the tests about one day: an agent that looks at META, beside a policy over the whole universe.
fn one_day_models(endpoint: &ChatEndpoint) -> String {
    format!(
        "[[models]]\nsignature = \"a\"\nkind = \"llm\"\nbase_url = \"{}\"\nbasemodel = \"a\"\n{}",
        endpoint.base_url(),
        policy("equal", "policy = \"equal_weight\"")
    )
}

#[tokio::test]
async fn a_dry_run_over_a_rename_lacks_nothing_that_the_job_does_not_need() {
    let equal = policy("equal", "policy = \"equal_weight\"");
    let system =
        System::builder(Shape::OneProcess).universe(&["FB", "SLOW"], None).models(&equal).start().await;
    import_company(&system).await;

    for symbols in [["FB", "SLOW"], ["META", "SLOW"]] {
        let experiment = symbols.concat();
        let request = json!({ "start_date": "2024-06-06", "end_date": "2024-06-12", "symbols": symbols,
            "experiment": experiment });
        let plan = system.client.plan(&request).await;
        let job = system.client.trigger(&request).await;
        let ended = system.client.ended(&job).await;

        assert_eq!(plan["prices"]["symbols"], 0, "{plan}");
        assert_eq!(plan["model_days"]["to_run"], ended["progress"]["completed"], "{plan} {ended}");
        assert_eq!(plan["model_days"]["to_run"], 5, "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_tried_by_hand_sees_the_history_of_before_the_rename_as_a_job_does() {
    let endpoint = ChatEndpoint::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let history = json!({ "symbol": "META", "days": 4 });
    endpoint.script("a", RENAMED, vec![vec![ToolCall::new("get_price_history", &history)]]);
    let system = System::builder(Shape::OneProcess)
        .universe(&["META", "SLOW"], None)
        .models(&one_day_models(&endpoint))
        .start()
        .await;
    import_company(&system).await;

    let tried = |date: &str, symbols: &str| {
        let mut command = std::process::Command::new(it::binary("modelday"));
        command.args(["try", "a", "--date", date, "--symbols", symbols, "--json"]);
        let output = command.env_clear().env("MODELDAY_URL", &system.client.executor_url).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let after = tried(RENAMED, "META,SLOW");
    let before = tried("2024-06-07", "FB,SLOW");

    for close in [120, 122, 124, 126] {
        assert!(after.contains(&close.to_string()), "{close}: {after}");
    }
    assert!(before.contains("FB: ") && !before.contains("META"), "nothing of later: {before}");
    let began: Value = serde_json::from_str(after.lines().next().unwrap()).unwrap();
    assert_eq!(began["symbols"], 2, "{began}");
}

/// Bars of another company that has the symbol META until the rename.
fn other_company() -> String {
    bars("META", |_, date| (date < RENAMED).then(|| dollars("10")))
}

#[tokio::test]
async fn a_company_that_loses_its_symbol_is_paid_out_and_the_import_and_the_job_say_what_is_missing() {
    let system = System::builder(Shape::OneProcess)
        .universe(&["FB", "META", "SLOW"], None)
        .models(&hold("hold", "META"))
        .start()
        .await;
    let price = |count: i64| Decimal::from(100 + 2 * count);
    let old = bars("FB", |count, date| (date < RENAMED).then(|| price(count)));
    let new = bars("META", |count, date| (date >= RENAMED).then(|| price(count)));
    let slow = bars("SLOW", |_, _| Some(dollars("50")));
    import_bars(&system, &[old, new, other_company(), slow]).await;
    let rename = format!("symbol,date,new_symbol\nFB,{RENAMED},META\n");

    let (_, tried) = system.client.import_prices("?kind=renames&dry_run=true", &rename).await;
    let (status, imported) = system.client.import_prices("?kind=renames", &rename).await;
    let job = run(&system, "2024-06-03", json!({ "experiment": "unknown" })).await;
    let own_rename = format!("META,{RENAMED},METV\n");
    let (_, known) =
        system.client.import_prices("?kind=renames", &format!("symbol,date,new_symbol\n{own_rename}")).await;
    let later = bars("METV", |_, date| (date >= RENAMED).then(|| dollars("11")));
    import_bars(&system, &[later]).await;
    let with_fate = run(&system, "2024-06-03", json!({ "experiment": "known" })).await;

    assert_eq!(status, 200, "{imported}");
    let note = imported["notes"][0].as_str().unwrap_or_default().to_owned();
    assert!(
        note.contains("META was the symbol of another company") && note.contains("kind=renames"),
        "{note}"
    );
    assert_eq!(tried["notes"][0], note, "{tried}");
    let warned = |job: &Value| {
        let details = job["warning_details"].as_array().unwrap();
        details.iter().any(|warning| warning["code"] == "SYMBOL_TAKEN_OVER")
    };
    assert!(warned(&job), "{job}");
    let day = |experiment: &str| {
        let path = format!("/results?model=hold&experiment={experiment}&start_date={RENAMED}");
        let client = system.client.clone();
        async move { client.get_ok(&path).await["results"][0].clone() }
    };
    let paid = day("unknown").await;
    assert_eq!(
        paid["final_position"]["holdings"],
        json!([{ "symbol": "META", "quantity": 78 }]),
        "bought anew for what was paid: {paid}"
    );
    assert_eq!(paid["corporate_actions"][0]["estimated"], true, "{paid}");
    assert_eq!(paid["corporate_actions"][0]["cash"], json!(10000), "{paid}");
    assert!(known["notes"].is_null() && !warned(&with_fate), "{known} {with_fate}");
    let kept = day("known").await;
    assert_eq!(
        kept["final_position"]["holdings"],
        json!([{ "symbol": "METV", "quantity": 1000 }]),
        "the company goes on under its own new symbol: {kept}"
    );
}
