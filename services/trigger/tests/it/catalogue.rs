//! Models and universes that users store, read again from files, and name in requests.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::stage::Stage;

const CASH: &str = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\npolicy = { policy = \"cash\" }\n";

fn hold(symbol: &str) -> Value {
    json!({ "kind": "policy", "policy": { "policy": "buy_and_hold", "symbol": symbol } })
}

/// What jobs kept of their requests, oldest first: universe and models with their hashes.
async fn kept(stage: &Stage) -> Vec<Value> {
    let bodies: Vec<(String,)> = sqlx::query_as("SELECT body FROM trigger.jobs ORDER BY id")
        .fetch_all(&stage.database.admin)
        .await
        .unwrap();
    let job = |body: &str| serde_json::from_str::<Value>(body).unwrap()["job"].clone();
    bodies.iter().map(|(body,)| job(body)).collect()
}

fn names(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_stored_model_runs_at_once_has_versions_and_gives_way_to_the_file_when_it_is_removed() {
    let stage = Stage::new().await;
    let range =
        |models: &[&str]| json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": models });

    let first = stage.put("/models/mine%2Fhold:1", &hold("NVDA")).await;
    let again = stage.put("/models/mine%2Fhold:1", &hold("NVDA")).await;
    let second = stage.put("/models/mine%2Fhold:1", &hold("AAPL")).await;
    let job = stage.post(&range(&["mine/hold:1"])).await;
    let covering = stage.put("/models/cash", &hold("MSFT")).await;
    let removed = stage.delete("/models/mine%2Fhold:1").await;
    let uncovered = stage.delete("/models/cash").await;
    let of_file = stage.delete("/models/cash").await;
    let after = stage.get("/models").await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert_eq!((&first.body["version"], &first.body["origin"]), (&json!(1), &json!("api")));
    assert_eq!(again.body, first.body, "nothing changed");
    assert_eq!((&second.body["version"], &second.body["ready"]), (&json!(2), &json!(true)));
    assert_eq!(second.body["versions"].as_array().unwrap().len(), 2);
    assert_eq!(second.body["changed_by"], "anonymous");
    assert_ne!(second.body["config_hash"], first.body["config_hash"]);
    job.job();
    let kept = kept(&stage).await;
    assert_eq!(kept[0]["models"][0]["config_hash"], second.body["config_hash"], "{}", kept[0]);
    assert_eq!((&covering.body["origin"], &covering.body["version"]), (&json!("api"), &json!(2)));
    assert_eq!((removed.status, uncovered.status), (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
    assert_eq!(of_file.status, StatusCode::CONFLICT, "{}", of_file.body);
    assert!(of_file.detail().contains("is a model of the models file"), "{}", of_file.detail());
    let signatures = names(&after.body["models"], "signature");
    assert!(!signatures.contains(&"mine/hold:1".to_owned()), "{signatures:?}");
    let cash = after.body["models"].as_array().unwrap().iter().find(|model| model["signature"] == "cash");
    assert_eq!(cash.unwrap()["origin"], "file");
    assert_eq!(stage.get("/models/mine%2Fhold:1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.delete("/models/nobody").await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.post(&range(&["mine/hold:1"])).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    stage.stop().await;
}

#[tokio::test]
async fn a_wrong_model_is_refused_at_its_member_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let llm = |url: &str, key: &str| json!({ "kind": "llm", "basemodel": "m", "base_url": url, "api_key_env": key });
    let with = |mut body: Value, member: &str, value: Value| {
        body[member] = value;
        body
    };

    for (body, place, words) in [
        (json!([]), json!(["body"]), "as an object"),
        (json!({ "kind": "magic" }), json!(["body"]), "unknown variant `magic`"),
        (with(hold("NVDA"), "max_step", json!(3)), json!(["body"]), "unknown field `max_step`"),
        (with(hold("NVDA"), "trials", json!(0)), json!(["body", "trials"]), "0 is not 1 to 1000"),
        (with(hold("NVDA"), "signature", json!("other")), json!(["body", "signature"]), "another name"),
        (
            json!({ "kind": "recorded", "decisions": "/etc/passwd" }),
            json!(["body", "decisions"]),
            "is a file",
        ),
        (
            json!({ "kind": "recorded", "decisions_csv": "model,date,sequence,action,symbol,quantity\nx,2025-10-01,1,buy,A,1" }),
            json!(["body", "decisions_csv"]),
            "no order whose column model is mine",
        ),
        (
            with(llm("https://x.example/v1", ""), "prompt", json!("../secret.txt")),
            json!(["body", "prompt"]),
            "is a file",
        ),
        // A key belongs to a host, whoever names it.
        (llm("https://evil.example/v1", "DATABASE_URL"), json!(["body", "api_key_env"]), "gives to no host"),
        (
            llm("https://evil.example/v1", "OPENAI_API_KEY"),
            json!(["body", "api_key_env"]),
            "is not sent to evil.example",
        ),
        (llm("http://169.254.169.254/latest", ""), json!(["body", "base_url"]), "metadata address"),
        (llm("http://10.1.2.3/v1", ""), json!(["body", "base_url"]), "add 10.1.2.3 to ENDPOINT_ALLOW"),
    ] {
        let reply = stage.put("/models/mine", &body).await;

        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", reply.body);
        assert_eq!(reply.body["errors"][0]["loc"], place, "{body}: {}", reply.body);
        assert!(reply.detail().contains(words), "{words:?} is not in {}", reply.detail());
    }
    let name = stage.put("/models/a%20b", &hold("NVDA")).await;
    assert_eq!(name.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", name.body);
    let dots = stage.put("/models/.hidden", &hold("NVDA")).await;
    assert_eq!(dots.body["errors"][0]["loc"], json!(["path", "signature"]), "{}", dots.body);
    let stored = "SELECT count(*) FROM trigger.catalogue_versions WHERE origin = 'api'";
    assert_eq!(stage.database.count(stored).await, 0);
    stage.stop().await;
}

#[tokio::test]
async fn a_recorded_model_and_a_prompt_come_as_texts() {
    let stage = Stage::new().await;
    let csv = "model,date,sequence,action,symbol,quantity\nmine,2025-10-01,1,buy,AAPL,3\nother,2025-10-01,1,buy,MSFT,4\n";
    let prompt = "Trade on {date}. Say {stop_token}.";

    let recorded = stage.put("/models/mine", &json!({ "kind": "recorded", "decisions_csv": csv })).await;
    let agent = json!({
        "kind": "llm", "base_url": "https://api.openai.com/v1", "basemodel": "m", "prompt": "short",
        "prompt_text": prompt, "training_cutoff": "2024-10-31", "initial_cash": null,
    });
    let agent = stage.put("/models/agent", &agent).await;
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["mine", "agent"] });
    stage.post(&body).await.job();

    let text = recorded.body["members"]["decisions_csv"].as_str().unwrap();
    assert_eq!(
        text, "model,date,sequence,action,symbol,quantity\nmine,2025-10-01,1,buy,AAPL,3\n",
        "{}",
        recorded.body
    );
    assert_eq!(agent.body["members"]["prompt_text"], prompt, "{}", agent.body);
    assert_eq!(agent.body["training_cutoff"], "2024-10-31");
    let kept = &kept(&stage).await[0]["models"];
    assert_eq!(kept[0]["recorded"]["orders"].as_array().unwrap().len(), 1, "{kept}");
    assert!(kept[1].to_string().contains("Trade on {date}"), "{kept}");
    stage.stop().await;
}

#[tokio::test]
async fn every_process_sees_what_another_one_stores() {
    let mut stage = Stage::new().await;
    let mut other = stage.second().await;
    let body = json!({
        "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["shared"], "universe": "shared",
    });

    stage.put("/models/shared", &hold("NVDA")).await;
    stage.put("/universes/shared", &json!({ "symbols": ["NVDA"] })).await;
    stage.turn_to(&mut other);
    let accepted = stage.post(&body).await;
    let seen = stage.get("/models/shared").await;
    stage.delete("/models/shared").await;
    stage.turn_to(&mut other);
    let gone = stage.post(&body).await;

    accepted.job();
    assert_eq!(seen.body["version"], 1, "{}", seen.body);
    assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", gone.body);
    other.stop().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_job_keeps_the_symbols_of_its_request_and_other_symbols_are_another_configuration() {
    let stage = Stage::new().await;
    let request = |member: &str, value: Value| {
        let mut body =
            json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["hold-nvda"] });
        body[member] = value;
        body
    };

    let stored = stage.put("/universes/two", &json!({ "symbols": ["NVDA", "AAPL", "NVDA"] })).await;
    let plain = stage.post(&request("experiment", json!("a"))).await;
    let named = stage.post(&request("universe", json!("two"))).await;
    let listed = stage.post(&request("symbols", json!(["NVDA", "AAPL"]))).await;
    let outside = stage.post(&request("symbols", json!(["MSFT"]))).await;
    let default = stage.post(&request("universe", json!("nasdaq100"))).await;
    let unknown = stage.post(&request("universe", json!("three"))).await;
    let planned = stage.plan(&request("symbols", json!(["MSFT"]))).await;
    stage.put("/universes/two", &json!({ "symbols": ["NVDA"], "benchmark": null })).await;
    let all = stage.get("/universes").await;

    assert_eq!((&stored.body["benchmark"], &stored.body["is_default"]), (&json!("QQQ"), &json!(false)));
    for reply in [&plain, &named, &listed, &outside, &default] {
        reply.job();
    }
    let kept = kept(&stage).await;
    let symbols = |job: usize| kept[job]["universe"]["symbols"].clone();
    let hash = |job: usize| kept[job]["models"][0]["config_hash"].clone();
    assert_eq!((symbols(1), symbols(2)), (json!(["NVDA", "AAPL"]), json!(["NVDA", "AAPL"])));
    assert_eq!(kept[2]["universe"]["benchmark"], "QQQ", "{}", kept[2]["universe"]);
    assert_eq!((hash(4), hash(2)), (hash(0), hash(1)), "the same symbols are the same configuration");
    assert_ne!(hash(1), hash(0));
    assert_ne!(hash(3), hash(1));
    let warning = "hold-nvda trades NVDA, which the universe does not have; such orders are refused";
    assert_eq!(outside.body["warnings"], json!([warning]));
    assert_eq!(planned.body["warnings"], json!([warning]), "{}", planned.body);
    assert_eq!(named.body["warnings"], Value::Null);
    assert_eq!(unknown.body["errors"][0]["loc"], json!(["body", "universe"]), "{}", unknown.body);
    assert!(unknown.detail().contains("Known universes: nasdaq100, two"), "{}", unknown.detail());
    assert_eq!(names(&all.body["universes"], "name"), ["nasdaq100", "two"]);
    assert_eq!(all.body["universes"][1]["version"], 2, "{}", all.body["universes"][1]);
    assert_eq!(all.body["universes"][1]["benchmark"], Value::Null);
    assert_eq!(all.body["universes"][0]["is_default"], true);
    stage.stop().await;
}

#[tokio::test]
async fn a_wrong_universe_is_refused_at_its_member() {
    let stage = Stage::new().await;

    for (body, place) in [
        (json!([]), json!(["body", "symbols"])),
        (json!({ "symbols": [] }), json!(["body", "symbols"])),
        (json!({ "symbols": ["AAPL", "a b"] }), json!(["body", "symbols", 1])),
        (json!({ "symbols": ["AAPL", 7] }), json!(["body", "symbols", 1])),
        (json!({ "symbols": ["AAPL"], "benchmark": "a b" }), json!(["body", "benchmark"])),
        (json!({ "symbols": ["AAPL"], "name": "other" }), json!(["body", "name"])),
        (json!({ "symbols": ["AAPL"], "symbol": 1 }), json!(["body", "symbol"])),
    ] {
        let reply = stage.put("/universes/mine", &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(reply.body["errors"][0]["loc"], place, "{body}: {}", reply.body);
    }
    let name = stage.put("/universes/a%20b", &json!({ "symbols": ["AAPL"] })).await;
    assert_eq!(name.body["errors"][0]["loc"], json!(["path", "name"]), "{}", name.body);
    assert_eq!(stage.delete("/universes/nasdaq100").await.status, StatusCode::CONFLICT);
    assert_eq!(stage.delete("/universes/mine").await.status, StatusCode::NOT_FOUND);
    stage.stop().await;
}

#[tokio::test]
async fn reading_the_files_again_says_what_changed_and_takes_nothing_of_a_wrong_file() {
    let folder = Folder::new();
    let models =
        folder.write("models.toml", &format!("{CASH}{}", CASH.replace("cash\"\nkind", "old\"\nkind")));
    let universe = folder.write("universe.json", r#"{"name": "u", "benchmark": "QQQ", "symbols": ["AAPL"]}"#);
    let stage = Stage::with(&[("MODELS_FILE", &models), ("UNIVERSE_FILE", &universe)]).await;
    let changed = CASH.replace("\npolicy =", "\ninitial_cash = 5\npolicy =");
    let new = CASH.replace("cash\"\nkind", "new\"\nkind");
    stage.put("/models/new", &hold("NVDA")).await;

    let nothing = stage.post_to("/admin/reload").await;
    folder.write("models.toml", &format!("{changed}{new}"));
    folder.write("universe.json", r#"{"name": "v", "benchmark": null, "symbols": ["AAPL", "MSFT"]}"#);
    let taken = stage.post_to("/admin/reload").await;
    let after = stage.get("/models").await;
    let universes = stage.get("/universes").await;
    folder.write(
        "models.toml",
        &format!("{CASH}[[models]]\nsignature = \"bad\"\nkind = \"policy\"\ntrials = 0\n"),
    );
    folder.write("universe.json", "{");
    let wrong = stage.post_to("/admin/reload").await;
    let unchanged = stage.get("/models").await;

    let report = |reply: &crate::stage::Reply, file: usize| {
        let file = &reply.body["files"][file];
        let list = |key: &str| {
            file[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        (
            list("added"),
            list("changed"),
            list("removed"),
            file["unchanged"].as_u64().unwrap(),
            list("covered"),
        )
    };
    let none = Vec::<String>::new;
    assert_eq!(report(&nothing, 0), (none(), none(), none(), 2, none()), "{}", nothing.body);
    let one = |name: &str| vec![name.to_owned()];
    assert_eq!(report(&taken, 0), (one("new"), one("cash"), one("old"), 0, one("new")), "{}", taken.body);
    assert_eq!(report(&taken, 1), (one("v"), none(), one("u"), 0, none()), "{}", taken.body);
    assert_eq!(names(&after.body["models"], "signature"), ["cash", "new"]);
    assert_eq!(after.body["models"][0]["initial_cash"], json!(5));
    assert_eq!(after.body["models"][1]["origin"], "api", "what the API stored counts");
    assert_eq!(names(&universes.body["universes"], "name"), ["v"]);
    let file = &wrong.body["files"][0];
    assert_eq!((&file["taken"], &file["unchanged"]), (&json!(false), &json!(0)), "{file}");
    assert_eq!(file["mistakes"][0]["key"], "models.bad.trials", "{file}");
    assert_eq!(wrong.body["files"][1]["mistakes"][0]["key"], "UNIVERSE_FILE", "{}", wrong.body);
    assert_eq!(unchanged.body, after.body);
    stage.stop().await;
}

#[tokio::test]
async fn what_users_store_stays_when_the_service_starts_again_and_the_file_has_no_new_version() {
    let stage = Stage::new().await;
    stage.put("/models/cash", &hold("NVDA")).await;
    let before = stage.get("/models").await;

    let stage = stage.restart().await;
    let after = stage.get("/models").await;

    assert_eq!(after.body, before.body);
    stage.stop().await;
}

#[tokio::test]
async fn a_model_whose_key_the_executor_lacks_is_not_ready_and_refused_with_what_to_do() {
    let stage = Stage::new().await;
    let model = json!({
        "kind": "llm", "base_url": "https://api.openai.com/v1", "basemodel": "m", "api_key_env": "OPENAI_API_KEY",
    });
    let body = json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["cash", "gpt"] });

    let unknown = stage.put("/models/gpt", &model).await;
    stage.database.execute("INSERT INTO execution.key_variables VALUES ('OPENAI_API_KEY', false)").await;
    let listed = stage.get("/models/gpt").await;
    let planned = stage.plan(&body).await;
    let refused = stage.post(&body).await;
    stage.database.execute("UPDATE execution.key_variables SET variable = 'GROQ_API_KEY'").await;
    let not_its_own = stage.get("/models/gpt").await;
    stage
        .database
        .execute("UPDATE execution.key_variables SET variable = 'OPENAI_API_KEY', is_set = true")
        .await;
    let accepted = stage.post(&body).await;

    assert_eq!(unknown.body["ready"], true, "no executor has told: {}", unknown.body);
    assert_eq!(listed.body["ready"], false, "{}", listed.body);
    let why = "the executor has no OPENAI_API_KEY, which api_key_env names; write it to KEYS_FILE and run `modelday reload`, or set it and restart the executor";
    assert_eq!(listed.body["why"], why);
    assert_eq!(
        (&planned.body["models"][1]["ready"], &planned.body["models"][1]["why"]),
        (&json!(false), &json!(why))
    );
    assert_eq!(planned.body["models"][0]["ready"], true);
    assert!(
        planned.body["warnings"][0].as_str().unwrap().starts_with("gpt is not ready"),
        "{}",
        planned.body
    );
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["errors"][0]["loc"], json!(["body", "models", 1]), "{}", refused.body);
    assert!(refused.detail().contains(why), "{}", refused.detail());
    assert!(not_its_own.body["why"].as_str().unwrap().contains("ENDPOINT_KEYS"), "{}", not_its_own.body);
    accepted.job();
    stage.stop().await;
}
