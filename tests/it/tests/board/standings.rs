//! The leaderboard and portfolios.

use serde_json::json;

use crate::stage::Stage;

/// Field case: the cost stood in the wrong place, or as a number that nobody paid.
pub(crate) async fn costs_have_a_column_and_an_unknown_one_is_a_dash(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url("/board/leaderboard?experiment=talk"), "thinker").await;

    let heads = page.texts("thead th").await;
    let place = heads.iter().position(|head| head.starts_with("Cost")).expect("a column");
    let cells = page.texts(".figures tbody tr:first-child > *").await;
    let rows = page.texts(".figures tbody tr").await;
    let board = stage.system.client.get_ok("/leaderboard?experiment=talk").await;
    let row = board["rows"].as_array().unwrap().iter().position(|row| row["model"] == "thinker").unwrap();
    let cost = board["rows"][row]["usage"]["cost"].as_f64().unwrap();
    let cells = if rows[0].contains("thinker") {
        cells
    } else {
        page.texts(&format!(".figures tbody tr:nth-child({}) > *", row + 1)).await
    };
    assert!(cells[place].starts_with('$'), "{cells:?}");
    assert!((cells[place][1..].parse::<f64>().unwrap() - cost).abs() < 0.0001, "{cells:?} {cost}");
    page.open(&stage.url("/board/leaderboard"), "gpt-5").await;
    assert!(!page.text().await.contains("79,228,162"));
}

/// Field case: labels of axes lost their signs, and grew to `300.00000000000006 %`.
pub(crate) async fn axes_have_signs_and_any_size(stage: &Stage) {
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/leaderboard"), "gpt-5").await;
    page.until("document.querySelectorAll('.ytick text').length > 2").await;

    let labels = page.texts_of_axis().await;
    assert!(labels.iter().any(|label| label.starts_with('+')), "{labels:?}");
    assert!(
        labels.iter().all(|label| label == "0%" || label.starts_with('+') || label.starts_with('\u{2212}')),
        "{labels:?}"
    );
    let module = "document.querySelector('link[href$=\"/chart.js\"]').href";
    let draw = format!(
        "import({module}).then(async ({{ chart, line }}) => {{ const made = chart('Large', 'x'); document.getElementById('main').replaceChildren(made.figure); \
         await made.draw(() => [[line('a', ['2025-10-01', '2025-10-02', '2025-10-03'], [0, 3.1, -0.6], '#123456')], {{ percent: true }}]); }})"
    );
    page.eval(&draw).await;
    let labels = page.texts_of_axis().await;
    assert!(labels.contains(&"+300%".to_owned()), "{labels:?}");
}

/// Field case: portfolios that rest on replaced days were ranked like the others.
pub(crate) async fn a_stale_portfolio_has_no_rank_and_is_drawn_as_what_it_is(stage: &Stage) {
    let page = stage.browser.page(1440).await;

    page.open(&stage.url("/board/leaderboard?experiment=stale"), "Not ranked").await;
    page.until("Boolean(document.querySelector('figure.chart')?.dataset.drawn)").await;

    let tables = page.texts("table.figures").await;
    assert_eq!(tables.len(), 2);
    assert!(!tables[0].contains("equal-weight") && tables[0].contains("hold-qqq"), "{tables:?}");
    assert!(tables[1].contains("equal-weight") && tables[1].contains("stale"), "{tables:?}");
    let dotted = "[...document.querySelectorAll('figure.chart .lines path')].filter((one) => one.style.strokeDasharray.split(',').length === 2 && parseFloat(one.style.strokeDasharray) <= 4).length";
    assert_eq!(page.eval(dotted).await, json!(1), "one stretch is dotted");
    page.open(&stage.url("/board/portfolios/stale/equal-weight"), "are stale").await;
    page.shows("2025-10-06").await;
}

pub(crate) async fn columns_are_chosen_and_sorted(stage: &Stage) {
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/leaderboard"), "gpt-5").await;

    page.eval("document.querySelector('details.columns').open = true").await;
    page.eval("document.querySelector('input[value=Beta]').click()").await;
    page.until("[...document.querySelectorAll('thead th')].some((one) => one.innerText.startsWith('Beta'))")
        .await;
    page.eval("[...document.querySelectorAll('thead button')].find((one) => one.innerText.startsWith('Drawdown')).click()").await;

    let place = page.texts("thead th").await.iter().position(|head| head.starts_with("Drawdown")).unwrap();
    let shown = page.texts(&format!(".figures tbody tr > :nth-child({})", place + 1)).await;
    let falls: Vec<f64> =
        shown.iter().map(|text| text.replace('\u{2212}', "-").replace('%', "").parse().unwrap()).collect();
    assert!(falls.windows(2).all(|pair| pair[0] >= pair[1]), "{falls:?}");
    assert_eq!(page.texts("th[aria-sort=descending]").await.len(), 1);
    page.open(&stage.url("/board/leaderboard"), "gpt-5").await;
    assert!(page.texts("thead th").await.iter().any(|head| head.starts_with("Beta")), "the choice is kept");
}

pub(crate) async fn a_fall_names_its_days_and_what_lost(stage: &Stage) {
    let page = stage.browser.page(1440).await;
    page.open(&stage.url("/board/portfolios/default/gpt-5"), "Largest falls").await;

    let cells = page.texts("table.falls tbody tr:first-child > *").await;

    let board = stage.system.client.get_ok("/leaderboard?models=gpt-5").await;
    let row = board["rows"].as_array().unwrap().iter().find(|row| row["model"] == "gpt-5").unwrap();
    let deepest = format!("\u{2212}{:.2}%", -row["max_drawdown"].as_f64().unwrap() * 100.0);
    assert_eq!(cells[0], deepest, "{cells:?}");
    let worst = cells[4].split(' ').next().unwrap();
    assert!(cells[1] < cells[2] && *worst <= *cells[2] && *worst > *cells[1], "{cells:?}");
    let lost: f64 = cells[5]
        .split(", ")
        .filter_map(|one| one.split('$').nth(1)?.replace(',', "").parse::<f64>().ok())
        .sum();
    let values = stage.system.client.get_ok("/equity?model=gpt-5&experiment=default").await;
    let value = |date: &str| {
        let days = values["equity"].as_array().unwrap();
        days.iter().find(|day| day["date"] == *date).unwrap()["value_at_close"].as_f64().unwrap()
    };
    let fall = value(&cells[1]) - value(&cells[2]);
    assert!(lost > fall * 0.5 && lost < fall * 3.0, "the symbols lost {lost} of a fall of {fall}: {cells:?}");
    page.eval("document.querySelector('table.falls tbody td a').click()").await;
    page.shows("Holdings").await;
    assert_eq!(page.troubles().await, Vec::<String>::new());
}
