//! Jobs that leave the database for files, and come back.

use it::{Shape, System, http};
use serde_json::json;
use test_support::eventually;

/// What the API says about an experiment and its job, as it says it.
async fn said(system: &System, experiment: &str, job: &str) -> Vec<String> {
    let range = format!("start_date=2025-10-01&end_date=2025-10-14&experiment={experiment}");
    let mut texts = Vec::new();
    for path in [
        format!("/results?{range}"),
        format!("/results?start_date=2025-10-03&experiment={experiment}"),
        format!("/leaderboard?{range}"),
        format!("/trades?{range}"),
        format!("/positions?{range}"),
        format!("/jobs/{job}"),
        format!("/jobs/{job}/events"),
    ] {
        let url = format!("{}{path}", system.client.status_url);
        let response = http().get(url).header("Accept", "application/json").send().await.unwrap();
        texts.push(format!("{path}: {} {}", response.status(), response.text().await.unwrap()));
    }
    texts
}

async fn ran(system: &System, experiment: &str, more: serde_json::Value) -> String {
    let mut request =
        json!({ "start_date": "2025-10-01", "end_date": "2025-10-10", "experiment": experiment });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let job = system.client.trigger(&request).await;
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    job
}

/// Runs `modelday` with these arguments; whether it succeeded, and what it printed.
fn modelday(system: &System, arguments: &[&str]) -> (bool, String) {
    let output = system.modelday(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

async fn rows(system: &System) -> String {
    let counts =
        "SELECT concat_ws(' ', (SELECT count(*) FROM trigger.jobs), (SELECT count(*) FROM execution.fills),
        (SELECT count(*) FROM execution.model_days), (SELECT count(*) FROM status.events),
        (SELECT count(*) FROM status.model_days), (SELECT count(*) FROM execution.outbox))";
    system.database.text(counts).await
}

#[tokio::test]
async fn archived_jobs_go_whole_leave_all_others_as_they_were_and_come_back_the_same() {
    let system = System::builder(Shape::OneProcess).start().await;
    let kept = ran(&system, "kept", json!({})).await;
    let first = ran(&system, "old", json!({})).await;
    let again = ran(&system, "old", json!({ "end_date": "2025-10-14", "replace_existing": true })).await;
    let before = [
        said(&system, "kept", &kept).await,
        said(&system, "old", &first).await,
        said(&system, "old", &again).await,
    ];
    eventually("trigger knows that they have ended", async || {
        let active = "SELECT count(*) FROM trigger.jobs WHERE ended_at IS NULL";
        (system.database.count(active).await == 0).then_some(())
    })
    .await;
    let all = rows(&system).await;
    let of_old = format!("id IN ('{first}', '{again}')");
    let age = |which: &str| {
        format!("UPDATE execution.jobs SET ended_at = ended_at - interval '2 days' WHERE {which}")
    };
    let folder = new_folder();
    let today = chrono::Utc::now().date_naive().to_string();
    let archive = ["archive", "--before", &today, "--to", &folder];

    // A later job of the same portfolios keeps an older one.
    system.database.execute(&age(&format!("id = '{first}'"))).await;
    let (_, text) = modelday(&system, &archive);
    assert!(text.contains("0 jobs ended before") && text.contains("1 jobs ended before and stay"), "{text}");
    system.database.execute(&age(&format!("id = '{again}'"))).await;
    let (_, text) = modelday(&system, &[&archive[..], &["--dry-run"]].concat());
    assert!(text.contains("2 jobs ended before") && text.contains("leaderboard of \"old\""), "{text}");
    assert_eq!(rows(&system).await, all, "a dry run deletes nothing");

    // Something goes wrong after the files are written.
    let broken = "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
        CREATE TRIGGER refuse BEFORE DELETE ON trigger.jobs EXECUTE FUNCTION public.refuse()";
    for statement in broken.split(";\n") {
        system.database.execute(statement).await;
    }
    let (succeeded, text) = modelday(&system, &archive);
    assert!(!succeeded && text.contains("Wrote "), "{text}");
    assert_eq!(rows(&system).await, all, "nothing is half deleted");
    system.database.execute("DROP TRIGGER refuse ON trigger.jobs").await;

    let (succeeded, text) = modelday(&system, &archive);
    assert!(succeeded && text.contains("Deleted 2 jobs"), "{text}");
    let set = text.lines().find_map(|line| line.strip_prefix("Wrote ")?.strip_suffix('.')).unwrap();
    assert_eq!(said(&system, "kept", &kept).await, before[0]);
    let gone = said(&system, "old", &first).await;
    assert!(gone.iter().any(|text| text.contains("404")), "{gone:?}");
    let left = "SELECT count(*) FROM status.events event WHERE NOT EXISTS (SELECT FROM trigger.jobs WHERE id = event.job_id)";
    assert_eq!(system.database.count(left).await, 0);
    let gone = format!("SELECT count(*) FROM trigger.jobs WHERE {of_old}");
    assert_eq!(system.database.count(&gone).await, 0);

    for _ in 0..2 {
        let (succeeded, text) = modelday(&system, &["restore", set]);
        assert!(succeeded, "{text}");
        assert_eq!(text, "Put 2 jobs back.\n");
    }
    let after = [
        said(&system, "kept", &kept).await,
        said(&system, "old", &first).await,
        said(&system, "old", &again).await,
    ];
    assert_eq!(after, before);

    let file = format!("{set}/status.events.parquet");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (succeeded, text) = modelday(&system, &["restore", set]);
    assert!(!succeeded && text.contains("is damaged"), "{text}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A folder that is not there yet.
fn new_folder() -> String {
    std::env::temp_dir().join(uuid::Uuid::now_v7().to_string()).to_str().unwrap().to_owned()
}
