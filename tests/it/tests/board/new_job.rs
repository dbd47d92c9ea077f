//! The page that starts a job.

use serde_json::json;

use crate::stage::Stage;

pub(crate) async fn the_keyboard_alone_starts_a_job(stage: &Stage) {
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/jobs"), "Model-days").await;

    page.tab_to("a[href='/board/new']").await;
    page.press("Enter").await;
    page.shows("First date").await;
    page.eval("document.querySelectorAll('input[name=models]').forEach((one) => { one.checked = false; })")
        .await;
    page.tab_to("input[value=cash]").await;
    page.press("Space").await;
    page.tab_to("#start_date").await;
    page.type_text("10012025").await;
    page.tab_to("#end_date").await;
    page.type_text("10032025").await;
    page.tab_to("#experiment").await;
    page.type_text("by-keyboard").await;
    page.tab_to("#priority").await;
    page.press("ArrowUp").await;
    page.shows("3 model-days").await;
    page.tab_to("form.new button[type=submit]").await;
    page.press("Enter").await;

    page.shows("3 completed").await;
    let jobs = stage.system.client.get_ok("/jobs?experiment=by-keyboard").await;
    assert_eq!((&jobs["count"], &jobs["jobs"][0]["priority"]), (&json!(1), &json!("high")));
    let id = jobs["jobs"][0]["job_id"].as_str().unwrap();
    assert_eq!(page.eval("location.pathname").await, json!(format!("/board/jobs/{id}")));
}

pub(crate) async fn what_is_wrong_is_told_at_its_field(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url("/board/new?model=cash&start_date=2025-10-08&end_date=2025-10-01"), "First date")
        .await;

    page.until("document.querySelector('[data-field=start_date] .wrong').innerText.includes('end_date')")
        .await;
    assert_eq!(page.eval("document.getElementById('start_date').getAttribute('aria-invalid')").await, "true");
    page.open(&stage.url("/board/new?model=cash&start_date=2025-10-01&end_date=2025-10-02"), "2 model-days")
        .await;
    page.tab_to("#budget").await;
    page.type_text("much").await;
    page.until("document.querySelector('[data-field=budget] .wrong').innerText.length > 5").await;
    assert_eq!(page.texts("[data-field=start_date] .wrong").await, [""]);
    assert_eq!(page.troubles().await, Vec::<String>::new());
}
