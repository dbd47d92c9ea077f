//! One day from its recording.

use super::{Missing, RecordedDay, RecordedOutcome, ReplayedDay, ReplayedOutcome};
use crate::accounting::day_book::{DayError, DayResult};
use crate::agent::{EndReason, JournaledSession, NextStep, Outcome, Transcript};
use crate::job::AgentModel;
use crate::simulation::decider::Decider;
use crate::simulation::model_day::{AgentReport, CRASHED, FailedDay};
use crate::simulation::run::{AgentAttempt, ModelDayRun};

/// What became of an agent's conversation.
struct Talked<'a> {
    fed: JournaledSession<'a>,
    missing: Option<Missing>,
}

/// Runs the day again.
pub(super) fn run(today: &ModelDayRun<'_>, recorded: &RecordedDay) -> ReplayedDay {
    let nothing = |outcome| ReplayedDay { outcome, transcript: None, missing: None };
    match &recorded.outcome {
        // What ended a process is in no recording.
        RecordedOutcome::Failed { error } if error == CRASHED && recorded.report.is_none() => {
            nothing(failed(today, recorded, error.clone(), None))
        }
        RecordedOutcome::Failed { .. } | RecordedOutcome::Completed { .. } => match today.decider {
            Decider::Agent(agent) => converse(today, agent, recorded),
            Decider::Policy(_) | Decider::Recorded(_) => nothing(match today.run() {
                Ok(result) => completed(today, result, None),
                Err(problem) => failed(today, recorded, problem.to_string(), None),
            }),
        },
    }
}

fn converse(today: &ModelDayRun<'_>, agent: &AgentModel, recorded: &RecordedDay) -> ReplayedDay {
    let market = today.market();
    let session = match today.session(agent, &market) {
        Ok(session) => session,
        Err(problem) => {
            let outcome = failed(today, recorded, problem.to_string(), None);
            return ReplayedDay { outcome, transcript: None, missing: None };
        }
    };
    let Talked { fed, missing } = talk(JournaledSession::new(session, recorded.journal.clone()));
    let again = fed.resent_calls();
    let (ended, error) = fed.finish();
    let told = AgentAttempt {
        attempt: recorded.attempt,
        started_at: today.began,
        report: AgentReport {
            reason: ended.reason.as_str().to_owned(),
            summary: ended.summary,
            spent: ended.spent,
            possibly_paid_twice: again,
        },
    };
    let accounts: Result<DayResult, DayError> = match ended.reason.outcome() {
        Outcome::Completes => ended.book.close(),
        Outcome::Fails => {
            let error = error.unwrap_or_else(|| ended.reason.failed());
            let outcome = failed(today, recorded, error, Some(told.report));
            return ReplayedDay { outcome, transcript: Some(ended.transcript), missing };
        }
    };
    let outcome = match accounts {
        Ok(result) => completed(today, result, Some(told)),
        Err(problem) => failed(today, recorded, problem.to_string(), Some(told.report)),
    };
    ReplayedDay { outcome, transcript: Some::<Transcript>(ended.transcript), missing }
}

/// Goes on to the end of the day, or to what was not recorded.
fn talk(mut fed: JournaledSession<'_>) -> Talked<'_> {
    let (step, why) = match fed.next_step() {
        Ok(NextStep::Ended(_)) => return Talked { fed, missing: None },
        Ok(NextStep::Call { ask, .. }) => (ask.step, "no answer is recorded".to_owned()),
        Ok(NextStep::Search(wanted)) => {
            (wanted.step, format!("no results are recorded of search {}", wanted.index + 1))
        }
        Ok(NextStep::Changed { step }) => (step, "the recorded answer is to another request".to_owned()),
        Err(problem) => (fed.step(), problem.to_string()),
    };
    fed.stop(EndReason::NotRecorded);
    Talked { fed, missing: Some(Missing { step, why }) }
}

fn completed(today: &ModelDayRun<'_>, result: DayResult, told: Option<AgentAttempt>) -> ReplayedOutcome {
    let fills = result.fills.clone();
    ReplayedOutcome::Completed { day: Box::new(today.completed(result, told, today.began)), fills }
}

fn failed(
    today: &ModelDayRun<'_>,
    recorded: &RecordedDay,
    error: String,
    agent: Option<AgentReport>,
) -> ReplayedOutcome {
    ReplayedOutcome::Failed(Box::new(FailedDay {
        key: today.key.clone(),
        attempt: recorded.attempt,
        error,
        started_at: today.began,
        completed_at: today.began,
        agent,
    }))
}
