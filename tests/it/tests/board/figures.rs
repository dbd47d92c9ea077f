//! Figures of the pages, with `MODELDAY_PICTURES=1`: printed and not judged, since machines differ.

use it::{Shape, System};
use serde_json::json;

use crate::stage::Stage;

/// 3,000 sessions.
const FIRST: &str = "2013-11-27";
const LAST: &str = "2025-10-30";
const SYMBOLS: [&str; 10] = ["AAPL", "MSFT", "NVDA", "AMZN", "AMD", "INTC", "GOOGL", "META", "TSLA", "NFLX"];
const MODELS: &str = "[[models]]\nsignature = \"momentum-20\"\nkind = \"policy\"\nenabled = true\n\
    policy = { policy = \"momentum\", lookback = 20, top = 5, rebalance_every = 5 }\n\
    [[models]]\nsignature = \"random\"\nkind = \"policy\"\nenabled = true\n\
    policy = { policy = \"random\", seed = 1, orders_per_day = 2 }\n";

/// Notes when figures and charts are there, and how long the page was busy at most.
const NOTE: &str = "window.seen = {}; window.longest = 0;
new MutationObserver(() => {
    if (document.querySelector('.page .big strong, .page table.figures')) seen.figures ??= performance.now();
    for (const chart of document.querySelectorAll('figure.chart[data-drawn]')) seen[chart.querySelector('h2').textContent] ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-drawn'] });
new PerformanceObserver((list) => { for (const task of list.getEntries()) longest = Math.max(longest, task.duration); }).observe({ type: 'longtask', buffered: true });";

/// Milliseconds from the last answer of the figures' data on; those of the data are from the page's beginning.
const SEEN: &str = "(() => {
    const answers = performance.getEntriesByType('resource').filter(({ initiatorType }) => initiatorType === 'fetch');
    const end = (pattern) => Math.round(Math.max(...answers.filter(({ name }) => pattern.test(name)).map(({ responseEnd }) => responseEnd)));
    const data = end(/[/](equity|leaderboard)([?]|$)/);
    return { data, curves: end(/curves/), all_data: end(/./), kilobytes: Math.round(answers.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0) / 1000),
        after: Object.fromEntries(Object.entries(seen).map(([name, at]) => [name, Math.round(at - data)])), longest: Math.round(longest) };
})()";

/// Moves the pointer over each chart; milliseconds that the page needs for a move: the median and the longest but one.
const HOVER: &str = "(async () => {
    const found = {};
    for (const figure of document.querySelectorAll('figure.chart[data-drawn]')) {
        const drag = figure.querySelector('.nsewdrag');
        if (!drag) continue;
        figure.scrollIntoView();
        const box = drag.getBoundingClientRect();
        const moves = [];
        for (let step = 0; step < 40; step += 1) {
            const from = performance.now();
            drag.dispatchEvent(new MouseEvent('mousemove', { clientX: box.left + box.width * step / 40, clientY: box.top + box.height / 2, bubbles: true }));
            moves.push(performance.now() - from);
            await new Promise((resolve) => setTimeout(resolve, 60));
        }
        moves.sort((a, b) => a - b);
        found[figure.querySelector('h2').textContent] = [moves[20], moves[38]].map((time) => Math.round(time * 10) / 10);
    }
    return found;
})()";

/// Draws ten portfolios of 3,000 days as the leaderboard does, at 600 of them, then moves the pointer over them;
/// milliseconds of each.
const CHART: &str = "(async () => {
    const { chart } = await import(document.querySelector('link[href$=\"/chart.js\"]').href);
    const { lines } = await import(document.querySelector('link[href$=\"/curves.js\"]').href);
    const dates = Array.from({ length: 600 }, (_, nth) => new Date(Date.UTC(2014, 0, 1 + nth * 5)).toISOString().slice(0, 10));
    const curve = (nth) => { let at = 0; return { kind: 'model', model: `m${nth}`, trial: 0, values: dates.map((_, day) => at += Math.sin(day * (nth + 1)) / 100) }; };
    const made = chart('Ten of 3,000 days', 'measured');
    document.getElementById('main').replaceChildren(made.figure);
    await made.draw(() => [lines({ dates: dates.slice(0, 2), curves: [curve(0)] }), { percent: true }]);
    const begun = performance.now();
    await made.draw(() => [lines({ dates, curves: Array.from({ length: 10 }, (_, nth) => curve(nth)) }), { percent: true, height: 340 }]);
    await new Promise(requestAnimationFrame);
    const drawn = performance.now() - begun;
    const drag = made.figure.querySelector('.nsewdrag');
    const box = drag.getBoundingClientRect();
    const moves = [];
    for (let step = 0; step < 60; step += 1) {
        const at = { clientX: box.left + box.width * step / 60, clientY: box.top + box.height / 2, bubbles: true };
        const from = performance.now();
        drag.dispatchEvent(new MouseEvent('mousemove', at));
        moves.push(performance.now() - from);
        await new Promise((resolve) => setTimeout(resolve, 60));
    }
    moves.sort((a, b) => a - b);
    return { drawn, hover: moves[30], worst: moves[58] };
})()";

pub(crate) async fn figures_of_long_lists_and_charts(stage: &Stage) {
    if std::env::var_os("MODELDAY_PICTURES").is_none() {
        return;
    }
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/models"), "thinker").await;
    println!("    ten portfolios of 3,000 days, in ms: {}", page.eval(CHART).await);

    let one = stage.system.client.get_ok("/jobs?limit=1").await["jobs"][0].clone();
    let jobs: Vec<_> = (0..100)
        .map(|nth| {
            let mut job = one.clone();
            job["job_id"] = json!(format!("01990000-0000-7000-8000-{nth:012}"));
            job
        })
        .collect();
    let answer = json!({ "jobs": jobs, "count": 100, "next_cursor": null, "states": { "completed": 1000 } });
    let list = format!(
        "(async () => {{ const answer = {answer}; window.fetch = async (path) => path.startsWith('/events') ? new Promise(() => {{}}) : new Response(JSON.stringify(answer)); \
         const {{ jobs }} = await import(document.querySelector('link[href$=\"/jobs.js\"]').href); \
         const place = document.querySelector('.page'); place.replaceChildren(); const begun = performance.now(); \
         jobs(place, {{ parameters: new URLSearchParams(), signal: new AbortController().signal }}); \
         while (place.querySelectorAll('tbody tr').length < 100) await new Promise((resolve) => setTimeout(resolve)); \
         await new Promise(requestAnimationFrame); return performance.now() - begun; }})()"
    );
    page.open(&stage.url("/board/models"), "thinker").await;
    println!("    the first page of 1,000 jobs, in ms: {}", page.eval(&list).await);
    long_portfolios(stage).await;
}

/// Pages of portfolios of 3,000 days, from the server to the last chart.
async fn long_portfolios(stage: &Stage) {
    let system = System::builder(Shape::OneProcess)
        .env("MAX_SIMULATION_DAYS", "10000")
        .universe(&SYMBOLS, Some("AAPL"))
        .models(MODELS)
        .prices(|prices| prices.generated_from("2013-06-03".parse().unwrap()))
        .start()
        .await;
    let job = system.client.trigger(&json!({ "start_date": FIRST, "end_date": LAST })).await;
    system.client.ended(&job).await;
    let pages = [
        ("portfolios/default/momentum-20", "Monthly returns"),
        ("portfolios/default/random", "Monthly returns"),
        ("leaderboard", "momentum-20"),
    ];
    for (address, text) in pages {
        let page = stage.browser.page(1440).await;
        page.before_each(NOTE).await;
        let url = format!("{}/board/{address}", system.client.status_url);
        // The first visit fills the browser's cache of files, as for anybody who has seen another page of the board.
        for visit in ["first visit", "second visit"] {
            page.open("about:blank", "").await;
            page.open(&url, text).await;
            page.until(crate::pages::DRAWN).await;
            println!("    {address} of 3,000 days, {visit}, in ms: {}", page.eval(SEEN).await);
        }
        println!("    {address}: a move of the pointer, in ms: {}", page.eval(HOVER).await);
    }
}
