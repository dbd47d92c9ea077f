//! Holidays, weekends and half days.

use it::{Shape, System};
use serde_json::json;

#[tokio::test]
async fn a_range_with_thanksgiving_downloads_once_and_never_again() {
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT", "NVDA"], Some("QQQ"))
        .models("[[models]]\nsignature = \"equal\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"equal_weight\" }\n")
        .prices(|prices| prices.generated().today("2025-12-15".parse().expect("a date")))
        .start()
        .await;
    let range = |experiment: &str| json!({ "start_date": "2025-11-24", "end_date": "2025-12-02", "experiment": experiment });

    let first = system.client.trigger(&range("first")).await;
    let status = system.client.ended(&first).await;

    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["total_model_days"], 7);
    assert_eq!(status["progress"]["completed"], 6);
    let details = status["details"].as_array().expect("details");
    let thanksgiving = details.iter().find(|day| day["date"] == "2025-11-27").expect("the holiday");
    assert_eq!(
        (thanksgiving["status"].as_str(), thanksgiving["error"].as_str()),
        (Some("skipped"), Some("Market closed"))
    );
    let half_day = details.iter().find(|day| day["date"] == "2025-11-28").expect("the half day");
    assert_eq!(half_day["status"], "completed");
    let calls = system.prices.calls().len();
    assert_eq!(calls, 4);

    for experiment in ["first", "second"] {
        let job = system.client.trigger(&range(experiment)).await;
        let status = system.client.ended(&job).await;
        assert_eq!(status["status"], "completed", "{status}");
    }
    assert_eq!(system.prices.calls().len(), calls);
}
