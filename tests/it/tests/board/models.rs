//! Models and universes.

use serde_json::{Value, json};

use crate::page::Page;
use crate::stage::Stage;

async fn submit(page: &Page) {
    page.eval("document.querySelector('form.new').requestSubmit()").await;
}

async fn fill(page: &Page, field: &str, text: &str) {
    page.eval(&format!("document.getElementById({}).value = {}", json!(field), json!(text))).await;
}

async fn open(page: &Page, stage: &Stage, address: &str, text: &str) {
    page.open(&stage.url(address), text).await;
    page.until("document.querySelector('.page').dataset.loaded === 'true'").await;
}

pub(crate) async fn a_model_and_a_universe_are_added_changed_and_removed_and_it_is_known_by_whom(
    stage: &Stage,
) {
    let page = stage.browser.page(1440).await;
    let model = async || -> Value { stage.system.client.get_ok("/models/of-the-board").await };

    open(&page, stage, "/board/models", "thinker").await;
    page.eval("document.querySelector('a[href=\"/board/models?new=model\"]').click()").await;
    page.shows("Further members").await;
    submit(&page).await;
    page.until("document.querySelector('[data-field=signature] .wrong').innerText === 'Write a name.'").await;
    fill(&page, "signature", "of-the-board").await;
    fill(&page, "policy", r#"{"policy": "momentum", "lookback": "many"}"#).await;
    submit(&page).await;
    page.until("document.querySelector('form [role=alert]').innerText.includes('nonzero')").await;
    fill(&page, "policy", "{").await;
    submit(&page).await;
    page.until("document.querySelector('[data-field=policy] .wrong').innerText.includes('JSON object')")
        .await;
    fill(&page, "policy", r#"{"policy": "buy_and_hold", "symbol": "QQQ"}"#).await;
    fill(&page, "initial_cash", "5000").await;
    submit(&page).await;
    page.shows("of-the-board").await;
    let added = model().await;
    assert_eq!(
        (&added["version"], &added["initial_cash"], &added["ready"]),
        (&json!(1), &json!(5000), &json!(true))
    );

    open(&page, stage, "/board/models?model=of-the-board", "Versions").await;
    assert_eq!(page.eval("document.getElementById('initial_cash').value").await, "5000");
    fill(&page, "rest", r#"{"costs": {"bps": 5}}"#).await;
    submit(&page).await;
    page.shows("Universes").await;
    assert_eq!(model().await["members"]["costs"], json!({ "bps": 5 }));

    open(&page, stage, "/board/models?model=of-the-board", "Versions").await;
    assert_eq!(page.texts("tbody tr").await.len(), 2);
    assert_eq!(page.texts("tbody th").await, ["anonymous", "anonymous"]);
    page.eval("document.querySelector('[data-act=remove]').click()").await;
    page.until("document.querySelector('[data-act=remove]').innerText.includes('sure')").await;
    page.eval("document.querySelector('[data-act=remove]').click()").await;
    page.shows("Universes").await;
    page.until("!document.getElementById('main').innerText.includes('of-the-board')").await;

    open(&page, stage, "/board/models?new=universe", "Benchmark").await;
    fill(&page, "name", "of-two").await;
    fill(&page, "symbols", "AAPL, MSFT").await;
    submit(&page).await;
    page.shows("of-two").await;
    assert_eq!(stage.system.client.get_ok("/universes/of-two").await["symbols"], json!(["AAPL", "MSFT"]));
    open(&page, stage, "/board/audit", "stored a universe").await;
    let acts = page.texts("tbody tr").await.join("\n");
    assert!(acts.contains("removed a model, version 3") && acts.contains("of-the-board"), "{acts}");
    assert_eq!(page.troubles().await, Vec::<String>::new());
}
