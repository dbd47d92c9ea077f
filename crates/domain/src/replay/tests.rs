//! A bundle is made here by running days, and replayed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::json;

use super::*;
use crate::accounting::costs::Costs;
use crate::agent::{Dialect, EndReason, Entry, EntryKind, JournaledSession, NextStep};
use crate::job::{AgentModel, ModelKind, OnFailure, Options};
use crate::market::instruments::{Bar, Symbol, Universe};
use crate::simulation::model_day::CRASHED;
use crate::simulation::run::ModelDayRun;
use crate::strategy::policy::Policy;
use crate::values::ids::ModelDayKey;

const DATES: [&str; 3] = ["2025-10-01", "2025-10-02", "2025-10-03"];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn model(signature: &str, kind: ModelKind) -> Model {
    Model {
        signature: signature.to_owned(),
        config_hash: "hash".to_owned(),
        initial_cash: "1000".parse().unwrap(),
        trials: 1,
        requested_dates: None,
        training_cutoff: None,
        start: day(DATES[0]),
        costs: Costs::NONE,
        kind,
    }
}

fn agent() -> AgentModel {
    AgentModel {
        dialect: Dialect::ChatCompletions,
        url: "http://127.0.0.1:1".to_owned(),
        key_variable: None,
        settings: serde_json::from_value(json!({"basemodel": "base"})).unwrap(),
        concurrency: 1,
        tokens_per_minute: None,
        timeout_seconds: 1,
    }
}

/// AAPL with an open of 100, 101, 102 and a close of 100.5, 101.5, 102.5; an agent and a policy without days.
fn empty() -> Bundle {
    let bars = DATES.iter().zip(100_u32..).map(|(date, price)| {
        let price = |tenths: u32| format!("{price}.{tenths}").parse().unwrap();
        (symbol("AAPL"), day(date), Bar::new(price(0), price(9), price(0), price(5), 7).unwrap())
    });
    let models = vec![
        model("agent", ModelKind::Agent(Box::new(agent()))),
        model("hold", ModelKind::Policy(Policy::BuyAndHold { symbol: symbol("AAPL") })),
    ];
    Bundle {
        job: Job {
            id: "018f3b1e-7b7a-7000-8000-0123456789ab".parse().unwrap(),
            experiment: "default".to_owned(),
            models,
            universe: Universe { name: "one".to_owned(), symbols: vec![symbol("AAPL")], benchmark: None },
            start: day(DATES[0]),
            end: day(DATES[2]),
            options: Options::default(),
            accepted_at: "2025-11-01T00:00:00Z".parse().unwrap(),
            retry_of: None,
            unknown_fields: Vec::new(),
            requested_by: String::new(),
        },
        state: JobState::Completed,
        calendar: Calendar::nyse(),
        prices: bars.collect(),
        actions: KnownActions::default(),
        rules: MarketRules::Restated,
        portfolios: Vec::new(),
    }
}

/// The responses of an agent that buys a share and ends its day.
fn answers() -> [String; 2] {
    let message = |message: serde_json::Value| json!({ "message": message }).to_string();
    let call = json!({"id": "c", "name": "buy", "arguments": r#"{"symbol":"AAPL","amount":1}"#});
    let message_with = |calls: Vec<serde_json::Value>, done: bool| {
        let empty = serde_json::to_value(crate::agent::AssistantMessage::empty()).unwrap();
        let mut content = empty;
        content["tool_calls"] = json!(calls);
        content["done"] = json!(done);
        content["content"] = json!(if done { "done" } else { "" });
        message(content)
    };
    [message_with(vec![call], false), message_with(vec![], true)]
}

/// A day of the agent as it is recorded while it is run.
fn recorded_conversation(today: &ModelDayRun<'_>) -> (Journal, ReplayedDay) {
    let model = agent();
    let market = today.market();
    let mut entries: Vec<Entry> = Vec::new();
    let mut fed = JournaledSession::new(today.session(&model, &market).unwrap(), Journal::default());
    let entry = |step, index, kind, hash, answer| Entry {
        step,
        index,
        kind,
        sent: u32::from(kind == EntryKind::Call),
        hash,
        refused: 0,
        answer: Some(answer),
    };
    while let NextStep::Call { request: ask, hash, .. } = fed.next_step().unwrap() {
        let answer = answers()[ask.step as usize - 1].clone();
        entries.push(entry(ask.step, 0, EntryKind::Call, Some(hash), answer.clone()));
        fed.add_response(&serde_json::from_str(&answer).unwrap()).unwrap();
    }
    for turn in &fed.session().transcript().messages {
        if let Some(index) = turn.index {
            entries.push(entry(turn.step, index + 1, EntryKind::Tool, None, turn.content.clone()));
        }
    }
    let journal: Journal = entries.into_iter().collect();
    let recorded = recorded(today.key.date, None, journal.clone());
    (journal, super::day::replay_day(today, &recorded))
}

fn recorded(date: NaiveDate, base: Option<DayRef>, journal: Journal) -> RecordedDay {
    RecordedDay {
        date,
        revision: 1,
        base,
        day_index: 0,
        attempt: 1,
        journal,
        outcome: RecordedOutcome::Failed { error: "not run yet".to_owned() },
        report: None,
    }
}

/// Three days of the agent and of the policy, as they were run.
fn bundle() -> Bundle {
    let mut bundle = empty();
    for model in bundle.job.models.clone() {
        let decider = Decider::from(&model);
        let mut previous: Option<PortfolioDay> = None;
        let mut days = Vec::new();
        for (place, date) in DATES.map(day).into_iter().enumerate() {
            let key = ModelDayKey {
                job: bundle.job.id,
                experiment: "default".to_owned(),
                model: model.signature.clone(),
                trial: 0,
                date,
            };
            let today = ModelDayRun {
                key: &key,
                universe: &bundle.job.universe,
                model: &model,
                decider: &decider,
                prices: &bundle.prices,
                actions: &bundle.actions,
                rules: bundle.rules,
                calendar: &bundle.calendar,
                previous: previous.as_ref(),
                day_index: u32::try_from(place).unwrap(),
                revision: 1,
                began: bundle.job.accepted_at,
            };
            let base = previous.as_ref().map(|previous| previous.day);
            let (journal, ran) = match &decider {
                Decider::Agent(_) => recorded_conversation(&today),
                _ => {
                    let nothing = Journal::default();
                    let ran = super::day::replay_day(&today, &recorded(date, base, nothing.clone()));
                    (nothing, ran)
                }
            };
            let ReplayedOutcome::Completed { day, fills } = ran.outcome else { panic!("{ran:?}") };
            let end = PortfolioDay {
                day: DayRef { date, revision: 1 },
                position: day.ending_position.clone(),
                value_at_open: day.value_at_open,
            };
            days.push(RecordedDay {
                day_index: today.day_index,
                outcome: RecordedOutcome::Completed {
                    fills,
                    position: day.ending_position,
                    value_at_open: day.value_at_open,
                    value_at_close: Some(day.value_at_close),
                },
                report: day.agent,
                ..recorded(date, base, journal)
            });
            previous = Some(end);
        }
        bundle.portfolios.push(RecordedPortfolio {
            model: model.signature,
            trial: 0,
            bases: Vec::new(),
            days,
        });
    }
    bundle
}

/// The first difference of each day of a portfolio.
fn differences(bundle: &Bundle, place: usize) -> Vec<Option<String>> {
    let portfolio = &bundle.portfolios[place];
    let days = replay(bundle, portfolio);
    let pairs = portfolio.days.iter().zip(&days);
    pairs
        .map(|(recorded, replayed)| first_difference(recorded, replayed).map(|found| found.to_string()))
        .collect()
}

fn statuses(days: &[ReplayedDay]) -> Vec<&'static str> {
    let status = |day: &ReplayedDay| match &day.outcome {
        ReplayedOutcome::Completed { .. } => "completed",
        ReplayedOutcome::Failed(_) => "failed",
        ReplayedOutcome::Skipped => "skipped",
    };
    days.iter().map(status).collect()
}

/// The journal of the agent's second day after a change to its entries.
fn with_journal(mut bundle: Bundle, change: impl Fn(&mut BTreeMap<(u32, u32), Entry>)) -> Bundle {
    let day = &mut bundle.portfolios[0].days[1];
    let mut entries: BTreeMap<_, _> =
        day.journal.entries().map(|entry| ((entry.step, entry.index), entry.clone())).collect();
    change(&mut entries);
    day.journal = entries.into_values().collect();
    bundle
}

#[test]
fn days_that_are_run_again_are_as_they_were() {
    let bundle = bundle();

    assert_eq!(bundle.days(), 6);
    assert_eq!(differences(&bundle, 0), [None, None, None]);
    assert_eq!(differences(&bundle, 1), [None, None, None]);
    let days = replay(&bundle, &bundle.portfolios[0]);
    assert_eq!(days, replay(&bundle, &bundle.portfolios[0]));
    let row = leaderboard_row(&bundle.portfolios[0], &days).unwrap();
    assert_eq!((row.trades, row.model_days), (3, 3));
    assert_eq!(row.final_value.to_string(), "1004.5");
}

#[test]
fn a_step_without_recording_fails_its_day_and_is_named() {
    let bundle = with_journal(bundle(), |entries| {
        entries.remove(&(2, 0));
    });

    let days = replay(&bundle, &bundle.portfolios[0]);

    assert_eq!(days[1].missing.as_ref().map(|missing| missing.step), Some(2));
    let ReplayedOutcome::Failed(failed) = &days[1].outcome else { panic!("{days:?}") };
    assert_eq!(failed.agent.as_ref().unwrap().reason, EndReason::NotRecorded.as_str());
    let differences = differences(&bundle, 0);
    assert_eq!(differences[0], None);
    assert!(differences[1].as_ref().unwrap().starts_with("step 2, the model's answer: "), "{differences:?}");
    // The third day continues from the first: its requests were never recorded.
    assert_eq!(statuses(&days), ["completed", "failed", "failed"]);
}

#[test]
fn an_answer_to_another_request_is_none() {
    let bundle = with_journal(bundle(), |entries| {
        entries.get_mut(&(1, 0)).unwrap().hash = Some("0".repeat(64));
    });

    let days = replay(&bundle, &bundle.portfolios[0]);

    let missing = days[1].missing.as_ref().unwrap();
    assert_eq!((missing.step, missing.why.as_str()), (1, "the recorded answer is to another request"));
}

#[test]
fn a_recorded_answer_that_is_none_is_not_used() {
    let bundle = with_journal(bundle(), |entries| {
        entries.get_mut(&(1, 0)).unwrap().answer = Some("{}".to_owned());
    });

    assert_eq!(statuses(&replay(&bundle, &bundle.portfolios[0]))[1], "failed");
}

#[test]
fn a_changed_answer_shows_in_what_its_tools_answer() {
    let bundle = with_journal(bundle(), |entries| {
        let answer = &mut entries.get_mut(&(1, 0)).unwrap().answer;
        *answer = answer.as_ref().map(|answer| answer.replace(r#"\"amount\":1"#, r#"\"amount\":2"#));
    });

    let differences = differences(&bundle, 0);

    assert!(
        differences[1].as_ref().unwrap().starts_with("step 1, buy (call 1): recorded"),
        "{differences:?}"
    );
}

#[test]
fn changed_accounts_are_found() {
    let mut bundle = bundle();
    let RecordedOutcome::Completed { value_at_close, .. } = &mut bundle.portfolios[1].days[2].outcome else {
        panic!("it completed");
    };
    *value_at_close = Some("1".parse().unwrap());

    let found = differences(&bundle, 1);

    assert_eq!(found[..2], [None, None]);
    assert!(
        found[2].as_ref().unwrap().starts_with("the value at the close: recorded 1, replayed "),
        "{found:?}"
    );
}

#[test]
fn after_a_failure_a_job_that_stops_stops() {
    let mut bundle = with_journal(bundle(), BTreeMap::clear);
    bundle.job.options.on_failure = OnFailure::Stop;

    assert_eq!(statuses(&replay(&bundle, &bundle.portfolios[0])), ["completed", "failed", "skipped"]);
}

#[test]
fn a_day_that_ended_its_process_fails_again() {
    let mut bundle = bundle();
    bundle.portfolios[1].days[2].outcome = RecordedOutcome::Failed { error: CRASHED.to_owned() };

    assert_eq!(statuses(&replay(&bundle, &bundle.portfolios[1])), ["completed", "completed", "failed"]);
    assert_eq!(differences(&bundle, 1), [None, None, None]);
}

#[test]
fn a_day_continues_from_the_day_of_another_job_that_it_stood_on() {
    let mut bundle = bundle();
    let days = replay(&bundle, &bundle.portfolios[0]);
    let ReplayedOutcome::Completed { day: first, .. } = &days[0].outcome else { panic!("{days:?}") };
    let end = PortfolioDay {
        day: DayRef { date: day(DATES[0]), revision: 1 },
        position: first.ending_position.clone(),
        value_at_open: first.value_at_open,
    };
    let portfolio = &mut bundle.portfolios[0];
    portfolio.bases = vec![BaseDay { end, value_at_close: Some(first.value_at_close) }];
    portfolio.days.remove(0);

    assert_eq!(differences(&bundle, 0), [None, None]);
    let portfolio = &bundle.portfolios[0];
    let row = leaderboard_row(portfolio, &replay(&bundle, portfolio)).unwrap();
    assert_eq!(row.starting_value, first.value_at_close, "it is measured by the close before");
}

#[test]
fn a_day_that_was_stopped_from_outside_ends_in_the_same_way() {
    let bundle = with_journal(bundle(), |entries| {
        let stop = Entry {
            kind: EntryKind::Stop,
            sent: 2,
            refused: 1,
            answer: Some(EndReason::BudgetExhausted.as_str().to_owned()),
            ..entries[&(2, 0)].clone()
        };
        entries.insert((2, 0), stop);
    });

    let days = replay(&bundle, &bundle.portfolios[0]);

    let ReplayedOutcome::Completed { day, .. } = &days[1].outcome else { panic!("{days:?}") };
    let report = day.agent.as_ref().unwrap();
    assert_eq!((report.reason.as_str(), report.possibly_paid_twice), ("budget_exhausted", 1));
    assert!(report.summary.contains("It took 1 step and"), "{}", report.summary);
}
