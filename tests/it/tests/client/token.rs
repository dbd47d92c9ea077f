//! The token in `MODELDAY_TOKEN` is sent, and never shown.

use it::{Shape, System};

use crate::command::modelday_with;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_the_environment_is_sent_and_never_shown() {
    let made = it::modelday(&["token", "reader", "--scope", "read"]);
    let made = String::from_utf8(made.stdout).unwrap();
    let line =
        |beginning: &str| made.lines().map(str::trim).find(|line| line.starts_with(beginning)).unwrap();
    let (token, entry) = (line("mdt_"), line("reader:"));
    let system = System::builder(Shape::OneProcess).env("API_TOKENS", entry).start().await;
    let url = &system.client.status_url;
    let with = |token: &str, arguments: &[&str]| modelday_with(url, &[("MODELDAY_TOKEN", token)], arguments);

    let without = modelday_with(url, &[], &["jobs"]);
    let listed = with(&format!(" {token}\n"), &["jobs"]);
    let refused = with(token, &["run", "--end", "2025-10-01"]);
    let odd = with("mdt_\u{1}", &["jobs"]);
    let helped = with(token, &["jobs", "--help"]);

    assert_eq!(without.code, Some(2), "{without:?}");
    assert!(without.err.trim_end().ends_with("; set MODELDAY_TOKEN to one"), "{without:?}");
    assert_eq!((listed.code, listed.out.as_str()), (Some(0), ""), "{listed:?}");
    assert_eq!(listed.err, "There are no such jobs; `modelday run` starts one.\n");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert_eq!(refused.err, "modelday: Token reader lacks the scope trigger\n");
    assert_eq!(odd.code, Some(2), "{odd:?}");
    for ran in [&without, &listed, &refused, &odd, &helped] {
        assert!(!format!("{ran:?}").contains(token), "the token is shown: {ran:?}");
    }
}
