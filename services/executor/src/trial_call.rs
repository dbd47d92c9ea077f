//! One call to a model's endpoint, by which people see that it can trade. The day and its prices are made up, and nothing
//! is stored.

use std::time::Duration;

use chrono::{NaiveDate, Utc};
use domain::agent::diagnosis::{Tried, of_failure, of_message};
use domain::agent::{Diagnosis, ModelResponse, Next, request_hash};
use domain::job::{Model, ModelKind};
use domain::market::calendar::Calendar;
use domain::market::instruments::{Bar, Symbol, Universe};
use domain::market::known_actions::KnownActions;
use domain::market::price_table::PriceTable;
use domain::market::rules::MarketRules;
use domain::simulation::decider::Decider;
use domain::simulation::run::ModelDayRun;
use domain::values::ids::{JobId, ModelDayKey};
use domain::values::money::Price;
use rust_decimal::Decimal;
use tokio::time::Instant;
use uuid::Uuid;

use crate::agent::{EndpointAccess, Endpoints, headers_of};

/// What an endpoint answered.
#[derive(Debug, Clone)]
pub struct TrialAnswer {
    /// How long it took.
    pub took: Duration,
    /// Tokens of the request and of the answer, if it says so.
    pub tokens: Option<(u64, u64)>,
    /// What is wrong with it, if anything.
    pub diagnosis: Option<Diagnosis>,
}

/// Sends the first request of a day to the endpoint of `model`, an agent, on which `symbols` may be traded.
///
/// # Errors
/// Why no call was made.
pub async fn try_endpoint(
    access: EndpointAccess,
    model: &Model,
    symbols: &[Symbol],
    date: NaiveDate,
    calendar: &Calendar,
) -> Result<TrialAnswer, String> {
    let ModelKind::Agent(agent) = &model.kind else { return Err("only agents have an endpoint".to_owned()) };
    let endpoints = Endpoints::new(access).map_err(|problem| problem.to_string())?;
    let body = request(model, symbols, date, calendar)?;
    let access = endpoints.access(agent).map_err(|refused| refused.to_string())?;
    let headers = headers_of(agent, &access, &request_hash(&format!("a trial {}", Uuid::now_v7())), &body);
    let began = Instant::now();
    let (raw, cause) = endpoints.send(agent, headers, body).await;
    let took = began.elapsed();
    let secrets = access.secrets();
    let address = agent.dialect.address(&agent.url);
    let tried = Tried {
        dialect: agent.dialect,
        address: &address,
        key_variable: agent.key_variable.as_deref(),
        basemodel: &agent.settings.basemodel,
        timeout_seconds: agent.timeout_seconds,
        max_answer_bytes: agent.settings.limits.max_answer_bytes,
    };
    Ok(match agent.dialect.classify(&raw, &secrets) {
        ModelResponse::Failed(failure) => {
            let diagnosis = of_failure(&tried, &failure, raw.status, cause.as_deref());
            TrialAnswer { took, tokens: None, diagnosis: Some(diagnosis) }
        }
        ModelResponse::Message(message) => TrialAnswer {
            took,
            tokens: message.usage.prompt.zip(message.usage.completion),
            diagnosis: of_message(&tried, &message, &secrets.conceal(&String::from_utf8_lossy(&raw.body))),
        },
    })
}

/// The first request of a day on which every symbol opens at 100 dollars.
fn request(
    model: &Model,
    symbols: &[Symbol],
    date: NaiveDate,
    calendar: &Calendar,
) -> Result<String, String> {
    let ModelKind::Agent(agent) = &model.kind else { return Err("only agents have an endpoint".to_owned()) };
    let price = Price::try_from(Decimal::from(100)).map_err(|problem| problem.to_string())?;
    let bar = Bar::new(price, price, price, price, 1_000).map_err(|problem| problem.to_string())?;
    let sessions = [calendar.sessions_before(date, 1).first().copied().unwrap_or(date), date];
    let bars = sessions.iter().flat_map(|date| symbols.iter().map(|symbol| (symbol.clone(), *date, bar)));
    let prices: PriceTable = bars.collect();
    let universe = Universe { name: "trial".to_owned(), symbols: symbols.to_vec(), benchmark: None };
    let (job, experiment) = (JobId(Uuid::now_v7()), "trial".to_owned());
    let key = ModelDayKey { job, experiment, model: model.signature.clone(), trial: 0, date };
    let today = ModelDayRun {
        key: &key,
        universe: &universe,
        model,
        decider: &Decider::from(model),
        prices: &prices,
        actions: KnownActions::NONE,
        rules: MarketRules::default(),
        calendar,
        previous: None,
        day_index: 0,
        revision: 1,
        began: Utc::now(),
    };
    let market = today.market();
    let mut session = today.session(agent, &market).map_err(|problem| problem.to_string())?;
    match session.next() {
        Next::Call(request) => Ok(request.body),
        Next::Search(_) | Next::Ended(_) => Err("the limits of this model allow no call".to_owned()),
    }
}
