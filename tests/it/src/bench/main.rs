//! Benchmarks: each figure with a floor that is measured in the same run, on the same servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot go on should say so"
)]
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod agents;
mod executors;
mod handoff;
mod history;
mod jobs;
mod lanes;
mod measure;
mod projection;
mod recovery;
mod retention;
mod steps;
mod throughput;
mod traces;
mod trigger;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, address] = arguments.as_slice()
        && mode == "floor-server"
    {
        return trigger::floor_server(address).await;
    }
    let selected = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    // `lanes 100000`
    let lanes = arguments.iter().find_map(|argument| argument.parse().ok());
    println!("\n| what | ours | floor | ratio | target |\n|---|--:|--:|--:|---|");
    if selected("trigger") {
        println!("{}", trigger::measure().await);
    }
    if selected("jobs") {
        jobs::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("lanes") {
        lanes::measure(lanes).await.iter().for_each(|line| println!("{line}"));
    }
    if selected("handoff") {
        handoff::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("throughput") {
        throughput::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("executors") {
        executors::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("traces") {
        traces::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("agents") {
        agents::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("recovery") {
        recovery::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("projection") {
        projection::measure().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("retention") {
        retention::measure().await.iter().for_each(|line| println!("{line}"));
    }
    // Ten minutes, so only when it is named.
    if arguments.iter().any(|argument| argument == "soak") {
        retention::soak().await.iter().for_each(|line| println!("{line}"));
    }
    if selected("history") {
        history::measure().await.iter().for_each(|line| println!("{line}"));
    }
}
