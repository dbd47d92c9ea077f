//! `modelday import hkuds`: folders as that project keeps them.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::command::modelday;

const NOWHERE: &str = "http://127.0.0.1:1";

/// A folder of the project. It is removed with this value.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-hkuds-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn write_positions(&self, agent: &str, records: &[Value]) {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        self.write(&format!("data/agent_data/{agent}/position/position.jsonl"), &lines);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[test]
fn what_modelday_cannot_run_is_left_out_with_the_reason_and_odd_files_are_read() {
    let (folder, empty) = (Folder::new(), Folder::new());
    let record = |date: &str, id: u64, action: Value, positions: Value| json!({ "date": date, "id": id, "this_action": action, "positions": positions });
    let first = |positions: Value| json!({ "date": "2025-10-01", "id": 0, "positions": positions });
    folder.write_positions(
        "by-the-hour",
        &[
            first(json!({ "CASH": 1.0 })),
            record("2025-10-01 10:00:00", 1, json!({ "action": "no_trade" }), json!({ "CASH": 1.0 })),
        ],
    );
    folder.write_positions(
        "fractions",
        &[
            first(json!({ "CASH": 50_000.0 })),
            record(
                "2025-10-02",
                1,
                json!({ "action": "buy_crypto", "symbol": "BTC-USDT", "amount": 0.5 }),
                json!({ "CASH": 1.0, "BTC-USDT": 0.5 }),
            ),
        ],
    );
    folder.write_positions(
        "shanghai",
        &[
            first(json!({ "CASH": 100_000.0 })),
            record(
                "2025-10-10",
                1,
                json!({ "action": "buy", "symbol": "601899.SH", "amount": 600 }),
                json!({ "CASH": 81_100.0, "601899.SH": 600 }),
            ),
        ],
    );
    folder.write_positions("rich", &[first(json!({ "CASH": 1.0, "AAPL": 3 }))]);
    let torn = format!(
        "{}\n\n{{\"date\": \"2025-10-02\", \"id\": 1, \"posi",
        first(json!({ "CASH": 500, "AAPL": 0 }))
    );
    folder.write("data/agent_data/torn/position/position.jsonl", &torn);

    let ran = modelday(NOWHERE, &["import", "hkuds", folder.path(), "--dry-run"]);
    let nothing = modelday(NOWHERE, &["import", "hkuds", empty.path()]);

    for line in [
        "left out: by-the-hour trades within the day (2025-10-01 10:00:00); Modelday trades once a day, at the open",
        "left out: fractions trades crypto (buy_crypto), on all days of the week",
        "left out: rich begins with 3 AAPL; portfolios of Modelday begin with cash alone",
        "left out: shanghai trades 601899.SH, which is no symbol of a US exchange",
        "hkuds-torn: its last line, 3, is not complete and was left out",
    ] {
        assert!(ran.out.contains(line), "{line:?} is not in {ran:?}");
    }
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.err.contains("has no position.jsonl"), "{nothing:?}");
}
