//! The summary of a day: two or three sentences, from its facts alone.

use chrono::NaiveDate;

use super::end_reason::EndReason;
use crate::accounting::fill::Fill;
use crate::accounting::order::Side;
use crate::accounting::portfolio::Portfolio;

/// Trades listed one by one; further trades are counted.
const MAX_LISTED: usize = 8;

/// The facts of a summary.
pub(super) struct DaySummary<'a> {
    pub(super) date: NaiveDate,
    pub(super) model: &'a str,
    pub(super) steps: u32,
    pub(super) tool_calls: u32,
    pub(super) fills: &'a [Fill],
    pub(super) refused: u32,
    pub(super) portfolio: &'a Portfolio,
    pub(super) reason: EndReason,
}

impl DaySummary<'_> {
    pub(super) fn text(&self) -> String {
        let Self { date, model, portfolio, .. } = self;
        let refused = match self.refused {
            0 => String::new(),
            1 => "; 1 order was refused".to_owned(),
            more => format!("; {more} orders were refused"),
        };
        format!(
            "On {date} {model} {}{refused}. It took {} and {}, and ended with {}: {}.",
            self.trades(),
            count(self.steps, "step"),
            count(self.tool_calls, "tool call"),
            self.owned(portfolio),
            why(self.reason),
        )
    }

    fn trades(&self) -> String {
        if self.fills.is_empty() {
            return "made no trades".to_owned();
        }
        let listed = self.fills.iter().take(MAX_LISTED).map(|fill| {
            let did = match fill.side {
                Side::Buy => "bought",
                Side::Sell => "sold",
            };
            format!("{did} {} {} at {}", fill.quantity, fill.symbol, fill.price)
        });
        let mut trades: Vec<_> = listed.collect();
        let more = self.fills.len().saturating_sub(MAX_LISTED);
        if more > 0 {
            trades.push(format!("made {more} more trades"));
        }
        trades.join(", ")
    }

    fn owned(&self, portfolio: &Portfolio) -> String {
        let positions = u32::try_from(portfolio.holdings().len()).unwrap_or(u32::MAX);
        format!("{} dollars in cash and {}", portfolio.cash(), count(positions, "position"))
    }
}

fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn why(reason: EndReason) -> String {
    match reason {
        EndReason::Finished => "it said that it was done".to_owned(),
        EndReason::NoMoreToSay => "it had no more to say".to_owned(),
        EndReason::NoDecision => "it answered nothing".to_owned(),
        EndReason::MaxSteps => "it reached the limit of steps".to_owned(),
        EndReason::MaxToolCalls => "it reached the limit of tool calls".to_owned(),
        EndReason::MaxTokens => "it reached the limit of tokens".to_owned(),
        EndReason::MaxCost => "it reached the limit of cost".to_owned(),
        EndReason::WallTime => "its time was up".to_owned(),
        EndReason::BudgetExhausted => "the job's budget was used up".to_owned(),
        EndReason::BadArguments => "its tool calls could not be read".to_owned(),
        EndReason::ContentFilter => "its answer was filtered".to_owned(),
        EndReason::Length => "its answers were cut".to_owned(),
        EndReason::RequestChanged => "the recorded request was another one".to_owned(),
        EndReason::NotRecorded => "the answer was not recorded".to_owned(),
        EndReason::Endpoint(class) => format!("the endpoint failed ({})", class.as_str()),
    }
}
