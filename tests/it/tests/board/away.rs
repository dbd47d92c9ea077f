//! A system of its own, which is stopped while its page is open.

use it::{Service, Shape, System};
use serde_json::json;

use crate::stage::Stage;

const MODELS: &str = "[[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"AAPL\" }\n";

pub(crate) async fn development_is_marked_and_a_server_that_is_away_is_told_and_waited_for(stage: &Stage) {
    let start = System::builder(Shape::OneProcess)
        .env("DEPLOYMENT_MODE", "DEV")
        .universe(&["AAPL"], None)
        .models(MODELS);
    let mut system = start.start().await;
    let page = stage.browser.page(1440).await;
    page.open(&format!("{}/board/jobs", system.client.status_url), "No job yet").await;
    page.until(
        "document.getElementById('mode').innerText === 'DEV' && !document.getElementById('mode').hidden",
    )
    .await;

    system.kill(Service::Modelday);
    page.until("!document.getElementById('away').hidden").await;
    assert!(page.text().await.contains("The server does not answer"), "{}", page.text().await);
    assert!(page.text().await.contains("No job yet"), "what was shown stays");
    system.set_env("PRESERVE_DEV_DATA", "true");
    system.restart(Service::Modelday).await;
    page.until("document.getElementById('away').hidden").await;
    system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" })).await;

    page.shows("hold").await;
    let stage_page = stage.browser.page(1440).await;
    stage_page.open(&stage.url("/board/models"), "thinker").await;
    assert_eq!(stage_page.eval("document.getElementById('mode').hidden").await, true);
}
