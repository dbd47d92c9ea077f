//! Encrypted connections to servers whose certificate authority only the settings name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod authority;
mod servers;
mod serving;

use it::{Program, Shape, System};
use serde_json::json;

use authority::Authority;
use servers::Servers;

const CASH: &str =
    "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n";

/// One test, because the servers are started once.
#[tokio::test]
async fn connections_are_encrypted_and_go_only_to_servers_of_a_trusted_authority() {
    let servers = Servers::start();

    a_job_runs_over_verified_connections(&servers).await;
    encryption_without_verification_is_possible(&servers);
    a_database_of_another_authority_is_refused(&servers);
    a_broker_of_another_authority_is_refused(&servers);
}

async fn a_job_runs_over_verified_connections(servers: &Servers) {
    let system = System::builder(Shape::OneProcess)
        .universe(&["AAPL"], None)
        .models(CASH)
        .env("DATABASE_URL", &verified(servers, &servers.authority))
        .broker(servers.amqps_urls())
        .env("AMQP_CA_FILE", &servers.authority.certificate())
        .start()
        .await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" })).await;
    let status = system.client.ended(&job).await;

    assert_eq!(status["status"], "completed", "{status}");
}

fn encryption_without_verification_is_possible(servers: &Servers) {
    let migrate = |mode: &str| {
        let url = format!("{}?sslmode={mode}", servers.database_url());
        Program::start(&["migrate"], &[("DATABASE_URL", &url)]).ended()
    };

    let (code, printed) = migrate("require");
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = migrate("disable");
    assert_eq!(code, Some(1), "the server refuses connections without TLS: {printed}");
}

fn a_database_of_another_authority_is_refused(servers: &Servers) {
    let other = Authority::new("another one");
    let url = verified(servers, &other);

    let (code, printed) = Program::start(&["migrate"], &[("DATABASE_URL", &url)]).ended();

    assert_eq!(code, Some(1), "{printed}");
    let sentence = "the database's certificate is refused: error communicating with database: \
        invalid peer certificate: UnknownIssuer; sslrootcert in DATABASE_URL names a further authority to trust";
    assert!(printed.contains(sentence), "{printed}");
}

fn a_broker_of_another_authority_is_refused(servers: &Servers) {
    let other = Authority::new("another one");
    let [trigger, downloader, executor, status] = servers.amqps_urls();
    let settings = [
        ("DATABASE_URL", verified(servers, &servers.authority)),
        ("TRIGGER_AMQP_URL", trigger),
        ("DOWNLOADER_AMQP_URL", downloader),
        ("EXECUTOR_AMQP_URL", executor),
        ("STATUS_AMQP_URL", status),
        ("AMQP_CA_FILE", other.certificate()),
        ("LISTEN", "127.0.0.1:0".to_owned()),
        ("ALPHAVANTAGE_API_KEY", "a-key".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();

    let program = Program::start(&["serve"], &settings);

    let sentence = "the broker's certificate is refused: IO error: invalid peer certificate: UnknownIssuer; \
        AMQP_CA_FILE names further authorities to trust";
    program.wait_for(&format!("messages wait in the outbox: {sentence}"));
    program.wait_for("cannot subscribe to trigger.jobs.v1 yet");
    assert!(!program.log().contains("subscribed to"), "{}", program.log());
}

/// The database's URL with verification of its certificate by that authority.
fn verified(servers: &Servers, authority: &Authority) -> String {
    format!("{}?sslmode=verify-full&sslrootcert={}", servers.database_url(), authority.certificate())
}
