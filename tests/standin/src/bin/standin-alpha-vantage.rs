//! `standin-alpha-vantage`: the stand-in for Alpha Vantage as a program.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::NaiveDate;
use clap::Parser;
use standin::{AlphaVantage, Builder, FaultError, ScriptedFault};
use tokio::signal::unix::{SignalKind, signal};

/// A local Alpha Vantage with recorded prices, or generated ones. It never calls the real service.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The newest day that has prices
    #[arg(long, default_value = "2025-10-30")]
    today: NaiveDate,
    /// Generated prices for any symbol, instead of the recorded ones
    #[arg(long)]
    generated: bool,
    /// The first day of generated prices
    #[arg(long, default_value = "2010-01-01", value_name = "DATE")]
    generated_from: NaiveDate,
    /// A paying key (repeatable). Without one, every key pays
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// A free key (repeatable): 25 calls a day, one a second, no outputsize=full
    #[arg(long = "free-key", value_name = "KEY")]
    free_keys: Vec<String>,
    /// A key that is refused (repeatable)
    #[arg(long = "bad-key", value_name = "KEY")]
    bad_keys: Vec<String>,
    /// After this many series no calls are left for the day
    #[arg(long, value_name = "N")]
    rate_limit_after: Option<u32>,
    /// Adds Retry-After to throttled and quota responses
    #[arg(long, value_name = "SECONDS")]
    retry_after: Option<u64>,
    /// A fault (repeatable), as in AAPL=503, MSFT=hang or *=cut*2 (the first two responses only)
    #[arg(long = "fault", value_name = "SYMBOL=MODE", value_parser = fault)]
    faults: Vec<(String, ScriptedFault)>,
    /// Delays every response
    #[arg(long, default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
}

fn fault(text: &str) -> Result<(String, ScriptedFault), String> {
    let (symbol, mode) = text.split_once('=').ok_or("a fault is written SYMBOL=MODE")?;
    let fault = mode.parse().map_err(|error: FaultError| error.to_string())?;
    Ok((symbol.to_owned(), fault))
}

impl Options {
    fn builder(&self) -> Builder {
        let mut builder = AlphaVantage::builder()
            .listen(self.listen)
            .today(self.today)
            .delay(Duration::from_millis(self.delay_ms));
        if self.generated {
            builder = builder.generated_from(self.generated_from);
        }
        builder = self.keys.iter().fold(builder, |builder, key| builder.key(key));
        builder = self.free_keys.iter().fold(builder, |builder, key| builder.free_key(key));
        builder = self.bad_keys.iter().fold(builder, |builder, key| builder.bad_key(key));
        if let Some(series) = self.rate_limit_after {
            builder = builder.rate_limit_after(series);
        }
        if let Some(seconds) = self.retry_after {
            builder = builder.retry_after(seconds);
        }
        self.faults.iter().fold(builder, |builder, (symbol, fault)| builder.fault(symbol, *fault))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut standin = options.builder().start().await?;
    let prices = if options.generated { "generated" } else { "recorded" };
    eprintln!(
        "stand-in for Alpha Vantage on {}: {prices} prices up to {}",
        standin.base_url(),
        options.today
    );
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = standin.wait() => return ended,
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    standin.stop().await
}

#[cfg(test)]
mod tests {
    use standin::Fault;

    use super::*;

    #[test]
    fn a_fault_on_the_command_line_names_symbol_mode_and_count() {
        assert_eq!(fault("AAPL=503"), Ok(("AAPL".to_owned(), Fault::Unavailable.into())));
        assert_eq!(fault("*=cut*2"), Ok(("*".to_owned(), Fault::Cut.times(2))));
        assert!(fault("AAPL").is_err() && fault("AAPL=x").is_err() && fault("AAPL=cut*x").is_err());
    }
}
