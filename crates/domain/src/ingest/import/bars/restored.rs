//! Split-adjusted prices become those of the time.

use chrono::NaiveDate;

use super::super::actions::ActionRow;
use super::super::faults::Faults;
use super::bar_file::BarFile;
use crate::market::corporate_action::{Action, ActionKind, CorporateAction, Ratio};
use crate::market::instruments::Symbol;
use crate::market::known_actions::KnownActions;

impl BarFile {
    /// The splits of the file itself that are not among `known`.
    pub fn further_splits(&self, known: &KnownActions) -> KnownActions {
        let is_new = |row: &&ActionRow| {
            let same = |(_, one): &(NaiveDate, CorporateAction)| {
                one.symbol == row.symbol && one.action.kind() == row.kind
            };
            row.kind == ActionKind::Split && !known.on(row.date).iter().any(same)
        };
        let splits = self.actions.iter().filter(is_new).filter_map(|row| {
            Some((row.date, CorporateAction { symbol: row.symbol.clone(), action: row.action.clone()? }))
        });
        KnownActions::new(splits)
    }

    /// Brings split-adjusted bars back to the prices of the time, with all splits after each bar and up to `today`.
    /// Prices are rounded half-even to ten places, volumes to whole shares. What was done is noted.
    ///
    /// # Errors
    /// The rows whose prices are too large or too small then.
    pub fn restore_raw(&mut self, actions: &KnownActions, today: NaiveDate) -> Result<(), Faults> {
        let (mut changed, mut faults) = (0, Faults::default());
        for row in &mut self.rows {
            let basis = actions.basis(&row.symbol, row.date, today);
            if basis.is_some_and(Ratio::is_one) {
                continue;
            }
            match basis.and_then(|basis| basis.inverse().bar(row.bar)) {
                Some(bar) => {
                    row.bar = bar;
                    changed += 1;
                }
                None => faults.add(
                    row.line,
                    "",
                    "its prices before the splits are out of range; leave the row out",
                    "",
                ),
            }
        }
        for row in &mut self.actions {
            let Some(Action::Dividend { per_share }) = &mut row.action else { continue };
            let basis = actions.basis(&row.symbol, row.date, today);
            match basis.and_then(|basis| basis.inverse().price(*per_share)) {
                Some(of_the_time) => *per_share = of_the_time,
                None => faults.add(row.line, "dividend", "is out of range before the splits", ""),
            }
        }
        if faults.total > 0 {
            return Err(faults);
        }
        self.notes.push(self.note(changed, actions));
        Ok(())
    }

    fn note(&self, changed: usize, actions: &KnownActions) -> String {
        let mut unsplit: Vec<&Symbol> = self.rows.iter().map(|row| &row.symbol).collect();
        unsplit.sort_unstable();
        unsplit.dedup();
        unsplit.retain(|symbol| !actions.has_split_of(symbol));
        let restored = match changed {
            0 => "The prices are adjusted for splits".to_owned(),
            1 => "The prices are adjusted for splits; 1 bar was brought back to the prices of its time"
                .to_owned(),
            _ => format!(
                "The prices are adjusted for splits; {changed} bars were brought back to the prices of their time"
            ),
        };
        if unsplit.is_empty() {
            return format!("{restored}.");
        }
        let shown: Vec<&str> = unsplit.iter().take(10).map(|symbol| symbol.as_str()).collect();
        let shown = shown.join(", ");
        let more = unsplit.len().saturating_sub(10);
        let others = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "{restored}. No split is known of {shown}{others}, so these are taken as they are; when there was one, import it first, then this file with replace=true."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::bar_file::{BarRow, Basis};
    use super::*;
    use crate::market::instruments::Bar;
    use crate::values::money::Price;

    fn row(date: &str, price: &str, volume: u64) -> BarRow {
        let price: Price = price.parse().unwrap();
        let bar = Bar::new(price, price, price, price, volume).unwrap();
        BarRow { line: 2, symbol: "NVDA".parse().unwrap(), date: date.parse().unwrap(), bar }
    }

    fn split(date: &str, symbol: &str, from: u128, to: u128) -> (NaiveDate, CorporateAction) {
        let action = Action::Split(Ratio::reduced(from, to).unwrap());
        (date.parse().unwrap(), CorporateAction { symbol: symbol.parse().unwrap(), action })
    }

    #[test]
    fn adjusted_bars_are_multiplied_by_every_later_split_up_to_today() {
        let splits = [
            split("2021-07-20", "NVDA", 1, 4),
            split("2024-06-10", "NVDA", 1, 10),
            split("2026-01-05", "NVDA", 1, 2),
            split("2024-06-10", "AVGO", 1, 10),
        ];
        let actions = KnownActions::new(splits);
        let rows = vec![
            row("2021-07-19", "18.7", 400),
            row("2024-06-07", "120.888", 400),
            row("2024-06-10", "121.79", 400),
        ];
        let mut file = BarFile {
            rows,
            actions: vec![],
            basis: Basis::SplitAdjusted,
            ignored_columns: vec![],
            notes: vec![],
        };

        file.restore_raw(&actions, "2025-10-30".parse().unwrap()).unwrap();

        assert_eq!(
            file.rows,
            [
                row("2021-07-19", "748", 10),
                row("2024-06-07", "1208.88", 40),
                row("2024-06-10", "121.79", 400)
            ]
        );
        assert_eq!(
            file.notes,
            ["The prices are adjusted for splits; 2 bars were brought back to the prices of their time."]
        );
    }

    #[test]
    fn bars_of_symbols_without_known_splits_are_taken_as_they_are_and_this_is_said() {
        let rows = vec![row("2024-06-07", "120.888", 400)];
        let mut file = BarFile {
            rows: rows.clone(),
            actions: vec![],
            basis: Basis::SplitAdjusted,
            ignored_columns: vec![],
            notes: vec![],
        };

        file.restore_raw(&KnownActions::default(), "2025-10-30".parse().unwrap()).unwrap();

        assert_eq!(file.rows, rows);
        assert!(file.notes[0].contains("No split is known of NVDA"), "{:?}", file.notes);
    }
}
