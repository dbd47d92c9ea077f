//! Replays the portfolios of a bundle, as many at once as the machine has processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::replay::{Bundle, RecordedPortfolio, ReplayedDay, replay};

/// A recorded portfolio with its replayed days.
pub(super) struct ReplayedPortfolio<'a> {
    pub(super) recorded: &'a RecordedPortfolio,
    pub(super) days: Vec<ReplayedDay>,
}

/// Replays all portfolios. The result has the bundle's order.
pub(super) fn run(bundle: &Bundle) -> Vec<ReplayedPortfolio<'_>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, ReplayedPortfolio<'_>)>> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(bundle.portfolios.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(recorded) = bundle.portfolios.get(place) else { return };
                    let days = replay(bundle, recorded);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((place, ReplayedPortfolio { recorded, days }));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, replayed)| replayed).collect()
}
