//! The feeder: of large jobs it gives a few lanes at a time a place in the line of their queue, and makes those leave it
//! which have more than their share.
//!
//! A job that fits into the line has nothing to do with it while no lane is parked: its turns go to the queue with what
//! leads to them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::simulation::line::{Share, shares};
use domain::values::ids::JobId;
use messaging::topology::commands;
use runtime::CancellationToken;
use runtime::parts::Parts;
use runtime::relay::Wake;
use storage::PgPool;
use storage::execution::{Feeding, parked_keys};
use storage::outbox::NewMessage;
use tokio::sync::Notify;

use crate::error::ExecutorError;
use crate::messages::turn_of_waiter;

/// Time between two looks when nothing has happened: another process may have parked lanes.
const PERIOD: Duration = Duration::from_secs(1);
/// The shortest time between two looks: lanes that end meanwhile are replaced together.
const SOON: Duration = Duration::from_millis(20);
/// How long a look takes when nothing holds it up.
const RHYTHM: Duration = Duration::from_secs(5);

/// Feeds parked lanes to the queues.
pub(crate) struct Feeder {
    pool: PgPool,
    wake: Wake,
    /// Turns that stand in line in a queue, about.
    places: u32,
    /// Whether lanes are parked, as far as this process knows.
    is_contended: AtomicBool,
    /// How many turns of each job are to leave the line.
    leaving: Mutex<BTreeMap<JobId, u32>>,
    soon: Notify,
}

impl Feeder {
    pub(crate) fn new(pool: PgPool, wake: Wake, places: u32) -> Self {
        Self {
            pool,
            wake,
            places,
            is_contended: AtomicBool::new(false),
            leaving: Mutex::default(),
            soon: Notify::new(),
        }
    }

    /// How many turns stand in line in a queue, about.
    pub(crate) fn places(&self) -> usize {
        self.places as usize
    }

    /// Whether lanes wait for a place in line, so that others have to wait for their share too.
    pub(crate) fn is_contended(&self) -> bool {
        self.is_contended.load(Ordering::Relaxed)
    }

    /// Requests a look: lanes were parked.
    pub(crate) fn feed_soon(&self) {
        self.is_contended.store(true, Ordering::Relaxed);
        self.soon.notify_one();
    }

    /// Requests a look if lanes are parked: one has ended, and left its place.
    pub(crate) fn place_left(&self) {
        if self.is_contended() {
            self.soon.notify_one();
        }
    }

    /// Whether a lane of the job that ends its turn leaves the line, because its job has more turns in it than its share.
    pub(crate) fn has_to_leave(&self, job: JobId) -> bool {
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        match leaving.get_mut(&job) {
            Some(turns) if *turns > 0 => {
                *turns -= 1;
                true
            }
            _ => false,
        }
    }

    /// Feeds until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken, parts: &Parts) {
        let part = parts.add("executor: lanes in line", RHYTHM);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
                () = self.soon.notified() => tokio::time::sleep(SOON).await,
            }
            part.round();
            let fed = self.feed().await;
            part.note(&fed);
            if let Err(problem) = fed {
                tracing::warn!("parked lanes could not be fed: {problem}");
            }
        }
    }

    async fn feed(&self) -> Result<(), ExecutorError> {
        let keys =
            parked_keys(&self.pool, &[commands::LANE_CONTINUE, commands::LANE_CONTINUE_AGENTS]).await?;
        self.is_contended.store(!keys.is_empty(), Ordering::Relaxed);
        let mut leaving = BTreeMap::new();
        for key in keys {
            if let Some(feeding) = Feeding::begin(&self.pool, &key, self.places).await? {
                let shares = shares(self.places, &feeding.jobs);
                self.feed_queue(feeding, &shares).await?;
                for Share { job, leaving: turns, .. } in shares {
                    *leaving.entry(job).or_default() += turns;
                }
            }
        }
        *self.leaving.lock().unwrap_or_else(PoisonError::into_inner) = leaving;
        Ok(())
    }

    async fn feed_queue(&self, mut feeding: Feeding, shares: &[Share]) -> Result<(), ExecutorError> {
        let turns: Vec<(JobId, u32)> =
            shares.iter().filter(|share| share.fed > 0).map(|share| (share.job, share.fed)).collect();
        if turns.is_empty() {
            return Ok(());
        }
        let fed = feeding.feed(&turns).await?;
        let messages: Vec<NewMessage> = fed.iter().map(turn_of_waiter).collect::<Result<_, _>>()?;
        feeding.commit(&messages).await?;
        self.wake.wake();
        Ok(())
    }
}
