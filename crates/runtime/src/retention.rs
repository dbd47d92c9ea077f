//! How long rows are kept, and the deletion of older ones, in batches that keep up with any number of new rows.

use std::str::FromStr;
use std::time::{Duration, Instant};

use metrics::{counter, describe_counter};
use storage::{Owner, Pruned};
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;

/// Time between two looks for old rows.
const INTERVAL: Duration = Duration::from_secs(5);
const HOUR: u64 = 3_600;
const FIX: &str = "write a number of hours or days, such as 36h or 30d, or forever";

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// None is deleted.
    Forever,
    /// Those that are older are deleted.
    For(Duration),
}

impl Retention {
    /// So many days.
    pub const fn days(days: u32) -> Self {
        Self::For(Duration::from_secs(days as u64 * 24 * HOUR))
    }

    /// Reads a setting of this kind; a mistake is noted in `settings`.
    pub fn from_settings(settings: &mut Settings, key: &str, default: Self) -> Self {
        settings.parsed(key, default, FIX)
    }
}

impl FromStr for Retention {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forever" {
            return Ok(Self::Forever);
        }
        let unit = text.chars().last().and_then(|unit| Some((unit, text.strip_suffix(unit)?)));
        let (number, hours) = match unit {
            Some(('h', number)) => (number, 1),
            Some(('d', number)) => (number, 24),
            _ => return Err("has no unit"),
        };
        let number: u32 = number.trim_end().parse().map_err(|_| "is no whole number with a unit")?;
        if number == 0 {
            return Err("keeps nothing");
        }
        Ok(Self::For(Duration::from_secs(u64::from(number) * hours * HOUR)))
    }
}

/// A table whose old rows are deleted.
#[derive(Debug, Clone, Copy)]
pub struct PrunedTable {
    /// Its schema.
    pub schema: &'static str,
    /// Its name.
    pub table: &'static str,
}

impl PrunedTable {
    /// The outbox of a service.
    pub fn outbox(owner: Owner) -> Self {
        Self { schema: owner.schema(), table: "outbox" }
    }

    /// Describes what is counted of it, and begins its counter at 0.
    pub fn declare(self) {
        describe_counter!("modelday_pruned_rows_total", "Rows that were deleted because of their age.");
        self.count(0);
    }

    /// Deletes rows that are older than `retention`, again and again until `stop`: batch after batch while there are more,
    /// and resting after each as long as it took, so that others have the server half of the time.
    pub async fn keep_pruning<F>(
        self,
        retention: Retention,
        stop: CancellationToken,
        delete: impl Fn(Duration) -> F,
    ) where
        F: Future<Output = storage::Result<Pruned>>,
    {
        let Retention::For(keep) = retention else { return stop.cancelled().await };
        loop {
            let began = Instant::now();
            let more = match delete(keep).await {
                Ok(Pruned { rows, more }) => {
                    self.count(rows);
                    more
                }
                Err(problem) => {
                    let Self { schema, table } = self;
                    tracing::warn!("old rows of {schema}.{table} could not be deleted: {problem}");
                    false
                }
            };
            let rest = tokio::time::sleep(rest(more, began.elapsed()));
            if stop.run_until_cancelled(rest).await.is_none() {
                return;
            }
        }
    }

    fn count(self, rows: u64) {
        let Self { schema, table } = self;
        counter!("modelday_pruned_rows_total", "schema" => schema, "table" => table).increment(rows);
    }
}

/// The wait after a batch that took so long.
fn rest(more: bool, took: Duration) -> Duration {
    if more { took } else { INTERVAL }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_time_has_a_unit_and_is_not_zero() {
        let parse = |text: &str| text.parse::<Retention>();

        assert_eq!(parse("7d"), Ok(Retention::days(7)));
        assert_eq!(parse("36 h"), Ok(Retention::For(Duration::from_secs(36 * HOUR))));
        assert_eq!(parse("forever"), Ok(Retention::Forever));
        for wrong in ["", "7", "d", "0d", "-1h", "1.5d", "7 weeks", "ever", "7é"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn full_batches_follow_each_other_and_a_wait_comes_after_one_that_is_not_full() {
        let (stop, batches) = (CancellationToken::new(), Mutex::new(vec![3, 5, 5]));
        let table = PrunedTable { schema: "execution", table: "outbox" };

        let pruning = table.keep_pruning(Retention::days(1), stop.clone(), |keep| {
            assert_eq!(keep, Duration::from_secs(24 * HOUR));
            let mut batches = batches.lock().unwrap();
            let rows = batches.pop().unwrap();
            if batches.is_empty() {
                stop.cancel();
            }
            async move { Ok(Pruned { rows, more: rows == 5 }) }
        });
        tokio::time::timeout(INTERVAL, pruning).await.expect("nothing waits between full batches");

        assert_eq!(*batches.lock().unwrap(), [0; 0]);
        let took = Duration::from_millis(40);
        assert_eq!((rest(true, took), rest(false, took)), (took, INTERVAL));
    }
}
