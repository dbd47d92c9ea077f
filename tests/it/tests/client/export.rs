//! `modelday export`: tables as files.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::command::{modelday, small};
use crate::fake_server::{FakeServer, Script};

/// A temporary folder. It is removed with this value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("modelday-test-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tables_of_a_job_are_saved_in_every_format() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let job = system.client.trigger(&json!({ "start_date": "2025-11-24", "end_date": "2025-11-28" })).await;
    system.client.ended(&job).await;
    let folder = Folder::new();
    let files = ["trades.csv", "equity.json", "positions.parquet"].map(|name| folder.path(name));

    let csv = modelday(url, &["export", "--trades", "--job", &job, "-o", &files[0]]);
    let document = modelday(url, &["export", "--equity", "--model", "cash", "-o", &files[1]]);
    let parquet = modelday(url, &["export", "--positions", "--start", "2025-11-25", "-o", &files[2]]);
    let printed = modelday(url, &["export", "--trades", "--job", &job]);
    let unknown = modelday(url, &["export", "--trades", "--job", "nonsense", "-o", &folder.path("none.csv")]);
    let two = modelday(url, &["export", "--positions", "--equity"]);

    for saved in [&csv, &document, &parquet, &printed] {
        assert_eq!(saved.code, Some(0), "{saved:?}");
    }
    let text = std::fs::read_to_string(&files[0]).unwrap();
    assert_eq!(text, printed.out);
    assert_eq!(
        text.lines().count(),
        1 + trades(&system.client.get_ok(&format!("/trades?job_id={job}")).await)
    );
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(&files[1]).unwrap()).unwrap();
    let page = system.client.get_ok("/equity?model=cash").await;
    assert_eq!((&saved["equity"], &saved["count"]), (&page["equity"], &json!(4)));
    let bytes = std::fs::read(&files[2]).unwrap();
    assert!(
        bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"),
        "the name of the file decides the format"
    );
    assert_eq!((unknown.code, &*unknown.err), (Some(2), "modelday: Job nonsense not found\n"));
    assert_eq!(two.code, Some(2), "one at a time: {two:?}");
    assert_eq!(folder.names().len(), 3, "{:?}", folder.names());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_begins_like_a_formula_is_inert_in_csv_and_unchanged_elsewhere() {
    let models = "[[models]]\nsignature = \"@sum\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";
    let system = small().models(models).start().await;
    let url = &system.client.status_url;
    let day = json!({ "start_date": "2025-11-24", "end_date": "2025-11-24", "experiment": "-a" });
    let job = system.client.trigger(&day).await;
    system.client.ended(&job).await;

    let csv = modelday(url, &["export", "--equity", "--experiment=-a", "--format", "csv"]);
    let json = modelday(url, &["export", "--equity", "--experiment=-a", "--format", "json"]).json();

    assert!(csv.out.contains("'-a,'@sum,"), "{csv:?}");
    assert_eq!(
        (&json["equity"][0]["experiment"], &json["equity"][0]["model"]),
        (&json!("-a"), &json!("@sum"))
    );
}

fn trades(page: &Value) -> usize {
    assert_eq!(page["next_cursor"], Value::Null, "one page");
    page["trades"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_saved_whole_or_not_at_all_and_its_pages_become_one() {
    const JSON: &str = "application/json";
    let server = FakeServer::start(|request, _| match &*request.line {
        "GET /equity?format=csv" => Script::Cut(vec!["date,price\n2025-"]),
        "GET /positions?format=json&limit=10000" => {
            Script::Body(200, JSON, r#"{"positions": [{"price": 1.10}], "next_cursor": "x"}"#.to_owned())
        }
        "GET /positions?format=json&limit=10000&cursor=x" => {
            Script::Body(200, JSON, r#"{"positions": [{"price": 2.20}], "next_cursor": null}"#.to_owned())
        }
        _ => Script::Body(404, JSON, json!({ "detail": "Not Found" }).to_string()),
    })
    .await;
    let folder = Folder::new();

    let cut = modelday(&server.url, &["export", "--equity", "-o", &folder.path("equity.csv")]);
    let joined = modelday(&server.url, &["export", "--positions", "--format", "json"]);

    assert_eq!(cut.code, Some(5), "{cut:?}");
    assert!(cut.err.contains("was cut off"), "{cut:?}");
    assert!(folder.names().is_empty(), "nothing is left of a file that was cut off: {:?}", folder.names());
    assert_eq!(joined.json(), json!({ "positions": [{ "price": 1.10 }, { "price": 2.20 }], "count": 2 }));
    assert!(joined.out.contains("2.20"), "numbers keep their digits: {}", joined.out);
}
