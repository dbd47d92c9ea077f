//! `modelday prices import`.

use std::path::PathBuf;

use serde_json::json;

use crate::command::{modelday, small};

const BARS: &str = "symbol,date,open,high,low,close,volume";
const SPLITS: &str = "symbol,date,ratio";

/// A temporary file. It is removed with this value.
struct File(PathBuf);

impl File {
    fn new(head: &str, rows: &str) -> Self {
        let path = std::env::temp_dir().join(format!("modelday-test-{}.csv", uuid::Uuid::now_v7()));
        std::fs::write(&path, format!("{head}\n{rows}")).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_whole_and_every_wrong_line_is_named() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let good = File::new(BARS, "AAPL,2025-10-01,10,12,9,11,100\nAAPL,2025-10-02,11,13,10,12.5,100\n");
    let bad = File::new(
        BARS,
        "AAPL,2025-10-01,10,12,9,11,100\nAAPL,2025-10-04,1,1,1,1,1\nMSFT,2025-10-02,1,1,1,-1,1\n",
    );
    let other = File::new(BARS, "AAPL,2025-10-02,11,14,10,12.5,100\n");

    let wrong = modelday(url, &["prices", "import", bad.path()]);
    let stored = modelday(url, &["prices", "import", good.path()]);
    let refused = modelday(url, &["prices", "import", other.path()]);
    let replaced = modelday(url, &["prices", "import", other.path(), "--replace", "--json"]);
    let missing = modelday(url, &["prices", "import", "/nowhere/prices.csv"]);

    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let lines: Vec<&str> = wrong.err.lines().collect();
    assert_eq!(lines[0], "modelday: 2 things are wrong, nothing is imported");
    assert!(lines[1].starts_with("  line 3: date ") && lines[2].starts_with("  line 4: close "), "{wrong:?}");
    assert_eq!(lines.len(), 3);
    assert_eq!(
        (stored.code, &*stored.out),
        (Some(0), "bars: 2 new, 0 unchanged, 0 replaced (symbols: 1; 2025-10-01 to 2025-10-02)\n")
    );
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("line 2: AAPL on 2025-10-02 is stored with "), "{refused:?}");
    assert_eq!((replaced.code, &replaced.json()["replaced"]), (Some(0), &json!(1)), "{replaced:?}");
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.err.starts_with("modelday: reading /nowhere/prices.csv: "), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_files_of_a_vendor_are_imported_and_what_was_done_with_each_is_said() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let header = "Date,Open,High,Low,Close,Adj Close,Volume";
    let files = [
        File::new(header, "2025-10-01,10,12,9,11,10.9,100\n2025-10-02,,,,,,\n"),
        File::new(header, "2025-10-02,11,13,10,12.5,12.4,100\n"),
    ];
    let paths = files.each_ref().map(File::path);

    let dry = modelday(url, &["prices", "import", paths[0], paths[1], "--symbol", "AAPL", "--dry-run"]);
    let stored = modelday(url, &["prices", "import", paths[0], paths[1], "--symbol", "AAPL"]);
    let unnamed = modelday(url, &["prices", "import", paths[0], paths[1]]);

    assert_eq!(dry.out.matches("Nothing was stored; without --dry-run it is.").count(), 2, "{dry:?}");
    let lines: Vec<&str> =
        stored.out.lines().filter_map(|line| line.split_once(".csv: ")).map(|(_, line)| line).collect();
    assert_eq!(
        lines[0],
        "bars: 1 new, 0 unchanged, 0 replaced (symbols: 1; 2025-10-01 to 2025-10-01; basis: split_adjusted)"
    );
    assert_eq!(lines[1], "Columns that were not read: Adj Close.");
    assert_eq!(lines[2], "Rows without prices that were skipped: 1, the first on line 3.");
    assert!(lines[3].contains("No split is known of AAPL"), "{stored:?}");
    assert_eq!(unnamed.code, Some(2), "{unnamed:?}");
    assert!(unnamed.err.contains(paths[0]) && unnamed.err.contains("symbol="), "{unnamed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_split_says_how_many_days_stood_on_its_absence() {
    let hold = "[[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"AAPL\" }\n";
    let system = small().models(hold).start().await;
    let url = &system.client.status_url;
    let job = system.client.trigger(&json!({ "start_date": "2025-11-24", "end_date": "2025-11-28" })).await;
    system.client.ended(&job).await;
    let split = File::new(SPLITS, "AAPL,2025-11-26,4:1\n");

    let stored = modelday(url, &["prices", "import", split.path(), "--kind", "splits"]);

    assert_eq!(stored.code, Some(0), "{stored:?}");
    let lines: Vec<&str> = stored.out.lines().collect();
    assert_eq!(lines[0], "splits: 1 new, 0 unchanged, 0 replaced (symbols: 1; 2025-11-26 to 2025-11-26)");
    assert_eq!(
        lines[1],
        "2 model-days stand on what was stored before; `modelday run --reprocess-stale` runs them again."
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn splits_and_dividends_of_a_price_file_are_imported_with_it_all_or_nothing() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let header = "date,open,high,low,close,volume,divCash,splitFactor";
    let file = File::new(header, "2025-10-01,100,101,99,100,10,0,1\n2025-10-02,50,51,49,50,20,0.25,2\n");
    let other = File::new(header, "2025-10-02,60,61,59,60,20,0.5,1\n");
    let import =
        |file: &File| modelday(url, &["prices", "import", file.path(), "--symbol", "AAPL", "--with-actions"]);

    let stored = import(&file);
    let again = import(&file);
    let refused = import(&other);

    assert_eq!(
        (stored.code, again.code, refused.code),
        (Some(0), Some(0), Some(2)),
        "{stored:?} {again:?} {refused:?}"
    );
    assert!(stored.out.contains("With 1 splits and 1 dividends of the file."), "{stored:?}");
    assert!(again.out.starts_with("bars: 0 new, 2 unchanged"), "{again:?}");
    let actions =
        "SELECT count(*) FROM market.corporate_actions WHERE symbol = 'AAPL' AND trading_date = '2025-10-02'";
    assert_eq!(system.database.count(actions).await, 2, "nothing of the refused file is stored");
}
