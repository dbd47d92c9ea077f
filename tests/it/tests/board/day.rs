//! A model-day.

use serde_json::json;

use crate::stage::{Stage, TALK};

pub(crate) async fn a_day_shows_thoughts_calls_refusals_and_holdings_with_prices(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url(&format!("/board/jobs/{}/thinker/{TALK}", stage.talk)), "Thoughts").await;

    let talk = page.texts(".talk > li").await;
    let kinds = page.eval("[...document.querySelectorAll('.talk > li')].map((one) => one.className)").await;
    assert!(talk.iter().any(|text| text.contains("What the model saw")), "{talk:?}");
    assert!(talk.iter().any(|text| text.contains("NVDA rose on each of the last days")), "{talk:?}");
    assert!(
        talk.iter().any(|text| text.contains("buy")
            && text.contains("symbol = NVDA")
            && text.contains("amount = 10")),
        "{talk:?}"
    );
    let kinds: Vec<String> = serde_json::from_value(kinds).unwrap();
    assert_eq!(kinds.iter().filter(|kind| *kind == "tool refused").count(), 1, "{kinds:?}");
    let text = page.text().await;
    for part in ["Why it ended", "Tokens", "Cost", "Price then", "Value", "1 filled, 1 refused"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let prices = page.texts("table tr[data-key=NVDA] td").await;
    let held = stage
        .system
        .client
        .get_ok(&format!("/positions?job_id={}&start_date={TALK}&end_date={TALK}", stage.talk))
        .await;
    let nvda = held["positions"].as_array().unwrap().iter().find(|row| row["symbol"] == "NVDA").unwrap();
    assert!(prices.contains(&format!("{:.2}", nvda["price"].as_f64().unwrap())), "{prices:?} {nvda}");
}

pub(crate) async fn the_keyboard_alone_reads_a_day_and_goes_to_the_next(stage: &Stage) {
    let page = stage.browser.page(1440).await;
    page.open(&stage.url(&format!("/board/jobs/{}", stage.talk)), "1 portfolio").await;
    page.until("document.querySelector('a.strip canvas').clientWidth > 0").await;

    page.tab_to("a.strip").await;
    let first = page.eval("document.activeElement.getAttribute('aria-label')").await;
    page.press("ArrowRight").await;
    let second = page.eval("document.activeElement.getAttribute('aria-label')").await;
    page.press("Enter").await;
    page.shows("Conversation").await;
    page.shows("2025-10-02").await;
    page.tab_to("a[rel=next]").await;
    page.press("Enter").await;

    page.shows("2025-10-03").await;
    assert_eq!(first, json!(format!("thinker on {TALK}: completed")));
    assert_eq!(second, json!("thinker on 2025-10-02: completed"));
    let at = page.eval("location.pathname").await;
    assert_eq!(at, json!(format!("/board/jobs/{}/thinker/2025-10-03", stage.talk)));
}
