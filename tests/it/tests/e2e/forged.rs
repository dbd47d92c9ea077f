//! Messages of others than the services: none of them has an effect, and each becomes a dead letter.

use it::{Shape, System, http};
use messaging::{Authentication, Envelope, FirstPublished, Publisher, SigningKey, topology};
use serde_json::{Value, json};
use test_support::{TestVhost, eventually};

/// A key that is not one of the installation, under the name of the one that is.
fn wrong_key() -> Authentication {
    let authentication = Authentication::default();
    authentication.keyring.replace(vec![SigningKey::new("test", &[7; 32])]);
    authentication
}

async fn publish(vhost: &TestVhost, signed: Authentication, messages: &[Envelope]) {
    let publisher = Publisher::new(vhost.settings().with_authentication(signed), "forger");
    let published = publisher.publish_in_order(messages).await;
    assert!(published.failure.is_none(), "{:?}", published.failure);
}

async fn letters(system: &System, count: usize) -> Vec<Value> {
    eventually("the dead letters", async || {
        let letters = system.client.get_ok("/dead-letters?limit=100").await;
        let list = letters["dead_letters"].as_array().cloned().unwrap_or_default();
        (list.len() >= count).then_some(list)
    })
    .await
}

fn reasons(letters: &[Value], queue: &str) -> Vec<String> {
    let of_queue = letters.iter().filter(|letter| letter["queue"] == queue);
    let mut reasons: Vec<String> =
        of_queue.map(|letter| letter["reason"].as_str().unwrap_or_default().to_owned()).collect();
    reasons.sort();
    reasons
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_messages_change_nothing_and_are_dead_letters() {
    let system = System::builder(Shape::FourProcesses).start().await;
    let vhost = system.vhost.as_ref().unwrap();
    let job = system.client.trigger(&json!({ "end_date": "2025-10-01", "models": ["cash"] })).await;
    let before = system.client.ended(&job).await;
    let body = |kind: &str| {
        let outboxes = "trigger.outbox UNION ALL SELECT kind, body FROM market.outbox
                        UNION ALL SELECT kind, body FROM execution.outbox";
        format!("SELECT body FROM (SELECT kind, body FROM {outboxes}) AS sent WHERE kind = '{kind}' LIMIT 1")
    };
    let ready = system.database.text(&body("modelday.data.ready.v1")).await;
    let completed = system.database.text(&body("modelday.model_day.completed.v1")).await;
    let stranger = uuid::Uuid::now_v7().to_string();

    // The model of the forged plan would send a variable of the environment to an address inside.
    let mut plan: Value = serde_json::from_str(&ready.replace(&job, &stranger)).unwrap();
    let agent = json!({
        "dialect": "AGENT_DIALECT_OWN_AGENT", "url": "http://127.0.0.1:1/x", "key_variable": "DATABASE_URL",
        "settings": "{\"basemodel\":\"x\"}", "concurrency": 1, "timeout_seconds": "1",
    });
    let model = &mut plan["job"]["models"][0];
    model.as_object_mut().unwrap().remove("policy");
    model["agent"] = agent;
    let plan = plan.to_string();
    let made_up = completed.replace("\"cash\"", "\"the-best-model-of-all\"");
    let failed = json!({
        "job_id": job, "outcome": "JOB_OUTCOME_FAILED", "error": "forged", "ended_at": "2025-10-01T00:00:00Z",
    })
    .to_string();

    let event = TestVhost::event;
    let forged = [
        event("/modelday/downloader", "modelday.data.ready.v1", plan.as_bytes()),
        event("/modelday/executor", "modelday.model_day.completed.v1", made_up.as_bytes()),
        event("/modelday/executor", "modelday.job.failed.v1", failed.as_bytes()),
    ];
    publish(vhost, Authentication::default(), &forged).await;
    publish(vhost, wrong_key(), &forged).await;
    // Each goes to status; plans also to executor, and ended jobs to trigger.
    let letters = letters(&system, 10).await;

    let (unsigned, other) =
        ("not authentic: it is not signed", "not authentic: its signature does not fit its content");
    for (queue, each) in [("executor.plans.v1", 1), ("trigger.jobs.v1", 1), ("status.projection.v1", 3)] {
        let expected = [vec![unsigned; each], vec![other; each]].concat();
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        expected.sort();
        assert_eq!(reasons(&letters, queue), expected, "{queue}");
    }
    assert_eq!(system.database.count("SELECT count(*) FROM execution.jobs").await, 1);
    assert_eq!(system.client.ended(&job).await, before);
    let board = system.client.get_ok("/leaderboard").await.to_string();
    assert!(!board.contains("the-best-model-of-all"), "{board}");
    let letter = letters.iter().find(|letter| letter["queue"] == "executor.plans.v1").unwrap();
    let url = format!("{}/dead-letters/{}/replay", system.client.status_url, letter["id"]);
    let replayed = http().post(url).send().await.unwrap();
    assert_eq!(replayed.status(), 409);
    assert!(replayed.text().await.unwrap().contains("not authentic"));
}

#[tokio::test(flavor = "multi_thread")]
async fn even_a_signed_message_speaks_only_for_its_source_and_orders_no_endless_work() {
    let system = System::builder(Shape::FourProcesses).start().await;
    let vhost = system.vhost.as_ref().unwrap();
    let job = system.client.trigger(&json!({ "end_date": "2025-10-01", "models": ["cash"] })).await;
    system.client.ended(&job).await;
    let ready = system.database.text("SELECT body FROM market.outbox WHERE kind LIKE '%data.ready.v1'").await;
    let mut endless: Value = serde_json::from_str(&ready).unwrap();
    endless["job"]["models"][0]["trials"] = json!(4_294_967_295_u32);
    let endless = endless.to_string();

    let event = TestVhost::event;
    let other_source = event("/modelday/executor", "modelday.data.ready.v1", ready.as_bytes());
    let too_large = event("/modelday/downloader", "modelday.data.ready.v1", endless.as_bytes());
    let completed = "SELECT body FROM execution.outbox WHERE kind LIKE '%model_day.completed.v1'";
    let better: String =
        system.database.text(completed).await.replace("\"cash\"", "\"the-best-model-of-all\"");
    let result_of_another = event("/modelday/trigger", "modelday.model_day.completed.v1", better.as_bytes());
    vhost.publish(&[other_source, too_large, result_of_another]).await;
    // An authentic turn that is sent to the queue of the plans.
    let turn = Envelope {
        exchange: topology::COMMANDS.to_owned(),
        ..event("/modelday/executor", "lane.continue", b"{}")
    };
    let signature = turn.signature(&vhost.settings().authentication().keyring);
    let misled = Envelope {
        exchange: String::new(),
        first_published: Some(FirstPublished { routing_key: turn.routing_key.clone(), signature }),
        routing_key: "executor.plans.v1".to_owned(),
        ..turn
    };
    vhost.publish(&[misled]).await;

    let letters = letters(&system, 6).await;
    assert_eq!(
        reasons(&letters, "executor.plans.v1"),
        [
            "models.trials: 4294967295 is more than the 1000 that are allowed",
            r#"not authentic: "/modelday/executor" does not send messages of type "modelday.data.ready.v1""#,
            "not authentic: it was not meant for this queue",
        ]
    );
    let of_another = r#"not authentic: "/modelday/trigger" does not send messages of type "modelday.model_day.completed.v1""#;
    assert!(
        reasons(&letters, "status.projection.v1").iter().any(|reason| reason == of_another),
        "{letters:?}"
    );
    let board = system.client.get_ok("/leaderboard").await.to_string();
    assert!(!board.contains("the-best-model-of-all"), "{board}");
    assert_eq!(system.database.count("SELECT count(*) FROM execution.jobs").await, 1);
}
