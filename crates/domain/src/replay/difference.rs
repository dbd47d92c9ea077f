//! The difference between a replayed day and the recorded one.

use std::fmt;

use super::{RecordedDay, RecordedOutcome, ReplayedDay, ReplayedOutcome};
use crate::accounting::fill::Fill;
use crate::accounting::portfolio::Portfolio;
use crate::agent::transcript::Role;
use crate::agent::{AgentReport, EntryKind, Message};

/// Characters that are shown of either side.
const MAX_SHOWN: usize = 200;

/// The first difference between a recorded day and the same day run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The step of the conversation, from 1; `None` when the day's accounts differ.
    pub step: Option<u32>,
    /// What differs.
    pub what: String,
    /// As it was recorded.
    pub recorded: String,
    /// As it was replayed.
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
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The first difference in the order of the day: the conversation, then its end, then the accounts.
pub fn first_difference(recorded: &RecordedDay, replayed: &ReplayedDay) -> Option<Difference> {
    conversation(recorded, replayed).or_else(|| match (&recorded.outcome, &replayed.outcome) {
        (
            RecordedOutcome::Completed { fills, position, value_at_open, value_at_close },
            ReplayedOutcome::Completed { day, fills: again },
        ) => report(recorded.report.as_ref(), day.agent.as_ref())
            .or_else(|| self::fills(fills, again))
            .or_else(|| self::position(position, &day.ending_position))
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

/// The first difference in the results of tools, up to the end of the recording.
fn conversation(recorded: &RecordedDay, replayed: &ReplayedDay) -> Option<Difference> {
    let at = |step, difference| Difference { step: Some(step), ..difference };
    let messages = replayed.transcript.as_ref().map(|transcript| transcript.messages.as_slice());
    let messages = messages.unwrap_or_default();
    for result in messages.iter().filter(|message| message.role == Role::Tool) {
        let Some(index) = result.index else { continue };
        let entry = recorded.journal.entry(result.step, index.saturating_add(1));
        let what = format!("{} (call {})", result.name.as_deref().unwrap_or("a tool"), index + 1);
        let Some(entry) = entry else {
            return Some(at(result.step, difference(&what, "nothing", &result.content)));
        };
        // The result of a search comes from the recording, so it cannot differ.
        let answer = entry.answer.as_deref().unwrap_or_default();
        if entry.kind == EntryKind::Tool && answer != result.content {
            return Some(at(result.step, difference(&what, answer, &result.content)));
        }
    }
    if let Some(missing) = &replayed.missing {
        return Some(at(missing.step, difference("the model's answer", &missing.why, "not_recorded")));
    }
    unreached(recorded, messages)
}

/// The first recorded result of a tool that the replay does not reach.
fn unreached(recorded: &RecordedDay, messages: &[Message]) -> Option<Difference> {
    let last = messages.last()?.step;
    let mut results = recorded.journal.entries().filter(|entry| entry.kind == EntryKind::Tool);
    let entry = results.find(|entry| entry.step > last)?;
    let answer = entry.answer.as_deref().unwrap_or_default();
    Some(Difference {
        step: Some(entry.step),
        ..difference(&format!("call {}", entry.index), answer, "not reached")
    })
}

fn report(recorded: Option<&AgentReport>, replayed: Option<&AgentReport>) -> Option<Difference> {
    let (recorded, replayed) = match (recorded, replayed) {
        (Some(recorded), Some(replayed)) => (recorded, replayed),
        (None, None) => return None,
        (recorded, replayed) => {
            let text = |report: Option<&AgentReport>| match report {
                Some(report) => format!("ended with {}", report.reason),
                None => "none".to_owned(),
            };
            return Some(difference("the conversation", &text(recorded), &text(replayed)));
        }
    };
    differ("why the conversation ended", &recorded.reason, &replayed.reason)
        .or_else(|| differ("the summary", &recorded.summary, &replayed.summary))
        .or_else(|| {
            let resent = (recorded.possibly_paid_twice, replayed.possibly_paid_twice);
            let same = recorded.spent == replayed.spent && resent.0 == resent.1;
            let text = |report: &AgentReport| format!("{:?}", (&report.spent, report.possibly_paid_twice));
            (!same).then(|| difference("what was used", &text(recorded), &text(replayed)))
        })
}

fn fills(recorded: &[Fill], replayed: &[Fill]) -> Option<Difference> {
    let text = |fill: Option<&Fill>| match fill {
        Some(fill) => {
            let Fill { sequence, side, symbol, quantity, price, fee, cash_after, .. } = fill;
            format!("{sequence}: {side} {quantity} {symbol} at {price}, fee {fee}, cash {cash_after}")
        }
        None => "nothing".to_owned(),
    };
    let count = recorded.len().max(replayed.len());
    let place = (0..count).find(|place| text(recorded.get(*place)) != text(replayed.get(*place)))?;
    let what = format!("fill {}", place + 1);
    Some(difference(&what, &text(recorded.get(place)), &text(replayed.get(place))))
}

fn position(recorded: &Portfolio, replayed: &Portfolio) -> Option<Difference> {
    let text = |portfolio: &Portfolio| {
        let holdings = portfolio.holdings().iter().map(|(symbol, shares)| format!(", {symbol} {shares}"));
        format!("cash {}{}", portfolio.cash(), holdings.collect::<String>())
    };
    (recorded != replayed).then(|| difference("the position", &text(recorded), &text(replayed)))
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
