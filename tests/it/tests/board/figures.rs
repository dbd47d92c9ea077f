//! Figures of the pages, with `MODELDAY_PICTURES=1`: printed and not judged, since machines differ.

use serde_json::json;

use crate::stage::Stage;

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
}
