//! Jobs and single jobs.

use futures::StreamExt as _;
use serde_json::{Value, json};
use test_support::eventually;

use crate::browser::Browser;
use crate::stage::{AT_ONCE, MANY_DAYS, Stage};

fn small(experiment: &str) -> Value {
    json!({ "models": ["cash"], "experiment": experiment, "start_date": "2025-10-01", "end_date": "2025-10-01" })
}

/// Field case: of jobs that were made together only a page was listed.
pub(crate) async fn jobs_made_sixty_at_once_are_all_listed(stage: &Stage) {
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/jobs"), "Model-days").await;
    page.until("document.getElementById('live').textContent === 'live'").await;

    let jobs = futures::stream::iter(0..AT_ONCE).map(|number| {
        let body = small(&format!("once-{number}"));
        async move {
            // A busy machine may have no connection to the database for a moment.
            let job = async || {
                stage.system.client.post_trigger(&body).await.1["job_id"].as_str().map(str::to_owned)
            };
            eventually("a job is accepted", job).await
        }
    });
    let ids: Vec<String> = jobs.buffer_unordered(12).collect().await;

    eventually("all jobs are listed", async || {
        let shown = page.eval("[...document.querySelectorAll('tbody a.id')].map((one) => one.title)").await;
        let shown: Vec<String> = serde_json::from_value(shown).unwrap();
        ids.iter().all(|id| shown.contains(id)).then_some(())
    })
    .await;
    page.until("[...document.querySelectorAll('tbody .pill')].every((one) => !/running|pending/.test(one.innerText))").await;
}

pub(crate) async fn jobs_are_counted_by_state_and_found_by_text(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url("/board/jobs?experiment=failing"), "broken").await;
    assert_eq!(page.texts("tbody a.id").await.len(), 1);
    let tabs = page.texts(".tabs a").await.join(" ").replace('\n', " ");
    assert!(tabs.contains("all1") || tabs.contains("all 1"), "{tabs}");
    assert!(tabs.contains("failed1") || tabs.contains("failed 1"), "{tabs}");
    page.open(&stage.url("/board/jobs?text=THINK"), "thinker").await;
    assert_eq!(page.texts("tbody a.id").await.len(), 1);
    page.open(&stage.url("/board/jobs?status=failed&text=thinker"), "No job is like this").await;
}

pub(crate) async fn several_jobs_are_cancelled_together(stage: &Stage) {
    let slow = json!({ "models": ["random"], "experiment": "cancelled", "start_date": "2025-06-10", "end_date": "2025-10-30" });
    let first = stage.system.client.trigger(&slow).await;
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/jobs?experiment=cancelled"), "random").await;

    page.eval("document.querySelector('tbody input').click()").await;
    page.until("/^Cancel 1/.test(document.querySelector('[data-act=cancel]')?.innerText)").await;
    page.eval("document.querySelector('[data-act=cancel]').click()").await;

    page.shows("1 job cancelled").await;
    assert_eq!(stage.system.client.ended(&first).await["status"], "cancelled");
    page.until("document.querySelector('tbody .pill').innerText === 'cancelled'").await;
}

pub(crate) async fn what_one_browser_does_the_other_shows(stage: &Stage) {
    let other = Browser::start().expect("a second browser");
    let (one, two) = (stage.browser.page(1440).await, other.page(390).await);
    let list = stage.url("/board/jobs?experiment=two-browsers");
    one.open(&list, "No job is like this").await;
    two.open(&list, "No job is like this").await;

    let slow = json!({ "models": ["random"], "experiment": "two-browsers", "start_date": "2025-06-10", "end_date": "2025-10-30" });
    let job = stage.system.client.trigger(&slow).await;
    one.shows("random").await;
    two.shows("random").await;
    one.eval("document.querySelector('tbody input').click()").await;
    one.until("/^Cancel 1/.test(document.querySelector('[data-act=cancel]')?.innerText)").await;
    one.eval("document.querySelector('[data-act=cancel]').click()").await;

    for page in [&one, &two] {
        page.until("document.querySelector('tbody .pill').innerText === 'cancelled'").await;
        assert_eq!(page.troubles().await, Vec::<String>::new());
    }
    assert_eq!(stage.system.client.ended(&job).await["status"], "cancelled");
}

/// Field case: holidays were warnings, beside those that one has to act on.
pub(crate) async fn holidays_and_completed_days_are_facts_and_no_warnings(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url(&format!("/board/jobs/{}", stage.long)), "50 portfolios").await;

    let facts = page.texts(".fact").await.join(" ");
    assert!(facts.contains("Market closed"), "{facts}");
    assert_eq!(page.texts(".notice.warning").await, Vec::<String>::new());
    page.open(&stage.url("/board/jobs?experiment=long"), "random").await;
    assert_eq!(page.texts("tbody .warned").await, Vec::<String>::new());
    assert!(page.texts("tbody .fact").await.join(" ").contains("Market closed"));
}

/// Field case: counts were of the days that one answer lists, 5,000.
pub(crate) async fn counts_are_right_beyond_what_one_answer_lists(stage: &Stage) {
    let job = stage.system.client.get_ok(&format!("/jobs/{}?details=false", stage.long)).await;
    assert_eq!(job["progress"]["total_model_days"], MANY_DAYS);
    let page = stage.browser.page(1440).await;

    page.open(&stage.url(&format!("/board/jobs/{}", stage.long)), "50 portfolios").await;

    let done = page.texts(".lane .done").await;
    let number = |text: &String| text.split(' ').next().unwrap().replace(',', "").parse::<u64>().unwrap();
    assert_eq!(done.len(), 50);
    assert_eq!(done.iter().map(number).sum::<u64>(), job["progress"]["completed"].as_u64().unwrap());
    let shown = page.texts(".key.completed").await.join(" ").replace(',', "");
    assert!(shown.contains(&job["progress"]["completed"].to_string()), "{shown}");
}

/// Field case: 22 days that failed alike were 22 rows.
pub(crate) async fn equal_failures_are_one_row(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url(&format!("/board/jobs/{}", stage.failing)), "Failures by cause").await;

    let rows = page.texts("table tbody tr").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].starts_with("22"), "{rows:?}");
    page.eval("document.querySelector('table tbody a').click()").await;
    page.shows("maximum context length").await;
}

/// Field case: ids broke into several lines.
pub(crate) async fn an_id_stays_on_one_line(stage: &Stage) {
    for width in [1440, 390] {
        let page = stage.browser.page(width).await;
        page.open(&stage.url(&format!("/board/jobs/{}", stage.sample)), "gpt-5").await;
        let lines = page.eval("Math.max(...[...document.querySelectorAll('.id')].map((one) => one.getClientRects().length))").await;
        assert_eq!(lines, 1, "at {width} px");
    }
}

pub(crate) async fn a_running_job_is_followed_with_little_traffic(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    let begun = std::time::Instant::now();
    page.open(&stage.url(&format!("/board/jobs/{}", stage.long)), "50 portfolios").await;
    let loaded = page.received();
    stage.system.client.ended(&stage.long).await;
    page.until("document.querySelector('h1 + .pill').innerText === 'completed'").await;

    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "    followed a job of {MANY_DAYS} days for {seconds:.1} s: {} kB to load, {} kB after",
        loaded / 1000,
        (page.received() - loaded) / 1000
    );
    let sizes = page
        .eval("performance.getEntriesByType('resource').filter((one) => one.initiatorType === 'fetch' && !one.name.includes('/events')) \
            .reduce(([sent, whole], one) => [sent + one.encodedBodySize, whole + one.decodedBodySize], [0, 0])")
        .await;
    let (sent, whole) = (sizes[0].as_u64().unwrap(), sizes[1].as_u64().unwrap());
    println!("    its answers: {} kB as sent, {} kB whole", sent / 1000, whole / 1000);
    assert!(sent * 3 < whole, "{sent} of {whole} bytes: long answers are compressed");
    page.until("[...document.querySelectorAll('.lane .done')].every((one) => /^\\d+ done/.test(one.innerText) && !/^0/.test(one.innerText))").await;
    assert_eq!(page.troubles().await, Vec::<String>::new());
}
