//! The hash of a model's configuration, which each stored day carries.
//!
//! It is made from JSON with sorted keys, whose names are those of the models file and of messages. Renaming a
//! type or a field in the code therefore changes no hash.

use domain::accounting::costs::{CostTerms, Costs};
use domain::agent::Dialect;
use domain::job::ModelKind;
use domain::market::instruments::Universe;
use domain::strategy::recorded_orders::RecordedOrder;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Changes with the form of what is hashed, so that two forms never give the same hash.
const FORM: u32 = 2;

/// The hash of everything that affects the outcome. Other keys do not change it: `enabled`, the number of trials, the
/// training cutoff, and how fast an endpoint may be called.
pub(super) fn config_hash(initial_cash: Decimal, costs: &Costs, kind: &ModelKind) -> String {
    let config = json!({
        "form": FORM,
        "initial_cash": number(initial_cash),
        "costs": costs_json(costs.terms()),
        "kind": kind.as_str(),
        "decider": decider_json(kind),
    });
    digest(&config)
}

/// The hash of a universe: what affects the outcome of a job over it.
pub(crate) fn universe_hash(universe: &Universe) -> String {
    digest(&json!({ "form": FORM, "symbols": universe.symbols, "benchmark": universe.benchmark }))
}

/// The hash of a configuration in a job whose universe is another one than that of the installation. Days over other
/// symbols are then seen as days under another configuration.
pub(crate) fn hash_in_universe(config_hash: &str, universe: &Universe) -> String {
    digest(&json!({ "config": config_hash, "universe": universe_hash(universe) }))
}

/// `serde_json` writes the members of a value sorted by name.
fn digest(value: &Value) -> String {
    Sha256::digest(value.to_string()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn costs_json(terms: &CostTerms) -> Value {
    let CostTerms { bps, per_share, min, max_bps_of_notional, slippage_bps } = *terms;
    json!({
        "bps": number(bps),
        "per_share": number(per_share),
        "min": number(min),
        "max_bps_of_notional": max_bps_of_notional.map(number),
        "slippage_bps": number(slippage_bps),
    })
}

fn decider_json(kind: &ModelKind) -> Value {
    match kind {
        ModelKind::Policy(policy) => json!(policy),
        ModelKind::Agent(agent) => {
            let mut decider = json!({ "url": agent.url, "settings": agent.settings });
            // The kind says it of the others.
            if matches!(agent.dialect, Dialect::Messages | Dialect::Responses) {
                decider["dialect"] = json!(agent.dialect);
            }
            decider
        }
        ModelKind::Recorded(orders) => orders.iter().map(order_json).collect(),
    }
}

fn order_json(order: &RecordedOrder) -> Value {
    json!([order.date, order.sequence, order.side.as_str(), order.symbol, order.quantity])
}

/// `1.50` and `1.5` are the same amount.
fn number(amount: Decimal) -> String {
    amount.normalize().to_string()
}
