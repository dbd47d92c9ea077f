use proptest::prelude::*;

use super::*;
use crate::accounting::corporate_action::ActionKind;
use crate::market::calendar::Calendar;

fn calendar() -> Calendar {
    Calendar::nyse()
}

fn read_actions(text: &str, kind: ActionKind) -> Result<Vec<ActionRow>, Faults> {
    actions(text, kind, &Rules { calendar: &calendar(), closed_until: "2025-10-30".parse().unwrap() })
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

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(text) = text(&bytes) {
            let _ = read_actions(&format!("symbol,date,ratio\nA,2025-10-01,{text}"), ActionKind::Split);
            let _ = read_actions(&format!("symbol,date,amount\nA,2025-10-01,{text}"), ActionKind::Dividend);
        }
    }
}
