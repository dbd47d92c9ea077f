//! Somebody who guesses tokens.

use std::time::Duration;

use futures::future::join_all;
use it::{Shape, System, http};
use reqwest::StatusCode;
use tokio::time::Instant;

use crate::token::make_token;

const GUESSERS: usize = 300;
const GUESSES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_wrong_tokens_are_counted_logged_without_the_tokens_and_slowed_down() {
    let owner = make_token("owner", &["read"]);
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", &owner.entry).start().await;
    let url = format!("{}/jobs", system.client.status_url);
    let started = Instant::now();

    let guessers = (0..GUESSERS).map(|guesser| {
        let (http, url) = (http(), url.clone());
        tokio::spawn(async move {
            for guess in 0..GUESSES {
                let wrong = format!("mdt_guess_{guesser}_{guess}");
                let response = http.get(&url).bearer_auth(wrong).send().await.unwrap();
                assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            }
        })
    });
    let guessing = tokio::spawn(join_all(guessers));
    let mut slowest = Duration::ZERO;
    while !guessing.is_finished() {
        let asked = Instant::now();
        let response = http().get(&url).bearer_auth(&owner.token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for guesser in guessing.await.unwrap() {
        guesser.unwrap();
    }

    // Of each guesser's ten, one or two may be among those that are answered at once.
    assert!(started.elapsed() > Duration::from_secs(7), "{:?} for all", started.elapsed());
    assert!(slowest < Duration::from_secs(5), "the owner waited for {slowest:?}");
    let metrics = http().get(format!("{}/metrics", system.client.status_url)).bearer_auth(&owner.token);
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let counted =
        format!("modelday_failed_authentications_total{{reason=\"unknown\"}} {}", GUESSERS * GUESSES);
    assert!(metrics.contains(&counted), "{counted:?} is not in {metrics}");
    let log = system.logs();
    let line = log.lines().find(|line| line.contains("authentication failed at /jobs: token unknown"));
    assert!(line.is_some_and(|line| line.contains(r#""client.address":"127.0.0.1""#)), "{line:?}");
    assert!(log.contains(r#""unlogged":"#), "the number of failures without a line");
    assert!(!log.contains("mdt_guess"), "a token is in the log");
}
