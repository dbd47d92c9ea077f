//! Tables for people, and JSON for programs.

use it::{Shape, System};
use serde_json::{Value, json};

use crate::command::{modelday, small};

/// Two threads, because the stand-in responds while the test waits for a command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_planned_run_listed_and_shown_in_tables_that_fit() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let range = ["--start", "2025-11-24", "--end", "2025-11-28"];
    let with = |command: &[&'static str]| [command, &range].concat();

    let planned = modelday(url, &with(&["plan"]));
    let ran = modelday(url, &with(&["run"]));
    let again = modelday(url, &["run", "--end", "2025-11-28", "--models", "cash", "--detach"]);
    let listed = modelday(url, &["jobs"]);
    let days = modelday(url, &["results", "--start", "2025-11-25", "--reasoning", "summary"]);
    let series = modelday(url, &with(&["results"]));
    let board = modelday(url, &with(&["leaderboard"]));

    for shown in [&planned, &ran, &again, &listed, &days, &series, &board] {
        assert_eq!(shown.code, Some(0), "{shown:?}");
        let text = format!("{}{}", shown.out, shown.err);
        assert!(!text.contains('\u{1b}'), "colours were not requested: {text:?}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line:?} is too wide");
        }
    }
    assert!(planned.out.contains("8 model-days would be run."), "{}", planned.out);
    assert!(planned.out.contains("3 symbols lack prices of"), "{}", planned.out);
    assert!(ran.out.contains("\ncompleted: 8 model-days executed, 0 failed, 2 skipped, in "), "{}", ran.out);
    assert!(ran.err.contains("8/10 days") || ran.err.contains("10/10 days"), "{}", ran.err);
    let job = ran.out.lines().next().unwrap().strip_prefix("Job ").unwrap();
    assert!(listed.out.contains(&format!("\n{job}  completed  10/10  ")), "{}", listed.out);
    assert!(listed.out.contains(again.out.trim()), "{}", listed.out);
    assert!(board.out.contains("\nQQQ (benchmark) "), "{}", board.out);
    assert!(ran.out.contains(board.out.trim()), "a run ends with the leaderboard: {}", ran.out);
    assert!(
        series.out.lines().any(|line| line.starts_with("cash ") && line.contains("  10000.00  +0.00 %")),
        "{}",
        series.out
    );
    assert!(
        days.out.contains("a-random-trader-wi…") || days.out.contains("a-random-trader-"),
        "{}",
        days.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_is_the_unchanged_response_of_the_api() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let range = ["--start", "2025-11-24", "--end", "2025-11-26", "--models", "cash", "--json"];

    let planned = modelday(url, &[&["plan"][..], &range].concat());
    let ran = modelday(url, &[&["run"][..], &range].concat());

    assert_eq!(planned.json()["model_days"]["to_run"], 3, "{planned:?}");
    assert_eq!(ran.err, "", "nothing but the document");
    let job = ran.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(ran.json(), system.client.get_ok(&format!("/simulate/status/{job}?details=false")).await);
    let days = "start_date=2025-11-24&end_date=2025-11-26";
    for (arguments, path) in [
        (&["jobs", "--limit", "1", "--json"][..], "/jobs?limit=1".to_owned()),
        (&["results", "--start", "2025-11-25", "--json"], "/results?start_date=2025-11-25".to_owned()),
        (
            &["results", "--start", "2025-11-24", "--end", "2025-11-26", "--valuation", "close", "--json"],
            format!("/results?{days}&valuation=close"),
        ),
        (&["leaderboard", "--job", &job, "--json"], format!("/leaderboard?job_id={job}")),
    ] {
        let shown = modelday(url, arguments);

        assert_eq!(shown.code, Some(0), "{shown:?}");
        assert_eq!(shown.json(), system.client.get_ok(&path).await, "{arguments:?}");
        let raw = it::http().get(format!("{url}{path}")).send().await.unwrap().text().await.unwrap();
        assert_eq!(shown.out.trim_end(), raw.trim_end(), "numbers keep their digits");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_an_idempotency_key_is_run_once_and_options_reach_the_server() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let named =
        ["run", "--end", "2025-11-25", "--models", "cash", "--detach", "--idempotency-key", "nightly"];

    let first = modelday(url, &named);
    let second = modelday(url, &named);
    let other = modelday(url, &[&named[..], &["--experiment", "other"]].concat());
    let odd = modelday(
        url,
        &[
            "run",
            "--end",
            "2025-11-25",
            "--detach",
            "--json",
            "--replace-existing",
            "--reprocess-stale",
            "--wait-for-data",
            "--stop-on-failure",
            "--budget",
            "12.50",
            "--priority",
            "high",
            "--experiment",
            "odd",
        ],
    );

    assert_eq!((first.code, &first.out), (Some(0), &second.out));
    assert_eq!(other.code, Some(2), "{other:?}");
    let job = odd.json()["job_id"].as_str().unwrap().to_owned();
    let requested = json!({ "job": {
        "experiment": "odd",
        "options": { "replace_existing": true, "reprocess_stale": true, "wait_for_data": true,
            "on_failure": "ON_FAILURE_STOP", "budget": "12.5", "priority": "PRIORITY_HIGH" }
    } });
    let stored =
        format!("SELECT count(*) FROM trigger.jobs WHERE id = '{job}' AND body::jsonb @> '{requested}'");
    assert_eq!(system.database.count(&stored).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_of_the_manual_does_what_the_manual_says() {
    let system = System::builder(Shape::OneProcess).start().await;
    let manual = include_str!("../../../../docs/cli.md");
    let script = manual.split("```console\n").find(|block| block.starts_with("job=$(")).expect("a script");
    let script = script.split("```").next().unwrap();
    let program = it::binary("modelday");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());

    let mut command = std::process::Command::new("bash");
    command.args(["-euc", &format!("set +e\n{script}")]).env("PATH", path);
    let ran = command.env("MODELDAY_URL", &system.client.status_url).output().unwrap();

    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let board: Value = serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}{err}"));
    assert_eq!(board["start_date"], "2025-10-29", "{board}");
    assert!(board["rows"].as_array().unwrap().iter().any(|row| row["model"] == "gpt-5"), "{board}");
}
