//! The conversation of a rehearsal: every call is made once, and reported with what is wrong with its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::agent::conversation::StoredUsage;
use domain::agent::diagnosis::{Tried, of_failure, of_message, of_tool_result};
use domain::agent::search::failed;
use domain::agent::transcript::{Message, Role};
use domain::agent::{
    Diagnosis, EndReason, FinishedSession, Journal, JournaledSession, ModelRequest, ModelResponse, NextStep,
    RawResponse, Secrets, Session, request_hash,
};
use domain::job::AgentModel;
use domain::values::ids::ModelDayKey;
use runtime::http::Number;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::line::{Answer, Call, Ended, Line, Refused, Request, Trade, cut};
use crate::agent::{Endpoints, Searcher, headers_of, shown};
use crate::error::ExecutorError;

/// Headers of an answer that help to understand it.
const ANSWER_HEADERS: [&str; 6] =
    ["content-type", "location", "retry-after", "server", "www-authenticate", "x-request-id"];

/// What a conversation calls, and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Means<'c> {
    pub(super) endpoints: &'c Endpoints,
    pub(super) searcher: Option<&'c Searcher>,
    pub(super) limit: Duration,
}

/// One day in conversation.
pub(super) struct Conversation<'c, 'a> {
    means: Means<'c>,
    agent: &'a AgentModel,
    key: &'c ModelDayKey,
    session: JournaledSession<'a>,
    lines: &'c mpsc::Sender<Line>,
    address: String,
    began: Instant,
    /// Messages whose tool results were reported.
    reported: usize,
    faults: u32,
}

impl<'c, 'a> Conversation<'c, 'a> {
    pub(super) fn new(
        means: Means<'c>,
        agent: &'a AgentModel,
        key: &'c ModelDayKey,
        session: Session<'a>,
        lines: &'c mpsc::Sender<Line>,
    ) -> Self {
        Self {
            means,
            agent,
            key,
            session: JournaledSession::new(session, Journal::default()),
            lines,
            address: agent.dialect.address(&agent.url),
            began: Instant::now(),
            reported: 0,
            faults: 0,
        }
    }

    /// Goes on until the day or its time ends.
    pub(super) async fn run(mut self) -> Result<(), ExecutorError> {
        loop {
            let next = self.session.next_step()?;
            self.report_tools().await;
            match next {
                NextStep::Call { .. } | NextStep::Search(_) if self.began.elapsed() >= self.means.limit => {
                    self.session.stop(EndReason::WallTime);
                }
                NextStep::Call { request, .. } => self.call(request).await?,
                NextStep::Search(search) => {
                    let result = match self.means.searcher {
                        Some(searcher) => searcher.search(&search.query, self.key.date).await,
                        None => failed("no search engine is configured"),
                    };
                    self.session.add_search_result(search.index, &result)?;
                }
                // There is no journal that could differ.
                NextStep::Changed { .. } | NextStep::Ended(_) => break,
            }
        }
        self.end().await;
        Ok(())
    }

    async fn call(&mut self, request: ModelRequest) -> Result<(), ExecutorError> {
        let access = match self.means.endpoints.access(self.agent) {
            Ok(access) => access,
            Err(refused) => {
                let response = ModelResponse::Failed(refused.failure());
                let shown = self.request(BTreeMap::new(), &request);
                self.report_call(request.step, shown, None, None, &response, None, Duration::ZERO).await;
                return Ok(self.session.add_response(&response)?);
            }
        };
        let identity = request_hash(&format!("{} {}", self.key.job, request.step));
        let headers = headers_of(self.agent, &access, &identity, &request.body);
        let sent = self.request(shown(&headers), &request);
        let began = Instant::now();
        let rest = self.means.limit.saturating_sub(self.began.elapsed());
        let send = self.means.endpoints.send(self.agent, headers, request.body.clone());
        let Ok((raw, cause)) = tokio::time::timeout(rest, send).await else {
            self.session.stop(EndReason::WallTime);
            return Ok(());
        };
        let secrets = access.secrets();
        let response = self.agent.dialect.classify(&raw, &secrets);
        let answer = answer(&raw, &secrets);
        let took = began.elapsed();
        self.report_call(request.step, sent, answer, raw.status, &response, cause, took).await;
        Ok(self.session.add_response(&response)?)
    }

    fn request(&self, headers: BTreeMap<&'static str, String>, request: &ModelRequest) -> Request {
        let bytes = request.body.len();
        Request { method: "POST", url: self.address.clone(), headers, body: cut(request.body.clone()), bytes }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one line")]
    async fn report_call(
        &mut self,
        step: u32,
        request: Request,
        answer: Option<Answer>,
        status: Option<u16>,
        response: &ModelResponse,
        cause: Option<String>,
        took: Duration,
    ) {
        let tried = self.tried();
        let (diagnosis, usage) = match response {
            ModelResponse::Failed(failure) => {
                (Some(of_failure(&tried, failure, status, cause.as_deref())), None)
            }
            ModelResponse::Message(message) => {
                let body = answer.as_ref().map(|answer| answer.body.as_str()).unwrap_or_default();
                (of_message(&tried, message, body), Some(&message.usage))
            }
        };
        self.count(diagnosis.as_ref());
        let settings = &self.agent.settings;
        let cost = usage.and_then(|usage| usage.cost(settings.prices.as_ref(), settings.cost_basis));
        let call = Call {
            step,
            request,
            answer,
            milliseconds: millis(took),
            class: response.class(),
            usage: usage.map(|usage| json!(usage)),
            cost: cost.map(Number::from),
            diagnosis,
        };
        let _ = self.lines.send(Line::Call(Box::new(call))).await;
    }

    fn tried(&self) -> Tried<'_> {
        let settings = &self.agent.settings;
        Tried {
            dialect: self.agent.dialect,
            address: &self.address,
            key_variable: self.agent.key_variable.as_deref(),
            basemodel: &settings.basemodel,
            timeout_seconds: self.agent.timeout_seconds,
            max_answer_bytes: settings.limits.max_answer_bytes,
        }
    }

    /// Reports the results of tools that are new in the conversation.
    async fn report_tools(&mut self) {
        let messages = &self.session.session().transcript().messages;
        let is_result = |message: &&Message| message.role == Role::Tool;
        let new: Vec<Message> = messages.iter().skip(self.reported).filter(is_result).cloned().collect();
        self.reported = messages.len();
        for message in new {
            let (name, arguments) = (message.name.unwrap_or_default(), message.arguments.unwrap_or_default());
            let diagnosis = of_tool_result(&name, &arguments, &message.content);
            self.count(diagnosis.as_ref());
            let result = serde_json::from_str(&message.content).unwrap_or(Value::String(message.content));
            let (step, index) = (message.step, message.index.unwrap_or_default());
            let _ = self.lines.send(Line::Tool { step, index, name, arguments, result, diagnosis }).await;
        }
    }

    fn count(&mut self, diagnosis: Option<&Diagnosis>) {
        self.faults += u32::from(diagnosis.is_some());
    }

    async fn end(self) {
        let FinishedSession { ended, report, error } = self.session.finish();
        let completes = ended.reason.completes_day();
        let closed = if completes {
            ended.book.close().map_err(|problem| problem.to_string())
        } else {
            Err(String::new())
        };
        let (closed, problem) = match closed {
            Ok(closed) => (Some(closed), None),
            Err(problem) => (None, Some(problem).filter(|problem| !problem.is_empty())),
        };
        let fills = closed.iter().flat_map(|closed| &closed.fills);
        let refusals = closed.iter().flat_map(|closed| &closed.refusals);
        let holdings = closed.iter().flat_map(|closed| closed.ending.holdings());
        let ended = Ended {
            reason: report.reason,
            completes: closed.is_some(),
            error: error.or(problem).or_else(|| (!completes).then(|| ended.reason.failed())),
            summary: report.summary,
            trades: fills
                .map(|fill| Trade {
                    side: fill.side.as_str(),
                    symbol: fill.symbol.to_string(),
                    quantity: fill.quantity,
                    price: fill.price.amount().into(),
                    fee: fill.fee.into(),
                })
                .collect(),
            refused: refusals
                .map(|refused| Refused {
                    side: refused.side.as_str(),
                    symbol: refused.symbol.clone(),
                    quantity: refused.quantity.clone(),
                    code: refused.code.clone(),
                })
                .collect(),
            cash: closed.as_ref().map(|closed| closed.ending.cash().into()),
            holdings: holdings.map(|(symbol, quantity)| (symbol.to_string(), *quantity)).collect(),
            value_at_open: closed.as_ref().map(|closed| closed.value_at_open.into()),
            milliseconds: millis(self.began.elapsed()),
            usage: json!(StoredUsage::new(&report.spent, report.possibly_paid_twice, report.tool_calls)),
            faults: self.faults,
        };
        let _ = self.lines.send(Line::Ended(Box::new(ended))).await;
    }
}

fn answer(raw: &RawResponse, secrets: &Secrets) -> Option<Answer> {
    let headers = raw.headers.iter().filter(|(name, _)| ANSWER_HEADERS.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.clone(), secrets.conceal(value))).collect();
    let body = cut(secrets.conceal(&String::from_utf8_lossy(&raw.body)));
    Some(Answer { status: raw.status?, headers, body, bytes: raw.body.len() })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
