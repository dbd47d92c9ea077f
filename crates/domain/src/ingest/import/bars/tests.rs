use proptest::prelude::*;

use super::super::faults::MAX_LISTED;
use super::*;
use crate::market::calendar::Calendar;

mod vendors;

pub(super) const HEADER: &str = "symbol,date,open,high,low,close,volume";
pub(super) const GOOD: &str = "AAPL,2025-10-01,255.04,258.79,254.93,255.45,48713940";

pub(super) fn read_as(text: &str, options: &BarOptions) -> Result<BarFile, Faults> {
    let (calendar, closed_until) = (Calendar::nyse(), "2025-10-30".parse().unwrap());
    bars(text, options, &Rules { calendar: &calendar, closed_until })
}

pub(super) fn read(text: &str) -> Result<BarFile, Faults> {
    read_as(text, &BarOptions::default())
}

/// Symbol, date, open, high, low, close and volume of each row.
pub(super) fn rows(file: &BarFile) -> Vec<String> {
    let text = |row: &BarRow| {
        let bar = &row.bar;
        let [open, high, low, close] = [bar.open(), bar.high(), bar.low(), bar.close()];
        format!("{},{},{open},{high},{low},{close},{}", row.symbol, row.date, bar.volume())
    };
    file.rows.iter().map(text).collect()
}

/// Line, column and problem of each fault of a file with these rows.
fn faults(rows: &[&str]) -> Vec<(usize, String, String)> {
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.total, faults.listed.len());
    faults.listed.into_iter().map(|fault| (fault.line, fault.column, fault.problem)).collect()
}

#[track_caller]
fn check_fault(row: &str, column: &str, problem: &str) {
    let found = faults(&[GOOD, row]);
    assert_eq!(found.len(), 1, "{row}: {found:?}");
    assert_eq!((found[0].0, found[0].1.as_str()), (3, column), "{row}: {found:?}");
    assert!(found[0].2.contains(problem), "{row}: {found:?}");
}

/// A file of one row after [`HEADER`] is read as this row, with notes that contain `note`.
#[track_caller]
fn check_row(row: &str, expected: &str, note: &str) {
    let file = read(&format!("{HEADER}\n{row}\n")).unwrap();
    assert_eq!(rows(&file), [expected]);
    assert!(file.notes.join(" ").contains(note), "{:?}", file.notes);
    assert_eq!(file.notes.is_empty(), note.is_empty(), "{:?}", file.notes);
}

#[test]
fn columns_may_stand_in_any_order_and_case_and_in_quotation_marks() {
    let text = "\u{feff}Volume, Date,SYMBOL,close,low,high,open\r\n\"48713940\",2025-10-01,AAPL,255.45,254.93,258.79,255.04\r\n\r\n";

    let file = read(text).unwrap();

    assert_eq!(file, read(&format!("{HEADER}\n{GOOD}\n")).unwrap());
    assert_eq!((file.rows[0].line, file.rows[0].bar.volume(), file.basis), (2, 48_713_940, Basis::Raw));
    assert_eq!((file.ignored_columns, file.notes), (vec![], vec![]));
}

#[test]
fn each_wrong_field_is_reported_with_its_line_its_column_and_the_fix() {
    check_fault("aapl,2025-10-02,1,1,1,1,1", "symbol", "1 to 12 of A-Z");
    check_fault("AAPL,10/02/2025,1,1,1,1,1", "date", "dates=mdy (month first)");
    check_fault("AAPL,tomorrow,1,1,1,1,1", "date", "write YYYY-MM-DD");
    check_fault("AAPL,2025-10-04,1,1,1,1,1", "date", "no session (a weekend)");
    check_fault("AAPL,2025-07-04,1,1,1,1,1", "date", "no session (July 4th)");
    check_fault("AAPL,1999-12-31,1,1,1,1,1", "date", "outside the trading calendar");
    check_fault(
        "AAPL,2025-10-31,1,1,1,1,1",
        "date",
        "has not closed yet; the last one that has is 2025-10-30",
    );
    check_fault("AAPL,2025-10-02,\"1.234,5\",1,1,1,1", "open", "write it like 1234.56");
    check_fault("AAPL,2025-10-02,1,1,0,1,1", "low", "not above zero");
    check_fault("AAPL,2025-10-02,1,1,1,-1,1", "close", "not above zero");
    check_fault("AAPL,2025-10-02,1,1,1,,1", "close", "is missing");
    check_fault("AAPL,2025-10-02,2,1,1,1,1", "high", "high 1 is below 2");
    check_fault("AAPL,2025-10-02,2,3,2.5,2,1", "low", "low 2.5 is above 2");
    check_fault("AAPL,2025-10-02,1,1,1,1,NaN", "volume", "write 0 for a session without a trade");
    check_fault("AAPL,2025-10-02,1,1,1,1,many", "volume", "write it like 1234567");
    check_fault("AAPL,2025-10-02,1,1,1,1,9223372036854775808", "volume", "number of shares");
    check_fault(
        "AAPL,2025-10-01,1,1,1,1,1",
        "date",
        "AAPL on 2025-10-01 is on line 2 already, with other prices",
    );
    check_fault("AAPL,2025-10-02,1,1,1,1", "", "this line has 6 fields and the header 7");
}

#[test]
fn all_faults_are_reported_in_the_order_of_the_file_and_beyond_a_hundred_counted() {
    let found = faults(&["a,b,c,1,1,1,x", GOOD, "AAPL,2025-10-01,1,1,1,1,1", "AAPL,2025-10-02"]);
    let places: Vec<_> = found.iter().map(|(line, column, _)| (*line, column.as_str())).collect();
    assert_eq!(places, [(2, "symbol"), (2, "date"), (2, "open"), (2, "volume"), (4, "date"), (5, "")]);

    let many = format!("{HEADER}\n{}", "AAPL,2025-10-04,1,1,1,1,1\n".repeat(250));
    let many = read(&many).unwrap_err();
    assert_eq!((many.listed.len(), many.total), (MAX_LISTED, 250));
}

#[test]
fn a_header_that_is_no_header_is_refused_as_a_whole() {
    assert_eq!(read("").unwrap_err().listed[0].column, "date");
    let faults = read("open,high,low,close\n1,1,1,1\n").unwrap_err();
    let columns: Vec<_> = faults.listed.iter().map(|fault| (fault.line, fault.column.as_str())).collect();
    assert_eq!(columns, [(1, "date"), (1, "volume")]);
    assert!(faults.listed[0].problem.contains(HEADER), "{faults:?}");
    assert!(read(HEADER).unwrap_err().listed[0].problem.starts_with("there are no rows"));
}

#[test]
fn what_floats_spreadsheets_and_halts_make_of_a_row_is_read_and_told() {
    let row = "AAPL,2025-10-01,255.04,258.79,254.93,255.45,48713940";
    check_row(GOOD, row, "");
    check_row("AAPL,2025-10-01,255.04,258.79,254.93,255.45,48713940.0", row, "");
    check_row("AAPL,2025-10-01,255.04,258.79,254.93,255.45,\"48,713,940\"", row, "");
    check_row("AAPL,2025-10-01,255.04,258.79,254.93,2.5545e2,4.871394e7", row, "");
    check_row("AAPL,2025-10-01,$255.04,$258.79,$254.93,$255.45,48713940", row, "");
    check_row("AAPL,2025-10-01 00:00:00-04:00,255.04,258.79,254.93,255.45,48713940", row, "");
    check_row("AAPL,2025-10-01,255.04,258.79,254.93,255.45,48713939.6", row, "rounded to whole shares: 1");
    let noise = "AAPL,2025-10-01,255.03999999761581,258.79,254.93,255.45,48713940";
    check_row(noise, "AAPL,2025-10-01,255.0399999976,258.79,254.93,255.45,48713940", "ten decimal places: 1");
    check_row(&format!("{GOOD}\n{GOOD}"), row, "repeat an earlier one and count once: 1");
    check_row(
        &format!("AAPL,2025-10-02,,,,,0\n{GOOD}\nMSFT,2025-10-02,NaN,NaN,NaN,NaN,"),
        row,
        "skipped: 2, the first on line 2",
    );
}

#[test]
fn semicolons_with_decimal_commas_are_read() {
    let text =
        "symbol;date;open;high;low;close;volume\nAAPL;01.10.2025;255,04;258,79;254,93;1.255,45;48.713.940\n";
    let text = text.replace("1.255,45", "255,45");

    assert_eq!(rows(&read(&text).unwrap()), [GOOD]);
}

#[test]
fn a_number_that_can_be_read_in_two_ways_needs_a_word() {
    let text = format!("{HEADER}\nAAPL,2025-10-01,\"1,234\",\"1,234\",\"1,234\",\"1,234\",5\n");
    let fault = read(&text).unwrap_err().listed.remove(0);
    assert_eq!((fault.line, fault.column.as_str()), (2, "open"));
    assert!(fault.problem.contains("decimal=comma"), "{fault:?}");

    let with = |mark| {
        rows(&read_as(&text, &BarOptions { decimal_mark: Some(mark), ..BarOptions::default() }).unwrap())
    };
    assert_eq!(with(DecimalMark::Point), ["AAPL,2025-10-01,1234,1234,1234,1234,5"]);
    assert_eq!(with(DecimalMark::Comma), ["AAPL,2025-10-01,1.234,1.234,1.234,1.234,5"]);

    let told_by_another_row = format!("{text}AAPL,2025-10-02,1.5,1.5,1.5,1.5,5\n");
    assert_eq!(rows(&read(&told_by_another_row).unwrap())[0], "AAPL,2025-10-01,1234,1234,1234,1234,5");
}

#[test]
fn the_order_of_dates_is_told_by_any_row_or_by_the_sender() {
    let row = |date: &str| format!("AAPL,{date},1,1,1,1,1\n");
    let text = format!("{HEADER}\n{}{}", row("10/02/2025"), row("10/14/2025"));
    assert_eq!(read(&text).unwrap().rows[0].date.to_string(), "2025-10-02");

    let text = format!("{HEADER}\n{}", row("02/10/2025"));
    let day_first = BarOptions { date_order: Some(DateOrder::DayFirst), ..BarOptions::default() };
    assert_eq!(read_as(&text, &day_first).unwrap().rows[0].date.to_string(), "2025-10-02");
}

#[test]
fn words_that_mean_something_elsewhere_are_symbols() {
    let text: String = ["NA", "TRUE", "NULL", "NAN"].map(|name| GOOD.replace("AAPL", name) + "\n").concat();
    let file = read(&format!("{HEADER}\n{text}")).unwrap();
    let symbols: Vec<_> = file.rows.iter().map(|row| row.symbol.as_str()).collect();
    assert_eq!(symbols, ["NA", "TRUE", "NULL", "NAN"]);
}

/// A row that is right, or something else.
fn good_and_broken_rows() -> impl Strategy<Value = Vec<(bool, String)>> {
    let broken = prop_oneof!["[^\\r\\n]{0,40}", Just("AAPL,2025-10-04,1,1,1,1,1".to_owned())];
    let days =
        Calendar::nyse().sessions("2020-01-01".parse().unwrap(), "2025-10-30".parse().unwrap()).to_vec();
    proptest::collection::vec((any::<bool>(), broken), 1..40).prop_map(move |rows| {
        rows.into_iter()
            .enumerate()
            .map(|(place, (good, broken))| match good {
                true => (true, format!("AAPL,{},1,2,1,2,3", days[place])),
                false => (false, broken),
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), delimiter in "[,;\t]") {
        let _ = read(&text);
        let _ = read(&format!("{}\n{text}", HEADER.replace(',', &delimiter)));
        let _ = read(&format!("Price,Close\nTicker,AAPL\n{text}"));
        let _ = read(&format!("{{\"Meta Data\":{{}},\"Time Series (Daily)\":{{{text}}}}}"));
    }

    #[test]
    fn the_faults_are_on_the_lines_that_are_wrong_and_on_no_others(rows in good_and_broken_rows()) {
        let text: String = rows.iter().map(|(_, row)| format!("{row}\n")).collect();
        let wrong: Vec<usize> = rows
            .iter()
            .zip(2..)
            .filter(|((good, row), _)| !good && !row.trim().is_empty())
            .map(|(_, line)| line)
            .collect();

        match read(&format!("{HEADER}\n{text}")) {
            Ok(file) => {
                prop_assert!(wrong.is_empty());
                for bar in file.rows {
                    prop_assert_eq!(&rows[bar.line - 2].1[5..15], &bar.date.to_string());
                }
            }
            Err(faults) if rows.iter().all(|(_, row)| row.trim().is_empty()) => prop_assert_eq!(faults.total, 1),
            Err(faults) => {
                let mut lines: Vec<usize> = faults.listed.iter().map(|fault| fault.line).collect();
                lines.dedup();
                prop_assert_eq!(lines, wrong.into_iter().take(faults.listed.len()).collect::<Vec<_>>());
            }
        }
    }
}

/// What the actions of a file are: line, symbol, date, kind, ratio or dollars.
fn actions_of(file: &BarFile) -> Vec<String> {
    let text = |row: &crate::ingest::import::ActionRow| {
        let action = row.action.as_ref().unwrap();
        let ratio = action.ratio().map(|ratio| ratio.to_string());
        let terms = ratio.or_else(|| action.per_share().map(|amount| amount.to_string())).unwrap();
        format!("{} {} {} {} {terms}", row.line, row.symbol, row.date, row.kind.as_str())
    };
    file.actions.iter().map(text).collect()
}

#[test]
fn splits_and_dividends_in_columns_are_read_when_that_is_requested() {
    let options =
        BarOptions { symbol: Some("NVDA".parse().unwrap()), with_actions: true, ..BarOptions::default() };
    let tiingo = "date,close,high,low,open,volume,divCash,splitFactor\n2024-06-07,1208,1217,1180,1198,10,0.0,1.0\n\
                  2024-06-10,121.8,123,117,120.4,20,0.0,10.0\n2024-06-11,120.9,122,118,121.8,20,0.01,1.0\n";

    let file = read_as(tiingo, &options).unwrap();

    assert_eq!(actions_of(&file), ["3 NVDA 2024-06-10 split 10:1", "4 NVDA 2024-06-11 dividend 0.01"]);
    assert_eq!(file.ignored_columns, Vec::<String>::new());
    let without = read_as(tiingo, &BarOptions { with_actions: false, ..options.clone() }).unwrap();
    assert_eq!((without.actions.len(), without.ignored_columns.len()), (0, 2));
    let wrong = tiingo.replace("10.0", "ten").replace("0.01", "-1");
    let faults = read_as(&wrong, &options).unwrap_err();
    let columns: Vec<&str> = faults.listed.iter().map(|fault| fault.column.as_str()).collect();
    assert_eq!(columns, ["split", "dividend"], "{faults:?}");
}

#[test]
fn adjusted_prices_and_dividends_are_brought_back_with_the_splits_of_their_own_file() {
    let options =
        BarOptions { symbol: Some("NVDA".parse().unwrap()), with_actions: true, ..BarOptions::default() };
    let yahoo = "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits\n\
                 2024-06-07,119.8,121.7,118,120.888,120.8,400,0.004,0.0\n2024-06-10,120.4,123,117,121.79,121.7,400,0.0,10.0\n";
    let mut file = read_as(yahoo, &options).unwrap();
    let known = file.further_splits(&Default::default());

    file.restore_raw(&known, "2025-10-30".parse().unwrap()).unwrap();

    assert_eq!(rows(&file)[0], "NVDA,2024-06-07,1198,1217,1180,1208.88,40");
    assert_eq!(actions_of(&file), ["2 NVDA 2024-06-07 dividend 0.04", "3 NVDA 2024-06-10 split 10:1"]);
    assert!(file.further_splits(&known).all().is_empty(), "a split that is known counts once");
    let total = read_as(
        &yahoo.replace("Adj Close,", "").replace(",120.8,", ",").replace(",121.7,400", ",400"),
        &options,
    )
    .unwrap();
    assert!(
        total.actions.is_empty() && total.notes.iter().any(|note| note.contains("prices include them")),
        "{:?}",
        total.notes
    );
}
