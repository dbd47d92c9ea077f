//! Where a day that was run again differs from the recorded one.

use std::fmt;

use super::{RecordedDay, RecordedOutcome, ReplayedDay, ReplayedOutcome};
use crate::accounting::fill::Fill;
use crate::accounting::portfolio::Portfolio;
use crate::agent::transcript::Role;
use crate::agent::{AgentReport, EntryKind, Message};

/// Longest text that is shown of either side, in characters.
const SHOWN: usize = 200;

/// The first difference between a recorded day and the same day run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The step of the conversation, from 1; `None` when it is in the day's accounts.
    pub step: Option<u32>,
    /// What differs.
    pub what: String,
    /// As it was recorded.
    pub recorded: String,
    /// As it came out this time.
    pub replayed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = self.step {
            write!(f, "step {step}, ")?;
        }
        write!(f, "{}: recorded {}, replayed {}", self.what, short(&self.recorded), short(&self.replayed))
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first difference; in the order of the day: the conversation first, then how it ended, then accounts.
pub fn compare(recorded: &RecordedDay, replayed: &ReplayedDay) -> Option<Difference> {
    conversation(recorded, replayed).or_else(|| match (&recorded.outcome, &replayed.outcome) {
        (
            RecordedOutcome::Completed { fills, position, value_at_open, value_at_close },
            ReplayedOutcome::Completed { day, fills: again },
        ) => report(recorded.report.as_ref(), day.agent.as_ref())
            .or_else(|| traded(fills, again))
            .or_else(|| owned(position, &day.ending_position))
            .or_else(|| differ("the value at the open", value_at_open, &day.value_at_open))
            .or_else(|| differ("the value at the close", (*value_at_close).as_ref()?, &day.value_at_close)),
        (RecordedOutcome::Failed { error }, ReplayedOutcome::Failed(day)) => {
            report(recorded.report.as_ref(), day.agent.as_ref())
                .or_else(|| differ("why it failed", error, &day.error))
        }
        (recorded, ReplayedOutcome::Failed(day)) => {
            Some(difference("how the day ended", recorded.as_str(), &format!("failed ({})", day.error)))
        }
        (RecordedOutcome::Failed { error }, ReplayedOutcome::Completed { .. }) => {
            Some(difference("how the day ended", &format!("failed ({error})"), "completed"))
        }
        (recorded, ReplayedOutcome::Skipped) => {
            Some(difference("how the day ended", recorded.as_str(), "not run, since an earlier day failed"))
        }
    })
}

/// What tools answered, step by step, up to where the recording ends.
fn conversation(recorded: &RecordedDay, replayed: &ReplayedDay) -> Option<Difference> {
    let at = |step, difference| Difference { step: Some(step), ..difference };
    let turns = replayed.transcript.as_ref().map(|said| said.messages.as_slice()).unwrap_or_default();
    let results = turns.iter().filter(|turn| turn.role == Role::Tool);
    for turn in results {
        let Some(index) = turn.index else { continue };
        let known = recorded.journal.entry(turn.step, index.saturating_add(1));
        let what = format!("{} (call {})", turn.name.as_deref().unwrap_or("a tool"), index + 1);
        let Some(known) = known else {
            return Some(at(turn.step, difference(&what, "nothing", &turn.content)));
        };
        // A search is told as it was recorded; there is nothing to compare.
        let told = known.answer.as_deref().unwrap_or_default();
        if known.kind == EntryKind::Tool && told != turn.content {
            return Some(at(turn.step, difference(&what, told, &turn.content)));
        }
    }
    if let Some(missing) = &replayed.missing {
        return Some(at(missing.step, difference("the model's answer", &missing.why, "not_recorded")));
    }
    unreached(recorded, turns)
}

/// An entry of the journal that the conversation does not reach.
fn unreached(recorded: &RecordedDay, turns: &[Message]) -> Option<Difference> {
    replayed_to(turns).and_then(|last| {
        let beyond =
            recorded.journal.entries().find(|entry| entry.step > last && entry.kind == EntryKind::Tool)?;
        let told = beyond.answer.as_deref().unwrap_or_default();
        Some(Difference {
            step: Some(beyond.step),
            ..difference(&format!("call {}", beyond.index), told, "not reached")
        })
    })
}

fn replayed_to(turns: &[Message]) -> Option<u32> {
    turns.last().map(|turn| turn.step)
}

fn report(recorded: Option<&AgentReport>, replayed: Option<&AgentReport>) -> Option<Difference> {
    let (recorded, replayed) = match (recorded, replayed) {
        (Some(recorded), Some(replayed)) => (recorded, replayed),
        (None, None) => return None,
        (recorded, replayed) => {
            let told = |report: Option<&AgentReport>| match report {
                Some(report) => format!("ended with {}", report.reason),
                None => "none".to_owned(),
            };
            return Some(difference("the conversation", &told(recorded), &told(replayed)));
        }
    };
    differ("why the conversation ended", &recorded.reason, &replayed.reason)
        .or_else(|| differ("the summary", &recorded.summary, &replayed.summary))
        .or_else(|| {
            let again = (recorded.possibly_paid_twice, replayed.possibly_paid_twice);
            let same = recorded.spent == replayed.spent && again.0 == again.1;
            let told = |report: &AgentReport| format!("{:?}", (&report.spent, report.possibly_paid_twice));
            (!same).then(|| difference("what was used", &told(recorded), &told(replayed)))
        })
}

fn traded(recorded: &[Fill], replayed: &[Fill]) -> Option<Difference> {
    let told = |fill: Option<&Fill>| match fill {
        Some(fill) => {
            let Fill { sequence, side, symbol, quantity, price, fee, cash_after, .. } = fill;
            format!("{sequence}: {side} {quantity} {symbol} at {price}, fee {fee}, cash {cash_after}")
        }
        None => "nothing".to_owned(),
    };
    let most = recorded.len().max(replayed.len());
    let place = (0..most).find(|place| told(recorded.get(*place)) != told(replayed.get(*place)))?;
    let what = format!("fill {}", place + 1);
    Some(difference(&what, &told(recorded.get(place)), &told(replayed.get(place))))
}

fn owned(recorded: &Portfolio, replayed: &Portfolio) -> Option<Difference> {
    let told = |portfolio: &Portfolio| {
        let holdings = portfolio.holdings().iter().map(|(symbol, shares)| format!(", {symbol} {shares}"));
        format!("cash {}{}", portfolio.cash(), holdings.collect::<String>())
    };
    (recorded != replayed).then(|| difference("the position", &told(recorded), &told(replayed)))
}

fn differ<T: PartialEq + fmt::Display>(what: &str, recorded: &T, replayed: &T) -> Option<Difference> {
    (recorded != replayed).then(|| difference(what, &recorded.to_string(), &replayed.to_string()))
}

fn difference(what: &str, recorded: &str, replayed: &str) -> Difference {
    Difference {
        step: None,
        what: what.to_owned(),
        recorded: recorded.to_owned(),
        replayed: replayed.to_owned(),
    }
}
