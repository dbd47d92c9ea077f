//! What downloader counts, and what it reads from PostgreSQL: its queue, and what is left of the call quotas.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::job::warning::code;
use messaging::topology::Account;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use storage::market::{PREPARATION_STATES, PreparationCount, preparation_counts};
use storage::{Owner, PgPool};

use crate::download::source::PriceSource;
use crate::provider::Outcome;

/// Describes the downloader's metrics, and begins its counters at 0.
pub(crate) fn declare(sources: &[Arc<PriceSource>]) {
    messaging::declare_metrics(Account::Downloader);
    runtime::declare_metrics(Owner::Downloader);
    describe_counter!("modelday_provider_calls_total", "Calls of providers of prices, by what came back.");
    describe_gauge!(
        "modelday_provider_calls_left",
        "Calls that are left in the tightest window of an hour or more. Absent without such a window."
    );
    describe_gauge!("modelday_preparations", "Jobs whose prices are being prepared.");
    describe_gauge!(
        "modelday_oldest_preparation_age_seconds",
        "Age of the oldest job whose prices are being prepared."
    );
    declare_calls(sources);
    for code in code::ALL {
        counter!("modelday_warnings_total", "code" => code).absolute(0);
    }
}

/// Begins the counters of the sources' calls at 0.
pub(crate) fn declare_calls(sources: &[Arc<PriceSource>]) {
    for source in sources {
        for outcome in Outcome::CLASSES {
            let provider = source.provider.name();
            counter!("modelday_provider_calls_total", "provider" => provider, "outcome" => outcome)
                .absolute(0);
        }
    }
}

/// Reads the downloader's gauges.
#[expect(clippy::cast_precision_loss, reason = "gauges")]
pub(crate) async fn measure(pool: PgPool, sources: &[Arc<PriceSource>]) -> storage::Result<()> {
    let counts = preparation_counts(&pool).await?;
    let by_state: BTreeMap<&str, &PreparationCount> =
        counts.iter().map(|count| (count.state.as_str(), count)).collect();
    for state in PREPARATION_STATES {
        let count = by_state.get(state).map_or(0, |count| count.preparations);
        gauge!("modelday_preparations", "state" => state).set(count as f64);
    }
    let age = counts.iter().map(|count| count.age_seconds).fold(0.0, f64::max);
    gauge!("modelday_oldest_preparation_age_seconds").set(age);
    for source in sources {
        // Sets the gauge.
        source.quota.calls_left().await?;
    }
    Ok(())
}
