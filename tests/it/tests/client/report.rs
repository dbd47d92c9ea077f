//! `modelday report`: a page that needs nothing else, with the figures of the API.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use it::{Shape, System};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::command::modelday;

/// A folder for files. It is removed with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-report-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_has_the_figures_of_the_api_and_refers_to_nothing() {
    let system = System::builder(Shape::OneProcess).start().await;
    let url = &system.client.status_url;
    let request = json!({ "start_date": "2025-08-01", "end_date": "2025-10-29",
        "models": ["gpt-5", "momentum-20", "hold-qqq"] });
    let job = system.client.trigger(&request).await;
    system.client.ended(&job).await;
    let folder = Folder::new();
    let (page, text, bundle) = (folder.file("r.html"), folder.file("r.md"), folder.file("b.jsonl.gz"));

    let saved = modelday(url, &["report", "--job", &job, "-o", &page]);
    let in_words = modelday(url, &["report", "--job", &job, "-o", &text]);
    let of_one = modelday(url, &["report", "--models", "momentum-20", "-o", "-"]);
    let of_none = modelday(url, &["report", "--experiment", "nobody-used-it", "-o", &page]);
    modelday(url, &["export", "--bundle", &job, "-o", &bundle]);

    assert_eq!(saved.code, Some(0), "{saved:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    let board = system.client.get_ok(&format!("/leaderboard?job_id={job}")).await;
    let mut expected = BTreeMap::new();
    for row in board["rows"].as_array().unwrap() {
        for name in [
            "return",
            "final_value",
            "sharpe",
            "sortino",
            "max_drawdown",
            "volatility",
            "calmar",
            "win_rate",
            "alpha",
            "beta",
            "turnover",
            "trades",
            "model_days",
        ] {
            if let Some(value) = row[name].as_f64() {
                expected.insert((row["model"].as_str().unwrap().to_owned(), name.to_owned()), value);
            }
        }
    }
    assert!(expected.len() > 50, "{board}");
    assert_eq!(figures(&html), expected);
    if let Some(shown) = in_a_browser(&page) {
        assert_eq!(figures(&shown), expected, "in a browser without a network");
    }
    for outside in ["src=", "href=", "url(", "@import", "<script", "<link", "<iframe", "http://", "https://"]
    {
        assert!(!html.contains(outside), "{outside} in the page");
    }
    for part in
        ["Value and drawdown", "Months", "Rolling figures", "Trades", "Costs", "Method and definitions"]
    {
        assert!(html.contains(&format!("<h2>{part}</h2>")), "no {part}");
    }
    let hash = Sha256::digest(std::fs::read(&bundle).unwrap());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        html.contains(&format!("<code data-bundle=\"{job}\">{hash}</code>")),
        "the hash {hash} of the bundle"
    );

    let markdown = std::fs::read_to_string(&text).unwrap();
    assert_eq!(in_words.code, Some(0), "{in_words:?}");
    assert!(markdown.contains("\n| gpt\\-5 |") || markdown.contains("\n| gpt-5 |"), "{markdown}");
    assert!(markdown.contains(&hash) && !markdown.contains('<'), "{markdown}");
    assert!(of_one.out.contains("<h1>momentum-20</h1>") && !of_one.out.contains("gpt-5"), "{of_one:?}");
    assert_eq!(of_none.code, Some(1), "{of_none:?}");
    assert!(of_none.err.contains("no results to report"), "{of_none:?}");
    assert_eq!(std::fs::read_to_string(&page).unwrap(), html, "a failure leaves the earlier file");
    months_multiply_to_the_whole(&markdown, &board);
}

/// The document of the file in a browser that reaches nothing; `None` on a machine without one.
fn in_a_browser(file: &str) -> Option<String> {
    let program = ["chromium", "chromium-browser", "google-chrome"];
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--dump-dom",
    ];
    let opened = program.into_iter().find_map(|program| {
        Command::new(program).args(arguments).arg(format!("file://{file}")).output().ok()
    });
    let opened = opened?;
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    Some(String::from_utf8(opened.stdout).unwrap())
}

/// The figures that a page has for programs: by model and name.
fn figures(html: &str) -> BTreeMap<(String, String), f64> {
    let cells = html.split("data-model=\"").skip(1);
    let cells = cells.map(|cell| {
        let mut quoted = cell.split('"').step_by(2);
        let [model, figure, value] = [quoted.next(), quoted.next(), quoted.next()].map(Option::unwrap);
        ((model.to_owned(), figure.to_owned()), value.parse().unwrap())
    });
    cells.collect()
}

/// The returns of the months in the text, to their two decimals.
fn months_multiply_to_the_whole(markdown: &str, board: &Value) {
    let (_, months) = markdown.split_once("## Months").unwrap();
    let mut growth = 1.0;
    let mut count = 0;
    for line in months.lines().filter(|line| line.contains("momentum") && line.contains("2025 |")) {
        let percent = line.rsplit('|').nth(1).unwrap().trim().trim_end_matches(" %").replace('\u{2212}', "-");
        growth *= 1.0 + percent.parse::<f64>().unwrap() / 100.0;
        count += 1;
    }
    let rows = board["rows"].as_array().unwrap();
    let whole = rows.iter().find(|row| row["model"] == "momentum-20").unwrap()["return"].as_f64().unwrap();
    assert_eq!(count, 3, "{months}");
    assert!((growth - 1.0 - whole).abs() < 3e-4, "{growth} and {whole}");
}
