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
