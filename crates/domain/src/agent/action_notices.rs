//! Corporate actions as an agent reads of them: in words, and as data.

use rust_decimal::Decimal;

use super::json::{Object, array};
use crate::accounting::applied_action::AppliedAction;
use crate::market::as_of::AsOf;
use crate::market::corporate_action::{Action, ActionKind};
use crate::market::instruments::Symbol;

/// A corporate action, with what it did to the portfolio when it was held.
pub(crate) struct ActionNotice<'a> {
    symbol: &'a Symbol,
    action: &'a Action,
    applied: Option<&'a AppliedAction>,
}

/// What an agent reads at the day's open: the actions that changed the portfolio since its last day, then those of today of
/// the other `symbols`.
pub(crate) fn notices<'a>(
    as_of: &AsOf<'a>,
    symbols: &[Symbol],
    applied: &'a [AppliedAction],
) -> Vec<ActionNotice<'a>> {
    if !as_of.reports_actions() {
        return Vec::new();
    }
    let changed = applied.iter().map(|applied| ActionNotice {
        symbol: &applied.symbol,
        action: &applied.action,
        applied: Some(applied),
    });
    let is_other = |symbol: &Symbol, action: &Action| {
        // A symbol that was given up is shown no more; the one that took its place is.
        let is_shown = symbols.contains(symbol)
            || action.kind() == ActionKind::Rename
                && action.new_symbol().is_some_and(|new| symbols.contains(new));
        is_shown && !applied.iter().any(|applied| applied.symbol == *symbol && applied.action == *action)
    };
    let others = as_of.actions_today().filter(|today| is_other(&today.symbol, &today.action));
    let others =
        others.map(|today| ActionNotice { symbol: &today.symbol, action: &today.action, applied: None });
    changed.chain(others).collect()
}

/// The actions as a JSON array.
pub(crate) fn data(notices: &[ActionNotice<'_>]) -> String {
    array(notices.iter().map(|notice| notice.object(Object::new()).finish()))
}

/// The actions as lines of text; `None` without any.
pub(crate) fn words(notices: &[ActionNotice<'_>]) -> Option<String> {
    let lines: Vec<String> = notices.iter().map(|notice| format!("- {}", notice.sentence())).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

impl<'a> ActionNotice<'a> {
    /// An action, whatever it did to the portfolio.
    pub(crate) fn of(symbol: &'a Symbol, action: &'a Action) -> Self {
        Self { symbol, action, applied: None }
    }

    /// Adds the action's members to `object`.
    pub(crate) fn object(&self, object: Object) -> Object {
        let mut object =
            object.text("symbol", self.symbol.as_str()).text("action", self.action.kind().as_str());
        if let Some(ratio) = self.action.ratio() {
            object = object.text("ratio", &ratio.to_string());
        }
        if let Some(per_share) = self.action.per_share() {
            object = object.decimal("per_share", per_share);
        }
        if let Some(new) = self.action.new_symbol() {
            object = object.text("new_symbol", new.as_str());
        }
        if self.action.is_estimated() {
            object = object.json("estimated", true);
        }
        let Some(applied) = self.applied else { return object };
        let object =
            object.json("shares_before", applied.shares_before).json("shares_after", applied.shares_after);
        let object =
            if applied.new_shares > 0 { object.json("new_shares", applied.new_shares) } else { object };
        object.decimal("cash", applied.cash)
    }

    fn sentence(&self) -> String {
        let Self { symbol, action, .. } = self;
        let ratio = action.ratio().map(|ratio| ratio.to_string()).unwrap_or_default();
        let amount = action.per_share().map(|amount| format!("{} dollars a share", amount.normalize()));
        let new = action.new_symbol().map(ToString::to_string).unwrap_or_default();
        let what = match action.kind() {
            ActionKind::Rename => format!("{symbol} is now traded as {new}"),
            ActionKind::Split => format!("{symbol} was split {ratio} (new shares for old ones)"),
            ActionKind::Dividend => format!("{symbol} paid a dividend of {}", amount.unwrap_or_default()),
            ActionKind::SpinOff => {
                format!("{symbol} spun off {new}, {ratio} (shares of {new} for shares of {symbol})")
            }
            ActionKind::StockMerger => {
                let cash = amount.map(|amount| format!(", and {amount}")).unwrap_or_default();
                format!("{symbol} became {new}, {ratio} (shares of {new} for shares of {symbol}){cash}")
            }
            ActionKind::CashMerger => format!("{symbol} was bought for {}", amount.unwrap_or_default()),
            ActionKind::Delisting => {
                let worth = amount.unwrap_or_else(|| "its last close, an estimate".to_owned());
                format!("{symbol} is no longer traded and was paid out at {worth}")
            }
        };
        match self.applied {
            Some(applied) => format!("{what}. {}", effect(applied)),
            None => format!("{what}."),
        }
    }
}

fn effect(applied: &AppliedAction) -> String {
    let AppliedAction { symbol, shares_before, shares_after, new_shares, cash, .. } = applied;
    let kept = if shares_after == shares_before {
        format!("You hold {shares_after} {symbol}")
    } else {
        format!("Your {shares_before} {symbol} became {shares_after}")
    };
    let new = applied.action.new_symbol().filter(|_| *new_shares > 0);
    let received = new.map(|new| format!(", you received {new_shares} {new}")).unwrap_or_default();
    let paid = if *cash == Decimal::ZERO {
        String::new()
    } else {
        format!(", and {} dollars of cash", cash.normalize())
    };
    format!("{kept}{received}{paid}.")
}
