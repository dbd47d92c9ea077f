//! Secrets in settings that are wrong: none is printed.

use it::Program;
use test_support::{TestDatabase, TestVhost};

use crate::token::make_token;

/// Starts `modelday serve`, which must refuse its settings; what it printed.
fn refused(settings: &[(&str, &str)]) -> String {
    let (code, printed) = Program::start(&["serve"], settings).ended();
    assert_eq!(code, Some(78), "{printed}");
    printed
}

#[test]
fn a_token_that_was_put_into_api_tokens_by_mistake_is_not_printed() {
    let made = make_token("ci", &["read"]);
    let digits = made.token.trim_start_matches("mdt_");

    for mistake in
        [made.token.clone(), format!("{} {}", made.entry, made.token), format!("{}:read:1", made.token)]
    {
        let printed = refused(&[("API_TOKENS", &mistake)]);

        assert!(printed.contains("API_TOKENS (environment): entry "), "{printed}");
        assert!(!printed.contains(digits), "{printed}");
    }
}

#[test]
fn a_password_is_not_printed_however_wrong_its_address_is() {
    for scheme in ["amqp", "postgres", "http", ""] {
        for login in
            ["joe:s3cret-word", "joe:12/s3cret-word", "joe:5672#s3cret-word", "s3cret-word", ":s3cret-word"]
        {
            for rest in ["@127.0.0.1:1/x", "@remote.example/x", "@127.0.0.1:port/x", "@", "/@"] {
                let url = format!("{scheme}://{login}{rest}");
                let printed = refused(&[
                    ("AMQP_URL", &url),
                    ("DATABASE_URL", &url),
                    ("ALPHAVANTAGE_BASE_URL", &url),
                    ("SEARCH_URL", &url),
                    ("OUTBOUND_PROXY", &url),
                    ("MAX_ACTIVE_JOBS", "many"),
                ]);

                assert!(!printed.contains("s3cret-word"), "{url}: {printed}");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_password_of_the_broker_is_not_printed_while_the_service_waits_for_it() {
    let (database, vhost) = (TestDatabase::new().await, TestVhost::new());
    let (login, place) = vhost.url().rsplit_once('@').unwrap();
    let (user, _) = login.rsplit_once(':').unwrap();
    let url = format!("{user}:s3cret-word@{place}");
    let settings = [("DATABASE_URL", database.url()), ("AMQP_URL", &url), ("LISTEN", "127.0.0.1:0")];

    let program = Program::start(&["serve"], &settings);

    program.wait_for("messages wait in the outbox");
    program.wait_for("cannot subscribe to");
    assert!(!program.log().contains("s3cret-word"), "{}", program.log());
}
