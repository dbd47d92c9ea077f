//! The replay of one day.

use super::{MissingResponse, RecordedDay, RecordedOutcome, ReplayedDay, ReplayedOutcome};
use crate::accounting::day_result::DayResult;
use crate::agent::{AgentReport, EndReason, FinishedSession, JournaledSession, NextStep};
use crate::job::AgentModel;
use crate::simulation::decider::Decider;
use crate::simulation::model_day::{CRASHED, FailedDay};
use crate::simulation::run::{AgentAttempt, ModelDayRun};

/// Runs the day again.
pub(super) fn replay_day(run: &ModelDayRun<'_>, recorded: &RecordedDay) -> ReplayedDay {
    let nothing = |outcome| ReplayedDay { outcome, transcript: None, missing: None };
    match &recorded.outcome {
        // No recording holds what ended a process.
        RecordedOutcome::Failed { error } if error == CRASHED && recorded.report.is_none() => {
            nothing(failed(run, recorded, error.clone(), None))
        }
        RecordedOutcome::Failed { .. } | RecordedOutcome::Completed { .. } => match run.decider {
            Decider::Agent(agent) => converse(run, agent, recorded),
            Decider::Policy(_) | Decider::Recorded(_) => nothing(match run.run() {
                Ok(result) => completed(run, result, None),
                Err(problem) => failed(run, recorded, problem.to_string(), None),
            }),
        },
    }
}

fn converse(run: &ModelDayRun<'_>, agent: &AgentModel, recorded: &RecordedDay) -> ReplayedDay {
    let market = run.market();
    let session = match run.session(agent, &market) {
        Ok(session) => session,
        Err(problem) => {
            let outcome = failed(run, recorded, problem.to_string(), None);
            return ReplayedDay { outcome, transcript: None, missing: None };
        }
    };
    let mut session = JournaledSession::new(session, recorded.journal.clone());
    let missing = continue_from_journal(&mut session);
    let FinishedSession { ended, report, error } = session.finish();
    let accounts = match ended.reason.completes_day() {
        true => ended.book.close().map_err(|problem| problem.to_string()),
        false => Err(error.unwrap_or_else(|| ended.reason.failed())),
    };
    let outcome = match accounts {
        Ok(result) => {
            let (attempt, started_at) = (recorded.attempt, run.began);
            completed(run, result, Some(AgentAttempt { attempt, started_at, report }))
        }
        Err(error) => failed(run, recorded, error, Some(report)),
    };
    ReplayedDay { outcome, transcript: Some(ended.transcript), missing }
}

/// Runs the session to its end, or to the first response that is not recorded. That one ends the day.
fn continue_from_journal(session: &mut JournaledSession<'_>) -> Option<MissingResponse> {
    let (step, why) = match session.next_step() {
        Ok(NextStep::Ended(_)) => return None,
        Ok(NextStep::Call { request, .. }) => (request.step, "no answer is recorded".to_owned()),
        Ok(NextStep::Search(search)) => {
            (search.step, format!("no results are recorded of search {}", search.index + 1))
        }
        Ok(NextStep::Changed { step }) => (step, "the recorded answer is to another request".to_owned()),
        Err(problem) => (session.step(), problem.to_string()),
    };
    session.stop(EndReason::NotRecorded);
    Some(MissingResponse { step, why })
}

fn completed(run: &ModelDayRun<'_>, result: DayResult, attempt: Option<AgentAttempt>) -> ReplayedOutcome {
    let fills = result.fills.clone();
    ReplayedOutcome::Completed { day: Box::new(run.completed(result, attempt, run.began)), fills }
}

fn failed(
    run: &ModelDayRun<'_>,
    recorded: &RecordedDay,
    error: String,
    agent: Option<AgentReport>,
) -> ReplayedOutcome {
    ReplayedOutcome::Failed(Box::new(FailedDay {
        key: run.key.clone(),
        attempt: recorded.attempt,
        error,
        started_at: run.began,
        completed_at: run.began,
        agent,
    }))
}
