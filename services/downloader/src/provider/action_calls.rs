//! Splits and dividends of providers that give prices without them: each takes a call of its own.

use super::{FetchResult, Outcome};

/// What one call brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ActionTable {
    Splits,
    Dividends,
}

impl ActionTable {
    const ALL: [Self; 2] = [Self::Splits, Self::Dividends];
}

/// Adds splits and dividends to prices, each with the result of `call`; without all of them there are no prices either.
pub(super) async fn add_actions<F>(
    mut prices: FetchResult,
    call: impl Fn(ActionTable) -> F + Send,
) -> FetchResult
where
    F: Future<Output = FetchResult> + Send,
{
    let Outcome::Bars(response) = &mut prices.outcome else { return prices };
    for table in ActionTable::ALL {
        let listed = call(table).await;
        prices.calls += listed.calls;
        match listed.outcome {
            Outcome::Bars(listed) => response.actions.extend(listed.actions),
            outcome => return FetchResult { outcome, ..prices },
        }
    }
    prices
}
