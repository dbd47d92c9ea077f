//! Orders that were decided elsewhere and recorded, by model and day, read from CSV text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::NaiveDate;

use crate::accounting::order::{Order, RequestedQuantity, Side};

const HEADER: &str = "model,date,sequence,action,symbol,quantity";

/// The orders of each model by day, those of a day by their sequence.
pub type RecordedOrders = BTreeMap<String, BTreeMap<NaiveDate, Vec<RecordedOrder>>>;

/// One recorded order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedOrder {
    /// The session it was for.
    pub date: NaiveDate,
    /// Its position among the model's orders of that day, as numbered in the file.
    pub sequence: u32,
    /// Buy or sell.
    pub side: Side,
    /// The text for the symbol, unchecked.
    pub symbol: String,
    /// The requested shares, of any sign.
    pub quantity: i64,
}

impl RecordedOrder {
    /// The order to submit.
    pub fn order(&self) -> Order {
        let quantity = RequestedQuantity::Integer(self.quantity.into());
        Order::new(self.side, self.symbol.clone(), quantity)
    }
}

/// Why a text is not a list of recorded orders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct RecordedError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: RecordedProblem,
}

/// What is wrong with a line of recorded orders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordedProblem {
    /// The first line is not the names of the columns.
    #[error("the header is not {HEADER:?}")]
    Header,
    /// A line has another number of fields than there are columns.
    #[error("{0} fields instead of 6")]
    Fields(usize),
    /// A field cannot be read.
    #[error("{column} {text:?} is not {expected}")]
    Field {
        /// The column's name.
        column: &'static str,
        /// The text of the field.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Two orders of a model's day have the same sequence.
    #[error("sequence {0} is there already")]
    Repeated(u32),
}

/// Reads recorded orders from CSV text without quoting; empty lines are skipped.
///
/// # Errors
/// The first line that is wrong.
pub fn parse(text: &str) -> Result<RecordedOrders, RecordedError> {
    let at = |line: usize| move |problem| RecordedError { line: line + 1, problem };
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    match lines.next() {
        Some((_, header)) if header.trim() == HEADER => {}
        Some(_) | None => return Err(at(0)(RecordedProblem::Header)),
    }
    let mut orders = RecordedOrders::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let (model, order) = row(text).map_err(at(line))?;
        let day = orders.entry(model).or_default().entry(order.date).or_default();
        match day.binary_search_by_key(&order.sequence, |earlier| earlier.sequence) {
            Ok(_) => return Err(at(line)(RecordedProblem::Repeated(order.sequence))),
            Err(place) => day.insert(place, order),
        }
    }
    Ok(orders)
}

/// The text of a model's orders, as [`parse`] reads it. The name has no comma, as no signature has.
pub fn to_csv(model: &str, orders: &[RecordedOrder]) -> String {
    let mut text = format!("{HEADER}\n");
    for RecordedOrder { date, sequence, side, symbol, quantity } in orders {
        let _ = writeln!(text, "{model},{date},{sequence},{},{symbol},{quantity}", side.as_str());
    }
    text
}

fn row(text: &str) -> Result<(String, RecordedOrder), RecordedProblem> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let [model, date, sequence, side, symbol, quantity] = fields[..] else {
        return Err(RecordedProblem::Fields(fields.len()));
    };
    let wrong =
        |column, text: &str, expected| RecordedProblem::Field { column, text: text.to_owned(), expected };
    if model.is_empty() {
        return Err(wrong("model", model, "a name"));
    }
    let side = match side {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => return Err(wrong("action", other, "buy or sell")),
    };
    let order = RecordedOrder {
        date: date.parse().map_err(|_| wrong("date", date, "a date"))?,
        sequence: sequence.parse().map_err(|_| wrong("sequence", sequence, "a number from 0"))?,
        side,
        symbol: symbol.to_owned(),
        quantity: quantity.parse().map_err(|_| wrong("quantity", quantity, "an integer"))?,
    };
    Ok((model.to_owned(), order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_error(lines: &[&str], expected: &str) {
        let text = format!("{HEADER}\n{}", lines.join("\n"));
        assert_eq!(parse(&text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn the_recorded_run_has_311_orders_of_six_models() {
        let orders = parse(include_str!("../../testdata/recorded_decisions.csv")).unwrap();

        assert_eq!(orders.len(), 6);
        assert_eq!(orders.values().flat_map(BTreeMap::values).map(Vec::len).sum::<usize>(), 311);
    }

    #[test]
    fn the_text_of_a_models_orders_is_read_as_the_same_orders() {
        let orders = parse(include_str!("../../testdata/recorded_decisions.csv")).unwrap();
        let of_gpt: Vec<_> = orders["gpt-5"].values().flatten().cloned().collect();

        let again = parse(&to_csv("gpt-5", &of_gpt)).unwrap();

        assert_eq!(again.keys().collect::<Vec<_>>(), ["gpt-5"]);
        assert_eq!(again["gpt-5"], orders["gpt-5"]);
    }

    #[test]
    fn orders_of_a_day_follow_their_sequence_not_the_file() {
        let text =
            format!("\u{feff}{HEADER}\r\nm,2025-10-02,2,sell,MSFT,-1\r\n\r\nm,2025-10-02,1,buy,AAPL,3\r\n");
        let orders = parse(&text).unwrap();

        let day = &orders["m"][&"2025-10-02".parse().unwrap()];

        let expected = [
            Order::new(Side::Buy, "AAPL", 3_u64),
            Order::new(Side::Sell, "MSFT", RequestedQuantity::Integer(-1)),
        ];
        assert_eq!(day.iter().map(RecordedOrder::order).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_error_names_the_line() {
        let good = "m,2025-10-02,1,buy,AAPL,3";
        check_error(&[good, "m,2025-10-02,2,buy,AAPL"], "line 3: 5 fields instead of 6");
        check_error(&["m,2025-10-32,1,buy,AAPL,3"], "line 2: date \"2025-10-32\" is not a date");
        check_error(&["m,2025-10-02,1,hold,AAPL,3"], "line 2: action \"hold\" is not buy or sell");
        check_error(
            &[good, "", "m,2025-10-02,x,buy,AAPL,3"],
            "line 4: sequence \"x\" is not a number from 0",
        );
        check_error(&["m,2025-10-02,1,buy,AAPL,1.5"], "line 2: quantity \"1.5\" is not an integer");
        check_error(&[",2025-10-02,1,buy,AAPL,1"], "line 2: model \"\" is not a name");
        check_error(&[good, good], "line 3: sequence 1 is there already");
        assert_eq!(parse("").unwrap_err().line, 1);
        assert_eq!(parse("date,model").unwrap_err().problem, RecordedProblem::Header);
    }
}
