//! What a client over MCP reads about its days, as JSON.

use chrono::NaiveDate;
use runtime::http::Number;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::visit::{ClosedDay, EndedDay, Seen, Today};

/// The members of `modelday.agent/1` that are shown.
#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    observation: &'a RawValue,
}

/// A day at its open.
#[derive(Serialize)]
struct TodayBody<'a> {
    date: NaiveDate,
    starting_value: Number,
    observation: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct ClosedBody {
    date: NaiveDate,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accounts: Option<Accounts>,
    /// Why the day failed; it changed nothing then.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Accounts {
    orders: usize,
    value_at_open: Number,
    value_at_close: Number,
}

#[derive(Serialize)]
struct NextDayBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<ClosedBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    today: Option<TodayBody<'a>>,
}

impl<'a> From<&'a Today> for TodayBody<'a> {
    fn from(today: &'a Today) -> Self {
        let request: Option<Request<'_>> = serde_json::from_str(&today.request).ok();
        Self {
            date: today.date,
            starting_value: today.starting_value.into(),
            observation: request.map(|request| request.observation),
        }
    }
}

impl From<&EndedDay> for ClosedBody {
    fn from(day: &EndedDay) -> Self {
        let accounts = |closed: &ClosedDay| Accounts {
            orders: closed.orders,
            value_at_open: closed.value_at_open.into(),
            value_at_close: closed.value_at_close.into(),
        };
        Self {
            date: day.date,
            accounts: day.result.as_ref().ok().map(accounts),
            error: day.result.as_ref().err().cloned(),
        }
    }
}

/// The result of `get_today`.
pub(super) fn text_of_today(seen: &Seen) -> String {
    match &seen.today {
        Some(today) => json(&TodayBody::from(today)),
        None => refused("the job has ended"),
    }
}

/// The result of `next_day`; `not_closed` is the day that the client meant, when it was not today.
pub(super) fn text_of_next_day(seen: &Seen, not_closed: Option<NaiveDate>) -> String {
    let today = seen.today.as_ref().map(TodayBody::from);
    let note = match (&today, not_closed) {
        (Some(today), Some(meant)) if meant < today.date => {
            Some(format!("{meant} is closed already; nothing was changed, and today is {}", today.date))
        }
        (Some(today), Some(meant)) => {
            return refused(&format!("today is {}, and {meant} cannot be closed yet", today.date));
        }
        (None, _) => Some("the job has ended".to_owned()),
        (Some(_), None) => None,
    };
    json(&NextDayBody { closed: seen.ended.first().map(ClosedBody::from), note, today })
}

/// The result of a tool that could do nothing.
pub(super) fn refused(text: &str) -> String {
    domain::agent::sandbox::refused(text)
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_else(|problem| refused(&problem.to_string()))
}
