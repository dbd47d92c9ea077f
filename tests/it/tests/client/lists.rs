//! Lists of what a server has, and how a table is shown.

use serde_json::json;

use crate::command::{modelday, modelday_with, small};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_show_what_the_server_has_and_columns_can_be_chosen_sorted_and_exported() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let body = json!({ "start_date": "2025-11-24", "end_date": "2025-11-26" });
    let job = system.client.trigger(&body).await;
    system.client.ended(&job).await;
    let run = |arguments: &[&str]| {
        let ran = modelday(url, arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran
    };

    let models = run(&["models", "--columns", "kind,model", "--sort", "-model"]);
    let lines: Vec<&str> = models.out.lines().skip(2).collect();
    assert_eq!(lines, ["policy  cash", "policy  a-random-trader-with-a-rather-long-name"]);
    let coverage = run(&["coverage", "AAPL", "--start", "2025-11-24", "--end", "2025-11-26"]);
    assert!(coverage.out.lines().any(|line| line.starts_with("AAPL       3        0")), "{coverage:?}");
    assert!(coverage.err.contains("3 sessions from 2025-11-24 to 2025-11-26"), "{coverage:?}");
    let sources = run(&["sources", "--csv"]);
    assert!(
        sources.out.starts_with("source,plan,key,calls-left,limits,more-at,refused-until\n"),
        "{sources:?}"
    );
    assert!(sources.out.lines().any(|line| line.starts_with("alpha_vantage,paid,yes,")), "{sources:?}");
    assert!(run(&["dead-letters"]).err.contains("There are no such dead letters."));
    let jobs = run(&["jobs", "--csv", "--columns", "job,status,failed"]);
    assert_eq!(jobs.out, format!("job,status,failed\n{job},completed,0\n"));
    let board = run(&["leaderboard", "--csv", "--sort", "volatility"]);
    let rows: Vec<Vec<&str>> = board.out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][..4], ["model", "return", "value", "sharpe"]);
    let of_api = system.client.get_ok(&format!("/leaderboard?job_id={job}")).await;
    let cash = of_api["rows"].as_array().unwrap().iter().find(|row| row["model"] == "cash").unwrap();
    let shown = rows.iter().find(|row| row[0] == "cash").unwrap();
    assert_eq!(shown[2].parse::<f64>().ok(), cash["final_value"].as_f64());

    let wrong = modelday(url, &["jobs", "--columns", "job,stauts"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(
        wrong.err.contains("--columns: there is no column \"stauts\"; did you mean status?"),
        "{wrong:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misspelt_model_gets_the_name_that_is_meant_and_a_shell_the_names_of_the_server() {
    let system = small().start().await;
    let url = &system.client.status_url;
    let long = "a-random-trader-with-a-rather-long-name";
    let misspelt = "a-random-trader-with-a-rather-lnog-name";

    for arguments in [
        &["run", "--end", "2025-11-26", "--models", misspelt][..],
        &["plan", "--end", "2025-11-26", "--models", "cash,a-random-trader-with-a-rather-lnog-name"],
        &["results", "--start", "2025-11-26", "--model", misspelt],
    ] {
        let ran = modelday(url, arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let expected = format!("modelday: there is no model {misspelt}; did you mean {long}?\n");
        assert_eq!(ran.err, expected, "{arguments:?}");
    }

    // What the script of a shell does: the words with the program's own before them, and the place of the last.
    let completed = |words: &[&str]| {
        let place = words.len().to_string();
        let env = [("MODELDAY_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", &*place), ("_CLAP_IFS", "\n")];
        let completed = modelday_with(url, &env, &[&["--", "modelday"], words].concat());
        assert_eq!((completed.code, &*completed.err), (Some(0), ""), "{completed:?}");
        completed.out.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["leaderb"]), ["leaderboard"]);
    assert_eq!(completed(&["run", "--models", "a-r"]), [long]);
    assert_eq!(completed(&["run", "--models", "cash,a-r"]), [format!("cash,{long}")]);
    assert_eq!(completed(&["jobs", "--status", "c"]), ["completed", "cancelled"]);
    let body = json!({ "start_date": "2025-11-24", "end_date": "2025-11-24" });
    let job = system.client.trigger(&body).await;
    system.client.ended(&job).await;
    assert_eq!(completed(&["watch", &job[..6]]), [job.as_str()]);
    let without = modelday_with(
        "http://127.0.0.1:1",
        &[("MODELDAY_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "3")],
        &["--", "modelday", "run", "--models", "a"],
    );
    assert_eq!((without.code, &*without.out, &*without.err), (Some(0), "", ""), "a shell shows no errors");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_and_its_day_lead_to_their_trace() {
    let system = small().env("TRACE_URL_TEMPLATE", "https://traces.example/{trace_id}").start().await;
    let url = &system.client.status_url;

    let ran = modelday(url, &["run", "--end", "2025-11-25", "--models", "cash"]);

    let job = ran.out.lines().next().unwrap().strip_prefix("Job ").unwrap();
    let of = async |query: &str| {
        let trace = system.client.get_ok(&format!("/jobs/{job}/trace{query}")).await;
        trace["trace_url"].as_str().unwrap().to_owned()
    };
    let (of_job, of_day) = (of("").await, of("?model=cash&date=2025-11-25").await);
    assert!(of_job.starts_with("https://traces.example/") && of_job.len() > 50, "{of_job}");
    assert!(ran.out.contains(&format!("\n  trace: {of_job}\n")), "{ran:?}");
    assert_eq!(modelday(url, &["open", job, "--trace"]).out, format!("{of_job}\n"));
    let opened = modelday(url, &["open", job, "cash", "2025-11-25", "--trace"]);
    assert_eq!(opened.out, format!("{of_day}\n"));
    let unknown = modelday(url, &["open", job, "cash", "2025-11-26", "--trace"]);
    assert!(unknown.err.contains("no trace is known of it"), "{unknown:?}");
}
