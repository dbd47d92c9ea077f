//! Which symbols' prices a job needs: those that its models can look at or hold.

use std::collections::BTreeSet;

use crate::job::{Job, Model, ModelKind};
use crate::market::instruments::{Symbol, Universe};
use crate::strategy::policy::Policy;

/// The part of the job's universe whose prices it needs; `held` are the symbols that its portfolios hold.
///
/// The benchmark belongs to it, unless no price is needed at all: then no call is made for the benchmark alone. A model
/// that trades or holds the benchmark needs it like a member, so that its dates wait for it.
pub fn needed_universe(job: &Job, held: &[Symbol]) -> Universe {
    let universe = &job.universe;
    let mut symbols: BTreeSet<Symbol> = held.iter().cloned().collect();
    for model in job.models.iter().filter(|model| model.start <= job.end) {
        match traded(model, job) {
            Some(traded) => symbols.extend(traded),
            None => return universe.clone(),
        }
    }
    let benchmark = universe.benchmark.iter().filter(|benchmark| !universe.symbols.contains(benchmark));
    let tradable = universe.symbols.iter().chain(benchmark);
    let symbols: Vec<Symbol> = tradable.filter(|symbol| symbols.contains(symbol)).cloned().collect();
    let benchmark = universe.benchmark.clone().filter(|_| !symbols.is_empty());
    Universe { name: universe.name.clone(), symbols, benchmark }
}

/// The rest of the universe, when the job has recorded models: they decided over all of it, and are compared with its
/// equal weight. No date waits for these prices, and they are fetched only where calls cost nothing.
pub fn compared_symbols(job: &Job, needed: &Universe) -> Vec<Symbol> {
    let is_recorded = |model: &Model| model.start <= job.end && matches!(model.kind, ModelKind::Recorded(_));
    let rest = job.universe.symbols.iter().filter(|symbol| !needed.symbols.contains(symbol));
    if job.models.iter().any(is_recorded) { rest.cloned().collect() } else { Vec::new() }
}

/// The symbols that models of the job want to trade and that are not in its universe, so that such orders are refused.
pub fn outside_universe(job: &Job) -> Vec<(&str, Vec<Symbol>)> {
    let outside = |model: &Model| -> Vec<Symbol> {
        let traded = traded(model, job).unwrap_or_default();
        traded.into_iter().filter(|symbol| !job.universe.tradable(symbol)).collect()
    };
    let models = job.models.iter().filter(|model| model.start <= job.end);
    let each = models.map(|model| (model.signature.as_str(), outside(model)));
    each.filter(|(_, symbols)| !symbols.is_empty()).collect()
}

/// The symbols that a model can look at or buy in the job; `None` when these are all of the universe.
fn traded(model: &Model, job: &Job) -> Option<BTreeSet<Symbol>> {
    match &model.kind {
        ModelKind::Policy(Policy::Cash) => Some(BTreeSet::new()),
        ModelKind::Policy(Policy::BuyAndHold { symbol }) => Some([symbol.clone()].into()),
        ModelKind::Recorded(orders) => {
            let of_job = orders.iter().filter(|order| model.start <= order.date && order.date <= job.end);
            Some(of_job.filter_map(|order| order.symbol.parse().ok()).collect())
        }
        ModelKind::Policy(Policy::EqualWeight | Policy::Momentum { .. } | Policy::Random { .. })
        | ModelKind::Agent(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};

    use super::*;
    use crate::accounting::costs::Costs;
    use crate::accounting::order::Side;
    use crate::job::Options;
    use crate::strategy::recorded_orders::RecordedOrder;
    use crate::values::ids::JobId;

    fn symbol(name: &str) -> Symbol {
        name.parse().unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn model(kind: ModelKind) -> Model {
        Model {
            signature: "m".to_owned(),
            config_hash: "h".to_owned(),
            initial_cash: 10_000.into(),
            trials: 1,
            start: date("2025-10-01"),
            requested_dates: None,
            costs: Costs::NONE,
            training_cutoff: None,
            kind,
        }
    }

    /// A job of models of these kinds over the universe A, B, C with the benchmark QQQ.
    fn job(kinds: Vec<ModelKind>) -> Job {
        Job {
            id: JobId(uuid::Uuid::nil()),
            experiment: "default".to_owned(),
            models: kinds.into_iter().map(model).collect(),
            universe: Universe {
                name: "abc".to_owned(),
                symbols: ["A", "B", "C"].map(symbol).to_vec(),
                benchmark: Some(symbol("QQQ")),
            },
            start: date("2025-10-01"),
            end: date("2025-10-03"),
            options: Options::default(),
            accepted_at: DateTime::UNIX_EPOCH,
            retry_of: None,
            unknown_fields: Vec::new(),
            requested_by: String::new(),
        }
    }

    /// What models of these kinds need.
    fn needed(kinds: Vec<ModelKind>, held: &[&str]) -> (Vec<String>, bool) {
        let job = job(kinds);
        let held: Vec<Symbol> = held.iter().map(|name| symbol(name)).collect();
        let needed = needed_universe(&job, &held);
        (needed.symbols.iter().map(ToString::to_string).collect(), needed.benchmark.is_some())
    }

    fn hold(name: &str) -> ModelKind {
        ModelKind::Policy(Policy::BuyAndHold { symbol: symbol(name) })
    }

    fn recorded(orders: &[(&str, &str)]) -> ModelKind {
        let order = |(on, name): &(&str, &str)| RecordedOrder {
            date: date(on),
            sequence: 0,
            side: Side::Buy,
            symbol: (*name).to_owned(),
            quantity: 1,
        };
        ModelKind::Recorded(orders.iter().map(order).collect())
    }

    #[test]
    fn recorded_models_alone_are_compared_with_the_rest_of_the_universe() {
        let compared = |kinds| {
            let job = job(kinds);
            compared_symbols(&job, &needed_universe(&job, &[])).len()
        };

        assert_eq!(compared(vec![recorded(&[("2025-10-02", "C")])]), 2);
        assert_eq!(compared(vec![hold("C")]), 0);
        assert_eq!(compared(vec![recorded(&[]), ModelKind::Policy(Policy::EqualWeight)]), 0);
    }

    #[track_caller]
    fn check(kinds: Vec<ModelKind>, held: &[&str], symbols: &[&str], benchmark: bool) {
        assert_eq!(needed(kinds, held), (symbols.iter().map(ToString::to_string).collect(), benchmark));
    }

    #[test]
    fn cash_needs_no_price_at_all() {
        check(vec![ModelKind::Policy(Policy::Cash)], &[], &[], false);
    }

    #[test]
    fn a_symbol_that_is_held_for_good_is_all_that_is_needed() {
        check(vec![hold("B")], &[], &["B"], true);
        check(vec![hold("QQQ")], &[], &["QQQ"], true);
        check(vec![hold("OTHER")], &[], &[], false);
    }

    #[test]
    fn recorded_orders_need_the_symbols_of_the_jobs_dates_and_the_held_ones() {
        let orders = [("2025-09-30", "A"), ("2025-10-02", "C"), ("2025-10-03", "nonsense")];

        check(vec![recorded(&orders)], &[], &["C"], true);
        check(vec![recorded(&orders)], &["B"], &["B", "C"], true);
    }

    #[test]
    fn models_together_need_what_each_of_them_needs() {
        check(vec![hold("C"), ModelKind::Policy(Policy::Cash), hold("A")], &[], &["A", "C"], true);
        check(vec![hold("C"), ModelKind::Policy(Policy::EqualWeight)], &[], &["A", "B", "C"], true);
    }
}
