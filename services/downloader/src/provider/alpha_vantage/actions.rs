//! Splits and dividends, which are calls of their own.

use chrono::NaiveDate;
use domain::market::corporate_action::Action;
use domain::values::date::parse_date;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::classify::class_of_status;
use super::query::Query;
use crate::provider::action_calls::ActionTable;
use crate::provider::http::HttpResponse;
use crate::provider::split_ratio::split_ratio;
use crate::provider::{Outcome, PriceResponse};

/// The parameter `function`.
pub(super) fn function(table: ActionTable) -> &'static str {
    match table {
        ActionTable::Splits => "SPLITS",
        ActionTable::Dividends => "DIVIDENDS",
    }
}

/// The action of a row, and the session before whose open it takes effect. `None` for a row without either, such as
/// a dividend whose amount is not declared yet.
fn action(table: ActionTable, row: &Row) -> Option<(NaiveDate, Action)> {
    match table {
        ActionTable::Splits => {
            let factor = number(row.split_factor.as_deref())?;
            let is_split = factor != Decimal::ONE;
            let ratio = is_split.then(|| split_ratio(factor)).flatten()?;
            Some((parse_date(row.effective_date.as_deref()?)?, Action::Split(ratio)))
        }
        ActionTable::Dividends => {
            let per_share = number(row.amount.as_deref())?.try_into().ok()?;
            Some((parse_date(row.ex_dividend_date.as_deref()?)?, Action::Dividend { per_share }))
        }
    }
}

#[derive(Deserialize)]
struct Body {
    symbol: Option<String>,
    data: Option<Vec<Row>>,
    #[serde(rename = "Information")]
    information: Option<String>,
    #[serde(rename = "Note")]
    note: Option<String>,
    #[serde(rename = "Error Message")]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    effective_date: Option<String>,
    split_factor: Option<String>,
    ex_dividend_date: Option<String>,
    amount: Option<String>,
}

fn number(text: Option<&str>) -> Option<Decimal> {
    text?.parse().ok()
}

/// The class of `response`: actions without bars, or why there are none. A symbol of which there are prices is known, so
/// an answer that says otherwise is wrong.
pub(super) fn classify(response: &HttpResponse, table: ActionTable, query: &Query<'_>) -> Outcome {
    let function = function(table);
    let malformed = |reason: String| Outcome::Malformed { reason: format!("{function}: {reason}") };
    let body = serde_json::from_slice::<Body>(&response.body);
    let notices: Vec<String> = match &body {
        Ok(Body { information, note, error, .. }) => {
            [information, note, error].into_iter().flatten().cloned().collect()
        }
        Err(_) => Vec::new(),
    };
    match class_of_status(response, query, &notices) {
        Some(Outcome::PlanGated(_)) => {
            return malformed(
                "the key's plan does not include it; set ALPHAVANTAGE_ACTIONS=false".to_owned(),
            );
        }
        Some(Outcome::NoPrices(why)) => return malformed(why.reason().to_owned()),
        Some(outcome) => return outcome,
        None => {}
    }
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            return malformed(format!(
                "a cut or unknown body, line {}, column {}",
                error.line(),
                error.column()
            ));
        }
    };
    let Some(rows) = body.data else {
        let notice = query.key.redact(&notices.join(" "));
        return malformed(format!("a body without a list: {notice}"));
    };
    if !query.names(body.symbol.as_deref()) {
        return malformed("a body about another symbol".to_owned());
    }
    // What is declared for later comes again with the call that brings that session's bar.
    let is_past = |date: &NaiveDate| *date <= query.sessions.storable_until;
    let actions = rows.iter().filter_map(|row| action(table, row)).filter(|(date, _)| is_past(date));
    let actions = actions.map(|(date, action)| (query.symbol.clone(), date, action)).collect();
    Outcome::Bars(PriceResponse { actions, ..PriceResponse::default() })
}

#[cfg(test)]
mod tests {
    use super::super::history::OutputSize;
    use super::super::testing::now;
    use super::*;
    use crate::provider::secret::Secret;
    use crate::testing::{bars, sessions, symbol};

    fn outcome(table: ActionTable, status: u16, body: &str) -> Outcome {
        let (symbol, key) = (symbol("NVDA"), Secret::from("K3Y9SECRET".to_owned()));
        let size = OutputSize::Compact;
        let query =
            Query { symbol: &symbol, spelled: "NVDA", size, sessions: sessions(), now: now(), key: &key };
        let response = HttpResponse { status, retry_after: None, body: body.as_bytes().to_vec() };
        classify(&response, table, &query)
    }

    fn found(table: ActionTable, body: &str) -> Vec<(String, String)> {
        let actions = bars(outcome(table, 200, body)).actions;
        actions.into_iter().map(|(_, date, action)| (date.to_string(), format!("{action:?}"))).collect()
    }

    #[test]
    fn splits_are_whole_shares_and_those_to_come_are_left_out() {
        let body = r#"{"symbol": "NVDA", "data": [
            {"effective_date": "2026-01-05", "split_factor": "2.0000"},
            {"effective_date": "2024-06-10", "split_factor": "10.0000"},
            {"effective_date": "2007-09-11", "split_factor": "1.5000"},
            {"effective_date": "2006-01-01", "split_factor": "1.0000"}]}"#;

        let found = found(ActionTable::Splits, body);

        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].0.as_str(), found[1].0.as_str()), ("2024-06-10", "2007-09-11"));
        assert!(found[1].1.contains('2') && found[1].1.contains('3'), "{found:?}");
    }

    #[test]
    fn a_dividend_has_an_amount_and_one_that_is_not_declared_yet_is_none() {
        let body = r#"{"symbol": "NVDA", "data": [
            {"ex_dividend_date": "2025-09-11", "declaration_date": "2025-08-27", "record_date": "2025-09-11",
             "payment_date": "2025-10-02", "amount": "0.01"},
            {"ex_dividend_date": "2025-06-11", "declaration_date": "None", "record_date": "None",
             "payment_date": "None", "amount": "None"}]}"#;

        let found = found(ActionTable::Dividends, body);

        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.contains("0.01"), "{found:?}");
        assert_eq!(self::found(ActionTable::Dividends, r#"{"symbol": "NVDA", "data": []}"#), []);
    }

    #[test]
    fn a_refusal_has_the_class_that_it_has_for_prices_and_says_nothing_about_the_symbol() {
        let daily = r#"{"Information": "our standard API rate limit is 25 requests per day"}"#;
        assert!(matches!(outcome(ActionTable::Splits, 200, daily), Outcome::QuotaExhausted { .. }));
        assert!(matches!(outcome(ActionTable::Splits, 503, ""), Outcome::Unreachable { .. }));
        for (body, because) in [
            (r#"{"Error Message": "Invalid API call. Please retry"}"#, "SPLITS: does not know it"),
            (r#"{"Information": "This is a premium endpoint"}"#, "ALPHAVANTAGE_ACTIONS=false"),
            (r#"{"symbol": "MSFT", "data": []}"#, "another symbol"),
            (r#"{"symbol": "NVDA", "da"#, "a cut"),
            ("{}", "without a list"),
        ] {
            match outcome(ActionTable::Splits, 200, body) {
                Outcome::Malformed { reason } => assert!(reason.contains(because), "{reason}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
