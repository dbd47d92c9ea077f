//! Cases from public bug reports that belong to no other test of this folder.

use it::{Shape, System};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const COLUMNS: &str = "symbol,date,open,high,low,close,volume\n";
const CASH: &str = "[[models]]\nsignature = \"hold/cash:free\"\nkind = \"policy\"\nenabled = true\n\
    policy = { policy = \"cash\" }\n[[models]]\nsignature = \"momentum-20\"\nkind = \"policy\"\n\
    policy = { policy = \"cash\" }\n";

async fn send(method: Method, url: &str, body: Option<String>) -> (StatusCode, String) {
    let mut request = Client::new().request(method, url);
    if let Some(body) = body {
        let kind = if body.starts_with('{') { "application/json" } else { "text/csv" };
        request = request.header("Content-Type", kind).body(body);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_nul_in_any_place_is_a_fault_of_the_request() {
    let system = System::builder(Shape::OneProcess).models(CASH).start().await;
    let server = &system.client.status_url;
    let range = |more: Value| {
        let mut body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body.to_string())
    };
    let paths = [
        "/results?model=%00",
        "/jobs?cursor=%00",
        "/jobs?state=%00",
        "/events?cursor=%00",
        "/leaderboard?experiment=%00",
        "/trades?model=a%00b",
        "/positions?model=%00",
        "/equity?model=%00",
        "/prices/coverage?symbol=%00",
        "/prices/coverage?symbol=A%00",
        "/jobs/%00",
        "/jobs/%00/events",
        "/simulate/status/%00",
        "/jobs/01a22cc7-1657-7469-920a-b4ec1922906f/model-days/%00/2025-10-01",
        "/%00",
    ];

    for path in paths {
        let (status, body) = send(Method::GET, &format!("{server}{path}"), None).await;
        assert!(status.is_client_error(), "{path}: {status} {body}");
    }
    for (path, body) in [
        ("/simulate/trigger", range(json!({ "experiment": "a\0b" }))),
        ("/simulate/trigger", range(json!({ "models": ["\0"] }))),
        ("/simulate/plan", range(json!({ "experiment": "\0" }))),
        ("/prices/import", Some(format!("{COLUMNS}A\0,2025-10-01,1,1,1,1,1\n"))),
        ("/prices/import", Some(format!("{COLUMNS}A,2025-10-01,1,1,1,1,1\0\n"))),
        ("/prices/import?symbol=%00", Some(format!("{COLUMNS},2025-10-01,1,1,1,1,1\n"))),
    ] {
        let (status, answer) = send(Method::POST, &format!("{server}{path}"), body.clone()).await;
        assert!(status.is_client_error(), "{path} {body:?}: {status} {answer}");
    }
}

#[tokio::test]
async fn a_head_request_is_answered_like_a_get_without_a_body() {
    let system = System::builder(Shape::OneProcess).models(CASH).start().await;
    let server = &system.client.status_url;

    for path in ["/health", "/livez", "/readyz", "/", "/jobs", "/metrics"] {
        let got = send(Method::GET, &format!("{server}{path}"), None).await.0;
        let (status, body) = send(Method::HEAD, &format!("{server}{path}"), None).await;
        assert_eq!((status, got, body.as_str()), (StatusCode::OK, StatusCode::OK, ""), "{path}");
    }
}

#[tokio::test]
async fn a_model_with_a_slash_is_reached_by_its_path_and_a_job_is_cancelled_once() {
    let system = System::builder(Shape::OneProcess).models(CASH).start().await;
    let october = json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" });
    let job = system.client.trigger(&october).await;
    let ended = system.client.ended(&job).await;
    assert_eq!(ended["status"], "completed", "{ended}");

    let day = system.client.model_day(&job, "hold%2Fcash:free", "2025-10-02").await;
    let late = system.client.post(&format!("/jobs/{job}/cancel")).await;
    let waiting =
        system.client.trigger(&json!({ "start_date": "2016-01-04", "end_date": "2025-09-30" })).await;
    let path = format!("/jobs/{waiting}/cancel");
    let twice = tokio::join!(system.client.post(&path), system.client.post(&path));

    assert_eq!(day["model"], "hold/cash:free", "{day}");
    assert_eq!(late.0, StatusCode::CONFLICT, "{}", late.1);
    assert_eq!(system.client.job(&job).await["status"], "completed");
    for (status, answer) in [twice.0, twice.1] {
        assert!([StatusCode::OK, StatusCode::CONFLICT].contains(&status), "{status} {answer}");
    }
    let status = system.client.ended(&waiting).await;
    assert!(["cancelled", "completed", "failed"].contains(&status["status"].as_str().unwrap()), "{status}");
}

#[tokio::test]
async fn a_misspelt_name_is_refused_with_the_nearest_one() {
    let system = System::builder(Shape::OneProcess).models(CASH).start().await;
    let server = &system.client.trigger_url;
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(it::binary("modelday"));
        command.args(arguments).env_clear().env("MODELDAY_URL", server).output().expect("modelday runs")
    };

    let run = run(&["run", "--models", "momentm-20", "--start", "2025-10-01", "--end", "2025-10-02"]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();

    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(said.contains("momentm-20") && said.contains("momentum-20"), "{said}");
    for (field, known) in [("model", "models"), ("replace_exsisting", "replace_existing")] {
        let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", field: ["hold/cash:free"] });
        let (status, answer) =
            send(Method::POST, &format!("{server}/simulate/plan"), Some(body.to_string())).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        assert!(answer.contains(&format!("'{known}'")) || answer.contains(known), "{answer}");
    }
    assert_eq!(system.database.count("SELECT count(*) FROM trigger.jobs").await, 0);
}

#[tokio::test]
async fn symbols_that_are_words_elsewhere_and_prices_of_any_size_come_out_as_they_are() {
    let decisions = std::env::temp_dir().join(format!("modelday-sizes-{}.csv", std::process::id()));
    let orders = "model,date,sequence,action,symbol,quantity\n\
        sizes,2025-10-01,1,buy,BRK.A,10\nsizes,2025-10-01,2,buy,NULL,5000000000\n\
        sizes,2025-10-02,1,sell,NULL,3000000000\n";
    std::fs::write(&decisions, orders).expect("the decisions are written");
    let models = format!(
        "[[models]]\nsignature = \"sizes\"\nkind = \"recorded\"\nenabled = true\ninitial_cash = 10000000\n\
         decisions = {decisions:?}\n"
    );
    let system = System::builder(Shape::OneProcess)
        .universe(&["BRK.A", "NULL"], Some("NA"))
        .models(&models)
        .start()
        .await;
    let mut rows = COLUMNS.to_owned();
    for (symbol, price) in [("BRK-A", "780000"), ("NULL", "0.0001"), ("NA", "1"), ("TRUE", "1"), ("NAN", "1")]
    {
        for date in ["2025-10-01", "2025-10-02"] {
            rows += &format!("{symbol},{date},{price},{price},{price},{price},1000\n");
        }
    }
    let (status, answer) = system.client.import_prices("", &rows).await;
    assert_eq!(status, StatusCode::OK, "{answer}");

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" })).await;
    let ended = system.client.ended(&job).await;
    std::fs::remove_file(&decisions).expect("they are there");

    assert_eq!(ended["status"], "completed", "{ended}");
    for symbol in ["NA", "TRUE", "NULL", "NAN"] {
        let coverage = system.client.prices(&format!("/prices/coverage?symbol={symbol}")).await;
        assert_eq!(coverage["symbols"][0]["symbol"], symbol, "{coverage}");
        assert_eq!(coverage["symbols"][0]["bars"], 2, "{coverage}");
    }
    for (date, cash) in [("2025-10-01", 1_700_000), ("2025-10-02", 2_000_000)] {
        let results = system.client.get_ok(&format!("/results?model=sizes&start_date={date}")).await;
        assert_eq!(results["results"][0]["final_position"]["cash"], json!(cash), "{results}");
    }
    let (status, csv) = send(
        Method::GET,
        &format!("{}/positions?model=sizes&start_date=2025-10-02&format=csv", system.client.status_url),
        None,
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{csv}");
    assert!(csv.contains("2000000000") && csv.contains("0.0001") && csv.contains("780000"), "{csv}");
    let board = system.client.get_ok("/leaderboard").await;
    assert_eq!(board["rows"][0]["final_value"], json!(10_000_000), "{board}");
}
