//! A job is exported, everything is stopped, and its days are replayed from the file alone.

use std::time::Duration;

use it::{Shape, System};
use serde_json::{Value, json};
use standin::chat::{Fault, ToolCall};

use crate::bundle::{BundleFile, gzip, lines, packed};
use crate::stage::{endpoint, models};

const MODELS: [&str; 6] =
    ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];

/// The line of a model's day.
fn day<'a>(lines: &'a mut [Value], model: &str, date: &str) -> &'a mut Value {
    let is_day =
        |line: &&mut Value| line["kind"] == "model_day" && line["model"] == model && line["date"] == date;
    lines.iter_mut().find(is_day).expect("the day is in the bundle")
}

#[tokio::test]
async fn the_recorded_days_of_six_language_models_are_replayed_byte_for_byte_without_servers() {
    let endpoint = endpoint().await;
    endpoint.play_decisions(include_str!("../../../../configs/recorded/ai-trader-2025-10.csv"));
    endpoint.require_key("sk-a-very-secret-key");
    endpoint.hold_from(0);
    let extra = "api_key_env = \"TEST_AGENT_KEY\"\nconcurrency = 6";
    let system = System::builder(Shape::FourProcesses)
        .models(&models(&endpoint.base_url(), &MODELS, extra))
        .env("TEST_AGENT_KEY", "sk-a-very-secret-key")
        .start()
        .await;
    let (status, printed) = system.client.bundle("018f3b1e-7b7a-7000-8000-0123456789ab").await;
    assert_eq!(status, 404, "{}", String::from_utf8_lossy(&printed));
    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-07" })).await;
    system.client.until(&job, "run", |status| status["status"] == "running").await;
    let (status, printed) = system.client.bundle(&job).await;
    let printed: Value = serde_json::from_slice(&printed).unwrap();
    assert_eq!(
        (status.as_u16(), &printed["detail"]),
        (409, &json!(format!("Job {job} is running and can be exported once it has ended")))
    );
    endpoint.hold_from(usize::MAX);
    assert_eq!(system.client.ended(&job).await["status"], "completed");
    let (status, bundle) = system.client.bundle(&job).await;
    assert_eq!(status, 200);
    assert_eq!(system.client.bundle(&job).await.1, bundle, "a job has one bundle");
    let fetched = BundleFile::new(b"");
    let url = system.client.executor_url.clone();
    let output = it::modelday(&["export", "--bundle", &job, "--output", fetched.path(), "--base-url", &url]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read(fetched.path()).unwrap(), bundle);
    drop(system);
    let calls = endpoint.calls().len();

    let (first, code, printed) = fetched.replay();
    let (second, _, _) = fetched.replay();

    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(first, second);
    let results: Vec<Value> = first.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let completed = results.iter().filter(|line| line["status"] == "completed").count();
    assert_eq!((completed, results.len()), (30, 1 + 30 + 6));
    assert_eq!(fetched.verify().0, Some(0), "{}", fetched.verify().1);
    assert_eq!(endpoint.calls().len(), calls, "a replay calls no endpoint");
    let text = lines(&bundle).iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("very-secret"), "the key is in the bundle");
    changes_are_found(&bundle);
    damage_is_reported(&bundle);
}

/// Recorded responses that were changed or removed.
fn changes_are_found(bundle: &[u8]) {
    let mut changed = lines(bundle);
    let answer = &mut day(&mut changed, "gpt-5", "2025-10-02")["journal"];
    let answer = answer
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|entry| entry["answer"].as_str().is_some_and(|answer| answer.contains("\"buy\"")))
        .expect("an answer that buys");
    let step = answer["step"].clone();
    answer["answer"] =
        json!(answer["answer"].as_str().unwrap().replacen("\\\"amount\\\":", "\\\"amount\\\":1", 1));
    let (code, printed) = BundleFile::new(&packed(&changed)).verify();
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains(&format!("gpt-5 on 2025-10-02, step {step}, buy (call 1): recorded")),
        "{printed}"
    );

    let mut removed = lines(bundle);
    let journal = day(&mut removed, "gpt-5", "2025-10-02")["journal"].as_array_mut().unwrap();
    journal.retain(|entry| entry["step"] != 2 || entry["index"] != 0);
    let removed = BundleFile::new(&packed(&removed));
    let (code, printed) = removed.verify();
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("gpt-5 on 2025-10-02, step 2, the model's answer"), "{printed}");
    let (results, code, printed) = removed.replay();
    assert_eq!(code, Some(1));
    assert!(printed.contains("gpt-5 on 2025-10-02, step 2: no answer is recorded"), "{printed}");
    let ended = results.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ended: Vec<Value> = ended.filter(|line| line["end_reason"] == "not_recorded").collect();
    // The days after it continue from another position, so their requests are not recorded.
    assert!(ended.iter().all(|day| day["status"] == "failed" && day["model"] == "gpt-5"), "{ended:?}");
    assert_eq!(ended[0]["date"], "2025-10-02");
}

/// Files that are cut or changed.
fn damage_is_reported(bundle: &[u8]) {
    let cut = BundleFile::new(&bundle[..bundle.len() - 500]);
    let (code, printed) = cut.verify();
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("cut off"), "{printed}");
    let (results, code, _) = cut.replay();
    assert_eq!((results.as_str(), code), ("", Some(2)));

    let mut without_end = lines(bundle);
    without_end.pop();
    let text: String = without_end.iter().map(|line| format!("{line}\n")).collect();
    let (code, printed) = BundleFile::new(&gzip(text.as_bytes())).verify();
    assert!(code == Some(2) && printed.contains("its checksum is missing"), "{printed}");

    let mut changed = lines(bundle);
    day(&mut changed, "gpt-5", "2025-10-02")["outcome"]["value_at_open"] = json!("1");
    let text: String = changed.iter().map(|line| format!("{line}\n")).collect();
    let (code, printed) = BundleFile::new(&gzip(text.as_bytes())).verify();
    assert!(code == Some(2) && printed.contains("the file is damaged"), "{printed}");

    let (code, printed) = BundleFile::new(b"not a bundle").verify();
    assert_eq!(code, Some(2), "{printed}");
}

#[tokio::test]
async fn jobs_that_continue_replace_and_fail_are_replayed_from_what_they_stood_on() {
    let endpoint = endpoint().await;
    let order = |side: &str, amount: u32| ToolCall::new(side, &json!({ "symbol": "AAPL", "amount": amount }));
    endpoint.script("a", "*", vec![vec![order("buy", 2)], vec![order("sell", 1)]]);
    let quota =
        json!({ "error": { "message": "no", "type": "insufficient_quota", "code": "insufficient_quota" } });
    let refusal = Fault::Response(429, Vec::new(), quota.to_string());
    endpoint.fault("a", refusal.clone());
    endpoint.fault("a", Fault::Cut);
    let policy = |name: &str, policy: &str| {
        format!(
            "[[models]]\nsignature = \"{name}\"\nkind = \"policy\"\nenabled = true\ntrials = 2\npolicy = {{ {policy} }}\n"
        )
    };
    let entries = models(&endpoint.base_url(), &["a"], "")
        + &policy("rise", "policy = \"momentum\", lookback = 1, top = 1, rebalance_every = 2")
        + &policy("dice", "policy = \"random\", seed = 7, orders_per_day = 3");
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT", "NVDA"], Some("QQQ"))
        .models(&entries)
        .start()
        .await;
    let requests = [
        json!({ "start_date": "2025-10-01", "end_date": "2025-10-03" }),
        json!({ "start_date": "2025-10-06", "end_date": "2025-10-08" }),
        json!({ "start_date": "2025-10-02", "end_date": "2025-10-07", "replace_existing": true }),
    ];

    let mut bundles = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        if place == 2 {
            // A day has three calls: the second day of the replacement fails, and the third continues from the first.
            (0..3).for_each(|_| endpoint.fault("a", Fault::Late(Duration::ZERO)));
            endpoint.fault("a", refusal.clone());
        }
        let job = system.client.trigger(request).await;
        system.client.ended(&job).await;
        bundles.push(system.client.bundle(&job).await.1);
    }
    drop(system);

    let failed = |bundle: &[u8]| -> Vec<Value> {
        let days = lines(bundle).into_iter().filter(|line| line["outcome"]["status"] == "failed");
        days.map(|day| json!([day["model"], day["date"], day["base"]])).collect()
    };
    assert_eq!(failed(&bundles[0]), [json!(["a", "2025-10-01", null])]);
    let base = json!({ "date": "2025-10-02", "revision": 2 });
    assert_eq!(failed(&bundles[2]), [json!(["a", "2025-10-03", base])]);
    for (place, bundle) in bundles.iter().enumerate() {
        let (code, printed) = BundleFile::new(bundle).verify();
        assert_eq!(code, Some(0), "job {place}: {printed}");
    }
    let revisions = lines(&bundles[2]).into_iter().filter(|line| line["revision"] == 2).count();
    assert_eq!(revisions, 4 * 5, "four days of five portfolios are replaced");
}
