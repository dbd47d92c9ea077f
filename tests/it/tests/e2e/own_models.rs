//! Models and symbols of one's own, without a restart.

use it::{Service, Shape, System, http};
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_support::eventually;

async fn put(system: &System, path: &str, body: &Value) -> Value {
    let response =
        http().put(format!("{}{path}", system.client.trigger_url)).json(body).send().await.unwrap();
    let status = response.status();
    let body = response.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

fn october(more: Value) -> Value {
    let mut request = json!({ "start_date": "2025-10-01", "end_date": "2025-10-07", "models": ["mine"] });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test]
async fn a_model_of_ones_own_trades_the_symbols_of_its_request_and_nobody_is_asked_twice_for_an_unknown_one()
{
    let system = System::builder(Shape::OneProcess).start().await;
    put(&system, "/models/mine", &json!({ "kind": "policy", "policy": { "policy": "equal_weight" } })).await;
    put(&system, "/universes/two", &json!({ "symbols": ["AMD", "INTC"] })).await;

    let named = system.client.trigger(&october(json!({ "universe": "two" }))).await;
    let named = system.client.ended(&named).await;
    let listed = october(json!({ "symbols": ["AMD", "INTC", "ZZZZ"], "experiment": "listed" }));
    let first = system.client.trigger(&listed).await;
    let first = system.client.ended(&first).await;
    let calls = system.prices.calls().len();
    let nobody = october(json!({ "symbols": ["ZZZZ"], "experiment": "nobody" }));
    let second = system.client.trigger(&nobody).await;
    let second = system.client.ended(&second).await;

    assert_eq!(
        (&named["status"], &named["progress"]["completed"]),
        (&json!("completed"), &json!(5)),
        "{named}"
    );
    assert_eq!(
        (&first["status"], &first["progress"]["completed"]),
        (&json!("completed"), &json!(5)),
        "{first}"
    );
    let unavailable = &first["warning_details"][0];
    assert_eq!(
        (&unavailable["code"], &unavailable["symbols"]),
        (&json!("SYMBOLS_UNAVAILABLE"), &json!(["ZZZZ"]))
    );
    assert!(
        unavailable["message"].as_str().unwrap().contains("ZZZZ: Alpha Vantage does not know it"),
        "{first}"
    );
    let (_, trades) = system.client.get("/trades?model=mine&experiment=listed").await;
    let traded: Vec<&str> =
        trades["trades"].as_array().unwrap().iter().filter_map(|row| row["symbol"].as_str()).collect();
    assert!(traded.contains(&"AMD") && traded.contains(&"INTC") && !traded.contains(&"ZZZZ"), "{trades}");
    assert_eq!(second["status"], "failed", "{second}");
    assert!(second.to_string().contains("ZZZZ: Alpha Vantage does not know it"), "{second}");
    assert_eq!(system.prices.calls().len(), calls, "the refusal is believed for a day");
}

#[tokio::test]
async fn sighup_reads_the_models_file_again_and_ends_no_service() {
    let file = std::env::temp_dir().join(format!("modelday-models-{}.toml", uuid::Uuid::now_v7()));
    let entry = |name: &str| {
        format!("[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\npolicy = {{ policy = \"cash\" }}\n")
    };
    std::fs::write(&file, entry("first")).unwrap();
    let builder = System::builder(Shape::FourProcesses).env("MODELS_FILE", &file.display().to_string());
    let mut system = builder.start().await;

    std::fs::write(&file, [entry("first"), entry("second")].concat()).unwrap();
    let services = system.services();
    services.iter().for_each(|service| system.signal(*service, "HUP"));
    eventually("the new model is listed", async || {
        let url = format!("{}/models/second", system.client.trigger_url);
        http().get(url).send().await.ok().filter(|response| response.status().is_success())
    })
    .await;
    std::fs::remove_file(&file).unwrap();

    eventually("the change is in the audit log", async || {
        system.logs().contains("SIGHUP added model second").then_some(())
    })
    .await;
    for service in services {
        assert!(!system.has_ended(service), "{service:?} ended");
    }
    assert!(system.get(Service::Status, "/readyz").await.is_some());
}
