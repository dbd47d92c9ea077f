//! Splits and dividends: imported, applied before the open, shown, and suspected when they are not imported.

use it::{Shape, System};
use reqwest::StatusCode;
use serde_json::{Value, json};

const HOLD: &str = "[[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"NVDA\" }\n";

/// A share of 1,200 becomes ten of 120 on 2024-06-10.
const BARS: &str = "symbol,date,open,high,low,close,volume
NVDA,2024-06-07,1200,1210,1190,1208.88,1
NVDA,2024-06-10,120.37,124,119,121.79,1
NVDA,2024-06-11,121.77,123,120,120.91,1
";

async fn system() -> System {
    let system = System::builder(Shape::OneProcess).universe(&["NVDA"], None).models(HOLD).start().await;
    let (status, response) = system.client.import_prices("", BARS).await;
    assert_eq!(status, StatusCode::OK, "{response}");
    system
}

async fn run(system: &System, options: Value) -> (String, Value) {
    let mut request = json!({ "start_date": "2024-06-07", "end_date": "2024-06-11" });
    request.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let job = system.client.trigger(&request).await;
    let ended = system.client.ended(&job).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    (job, ended)
}

/// The messages of the job's warnings with this code.
fn warnings<'a>(status: &'a Value, code: &str) -> Vec<&'a str> {
    let all = status["warning_details"].as_array().unwrap().iter();
    all.filter(|warning| warning["code"] == code)
        .map(|warning| warning["message"].as_str().unwrap())
        .collect()
}

async fn day(system: &System, date: &str) -> Value {
    let results = system.client.get_ok(&format!("/results?model=hold&start_date={date}")).await;
    results["results"][0].clone()
}

fn verified(bundle: &[u8]) -> bool {
    let path = std::env::temp_dir().join(format!("modelday-test-{}.jsonl.gz", uuid::Uuid::now_v7()));
    std::fs::write(&path, bundle).unwrap();
    let output = it::modelday(&["verify", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    output.status.success()
}

#[tokio::test]
async fn an_imported_split_and_dividend_change_the_holdings_before_the_open_and_are_shown() {
    let system = system().await;
    let splits = "symbol,date,ratio\nNVDA,2024-06-10,10:1\n";
    let dividends = "symbol,date,amount\nNVDA,2024-06-11,0.01\n";

    let (status, split) = system.client.import_prices("?kind=splits", splits).await;
    let (_, dividend) = system.client.import_prices("?kind=dividends", dividends).await;
    let (job, ended) = run(&system, json!({})).await;

    assert_eq!(status, StatusCode::OK, "{split}");
    assert_eq!((&split["splits_received"], &split["inserted"]), (&json!(1), &json!(1)));
    assert_eq!((&dividend["dividends_received"], &dividend["stale_days"]), (&json!(1), &json!(0)));
    assert_eq!(warnings(&ended, "SPLIT_SUSPECTED"), [""; 0], "{ended}");
    let first = day(&system, "2024-06-07").await;
    assert_eq!(first["final_position"]["holdings"], json!([{ "symbol": "NVDA", "quantity": 8 }]), "{first}");
    assert_eq!(first["corporate_actions"], json!([]));
    let second = day(&system, "2024-06-10").await;
    assert_eq!(
        second["corporate_actions"],
        json!([{ "action_type": "split", "symbol": "NVDA", "ratio": "10:1", "per_share": null,
            "shares_before": 8, "shares_after": 80, "cash": 0 }])
    );
    assert_eq!(second["starting_position"]["holdings"], json!([{ "symbol": "NVDA", "quantity": 80 }]));
    assert_eq!(second["daily_metrics"]["profit"], json!(29.6), "{second}");
    let third = day(&system, "2024-06-11").await;
    assert_eq!(third["corporate_actions"][0]["per_share"], json!(0.01), "{third}");
    assert_eq!(third["corporate_actions"][0]["cash"], json!(0.8), "{third}");
    assert_eq!(third["final_position"]["cash"], json!(400.8), "{third}");
    assert!(verified(&system.client.bundle(&job).await.1), "the bundle has the split and the dividend");
}

#[tokio::test]
async fn a_split_that_is_not_imported_is_suspected_and_its_import_makes_the_days_stale() {
    let system = system().await;
    let (first, suspected) = run(&system, json!({})).await;
    let splits = "symbol,date,ratio\nNVDA,2024-06-10,10:1\n";

    let (_, response) = system.client.import_prices("?kind=splits", splits).await;
    let stale = system.client.job(&first).await;
    let (_, repaired) = run(&system, json!({ "reprocess_stale": true })).await;
    let (again, unchanged) =
        system.client.import_prices("?kind=splits", "symbol,date,ratio\nNVDA,2024-06-10,10\n").await;
    let (differs, why) =
        system.client.import_prices("?kind=splits", "symbol,date,ratio\nNVDA,2024-06-10,4:1\n").await;
    let taken_back = "symbol,date,ratio\nNVDA,2024-06-10,1\n";
    let (_, taken_back) = system.client.import_prices("?kind=splits&replace=true", taken_back).await;

    let suspicions = warnings(&suspected, "SPLIT_SUSPECTED");
    assert!(suspicions.len() == 1 && suspicions[0].contains("NVDA on 2024-06-10 (10:1)"), "{suspected}");
    assert_eq!((&response["stale_days"], &stale["stale_days"]), (&json!(2), &json!(2)), "{response}");
    assert_eq!(warnings(&repaired, "SPLIT_SUSPECTED"), [""; 0], "{repaired}");
    assert_eq!((&repaired["progress"]["completed"], &repaired["stale_days"]), (&json!(2), &json!(0)));
    assert_eq!(day(&system, "2024-06-11").await["final_position"]["holdings"][0]["quantity"], 80);
    assert!(verified(&system.client.bundle(&first).await.1), "the first job knew of no split");
    assert_eq!((again, &unchanged["unchanged"]), (StatusCode::OK, &json!(1)), "{unchanged}");
    assert_eq!(differs, StatusCode::CONFLICT);
    assert_eq!(why["errors"][0]["msg"], "line 2: NVDA on 2024-06-10 is stored with ratio 10:1");
    assert_eq!((&taken_back["replaced"], &taken_back["stale_days"]), (&json!(1), &json!(2)), "{taken_back}");
}
