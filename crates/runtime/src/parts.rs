//! The parts of a process: tasks that go on as long as it runs. Each shows that it goes on, and says what hinders it.
//!
//! A part that works, that has nothing to do, or that waits for a server that is away goes on, since all of its waits
//! have an end. One that shows nothing for longer than they all take is stuck, and only a restart helps.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much longer than its rhythm a part may show nothing before it counts as stuck. Longer than several of its waits
/// in a row.
const STUCK_AFTER: Duration = Duration::from_secs(120);

/// The parts of a process.
#[derive(Debug, Clone, Default)]
pub struct Parts(Arc<Mutex<Vec<Part>>>);

/// One part of a process.
#[derive(Debug, Clone)]
pub struct Part {
    name: Arc<str>,
    rhythm: Duration,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen of a part.
#[derive(Debug, Default)]
struct Seen {
    /// When it last began a round. `None` for a part that only works when there is something to do.
    round: Option<Instant>,
    /// What it works on, by number: since when.
    work: BTreeMap<u64, Instant>,
    count: u64,
    hindrance: Option<String>,
    stands_by: bool,
}

/// A piece of work in the hands of a part, until it is dropped.
#[derive(Debug)]
pub struct Work {
    part: Part,
    number: u64,
}

impl Parts {
    /// A part that shows that it goes on at least once in `rhythm`, while nothing hinders it.
    pub fn add(&self, name: impl Into<String>, rhythm: Duration) -> Part {
        let part = Part { name: name.into().into(), rhythm, seen: Arc::default() };
        self.all().push(part.clone());
        part
    }

    /// What hinders each part that is hindered or slow, by the part's name; `None` for the others.
    pub fn hindrances(&self, now: Instant) -> Vec<(Arc<str>, Option<String>)> {
        self.all().iter().map(|part| (part.name.clone(), part.hindrance(now))).collect()
    }

    /// The parts that are stuck.
    pub fn stuck(&self, now: Instant) -> Vec<Arc<str>> {
        let parts = self.all();
        let stuck = parts.iter().filter(|part| part.silence(now) > part.rhythm + STUCK_AFTER);
        stuck.map(|part| part.name.clone()).collect()
    }

    /// The parts that stand by for another process.
    pub fn standing_by(&self) -> Vec<Arc<str>> {
        self.all().iter().filter(|part| part.seen().stands_by).map(|part| part.name.clone()).collect()
    }

    fn all(&self) -> MutexGuard<'_, Vec<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    /// Begins a round: nothing that the part waited for holds it up.
    pub fn round(&self) {
        self.seen().round = Some(Instant::now());
    }

    /// Begins a piece of work; several may be in hand.
    pub fn work(&self) -> Work {
        let mut seen = self.seen();
        let number = seen.count;
        seen.count += 1;
        seen.work.insert(number, Instant::now());
        drop(seen);
        Work { part: self.clone(), number }
    }

    /// Notes whether what it did last went well; an error says what hinders it.
    pub fn note<T, E: Display>(&self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.goes_on(),
            Err(problem) => self.hindered(problem.to_string()),
        }
    }

    /// Notes what hinders it.
    pub fn hindered(&self, why: impl Into<String>) {
        self.seen().hindrance = Some(why.into());
    }

    /// Notes whether another process does its work at this moment, which this one takes over when that one ends.
    pub fn stands_by(&self, stands_by: bool) {
        self.seen().stands_by = stands_by;
    }

    /// Notes that nothing hinders it.
    pub fn goes_on(&self) {
        self.seen().hindrance = None;
    }

    fn hindrance(&self, now: Instant) -> Option<String> {
        let silence = self.silence(now);
        let slow = (silence > self.rhythm).then(|| format!("no progress for {} s", silence.as_secs()));
        slow.or_else(|| self.seen().hindrance.clone())
    }

    /// For how long it has shown nothing.
    fn silence(&self, now: Instant) -> Duration {
        let seen = self.seen();
        let since = seen.round.into_iter().chain(seen.work.values().next().copied()).min();
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.part.seen().work.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RHYTHM: Duration = Duration::from_secs(5);

    fn in_seconds(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_part_that_begins_no_round_is_slow_and_then_stuck() {
        let parts = Parts::default();
        parts.add("relay", RHYTHM).round();

        assert_eq!(parts.hindrances(in_seconds(4)), [("relay".into(), None)]);
        assert_eq!(
            parts.hindrances(in_seconds(30)),
            [("relay".into(), Some("no progress for 30 s".to_owned()))]
        );
        assert!(parts.stuck(in_seconds(120)).is_empty());
        assert_eq!(parts.stuck(in_seconds(126)), ["relay".into()]);
    }

    #[test]
    fn a_part_without_rounds_is_only_watched_while_it_works() {
        let parts = Parts::default();
        let part = parts.add("turns", RHYTHM);
        let (first, second) = (part.work(), part.work());

        drop(second);
        assert_eq!(parts.stuck(in_seconds(126)), ["turns".into()]);

        drop(first);
        assert!(parts.stuck(in_seconds(126)).is_empty());
    }

    #[test]
    fn a_hindered_part_says_why_until_a_round_goes_well() {
        let parts = Parts::default();
        let part = parts.add("relay", RHYTHM);

        part.note(&Err::<(), _>("the broker is away"));
        assert_eq!(
            parts.hindrances(in_seconds(0)),
            [("relay".into(), Some("the broker is away".to_owned()))]
        );

        part.note(&Ok::<_, String>(()));
        assert_eq!(parts.hindrances(in_seconds(0)), [("relay".into(), None)]);
    }
}
