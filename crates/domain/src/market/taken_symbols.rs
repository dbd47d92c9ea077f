//! Symbols that one company gives up and another one takes on the same day.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::market::corporate_action::{Action, CorporateAction};
use crate::market::instruments::Symbol;

/// Whether what an action waits for is known, and whether it has its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    Waits,
    Placed,
}

/// Puts what ends the shares of one company before the rename that gives their symbol to another company on the same day.
/// `actions` are sorted by date; otherwise they keep their order. Its time grows with their number, whatever they are: those
/// of a bundle are whatever its author wrote.
pub(super) fn give_up_before_taking(
    actions: Vec<(NaiveDate, CorporateAction)>,
) -> Vec<(NaiveDate, CorporateAction)> {
    let mut order = Vec::with_capacity(actions.len());
    for day in actions.chunk_by(|(one, _), (other, _)| one == other) {
        let first = order.len();
        order.extend(order_of_day(day).into_iter().map(|place| first + place));
    }
    let mut actions: Vec<Option<_>> = actions.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| actions.get_mut(place)?.take()).collect()
}

/// The places of the actions of one day in the order in which they are applied. Of renames in a circle, one is first.
fn order_of_day(day: &[(NaiveDate, CorporateAction)]) -> Vec<usize> {
    let mut endings: BTreeMap<&Symbol, Vec<usize>> = BTreeMap::new();
    for (place, (_, due)) in day.iter().enumerate().filter(|(_, (_, due))| ends_shares(&due.action)) {
        endings.entry(&due.symbol).or_default().push(place);
    }
    let mut progress = vec![Progress::New; day.len()];
    let mut order = Vec::with_capacity(day.len());
    // Not a recursion: a chain of renames may be as long as its author likes.
    let mut stack = Vec::new();
    for place in 0..day.len() {
        stack.push(place);
        while let Some(&top) = stack.last() {
            let (Some((_, due)), Some(state)) = (day.get(top), progress.get_mut(top)) else { break };
            if *state == Progress::New {
                *state = Progress::Waits;
                if let Action::Rename { new } = &due.action {
                    stack.extend(endings.remove(new).unwrap_or_default().into_iter().rev());
                }
                continue;
            }
            // One that came up again while it waits is in a circle, and the first of it.
            if *state == Progress::Waits {
                *state = Progress::Placed;
                order.push(top);
            }
            stack.pop();
        }
    }
    order
}

/// Whether the symbol of a company does not stand for its shares after this action.
fn ends_shares(action: &Action) -> bool {
    match action {
        Action::Rename { .. }
        | Action::StockMerger { .. }
        | Action::CashMerger { .. }
        | Action::Delisting { .. } => true,
        Action::Split(_) | Action::Dividend { .. } | Action::SpinOff { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::corporate_action::Ratio;

    fn action(symbol: &str, action: Action) -> CorporateAction {
        CorporateAction { symbol: symbol.parse().unwrap(), action }
    }

    fn rename(symbol: &str, new: &str) -> CorporateAction {
        action(symbol, Action::Rename { new: new.parse().unwrap() })
    }

    fn order(actions: impl IntoIterator<Item = CorporateAction>) -> Vec<String> {
        let date = NaiveDate::default();
        let ordered = give_up_before_taking(actions.into_iter().map(|due| (date, due)).collect());
        ordered.iter().map(|(_, due)| format!("{} {}", due.symbol, due.action.kind().as_str())).collect()
    }

    #[test]
    fn a_symbol_is_given_up_before_another_company_takes_it_on_the_same_day() {
        let delisting = action("B", Action::Delisting { per_share: None });
        let split = action("B", Action::Split(Ratio::ONE));

        assert_eq!(
            order([rename("A", "B"), rename("B", "C"), rename("C", "D")]),
            ["C rename", "B rename", "A rename"]
        );
        assert_eq!(order([rename("A", "B"), delisting]), ["B delisting", "A rename"]);
        let of_split = order([rename("A", "B"), split]);
        assert_eq!(of_split, ["A rename", "B split"], "it is the company that has the symbol now");
    }

    #[test]
    fn what_happens_on_another_day_stays_there() {
        let [first, second] = [1, 2].map(|day| NaiveDate::from_ymd_opt(2025, 10, day).unwrap());
        let actions = vec![(first, rename("A", "B")), (second, rename("B", "C"))];

        assert_eq!(give_up_before_taking(actions.clone()), actions);
    }

    #[test]
    fn every_action_stays_whatever_circles_and_repetitions_there_are() {
        assert_eq!(order([rename("A", "B"), rename("B", "A")]).len(), 2);
        assert_eq!(order([rename("A", "A")]).len(), 1);
        assert_eq!(order([rename("A", "B"), rename("A", "B"), rename("B", "A"), rename("C", "B")]).len(), 4);
    }

    #[test]
    fn a_hundred_thousand_renames_of_one_day_are_ordered() {
        let name = |number: usize| format!("S{number}");
        let chain = (0..100_000).map(|number| rename(&name(number), &name(number + 1)));

        let ordered = order(chain.chain((0..100_000).map(|_| rename("A", "B"))));

        assert_eq!(ordered.len(), 200_000);
        assert_eq!(ordered.first().unwrap(), "S99999 rename");
    }
}
