use proptest::prelude::*;

use super::*;
use crate::accounting::corporate_action::ActionKind;
use crate::market::calendar::Calendar;

const HEADER: &str = "symbol,date,open,high,low,close,volume";
const GOOD: &str = "AAPL,2025-10-01,255.04,258.79,254.93,255.45,48713940";

fn calendar() -> Calendar {
    Calendar::nyse()
}

fn read(text: &str) -> Result<Vec<BarRow>, Faults> {
    bars(text, &Rules { calendar: &calendar(), closed_until: "2025-10-30".parse().unwrap() })
}

fn read_actions(text: &str, kind: ActionKind) -> Result<Vec<ActionRow>, Faults> {
    actions(text, kind, &Rules { calendar: &calendar(), closed_until: "2025-10-30".parse().unwrap() })
}

/// Line, column and problem of each fault of a file with these rows.
fn faults(rows: &[&str]) -> Vec<(usize, String, String)> {
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let faults = read(&text).unwrap_err();
    assert_eq!(faults.total, faults.listed.len());
    faults.listed.into_iter().map(|fault| (fault.line, fault.column, fault.problem)).collect()
}

fn check(row: &str, column: &str, problem: &str) {
    let found = faults(&[GOOD, row]);
    assert_eq!(found.len(), 1, "{row}: {found:?}");
    assert_eq!((found[0].0, found[0].1.as_str()), (3, column), "{row}: {found:?}");
    assert!(found[0].2.contains(problem), "{row}: {found:?}");
}

#[test]
fn columns_may_stand_in_any_order_and_in_quotation_marks() {
    let text = "\u{feff}Volume, date,symbol,close,low,high,open\r\n\"48713940\",2025-10-01,AAPL,255.45,254.93,258.79,255.04\r\n\r\n";

    let rows = read(text).unwrap();

    assert_eq!(rows, read(&format!("{HEADER}\n{GOOD}\n")).unwrap());
    assert_eq!((rows[0].line, rows[0].bar.volume()), (2, 48_713_940));
}

#[test]
fn each_wrong_field_is_reported_with_its_line_its_column_and_the_fix() {
    check("aapl,2025-10-02,1,1,1,1,1", "symbol", "1 to 12 of A-Z");
    check("AAPL,10/02/2025,1,1,1,1,1", "date", "write YYYY-MM-DD");
    check("AAPL,2025-10-04,1,1,1,1,1", "date", "no session (a weekend)");
    check("AAPL,2025-07-04,1,1,1,1,1", "date", "no session (July 4th)");
    check("AAPL,1999-12-31,1,1,1,1,1", "date", "outside the trading calendar");
    check("AAPL,2025-10-31,1,1,1,1,1", "date", "has not closed yet; the last one that has is 2025-10-30");
    check("AAPL,2025-10-02,\"1.234,5\",1,1,1,1", "", "this line has 8 fields and the header 7");
    check("AAPL,2025-10-02,1e3,1,1,1,1", "open", "write it like 1234.56");
    check("AAPL,2025-10-02,1,1,0,1,1", "low", "not above zero");
    check("AAPL,2025-10-02,1,1,1,-1,1", "close", "not above zero");
    check("AAPL,2025-10-02,2,1,1,1,1", "high", "high 1 is below 2");
    check("AAPL,2025-10-02,2,3,2.5,2,1", "low", "low 2.5 is above 2");
    check("AAPL,2025-10-02,1,1,1,1,1.5", "volume", "whole number");
    check("AAPL,2025-10-02,1,1,1,1,9223372036854775808", "volume", "whole number");
    check("AAPL,2025-10-01,1,1,1,1,1", "date", "AAPL on 2025-10-01 is on line 2 already");
    check("AAPL,2025-10-02,1,1,1,1", "", "this line has 6 fields and the header 7");
}

#[test]
fn all_faults_are_reported_in_the_order_of_the_file_and_beyond_a_hundred_counted() {
    let found = faults(&["a,b,c,1,1,1,x", GOOD, "AAPL,2025-10-02"]);
    let places: Vec<_> = found.iter().map(|(line, column, _)| (*line, column.as_str())).collect();
    assert_eq!(places, [(2, "symbol"), (2, "date"), (2, "open"), (2, "volume"), (4, "")]);

    let many = format!("{HEADER}\n{}", "AAPL,2025-10-04,1,1,1,1,1\n".repeat(250));
    let many = read(&many).unwrap_err();
    assert_eq!((many.listed.len(), many.total), (MAX_LISTED, 250));
}

#[test]
fn a_header_with_missing_repeated_or_unknown_columns_is_refused_as_a_whole() {
    let header = read("symbol,date,open,open,low,close,adj_close\nAAPL,2025-10-01,1,1,1,1,1\n").unwrap_err();
    let found: Vec<_> = header.listed.iter().map(|fault| (fault.line, fault.column.as_str())).collect();

    assert_eq!(found, [(1, "open"), (1, "high"), (1, "volume"), (1, "adj_close")]);
    assert!(header.listed[1].problem.contains(HEADER), "{header:?}");
    assert_eq!(read("").unwrap_err().total, 7);
    assert_eq!(read(HEADER).unwrap_err().listed[0].problem, "there are no rows below the header");
}

#[test]
fn a_line_that_is_no_utf_8_is_reported() {
    let faults = text(b"symbol\nAAPL\n\xff\n").unwrap_err();

    assert_eq!(faults.listed[0].line, 3);
}

#[test]
fn a_ratio_is_new_shares_for_old_ones_in_lowest_terms() {
    let ratio = |text: &str| {
        let rows = read_actions(&format!("symbol,date,ratio\nNVDA,2024-06-10,{text}\n"), ActionKind::Split);
        match rows.unwrap()[0].change {
            Change::Split(ratio) => ratio.map(|ratio| (ratio.from().get(), ratio.to().get())),
            Change::Dividend(_) => panic!("no split"),
        }
    };

    assert_eq!(ratio("10:1"), Some((1, 10)));
    assert_eq!(ratio("10"), Some((1, 10)));
    assert_eq!(ratio("1 : 8"), Some((8, 1)));
    assert_eq!(ratio("0.125"), Some((8, 1)));
    assert_eq!(ratio("3/2"), Some((2, 3)));
    assert_eq!(ratio("1281:1000"), Some((1000, 1281)));
    assert_eq!(ratio("1"), None, "no split");
    for wrong in
        ["", "0", "-2", "1:0", "2:1:1", "ten", "0.3333333", "99999999999999999999999999999", "5000000000"]
    {
        let text = format!("symbol,date,ratio\nNVDA,2024-06-10,{wrong}\n");
        let faults = read_actions(&text, ActionKind::Split).unwrap_err();
        assert!(faults.listed[0].problem.contains("10:1"), "{wrong}: {faults:?}");
    }
}

#[test]
fn a_dividend_may_be_announced_and_taken_back() {
    let text = "symbol,date,amount\nAAPL,2026-02-09,0.26\nMSFT,2025-11-20,0\n";

    let rows = read_actions(text, ActionKind::Dividend).unwrap();

    assert_eq!(rows[0].change, Change::Dividend(Some("0.26".parse().unwrap())));
    assert_eq!(rows[1].change, Change::Dividend(None));
    assert!(read_actions("symbol,date,amount\nAAPL,2025-10-01,-1\n", ActionKind::Dividend).is_err());
}

/// A row that is right, or what is left of it when one field is replaced.
fn rows() -> impl Strategy<Value = Vec<(bool, String)>> {
    let broken = prop_oneof!["[^\\r\\n]{0,40}", Just("AAPL,2025-10-04,1,1,1,1,1".to_owned())];
    let days = calendar().sessions("2020-01-01".parse().unwrap(), "2025-10-30".parse().unwrap());
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
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(text) = text(&bytes) {
            let _ = read(text);
            let _ = read(&format!("{HEADER}\n{text}"));
            let _ = read_actions(&format!("symbol,date,ratio\nA,2025-10-01,{text}"), ActionKind::Split);
            let _ = read_actions(&format!("symbol,date,amount\nA,2025-10-01,{text}"), ActionKind::Dividend);
        }
    }

    #[test]
    fn the_faults_are_on_the_lines_that_are_wrong_and_on_no_others(rows in rows()) {
        let text: String = rows.iter().map(|(_, row)| format!("{row}\n")).collect();
        let wrong: Vec<usize> = rows
            .iter()
            .zip(2..)
            .filter(|((good, row), _)| !good && !row.trim().is_empty())
            .map(|(_, line)| line)
            .collect();

        match read(&format!("{HEADER}\n{text}")) {
            Ok(bars) => {
                prop_assert!(wrong.is_empty());
                for bar in bars {
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
