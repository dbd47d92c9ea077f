//! A file of a million bars.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use it::{Service, Shape, System};
use reqwest::StatusCode;

/// How much memory a file of 64 MiB may take, in MiB: its bytes, its bars, and the rows on their way to PostgreSQL.
const MEMORY: u64 = 320;

/// Rows that begin with sessions.
const DECISIONS: &str = include_str!("../../../../configs/recorded/ai-trader-2025-10.csv");

/// A million bars.
fn million() -> String {
    let dates = DECISIONS.split(['\n', ',']).filter(|field| field.starts_with("2025-"));
    let dates: BTreeSet<&str> = dates.collect();
    let mut file = "symbol,date,open,high,low,close,volume\n".to_owned();
    let rows = (0..).flat_map(|symbol| dates.iter().map(move |date| (symbol, date)));
    for (symbol, date) in rows.take(1_000_000) {
        writeln!(file, "S{symbol},{date},255.04,258.79,254.93,255.45,48713940").unwrap();
    }
    file
}

#[tokio::test]
#[ignore = "takes minutes; `make chaos` runs it"]
async fn a_file_of_a_million_bars_is_imported_in_bounded_memory() {
    let system = System::builder(Shape::FourProcesses)
        .universe(&["S0"], None)
        .env("REQUEST_TIMEOUT_SECONDS", "900")
        .start()
        .await;
    let before = system.resident(Service::Downloader);
    let file = million();
    let url = format!("{}/prices/import", system.client.prices_url);
    let request = it::http().post(url).header("Content-Type", "text/csv").body(file);
    let import = request.timeout(Duration::from_secs(900)).send();
    tokio::pin!(import);

    let mut highest = before;
    let response = loop {
        tokio::select! {
            imported = &mut import => break imported.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                highest = highest.max(system.resident(Service::Downloader));
            }
        }
    };

    let (status, imported) = (response.status(), response.json::<serde_json::Value>().await.unwrap());
    assert_eq!(
        (status, &imported["inserted"]),
        (StatusCode::OK, &serde_json::json!(1_000_000)),
        "{imported}"
    );
    assert!(highest < before + MEMORY, "{before} MiB before, {highest} MiB at most");
}
