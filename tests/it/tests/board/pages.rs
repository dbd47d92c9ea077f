//! Every page: reachable by its address, without barriers, within its policy, and cheap to load again.

use std::path::PathBuf;

use it::http;

use crate::stage::{Stage, TALK};

const WIDTHS: [u32; 2] = [1440, 390];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Name and address of each page, and a text that it shows when it is ready.
fn pages(stage: &Stage) -> Vec<(&'static str, String, &'static str)> {
    let (sample, talk, long, failing) = (&stage.sample, &stage.talk, &stage.long, &stage.failing);
    vec![
        ("jobs", "/board/jobs".to_owned(), "Model-days"),
        (
            "new-job",
            "/board/new?model=momentum-20&start_date=2025-10-01&end_date=2025-10-30".to_owned(),
            "to run of",
        ),
        ("job", format!("/board/jobs/{sample}"), "gpt-5"),
        ("job-long", format!("/board/jobs/{long}"), "50 portfolios"),
        ("job-failing", format!("/board/jobs/{failing}"), "Failures by cause"),
        ("day-agent", format!("/board/jobs/{talk}/thinker/{TALK}"), "Thoughts"),
        ("day-recorded", format!("/board/jobs/{sample}/gpt-5/2025-10-15"), "Holdings"),
        ("portfolio", "/board/portfolios/default/gpt-5".to_owned(), "Monthly returns"),
        ("portfolio-long", "/board/portfolios/long/random".to_owned(), "Monthly returns"),
        ("portfolio-stale", "/board/portfolios/stale/equal-weight".to_owned(), "are stale"),
        ("leaderboard", "/board/leaderboard".to_owned(), "gpt-5"),
        ("leaderboard-trials", "/board/leaderboard?experiment=long".to_owned(), "Over trials"),
        ("leaderboard-stale", "/board/leaderboard?experiment=stale".to_owned(), "Not ranked"),
        ("models", "/board/models".to_owned(), "thinker"),
        ("model", "/board/models?model=thinker".to_owned(), "Versions"),
        ("universe-new", "/board/models?new=universe".to_owned(), "Benchmark"),
        ("sources", "/board/sources".to_owned(), "Stored"),
        ("dead-letters", "/board/dead-letters".to_owned(), "None."),
        ("audit", "/board/audit".to_owned(), "started a job"),
    ]
}

/// Whether the page has drawn all of its charts.
pub(crate) const DRAWN: &str = "document.querySelector('.page').dataset.loaded === 'true' && \
    [...document.querySelectorAll('figure.chart')].every((one) => one.dataset.drawn || !one.offsetParent)";

pub(crate) async fn every_page_is_without_barriers_and_keeps_the_policy_in_every_width_and_scheme(
    stage: &Stage,
) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/board"));
    let with_pictures = std::env::var_os("MODELDAY_PICTURES").is_some();
    let mut wrong = Vec::new();
    for width in WIDTHS {
        let page = stage.browser.page(width).await;
        for (name, path, text) in pages(stage) {
            page.scheme("light").await;
            page.open(&stage.url(&path), text).await;
            page.until(DRAWN).await;
            for scheme in SCHEMES {
                // The schemes differ in colours only, which a narrow page has like a wide one.
                let is_checked = width == WIDTHS[0] || scheme == SCHEMES[0];
                page.scheme(scheme).await;
                let wide =
                    page.eval("document.documentElement.scrollWidth - innerWidth").await.as_i64().unwrap();
                if wide > 0 {
                    wrong.push(format!("{name} is {wide} px wider than {width}"));
                }
                if is_checked {
                    let barriers = page.barriers().await.into_iter();
                    wrong.extend(barriers.map(|text| format!("{name} {width} {scheme}: {text}")));
                }
                if with_pictures {
                    page.picture(width, &folder.join(format!("{name}-{width}-{scheme}.png"))).await;
                }
            }
            wrong.extend(page.troubles().await.into_iter().map(|text| format!("{name} {width}: {text}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) async fn files_are_compressed_and_kept_for_ever_and_the_page_is_asked_for_again(stage: &Stage) {
    let get = async |path: &str, header: (&str, &str)| {
        http().get(stage.url(path)).header(header.0, header.1).send().await.unwrap()
    };

    let page = get("/board/jobs", ("accept-encoding", "identity")).await;
    assert_eq!(
        (page.status().as_u16(), page.headers()["cache-control"].to_str().unwrap()),
        (200, "no-cache")
    );
    let tag = page.headers()["etag"].to_str().unwrap().to_owned();
    let again = get("/board/jobs", ("if-none-match", &tag)).await;
    assert_eq!((again.status().as_u16(), again.text().await.unwrap()), (304, String::new()));
    let text = page.text().await.unwrap();
    let plotly = text.split("name=\"plotly\" content=\"").nth(1).unwrap().split('"').next().unwrap();

    let small = get(&format!("{plotly}/plotly.js"), ("accept-encoding", "br, gzip")).await;
    assert_eq!(small.headers()["content-encoding"], "gzip");
    assert_eq!(small.headers()["cache-control"], "public, max-age=31536000, immutable");
    let small = small.bytes().await.unwrap().len();
    let whole = get(&format!("{plotly}/plotly.js"), ("accept-encoding", "gzip;q=0")).await;
    assert!(!whole.headers().contains_key("content-encoding"));
    let whole = whole.bytes().await.unwrap().len();

    assert!(small * 5 < whole * 2, "{small} of {whole} bytes");
    assert_eq!(get("/board/assets/0000000000000000/main.js", ("accept", "*/*")).await.status().as_u16(), 404);
    assert_eq!(get("/board/nothing", ("accept", "*/*")).await.status().as_u16(), 404);
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/models"), "thinker").await;
    let loaded = page
        .eval("performance.getEntriesByType('resource').some(({ name }) => name.includes('plotly'))")
        .await;
    assert_eq!(loaded, false, "a page without a chart loads what draws charts");
}
