use proptest::prelude::*;

use super::*;
use crate::market::calendar::Calendar;
use crate::market::corporate_action::{Action, ActionKind};

fn calendar() -> Calendar {
    Calendar::nyse()
}

fn read_actions(text: &str, kind: ImportKind) -> Result<Vec<ActionRow>, Faults> {
    let rules = Rules { calendar: &calendar(), closed_until: "2025-10-30".parse().unwrap() };
    actions(text, kind, &rules).map(|file| file.rows)
}

#[test]
fn files_with_semicolons_decimal_commas_and_further_columns_are_read() {
    let rules = Rules { calendar: &calendar(), closed_until: "2025-10-30".parse().unwrap() };
    let text = "Company;Ticker;Ex-Date;Amount;Currency\n\"Apple; Inc.\";AAPL;2026-02-09;0,26;USD\n";

    let file = actions(text, ImportKind::Dividends, &rules).unwrap();

    assert_eq!(file.rows[0].action, Some(Action::Dividend { per_share: "0.26".parse().unwrap() }));
    assert_eq!(file.ignored_columns, ["Company", "Currency"]);
    let tabs = "symbol\tdate\tratio\tnote\nNVDA\t2024-06-10\t10:1\t\n";
    assert_eq!(terms(ImportKind::Splits, tabs).unwrap(), ["split 10:1"]);
    let commas = "symbol,date,amount\nAAPL,2025-10-01,\"0,26\"\n";
    assert!(terms(ImportKind::Dividends, commas).is_err(), "a comma beside commas is no decimal mark");
}

#[test]
fn a_comma_within_quotation_marks_is_text_in_files_of_actions_too() {
    let text = "symbol,date,ratio\n\"NVDA\",2024-06-10,\"10,000:1,000\"\n";

    let faults = read_actions(text, ImportKind::Splits).unwrap_err();

    assert_eq!((faults.listed[0].line, faults.listed[0].column.as_str()), (2, "ratio"), "{faults:?}");
}

#[test]
fn a_line_that_is_no_utf_8_is_reported() {
    let faults = text(b"symbol\nAAPL\n\xff\n").unwrap_err();

    assert_eq!(faults.listed[0].line, 3);
}

#[test]
fn a_ratio_is_new_shares_for_old_ones_in_lowest_terms() {
    let ratio = |text: &str| {
        let rows = read_actions(&format!("symbol,date,ratio\nNVDA,2024-06-10,{text}\n"), ImportKind::Splits);
        let ratio = rows.unwrap()[0].action.as_ref().map(|action| action.ratio().unwrap());
        ratio.map(|ratio| (ratio.from().get(), ratio.to().get()))
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
        let faults = read_actions(&text, ImportKind::Splits).unwrap_err();
        assert!(faults.listed[0].problem.contains("10:1"), "{wrong}: {faults:?}");
    }
}

#[test]
fn a_dividend_may_be_announced_and_taken_back() {
    let text = "symbol,date,amount\nAAPL,2026-02-09,0.26\nMSFT,2025-11-20,0\n";

    let rows = read_actions(text, ImportKind::Dividends).unwrap();

    assert_eq!(rows[0].action, Some(Action::Dividend { per_share: "0.26".parse().unwrap() }));
    assert_eq!((rows[1].kind, &rows[1].action), (ActionKind::Dividend, &None));
    assert!(read_actions("symbol,date,amount\nAAPL,2025-10-01,-1\n", ImportKind::Dividends).is_err());
}

/// The kind and the terms of each row, or the first fault.
fn terms(kind: ImportKind, file: &str) -> Result<Vec<String>, String> {
    let rows = read_actions(file, kind).map_err(|faults| {
        let fault = &faults.listed[0];
        format!("{} {}", fault.column, fault.problem)
    })?;
    let written = |row: &ActionRow| {
        let action = row.action.as_ref();
        let ratio = action.and_then(Action::ratio).map(|ratio| ratio.to_string());
        let amount = action.and_then(Action::per_share).map(|amount| amount.to_string());
        let new = action.and_then(Action::new_symbol).map(ToString::to_string);
        let parts = [Some(row.kind.as_str().to_owned()), ratio, amount, new];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    Ok(rows.iter().map(written).collect())
}

#[test]
fn every_kind_of_action_has_its_columns_and_can_be_taken_back() {
    let spin_offs = "symbol,date,new_symbol,ratio\nPARN,2024-06-13,CHLD,1:1\nT,2024-06-14,cancel,1:4\n";
    assert_eq!(terms(ImportKind::SpinOffs, spin_offs).unwrap(), ["spin_off 1:1 CHLD", "spin_off"]);
    for header in ["symbol,date,new_symbol", "old,Ex-Date,new"] {
        let renames = format!("{header}\nFB,2022-06-09,META\n");
        assert_eq!(terms(ImportKind::Renames, &renames).unwrap(), ["rename META"]);
    }
    let mergers = "symbol,date,ratio,new_symbol,amount\nA,2024-06-13,0.5,B,\nC,2024-06-13,1:2,D,3.5\nE,2024-06-13,,,54.20\n";
    assert_eq!(
        terms(ImportKind::Mergers, mergers).unwrap(),
        ["stock_merger 1:2 B", "stock_merger 1:2 3.5 D", "cash_merger 54.2"]
    );
    assert_eq!(
        terms(ImportKind::Mergers, "symbol,date,amount\nE,2024-06-13,9\n").unwrap(),
        ["cash_merger 9"]
    );
    assert_eq!(terms(ImportKind::Delistings, "symbol,date\nGONE,2024-06-13\n").unwrap(), ["delisting"]);
    let delistings = "symbol,date,amount\nGONE,2024-06-13,54.20\nBUST,2024-06-13,0\nKEPT,2024-06-13,cancel\n";
    let read = read_actions(delistings, ImportKind::Delistings).unwrap();
    assert_eq!(
        terms(ImportKind::Delistings, delistings).unwrap(),
        ["delisting 54.2", "delisting 0", "delisting"]
    );
    assert_eq!(read[2].action, None, "taken back, and no estimate");
}

#[test]
fn an_action_that_lacks_a_term_is_refused_with_the_column() {
    let fault = |kind, file: &str| terms(kind, file).unwrap_err();

    assert!(
        fault(ImportKind::Mergers, "symbol,date,amount\nE,2024-06-13,0\n").starts_with("amount is not above")
    );
    assert!(fault(ImportKind::Mergers, "symbol,date\nE,2024-06-13\n").starts_with("amount is not a decimal"));
    let no_ratio = "symbol,date,new_symbol\nA,2024-06-13,B\n";
    assert!(fault(ImportKind::Mergers, no_ratio).starts_with("ratio is not a ratio"));
    let itself = "symbol,date,new_symbol\nBRK.B,2024-06-13,BRK-B\n";
    assert!(fault(ImportKind::Renames, itself).starts_with("new_symbol is the symbol itself"));
    let twice = "symbol,date,amount\nBRK.B,2024-06-13,1\nBRK/B,2024-06-13,1\n";
    assert!(fault(ImportKind::Dividends, twice).starts_with("date BRK.B on 2024-06-13 is on line 2"));
    assert!(fault(ImportKind::SpinOffs, "symbol,date,ratio\nA,2024-06-13,1\n").contains("has no column"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(text) = text(&bytes) {
            let _ = read_actions(&format!("symbol,date,ratio\nA,2025-10-01,{text}"), ImportKind::Splits);
            let _ = read_actions(&format!("symbol,date,amount\nA,2025-10-01,{text}"), ImportKind::Dividends);
            let _ = read_actions(&format!("symbol,date,amount,new_symbol,ratio\nA,2025-10-01,{text}"), ImportKind::Mergers);
        }
    }
}
