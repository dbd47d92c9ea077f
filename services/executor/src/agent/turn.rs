//! An agent's day within a turn of its lane: run it on, and settle what it came to.

use domain::agent::{AgentReport, EndReason, Outcome, Spent, Transcript};
use domain::events::event::LaneContinue;
use domain::job::AgentModel;
use domain::simulation::model_day::SkipReason;
use domain::simulation::run::{AgentAttempt, ModelDayRun};
use runtime::telemetry;
use serde_json::{Value, json};
use storage::execution::{agents::end_attempt, hand_back};

use super::{AgentDay, Stop, Talked};
use crate::Executor;
use crate::day::Decided;
use crate::error::ExecutorError;
use crate::settle::Failure;
use crate::turn::{After, Hand};

/// A conversation as people read it: what it came to, what it used, what was said.
fn conversation(report: &AgentReport, transcript: &Transcript) -> Value {
    json!({
        "summary": report.summary,
        "usage": {
            "calls": report.spent.calls,
            "prompt_tokens": report.spent.prompt_tokens,
            "cached_tokens": report.spent.cached,
            "completion_tokens": report.spent.completion,
            "reasoning_tokens": report.spent.reasoning,
            "cost": report.spent.cost.map(|cost| cost.normalize().to_string()),
            "unknown_calls": report.spent.unknown_calls,
            "unpriced_calls": report.spent.unpriced_calls,
            "possibly_paid_twice": report.possibly_paid_twice,
        },
        "turns": transcript,
    })
}

/// The report that was written as [`conversation`].
pub(crate) fn told(reason: String, said: &Value) -> AgentReport {
    let usage = &said["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap_or_default();
    AgentReport {
        reason,
        summary: said["summary"].as_str().unwrap_or_default().to_owned(),
        spent: Spent {
            calls: count("calls"),
            prompt_tokens: count("prompt_tokens"),
            cached: count("cached_tokens"),
            completion: count("completion_tokens"),
            reasoning: count("reasoning_tokens"),
            cost: usage["cost"].as_str().and_then(|cost| cost.parse().ok()),
            unknown_calls: count("unknown_calls"),
            unpriced_calls: count("unpriced_calls"),
        },
        possibly_paid_twice: count("possibly_paid_twice"),
    }
}

impl Executor {
    /// Runs an agent's day as far as this turn goes, and commits it when it has ended.
    pub(crate) async fn agent_turn(
        &self,
        hand: &mut Hand,
        today: &ModelDayRun<'_>,
        agent: &AgentModel,
    ) -> Result<After, ExecutorError> {
        let market = today.market();
        let failure =
            |error: String| Failure { key: today.key.clone(), error, began: today.began, talked: None };
        let day = match self.agent_day(&hand.lane, today, agent, &market).await {
            Err(ExecutorError::Day(problem)) => return self.fail(hand, failure(problem.to_string())).await,
            day => day?,
        };
        let (attempt, ended, report, error) = match day {
            AgentDay::Ended { attempt, ended, report, error } => (attempt, *ended, report, error),
            AgentDay::Stopped(stop) => return self.put_off(hand, stop).await,
        };
        if ended.reason == EndReason::BudgetExhausted && ended.steps == 0 {
            end_attempt(&self.pool, &hand.lane, &attempt, ended.reason.as_str()).await?;
            hand.stopped = Some(SkipReason::BudgetExhausted);
            return Ok(After::Stopped);
        }
        let talked = Talked {
            revision: attempt.revision,
            transcript: conversation(&report, &ended.transcript),
            told: AgentAttempt { attempt: attempt.number, started_at: attempt.started_at, report },
        };
        if ended.reason.outcome() == Outcome::Fails {
            let error = error.unwrap_or_else(|| ended.reason.failed());
            return self.fail(hand, Failure { talked: Some(&talked), ..failure(error) }).await;
        }
        match ended.book.close() {
            Ok(result) => {
                let decided = Decided::new(today, result, Some(talked.told.clone()));
                let traceparent = telemetry::current_traceparent();
                self.complete(hand, today.model, decided, traceparent, Some(&talked)).await
            }
            Err(problem) => {
                let failure = failure(problem.to_string());
                self.fail(hand, Failure { talked: Some(&talked), ..failure }).await
            }
        }
    }

    /// Ends the turn within a day: it goes on in the next one, from its journal.
    async fn put_off(&self, hand: &Hand, stop: Stop) -> Result<After, ExecutorError> {
        let lane = &hand.lane;
        let (wait, message) = match stop {
            Stop::Wait(wait) => (Some(wait), None),
            Stop::Slice => {
                let command = LaneContinue { lane: lane.id, turn: lane.turn + 1 };
                let traceparent = telemetry::current_traceparent();
                let key = &lane.routing_key;
                let message = runtime::outgoing::lane_continue(&command, lane.job, key, traceparent)?;
                (None, Some(message))
            }
        };
        hand_back(&self.pool, lane, wait, message).await?;
        Ok(After::TurnEnded)
    }
}
