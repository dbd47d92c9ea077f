//! An agent's day within a turn of its lane: what the conversation came to becomes the records of the day.

use domain::agent::conversation::Conversation;
use domain::agent::{EndReason, FinishedSession};
use domain::job::AgentModel;
use domain::simulation::run::{AgentAttempt, ModelDayRun};
use runtime::telemetry;
use storage::execution::{EndedAttempt, Lane};

use super::day_record::{AttemptRecord, completed, failed};
use super::day_step::DayStep;
use crate::agent::{AgentDay, AgentDays};
use crate::error::ExecutorError;
use crate::visit::Visit;

/// Runs an agent's day as far as this turn goes.
pub(super) async fn agent_day(
    agents: &AgentDays,
    lane: &Lane,
    today: &ModelDayRun<'_>,
    agent: &AgentModel,
    visit: Option<&Visit>,
) -> Result<DayStep, ExecutorError> {
    let market = today.market();
    let key = || today.key.clone();
    let (attempt, finished) = match agents.run(lane, today, agent, &market, visit).await {
        Ok(AgentDay::Ended { attempt, finished }) => (attempt, *finished),
        Ok(AgentDay::Stopped(stop)) => return Ok(DayStep::PutOff(stop)),
        Err(ExecutorError::Day(problem)) => {
            let day = failed(key(), problem.to_string(), today.began, None)?;
            return Ok(DayStep::Ended(Box::new(day)));
        }
        Err(problem) => return Err(problem),
    };
    let FinishedSession { ended, report, error } = finished;
    if ended.reason == EndReason::BudgetExhausted && ended.steps == 0 {
        agents.abandon(lane, &attempt, ended.reason).await?;
        return Ok(DayStep::OutOfBudget);
    }
    let row = EndedAttempt {
        revision: attempt.revision,
        reason: report.reason.clone(),
        conversation: Conversation::new(&report, ended.transcript),
    };
    let attempt = AgentAttempt { attempt: attempt.number, started_at: attempt.started_at, report };
    let record = Some(AttemptRecord { attempt, row });
    let day = if !ended.reason.completes_day() {
        failed(key(), error.unwrap_or_else(|| ended.reason.failed()), today.began, record)?
    } else {
        match ended.book.close() {
            Ok(result) => completed(today, result, telemetry::current_traceparent(), record)?,
            Err(problem) => failed(key(), problem.to_string(), today.began, record)?,
        }
    };
    Ok(DayStep::Ended(Box::new(day)))
}
