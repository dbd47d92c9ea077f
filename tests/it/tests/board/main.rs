//! The board in a real browser. All claims share one system with its jobs and one browser, so that they cost little; each
//! has a page of its own, without the others' storage.
//!
//! With `MODELDAY_PICTURES=1`, pictures of every page go to `.local/board` of the repository, for people to look at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on should say so, and this one reports by itself"
)]

mod away;
mod browser;
mod claims;
mod day;
mod figures;
mod jobs;
mod models;
mod new_job;
mod page;
mod pages;
mod stage;
mod standings;
mod traces;

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use browser::Browser;
use stage::Stage;

type Claim = for<'s> fn(&'s Stage) -> LocalBoxFuture<'s, ()>;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if std::env::args().any(|argument| argument == "--list") {
        claims::ALL.iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    let chosen: Vec<&(&str, Claim)> = claims::ALL
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|part| name.contains(part.as_str())))
        .collect();
    if chosen.is_empty() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let failed = runtime.block_on(check(&chosen));
    drop(runtime);
    assert!(failed.is_empty(), "these claims are false: {failed:?}");
}

/// The names of the claims that are false.
async fn check(chosen: &[&(&'static str, Claim)]) -> Vec<&'static str> {
    let Some(browser) = Browser::start() else {
        println!("not run: there is no chromium; install it with 'deploy/local/packages.sh chromium'");
        return Vec::new();
    };
    let begun = Instant::now();
    let stage = Stage::set(browser).await;
    println!("the stage is set after {:.1} s", begun.elapsed().as_secs_f64());
    let mut failed = Vec::new();
    for (name, claim) in chosen {
        let begun = Instant::now();
        let held = AssertUnwindSafe(claim(&stage)).catch_unwind().await;
        let word = if held.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {word} ({:.1} s)", begun.elapsed().as_secs_f64());
        if held.is_err() {
            failed.push(*name);
        }
    }
    failed
}
