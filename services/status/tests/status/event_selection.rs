//! Selected events: by type, job, experiment and model.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::events::event::Event;
use domain::job::Job;
use domain::simulation::model_day::FailedDay;
use serde_json::{Value, json};
use storage::{Database, Owner};

use crate::consuming::Running;
use crate::events::{Reader, ended, started};
use crate::world::{World, completed, day, instant, job, job_id};

/// Away for so many events.
const AWAY: i64 = 20_000;

/// Job 1 has the models a and b, job 2 of another experiment has b, job 3 has a.
fn jobs() -> [Job; 3] {
    let of = |number, models: &[&str]| job(number, models, "2025-10-01", "2025-10-02");
    [of(1, &["a", "b"]), Job { experiment: "x".to_owned(), ..of(2, &["b"]) }, of(3, &["a"])]
}

fn ran(number: u128, model: &str, date: &str) -> Event {
    completed(day(number, model, date, None, "10000"))
}

fn failed(number: u128, model: &str, date: &str) -> Event {
    Event::ModelDayFailed(FailedDay {
        key: day(number, model, date, None, "1").key,
        attempt: 1,
        error: "no answer".to_owned(),
        started_at: instant(1),
        completed_at: instant(2),
        agent: None,
    })
}

async fn accepted() -> World {
    let world = World::new().await;
    for job in jobs() {
        world.accept(&job).await;
    }
    world
}

/// The events of three jobs side by side.
async fn three_jobs() -> World {
    let world = accepted().await;
    let [first, second, third] = jobs().map(Event::JobRequested);
    let lives = [
        vec![first, started(1), ran(1, "a", "2025-10-01")],
        vec![second, started(2), ran(1, "b", "2025-10-01"), ran(2, "b", "2025-10-01")],
        vec![third, failed(1, "b", "2025-10-02"), started(3), ended(2), ran(3, "a", "2025-10-01")],
        vec![ended(1), ended(3)],
    ];
    for events in lives {
        world.project(&events).await;
    }
    world
}

/// The positions of the events that `query` selects, in pages of at most `limit`.
async fn pages(world: &World, query: &str, limit: usize) -> Vec<i64> {
    let (mut positions, mut after) = (Vec::new(), 0);
    loop {
        let page = world.get(&format!("/events?{query}&limit={limit}&after={after}")).await.json;
        let events = page["events"].as_array().unwrap_or_else(|| panic!("{query}: {page}"));
        assert!(events.len() <= limit, "{query}: {page}");
        positions.extend(events.iter().map(|event| event["position"].as_i64().unwrap()));
        let next = page["next_after"].as_i64().unwrap();
        if next == after {
            assert!(events.is_empty(), "{query}: {page}");
            return positions;
        }
        assert!(events.last().is_none_or(|last| last["position"].as_i64() <= Some(next)), "{query}: {page}");
        after = next;
    }
}

#[tokio::test]
async fn a_selection_has_exactly_the_events_that_it_names_whatever_the_size_of_its_pages() {
    let world = three_jobs().await;
    let all = world.get("/events").await.json["events"].as_array().unwrap().clone();
    let of_job = |event: &Value, number: u128| event["subject"] == job_id(number).to_string();
    let is_kind = |event: &Value, start: &str| event["type"].as_str().unwrap().starts_with(start);
    let model = |event: &Value| event["data"]["key"]["model"].as_str().map(str::to_owned);
    let check = async |query: &str, is_selected: &dyn Fn(&Value) -> bool| {
        let selected = all.iter().filter(|event| is_selected(event));
        let expected: Vec<i64> = selected.map(|event| event["position"].as_i64().unwrap()).collect();
        for limit in [1, 2, 3, 1000] {
            assert_eq!(pages(&world, query, limit).await, expected, "{query}, {limit} a page");
        }
        expected.len()
    };

    assert_eq!(check("type=*", &|_| true).await, 14);
    assert_eq!(check("type=job.*", &|event| is_kind(event, "modelday.job.")).await, 9);
    let days = "type=model_day.failed.v1,modelday.model_day.completed.*";
    assert_eq!(check(days, &|event| is_kind(event, "modelday.model_day")).await, 5);
    let first = format!("job_id={}", job_id(1));
    assert_eq!(check(&first, &|event| of_job(event, 1)).await, 6);
    let days_of_first = format!("{first}&type=model_day.*");
    assert_eq!(check(&days_of_first, &|event| of_job(event, 1) && model(event).is_some()).await, 3);
    assert_eq!(check("experiment=x", &|event| of_job(event, 2)).await, 4);
    assert_eq!(check("experiment=default", &|event| !of_job(event, 2)).await, 10);
    assert_eq!(check("experiment=nothing", &|_| false).await, 0);
    let of_b = |event: &Value| !of_job(event, 3) && model(event).is_none_or(|model| model == "b");
    assert_eq!(check("model=b", &of_b).await, 9);
    let both = |event: &Value| of_b(event) && of_job(event, 1) && model(event).is_some();
    assert_eq!(check("model=b&experiment=default&type=model_day.*", &both).await, 2);
    assert_eq!(
        check(&format!("{first}&model=a&type=model_day.*"), &|event| {
            of_job(event, 1) && model(event).is_some_and(|model| model == "a")
        })
        .await,
        1
    );
    assert_eq!(check(&format!("{first}&experiment=x"), &|_| false).await, 0);
}

#[tokio::test]
async fn the_events_of_a_job_are_selected_by_type_and_model() {
    let world = three_jobs().await;
    let numbers = async |query: &str| {
        let page = world.get(&format!("/jobs/{}/events?{query}", job_id(1))).await.json;
        let numbers =
            page["events"].as_array().unwrap().iter().map(|event| event["number"].as_i64().unwrap());
        (numbers.collect::<Vec<_>>(), page["next_after"].as_i64().unwrap())
    };

    assert_eq!(numbers("type=model_day.*").await, (vec![3, 4, 5], 6));
    assert_eq!(numbers("type=model_day.*&limit=1").await, (vec![3], 3));
    assert_eq!(numbers("model=a").await, (vec![1, 2, 3, 6], 6));
    assert_eq!(numbers("model=nothing").await, (vec![], 6));
}

#[tokio::test]
async fn a_selection_that_selects_nothing_by_mistake_is_refused() {
    let world = three_jobs().await;

    for query in ["type=jobs.*", "type=", "type=job.*,data.raedy.v1", "job_id=7"] {
        assert_eq!(
            world.get(&format!("/events?{query}")).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{query}"
        );
    }
    let unknown = world.get(&format!("/events?job_id={}", job_id(9))).await;
    assert_eq!(
        (unknown.status, &unknown.json["detail"]),
        (StatusCode::NOT_FOUND, &json!(format!("Job {} not found", job_id(9))))
    );
}

/// Field case: a consumer that was away for 20,000 events.
#[tokio::test]
async fn a_consumer_that_was_away_catches_up_by_pages_and_one_of_a_type_reads_only_its_events() {
    let world = accepted().await;
    world.project(&jobs().map(Event::JobRequested)).await;
    // As 20,000 projected days of job 1 would be, with a job's end among each 5,000.
    let days = format!(
        "INSERT INTO status.events (source, id, job_id, seq, position, kind, occurred_at, body)
         SELECT '/modelday/executor', gen_random_uuid(), '{}', 1 + n, 3 + n,
            CASE WHEN n % 5000 = 0 THEN 'modelday.job.started.v1' ELSE 'modelday.model_day.completed.v1' END, now(),
            '{{\"key\": {{\"model\": \"a\"}}, \"and\": \"' || repeat('more ', 200) || '\"}}'
         FROM generate_series(1, {AWAY}) AS n",
        job_id(1)
    );
    world.database.execute(&days).await;
    world
        .database
        .execute(&format!("UPDATE status.jobs SET last_seq = 1 + {AWAY} WHERE id = '{}'", job_id(1)))
        .await;
    world.database.execute(&format!("UPDATE status.feed SET last_position = 3 + {AWAY}")).await;
    world.database.execute("ANALYZE status.events").await;

    // One connection, so that its statistics are those of the requests.
    let settings = Database::new(world.database.settings(Owner::Status).url, 1).unwrap();
    let pool = storage::pool(&settings, Owner::Status).unwrap();
    let world =
        World { routes: status::routes(pool.clone(), crate::world::settings()).into(), pool, ..world };
    let read =
        "SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_user_tables WHERE relname = 'events'";
    let flush = async || sqlx::query("SELECT pg_stat_force_next_flush()").execute(&world.pool).await.unwrap();
    flush().await;
    let before = world.database.count(read).await;
    assert_eq!(pages(&world, "type=job.*", 1000).await, [1, 2, 3, 5003, 10_003, 15_003, 20_003]);
    flush().await;
    let rows = world.database.count(read).await - before;

    let everything = pages(&world, "type=*", 1000).await;
    let unselected = pages(&world, "brief=true", 1000).await;

    let expected: Vec<i64> = (1..=3 + AWAY).collect();
    assert_eq!(everything, expected);
    assert_eq!(unselected, expected);
    assert_eq!(
        pages(&world, &format!("job_id={}&type=job.started.v1", job_id(1)), 2).await,
        [5003, 10_003, 15_003, 20_003]
    );
    assert_eq!(pages(&world, "experiment=x", 1000).await, [2], "after the one there are many others");
    assert!((7..100).contains(&rows), "{rows} rows of {AWAY} were read");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_have_only_what_is_selected_and_go_on() {
    let world = accepted().await;
    let running = Running::start(&world).await;
    let first = format!("/jobs/{}/events?model=a", job_id(1));
    let selected =
        ["/events?type=job.started.v1", "/events?experiment=x", "/events?model=a&type=model_day.*", &first];
    let mut streams = Vec::new();
    for path in selected {
        streams.push(Reader::of(&running.routes, path, None).await);
    }

    let [one, two, _] = jobs().map(Event::JobRequested);
    world.project(&[one, two, started(2), ran(1, "b", "2025-10-01"), ran(1, "a", "2025-10-01")]).await;
    assert_eq!(streams[0].next().await.unwrap(), "3 modelday.job.started.v1");
    assert_eq!(streams[1].next().await.unwrap(), "2 modelday.job.requested.v1");
    assert_eq!(streams[1].next().await.unwrap(), "3 modelday.job.started.v1");
    assert_eq!(streams[2].next().await.unwrap(), "5 modelday.model_day.completed.v1");
    assert_eq!(streams[3].next().await.unwrap(), "1 modelday.job.requested.v1");
    assert_eq!(streams[3].next().await.unwrap(), "3 modelday.model_day.completed.v1");
    world.project(&[ran(2, "b", "2025-10-01"), ran(3, "a", "2025-10-01"), started(1), ended(1)]).await;

    assert_eq!(streams[0].next().await.unwrap(), "8 modelday.job.started.v1");
    assert_eq!(streams[1].next().await.unwrap(), "6 modelday.model_day.completed.v1");
    assert_eq!(streams[2].next().await.unwrap(), "7 modelday.model_day.completed.v1");
    assert_eq!(streams[3].next().await.unwrap(), "4 modelday.job.started.v1");
    assert_eq!(streams[3].next().await.unwrap(), "5 modelday.job.completed.v1");
    assert_eq!(streams[3].next().await, None, "the stream of a job that has ended ends");
    let over =
        Request::get(format!("/jobs/{}/events?type=model_day.*", job_id(1))).header("Last-Event-ID", "3");
    let over = world.raw(over.body(Body::empty()).unwrap()).await;
    assert_eq!(over.status(), StatusCode::NO_CONTENT, "a client that has all of its selection stops");
    running.stop().await;
}
