//! `standin-chat`: the scripted endpoint as a program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use standin::chat::ChatEndpoint;
use tokio::signal::unix::{SignalKind, signal};

/// A local endpoint of chat completions that costs nothing. Models look at prices, buy and sell a little, the same
/// on the same day. It never calls another endpoint.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8091")]
    listen: SocketAddr,
    /// Play the decisions of a CSV file, model,date,sequence,action,symbol,quantity, on the days that it has
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Delays every response
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let listen = options.listen;
    let mut endpoint = ChatEndpoint::start(listen).await.with_context(|| format!("listening on {listen}"))?;
    endpoint.trade();
    endpoint.set_delay(Duration::from_millis(options.delay_ms));
    if let Some(path) = options.decisions {
        let csv = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        endpoint.play_decisions(&csv);
    }
    eprintln!("scripted endpoint on {}", endpoint.base_url());
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = endpoint.wait() => ended?,
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
