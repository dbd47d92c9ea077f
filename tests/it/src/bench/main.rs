//! Benchmarks: each figure beside a floor measured in the same run, on the same servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on should say so"
)]
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod agents;
mod handoff;
mod measure;
mod throughput;
mod trigger;

use measure::Line;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, address] = arguments.as_slice()
        && mode == "floor-server"
    {
        return trigger::floor_server(address).await;
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let mut lines: Vec<Line> = Vec::new();
    if wanted("trigger") {
        lines.push(trigger::measure().await);
    }
    if wanted("handoff") {
        lines.push(handoff::measure().await);
    }
    if wanted("throughput") {
        lines.extend(throughput::measure().await);
    }
    if wanted("agents") {
        lines.push(agents::measure().await);
    }
    println!("\n| what | ours | floor | ratio | wanted |\n|---|--:|--:|--:|---|");
    for line in lines {
        println!("{line}");
    }
}
