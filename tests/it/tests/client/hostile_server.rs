//! A server that means harm to whoever calls it: endless answers, packed files, commands for the terminal.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::{Compress, Compression, FlushCompress, GzBuilder};
use it::binary;
use serde_json::{Value, json};

use crate::command::modelday;
use crate::export::Folder;
use crate::fake_server::{FakeServer, Script};

const JSON: &str = "application/json";
/// Sets the title, clears the screen, reverses the text, goes back to the start of the line.
const ATTACK: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\u{202e}txt\u{2066}\rz";

/// A program that runs a command in a terminal and prints what the terminal gets.
const IN_A_TERMINAL: &str = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";

fn attacked(line: &str) -> Value {
    let progress = json!({ "total_model_days": 1, "completed": 0, "failed": 1, "skipped": 0 });
    match line {
        line if line.starts_with("GET /jobs/a/model-days") => {
            json!({ "model_days": [{ "date": ATTACK, "model": ATTACK, "error": ATTACK }] })
        }
        line if line.starts_with("GET /jobs?") => json!({ "next_cursor": ATTACK, "jobs": [{ "job_id": ATTACK,
            "status": ATTACK, "progress": progress, "models": [ATTACK], "created_at": "2025-10-01T00:00:00Z" }] }),
        line if line.starts_with("GET /simulate/status/a") => {
            json!({ "status": "failed", "progress": progress,
            "error": ATTACK, "warnings": [ATTACK], "total_duration_seconds": 1.0, "waiting_for": ATTACK })
        }
        line if line.starts_with("GET /results") => json!({ "results": [{ "date": ATTACK, "model": ATTACK,
            "daily_metrics": { "profit": 1, "return_pct": 1 }, "trades": [], "reasoning": ATTACK,
            "refused_orders": [{ "action_type": ATTACK, "symbol": ATTACK, "quantity": ATTACK, "code": ATTACK }],
            "final_position": { "holdings": [{ "symbol": ATTACK, "quantity": 1 }], "cash": 1, "portfolio_value": 1 } }] }),
        line if line.starts_with("GET /leaderboard") => {
            json!({ "models": [], "rows": [{ "kind": "model", "model": ATTACK,
            "trial": 0, "return": 1, "final_value": 1, "sharpe": 1, "max_drawdown": 1, "trades": 1, "model_days": 1 }] })
        }
        line if line.starts_with("POST /jobs/a/cancel") => json!({ "status": ATTACK }),
        _ => json!({ "equity": [{ "model": ATTACK }], "next_cursor": null }),
    }
}

async fn attacker() -> FakeServer {
    FakeServer::start(|request, _| match &*request.line {
        "GET /equity?format=csv" => Script::Body(200, "text/csv", format!("model\r\n{ATTACK}\r\n")),
        // JSON in which nothing is escaped.
        "GET /leaderboard?start_date=raw" => Script::Body(200, JSON, format!("{{\"a\": \"{ATTACK}\"}}")),
        line if line.contains("/jobs/b/") => {
            let problem = json!({ "detail": ATTACK, "errors": [{ "loc": ["body", ATTACK], "msg": ATTACK },
                { "loc": [], "msg": ATTACK }] });
            Script::Body(422, "application/problem+json", problem.to_string())
        }
        line => Script::Body(200, JSON, attacked(line).to_string()),
    })
    .await
}

/// Whether a text would control a terminal.
fn controls(text: &str) -> bool {
    let wrong = |c: char| {
        (c.is_control() && !"\n\t".contains(c))
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.contains(wrong)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_of_a_server_controls_the_terminal() {
    let server = attacker().await;

    for arguments in [
        &["jobs"][..],
        &["jobs", "--json"],
        &["watch", "a"],
        &["watch", "a", "--json"],
        &["results"],
        &["results", "--json"],
        &["leaderboard"],
        &["leaderboard", "--start", "raw", "--json"],
        &["cancel", "a"],
        &["cancel", "b"],
        &["retry", "b"],
    ] {
        let ran = modelday(&server.url, arguments);

        assert!(ran.out.contains("txt") || ran.err.contains("txt"), "{arguments:?} shows nothing: {ran:?}");
        assert!(!controls(&ran.out) && !controls(&ran.err), "{arguments:?}: {ran:?}");
    }
    let json = modelday(&server.url, &["jobs", "--json"]).json();
    assert_eq!(json["jobs"][0]["job_id"], ATTACK, "a program gets the same text");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_clean_in_a_terminal_and_unchanged_in_a_pipe() {
    let server = attacker().await;
    let arguments = ["export", "--equity", "--format", "csv"];

    let piped = modelday(&server.url, &arguments);
    let mut command = Command::new("python3");
    command.args(["-c", IN_A_TERMINAL, binary("modelday").to_str().unwrap()]).args(arguments);
    let shown = command.env("MODELDAY_URL", &server.url).stdin(Stdio::null()).output().expect("python3 runs");

    assert_eq!(piped.out, format!("model\r\n{ATTACK}\r\n"));
    let shown = String::from_utf8(shown.stdout).unwrap();
    // The terminal itself writes a line feed as two characters.
    assert!(shown.starts_with("model\r\nx") && shown.contains("txt"), "{shown:?}");
    assert!(!controls(&shown.replace("\r\n", "\n")), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_answer_is_given_up_before_it_fills_the_memory() {
    const PIECE: usize = 1 << 20;
    let (lists, events) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (lists.clone(), events.clone());
    let server = FakeServer::start(move |request, _| match &*request.line {
        "GET /jobs/a/events" => {
            Script::Endless("text/event-stream", "data: ", "x".repeat(PIECE), counts.1.clone())
        }
        "POST /jobs/a/cancel" => Script::Endless(JSON, "{", " ".repeat(PIECE), counts.0.clone()),
        line if line.starts_with("GET /jobs") => {
            Script::Endless(JSON, "{", " ".repeat(PIECE), counts.0.clone())
        }
        line if line.starts_with("GET /equity") => {
            Script::Body(200, JSON, json!({ "equity": [{}], "next_cursor": "again" }).to_string())
        }
        _ => {
            let progress = json!({ "total_model_days": 1, "completed": 0, "failed": 0, "skipped": 0 });
            Script::Body(200, JSON, json!({ "status": "running", "progress": progress }).to_string())
        }
    })
    .await;

    let list = modelday(&server.url, &["jobs"]);
    let watch = modelday(&server.url, &["watch", "a", "--json"]);
    let pages = modelday(&server.url, &["export", "--equity", "--format", "json"]);

    assert_eq!((list.code, watch.code, pages.code), (Some(1), Some(1), Some(1)), "{list:?} {watch:?}");
    assert!(list.err.contains("is larger than 256 MiB; ask for less, or check that"), "{list:?}");
    assert!(watch.err.contains("is larger than 16 MiB"), "{watch:?}");
    assert!(pages.err.contains("gives the same page again and again"), "{pages:?}");
    let (lists, events) = (lists.load(Ordering::SeqCst), events.load(Ordering::SeqCst));
    assert!(lists < 300 && events < 60, "{lists} and {events} MiB were sent");
}

/// A gzip file of 10 GiB of spaces, which has about 10 MiB.
fn bomb() -> Vec<u8> {
    const BLOCK: usize = 16 << 20;
    // After a full flush a block refers to nothing before it, so it can come as often as one likes.
    let mut block = Vec::with_capacity(BLOCK / 100);
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(&vec![b' '; BLOCK], &mut block, FlushCompress::Full).unwrap();
    let mut header = Vec::new();
    GzBuilder::new().write(&mut header, Compression::best()).flush().unwrap();
    header.truncate(10);
    let blocks = (10 << 30) / BLOCK;
    header.into_iter().chain(block.repeat(blocks)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_that_unpacks_to_ten_gigabytes_is_refused_early() {
    let bomb = bomb();
    assert!(bomb.len() < 20 << 20, "{} bytes", bomb.len());
    let folder = Folder::new();
    let path = folder.path("bomb.jsonl.gz");
    std::fs::write(&path, &bomb).unwrap();
    let server = FakeServer::start(move |_, _| Script::File(bomb.clone())).await;

    let verified = modelday("", &["verify", &path]);
    let replayed = modelday("", &["replay", &path]);
    let none = modelday("", &["verify", &path, "--max-unpacked-gib", "0"]);
    let exported = modelday(&server.url, &["export", "--bundle", "a", "-o", &folder.path("a.gz")]);

    for refused in [&verified, &replayed, &exported] {
        assert!(refused.err.contains("line 1 of the file is longer than 134217728 bytes"), "{refused:?}");
    }
    assert!(none.err.contains("unpacks to more than 0 GiB; if you trust it, allow more with"), "{none:?}");
    assert_eq!((verified.code, replayed.code, exported.code), (Some(2), Some(2), Some(1)), "{exported:?}");
    assert_eq!(folder.names(), ["bomb.jsonl.gz"], "nothing is left of a refused file");
}

#[test]
fn a_password_in_the_address_is_refused_and_not_shown() {
    let ran = modelday("https://me:hush@127.0.0.1:1", &["jobs"]);
    let by_option = modelday("", &["jobs", "--base-url", "http://hush@127.0.0.1:1"]);
    let help = modelday("https://me:hush@127.0.0.1:1", &["jobs", "--help"]);

    for refused in [&ran, &by_option] {
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.err.contains("contains a user or a password; write it as http://host:port"),
            "{refused:?}"
        );
    }
    for text in [ran.err, by_option.err, help.out, help.err] {
        assert!(!text.contains("hush"), "{text}");
    }
}
