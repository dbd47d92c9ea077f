//! Corporate actions on the wire.

use std::num::NonZeroU32;

use domain::accounting::applied_action::AppliedAction;
use domain::market::corporate_action::{Action, ActionKind, Ratio};
use domain::values::money::Price;

use crate::error::ContractError;
use crate::fields::{amount, decimal_text, optional, parse, price, quantity_wire};
use crate::wire;
use crate::wire::corporate_action::Action as Wire;

impl TryFrom<wire::CorporateAction> for AppliedAction {
    type Error = ContractError;

    fn try_from(applied: wire::CorporateAction) -> Result<Self, Self::Error> {
        let wire = applied.action.ok_or(ContractError::missing("corporate_actions.action"))?;
        let held = |field: &'static str, shares: i64| {
            u64::try_from(shares)
                .map_err(|_| ContractError::invalid(field, format_args!("{shares} is below 0")))
        };
        Ok(Self {
            symbol: parse("corporate_actions.symbol", &applied.symbol)?,
            action: action(wire)?,
            shares_before: held("corporate_actions.shares_before", applied.shares_before)?,
            shares_after: held("corporate_actions.shares_after", applied.shares_after)?,
            new_shares: held("corporate_actions.new_shares", applied.new_shares)?,
            cash: amount("corporate_actions.cash", &applied.cash)?,
        })
    }
}

fn action(action: Wire) -> Result<Action, ContractError> {
    Ok(match action {
        Wire::Split(split) => {
            Action::Split(ratio("corporate_actions.split", split.from_shares, split.to_shares)?)
        }
        Wire::Dividend(dividend) => Action::Dividend {
            per_share: dollars("corporate_actions.dividend.per_share", &dividend.per_share)?,
        },
        Wire::SpinOff(spin_off) => Action::SpinOff {
            ratio: ratio("corporate_actions.spin_off", spin_off.from_shares, spin_off.to_shares)?,
            new: parse("corporate_actions.spin_off.new_symbol", &spin_off.new_symbol)?,
        },
        Wire::Rename(rename) => {
            Action::Rename { new: parse("corporate_actions.rename.new_symbol", &rename.new_symbol)? }
        }
        Wire::StockMerger(merger) => {
            let per_share = optional(&merger.per_share);
            let field = "corporate_actions.stock_merger.per_share";
            Action::StockMerger {
                ratio: ratio("corporate_actions.stock_merger", merger.from_shares, merger.to_shares)?,
                new: parse("corporate_actions.stock_merger.new_symbol", &merger.new_symbol)?,
                per_share: per_share.map(|text| dollars(field, text)).transpose()?,
            }
        }
        Wire::CashMerger(merger) => Action::CashMerger {
            per_share: dollars("corporate_actions.cash_merger.per_share", &merger.per_share)?,
        },
        Wire::Delisting(delisting) => {
            let per_share = optional(&delisting.per_share);
            let amount = |text| amount("corporate_actions.delisting.per_share", text);
            Action::Delisting { per_share: per_share.map(amount).transpose()? }
        }
    })
}

fn ratio(field: &'static str, from: u32, to: u32) -> Result<Ratio, ContractError> {
    let ratio = NonZeroU32::new(from).zip(NonZeroU32::new(to)).map(|(from, to)| Ratio::new(from, to));
    ratio.ok_or_else(|| ContractError::invalid(field, "from_shares or to_shares is 0"))
}

fn dollars(field: &'static str, text: &str) -> Result<Price, ContractError> {
    price(field, text)?.try_into().map_err(|problem| ContractError::invalid(field, problem))
}

impl From<&AppliedAction> for wire::CorporateAction {
    fn from(applied: &AppliedAction) -> Self {
        let (from_shares, to_shares) =
            applied.action.ratio().map_or((0, 0), |ratio| (ratio.from().get(), ratio.to().get()));
        let per_share = applied.action.per_share().map(decimal_text).unwrap_or_default();
        let new_symbol = applied.action.new_symbol().map(ToString::to_string).unwrap_or_default();
        let action = match applied.action.kind() {
            ActionKind::Split => Wire::Split(wire::Split { from_shares, to_shares }),
            ActionKind::Dividend => Wire::Dividend(wire::Dividend { per_share }),
            ActionKind::SpinOff => Wire::SpinOff(wire::SpinOff { from_shares, to_shares, new_symbol }),
            ActionKind::Rename => Wire::Rename(wire::Rename { new_symbol }),
            ActionKind::StockMerger => {
                Wire::StockMerger(wire::StockMerger { from_shares, to_shares, new_symbol, per_share })
            }
            ActionKind::CashMerger => Wire::CashMerger(wire::CashMerger { per_share }),
            ActionKind::Delisting => Wire::Delisting(wire::Delisting { per_share }),
        };
        Self {
            symbol: applied.symbol.to_string(),
            action: Some(action),
            shares_before: quantity_wire(applied.shares_before),
            shares_after: quantity_wire(applied.shares_after),
            new_shares: quantity_wire(applied.new_shares),
            cash: decimal_text(applied.cash),
        }
    }
}
