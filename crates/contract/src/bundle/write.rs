//! Writes a bundle line by line.

use chrono::NaiveDate;
use domain::job::{Job, JobState};
use domain::market::calendar::Calendar;
use domain::market::instruments::{Bar, Symbol};
use domain::market::known_actions::KnownActions;
use domain::market::rules::MarketRules;
use domain::replay::{BaseDay, RecordedDay};
use sha2::{Digest as _, Sha256};

use super::{BarsLine, EndLine, FORMAT, HeaderLine, Line, ModelDayLine, PortfolioLine};
use crate::error::ContractError;
use crate::wire;

/// Makes the lines of one bundle, each with its line feed. Call the methods in their order: the header, the bars by
/// symbol, each portfolio with its days, the end. They fail when the JSON writer refuses, which it does not for these
/// types.
#[derive(Debug, Default)]
pub struct Encoder {
    hash: Sha256,
    lines: u64,
}

impl Encoder {
    /// The first line: the job, its state, the calendar as the job used it, and what its days were shown.
    pub fn header(
        &mut self,
        job: &Job,
        state: JobState,
        calendar: &Calendar,
        rules: MarketRules,
    ) -> Result<String, ContractError> {
        let mut job: wire::Job = job.into();
        // Bundles are given to others, and a replay does not need it.
        job.requested_by.clear();
        for model in &mut job.models {
            if let Some(wire::model::Kind::Agent(agent)) = &mut model.kind {
                agent.url = origin(&agent.url);
            }
        }
        let header = HeaderLine {
            format: FORMAT.to_owned(),
            job,
            state: state.as_str().to_owned(),
            closures: calendar.ad_hoc_closures().collect(),
            market_rules: (rules != MarketRules::AsTraded).then(|| rules.as_str().to_owned()),
        };
        self.line(&Line::Header(Box::new(header)))
    }

    /// The bars of one symbol, oldest first, with its corporate actions.
    pub fn bars(
        &mut self,
        symbol: &Symbol,
        bars: &[(NaiveDate, Bar)],
        actions: &KnownActions,
    ) -> Result<String, ContractError> {
        self.line(&Line::Bars(BarsLine::of(symbol, bars, actions)))
    }

    /// A portfolio, with the days of other jobs that its days continue from.
    pub fn portfolio(&mut self, model: &str, trial: u32, bases: &[BaseDay]) -> Result<String, ContractError> {
        self.line(&Line::Portfolio(PortfolioLine { model: model.to_owned(), trial, bases: bases.to_vec() }))
    }

    /// A day of the last portfolio, later than that portfolio's last day.
    pub fn day(&mut self, model: &str, trial: u32, day: &RecordedDay) -> Result<String, ContractError> {
        self.line(&Line::ModelDay(Box::new(ModelDayLine::of(model, trial, day))))
    }

    /// The last line, with the checksum.
    pub fn end(mut self) -> Result<String, ContractError> {
        let sha256 = hexadecimal(std::mem::take(&mut self.hash));
        let lines = self.lines;
        self.line(&Line::End(EndLine { lines, sha256 }))
    }

    fn line(&mut self, line: &Line) -> Result<String, ContractError> {
        let mut text = serde_json::to_string(line).map_err(ContractError::Unwritable)?;
        text.push('\n');
        self.hash.update(text.as_bytes());
        self.lines += 1;
        Ok(text)
    }
}

/// Scheme, host and port of an address. The rest may contain a password or a key, and a replay makes no calls.
fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

pub(super) fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_address_keeps_no_secret() {
        assert_eq!(
            origin("https://me:secret@api.example:8443/v1/secret?key=secret"),
            "https://api.example:8443"
        );
        assert_eq!(origin("http://127.0.0.1:9?key=secret"), "http://127.0.0.1:9");
        assert_eq!(origin("https://api.example#secret"), "https://api.example");
    }
}
