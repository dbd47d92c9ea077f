//! The schemas of the events, as they are served.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use contract::schema::SchemaLocation;
use domain::events::event::{Event, JobStarted};
use status::ApiSettings;

use crate::world::{World, job, job_id, settings};

async fn world(schemas: SchemaLocation) -> World {
    let world = World::new().await;
    let settings = ApiSettings { schemas, ..settings() };
    let routes = status::routes(world.pool.clone(), settings).into();
    World { routes, ..world }
}

#[tokio::test]
async fn the_dataschema_of_an_event_is_where_its_schema_is_served() {
    let world = world(SchemaLocation::below("https://modelday.example/")).await;
    world.accept(&job(1, &["a"], "2025-10-01", "2025-10-01")).await;
    let started = JobStarted { job: job_id(1), lanes: 1, model_days: 1, outline: None };
    world.project(&[Event::JobStarted(started)]).await;

    let event = world.get("/events").await.json["events"][0].take();
    let address = event["dataschema"].as_str().unwrap();
    let schema = world.get(address.strip_prefix("https://modelday.example").unwrap()).await;

    assert_eq!(address, "https://modelday.example/schemas/modelday.job.started.v1.json");
    assert_eq!(schema.json["$id"], address);
    let validator = jsonschema::validator_for(&schema.json).unwrap();
    assert!(validator.is_valid(&event["data"]), "{event}");
    assert!(validator.is_valid(&schema.json["examples"][0]));
    assert!(!validator.is_valid(&serde_json::json!({ "job_id": 1 })));
}

#[tokio::test]
async fn every_type_of_the_asyncapi_document_has_the_schema_that_it_refers_to() {
    let world = world(SchemaLocation::default()).await;

    let document = world.get("/asyncapi.json").await.json;

    let messages = document["components"]["messages"].as_object().unwrap();
    assert_eq!(messages.len(), contract::kind::EVENTS.len());
    for (kind, message) in messages {
        let schema = world.get(&format!("/{}", message["payload"]["$ref"].as_str().unwrap())).await;
        assert_eq!(schema.status, StatusCode::OK, "{kind}");
        assert_eq!(schema.json["$id"], contract::kind::schema_id(kind));
        let validator = jsonschema::validator_for(&schema.json).unwrap();
        assert!(validator.is_valid(&message["examples"][0]["payload"]), "{kind}");
    }
    for unknown in ["modelday.job.started.v1", "lane.continue.json", "asyncapi.json"] {
        let request = Request::get(format!("/schemas/{unknown}")).body(Body::empty()).unwrap();
        assert_eq!(world.raw(request).await.status(), StatusCode::NOT_FOUND, "{unknown}");
    }
}
