//! Whether Modelday came to the portfolios of an agent: day by day, what differs, and why as far as it is known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::accounting::order::Side;
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use rust_decimal::Decimal;
use serde::Serialize;

use super::action::RecordedFill;
use super::holdings::{Holdings, TOLERANCE};
use super::recording::{RecordedDay, Recording};

/// What Modelday had at the end of a day.
#[derive(Debug, Default)]
pub(crate) struct OurDay {
    pub(crate) ending: Holdings,
    pub(crate) fills: Vec<OurFill>,
    /// Orders that were refused, by symbol, with the reason.
    pub(crate) refused: BTreeMap<Symbol, String>,
    /// Splits, dividends and other corporate actions that were applied, in words.
    pub(crate) applied: Vec<String>,
}

/// An order that Modelday filled.
#[derive(Debug)]
pub(crate) struct OurFill {
    pub(crate) side: Side,
    pub(crate) symbol: Symbol,
    pub(crate) quantity: i64,
    pub(crate) price: Decimal,
}

/// A day of an agent, compared.
#[derive(Debug, Serialize)]
pub(crate) struct ComparedDay {
    pub(crate) date: NaiveDate,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

/// What the comparison of a day came to.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub(crate) enum Outcome {
    /// The same cash and the same shares.
    Equal,
    /// The exchange was closed, and the agent ordered nothing.
    Closed,
    /// Something differs: what, and why as far as it is known.
    Different { what: Vec<String>, why: Vec<String> },
    /// It differs because the day before it does, and for no reason of its own that is known.
    Continued { what: Vec<String> },
}

impl Outcome {
    /// Whether the day differs.
    pub(crate) fn differs(&self) -> bool {
        matches!(self, Self::Different { .. } | Self::Continued { .. })
    }
}

/// Compares every session from the first record to the last, and every other recorded day. `not_run` has the reasons of days
/// that were skipped or failed.
pub(crate) fn compare(
    recording: &Recording,
    ours: &BTreeMap<NaiveDate, OurDay>,
    not_run: &BTreeMap<NaiveDate, String>,
    calendar: &Calendar,
) -> Vec<ComparedDay> {
    let Some((first, last)) = recording.range() else { return Vec::new() };
    let mut dates: BTreeSet<NaiveDate> = calendar.sessions(first, last).into_iter().collect();
    dates.extend(recording.days.keys());
    let idle = RecordedDay::default();
    let mut expected = Holdings { cash: recording.initial_cash, ..Holdings::default() };
    let (mut compared, mut differed) = (Vec::new(), false);
    for date in dates {
        let day = recording.days.get(&date);
        if let Some(day) = day {
            expected.clone_from(&day.ending);
        }
        let day = day.unwrap_or(&idle);
        let outcome = if !calendar.is_session(date) {
            on_closed_day(date, day, calendar)
        } else if let Some(our) = ours.get(&date) {
            on_run_day(day, &expected, our, differed)
        } else {
            let reason = not_run.get(&date).cloned();
            let why = vec![reason.unwrap_or_else(|| "no result is stored".to_owned())];
            Outcome::Different { what: vec!["it was not run".to_owned()], why }
        };
        differed = outcome.differs() || (outcome == Outcome::Closed && differed);
        compared.push(ComparedDay { date, outcome });
    }
    compared
}

fn on_closed_day(date: NaiveDate, day: &RecordedDay, calendar: &Calendar) -> Outcome {
    if day.orders.iter().all(|order| order.quantity == 0) && day.faults.is_empty() {
        return Outcome::Closed;
    }
    let name = calendar.closure_name(date).unwrap_or("weekend");
    let what = day.orders.iter().map(|order| format!("{} was not run", text(order))).collect();
    let why = [format!("the exchange was closed ({name})")].into_iter().chain(day.faults.iter().cloned());
    Outcome::Different { what, why: why.collect() }
}

fn on_run_day(day: &RecordedDay, expected: &Holdings, our: &OurDay, differed: bool) -> Outcome {
    let what = differences(expected, &our.ending);
    if what.is_empty() {
        return Outcome::Equal;
    }
    let mut why = day.faults.clone();
    why.extend(
        our.applied.iter().map(|action| format!("{action} was applied here, which the project does not do")),
    );
    why.extend(reasons(day, our));
    match (why.is_empty(), differed) {
        (true, true) => Outcome::Continued { what },
        (true, false) => Outcome::Different { what, why: vec!["the reason is not known".to_owned()] },
        (false, _) => Outcome::Different { what, why },
    }
}

fn differences(theirs: &Holdings, ours: &Holdings) -> Vec<String> {
    let mut differences = Vec::new();
    if (theirs.cash - ours.cash).abs() > TOLERANCE {
        let (theirs, ours) = (theirs.cash.round_dp(6).normalize(), ours.cash.normalize());
        differences.push(format!("cash: {theirs} there, {ours} here"));
    }
    let symbols: BTreeSet<&Symbol> = theirs.shares.keys().chain(ours.shares.keys()).collect();
    for symbol in symbols.into_iter().filter(|symbol| theirs.of(symbol) != ours.of(symbol)) {
        differences.push(format!("{symbol}: {} there, {} here", theirs.of(symbol), ours.of(symbol)));
    }
    differences
}

/// Orders that were filled at another price, or not at all.
fn reasons(day: &RecordedDay, our: &OurDay) -> Vec<String> {
    let mut fills: Vec<&OurFill> = our.fills.iter().collect();
    let mut reasons = Vec::new();
    for order in day.orders.iter().filter(|order| order.quantity != 0) {
        let is_same = |fill: &&OurFill| {
            (fill.side, &fill.symbol, fill.quantity) == (order.side, &order.symbol, order.quantity)
        };
        let Some(place) = fills.iter().position(is_same) else {
            let refused = our.refused.get(&order.symbol).map(|code| format!(" ({code})")).unwrap_or_default();
            reasons.push(format!("{} was filled there and refused here{refused}", text(order)));
            continue;
        };
        let fill = fills.remove(place);
        if let Some(price) = order.price.filter(|price| (price - fill.price).abs() > TOLERANCE) {
            let (there, here) = (price.round_dp(6).normalize(), fill.price.normalize());
            reasons.push(format!("{} was filled at {there} there, at the open of {here} here", text(order)));
        }
    }
    reasons
}

fn text(order: &RecordedFill) -> String {
    format!("{} {} {}", order.side.as_str(), order.quantity, order.symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An agent that holds 2 AAPL, bought at 10, with records on these dates.
    fn recording(lines: &[&str]) -> Recording {
        let first = r#"{"date": "2025-11-24", "id": 0, "positions": {"CASH": 100.0, "AAPL": 0}}"#;
        let bought = r#"{"date": "2025-11-25", "id": 1, "this_action": {"action": "buy", "symbol": "AAPL", "amount": 2}, "positions": {"CASH": 80.00000000000001, "AAPL": 2}}"#;
        let text: Vec<&str> = [first, bought].into_iter().chain(lines.iter().copied()).collect();
        Recording::read(&text.join("\n"), None).unwrap()
    }

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 11, day).unwrap()
    }

    fn had(cash: i64, shares: i64) -> OurDay {
        let shares =
            BTreeMap::from([("AAPL".parse().unwrap(), shares)]).into_iter().filter(|(_, held)| *held > 0);
        OurDay { ending: Holdings { cash: cash.into(), shares: shares.collect() }, ..OurDay::default() }
    }

    fn outcomes(recording: &Recording, ours: Vec<(u32, OurDay)>) -> Vec<(u32, String)> {
        use chrono::Datelike as _;
        let ours = ours.into_iter().map(|(day, had)| (date(day), had)).collect();
        let compared = compare(recording, &ours, &BTreeMap::new(), &Calendar::nyse());
        compared
            .into_iter()
            .map(|day| {
                let text = match day.outcome {
                    Outcome::Equal => "equal".to_owned(),
                    Outcome::Closed => "closed".to_owned(),
                    Outcome::Continued { .. } => "continued".to_owned(),
                    Outcome::Different { what, why } => format!("{}: {}", what.join(", "), why.join(", ")),
                };
                (day.date.day(), text)
            })
            .collect()
    }

    #[test]
    fn a_day_without_a_record_keeps_what_was_held_and_a_holiday_without_orders_is_no_day() {
        let holiday = r#"{"date": "2025-11-27", "id": 2, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 80.0, "AAPL": 2}}"#;

        let compared =
            outcomes(&recording(&[holiday]), vec![(24, had(100, 0)), (25, had(80, 2)), (26, had(80, 2))]);

        let expected = [(24, "equal"), (25, "equal"), (26, "equal"), (27, "closed")];
        assert_eq!(compared, expected.map(|(day, text)| (day, text.to_owned())));
    }

    #[test]
    fn what_differs_is_told_once_with_its_reason() {
        let sold = r#"{"date": "2025-11-28", "id": 2, "this_action": {"action": "sell", "symbol": "AAPL", "amount": 2}, "positions": {"CASH": 104.0}}"#;
        let mut refused = had(80, 2);
        refused.refused.insert("AAPL".parse().unwrap(), "halted".to_owned());
        let mut paid_more = had(78, 2);
        let symbol = "AAPL".parse().unwrap();
        paid_more.fills.push(OurFill { side: Side::Buy, symbol, quantity: 2, price: Decimal::from(11) });

        let compared = outcomes(
            &recording(&[sold]),
            vec![(24, had(100, 0)), (25, paid_more), (26, had(78, 2)), (28, refused)],
        );

        let expected = [
            (24, "equal"),
            (25, "cash: 80 there, 78 here: buy 2 AAPL was filled at 10 there, at the open of 11 here"),
            (26, "continued"),
            (
                28,
                "cash: 104 there, 80 here, AAPL: 0 there, 2 here: sell 2 AAPL was filled there and refused here (halted)",
            ),
        ];
        assert_eq!(compared, expected.map(|(day, text)| (day, text.to_owned())));
    }

    #[test]
    fn a_file_that_contradicts_itself_says_so() {
        // Two orders at once: the second began with the cash of the first, which is lost.
        let lost = r#"{"date": "2025-11-25", "id": 1, "this_action": {"action": "buy", "symbol": "AAPL", "amount": 1}, "positions": {"CASH": 90.0, "AAPL": 1}}"#;

        let compared = outcomes(&recording(&[lost]), vec![(24, had(100, 0)), (25, had(70, 3))]);

        let shown = &compared[1].1;
        assert!(shown.starts_with("cash: 90 there, 70 here, AAPL: 1 there, 3 here: "), "{shown}");
        assert!(
            shown.contains("line 3 has 1 AAPL, where 3 follow from the line before it and its order"),
            "{shown}"
        );
    }

    #[test]
    fn orders_on_a_closed_day_and_days_that_were_not_run_differ() {
        let weekend = r#"{"date": "2025-11-29", "id": 2, "this_action": {"action": "sell", "symbol": "AAPL", "amount": 1}, "positions": {"CASH": 92.0, "AAPL": 1}}"#;

        let compared =
            outcomes(&recording(&[weekend]), vec![(24, had(100, 0)), (25, had(80, 2)), (26, had(80, 2))]);

        assert_eq!(compared[3], (28, "it was not run: no result is stored".to_owned()));
        assert_eq!(
            compared[4],
            (29, "sell 1 AAPL was not run: the exchange was closed (weekend)".to_owned())
        );
    }
}
