//! Trades, positions and values of the sample job, read by a third-party program.

use std::path::{Path, PathBuf};
use std::process::Command;

use it::{Shape, System, http, python_programs};
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[tokio::test]
async fn pyarrow_reads_the_files_as_documented_and_finds_the_same_rows_as_the_pages() {
    let Some(programs) = python_programs("pyarrow") else { return };
    let system = System::builder(Shape::OneProcess).start().await;
    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-29" })).await;
    system.client.ended(&job).await;
    let folder = Folder::new();
    for table in ["trades", "positions", "equity"] {
        for format in ["csv", "parquet"] {
            let url = format!("{}/{table}?format={format}", system.client.status_url);
            let response = http().get(url).send().await.unwrap().error_for_status().unwrap();
            std::fs::write(folder.0.join(format!("{table}.{format}")), response.bytes().await.unwrap())
                .unwrap();
        }
        std::fs::write(folder.0.join(format!("{table}.json")), pages(&system, table).await).unwrap();
    }

    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(programs.join("python"))
        .arg(root.join("tests/python/tables.py"))
        .args([&folder.0, &root.join("docs/tables.md")])
        .output()
        .unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&counts["trades"], &counts["equity"]), (&json!(306), &json!(126)));
}

/// All rows of a table as a JSON array, with the exact digits of the pages.
async fn pages(system: &System, table: &str) -> String {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let url = format!("{}/{table}?limit=100{cursor}", system.client.status_url);
        let text = http().get(url).send().await.unwrap().text().await.unwrap();
        let page: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap();
        rows.extend(serde_json::from_str::<Vec<Box<RawValue>>>(page[table].get()).unwrap());
        match serde_json::from_str::<Option<String>>(page["next_cursor"].get()).unwrap() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return serde_json::to_string(&rows).unwrap(),
        }
    }
}

/// A folder that is deleted after the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-tables-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
