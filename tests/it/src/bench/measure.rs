//! Figures, and the lines of the table.

use std::fmt;
use std::time::Duration;

use it::System;
use serde_json::Value;

/// One line of the table.
pub(crate) struct Line {
    pub(crate) what: &'static str,
    pub(crate) ours: String,
    pub(crate) floor: String,
    pub(crate) ratio: Option<f64>,
    pub(crate) target: &'static str,
}

impl Line {
    /// A line about a time, with its floor if there is one.
    pub(crate) fn of_time(
        what: &'static str,
        ours: Duration,
        floor: Option<Duration>,
        target: &'static str,
    ) -> Self {
        Self {
            what,
            ours: millis(ours),
            floor: floor.map_or("-".to_owned(), millis),
            ratio: floor.and_then(|floor| ratio(ours, floor)),
            target,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = self.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        write!(f, "| {} | {} | {} | {ratio} | {} |", self.what, self.ours, self.floor, self.target)
    }
}

/// The job's counts once it has ended. Polls seldom and for little, because requests slow down what is measured.
pub(crate) async fn ended(system: &System, job: &str, mut meanwhile: impl FnMut()) -> Value {
    loop {
        meanwhile();
        let (_, status) = system.client.get(&format!("/jobs/{job}?details=false")).await;
        if matches!(status["status"].as_str(), Some("completed" | "partial" | "failed" | "cancelled")) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The duration below which `percent` of the durations lie.
pub(crate) fn percentile(durations: &mut [Duration], percent: usize) -> Duration {
    durations.sort_unstable();
    let index = (durations.len() * percent / 100).min(durations.len().saturating_sub(1));
    durations.get(index).copied().unwrap_or_default()
}

/// The duration in milliseconds with two decimals.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

/// `a` divided by `b`; `None` when `b` is zero.
pub(crate) fn ratio(a: Duration, b: Duration) -> Option<f64> {
    (!b.is_zero()).then(|| a.as_secs_f64() / b.as_secs_f64())
}

/// The processor time that all processes of this machine have used so far, the system's work for them included. Only
/// differences mean something, and only while nothing else runs.
pub(crate) fn busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").expect("the times of the processors");
    let all = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    // user, nice, system, idle, iowait, irq, softirq: in hundredths of a second.
    let ticks: Vec<u64> = all.filter_map(|text| text.parse().ok()).collect();
    let busy: u64 =
        ticks.iter().take(7).enumerate().filter(|(place, _)| ![3, 4].contains(place)).map(|(_, n)| n).sum();
    Duration::from_millis(busy * 10)
}

/// The processor time that PostgreSQL's processes of this machine have used so far, those that have ended included.
pub(crate) fn of_postgres() -> Duration {
    let processes = std::fs::read_dir("/proc").expect("the processes");
    let ticks = |stat: String| -> Option<u64> {
        let (name, rest) = stat.rsplit_once(") ")?;
        // From the state on: utime, stime, and both of the children that have ended are the 12th to the 15th.
        let times = || rest.split(' ').skip(11).take(4).filter_map(|text| text.parse::<u64>().ok());
        name.ends_with("(postgres").then(|| times().sum())
    };
    let stats =
        processes.flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    Duration::from_millis(stats.filter_map(ticks).sum::<u64>() * 10)
}
