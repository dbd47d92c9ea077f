//! `POST /simulate/trigger`: the accepted values of each field, and their meaning.

use serde_json::{Value, json};

use crate::stage::{Api, assert_has, first_days, recorded};

/// The options of an accepted job, as its message has them.
async fn options(api: &Api, job: &str) -> Value {
    let query = format!("SELECT body FROM trigger.jobs WHERE id = '{job}'");
    let body: Value = serde_json::from_str(&api.system.database.text(&query).await).unwrap();
    body["job"]["options"].clone()
}

#[tokio::test]
async fn the_response_to_an_accepted_request_has_the_fields_of_the_original() {
    let api = Api::of(recorded()).await;

    let response = api.post(&first_days()).await;

    assert_eq!(response.status, 200, "{}", response.text);
    assert!(response.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    assert_has(
        &response.body,
        &json!({
            "status": "pending",
            "total_model_days": 8,
            "message": "Simulation job created for 4 dates, 2 models",
            "warnings": null,
            "deployment_mode": "PROD",
            "is_dev_mode": false,
            "preserve_dev_data": null,
        }),
    );
    assert_eq!(
        uuid::Uuid::parse_str(response.body["job_id"].as_str().unwrap()).unwrap().get_version_num(),
        7
    );
}

#[tokio::test]
async fn fields_have_their_defaults_and_may_be_null_or_empty() {
    let api = Api::of(recorded()).await;
    let defaults = json!({ "on_failure": "ON_FAILURE_CONTINUE" });

    for (body, message) in [
        (json!({ "end_date": "2025-10-06" }), "Simulation job created for 1 dates, 2 models (resume mode)"),
        (
            json!({ "start_date": null, "end_date": "2025-10-06", "models": null }),
            "Simulation job created for 1 dates, 2 models (resume mode)",
        ),
        (
            json!({ "start_date": "", "end_date": "2025-10-06", "models": [] }),
            "Simulation job created for 1 dates, 2 models (resume mode)",
        ),
        (
            json!({ "start_date": "2025-10-06", "end_date": "2025-10-06", "replace_existing": false, "more": [1] }),
            "Simulation job created for 1 dates, 2 models",
        ),
        (
            json!({ "end_date": "2025-10-06", "models": ["idle", "idle", "retired", "idle"] }),
            "Simulation job created for 1 dates, 2 models (resume mode)",
        ),
    ] {
        let response = api.post(&body).await;

        assert_eq!(response.status, 200, "{body}: {}", response.text);
        assert_eq!(response.body["message"], message, "{body}");
        let options = options(&api, &response.job()).await;
        for (name, value) in defaults.as_object().unwrap() {
            let given = &options[name];
            assert!(given.is_null() || given == value, "{body}: {options}");
        }
        for flag in ["replace_existing", "wait_for_data", "reprocess_stale"] {
            assert!(matches!(options[flag], Value::Null | Value::Bool(false)), "{body}: {options}");
        }
    }
}

#[tokio::test]
async fn a_flag_may_have_every_form_that_the_original_accepted() {
    let api = Api::of(recorded()).await;
    let on = [
        json!(true),
        json!(1),
        json!(1.0),
        json!("true"),
        json!("TRUE"),
        json!("yes"),
        json!("on"),
        json!("1"),
        json!("t"),
        json!("y"),
    ];
    let off = [
        json!(false),
        json!(0),
        json!("false"),
        json!("No"),
        json!("off"),
        json!("0"),
        json!("f"),
        json!("n"),
    ];
    let request =
        |flag: &Value| json!({ "end_date": "2025-10-06", "models": ["idle"], "replace_existing": flag });

    for (flags, expected) in [(&on[..], true), (&off[..], false)] {
        for flag in flags {
            let job = api.post(&request(flag)).await.job();

            let replaces = options(&api, &job).await["replace_existing"].as_bool().unwrap_or(false);
            assert_eq!(replaces, expected, "{flag}");
        }
    }
    for (flag, kind, text) in [
        (json!("maybe"), "bool_parsing", "Input should be a valid boolean, unable to interpret input"),
        (json!(2), "bool_parsing", "Input should be a valid boolean, unable to interpret input"),
        (json!([true]), "bool_type", "Input should be a valid boolean"),
        (Value::Null, "bool_type", "Input should be a valid boolean"),
    ] {
        let response = api.post(&request(&flag)).await;

        assert_eq!(response.refusal(), (422, &*format!("body.replace_existing: {text}")), "{flag}");
        let error =
            json!([{ "type": kind, "loc": ["body", "replace_existing"], "msg": text, "input": flag }]);
        assert_eq!(response.body["errors"], error);
    }
}

#[tokio::test]
async fn each_model_resumes_on_the_day_after_its_own_last_one() {
    let api = Api::of(recorded()).await;
    api.run(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02", "models": ["trader"] })).await;
    api.run(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-06", "models": ["idle"] })).await;

    let response = api.post(&json!({ "end_date": "2025-10-06" })).await;
    let status = api.system.client.ended(&response.job()).await;

    assert_eq!(response.body["message"], "Simulation job created for 2 dates, 2 models (resume mode)");
    assert_eq!(response.body["total_model_days"], 2, "Friday and Monday of one model");
    assert_eq!(
        response.body["warnings"].as_array().map(Vec::len),
        Some(1),
        "the other is up to date: {}",
        response.text
    );
    let ran: Vec<_> =
        status["details"].as_array().unwrap().iter().map(|day| (&day["date"], &day["model"])).collect();
    assert_eq!(ran, [(&json!("2025-10-03"), &json!("trader")), (&json!("2025-10-06"), &json!("trader"))]);
}

#[tokio::test]
async fn an_experiment_begins_with_cash_and_does_not_change_the_others() {
    let api = Api::of(recorded()).await;
    api.run(&first_days()).await;

    let other = json!({ "start_date": "2025-10-06", "end_date": "2025-10-06", "models": ["trader"], "experiment": "other.1_b-c" });
    let status = api.run(&other).await;

    assert_eq!((&status["status"], &status["experiment"]), (&json!("completed"), &json!("other.1_b-c")));
    let cash = async |experiment: &str| {
        let response = api.get(&format!("/results?start_date=2025-10-06&model=trader{experiment}")).await;
        response.body["results"][0]["starting_position"]["cash"].clone()
    };
    assert_eq!(cash("&experiment=other.1_b-c").await, 10_000);
    assert_eq!(cash("").await, 5887.7, "the default experiment is what original clients see");
}

#[tokio::test]
async fn a_request_whose_days_are_all_completed_is_accepted_and_says_so() {
    let api = Api::of(recorded()).await;
    let first = api.run(&first_days()).await;
    assert_eq!(first["status"], "completed", "{first}");

    let again = api.run(&first_days()).await;
    let replaced = api
        .run(&json!({ "start_date": "2025-10-06", "end_date": "2025-10-06", "replace_existing": true }))
        .await;

    assert_has(
        &again,
        &json!({ "status": "completed", "error": null, "warnings": ["Skipped 8 model-days already completed"] }),
    );
    assert_has(
        &again["progress"],
        &json!({ "total_model_days": 8, "completed": 0, "failed": 0, "pending": 0, "skipped": 8 }),
    );
    assert_eq!(again["details"][0]["error"], "Already completed");
    assert_has(&replaced["progress"], &json!({ "total_model_days": 2, "completed": 2, "skipped": 0 }));
}
