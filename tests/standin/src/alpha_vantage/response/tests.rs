use std::time::Duration;

use super::*;
use crate::alpha_vantage::fault::ScriptedFault;

struct Service {
    settings: Settings,
    ledger: Ledger,
    prices: Prices,
    now: Instant,
}

impl Service {
    fn recorded() -> Self {
        Self::with(Prices::recorded().unwrap())
    }

    fn with(prices: Prices) -> Self {
        Self { settings: Settings::default(), ledger: Ledger::default(), prices, now: Instant::now() }
    }

    fn request(&mut self, symbol: &str, key: &str, outputsize: &str) -> WireResponse {
        let query = Query {
            function: "TIME_SERIES_DAILY".to_owned(),
            symbol: symbol.to_owned(),
            outputsize: outputsize.to_owned(),
            apikey: key.to_owned(),
            ..Query::default()
        };
        respond(&query, &mut self.settings, &mut self.ledger, &self.prices, self.now)
    }

    fn last(&self) -> &str {
        &self.ledger.calls.last().unwrap().answer
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dates(response: &WireResponse) -> Vec<String> {
    let WireResponse::Json(body) = response else { panic!("no series: {response:?}") };
    body.lines()
        .filter_map(|line| line.strip_prefix("        \"2")?.split('"').next())
        .map(|rest| format!("2{rest}"))
        .filter(|date| date.len() == 10 && date.contains('-'))
        .collect()
}

#[test]
fn today_is_the_newest_day_of_a_series() {
    let mut service = Service::recorded();
    service.settings.today = day("2025-10-05");

    let response = service.request("AAPL", "k", "compact");

    assert_eq!(dates(&response)[..2], ["2025-10-03", "2025-10-02"]);
}

#[test]
fn compact_has_the_newest_hundred_and_full_has_all() {
    let mut service = Service::with(Prices::generated(day("2010-01-01")));

    let compact = service.request("ANY", "k", "compact");
    let full = service.request("ANY", "k", "full");

    let full = dates(&full);
    assert_eq!(dates(&compact), full[..100]);
    assert_eq!((full.len(), full.last().map(String::as_str)), (3_982, Some("2010-01-04")));
}

#[test]
fn a_refused_key_gets_no_series() {
    let mut service = Service::recorded();
    service.settings.keys.bad.insert("bad".to_owned());

    for (key, expected) in
        [("bad", "invalid key"), ("", "invalid key"), ("demo", "demo key"), ("k", "series")]
    {
        service.request("AAPL", key, "compact");
        assert_eq!(service.last(), expected, "{key:?}");
    }
}

#[test]
fn a_free_key_is_paced_counted_and_gated() {
    let mut service = Service::recorded();
    service.settings.keys.free.insert("free".to_owned());

    service.request("AAPL", "free", "full");
    assert_eq!(service.last(), "plan gated");
    service.request("AAPL", "free", "compact");
    assert_eq!(service.last(), "throttled");
    for _ in 0..24 {
        service.now += Duration::from_secs(1);
        service.request("AAPL", "free", "compact");
        assert_eq!(service.last(), "series");
    }
    service.now += Duration::from_secs(1);
    service.request("AAPL", "free", "compact");
    assert_eq!(service.last(), "quota used up");
}

#[test]
fn the_rate_limit_counts_series_only() {
    let mut service = Service::recorded();
    service.settings.rate_limit_after = Some(1);

    service.request("ZZZZ", "k", "compact");
    service.request("AAPL", "k", "compact");
    service.request("MSFT", "k", "compact");

    let outcomes: Vec<&str> = service.ledger.calls.iter().map(|call| call.answer.as_str()).collect();
    assert_eq!(outcomes, ["invalid call", "series", "quota used up"]);
}

#[test]
fn a_symbol_that_is_not_listed_yet_is_unknown_and_later_has_a_shorter_series() {
    let mut service = Service::recorded();
    service.settings.listed.insert("AAPL".to_owned(), day("2025-10-28")..=day("2025-10-29"));

    assert_eq!(dates(&service.request("AAPL", "k", "compact")), ["2025-10-29", "2025-10-28"]);
    service.settings.today = day("2025-10-27");
    service.request("AAPL", "k", "compact");
    assert_eq!(service.last(), "invalid call");
}

#[test]
fn a_counted_fault_ends() {
    let mut service = Service::recorded();
    service
        .settings
        .faults
        .insert("*".to_owned(), ScriptedFault { fault: Fault::Unavailable, left: Some(1) });

    assert_eq!(service.request("AAPL", "k", "compact"), WireResponse::Status(503, ""));
    service.request("AAPL", "k", "compact");
    assert_eq!(service.last(), "series");
}

#[test]
fn a_fault_of_the_symbol_comes_before_the_one_of_all() {
    let mut service = Service::recorded();
    service.settings.faults.insert("*".to_owned(), ScriptedFault { fault: Fault::Unavailable, left: None });
    service.settings.faults.insert("AAPL".to_owned(), ScriptedFault { fault: Fault::Empty, left: None });

    assert_eq!(service.request("AAPL", "k", "compact"), WireResponse::Json("{}".to_owned()));
    assert_eq!(service.request("MSFT", "k", "compact"), WireResponse::Status(503, ""));
}

#[test]
fn faulty_series_differ_from_the_correct_one_as_their_name_says() {
    let mut service = Service::recorded();
    let WireResponse::Json(good) = service.request("AAPL", "k", "compact") else { panic!("no series") };
    let mut faulty = |fault| {
        service.settings.faults.insert("AAPL".to_owned(), ScriptedFault { fault, left: None });
        match service.request("AAPL", "k", "compact") {
            WireResponse::Json(body) | WireResponse::Cut(body) | WireResponse::Endless(body) => body,
            other => panic!("no body: {other:?}"),
        }
    };

    assert_eq!(faulty(Fault::WrongSymbol), good.replace("\"AAPL\"", "\"WRNG\""));
    assert_eq!(faulty(Fault::Truncated), good[..good.len() / 2]);
    assert_eq!(faulty(Fault::Cut), good[..good.len() / 2]);
    assert_eq!(faulty(Fault::Endless), good);
    let bad = faulty(Fault::BadRows);
    assert!(
        bad.contains("\"2025-10-31\"") && bad.contains("\"2025-10-25\"") && bad.contains("\"0.0000\""),
        "{bad:.900}"
    );
    assert_eq!(faulty(Fault::DuplicateDate).matches("\"2025-10-30\": {").count(), 2);
}

#[test]
fn retry_after_is_sent_when_it_is_set() {
    let mut service = Service::recorded();
    service.settings.rate_limit_after = Some(0);
    assert!(matches!(service.request("AAPL", "k", "compact"), WireResponse::Json(_)));

    service.settings.retry_after = Some(7);

    assert!(matches!(service.request("AAPL", "k", "compact"), WireResponse::RetryAfter(_, 7)));
}
