use std::time::Duration;

use super::*;
use crate::fault::Scripted;
use crate::prices::Gaps;

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

    fn ask(&mut self, symbol: &str, key: &str, outputsize: &str) -> Answer {
        let query = Query {
            function: "TIME_SERIES_DAILY".to_owned(),
            symbol: symbol.to_owned(),
            outputsize: outputsize.to_owned(),
            apikey: key.to_owned(),
            ..Query::default()
        };
        answer(&query, &mut self.settings, &mut self.ledger, &self.prices, self.now)
    }

    fn last(&self) -> &str {
        &self.ledger.calls.last().unwrap().answer
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dates(answer: &Answer) -> Vec<String> {
    let Answer::Json(body) = answer else { panic!("no series: {answer:?}") };
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

    let answer = service.ask("AAPL", "k", "compact");

    assert_eq!(dates(&answer)[..2], ["2025-10-03", "2025-10-02"]);
}

#[test]
fn compact_has_the_newest_hundred_and_full_has_all() {
    let mut service = Service::with(Prices::generated(day("2010-01-01")));

    let compact = service.ask("ANY", "k", "compact");
    let full = service.ask("ANY", "k", "full");

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
        service.ask("AAPL", key, "compact");
        assert_eq!(service.last(), expected, "{key:?}");
    }
}

#[test]
fn a_free_key_is_paced_counted_and_gated() {
    let mut service = Service::recorded();
    service.settings.keys.free.insert("free".to_owned());

    service.ask("AAPL", "free", "full");
    assert_eq!(service.last(), "plan gated");
    service.ask("AAPL", "free", "compact");
    assert_eq!(service.last(), "throttled");
    for _ in 0..24 {
        service.now += Duration::from_secs(1);
        service.ask("AAPL", "free", "compact");
        assert_eq!(service.last(), "series");
    }
    service.now += Duration::from_secs(1);
    service.ask("AAPL", "free", "compact");
    assert_eq!(service.last(), "quota used up");
}

#[test]
fn the_rate_limit_counts_series_only() {
    let mut service = Service::recorded();
    service.settings.rate_limit_after = Some(1);

    service.ask("ZZZZ", "k", "compact");
    service.ask("AAPL", "k", "compact");
    service.ask("MSFT", "k", "compact");

    let answers: Vec<&str> = service.ledger.calls.iter().map(|call| call.answer.as_str()).collect();
    assert_eq!(answers, ["invalid call", "series", "quota used up"]);
}

#[test]
fn a_symbol_that_is_not_listed_yet_is_unknown_and_later_has_a_shorter_series() {
    let mut service = Service::recorded();
    let gaps =
        Gaps { listed: Some((day("2025-10-28"), day("2099-01-01"))), halted: [day("2025-10-29")].into() };
    service.settings.gaps.insert("AAPL".to_owned(), gaps);

    assert_eq!(dates(&service.ask("AAPL", "k", "compact")), ["2025-10-30", "2025-10-28"]);
    service.settings.today = day("2025-10-27");
    service.ask("AAPL", "k", "compact");
    assert_eq!(service.last(), "invalid call");
}

#[test]
fn a_counted_fault_ends() {
    let mut service = Service::recorded();
    service.settings.faults.insert("*".to_owned(), Scripted { fault: Fault::Unavailable, left: Some(1) });

    assert_eq!(service.ask("AAPL", "k", "compact"), Answer::Status(503, ""));
    service.ask("AAPL", "k", "compact");
    assert_eq!(service.last(), "series");
}

#[test]
fn a_fault_of_the_symbol_comes_before_the_one_of_all() {
    let mut service = Service::recorded();
    service.settings.faults.insert("*".to_owned(), Scripted { fault: Fault::Unavailable, left: None });
    service.settings.faults.insert("AAPL".to_owned(), Scripted { fault: Fault::Empty, left: None });

    assert_eq!(service.ask("AAPL", "k", "compact"), Answer::Json("{}".to_owned()));
    assert_eq!(service.ask("MSFT", "k", "compact"), Answer::Status(503, ""));
}

#[test]
fn spoiled_series_differ_from_the_good_one_in_what_their_name_says() {
    let mut service = Service::recorded();
    let Answer::Json(good) = service.ask("AAPL", "k", "compact") else { panic!("no series") };
    let mut spoiled = |fault| {
        service.settings.faults.insert("AAPL".to_owned(), Scripted { fault, left: None });
        match service.ask("AAPL", "k", "compact") {
            Answer::Json(body) | Answer::Cut(body) | Answer::Endless(body) => body,
            other => panic!("no body: {other:?}"),
        }
    };

    assert_eq!(spoiled(Fault::WrongSymbol), good.replace("\"AAPL\"", "\"WRNG\""));
    assert_eq!(spoiled(Fault::Truncated), good[..good.len() / 2]);
    assert_eq!(spoiled(Fault::Cut), good[..good.len() / 2]);
    assert_eq!(spoiled(Fault::Endless), good);
    let bad = spoiled(Fault::BadRows);
    assert!(
        bad.contains("\"2025-10-31\"") && bad.contains("\"2025-10-25\"") && bad.contains("\"0.0000\""),
        "{bad:.900}"
    );
    assert_eq!(spoiled(Fault::DuplicateDate).matches("\"2025-10-30\": {").count(), 2);
}

#[test]
fn retry_after_is_given_when_it_is_set() {
    let mut service = Service::recorded();
    service.settings.rate_limit_after = Some(0);
    assert!(matches!(service.ask("AAPL", "k", "compact"), Answer::Json(_)));

    service.settings.retry_after = Some(7);

    assert!(matches!(service.ask("AAPL", "k", "compact"), Answer::Later(_, 7)));
}
