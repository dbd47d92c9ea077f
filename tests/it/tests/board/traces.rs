//! Links to the program that shows traces.

use it::http;
use serde_json::{Value, json};
use test_support::eventually;

use crate::page::Page;
use crate::stage::{Stage, TALK};

pub(crate) async fn a_job_a_day_and_a_dead_letter_link_to_their_traces(stage: &Stage) {
    let client = &stage.system.client;
    let page = stage.browser.page(1440).await;
    let job = &stage.talk;

    page.open(&stage.url(&format!("/board/jobs/{job}")), "Trace").await;
    let of_job = linked(&page).await;
    page.open(&stage.url(&format!("/board/jobs/{job}/thinker/{TALK}")), "Trace").await;
    let of_day = linked(&page).await;
    let letter = dead_letter(stage).await;
    page.open(&stage.url("/board/dead-letters"), "job.started").await;
    let of_letter = linked(&page).await;
    let discard = format!("{}/dead-letters/{}/discard", client.status_url, letter["id"]);
    assert!(http().post(discard).send().await.unwrap().status().is_success());

    let status = client.get_ok(&format!("/jobs/{job}?details=false")).await;
    assert_eq!(of_job, [json!(format!("https://traces.example/{}", status["trace_id"].as_str().unwrap()))]);
    let completed = client.get_ok(&format!("/jobs/{job}/events?type=model_day.completed.v1")).await;
    let event = &completed["events"][0];
    assert_eq!(event["data"]["key"]["trading_date"], TALK);
    let trace = event["traceparent"].as_str().unwrap().split('-').nth(1).unwrap();
    assert_eq!(of_day, [json!(format!("https://traces.example/{trace}"))]);
    assert_eq!(of_letter, [letter["trace_url"].clone()]);
    assert_eq!(page.troubles().await, Vec::<String>::new());
}

/// Where the links to traces lead.
async fn linked(page: &Page) -> Vec<Value> {
    let links =
        "[...document.querySelectorAll('a[href^=\"https://traces.example/\"]')].map((one) => one.href)";
    page.until(&format!("{links}.length > 0")).await;
    page.eval(links).await.as_array().unwrap().clone()
}

/// A message that no service can handle, which was written in the trace of a request.
async fn dead_letter(stage: &Stage) -> Value {
    let kind = "modelday.job.started.v1";
    let mut noise = test_support::TestVhost::event("/modelday/executor", kind, b"noise");
    noise.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    stage.system.vhost.as_ref().unwrap().publish(&[noise]).await;
    eventually("it is a dead letter", async || {
        let letters = stage.system.client.get_ok("/dead-letters?state=open").await;
        letters["dead_letters"].get(0).cloned()
    })
    .await
}
