//! `DEPLOYMENT_MODE=DEV`: the extra fields in responses, and separate data.

use serde_json::{Value, json};

use crate::stage::{Api, assert_has, first_days, recorded};

#[tokio::test]
async fn a_development_deployment_says_so_and_has_separate_data() {
    let api =
        Api::of(recorded().env("DEPLOYMENT_MODE", "DEV").env("DEV_ENDPOINT_URL", "http://127.0.0.1:9/v1"))
            .await;
    let trailer = json!({ "deployment_mode": "DEV", "is_dev_mode": true, "preserve_dev_data": false });

    let accepted = api.post(&first_days()).await;
    let status = api.system.client.ended(&accepted.job()).await;
    let results = api.get("/results?start_date=2025-10-02&model=trader").await;

    for response in [&accepted.body, &status, &api.get("/health").await.body] {
        assert_has(response, &trailer);
    }
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(
        results.body["results"][0]["final_position"]["cash"], 5887.7,
        "recorded models trade as in production"
    );
    for field in ["deployment_mode", "is_dev_mode", "preserve_dev_data"] {
        assert!(results.body.get(field).is_none(), "results carry no trailer");
    }
    let jobs = "SELECT count(*) FROM trigger.jobs";
    assert_eq!(api.system.database.count(jobs).await, 0, "its jobs are in another schema");
    assert_eq!(api.system.database.count_in_development(jobs).await, 1);
}

#[tokio::test]
async fn the_mode_is_read_as_the_original_read_it() {
    for (mode, preserve, expected) in [
        ("dev", "yes", [json!("DEV"), json!(true), json!(true)]),
        ("prod", "true", [json!("PROD"), json!(false), Value::Null]),
    ] {
        let endpoint = "http://127.0.0.1:9/v1";
        let builder = recorded().env("DEV_ENDPOINT_URL", endpoint).env("PRESERVE_DEV_DATA", preserve);
        let api = Api::of(builder.env("DEPLOYMENT_MODE", mode)).await;

        let health = api.get("/health").await.body;

        let trailer =
            ["deployment_mode", "is_dev_mode", "preserve_dev_data"].map(|field| health[field].clone());
        assert_eq!(trailer, expected, "{mode}");
    }
}
